"""The commands ``chula-rl bench train``, ``update`` and ``departures``."""

import argparse
from pathlib import Path
from typing import Any

DEFAULT_OUT = Path("runs/bench-train.jsonl")
DEFAULT_RAW = Path("runs/bench-departures.jsonl")
DEFAULT_TABLES = Path("book/data")


def add_parsers(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of ``chula-rl bench``."""
    _add_train(subparsers)
    _add_update(subparsers)
    _add_departures(subparsers)


def _add_train(subparsers: "argparse._SubParsersAction[Any]") -> None:
    about = "CPU seconds until the cart-pole is solved, ours beside other people's"
    train = subparsers.add_parser(
        "train",
        help=about,
        description=f"{about}. Results are added to a file; run it again to go on "
        "where it was stopped, or to add learners and seeds.",
    )
    train.set_defaults(func=run_train)
    add = train.add_argument
    add("--learners", nargs="+", metavar="NAME", help=f"of: {', '.join(_names())}")
    add("--seeds", type=int, default=10, help="runs of each learner (default: 10)")
    add("--first-seed", type=int, default=0, help="(default: 0)")
    add("--out", type=Path, default=DEFAULT_OUT, help=f"(default: {DEFAULT_OUT})")
    add("--every", type=int, default=2_500, help="steps between evaluations (2500)")
    add(
        "--max-seconds",
        type=float,
        default=600.0,
        help="CPU seconds after which a run is given up (default: 600)",
    )
    add("--to-the-end", action="store_true", help="train on when it is solved")


def _add_update(subparsers: "argparse._SubParsersAction[Any]") -> None:
    about = "microseconds of one update, ours beside Stable-Baselines3's"
    update = subparsers.add_parser("update", help=about, description=about)
    update.add_argument(
        "--repetitions", type=int, default=300, help="of each (default: 300)"
    )
    update.set_defaults(func=run_update)


def _add_departures(subparsers: "argparse._SubParsersAction[Any]") -> None:
    about = "what each departure from the published algorithms does"
    departures = subparsers.add_parser(
        "departures",
        help=about,
        description=f"{about}: trains with the default settings, with one setting at a "
        "time as in the paper, and with all of them. Run it again to go on where it "
        "was stopped.",
    )
    departures.set_defaults(func=run_departures)
    add = departures.add_argument
    add("--algorithms", nargs="+", metavar="NAME", help="(default: all)")
    add("--seeds", type=int, default=10, help="fewer where a run takes minutes (10)")
    add("--jobs", type=int, default=1, help="runs at once (default: 1)")
    add(
        "--out",
        type=Path,
        default=DEFAULT_TABLES,
        help=f"folder of the tables (default: {DEFAULT_TABLES})",
    )
    add("--raw", type=Path, default=DEFAULT_RAW, help=f"(default: {DEFAULT_RAW})")


def run_train(args: argparse.Namespace) -> int:
    """Measure what the file does not hold yet, then print the table."""
    from tqdm import tqdm

    from chula_rl.benchmarks import learners, records
    from chula_rl.benchmarks.summary import summary_table
    from chula_rl.benchmarks.training import Protocol, run_all
    from chula_rl.errors import ConfigError

    if args.seeds < 1:
        raise ConfigError(f"--seeds is {args.seeds}; expected at least 1.")
    chosen = learners.select(args.learners or learners.DEFAULT)
    by_name = {learner.name: learner for learner in chosen}
    protocol = Protocol(
        every=args.every, max_seconds=args.max_seconds, to_the_end=args.to_the_end
    )
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    results = records.read_results(args.out, chosen, protocol)
    results = [result for result in results if result.seed in seeds]
    done = {(result.learner, result.seed) for result in results}
    total = len(chosen) * len(seeds)
    with tqdm(total=total, initial=len(done), unit="run") as progress:
        for result in run_all(chosen, seeds, protocol, done):
            records.append_result(args.out, result, by_name[result.learner], protocol)
            results.append(result)
            progress.write(_line(result))
            progress.update()
    print()
    for line in summary_table(results, chosen):
        print(line)
    return 0


def run_update(args: argparse.Namespace) -> int:
    """Print the table of updates."""
    from chula_rl.benchmarks.update import update_table

    for line in update_table(args.repetitions):
        print(line, flush=True)
    return 0


def run_departures(args: argparse.Namespace) -> int:
    """Measure what the raw file does not hold yet, then write the tables."""
    from tqdm import tqdm

    from chula_rl.benchmarks import departures
    from chula_rl.benchmarks.departure_tables import write_tables

    runs = departures.planned(args.algorithms or departures.ALGORITHMS, args.seeds)
    measured = departures.read_runs(args.raw, runs)
    done = {run.key for run in measured}
    todo = [run for run in runs if run.key not in done]
    with tqdm(total=len(runs), initial=len(done), unit="run") as progress:
        for run in departures.measure_all(todo, args.jobs):
            departures.append_run(args.raw, run)
            measured.append(run)
            progress.set_postfix_str(f"{run.algorithm} {run.setting or 'default'}")
            progress.update()
    write_tables(args.out, measured)
    print(f"tables written to {args.out}")
    return 0


def _names() -> tuple[str, ...]:
    from chula_rl.benchmarks.learners import NAMES

    return NAMES


def _line(result: Any) -> str:
    outcome = "not solved"
    if result.solved:
        outcome = (
            f"solved after {result.solved_steps:,.0f} steps and "
            f"{result.solved_seconds:.2f} CPU s"
        )
    return f"{result.learner}, seed {result.seed}: {outcome}"
