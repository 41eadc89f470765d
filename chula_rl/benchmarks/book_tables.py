"""What the chapters show of the measured departures from the published algorithms."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chula_rl.settings import abouts
from chula_rl.statistics import Curve

_HEAD = (
    "| setting, and why | here | paper | solved | first solved | final return |",
    "|---|---|---|---|---|---|",
)


def read_rows(path: Path, algorithm: str) -> list[dict[str, str]]:
    """The rows of one algorithm of a table of ``chula-rl bench departures``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["algorithm"] == algorithm]


def curve(rows: list[dict[str, str]]) -> Curve:
    """The learning curve in rows of ``published.csv``."""
    names = ("steps", "iqm", "low", "high")
    return Curve(*(np.array([float(row[name]) for row in rows]) for name in names))


def departures_table(
    rows: list[dict[str, str]], config: type[Any], reasons: Mapping[str, str]
) -> str:
    """A table in Markdown of rows of ``departures.csv``.

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
    return "\n".join(lines)


def _outcome(row: Mapping[str, str]) -> list[str]:
    first = float(row["first_solved_median"] or "inf")
    final = [float(row[name]) for name in ("final_iqm", "final_low", "final_high")]
    return [
        f"{row['solved']} of {row['seeds']}",
        f"{first:,.0f}" if np.isfinite(first) else "never",
        "{:.0f} [{:.0f}, {:.0f}]".format(*final),
    ]
