"""What the chapters show of the measured departures from the published algorithms."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from chula_rl.envs import SOLVED_RETURN
from chula_rl.figures import plot_learning_curve
from chula_rl.settings import abouts
from chula_rl.statistics import Curve, learning_curve
from chula_rl.types import FloatArray

_HEAD = (  # its columns are explained in _LEGEND
    "| setting, and why | here | paper | solved | first solved | final return |",
    "|---|---|---|---|---|---|",
)
_LEGEND = f"""
*Solved*: seeds whose last evaluation is at least {SOLVED_RETURN:.0f}. *First solved*:
the median number of steps to the first such evaluation. *Final return*: interquartile
mean of the last evaluation with its 95% interval. Beside a setting stands the reason
for which people depart from the paper; whether it matters on this task is what the
numbers say. A row whose interval overlaps that of the first row widely is no evidence
that its setting does."""


def read_rows(path: Path, algorithm: str) -> list[dict[str, str]]:
    """The rows of one algorithm of a table of ``chula-rl bench departures``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["algorithm"] == algorithm]


def published_curve(rows: list[dict[str, str]]) -> Curve:
    """The learning curve in rows of ``published.csv``."""
    names = ("steps", "iqm", "low", "high")
    return Curve(*(np.array([float(row[name]) for row in rows]) for name in names))


def beside_published(
    steps: FloatArray, returns: FloatArray, published: Curve
) -> Callable[[Figure], None]:
    """A drawing for ``show_figure``: the settings here, and those of the paper.

    Args:
        steps: ``[K]``, of the evaluations with the settings here.
        returns: ``[num_seeds, K]``, the mean return of each.
        published: the curve with the settings of the paper.
    """

    def draw(fig: Figure) -> None:
        here, paper = fig.subplots(1, 2, sharey=True)
        plot_learning_curve(here, learning_curve(steps, returns), returns)
        plot_learning_curve(paper, published)
        here.set(title="settings here", ylim=(0, 510))
        paper.set(title="settings of the paper", ylabel="")
        for ax in (here, paper):
            ax.axhline(SOLVED_RETURN, color="0.5", linestyle=":")
            ax.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:.0f}k")

    return draw


def departures_table(
    rows: list[dict[str, str]], config: type[Any], reasons: Mapping[str, str]
) -> str:
    """A table in Markdown, with its legend, of rows of ``departures.csv``.

    Args:
        rows: of one algorithm.
        config: its ``Config``.
        reasons: why each setting departs from the paper.

    Raises:
        KeyError: a setting has no reason.
    """
    lines = [*_HEAD]
    for row in rows:
        name, cells = row["setting"], ["*all as here*", "", ""]
        if name:
            about = abouts(config)[name].partition(" (published")[0]
            here, paper = f"`{row['ours']}`", f"`{row['paper']}`"
            cells = [f"`{name}` ({about}): {reasons[name]}", here, paper]
        lines.append("| " + " | ".join([*cells, *_outcome(row)]) + " |")
    return "\n".join([*lines, _LEGEND])


def _outcome(row: Mapping[str, str]) -> list[str]:
    first = float(row["first_solved_median"] or "inf")
    final = [float(row[name]) for name in ("final_iqm", "final_low", "final_high")]
    return [
        f"{row['solved']} of {row['seeds']}",
        f"{first:,.0f}" if np.isfinite(first) else "never",
        "{:.0f} [{:.0f}, {:.0f}]".format(*final),
    ]
