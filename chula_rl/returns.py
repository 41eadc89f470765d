"""Returns and other targets computed from rewards: pure functions of tensors."""

import torch
from torch import Tensor

from chula_rl.errors import ShapeError


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
