"""Checkpoints: any state goes in and comes out, a damaged file is refused."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from chula_rl import checkpoint
from chula_rl.checkpoint import load_checkpoint, save_checkpoint
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


def test_a_crash_while_saving_leaves_the_old_checkpoint(saved, monkeypatch):
    path, state = saved
    before = path.read_bytes()

    def disk_full(file: Path, data: bytes) -> None:
        with file.open("wb") as stream:
            stream.write(data[:10])
        raise OSError("No space left on device")

    state.step()
    monkeypatch.setattr(Path, "write_bytes", disk_full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, state, RUN)
    assert path.read_bytes() == before


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
