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
