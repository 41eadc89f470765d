"""Checks of shapes, which would otherwise be broadcast silently."""

from torch import Tensor

from chula_rl.errors import ShapeError


def check_same_shape(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes, which would be broadcast silently.

    Raises:
        ShapeError: not all shapes are equal.
    """
    first, *others = [tensor.shape for tensor in tensors.values()]
    if any(shape != first for shape in others):
        raise ShapeError(
            "expected one and the same shape, got "
            + ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())
            + ". Reshape before the call: [N, 1] against [N] would give [N, N]."
        )
