"""A state of training as one safetensors file: tensors and numbers, never pickle."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from chula_rl.errors import CheckpointError

_UNSOUND = (
    *(OSError, SafetensorError),  # the file
    *(KeyError, TypeError, ValueError),  # its header
    RuntimeError,  # its tensors, from load_state_dict
)


def save_checkpoint(path: Path, state: Any, run: Mapping[str, Any]) -> None:
    """Write a checkpoint; a crash leaves the old file or the new one, whole.

    Args:
        path: of the file.
        state: an algorithm's ``TrainState``. All its fields that are networks,
            optimisers or whole numbers are saved, whatever their names.
        run: what the checkpoint belongs to; anything that JSON can hold.
    """
    header = {"run": run, **_counters(state)}
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(save(_tensors(state), {"header": json.dumps(header)}))
    temporary.replace(path)


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
        if header["run"] != json.loads(json.dumps(run)):
            raise ValueError("it belongs to another run")
        for name in _counters(state):
            setattr(state, name, header[name])
        _load_tensors(state, tensors)
    except _UNSOUND as error:
        raise CheckpointError(
            f"{path} cannot be used: {error}. Restore the file from a backup, or train "
            "again with --overwrite or another --out."
        ) from error


def _counters(state: Any) -> dict[str, int]:
    """The whole numbers among the fields of a state of training."""
    return {
        name: value for name, value in vars(state).items() if isinstance(value, int)
    }


def _tensors(state: Any) -> dict[str, Tensor]:
    """The tensors of all networks and optimisers of a state, by flat names."""
    tensors = {}
    for name, value in vars(state).items():
        if isinstance(value, nn.Module):
            for key, tensor in value.state_dict().items():
                tensors[f"{name}.{key}"] = tensor
        elif isinstance(value, Optimizer):
            for index, slots in value.state_dict()["state"].items():
                for key, tensor in slots.items():
                    tensors[f"{name}.{index}.{key}"] = tensor
    return tensors


def _load_tensors(state: Any, tensors: Mapping[str, Tensor]) -> None:
    """Put the tensors of ``_tensors`` back into a fresh state."""
    for name, value in vars(state).items():
        prefix = f"{name}."
        own = {
            key.removeprefix(prefix): tensor
            for key, tensor in tensors.items()
            if key.startswith(prefix)
        }
        if isinstance(value, nn.Module):
            value.load_state_dict(own)
        elif isinstance(value, Optimizer):
            slots: dict[int, dict[str, Tensor]] = defaultdict(dict)
            for key, tensor in own.items():
                index, slot = key.split(".", maxsplit=1)
                slots[int(index)][slot] = tensor
            value.load_state_dict({**value.state_dict(), "state": dict(slots)})
