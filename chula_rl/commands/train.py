"""The command ``chula-rl train``."""

import argparse
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from chula_rl import runs
from chula_rl.commands.interrupts import INTERRUPTED, interrupt_flag
from chula_rl.commands.options import UNSET, add_settings
from chula_rl.commands.pictures import save_pictures
from chula_rl.commands.policy import evaluation_lines
from chula_rl.commands.request import check_agrees, new_run
from chula_rl.commands.seeds import train_seeds
from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError
from chula_rl.evaluation import TrainState
from chula_rl.logs import read_evaluations
from chula_rl.runs import Run
from chula_rl.session import resume_command, train_run

_EXAMPLES = """examples:
  chula-rl train {name} --seed 1           one run, in runs/{name}-seed1
  chula-rl train {name} --resume --out runs/{name}-seed1
  chula-rl train {name} --seeds 10 --jobs 2 --out runs/{name}
  chula-rl compare runs/{name}             its learning curve over the seeds
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the command line, with one of its own for each algorithm."""
    about = "train an algorithm, with one seed or with many"
    train = commands.add_parser("train", help=about, description=about)
    algorithms = train.add_subparsers(required=True, metavar="ALGORITHM")
    for name, module in runs.ALGORITHMS.items():
        about = inspect.getdoc(module) or name
        parser = algorithms.add_parser(
            name,
            help=about.partition("\n")[0],
            description=about,
            epilog=_EXAMPLES.format(name=name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(func=_train, algorithm=name)
        _add_run(parser, name)
        _add_many(parser)
        _add_results(parser)
        add_settings(parser, module.Config)


def _add_run(parser: argparse.ArgumentParser, name: str) -> None:
    add = parser.add_argument
    add("--seed", type=int, default=UNSET, help="of everything random (default: 0)")
    add(
        "--env",
        dest="env_id",
        default=UNSET,
        metavar="ID",
        help="an environment that Gymnasium knows and whose actions are continuous; "
        f"module:ID imports the module first (default: {ENV_ID})",
    )
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"run folder (default: runs/{name}-seed<SEED>)",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run that the folder holds, with its recorded settings; "
        "it comes to the same result as if it had never stopped",
    )
    again.add_argument(
        "--overwrite", action="store_true", help="delete the run that the folder holds"
    )


def _add_many(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("many seeds")
    group.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="one run for each of N seeds from --seed on, each in a folder of its own "
        "in DIR (--out); with --resume, finished seeds stay as they are, others go "
        "on, and missing ones start",
    )
    group.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="processes that train at once; the results are the same (default: 1)",
    )


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("evaluations and pictures")
    add = group.add_argument
    add(
        "--eval-every",
        type=int,
        default=UNSET,
        metavar="STEPS",
        help="environment steps between evaluations of the mean policy, which do not "
        "touch the training (default: total_steps / 20)",
    )
    add(
        "--eval-episodes",
        type=int,
        default=UNSET,
        metavar="N",
        help="episodes of each evaluation (default: 100)",
    )
    only = "default: for a single seed"
    flag: Any = argparse.BooleanOptionalAction
    add("--gif", action=flag, help=f"save a GIF of the policy ({only})")
    add("--figure", action=flag, help=f"save the learning curve ({only})")


def _train(args: argparse.Namespace) -> int:
    if args.jobs < 1:
        raise ConfigError(f"jobs is {args.jobs}; expected at least 1.")
    if args.seeds is not None:
        return train_seeds(args)
    if args.jobs > 1:
        raise ConfigError(
            f"jobs is {args.jobs} for a single seed, which one process trains. Say how "
            "many seeds (--seeds), or leave --jobs out."
        )
    run, state = _resume(args) if args.resume else _create(args)
    if not _train_with_bar(run, state):
        print(
            f"Stopped after {state.steps:,} of {state.config.total_steps:,} steps, and "
            f"saved. Go on with\n\n    {resume_command(run)}\n"
        )
        return INTERRUPTED
    save_pictures(args, run, default=True)
    print(f"{run.path}: {state.steps:,} steps in {state.updates:,} updates")
    last = {name: column[-1] for name, column in read_evaluations(run.path).items()}
    columns = ("mean_return", "std_return", "min_return")
    numbers = [last[name] for name in columns]
    for line in evaluation_lines(run, run.eval_episodes, *numbers):
        print(line)
    return 0


def _create(args: argparse.Namespace) -> tuple[Run, TrainState]:
    run = new_run(args, _folder(args), getattr(args, "seed", 0))
    return run, run.create(args.overwrite)


def _resume(args: argparse.Namespace) -> tuple[Run, TrainState]:
    run = Run.read(_folder(args))
    check_agrees(args, run, getattr(args, "seed", run.seed))
    return run, run.start_or_restore()


def _folder(args: argparse.Namespace) -> Path:
    seed = getattr(args, "seed", 0)
    return args.out or Path("runs") / f"{args.algorithm}-seed{seed}"


def _train_with_bar(run: Run, state: TrainState) -> bool:
    """Train to the end or to the first Ctrl-C; True if it was the end."""
    total = state.config.total_steps
    bar = tqdm(
        desc=run.algorithm,
        total=total,
        initial=min(state.steps, total),
        unit="step",
        unit_scale=True,
    )

    def report(metrics: Mapping[str, float]) -> None:
        bar.set_postfix({"return": f"{metrics['return']:.1f}"}, refresh=False)
        bar.update(min(state.steps, total) - bar.n)

    with interrupt_flag() as interrupted, bar:
        return train_run(run, state, report, interrupted.is_set)
