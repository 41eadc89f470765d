"""Train, evaluate and watch the algorithms of the course; time its environments."""

import argparse
import contextlib
import dataclasses
import inspect
import os
import re
import shlex
import signal
import sys
import threading
import time
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from tqdm import tqdm

from chula_rl import benchmarks, rendering, runs
from chula_rl._version import __version__
from chula_rl.envs import ENV_ID
from chula_rl.errors import ChulaRLError, ConfigError, UnsupportedEnvError
from chula_rl.evaluation import TrainState, evaluate
from chula_rl.runs import MetricsLog, Run

CHECKPOINT_SECONDS = 10.0  # of work that a killed run may lose
INTERRUPTED = 130  # exit status after Ctrl-C, as in shells


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    args = _parser().parse_args(argv)
    torch.set_num_threads(1)  # the networks are small, and results repeat exactly
    try:
        status: int = args.func(args)
    except (ChulaRLError, gym.error.Error, OSError, NotImplementedError) as error:
        # the last of these is what a student has not written yet
        print(f"chula-rl: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nchula-rl: stopped", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chula-rl", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="train an algorithm")
    algorithms = train.add_subparsers(required=True, metavar="ALGORITHM")
    for name, module in runs.ALGORITHMS.items():
        about = inspect.getdoc(module)
        _add_train(algorithms.add_parser(name, help=about, description=about), name)
    _add_evaluate(commands.add_parser("evaluate", help="play the policy of a run"))
    _add_render(commands.add_parser("render", help="save or show an episode of a run"))
    bench = commands.add_parser("bench", help="measure speed")
    benches = bench.add_subparsers(required=True, metavar="WHAT")
    _add_bench_env(benches.add_parser("env", help="steps a second of environments"))
    try:
        from chula_rl.grading.commands import add_parsers
    except ModuleNotFoundError:
        pass  # the student edition has no grading
    else:
        add_parsers(commands)
    return parser


def _add_train(parser: argparse.ArgumentParser, algorithm: str) -> None:
    parser.set_defaults(func=_train, algorithm=algorithm)
    add = parser.add_argument
    # SUPPRESS keeps apart what was typed and what was not, for --resume
    unset: Any = argparse.SUPPRESS
    add("--seed", type=int, default=unset, help="of everything random (default: 0)")
    add("--env", dest="env_id", default=unset, help=f"environment (default: {ENV_ID})")
    add("--out", type=Path, help=f"run folder (default: runs/{algorithm}-seed<SEED>)")
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="go on with the run that the folder holds"
    )
    again.add_argument(
        "--overwrite", action="store_true", help="delete the run that the folder holds"
    )
    add("--no-gif", action="store_true", help="save no GIF of the policy")
    add("--eval-episodes", type=int, default=100, help="at the end (default: 100)")
    settings = parser.add_argument_group("settings of the algorithm")
    for option, arguments in _config_options(runs.ALGORITHMS[algorithm].Config):
        settings.add_argument(option, default=unset, **arguments)


