"""Checkpoints: any state goes in and comes out, a damaged file is refused."""

import errno
import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from chula_rl import checkpoint
from chula_rl.checkpoint import load_checkpoint, read_steps, save_checkpoint
from chula_rl.errors import CheckpointError

RUN = {"algorithm": "toy", "hidden": (2, 3)}


@dataclass
class ToyState:
    """A state with other names and another optimiser than those of REINFORCE."""

    actor: nn.Module
    nothing: None
    momentum: torch.optim.Optimizer
    label: str
    epochs: int = 0

    def step(self):
        """One step whose effect depends on all that a checkpoint must hold."""
        self.momentum.zero_grad()
        self.actor(torch.ones(2, 3)).square().sum().backward()
        self.momentum.step()
        self.epochs += 1


def toy_state(seed=0):
    torch.manual_seed(seed)
    actor = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, affine=False)).eval()
    sgd = torch.optim.SGD(actor.parameters(), lr=0.1, momentum=0.9)
    return ToyState(actor, None, sgd, "toy")


def parameters(state):
    return torch.cat([p.detach().flatten() for p in state.actor.parameters()])


@pytest.fixture
def saved(tmp_path):
    """A checkpoint after two steps, and the state that it holds."""
    state = toy_state()
    state.step()
    state.step()
    save_checkpoint(tmp_path / "c.safetensors", state, RUN)
    return tmp_path / "c.safetensors", state


def test_a_restored_state_goes_on_as_the_saved_one(saved):
    path, state = saved
    other = toy_state(seed=1)
    load_checkpoint(path, other, RUN)
    assert other.epochs == 2
    assert torch.equal(parameters(other), parameters(state))
    for _ in range(3):
        state.step()
        other.step()
    assert torch.equal(parameters(other), parameters(state))


def test_without_the_optimiser_it_would_go_on_otherwise(saved):
    _, state = saved
    other = toy_state()
    other.actor.load_state_dict(state.actor.state_dict())
    state.step()
    other.step()
    assert not torch.equal(parameters(other), parameters(state))


def test_the_file_is_plain_safetensors_and_always_the_same(saved):
    path, state = saved
    assert "actor.0.weight" in load_file(path)
    before = path.read_bytes()
    save_checkpoint(path, state, RUN)
    assert path.read_bytes() == before


class Tape:
    """A state_dict of tensors that grow, share memory and are not contiguous."""

    def __init__(self):
        self.cells = torch.zeros(0, 2)

    def write(self, value):
        self.cells = torch.cat([self.cells, torch.full((1, 2), float(value))])

    def state_dict(self):
        left, right = self.cells.T
        return {"left": left, "right": right, "both": self.cells.T}

    def load_state_dict(self, state_dict):
        self.cells = torch.stack([state_dict["left"], state_dict["right"]], dim=1)


@dataclass
class RichState:
    """Every kind of field that a checkpoint holds, and some that it does not."""

    tape: Tape = field(default_factory=Tape)
    noise: torch.Tensor = field(default_factory=lambda: torch.zeros(3))
    flags: torch.Tensor = field(default_factory=lambda: torch.zeros(0, dtype=bool))
    best: float = 0.0
    steps: int = 0
    nothing: None = None
    label: str = "rich"


def test_tensors_and_objects_with_a_state_dict_are_saved(tmp_path):
    state, restored = RichState(), RichState()
    for value in (1, 2, 3):
        state.tape.write(value)
    state.noise = torch.arange(6.0).reshape(2, 3).T[0]  # a view with strides
    state.flags = torch.tensor([True, False])
    state.best, state.steps = 0.1, 7
    save_checkpoint(tmp_path / "c", state, RUN)
    load_checkpoint(tmp_path / "c", restored, RUN)
    assert restored.tape.cells.tolist() == [[1, 1], [2, 2], [3, 3]]
    assert restored.noise.tolist() == [0, 3]
    assert restored.flags.tolist() == [True, False]
    assert (restored.best, restored.steps) == (0.1, 7)
    assert read_steps(tmp_path / "c", RUN) == 7


