"""Densities and losses: pure functions of tensors, written as in the book."""

import math

import torch
from torch import Tensor

from chula_rl.errors import ShapeError


def gaussian_log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    r"""Log-density of a diagonal Gaussian policy at an action.

    .. math:: \log\pi(a|s) = \sum_{i=1}^{A} \Bigl(
        -\tfrac12\bigl(\tfrac{a_i-\mu_i}{\sigma_i}\bigr)^2
        - \log\sigma_i - \tfrac12\log 2\pi\Bigr)

    Args:
        mean: ``[..., A]``, the mean of each action dimension.
        log_std: ``[..., A]``, the logarithm of each standard deviation.
        action: ``[..., A]``, where the density is taken: the raw action.

    Returns:
        ``[...]``: the sum over the A action dimensions.

    Raises:
        ShapeError: the three shapes differ.

    Source: Williams (1992), section 6.
    """
    ### BEGIN SOLUTION
    check_same_shape(mean=mean, log_std=log_std, action=action)
    standardised = (action - mean) / log_std.exp()
    log_density = -0.5 * standardised**2 - log_std - 0.5 * math.log(2 * math.pi)
    return log_density.sum(dim=-1)  # [...]
    ### END SOLUTION


def gaussian_entropy(log_std: Tensor) -> Tensor:
    r"""Differential entropy of a diagonal Gaussian policy, in nats.

    .. math:: H = \sum_{i=1}^{A} \bigl(\log\sigma_i + \tfrac12\log(2\pi e)\bigr)

    Args:
        log_std: ``[..., A]``, the logarithm of each standard deviation.

    Returns:
        ``[...]``: the sum over the A action dimensions.

    Source: Cover and Thomas (2006), theorem 8.4.1.
    """
    ### BEGIN SOLUTION
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)  # [...]
    ### END SOLUTION


def bounded_action(
    mean: Tensor, log_std: Tensor, noise: Tensor, low: Tensor, high: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Sample a Gaussian action, and clip a copy of it for the environment.

    .. math:: a = \mu + \sigma\varepsilon, \qquad
        a^\text{env} = \min(\max(a, a_\text{low}), a_\text{high})

    The density of the policy is known for the raw action ``a`` only, so that is what
    the algorithm stores and scores.

    Args:
        mean: ``[..., A]``, the mean of each action dimension.
        log_std: ``[..., A]``, the logarithm of each standard deviation.
        noise: ``[..., A]``, standard normal noise.
        low: ``[A]``, the smallest action that the environment takes.
        high: ``[A]``, the largest.

    Returns:
        ``(env_action, action)``, both ``[..., A]``: the clipped action for the
        environment, and the raw action for the algorithm.

    Raises:
        ShapeError: the shapes of mean, log_std and noise differ.

    Source: Fujita and Maeda (2018), section 3, on clipped actions.
    """
    ### BEGIN SOLUTION
    check_same_shape(mean=mean, log_std=log_std, noise=noise)
    action = mean + log_std.exp() * noise
    env_action = torch.minimum(torch.maximum(action, low), high)
    return env_action, action
    ### END SOLUTION


def reinforce_loss(
    log_prob: Tensor,
    return_: Tensor,
    baseline: Tensor,
    timestep: Tensor,
    num_episodes: int,
    gamma: float,
) -> Tensor:
    r"""Surrogate loss whose gradient is minus the REINFORCE estimate.

    .. math:: L(\theta) = -\frac1M \sum_{n=1}^{N} \gamma^{t_n}
        \bigl(G_n - b_n\bigr) \log\pi_\theta(a_n|s_n)

    The N steps of all M episodes are given in one row: average over episodes, sum over
    time. The weights ``gamma**t (G - b)`` are constants: no gradient flows into them.

    Args:
        log_prob: ``[N]``, the log-density of each action taken, with its gradient.
        return_: ``[N]``, the return that followed each action.
        baseline: ``[N]``, a function of the state only; zeros for none.
        timestep: ``[N]``, the step of its own episode, counted from 0.
        num_episodes: M, how many episodes the N steps come from.
        gamma: discount factor in [0, 1]; 1 leaves ``gamma**t`` out.

    Returns:
        A scalar.

    Raises:
        ShapeError: the four tensors do not all have one and the same shape ``[N]``.

    Source: Williams (1992), theorem 1; Sutton and Barto (2018), section 13.4.
    """
    ### BEGIN SOLUTION
    if log_prob.ndim != 1:
        raise ShapeError(
            f"log_prob has shape {tuple(log_prob.shape)}; expected [N]. "
            "Sum log-densities over the action dimensions first."
        )
    check_same_shape(
        log_prob=log_prob, return_=return_, baseline=baseline, timestep=timestep
    )
    discount = gamma ** timestep.to(return_.dtype)  # of integers it would be float32
    weight = (discount * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes
    ### END SOLUTION


def check_same_shape(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes, which would be broadcast silently.

    Raises:
        ShapeError: not all shapes are equal.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1:
        raise ShapeError(
            "expected one and the same shape, got "
            + ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            + ". Reshape before the call: [N, 1] against [N] would give [N, N]."
        )
