"""What each departure from a published algorithm does, one setting at a time.

The default settings, the default settings with one of them as in the paper, and the
paper's settings in full, each trained with several seeds. Every run is a line of a JSON
Lines file, so that a measurement goes on where it was stopped; the tables that the book
reads are made from these lines.
"""

import contextlib
import dataclasses
import importlib
import io
import json
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any, NamedTuple

import torch

from chula_rl.errors import ConfigError
from chula_rl.evaluation import training_scores
from chula_rl.sweep import WorkerPool

ALGORITHMS = ("reinforce", "a2c", "ddpg")
DEFAULT = ""
PUBLISHED = "published"
BUDGETS = ("total_steps", "capacity", "random_steps")  # how much, and not how
POINTS = 10  # evaluations of a run
SLOW = {  # a minute a run and more: no more seeds than these
    ("ddpg", PUBLISHED): 3,
    ("ddpg", "num_envs"): 3,
    ("ddpg", "hidden"): 3,
    ("reinforce", PUBLISHED): 5,
}


class Run(NamedTuple):
    """A training run, measured or to be measured.

    Attributes:
        algorithm: name of its module.
        setting: that is as in the paper; ``DEFAULT`` for none, ``PUBLISHED`` for all.
        seed: of the run.
        config: all settings.
        return_: ``POINTS`` mean returns of the mean policy, evenly spaced in steps; of
            100 episodes each.
        cpu_seconds: of training, evaluations not counted.
    """

    algorithm: str
    setting: str
    seed: int
    config: Any
    return_: Sequence[float] = ()
    cpu_seconds: float = 0.0

    @property
    def key(self) -> tuple[Any, ...]:
        """What the results depend on."""
        return self.algorithm, self.setting, self.seed, repr(self.config)


def variants(algorithm: str) -> dict[str, Any]:
    """The configs to compare, by the setting that is as in the paper.

    Args:
        algorithm: of ``ALGORITHMS``.

    Returns:
        The default first, ``PUBLISHED`` last.
    """
    config = importlib.import_module(f"chula_rl.algorithms.{algorithm}").Config
    default, published = config(), config.published()
    papers = {
        field.name: field.metadata["paper"]
        for field in dataclasses.fields(config)
        if field.metadata["paper"] is not None and field.name not in BUDGETS
    }
    one_each = {
        name: dataclasses.replace(default, **{name: paper})
        for name, paper in papers.items()
    }
    return {DEFAULT: default, **one_each, PUBLISHED: published}


def planned(algorithms: Iterable[str], num_seeds: int) -> list[Run]:
    """All runs of a comparison, long ones first, so that none is left for the end.

    Args:
        algorithms: of ``ALGORITHMS``.
        num_seeds: of each variant; of one in ``SLOW`` that many at most.

    Raises:
        ConfigError: an unknown algorithm, or no seeds.
    """
    if num_seeds < 1:
        raise ConfigError(f"--seeds is {num_seeds}; expected at least 1.")
    runs = []
    for name in dict.fromkeys(algorithms):
        if name not in ALGORITHMS:
            raise ConfigError(
                f"no algorithm is called {name!r}; expected some of "
                f"{', '.join(ALGORITHMS)}."
            )
        for setting, config in variants(name).items():
            seeds = min(num_seeds, SLOW.get((name, setting), num_seeds))
            runs += [Run(name, setting, seed, config) for seed in range(seeds)]
    return sorted(runs, key=lambda run: run[:2] not in SLOW)


def measure(run: Run, num_episodes: int = 100) -> Run:
    """Train once in this process, with one thread, and evaluate on the way."""
    torch.set_num_threads(1)
    module: Any = importlib.import_module(f"chula_rl.algorithms.{run.algorithm}")
    cpu_seconds = 0.0

    def train(state: Any) -> Iterator[None]:
        nonlocal cpu_seconds
        resumed = time.process_time()
        for _ in module.train(state):
            cpu_seconds += time.process_time() - resumed
            yield  # evaluations take place now
            resumed = time.process_time()

    def init(seed: int) -> Any:
        return module.init(run.config, seed=seed)

    every = evaluated_steps(run.config.total_steps)[0]
    with contextlib.redirect_stderr(io.StringIO()):  # a bar for one seed
        scores = training_scores(init, train, [run.seed], every, num_episodes)
    return run._replace(return_=scores.return_[0].tolist(), cpu_seconds=cpu_seconds)


def evaluated_steps(total_steps: int) -> list[int]:
    """At how many steps a run is evaluated: at each tenth of it."""
    if total_steps % POINTS:
        raise ConfigError(
            f"total_steps is {total_steps}; expected a multiple of {POINTS}, which is "
            "the number of evaluations."
        )
    return list(range(total_steps // POINTS, total_steps + 1, total_steps // POINTS))


def measure_all(runs: Sequence[Run], jobs: int = 1) -> Iterator[Run]:
    """Measure runs in ``jobs`` processes; yields each as soon as it has ended.

    Only ``cpu_seconds`` depends on the number of processes.
    """
    others = multiprocessing.active_children()
    with WorkerPool(jobs) as pool:
        try:
            for future in as_completed([pool.submit(measure, run) for run in runs]):
                yield future.result()
        except BaseException:  # Ctrl-C too: what is running may take minutes yet
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - set(others):
                process.terminate()
            raise


def append_run(path: Path, run: Run) -> None:
    """Add a line to the file of measured runs; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = run._asdict() | {"config": repr(run.config)}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_runs(path: Path, runs: Iterable[Run]) -> list[Run]:
    """Those of ``runs`` that a file holds, as measured.

    Lines with other settings are of an older version of the algorithm and left out. An
    unfinished last line, of a program killed while it wrote, is cut off.

    Raises:
        ConfigError: a line cannot be read.
    """
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, "utf-8")
    asked = {run.key: run for run in runs}
    found = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row = json.loads(line)
            key = tuple(row[name] for name in Run._fields[:4])
            measured = {name: row[name] for name in Run._fields[4:]}
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{path}, line {number} is no run ({error!r}); expected a line of "
                "`chula-rl bench departures`. Delete the line, or choose another --raw."
            ) from error
        if key in asked:
            found[key] = asked[key]._replace(**measured)
    return list(found.values())
