"""The policies and value functions of the course: small multilayer perceptrons."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from chula_rl.types import FloatArray


class GaussianPolicy(nn.Module):
    r"""Diagonal Gaussian policy: :math:`a \sim N(\mu_\theta(s), \sigma_\theta^2)`.

    The mean is a network of the observation; the standard deviation is one trainable
    number for each action dimension. The last layer starts near zero, so that training
    starts with actions around zero whatever the observation.

    Args:
        obs_dim: number of observation variables.
        action_dim: number of action dimensions, A.
        hidden: widths of the hidden layers.
        log_std: initial logarithm of the standard deviation.
        obs_scale: ``[obs_dim]``, by which observations are divided; None for ones.
        generator: source of the initial weights; None for torch's global one.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        hidden: Sequence[int] = (32,),
        log_std: float = 0.0,
        obs_scale: FloatArray | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.obs_scale: Tensor
        self.register_buffer("obs_scale", _scale(obs_dim, obs_scale))
        self.mean = _mlp(obs_dim, hidden, action_dim, generator)
        self.log_std = nn.Parameter(torch.full((action_dim,), log_std))

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of the action.

        Args:
            obs: ``[..., obs_dim]``.

        Returns:
            ``(mean, log_std)``, both ``[..., A]``.
        """
        mean: Tensor = self.mean(obs / self.obs_scale)  # [..., A]
        return mean, self.log_std.expand_as(mean)


class ValueNetwork(nn.Module):
    r"""State value :math:`V_\phi(s)`.

    The last layer starts near zero: a baseline that knows nothing should subtract
    nothing.

    Args:
        obs_dim: number of observation variables.
        hidden: widths of the hidden layers.
        obs_scale: ``[obs_dim]``, by which observations are divided; None for ones.
        value_scale: typical size of a value, by which the output is multiplied.
        generator: source of the initial weights; None for torch's global one.
    """

    def __init__(
        self,
        obs_dim: int,
        hidden: Sequence[int] = (32,),
        obs_scale: FloatArray | None = None,
        value_scale: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.obs_scale: Tensor
        self.register_buffer("obs_scale", _scale(obs_dim, obs_scale))
        self.value_scale = value_scale
        self.value = _mlp(obs_dim, hidden, 1, generator)

    def forward(self, obs: Tensor) -> Tensor:
        """The value of each observation.

        Args:
            obs: ``[..., obs_dim]``.

        Returns:
            ``[...]``.
        """
        value: Tensor = self.value(obs / self.obs_scale)  # [..., 1]
        return self.value_scale * value.squeeze(-1)  # [...]


def _scale(obs_dim: int, obs_scale: FloatArray | None) -> Tensor:
    scale = np.ones(obs_dim) if obs_scale is None else obs_scale
    return torch.tensor(scale, dtype=torch.float32)


def _mlp(
    in_dim: int,
    hidden: Sequence[int],
    out_dim: int,
    generator: torch.Generator | None,
) -> nn.Sequential:
    """Tanh layers with orthogonal weights (Saxe et al. 2014); an output near zero."""
    widths = [in_dim, *hidden, out_dim]
    layers: list[nn.Module] = []
    for i, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        last = i == len(hidden)
        linear = nn.Linear(n_in, n_out)
        gain = 0.01 if last else math.sqrt(2)
        nn.init.orthogonal_(linear.weight, gain, generator=generator)
        nn.init.zeros_(linear.bias)
        layers += [linear] if last else [linear, nn.Tanh()]
    return nn.Sequential(*layers)
