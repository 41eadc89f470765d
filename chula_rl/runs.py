"""Run folders: what a training run leaves behind, and what it needs to go on.

runs/reinforce-seed0/
├── config.json             algorithm, environment, seed, settings, versions
├── metrics.csv             one row for each update
├── evaluations.csv         one row for each evaluation of the mean policy
├── tensorboard/            the same rows as TensorBoard events
├── checkpoint.safetensors  all that training needs to go on
├── learning_curve.png      and learning_curve-dark.png
└── policy.gif              an episode of the policy
"""

import dataclasses
import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import gymnasium as gym
import numpy as np
import torch

from chula_rl._version import __version__
from chula_rl.algorithms import a2c, ddpg, reinforce
from chula_rl.checkpoint import (
    load_checkpoint,
    read_steps,
    save_checkpoint,
    write_whole,
)
from chula_rl.errors import CheckpointError, ConfigError, UnsupportedEnvError
from chula_rl.evaluation import EVALUATION_SEED, TrainState
from chula_rl.logs import EVALUATIONS, METRICS, TENSORBOARD, read_evaluations

# Each module has Config, init(config, seed, env_id) and train(state).
ALGORITHMS: dict[str, ModuleType] = {
    "reinforce": reinforce,
    "a2c": a2c,
    "ddpg": ddpg,
}

CONFIG = "config.json"
CHECKPOINT = "checkpoint.safetensors"
LEARNING_CURVE = "learning_curve.png"
GIF = "policy.gif"
_NUM_EVALUATIONS = 20  # of a run, unless told otherwise


@dataclass(frozen=True)
class Run:
    """One training run and its folder.

    Attributes:
        path: of the folder.
        algorithm: a key of ``ALGORITHMS``.
        env_id: a registered environment.
        seed: of everything random.
        config: the algorithm's ``Config``.
        eval_every: environment steps between evaluations; None for a twentieth of the
            training. Evaluations change nothing in the training.
        eval_episodes: episodes of each evaluation.
    """

    path: Path
    algorithm: str
    env_id: str
    seed: int
    config: Any
    eval_every: int | None = None
    eval_episodes: int = 100

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; expected 0 or more.")
        for name in ("eval_every", "eval_episodes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}; expected at least 1.")

    @property
    def evaluation_seed(self) -> int:
        """Seed of starts that training does not see."""
        return EVALUATION_SEED + self.seed

    @property
    def eval_interval(self) -> int:
        """Environment steps between evaluations."""
        total: int = self.config.total_steps
        return self.eval_every or max(1, total // _NUM_EVALUATIONS)

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
            names = ("algorithm", "env_id", "seed", "eval_every", "eval_episodes")
            others = {name: saved[name] for name in names}
            return cls(path=path, config=config, **others)
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
            UnsupportedEnvError: the environment needs a package that is missing.
        """
        state = self._fresh_state()
        self.check_vacant(overwrite)
        self._clear()
        self.path.mkdir(parents=True, exist_ok=True)
        content = {**self.settings(), "versions": _versions()}
        write_whole(self.path / CONFIG, json.dumps(content, indent=2).encode() + b"\n")
        self.save(state)
        return state

    def check_vacant(self, overwrite: bool = False) -> None:
        """Refuse a folder in which something would be lost.

        Args:
            overwrite: a run that the folder holds may be lost.

        Raises:
            CheckpointError: the folder holds another run, or something else.
        """
        if not (self.path.is_file() or _has_content(self.path)):
            return
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

    def _clear(self) -> None:
        shutil.rmtree(self.path / TENSORBOARD, ignore_errors=True)
        tables = (METRICS, EVALUATIONS)
        for pattern in (*tables, "checkpoint.*", "learning_curve*.png", GIF, CONFIG):
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

    def start_or_restore(self) -> TrainState:
        """The state from which training goes on, or starts if it never did.

        Raises:
            CheckpointError: the folder holds another run, or one that is damaged.
        """
        if not (self.path / CONFIG).exists():
            return self.create()
        found = Run.read(self.path)
        if found != self:
            raise CheckpointError(
                f"{self.path} holds another run: {found.settings()}; expected "
                f"{self.settings()}. Give another --out."
            )
        lacks = [not (self.path / name).exists() for name in (CHECKPOINT, METRICS)]
        return self.create() if all(lacks) else self.restore()

    def finished(self) -> bool:
        """Whether training came to its end and its result was evaluated.

        Raises:
            CheckpointError: the checkpoint or the evaluations cannot be read.
        """
        if not (self.path / CHECKPOINT).exists():
            return False
        steps = self.saved_steps()
        if steps < self.config.total_steps or not (self.path / EVALUATIONS).exists():
            return False
        evaluated = read_evaluations(self.path)["steps"]
        return bool(len(evaluated) and evaluated[-1] == steps)

    def saved_steps(self) -> int:
        """Environment steps of which the checkpoint holds the result."""
        return read_steps(self.path / CHECKPOINT, self.identity())

    def solved_at(self) -> float | None:
        """Mean return that counts as solved in its environment; None if none does."""
        # not gymnasium.spec, which knows no "module:id" and no id without a version
        env = gym.make_vec(self.env_id, num_envs=1)
        env.close()
        return env.spec.reward_threshold if env.spec else None

    def _fresh_state(self) -> TrainState:
        init = ALGORITHMS[self.algorithm].init
        if self.env_id.count(":") > 1:
            raise UnsupportedEnvError(
                f"the environment is {self.env_id!r}; expected ID or module:ID."
            )
        try:
            state: TrainState = init(self.config, self.seed, self.env_id)
        except ImportError as error:
            raise UnsupportedEnvError(
                f"{self.env_id} needs a package that is not installed: {error}. "
                "Install it beside chula_rl, or choose another --env."
            ) from error
        return state

    def identity(self) -> dict[str, Any]:
        """All that decides the result of the run."""
        return {
            "algorithm": self.algorithm,
            "env_id": self.env_id,
            "seed": self.seed,
            "config": dataclasses.asdict(self.config),
        }

    def settings(self) -> dict[str, Any]:
        """The identity, and how the run is evaluated."""
        evaluation = ("eval_every", "eval_episodes")
        return self.identity() | {name: getattr(self, name) for name in evaluation}


def _has_content(path: Path) -> bool:
    return path.is_dir() and any(path.iterdir())


def _versions() -> dict[str, str]:
    """What else may decide the result, to the last bit."""
    return {
        "chula_rl": __version__,
        "gymnasium": gym.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
