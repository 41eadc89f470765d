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
        self.log_std = nn.Parameter(torch.full((action_dim,), float(log_std)))

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of the action.

        Args:
            obs: ``[..., obs_dim]``.

        Returns:
            ``(mean, log_std)``, both ``[..., A]``.
        """
        mean: Tensor = self.mean(obs / self.obs_scale)  # [..., A]
        return mean, self.log_std.expand_as(mean)


class DeterministicPolicy(nn.Module):
    r"""Deterministic policy :math:`a = \mu_\theta(s)`, within the bounds by a tanh.

    Rectified linear units in the hidden layers, as in the paper of DDPG.

    Args:
        obs_dim: number of observation variables.
        low: ``[A]``, the smallest action.
        high: ``[A]``, the largest.
        hidden: widths of the hidden layers.
        obs_scale: ``[obs_dim]``, by which observations are divided; None for ones.
        generator: source of the initial weights; None for torch's global one.
    """

    def __init__(
        self,
        obs_dim: int,
        low: Tensor,
        high: Tensor,
        hidden: Sequence[int] = (32,),
        obs_scale: FloatArray | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.obs_scale: Tensor
        self.centre: Tensor
        self.half_range: Tensor
        self.register_buffer("obs_scale", _scale(obs_dim, obs_scale))
        self.register_buffer("centre", (low + high) / 2)
        self.register_buffer("half_range", (high - low) / 2)
        self.action = _mlp(obs_dim, hidden, len(low), generator, nn.ReLU)

    def forward(self, obs: Tensor) -> Tensor:
        """The action in each state.

        Args:
            obs: ``[..., obs_dim]``.

        Returns:
            ``[..., A]``.
        """
        squashed = torch.tanh(self.action(obs / self.obs_scale))  # [..., A]
        return torch.addcmul(self.centre, self.half_range, squashed)


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


class QNetwork(nn.Module):
    r"""Action value :math:`Q_\phi(s, a)`, of rectified linear units.

    Args:
        obs_dim: number of observation variables.
        action_dim: number of action dimensions, A.
        hidden: widths of the hidden layers.
        obs_scale: ``[obs_dim]``, by which observations are divided; None for ones.
        action_scale: ``[A]``, by which actions are divided; None for ones.
        value_scale: typical size of a value, by which the output is multiplied.
        layer_norm: normalise each hidden layer before its activation.
        generator: source of the initial weights; None for torch's global one.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        hidden: Sequence[int] = (32,),
        obs_scale: FloatArray | None = None,
        action_scale: FloatArray | None = None,
        value_scale: float = 1.0,
        layer_norm: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.scale: Tensor
        scales = [_scale(obs_dim, obs_scale), _scale(action_dim, action_scale)]
        self.register_buffer("scale", torch.cat(scales))
        self.value_scale = value_scale
        in_dim = obs_dim + action_dim
        self.value = _mlp(in_dim, hidden, 1, generator, nn.ReLU, layer_norm)

    def forward(self, obs: Tensor, action: Tensor) -> Tensor:
        """The value of each action in its state.

        Args:
            obs: ``[..., obs_dim]``.
            action: ``[..., A]``.

        Returns:
            ``[...]``.
        """
        both = torch.cat([obs, action], dim=-1)  # [..., obs_dim + A]
        value: Tensor = self.value(both / self.scale)  # [..., 1]
        return self.value_scale * value.squeeze(-1)  # [...]


def soft_update(target: nn.Module, online: nn.Module, tau: float) -> None:
    r"""Move the parameters of a target network towards those of the online one.

    .. math:: \phi' \leftarrow (1 - \tau)\,\phi' + \tau\,\phi

    Args:
        target: changed in place.
        online: of the same architecture, left as it is.
        tau: in (0, 1]; 1 copies.

    Source: Lillicrap et al. (2015), algorithm 1.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        torch._foreach_lerp_([*target.parameters()], [*online.parameters()], tau)
    ### END SOLUTION


def _scale(size: int, scale: FloatArray | None) -> Tensor:
    return torch.as_tensor(np.ones(size) if scale is None else scale).float().clone()


def _mlp(
    in_dim: int,
    hidden: Sequence[int],
    out_dim: int,
    generator: torch.Generator | None,
    activation: type[nn.Module] = nn.Tanh,
    layer_norm: bool = False,
) -> nn.Sequential:
    """Layers with orthogonal weights (Saxe et al. 2014); an output near zero."""
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise([in_dim, *hidden]):
        layers.append(_linear(n_in, n_out, math.sqrt(2), generator))
        layers += [nn.LayerNorm(n_out)] if layer_norm else []
        layers.append(activation())
    last = _linear([in_dim, *hidden][-1], out_dim, 0.01, generator)
    return nn.Sequential(*layers, last)


def _linear(
    n_in: int, n_out: int, gain: float, generator: torch.Generator | None
) -> nn.Linear:
    linear = nn.Linear(n_in, n_out)
    nn.init.orthogonal_(linear.weight, gain, generator=generator)
    nn.init.zeros_(linear.bias)
    return linear
