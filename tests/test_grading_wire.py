"""Values on the wire: they arrive as they were sent, and nothing else arrives."""

import contextlib
import random
import socket
import struct

import msgpack
import numpy as np
import pytest
import torch

from chula_rl.algorithms import a2c
from chula_rl.grading.inside import wire
from chula_rl.grading.inside.arrays import WireError
from chula_rl.grading.inside.endpoint import Endpoint
from chula_rl.grading.inside.wire import Values
from chula_rl.types import Episode


def refuse(value, values):
    raise WireError(f"an object of {type(value).__name__}")


def values():
    return Values(refuse, refuse)


def there_and_back(value):
    return values().unpack(values().pack(value))


PLAIN = [
    *(None, True, 3, -(2**63), 2**64 - 1, 0.1, float("inf"), "ä\0", b"\xff", [], ()),
    *([1, [2, (3, "x")]], {"a": 1, 2: [3]}, (1, (2,), [3])),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_keep_their_exact_type(value):
    got = there_and_back(value)
    assert got == value
    assert type(got) is type(value)
    assert str(got) == str(value)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).view(2, 3),
        torch.arange(6.0).view(2, 3).T,  # not contiguous
        torch.ones(1).expand(4),
        torch.tensor(3),
        torch.empty(0, 5),
        torch.tensor([True, False]),
        torch.tensor([1.5, float("nan")], dtype=torch.float64),
        torch.tensor([1.5, -2], dtype=torch.bfloat16),
        torch.tensor([1.5, -2], dtype=torch.float16),
        torch.tensor([200], dtype=torch.uint8),
    ],
    ids=lambda tensor: f"{tensor.dtype}{list(tensor.shape)}",
)
def test_tensors(tensor):
    got = there_and_back(tensor)
    assert got.dtype == tensor.dtype
    assert got.shape == tensor.shape
    assert torch.equal(got.nan_to_num(7), tensor.nan_to_num(7))
    assert got.data_ptr() != tensor.data_ptr() or got.numel() == 0


def test_gradients_parameters_and_one_tensor_in_two_places():
    leaf = torch.nn.Parameter(torch.ones(2))
    leaf.grad = torch.tensor([3.0, 4.0])
    frozen = torch.ones(1)
    one, two, plain = there_and_back([leaf, leaf, frozen])
    assert one is two
    assert type(one) is torch.nn.Parameter
    assert one.requires_grad
    assert not plain.requires_grad
    assert one.grad.tolist() == [3, 4]


def test_arrays_and_their_scalars():
    array = np.arange(4.0).reshape(2, 2)
    got = there_and_back([array, np.float64(0.5), np.bool_(True), array[:, 0]])
    assert np.array_equal(got[0], array)
    assert [type(value) for value in got[1:3]] == [np.float64, np.bool_]
    assert got[3].tolist() == [0, 2]


def test_records_of_the_course():
    episode = Episode(torch.ones(2, 1), torch.ones(2, 1), torch.ones(2), True, False)
    config = a2c.Config(gamma=0.25, max_grad_norm=float("inf"))
    got_episode, got_config = there_and_back((episode, config))
    assert type(got_episode) is Episode
    assert torch.equal(got_episode.reward, episode.reward)
    assert got_config == config


