"""Tensors and arrays on the wire: a dtype of a short list, a shape, and bytes."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool),
    )
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_ARRAYS = {name: np.dtype(name) for name in _DTYPES if name != "bfloat16"}


class WireError(Exception):
    """A message is too long, or not of the kinds that may be sent."""


def tensor_parts(tensor: Tensor) -> list[Any]:
    """``[dtype, shape, bytes]`` of a tensor."""
    name = _NAMES.get(tensor.dtype)
    if name is None or tensor.layout is not torch.strided:
        raise WireError(f"a tensor of {tensor.dtype}, {tensor.layout} cannot be sent")
    plain = tensor.detach().contiguous()
    if plain.dtype is torch.bfloat16:
        plain = plain.view(torch.int16)
    return [name, list(tensor.shape), plain.numpy().tobytes()]


def gradient(tensor: Tensor) -> list[Any] | None:
    """``tensor_parts`` of the gradient that a leaf has, if it has one."""
    if not tensor.is_leaf or tensor.grad is None:
        return None
    return tensor_parts(tensor.grad)


def tensor_of(name: str, shape: list[int], data: bytes) -> Tensor:
    """The inverse of ``tensor_parts``, for whatever arrives.

    Raises:
        WireError: dtype, shape and bytes do not fit.
    """
    dtype = _DTYPES[name]
    _check_size(shape, dtype.itemsize, data)
    if dtype is torch.bfloat16:
        words = torch.from_numpy(array_of("int16", shape, data, False))
        return words.view(dtype).clone()
    return torch.from_numpy(array_of(name, shape, data, False))


def _check_size(shape: Any, itemsize: int, data: Any) -> None:
    sound = (
        type(shape) is list
        and len(shape) <= 16
        and all(type(n) is int and n >= 0 for n in shape)
        and type(data) is bytes
        and math.prod(shape) * itemsize == len(data)
    )
    if not sound:
        raise WireError("an array whose shape and bytes do not fit")


def array_parts(array: Any) -> list[Any]:
    """``[dtype, shape, bytes, whether it is a scalar]`` of an array of NumPy."""
    if array.dtype.name not in _ARRAYS:
        raise WireError(f"an array of {array.dtype} cannot be sent")
    scalar = isinstance(array, np.generic)
    return [array.dtype.name, list(array.shape), array.tobytes(), scalar]


def array_of(name: str, shape: list[int], data: bytes, scalar: bool) -> Any:
    """The inverse of ``array_parts``, for whatever arrives.

    Raises:
        WireError: dtype, shape and bytes do not fit.
    """
    if name not in _ARRAYS:
        raise WireError("an array of an unknown dtype")
    dtype = _ARRAYS[name]
    _check_size(shape, dtype.itemsize, data)
    array = np.frombuffer(bytearray(data), np.uint8 if name == "bool" else dtype)
    if name == "bool":  # any byte but 0 and 1 would be undefined
        array = array != 0
    array = array.reshape(shape)
    return array[()] if scalar is True else array
