"""Messages between the referee and the sandbox: plain values and arrays, no pickle.

A message is its length in 8 bytes and msgpack data. What msgpack does not know is an
extension of a few kinds, each of exact types only, so that what arrives is what it
seems: no subclass, no object with methods of a stranger.
"""

import dataclasses
import importlib
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import msgpack
import numpy as np
import torch
from torch import Tensor, nn

from .arrays import (
    WireError,
    array_of,
    array_parts,
    gradient,
    tensor_of,
    tensor_parts,
)

_LENGTH = struct.Struct(">Q")
_TUPLE, _TENSOR, _SEEN, _ARRAY, _RECORD, _OBJECT = range(6)
_RECORDS = (
    *("chula_rl.types:Episode", "chula_rl.types:Rollout", "chula_rl.types:Transition"),
    *("chula_rl.algorithms.reinforce:Config", "chula_rl.algorithms.a2c:Config"),
    *("chula_rl.algorithms.ddpg:Config", "chula_rl.algorithms.ddpg:Agent"),
)
_MAX_LEVELS = 32  # of values in one another: each holds a copy of those inside it
_MAX_PARTS = 200_000  # lists, mappings and extensions: the other bytes are few objects
_KEYS = (str, int, float, bool, type(None))


class Opaque:
    """Stands for a value of a type that is never sent.

    Args:
        kind: the name of the type.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'{self._kind}' object has no attribute '{name}'")


class Kept(NamedTuple):
    """A tensor of a message, with its bytes and its gradient's as they were then."""

    tensor: Tensor
    data: bytes
    grad: bytes | None


