"""Densities and losses: pure functions of tensors, written as in the book."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from chula_rl.errors import ShapeError
from chula_rl.shapes import check_same_shape


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


def a2c_loss(
    log_prob: Tensor,
    entropy: Tensor,
    value: Tensor,
    target: Tensor,
    value_coef: float,
    entropy_coef: float,
) -> Tensor:
    r"""Loss of the advantage actor-critic: policy, value and entropy in one sum.

    .. math:: L(\theta, \phi) = \frac1N \sum_{n=1}^{N} \Bigl(
        -\bigl(y_n - V_\phi(s_n)\bigr)_\text{const} \log\pi_\theta(a_n|s_n)
        + \tfrac12 c_v \bigl(y_n - V_\phi(s_n)\bigr)^2 - c_h H_n \Bigr)

    The advantage ``y - V`` is a constant in the policy's term, the target ``y``
    everywhere: the value error alone moves the value.

    Args:
        log_prob: ``[...]``, the log-density of each action taken, with its gradient.
        entropy: ``[...]``, the policy's entropy in each state, with its gradient.
        value: ``[...]``, the value of each state, with its gradient.
        target: ``[...]``, what the value should have been.
        value_coef: c_v, the weight of the value error.
        entropy_coef: c_h, the weight of the entropy.

    Returns:
        A scalar.

    Raises:
        ShapeError: the four tensors do not all have one and the same shape.

    Source: Mnih et al. (2016), section 4.
    """
    ### BEGIN SOLUTION
    check_same_shape(log_prob=log_prob, entropy=entropy, value=value, target=target)
    error = target.detach() - value
    policy_loss = -(error.detach() * log_prob).mean()
    value_loss = 0.5 * error.square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()
    ### END SOLUTION


def exploratory_action(
    action: Tensor, noise: Tensor, low: Tensor, high: Tensor
) -> Tensor:
    r"""The action of a deterministic policy with noise, within the bounds.

    .. math:: a = \min(\max(\mu(s) + \varepsilon, a_\text{low}), a_\text{high})

    Args:
        action: ``[N, A]``, the action of the policy.
        noise: ``[N, A]``, in the units of the action.
        low: ``[A]``, the smallest action that the environment takes.
        high: ``[A]``, the largest.

    Returns:
        ``[N, A]``, for the environment and for the replay buffer.

    Raises:
        ShapeError: action and noise differ in shape.

    Source: Lillicrap et al. (2015), equation 7.
    """
    ### BEGIN SOLUTION
    check_same_shape(action=action, noise=noise)
    return torch.minimum(torch.maximum(action + noise, low), high)
    ### END SOLUTION


def critic_loss(q: Tensor, target: Tensor) -> Tensor:
    r"""Mean squared error of an action-value function.

    .. math:: L(\phi) = \frac1N \sum_{n=1}^{N} \bigl(y_n - Q_\phi(s_n, a_n)\bigr)^2

    Args:
        q: ``[N]``, with its gradient.
        target: ``[N]``, a constant.

    Returns:
        A scalar.

    Raises:
        ShapeError: q and target differ in shape.

    Source: Lillicrap et al. (2015), algorithm 1.
    """
    ### BEGIN SOLUTION
    check_same_shape(q=q, target=target)
    return (target.detach() - q).square().mean()
    ### END SOLUTION


def actor_loss(
    actor: Callable[[Tensor], Tensor],
    critic: Callable[[Tensor, Tensor], Tensor],
    obs: Tensor,
) -> Tensor:
    r"""Loss whose gradient is minus the deterministic policy gradient.

    .. math:: L(\theta) = -\frac1N \sum_{n=1}^{N} Q\bigl(s_n, \mu_\theta(s_n)\bigr)

    Args:
        actor: ``actor(obs) -> [N, A]``.
        critic: ``critic(obs, action) -> [N]``.
        obs: ``[N, obs_dim]``.

    Returns:
        A scalar.

    Source: Silver et al. (2014), theorem 1; Lillicrap et al. (2015), equation 6.
    """
    ### BEGIN SOLUTION
    return -critic(obs, actor(obs)).mean()
    ### END SOLUTION