def test_empty_tensors_are_saved(tmp_path):
    restored = RichState()
    restored.tape.write(1)
    save_checkpoint(tmp_path / "c", RichState(), RUN)
    load_checkpoint(tmp_path / "c", restored, RUN)
    assert restored.tape.cells.shape == (0, 2)


def test_saving_neither_changes_nor_shares_the_state(tmp_path):
    state = RichState(noise=torch.ones(3))
    save_checkpoint(tmp_path / "c", state, RUN)
    restored = RichState()
    load_checkpoint(tmp_path / "c", restored, RUN)
    restored.noise += 1
    assert state.noise.tolist() == [1, 1, 1]
    again = RichState()
    load_checkpoint(tmp_path / "c", again, RUN)
    assert again.noise.tolist() == [1, 1, 1]


def test_what_nothing_takes_is_not_lost_in_silence(tmp_path):
    state = RichState()
    state.late = torch.ones(2)  # a field that a fresh state does not have
    save_checkpoint(tmp_path / "c", state, RUN)
    with pytest.raises(CheckpointError, match="nothing takes its tensors late"):
        load_checkpoint(tmp_path / "c", RichState(), RUN)


def no_space(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("failure", [no_space, interrupt])
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_crash_while_saving_leaves_the_old_checkpoint(
    saved, monkeypatch, failure, where
):
    path, state = saved
    before = path.read_bytes()
    state.step()
    with monkeypatch.context() as patched:
        patched.setattr(
            *((Path, where) if where == "replace" else (os, where)), failure
        )
        with pytest.raises((OSError, KeyboardInterrupt)):
            save_checkpoint(path, state, RUN)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    save_checkpoint(path, state, RUN)
    assert path.read_bytes() != before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_leaves_the_old_checkpoint(saved):
    path, state = saved
    before = path.read_bytes()
    path.with_suffix(".tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device: .*c\.safetensors"):
        save_checkpoint(path, state, RUN)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_checkpoint_cut_at_any_length_is_refused(saved):
    path, _ = saved
    data = path.read_bytes()
    for length in {*range(0, len(data), 37), *range(20), len(data) - 1}:
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match="cannot be used"):
            load_checkpoint(path, toy_state(), RUN)
        with pytest.raises(CheckpointError, match="cannot be used"):
            read_steps(path, RUN)


def test_the_message_says_in_what_another_run_differs(saved):
    path, _ = saved
    with pytest.raises(CheckpointError, match="algorithm 'toy', expected 'other'"):
        load_checkpoint(path, toy_state(), {**RUN, "algorithm": "other"})
    with pytest.raises(CheckpointError, match=r"hidden \[2, 3\], expected \[9\]"):
        read_steps(path, {**RUN, "hidden": (9,)})


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def put_pickle(path):
    path.write_bytes(pickle.dumps({"actor.0.weight": [1.0]}))


def put_other_tensors(path):
    save_file({"other": torch.zeros(2)}, path)


def put_other_shape(path):
    state = toy_state()
    state.actor = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, affine=False))
    save_checkpoint(path, state, RUN)


def put_no_header(path):
    save_file(load_file(path), path)


def put_a_list_as_header(path):
    save_file(load_file(path), path, {"header": "[]"})


def put_other_run(path):
    save_checkpoint(path, toy_state(), {**RUN, "hidden": (2, 4)})


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        put_pickle,
        put_other_tensors,
        put_other_shape,
        put_other_run,
        put_no_header,
        put_a_list_as_header,
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_advice(saved, damage):
    path, _ = saved
    damage(path)
    with pytest.raises(CheckpointError, match=r"backup.*--overwrite"):
        load_checkpoint(path, toy_state(), RUN)


def test_nothing_in_a_checkpoint_is_executed(saved, monkeypatch):
    path, _ = saved

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("unpickled")

    monkeypatch.setattr(pickle, "Unpickler", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    load_checkpoint(path, toy_state(), RUN)
    assert not hasattr(checkpoint, "pickle")
