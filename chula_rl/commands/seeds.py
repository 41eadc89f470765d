"""``chula-rl train --seeds``: many runs, one for each seed."""

import argparse
import contextlib
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from chula_rl.commands.interrupts import INTERRUPTED, interrupt_flag
from chula_rl.commands.pictures import save_pictures
from chula_rl.commands.request import check_agrees, moved, new_run
from chula_rl.errors import ConfigError
from chula_rl.runs import CONFIG, Run
from chula_rl.sweep import Outcome, WorkerPool, train_runs


def train_seeds(args: argparse.Namespace) -> int:
    """Train one run for each seed, and print what became of them."""
    if args.seeds < 1:
        raise ConfigError(f"seeds is {args.seeds}; expected at least 1.")
    runs = _runs(args)
    with interrupt_flag() as interrupted, _executor(args.jobs, len(runs)) as executor:
        ended = train_runs(runs, executor, interrupted.is_set)
        outcomes = sorted(_shown(ended, runs), key=lambda outcome: outcome.run.seed)
    finished = [outcome for outcome in outcomes if outcome.finished]
    for outcome in finished:
        save_pictures(args, outcome.run, default=len(runs) == 1)
    for line in _table(outcomes):
        print(line)
    if len(finished) == len(runs):
        return 0
    print(
        f"{len(finished)} of {len(runs)} seeds are finished. Go on with\n\n"
        f"    {_resume_command(args)}\n"
    )
    return INTERRUPTED if interrupted.is_set() else 1


def _runs(args: argparse.Namespace) -> list[Run]:
    """The runs of all seeds, each with a folder that records its settings.

    All folders are made at once: a mistake shows before anything is trained, and going
    on needs no settings typed again.
    """
    first = getattr(args, "seed", 0)
    paths = {seed: _folder(args, seed) for seed in range(first, first + args.seeds)}
    if not args.resume:
        runs = [new_run(args, path, seed) for seed, path in paths.items()]
        for run in runs:
            run.check_vacant(args.overwrite)
        for run in runs:
            run.create(args.overwrite)
        return runs
    recorded = [Run.read(path) for path in paths.values() if (path / CONFIG).exists()]
    for run in recorded:
        check_agrees(args, run, run.seed)
    model = recorded[0] if recorded else new_run(args, paths[first], first)
    # a folder that holds anything else is refused when its turn comes
    return [moved(model, path, seed) for seed, path in paths.items()]


def _folder(args: argparse.Namespace, seed: int) -> Path:
    if args.out:
        return Path(args.out) / f"seed{seed}"
    return Path("runs") / f"{args.algorithm}-seed{seed}"


@contextlib.contextmanager
def _executor(jobs: int, num_runs: int) -> Iterator[Executor | None]:
    if jobs == 1:
        yield None
        return
    with WorkerPool(min(jobs, num_runs)) as pool:
        yield pool


def _shown(outcomes: Iterable[Outcome], runs: Sequence[Run]) -> Iterator[Outcome]:
    """The outcomes as they come, with a bar of the seeds."""
    with tqdm(desc=runs[0].algorithm, total=len(runs), unit="seed") as bar:
        for outcome in outcomes:
            seed = outcome.run.seed
            if outcome.error:
                told = f"chula-rl: error: seed {seed}: {outcome.error}"
                bar.write(told, file=sys.stderr)
            if outcome.finished or outcome.error:
                bar.update()
            bar.set_postfix_str(f"seed {seed}: return {outcome.mean_return:.1f}")
            yield outcome


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Steps and last evaluation of each seed, and the medians of those that ended."""
    threshold = outcomes[0].run.solved_at() if outcomes else None
    yield f"{'seed':>6}  {'steps':>11}  {'return':>9}  {'std':>7}  solved"
    for outcome in outcomes:
        row = f"{outcome.steps:>11,}  {outcome.mean_return:>9.1f}"
        verdict = _verdict(outcome, threshold)
        yield f"{outcome.run.seed:>6}  {row}  {outcome.std_return:>7.1f}  {verdict}"
    ended = [outcome for outcome in outcomes if outcome.finished]
    if ended:
        steps, return_ = (
            np.median([getattr(outcome, name) for outcome in ended])
            for name in ("steps", "mean_return")
        )
        solved = sum(_verdict(outcome, threshold) == "yes" for outcome in ended)
        count = "" if threshold is None else f"{solved}/{len(ended)}"
        yield f"median  {steps:>11,.0f}  {return_:>9.1f}  {'':>7}  {count}"


def _verdict(outcome: Outcome, threshold: float | None) -> str:
    if outcome.error:
        return "failed"
    if not outcome.finished:
        return "stopped"
    if threshold is None:
        return ""
    return "yes" if outcome.mean_return >= threshold else "no"


def _resume_command(args: argparse.Namespace) -> str:
    words = ["chula-rl", "train", args.algorithm, "--resume"]
    options = {"seed": getattr(args, "seed", None), "seeds": args.seeds}
    options |= {"jobs": args.jobs, "out": args.out}
    for name, value in options.items():
        words += [] if value is None else [f"--{name}", str(value)]
    return shlex.join(words)
