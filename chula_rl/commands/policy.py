"""The commands that take the policy of a run: evaluate, render, export."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from chula_rl import logs
from chula_rl._version import __version__
from chula_rl.errors import UnsupportedEnvError
from chula_rl.evaluation import evaluate
from chula_rl.runs import GIF, Run


def add_parsers(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to the command line."""
    about = "play the policy of a run, and say how good it is"
    parser = commands.add_parser("evaluate", help=about, description=about)
    parser.set_defaults(func=_evaluate)
    _add_run(parser)
    parser.add_argument("--episodes", type=int, default=100, help="(default: 100)")
    parser.add_argument(
        "--seed", type=int, help="of the starts (default: starts not trained on)"
    )
    about = "save an episode of a run as GIF or MP4, or show it in a window"
    _add_render(commands.add_parser("render", help=about, description=about))
    about = (
        "save the policy of a run alone, as a small file that says what it is: weights "
        "in safetensors, and algorithm, environment, seed, settings and last evaluation"
    )
    short = "save the policy of a run alone, as a small file"
    parser = commands.add_parser("export", help=short, description=about)
    parser.set_defaults(func=_export)
    _add_run(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="file, usually *.safetensors"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(func=_render)
    _add_run(parser)
    parser.add_argument(
        "--seed", type=int, help="of the start (default: a start not trained on)"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--out", type=Path, help="file, *.gif or *.mp4 (default: RUN/policy.gif)"
    )
    where.add_argument("--human", action="store_true", help="show it in a window")
    parser.add_argument(
        "--fps",
        type=float,
        help="images a second of the file (default: what the environment means)",
    )


def _evaluate(args: argparse.Namespace) -> int:
    run = Run.read(args.run)
    policy = run.restore().policy
    seed = run.evaluation_seed if args.seed is None else args.seed
    return_ = evaluate(policy, run.env_id, args.episodes, seed).return_
    for line in evaluation_lines(
        run, args.episodes, return_.mean(), return_.std(), return_.min()
    ):
        print(line)
    return 0


def evaluation_lines(
    run: Run, episodes: int, mean: float, std: float, smallest: float
) -> list[str]:
    """How good the mean policy of a run is, in words.

    Args:
        run: whose policy was evaluated.
        episodes: how many were played.
        mean: of their returns.
        std: of their returns.
        smallest: of their returns.
    """
    lines = [
        f"mean policy, {episodes} episodes: mean return {mean:.1f}, "
        f"standard deviation {std:.1f}, smallest {smallest:.1f}"
    ]
    threshold = run.solved_at()
    if threshold is not None:
        verdict = "solved" if mean >= threshold else "not solved"
        lines.append(f"{verdict} (a mean return of {threshold:g} is needed)")
    return lines


def _render(args: argparse.Namespace) -> int:
    run = Run.read(args.run)
    if args.human:
        _show(run, args.seed)
        return 0
    path = args.out or run.path / GIF
    save_video(run, path, args.seed, args.fps)
    print(path)
    return 0


def save_video(
    run: Run, path: Path, seed: int | None = None, fps: float | None = None
) -> None:
    """Save an episode of the policy of a run.

    Args:
        run: trained, at least for a while.
        path: of the file; its suffix decides the format.
        seed: of the start; None for one that training does not see.
        fps: images a second; None for what the environment means.
    """
    # imported here because it takes part of a second
    from chula_rl import rendering

    seed = run.evaluation_seed if seed is None else seed
    fps = rendering.render_fps(run.env_id) if fps is None else fps
    frames = rendering.rollout_frames(run.restore().policy, run.env_id, seed)
    rendering.save_video(frames, path, fps)


def _show(run: Run, seed: int | None) -> None:
    from chula_rl import rendering

    _check_screen()
    seed = run.evaluation_seed if seed is None else seed
    for _ in rendering.play(run.restore().policy, run.env_id, seed, "human"):
        pass


def _check_screen() -> None:
    """SDL itself draws on nothing, silently, where there is no screen."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise UnsupportedEnvError(
            "--human needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set. "
            "Leave it out to save a GIF."
        )


def _export(args: argparse.Namespace) -> int:
    from chula_rl import pretrained

    run = Run.read(args.run)
    *_, last = logs.read_evaluations(run.path)["mean_return"]
    made_by = {**run.identity(), "version": __version__, "mean_return": last}
    pretrained.save_policy(args.out, run.restore().policy, made_by)
    print(args.out)
    return 0
