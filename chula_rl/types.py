"""Containers of data that passes between rollouts, algorithms and tests.

Tensors are time-major (DESIGN: ``[T, B]``); one episode has no batch axis.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

FloatArray = npt.NDArray[np.floating]
BoolArray = npt.NDArray[np.bool_]


class Episode(NamedTuple):
    """One episode of T steps, from its reset to its end.

    Attributes:
        obs: ``[T, obs_dim]``, the observation on which each action was taken.
        action: ``[T, action_dim]``, the raw action as sampled, before clipping.
        reward: ``[T]``, the reward that followed each action.
        terminated: whether the last step ended in a terminal state.
        truncated: whether the last step hit a time limit.
    """

    obs: Tensor
    action: Tensor
    reward: Tensor
    terminated: bool
    truncated: bool


class Rollout(NamedTuple):
    """T steps of B environments, each going on from the one before.

    Attributes:
        obs: ``[T, B, obs_dim]``, the observation on which each action was taken.
        action: ``[T, B, action_dim]``, the raw action as sampled, before clipping.
        reward: ``[T, B]``, the reward that followed.
        terminated: ``[T, B]``, whether the step ended in a terminal state.
        truncated: ``[T, B]``, whether it hit a time limit.
        next_obs: ``[T, B, obs_dim]``, the true successor, also where an episode ended.
    """

    obs: Tensor
    action: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    next_obs: Tensor


class Transition(NamedTuple):
    """A batch of N single steps, in no order.

    Attributes:
        obs: ``[N, obs_dim]``, the observation on which each action was taken.
        action: ``[N, action_dim]``, the action as the environment got it.
        reward: ``[N]``, the reward that followed.
        terminated: ``[N]``, whether the step ended in a terminal state.
        truncated: ``[N]``, whether it hit a time limit.
        next_obs: ``[N, obs_dim]``, the true successor, also where an episode ended.
    """

    obs: Tensor
    action: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    next_obs: Tensor
