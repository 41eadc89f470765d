"""Returns and other targets computed from rewards: pure functions of tensors."""

import torch
from torch import Tensor

from chula_rl.errors import ShapeError
from chula_rl.shapes import check_same_shape


def rewards_to_go(reward: Tensor, gamma: float) -> Tensor:
    r"""Discounted return from each step of one episode to its end.

    .. math:: G_t = \sum_{k=t}^{T-1} \gamma^{k-t} r_k = r_t + \gamma G_{t+1}

    Args:
        reward: ``[T]``, the rewards of one episode in order.
        gamma: discount factor in [0, 1].

    Returns:
        ``[T]``, ``G_t`` for every step t, of the dtype of ``reward``.

    Raises:
        ShapeError: ``reward`` is not one-dimensional.

    Source: Sutton and Barto (2018), equations 3.8 and 3.9.
    """
    ### BEGIN SOLUTION
    if reward.ndim != 1:
        raise ShapeError(
            f"reward has shape {tuple(reward.shape)}; expected [T], one episode. "
            "Call the function once for each episode."
        )
    return_ = torch.empty_like(reward)
    following = torch.zeros((), dtype=reward.dtype)
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following
        return_[t] = following
    return return_
    ### END SOLUTION


def successor_obs(
    next_obs: Tensor, final_obs: Tensor, terminated: Tensor, truncated: Tensor
) -> Tensor:
    r"""The true successor of each environment, which an automatic reset hides.

    .. math:: s'_b = \begin{cases} \text{final observation}_b & \text{episode } b
        \text{ ended, by termination or truncation} \\ \text{next observation}_b &
        \text{otherwise} \end{cases}

    Args:
        next_obs: ``[B, obs_dim]``, what ``step`` returned: where an episode ended, the
            first observation of the next one.
        final_obs: ``[B, obs_dim]``, the last observation of the episodes that ended;
            anything in the other rows.
        terminated: ``[B]`` booleans.
        truncated: ``[B]`` booleans.

    Returns:
        ``[B, obs_dim]``.

    Raises:
        ShapeError: the observations, or the flags, differ in shape.

    Source: Pardo et al. (2018), section 3, on bootstrapping at time limits.
    """
    ### BEGIN SOLUTION
    check_same_shape(next_obs=next_obs, final_obs=final_obs)
    check_same_shape(terminated=terminated, truncated=truncated)
    ended = terminated | truncated
    return torch.where(ended.unsqueeze(-1), final_obs, next_obs)
    ### END SOLUTION


def n_step_returns(
    reward: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    next_value: Tensor,
    gamma: float,
) -> Tensor:
    r"""Rewards until the rollout or the episode ends, then the value that is left.

    .. math:: R_t = r_t + \gamma \begin{cases}
        0 & \text{terminated}_t \\
        V(s_{t+1}) & \text{truncated}_t \text{ or } t = T-1 \\
        R_{t+1} & \text{otherwise} \end{cases}

    Args:
        reward: ``[T, B]``.
        terminated: ``[T, B]`` booleans: nothing is left after a terminal state.
        truncated: ``[T, B]`` booleans: the sum stops, the value of the rest is added.
        next_value: ``[T, B]``, the value of the true successor of each step.
        gamma: discount factor in [0, 1].

    Returns:
        ``[T, B]``.

    Raises:
        ShapeError: the four tensors do not all have one and the same shape.

    Source: Mnih et al. (2016), algorithm S3; Pardo et al. (2018) for truncation.
    """
    ### BEGIN SOLUTION
    check_same_shape(
        reward=reward,
        terminated=terminated,
        truncated=truncated,
        next_value=next_value,
    )
    return_ = torch.empty_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_
    ### END SOLUTION


def gae(
    reward: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    value: Tensor,
    next_value: Tensor,
    gamma: float,
    lambda_: float,
) -> Tensor:
    r"""Generalised advantage estimate: discounted sum of the errors of the value.

    .. math::
        \delta_t &= r_t + \gamma\,(1 - \text{terminated}_t)\,V(s_{t+1}) - V(s_t) \\
        A_t &= \delta_t + \gamma\lambda\,
            (1 - \text{terminated}_t)(1 - \text{truncated}_t)\,A_{t+1}

    Args:
        reward: ``[T, B]``.
        terminated: ``[T, B]`` booleans: no value follows, and the sum stops.
        truncated: ``[T, B]`` booleans: a value follows, and the sum stops.
        value: ``[T, B]``, the value of each state.
        next_value: ``[T, B]``, the value of its true successor.
        gamma: discount factor in [0, 1].
        lambda_: in [0, 1]; 0 is the one-step error, 1 the n-step return minus value.

    Returns:
        ``[T, B]``.

    Raises:
        ShapeError: the five tensors do not all have one and the same shape.

    Source: Schulman et al. (2016), equation 16.
    """
    ### BEGIN SOLUTION
    check_same_shape(
        reward=reward,
        terminated=terminated,
        truncated=truncated,
        value=value,
        next_value=next_value,
    )
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    decay = gamma * lambda_ * goes_on.to(delta.dtype)  # of booleans, float32
    advantage = torch.empty_like(delta)
    following = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        following = delta[t] + decay[t] * following
        advantage[t] = following
    return advantage
    ### END SOLUTION


def td_target(
    reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float
) -> Tensor:
    r"""One-step target of an action-value function, a constant for the gradient.

    .. math:: y_n = r_n + \gamma\,(1 - \text{terminated}_n)\,
        Q'\bigl(s'_n, \mu'(s'_n)\bigr)

    Args:
        reward: ``[N]``.
        terminated: ``[N]`` booleans; truncation is no reason to leave the value out.
        next_q: ``[N]``, the target networks' value of the true successor.
        gamma: discount factor in [0, 1].

    Returns:
        ``[N]``, without a gradient.

    Raises:
        ShapeError: the three tensors do not all have one and the same shape.

    Source: Lillicrap et al. (2015), algorithm 1.
    """
    ### BEGIN SOLUTION
    check_same_shape(reward=reward, terminated=terminated, next_q=next_q)
    return (reward + gamma * next_q * ~terminated).detach()
    ### END SOLUTION
