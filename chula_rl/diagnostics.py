"""Numbers that tell a healthy training run from a sick one."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor


def explained_variance(value: Tensor, return_: Tensor) -> float:
    r"""How much of the variance of the returns a value function explains.

    .. math:: 1 - \frac{\operatorname{Var}[R - V]}{\operatorname{Var}[R]}

    1 is a perfect value function, 0 as good as a constant, negative worse than one.
    NaN if all returns are equal.

    Args:
        value: ``[...]``, the predictions.
        return_: ``[...]``, what they should have been.
    """
    variance = return_.var(correction=0).item()
    unexplained = (return_ - value).var(correction=0).item()
    return 1 - unexplained / variance if variance > 0 else math.nan


def clip_fraction(action: Tensor, low: Tensor, high: Tensor) -> float:
    """The share of action components at or beyond the bounds.

    Args:
        action: ``[..., A]``, as sampled, before clipping.
        low: ``[A]``, the smallest action that the environment takes.
        high: ``[A]``, the largest.
    """
    return ((action <= low) | (action >= high)).float().mean().item()


def update_norm(before: Iterable[Tensor], after: Iterable[Tensor]) -> float:
    r"""Relative length of a step: :math:`\|\theta' - \theta\| / \|\theta\|`.

    Args:
        before: copies of the parameters before the update.
        after: the parameters after it.
    """
    old = torch.cat([p.flatten() for p in before])
    new = torch.cat([p.detach().flatten() for p in after])
    return float((new - old).norm() / old.norm())
