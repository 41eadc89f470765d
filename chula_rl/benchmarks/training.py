"""Learning speed, by one protocol for our algorithms and for other people's.

A learner trains and shows its policy after each update. At the same numbers of steps
for all learners the policy is evaluated, and the clock stands still meanwhile. The
clock counts the CPU seconds of a process with one torch thread. Each run has a fresh
process, in which the same learner first trains for a moment, so that imports and the
first calls of a library count for nobody.
"""

import gc
import math
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from chula_rl.envs import ENV_ID, SOLVED_RETURN
from chula_rl.errors import ConfigError
from chula_rl.evaluation import EVALUATION_SEED, evaluate

Report = Callable[[int, Callable[..., Any]], bool]
"""``report(steps, policy) -> go_on``, which a learner calls after each update."""


@dataclass(frozen=True)
class Learner:
    """Something that learns to solve the environment.

    Attributes:
        name: what it is called on the command line and in tables.
        train: ``train(seed, total_steps, report)`` trains until ``total_steps`` or
            until ``report`` returns False; a function that can be pickled.
        total_steps: environment steps of the whole training.
        settings: all its settings as text, kept with the results.
        rival: which of our learners it is compared with.
        package: what must be installed for it, besides this package.
    """

    name: str
    train: Callable[[int, int, Report], None]
    total_steps: int
    settings: str = ""
    rival: str = ""
    package: str = ""


@dataclass(frozen=True)
class Protocol:
    """How runs are measured; the same for all that are compared.

    Attributes:
        every: environment steps between evaluations.
        num_episodes: of each evaluation, with starts that training does not see.
        warm_up_steps: steps of the run before the measured one, not counted.
        to_the_end: train on after the environment is solved.
        max_seconds: CPU seconds after which a run is given up.
    """

    every: int = 2_500
    num_episodes: int = 100
    warm_up_steps: int = 1_500
    to_the_end: bool = False
    max_seconds: float = 600.0

    def __post_init__(self) -> None:
        for name in ("every", "num_episodes", "max_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; expected more than 0."
                )


class Result(NamedTuple):
    """What came of one run.

    Attributes:
        learner: its name.
        seed: of the run.
        solved_steps: environment steps at the first evaluation with a mean return of
            at least 475; infinite if there was none.
        solved_seconds: CPU seconds until then.
        steps: of the whole run.
        seconds: CPU seconds of the whole run.
        final_return: mean return of the last evaluation.
    """

    learner: str
    seed: int
    solved_steps: float
    solved_seconds: float
    steps: int
    seconds: float
    final_return: float

    @property
    def solved(self) -> bool:
        """Whether the environment was solved at any evaluation."""
        return math.isfinite(self.solved_steps)

    @property
    def solved_at_end(self) -> bool:
        """Whether it was at the last one."""
        return self.final_return >= SOLVED_RETURN


def measure(learner: Learner, seed: int, protocol: Protocol) -> Result:
    """Train once in this process and measure it.

    Args:
        learner: who trains.
        seed: of the run.
        protocol: how it is measured.

    Returns:
        The result.
    """
    torch.set_num_threads(1)
    if protocol.warm_up_steps > 0:
        learner.train(
            seed + 1,
            learner.total_steps,
            lambda steps, _: steps < protocol.warm_up_steps,
        )
    gc.collect()
    referee = _Referee(seed, protocol)
    learner.train(seed, learner.total_steps, referee.report)
    return referee.result(learner.name)


def run_all(
    learners: Iterable[Learner],
    seeds: Iterable[int],
    protocol: Protocol,
    done: Iterable[tuple[str, int]] = (),
    executor: Executor | None = None,
) -> Iterator[Result]:
    """Measure all learners with all seeds, one run after another.

    All learners have their turn before the next seed: what else the machine does then
    slows all of them alike.

    Args:
        learners: who is compared.
        seeds: one run each.
        protocol: how they are measured.
        done: names and seeds of the runs to leave out.
        executor: where the runs take place; by default a fresh process for each.

    Yields:
        The result of each run, as soon as it has ended.
    """
    skip = set(done)
    learners = list(learners)
    todo = [(l, s) for s in seeds for l in learners if (l.name, s) not in skip]  # noqa: E741
    with executor or _fresh_processes() as pool:
        for learner, seed in todo:
            yield pool.submit(measure, learner, seed, protocol).result()


def _fresh_processes() -> Executor:
    """One process at a time, a new one for each task; nothing is inherited."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1)


class _Referee:
    """Evaluates the policy that a learner shows, and stops the clock meanwhile."""

    def __init__(self, seed: int, protocol: Protocol) -> None:
        self.seed, self.protocol = seed, protocol
        self.solved_steps = self.solved_seconds = math.inf
        self.final_return = math.nan
        self.steps, self.next_evaluation = 0, protocol.every
        self.not_counted = time.process_time()  # CPU seconds of what is not learning

    def seconds(self) -> float:
        """CPU seconds of the learner so far."""
        return time.process_time() - self.not_counted

    def report(self, steps: int, policy: Callable[..., Any]) -> bool:
        """Evaluate if it is time; whether to train on."""
        self.steps = steps
        if steps < self.next_evaluation:
            return True
        seconds = self.seconds()
        every = self.protocol.every
        self.next_evaluation = (steps // every + 1) * every
        self.final_return = evaluate(
            policy, ENV_ID, self.protocol.num_episodes, EVALUATION_SEED + self.seed
        ).mean_return
        solved = self.final_return >= SOLVED_RETURN
        if solved and math.isinf(self.solved_steps):
            self.solved_steps, self.solved_seconds = steps, seconds
        self.not_counted += self.seconds() - seconds
        enough = solved and not self.protocol.to_the_end
        return not enough and seconds < self.protocol.max_seconds

    def result(self, learner: str) -> Result:
        """What came of the run."""
        return Result(
            *(learner, self.seed, self.solved_steps, self.solved_seconds),
            *(self.steps, self.seconds(), self.final_return),
        )
