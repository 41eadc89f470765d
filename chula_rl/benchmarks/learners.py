"""Who is compared: our algorithms and their rivals elsewhere, by name."""

import contextlib
import dataclasses
import importlib
import importlib.util
from collections.abc import Iterable
from functools import partial
from typing import Any

from chula_rl.benchmarks import peers
from chula_rl.benchmarks.training import Learner, Report
from chula_rl.errors import ConfigError

OURS = ("reinforce", "a2c", "ddpg")
CLEANRL = "cleanrl-ddpg"
CLEANRL_STEPS = 100_000
NAMES = (*OURS, *peers.SETTINGS, CLEANRL)
SLOW = ("sb3-ppo", "sb3-ddpg", CLEANRL)  # minutes a run, or no rival of the same kind
DEFAULT = tuple(name for name in NAMES if name not in SLOW)


def select(names: Iterable[str]) -> list[Learner]:
    """The learners of these names.

    Args:
        names: of ``NAMES``.

    Returns:
        The learners, in this order.

    Raises:
        ConfigError: an unknown name, or a package that a learner needs is missing.
    """
    learners = []
    for name in names:
        if name not in NAMES:
            raise ConfigError(
                f"no learner is called {name!r}; expected some of {', '.join(NAMES)}."
            )
        learners.append(_learner(name))
    for learner in learners:
        _check_installed(learner)
    return learners


def train_ours(seed: int, total_steps: int, report: Report, algorithm: str) -> None:
    """Train one of our algorithms with its default settings.

    Args:
        seed: of the run.
        total_steps: environment steps.
        report: gets the policy after each update.
        algorithm: name of its module.
    """
    module: Any = importlib.import_module(f"chula_rl.algorithms.{algorithm}")
    config = dataclasses.replace(module.Config(), total_steps=total_steps)
    state = module.init(config, seed=seed)
    with contextlib.closing(module.train(state)) as updates:
        for _ in updates:
            if not report(state.steps, state.policy):
                break


def train_cleanrl(seed: int, total_steps: int, report: Report) -> None:
    """Train the DDPG in the manner of CleanRL."""
    # students' copies of this package are without it: it has answers of an assignment
    module: Any = importlib.import_module("chula_rl.benchmarks.cleanrl_ddpg")
    module.train(seed, total_steps, report, module.Settings())


def _learner(name: str) -> Learner:
    if name in OURS:
        config = importlib.import_module(f"chula_rl.algorithms.{name}").Config()
        train = partial(train_ours, algorithm=name)
        return Learner(name, train, config.total_steps, repr(config), rival=name)
    if name == CLEANRL:
        return Learner(
            *(name, train_cleanrl, CLEANRL_STEPS),
            settings="CleanRL's, but random steps 1,000",
            rival="ddpg",
            package="chula_rl.benchmarks.cleanrl_ddpg",
        )
    settings = peers.SETTINGS[name]
    return Learner(
        *(name, partial(peers.train, settings=settings), settings.total_steps),
        settings=repr(settings),
        rival="ddpg" if settings.algorithm == "DDPG" else "a2c",
        package="stable_baselines3",
    )


def _check_installed(learner: Learner) -> None:
    if not learner.package or importlib.util.find_spec(learner.package):
        return
    advice = "leave it out with --learners"
    if learner.package == "stable_baselines3":
        advice = f"pip install stable-baselines3, or {advice}"
    raise ConfigError(
        f"the learner {learner.name} needs {learner.package}, which is not installed; "
        f"{advice}."
    )
