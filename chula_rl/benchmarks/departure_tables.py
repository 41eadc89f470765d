"""The tables that the book reads about departures from the published algorithms."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chula_rl.benchmarks.departures import (
    ALGORITHMS,
    DEFAULT,
    PUBLISHED,
    Run,
    evaluated_steps,
    variants,
)
from chula_rl.envs import SOLVED_RETURN
from chula_rl.statistics import Curve, learning_curve

DEPARTURES_CSV, PUBLISHED_CSV = "departures.csv", "published.csv"


def write_tables(folder: Path, runs: Sequence[Run]) -> None:
    """Write both tables; the rows of algorithms that have no runs here stay.

    Args:
        folder: for ``departures.csv`` and ``published.csv``; it is made.
        runs: measured, all of each algorithm.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / DEPARTURES_CSV, departures_table(runs))
    _write(folder / PUBLISHED_CSV, published_table(runs))


def departures_table(runs: Sequence[Run]) -> list[dict[str, str]]:
    """A row for the default settings of each algorithm and for each setting.

    ``solved`` counts the seeds whose last evaluation is at least 475;
    ``first_solved_median`` are the steps until the first such evaluation, empty if the
    median run has none; ``final_*`` are the interquartile mean of the last evaluation
    and its 95% bootstrap interval.
    """
    rows = []
    for algorithm, setting, group in _groups(runs):
        if setting == PUBLISHED:
            continue
        default, config = variants(algorithm)[DEFAULT], group[0].config
        row = {
            "algorithm": algorithm,
            "setting": setting,
            "ours": _text(getattr(default, setting)) if setting else "",
            "paper": _text(getattr(config, setting)) if setting else "",
            "seeds": str(len(group)),
        }
        rows.append(row | _outcome(group))
    return rows


def _outcome(group: Sequence[Run]) -> dict[str, str]:
    curve = _curve(group)
    solved = _returns(group) >= SOLVED_RETURN  # [num_seeds, POINTS]
    first = np.where(solved.any(1), curve.steps[solved.argmax(1)], np.inf)
    median = float(np.median(first))
    seconds = float(np.median([run.cpu_seconds for run in group]))
    return {
        "solved": str(solved[:, -1].sum()),
        "first_solved_median": f"{median:.0f}" if median < np.inf else "",
        "final_iqm": f"{curve.centre[-1]:.1f}",
        "final_low": f"{curve.low[-1]:.1f}",
        "final_high": f"{curve.high[-1]:.1f}",
        "cpu_seconds": f"{seconds:.2f}",
    }


def published_table(runs: Sequence[Run]) -> list[dict[str, str]]:
    """The learning curve of each algorithm with the paper's settings, a row a point."""
    rows = []
    for algorithm, setting, group in _groups(runs):
        if setting != PUBLISHED:
            continue
        total = str(group[0].config.total_steps)
        for steps, iqm, low, high in zip(*_curve(group), strict=True):
            row = {
                "algorithm": algorithm,
                "steps": str(steps),
                "iqm": f"{iqm:.1f}",
                "low": f"{low:.1f}",
                "high": f"{high:.1f}",
                "seeds": str(len(group)),
                "total_steps": total,
            }
            rows.append(row)
    return rows


def _groups(runs: Sequence[Run]) -> Iterator[tuple[str, str, list[Run]]]:
    """The runs of each variant, in the order of ``variants``, seeds in order."""
    for algorithm in ALGORITHMS:
        for setting in variants(algorithm):
            group = [run for run in runs if run[:2] == (algorithm, setting)]
            if group:
                yield algorithm, setting, sorted(group, key=lambda run: run.seed)


def _returns(group: Sequence[Run]) -> Any:
    return np.asarray([run.return_ for run in group])  # [num_seeds, POINTS]


def _curve(group: Sequence[Run]) -> Curve:
    steps = np.asarray(evaluated_steps(group[0].config.total_steps))
    return learning_curve(steps, _returns(group))


def _text(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    measured = {row["algorithm"] for row in rows}
    kept: list[Mapping[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            kept = [r for r in csv.DictReader(file) if r["algorithm"] not in measured]
    every = sorted([*kept, *rows], key=lambda row: ALGORITHMS.index(row["algorithm"]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(every)
