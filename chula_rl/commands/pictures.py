"""The pictures that training leaves in a run folder."""

import argparse
import sys
from collections.abc import Callable

from chula_rl.commands.policy import save_video
from chula_rl.errors import ChulaRLError
from chula_rl.logs import read_metrics
from chula_rl.runs import GIF, LEARNING_CURVE, Run


def save_pictures(args: argparse.Namespace, run: Run, default: bool) -> None:
    """Save what was asked for.

    Args:
        args: ``figure`` and ``gif``: True, False, or None if nothing was typed.
        run: trained.
        default: what None means. What nobody asked for may fail: some environments
            cannot be drawn.
    """
    pictures: list[tuple[bool | None, Callable[[Run], None]]] = [
        (args.figure, _save_learning_curve),
        (args.gif, _save_gif),
    ]
    for asked, save in pictures:
        try:
            if asked or (asked is None and default):
                save(run)
        except ChulaRLError as error:
            if asked:
                raise
            print(f"chula-rl: warning: a picture is missing: {error}", file=sys.stderr)


def _save_learning_curve(run: Run) -> None:
    # imported here because it takes part of a second
    from chula_rl import figures

    path = run.path / LEARNING_CURVE
    figures.save_learning_curve(path, read_metrics(run.path), run.solved_at())


def _save_gif(run: Run) -> None:
    save_video(run, run.path / GIF)