def _config_options(config: type[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """An option for each field, with its line of the docstring as help."""
    documented = re.findall(
        r"^    (\w+): (.+(?:\n {8}.+)*)", inspect.getdoc(config) or "", re.MULTILINE
    )
    about = {
        name: " ".join(text.replace("`", "").split()).rstrip(".")
        for name, text in documented
    }
    types = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        default: Any = field.default
        arguments: dict[str, Any] = {"type": types[field.name], "metavar": "X"}
        if types[field.name] is bool:
            arguments = {"action": argparse.BooleanOptionalAction}
        elif typing.get_origin(types[field.name]) is tuple:
            arguments = {"type": typing.get_args(types[field.name])[0], "nargs": "+"}
            default = " ".join(map(str, default))
        help_ = f"{about.get(field.name, '')} (default: {default})".replace("%", "%%")
        yield f"--{field.name.replace('_', '-')}", {**arguments, "help": help_}


def _train(args: argparse.Namespace) -> int:
    run, state = _resume(args) if args.resume else _create(args)
    if not _train_and_save(run, state):
        print(
            f"Stopped after {state.steps:,} of {state.config.total_steps:,} steps, and "
            f"saved. Go on with\n\n    chula-rl train {run.algorithm} --resume --out "
            f"{shlex.quote(str(run.path))}\n"
        )
        return INTERRUPTED
    threshold = gym.spec(run.env_id).reward_threshold
    metrics = runs.read_metrics(run.path)
    rendering.save_learning_curve(run.path / runs.LEARNING_CURVE, metrics, threshold)
    if not args.no_gif:
        frames = rendering.rollout_frames(state.policy, run.env_id, run.evaluation_seed)
        rendering.save_gif(frames, run.path / runs.GIF)
    print(f"{run.path}: {state.steps:,} steps in {state.updates:,} updates")
    _print_evaluation(run, state, args.eval_episodes)
    return 0


def _create(args: argparse.Namespace) -> tuple[Run, TrainState]:
    config_class = runs.ALGORITHMS[args.algorithm].Config
    names = {field.name for field in dataclasses.fields(config_class)}
    typed = {name: value for name, value in _typed(args).items() if name in names}
    seed, env_id = getattr(args, "seed", 0), getattr(args, "env_id", ENV_ID)
    run = Run(_folder(args), args.algorithm, env_id, seed, config_class(**typed))
    return run, run.create(args.overwrite)


def _resume(args: argparse.Namespace) -> tuple[Run, TrainState]:
    run = Run.read(_folder(args))
    recorded = run.identity()
    recorded |= recorded.pop("config")
    for name, value in _typed(args).items():
        if name in recorded and recorded[name] != value:
            raise ConfigError(
                f"{run.path} was started with {name} {recorded[name]}, not {value}, "
                "and goes on with that. Leave the option out, or train another run "
                "with another --out."
            )
    return run, run.restore()


def _folder(args: argparse.Namespace) -> Path:
    seed = getattr(args, "seed", 0)
    return args.out or Path("runs") / f"{args.algorithm}-seed{seed}"


def _typed(args: argparse.Namespace) -> dict[str, Any]:
    """The options of the command line, lists as the tuples of a ``Config``."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in vars(args).items()
    }


def _train_and_save(run: Run, state: TrainState) -> bool:
    """Train to the end or to the first Ctrl-C; True if it was the end."""
    total = state.config.total_steps
    bar = tqdm(
        desc=run.algorithm,
        total=total,
        initial=min(state.steps, total),
        unit="step",
        unit_scale=True,
    )
    with _interrupt_flag() as interrupted, MetricsLog(run.path, state) as log, bar:
        saved = time.monotonic()
        for metrics in runs.ALGORITHMS[run.algorithm].train(state):
            log.append(metrics)
            bar.set_postfix({"return": f"{metrics['return']:.1f}"}, refresh=False)
            bar.update(min(state.steps, total) - bar.n)
            if interrupted.is_set():
                break
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                log.flush()
                run.save(state)
                saved = time.monotonic()
        log.flush()
        run.save(state)
    return not interrupted.is_set()


@contextlib.contextmanager
def _interrupt_flag() -> Iterator[threading.Event]:
    """A flag that the first Ctrl-C sets; the second one interrupts at once."""
    flag = threading.Event()

    def on_interrupt(_signal: int, _frame: object) -> None:
        flag.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # not print(): the signal may have interrupted one
        os.write(2, b"\nSaving after this update; Ctrl-C again stops at once.\n")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)


def _print_evaluation(
    run: Run, state: TrainState, num_episodes: int, seed: int | None = None
) -> None:
    seed = run.evaluation_seed if seed is None else seed
    return_ = evaluate(state.policy, run.env_id, num_episodes, seed).return_
    threshold = gym.spec(run.env_id).reward_threshold
    print(
        f"mean policy, {num_episodes} episodes: mean return {return_.mean():.1f}, "
        f"standard deviation {return_.std():.1f}, smallest {return_.min():.1f}"
    )
    if threshold is not None:
        verdict = "solved" if return_.mean() >= threshold else "not solved"
        print(f"{verdict} (a mean return of {threshold:g} is needed)")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(func=_evaluate)
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--episodes", type=int, default=100, help="(default: 100)")
    parser.add_argument(
        "--seed", type=int, help="of the starts (default: starts not trained on)"
    )


def _evaluate(args: argparse.Namespace) -> int:
    run = Run.read(args.run)
    _print_evaluation(run, run.restore(), args.episodes, args.seed)
    return 0


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(func=_render)
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument(
        "--seed", type=int, help="of the start (default: a start not trained on)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, help="GIF file (default: RUN/policy.gif)")
    where.add_argument("--human", action="store_true", help="show it in a window")


def _render(args: argparse.Namespace) -> int:
    run = Run.read(args.run)
    state = run.restore()
    seed = run.evaluation_seed if args.seed is None else args.seed
    if args.human:
        _check_screen()
        for _ in rendering.play(state.policy, run.env_id, seed, "human"):
            pass
        return 0
    path = args.out or run.path / runs.GIF
    rendering.save_gif(rendering.rollout_frames(state.policy, run.env_id, seed), path)
    print(path)
    return 0


def _check_screen() -> None:
    """SDL itself draws on nothing, silently, where there is no screen."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise UnsupportedEnvError(
            "--human needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set. "
            "Leave it out to save a GIF."
        )


def _add_bench_env(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(func=_bench_env)
    parser.add_argument(
        "--copies", type=int, nargs="+", default=[16, 256, 4096], help="at once"
    )
    parser.add_argument("--repetitions", type=int, default=5, help="(default: 5)")


def _bench_env(args: argparse.Namespace) -> int:
    for line in benchmarks.env_speed_table(args.copies, args.repetitions):
        print(line, flush=True)
    return 0