class Values:
    """Encodes and decodes the values of one message.

    Attributes:
        tensors: each tensor of the message once, in the order of its first place.
        size: bytes of the message, if it has come.

    Args:
        encode_object: gives ``[kind, plain...]`` for a value of no other kind, or
            raises ``WireError``.
        decode_object: the inverse.
    """

    def __init__(
        self,
        encode_object: Callable[[Any, "Values"], list[Any]],
        decode_object: Callable[[list[Any], "Values"], Any],
    ) -> None:
        self._encode_object, self._decode_object = encode_object, decode_object
        self.tensors: list[Kept] = []
        self.size = 0
        self._index: dict[int, int] = {}
        self._levels = self._parts = 0

    def pack(self, value: Any) -> bytes:
        """The bytes of a value.

        Raises:
            WireError: it cannot be sent.
        """
        self._go_in()
        try:
            packed: bytes = msgpack.packb(
                value, default=self._extension, strict_types=True
            )
            return packed
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise WireError(f"the value cannot be sent: {error}") from error
        finally:
            self._levels -= 1

    def unpack(self, data: bytes) -> Any:
        """The value of bytes, whatever they are.

        Raises:
            WireError: they are no message.
        """
        self._go_in()
        try:
            return msgpack.unpackb(
                data,
                ext_hook=self._decoded,
                list_hook=self._counted,
                object_pairs_hook=self._mapping,
                strict_map_key=False,
            )
        except WireError:
            raise
        except Exception as error:  # hostile bytes make a decoder stumble in many ways
            raise WireError(f"no message: {type(error).__name__}") from error
        finally:
            self._levels -= 1

    def _counted(self, part: Any) -> Any:
        """The same; a byte can ask for a list of a hundred bytes, so they are few."""
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise WireError(f"a message of more than {_MAX_PARTS:,} parts")
        return part

    def _mapping(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """A dictionary; the hash of a tuple can be foreseen, and so made to collide."""
        if not all(type(key) in _KEYS for key, _ in pairs):
            raise WireError("a mapping with a key that is no text or number")
        return dict(self._counted(pairs))

    def _go_in(self) -> None:
        """Refuse what would fill the stack of the C code long before Python's own."""
        if self._levels == _MAX_LEVELS:
            raise WireError(f"values nested more than {_MAX_LEVELS} deep")
        self._levels += 1

    def _keep(self, tensor: Tensor, data: bytes, grad: list[Any] | None) -> None:
        self._index[id(tensor)] = len(self.tensors)
        self.tensors.append(Kept(tensor, data, None if grad is None else grad[2]))

    def number(self, tensor: Tensor) -> int:
        """Where a tensor is among ``tensors``.

        Raises:
            WireError: it is not there.
        """
        if id(tensor) not in self._index:
            raise WireError("a tensor that is not in the message")
        return self._index[id(tensor)]

    def _extension(self, value: Any) -> msgpack.ExtType:
        kind = type(value)
        if kind is Tensor or kind is nn.Parameter:
            code, plain = self._tensor(value)
        elif kind in (tuple, torch.Size):
            code, plain = _TUPLE, list(value)
        elif kind is np.ndarray or isinstance(value, np.generic):
            code, plain = _ARRAY, array_parts(value)
        elif _record_class(kind) is not None:
            code, plain = _RECORD, _record(value)
        else:
            code, plain = _OBJECT, self._encode_object(value, self)
        return msgpack.ExtType(code, self.pack(plain))

    def _tensor(self, tensor: Tensor) -> tuple[int, Any]:
        if id(tensor) in self._index:
            return _SEEN, self._index[id(tensor)]
        parts, grad = tensor_parts(tensor), gradient(tensor)
        self._keep(tensor, parts[2], grad)
        is_parameter = type(tensor) is nn.Parameter
        return _TENSOR, [*parts, tensor.requires_grad, is_parameter, grad]

    def _tensor_of(
        self,
        name: str,
        shape: list[int],
        data: bytes,
        requires_grad: bool,
        is_parameter: bool,
        grad: list[Any] | None,
    ) -> Tensor:
        tensor = tensor_of(name, shape, data)
        if is_parameter:
            tensor = nn.Parameter(tensor, requires_grad is True)
        elif requires_grad:
            tensor.requires_grad_()
        if grad is not None:
            tensor.grad = tensor_of(*grad)
        self._keep(tensor, data, grad)
        return tensor

    def _decoded(self, code: int, data: bytes) -> Any:
        plain = self._counted(self.unpack(data))
        if code == _TUPLE:
            return tuple(plain)
        if code == _TENSOR:
            return self._tensor_of(*plain)
        if code == _SEEN:
            return self.tensors[plain].tensor
        if code == _ARRAY:
            return array_of(*plain)
        if code == _RECORD:
            return _record_of(*plain)
        return self._decode_object(plain, self)


def _record_class(kind: type) -> type | None:
    """The record that a class is, or that it adds fields to."""
    for base in kind.__mro__:
        if _name(base) in _RECORDS:
            return base
    return None


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _record(value: Any) -> list[Any]:
    kind: Any = _record_class(type(value))
    if isinstance(value, tuple):
        return [_name(kind), list(value)]
    fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(kind)}
    return [_name(kind), fields]


def _record_of(name: str, fields: Any) -> Any:
    if name not in _RECORDS:
        raise WireError("a record of an unknown kind")
    module, _, qualname = name.partition(":")
    kind = getattr(importlib.import_module(module), qualname)
    return kind(**fields) if type(fields) is dict else kind(*fields)


def send(sock: socket.socket, data: bytes) -> None:
    """Send one message."""
    sock.sendall(_LENGTH.pack(len(data)) + data)


def receive(sock: socket.socket, limit: int) -> bytes:
    """Receive one message of at most ``limit`` bytes.

    Raises:
        WireError: it is longer.
        EOFError: the other side is gone.
        TimeoutError: the socket's time is out.
    """
    (length,) = _LENGTH.unpack(_exactly(sock, _LENGTH.size))
    if length > limit:
        raise WireError(f"a message of {length:,} bytes; at most {limit:,} are taken")
    return bytes(_exactly(sock, length))


def _exactly(sock: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, got = memoryview(data), 0
    while got < size:
        count = sock.recv_into(view[got:])
        if count == 0:
            raise EOFError("the other side is gone")
        got += count
    return data
