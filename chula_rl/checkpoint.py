"""A state of training as one safetensors file: tensors and numbers, never pickle."""

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.optim import Optimizer

from chula_rl.errors import CheckpointError

_UNSOUND = (
    *(OSError, SafetensorError),  # the file
    *(AttributeError, KeyError, TypeError, ValueError),  # its header
    RuntimeError,  # its tensors, from load_state_dict
)


@runtime_checkable
class _Stateful(Protocol):
    """Networks, replay buffers, streams of environments: a flat dict of tensors."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state_dict: dict[str, Tensor], /) -> object: ...


def save_checkpoint(path: Path, state: Any, run: Mapping[str, Any]) -> None:
    """Write a checkpoint; a crash leaves the old file or the new one, whole.

    Args:
        path: of the file.
        state: an algorithm's ``TrainState``. All its fields that are numbers, tensors,
            networks, optimisers or other objects with a ``state_dict`` of tensors are
            saved, whatever their names.
        run: what the checkpoint belongs to; anything that JSON can hold.

    Raises:
        OSError: it cannot be written; the old file is untouched.
    """
    header = {"run": run, **_numbers(state)}
    write_whole(path, save(_tensors(state), {"header": json.dumps(header)}))


def load_checkpoint(path: Path, state: Any, run: Mapping[str, Any]) -> None:
    """Put what ``save_checkpoint`` saved into a fresh state of the same run.

    Args:
        path: of the file.
        state: as the algorithm's ``init`` made it; changed in place.
        run: what the checkpoint must belong to.

    Raises:
        CheckpointError: the file is missing, damaged, or of another run.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["header"])
            names = file.keys()
            # clones, since the file's tensors are not aligned as torch's own are
            tensors = {name: file.get_tensor(name).clone() for name in names}
        _check_run(header["run"], run)
        for name in _numbers(state):
            setattr(state, name, header[name])
        _load_tensors(state, tensors)
    except _UNSOUND as error:
        raise _refusal(path, error) from error


def read_steps(path: Path, run: Mapping[str, Any]) -> int:
    """The counter ``steps`` in the checkpoint of a run, without its tensors.

    Raises:
        CheckpointError: the file is missing, damaged, or of another run.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["header"])
        _check_run(header["run"], run)
        return int(header["steps"])
    except _UNSOUND as error:
        raise _refusal(path, error) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a crash or a full disk leaves the old one or the new one.

    Args:
        path: of the file; beside it a temporary file with suffix ``.tmp`` is written,
            brought to the disk, and renamed.
        data: its new content.

    Raises:
        OSError: it cannot be written; the temporary file is removed.
    """
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:  # Ctrl-C too
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # writing tells the number of the file only
        raise


def _refusal(path: Path, error: Exception) -> CheckpointError:
    why = f"it has no {error}" if isinstance(error, KeyError) else error
    return CheckpointError(
        f"{path} cannot be used: {why}. Restore the file from a backup, or train "
        "again with --overwrite or another --out."
    )


def _check_run(saved: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    expected = json.loads(json.dumps(run))
    if saved != expected:
        differ = [name for name in expected if saved.get(name) != expected[name]]
        told = ", ".join(
            f"{name} {saved.get(name)!r}, expected {expected[name]!r}"
            for name in differ
        )
        raise ValueError(f"it belongs to another run ({told})")


def _numbers(state: Any) -> dict[str, float]:
    """The numbers among the fields of a state of training."""
    return {
        name: value
        for name, value in vars(state).items()
        if isinstance(value, int | float)
    }


def _tensors(state: Any) -> dict[str, Tensor]:
    """The tensors of all fields of a state, by flat names."""
    tensors = {}
    for name, value in vars(state).items():
        if isinstance(value, Tensor):
            tensors[name] = value
        elif isinstance(value, Optimizer):
            for index, slots in value.state_dict()["state"].items():
                for key, tensor in slots.items():
                    tensors[f"{name}.{index}.{key}"] = tensor
        elif isinstance(value, _Stateful):
            for key, tensor in value.state_dict().items():
                tensors[f"{name}.{key}"] = tensor
    # the format knows no views: two tensors may not share memory
    whole = torch.contiguous_format
    return {key: t.detach().clone(memory_format=whole) for key, t in tensors.items()}


def _load_tensors(state: Any, tensors: dict[str, Tensor]) -> None:
    """Put the tensors of ``_tensors`` back into a fresh state."""
    for name, value in vars(state).items():
        if isinstance(value, Tensor):
            setattr(state, name, tensors.pop(name))
            continue
        prefix = f"{name}."
        keys = [key for key in tensors if key.startswith(prefix)]
        own = {key.removeprefix(prefix): tensors.pop(key) for key in keys}
        if isinstance(value, Optimizer):
            slots: dict[int, dict[str, Tensor]] = defaultdict(dict)
            for key, tensor in own.items():
                index, slot = key.split(".", maxsplit=1)
                slots[int(index)][slot] = tensor
            value.load_state_dict({**value.state_dict(), "state": dict(slots)})
        elif isinstance(value, _Stateful):
            value.load_state_dict(own)
        else:
            tensors |= {prefix + key: tensor for key, tensor in own.items()}
    if tensors:
        raise ValueError(f"nothing takes its tensors {', '.join(sorted(tensors))}")