class Lie(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class AlwaysEqual(torch.Tensor):
    pass


class Array(np.ndarray):
    pass


@pytest.mark.parametrize(
    "value",
    [
        Lie(1.0),
        torch.ones(2).as_subclass(AlwaysEqual),
        np.ones(2).view(Array),
        np.array(["text"]),
        np.array([object()]),
        torch.ones(2).to_sparse(),
        torch.ones(2, dtype=torch.complex64),
        {1, 2},
        object(),
        print,
        2**64,
        float,
        range(3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_else_is_sent(value):
    with pytest.raises(WireError):
        values().pack([value])


def test_what_contains_itself_is_not_sent():
    loop = []
    loop.append(loop)
    with pytest.raises(WireError):
        values().pack(loop)


def extension(code, value):
    return msgpack.packb(msgpack.ExtType(code, msgpack.packb(value)))


def nested(levels):
    data = msgpack.packb(1)
    for _ in range(levels):
        data = msgpack.packb(msgpack.ExtType(0, data))
    return data


TENSOR = ["float32", [2], bytes(8), False, False, None]


def with_part(place, part):
    return [*TENSOR[:place], part, *TENSOR[place + 1 :]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        nested(2_000),
        extension(99, 1),
        extension(1, 1),
        extension(1, with_part(0, "object")),
        extension(1, with_part(1, [3])),
        extension(1, with_part(1, [-2])),
        extension(1, with_part(1, [2.0])),
        extension(1, with_part(1, [2**40, 0])),
        extension(1, with_part(1, [1] * 1_000)),
        extension(1, with_part(2, "text")),
        extension(1, with_part(5, [1])),
        extension(2, 5),
        extension(2, -1),
        extension(3, ["object", [1], bytes(8), False]),
        extension(4, ["os:system", ["true"]]),
        extension(4, ["chula_rl.types:Episode", [1]]),
        extension(4, ["chula_rl.algorithms.a2c:Config", {"gamma": "x"}]),
        extension(5, ["module", "Linear"]),
        msgpack.packb({"a": 1}) + b"more",
        b"\xdd\xff\xff\xff\xff",  # an array that claims four thousand million items
        b"\xc6\xff\xff\xff\xff",
        b"\x81\x90\x01",  # a key that cannot be one
    ],
    ids=lambda data: data[:12].hex(),
)
def test_hostile_bytes_are_refused(data):
    with pytest.raises(WireError):
        values().unpack(data)


def test_booleans_hold_nothing_but_0_and_1():
    got = values().unpack(extension(1, ["bool", [2], b"\x02\xff", False, False, None]))
    assert got.view(torch.uint8).tolist() == [1, 1]


def test_damaged_bytes_give_a_value_or_a_wire_error():
    good = bytearray(values().pack([torch.ones(3), {"a": (1, 2)}, np.ones(2), 1.5]))
    rng = random.Random(0)
    for _ in range(3_000):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with contextlib.suppress(WireError):
            values().unpack(bytes(data))


@pytest.fixture
def pair():
    one, two = socket.socketpair()
    with one, two:
        yield one, two


def test_messages_have_a_length(pair):
    one, two = pair
    wire.send(one, b"first")
    wire.send(one, b"")
    assert wire.receive(two, 10) == b"first"
    assert wire.receive(two, 10) == b""


def test_a_long_message_is_refused_before_it_is_read(pair):
    one, two = pair
    one.sendall(struct.pack(">Q", 2**62))
    with pytest.raises(WireError, match="at most 10"):
        wire.receive(two, 10)


def test_an_end_in_the_middle(pair):
    one, two = pair
    one.sendall(struct.pack(">Q", 5) + b"12")
    one.close()
    with pytest.raises(EOFError):
        wire.receive(two, 10)


def test_a_request_is_measured_however_it_is_packed():
    ours, theirs = socket.socketpair()
    called = []
    endpoint = Endpoint(
        ours, 10_000, lambda target: called.append, lambda value: False, True, 1_000
    )
    request = {"op": "call", "target": {}, "kwargs": {}, "grad": False, "freed": []}
    with ours, theirs:
        for args in ([b"x"], [bytes(2_000)]):
            packed = values().pack({"args": args})
            for data in ({**request, "packed": packed}, {**request, "args": args}):
                wire.send(theirs, values().pack(data))
                endpoint.receive_and_serve()
                reply = values().unpack(wire.receive(theirs, 10_000))
                assert reply["op"] == ("reply" if args == [b"x"] else "error")
    assert called == [b"x", b"x"]


@pytest.mark.parametrize("packed", [[], 3, b"", msgpack.packb([["a", 1]])])
def test_what_is_packed_must_be_a_mapping(packed):
    ours, theirs = socket.socketpair()
    endpoint = Endpoint(ours, 100, lambda target: print, lambda value: False, True)
    with ours, theirs:
        wire.send(theirs, values().pack({"op": "reply", "packed": packed}))
        with pytest.raises(WireError):
            endpoint.receive_and_serve()
