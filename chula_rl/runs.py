"""Run folders: what a training run leaves behind, and what it needs to go on.

runs/reinforce-seed0/
├── config.json             algorithm, environment, seed and settings
├── metrics.csv             one row for each update
├── tensorboard/            the same rows as TensorBoard events
├── checkpoint.safetensors  networks, optimisers and counters
├── learning_curve.png      and learning_curve-dark.png
└── policy.gif              an episode of the policy
"""

import csv
import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np

from chula_rl._version import __version__
from chula_rl.algorithms import reinforce
from chula_rl.checkpoint import load_checkpoint, save_checkpoint
from chula_rl.errors import CheckpointError, ConfigError
from chula_rl.evaluation import EVALUATION_SEED, TrainState
from chula_rl.types import FloatArray

# Each module has Config, init(config, seed, env_id) and train(state).
ALGORITHMS: dict[str, ModuleType] = {"reinforce": reinforce}

CONFIG = "config.json"
METRICS = "metrics.csv"
TENSORBOARD = "tensorboard"
CHECKPOINT = "checkpoint.safetensors"
LEARNING_CURVE = "learning_curve.png"
GIF = "policy.gif"


@dataclass(frozen=True)
class Run:
    """One training run and its folder.

    Attributes:
        path: of the folder.
        algorithm: a key of ``ALGORITHMS``.
        env_id: a registered environment.
        seed: of everything random.
        config: the algorithm's ``Config``.
    """

    path: Path
    algorithm: str
    env_id: str
    seed: int
    config: Any

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; expected 0 or more.")

    @property
    def evaluation_seed(self) -> int:
        """Seed of starts that training does not see."""
        return EVALUATION_SEED + self.seed

    @classmethod
    def read(cls, path: Path) -> Self:
        """The run that a folder holds.

        Raises:
            CheckpointError: the folder holds no run, or one that cannot be read.
        """
        try:
            saved = json.loads((path / CONFIG).read_text("utf-8"))
            settings = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in saved["config"].items()
            }
            config = ALGORITHMS[saved["algorithm"]].Config(**settings)
            return cls(path, saved["algorithm"], saved["env_id"], saved["seed"], config)
        except (FileNotFoundError, NotADirectoryError):
            raise CheckpointError(
                f"{path} holds no run: there is no {CONFIG}. Expected a folder made by "
                "`chula-rl train`; give its path, or train first."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{path / CONFIG} is not one that this version ({__version__}) wrote: "
                f"{error!r}. Train again with another --out."
            ) from error

    def create(self, overwrite: bool = False) -> TrainState:
        """Make the folder, with a checkpoint of the start of training.

        Args:
            overwrite: delete the run that the folder holds.

        Returns:
            The state at the start of training.

        Raises:
            CheckpointError: the folder holds another run, or something else.
        """
        state = self._fresh_state()
        if self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir())):
            self._clear(overwrite)
        self.path.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**self.identity(), "version": __version__}, indent=2)
        (self.path / CONFIG).write_text(text + "\n", encoding="utf-8")
        self.save(state)
        return state

    def _clear(self, overwrite: bool) -> None:
        try:
            Run.read(self.path)
        except CheckpointError as error:
            raise CheckpointError(
                f"{self.path} is in the way: it is not empty and holds no run of this "
                "version, so nothing in it is deleted. Give another --out."
            ) from error
        metrics = self.path / METRICS
        learnt = metrics.exists() and metrics.stat().st_size > 0
        if learnt and not overwrite:  # a run that failed at its start is no loss
            raise CheckpointError(
                f"{self.path} already holds a run. Go on with it (--resume), give "
                "another --out, or delete it (--overwrite)."
            )
        shutil.rmtree(self.path / TENSORBOARD, ignore_errors=True)
        for pattern in (METRICS, "checkpoint.*", "learning_curve*.png", GIF, CONFIG):
            for file in self.path.glob(pattern):
                file.unlink()

    def save(self, state: TrainState) -> None:
        """Write the checkpoint; a crash leaves the old one or the new one, whole."""
        save_checkpoint(self.path / CHECKPOINT, state, self.identity())

    def restore(self) -> TrainState:
        """The state that the checkpoint holds.

        Raises:
            CheckpointError: it is missing, damaged, or of another run.
        """
        state = self._fresh_state()
        load_checkpoint(self.path / CHECKPOINT, state, self.identity())
        return state

    def _fresh_state(self) -> TrainState:
        init = ALGORITHMS[self.algorithm].init
        state: TrainState = init(self.config, self.seed, self.env_id)
        return state

    def identity(self) -> dict[str, Any]:
        """All that decides the result of the run."""
        return {
            "algorithm": self.algorithm,
            "env_id": self.env_id,
            "seed": self.seed,
            "config": dataclasses.asdict(self.config),
        }


class MetricsLog:
    """Appends the metrics of each update to ``metrics.csv`` and TensorBoard.

    Args:
        path: the run folder.
        state: what training starts from. Rows that a killed run wrote after this state
            was saved are dropped, since its updates will be done again.

    Raises:
        CheckpointError: ``metrics.csv`` has fewer rows than the state has updates.
    """

    def __init__(self, path: Path, state: TrainState) -> None:
        # imported here because it takes a second
        from torch.utils.tensorboard import SummaryWriter

        _drop_rows(path / METRICS, state.updates)
        self._file = (path / METRICS).open("a", encoding="utf-8", newline="")
        self._events: Any = SummaryWriter(
            str(path / TENSORBOARD), purge_step=state.steps + 1
        )

    def append(self, metrics: Mapping[str, float]) -> None:
        """Add the row of one update."""
        writer = csv.DictWriter(self._file, metrics, lineterminator="\n")
        if self._file.tell() == 0:
            writer.writeheader()
        writer.writerow(metrics)
        for name, value in metrics.items():
            self._events.add_scalar(name, value, metrics["steps"])

    def flush(self) -> None:
        """Hand all rows to the operating system; to be done before a checkpoint."""
        self._file.flush()
        self._events.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._events.close()


def _drop_rows(path: Path, updates: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    kept = lines[: updates + 1] if updates else []  # the header is a line too
    if updates and len(kept) <= updates:
        raise CheckpointError(
            f"{path} has {max(0, len(lines) - 1)} rows; expected at least {updates}, "
            "one for each update before the checkpoint. Restore the file from a "
            "backup, or train again with --overwrite or another --out."
        )
    if len(kept) < len(lines):
        os.truncate(path, sum(map(len, kept)))


def read_metrics(path: Path) -> dict[str, FloatArray]:
    """The columns of the ``metrics.csv`` of a run folder, each ``[num_updates]``."""
    with (path / METRICS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
