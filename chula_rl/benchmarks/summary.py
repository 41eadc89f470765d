"""A table of the training benchmark: medians over seeds, with intervals."""

import math
from collections.abc import Iterable, Iterator, Sequence

from chula_rl.benchmarks.training import Learner, Result
from chula_rl.statistics import Interval, median_interval, ratio_interval

_COLUMNS = ("learner", "solved", "steps to solved", "CPU s to solved", "CPU s / ours")
_ROW = "{:<16}  {:>7}  {:>26}  {:>22}  {:>20}"


def summary_table(
    results: Iterable[Result], learners: Iterable[Learner]
) -> Iterator[str]:
    """The lines of a table, one for each learner that has results.

    A run that never solved the environment counts as infinitely long. The last column
    is the median of the learner by the median of its rival among ours, so that more
    than 1 means that ours is faster. Intervals are 95% bootstrap intervals.

    Args:
        results: of any learners.
        learners: the rows, in this order.

    Yields:
        The lines.
    """
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.learner, []).append(result)
    yield _ROW.format(*_COLUMNS)
    for learner in learners:
        runs = by_name.get(learner.name, [])
        if runs:
            yield _row(learner, runs, by_name.get(learner.rival, [])).rstrip()


def _row(learner: Learner, runs: Sequence[Result], ours: Sequence[Result]) -> str:
    seconds = [run.solved_seconds for run in runs]
    steps = median_interval([run.solved_steps for run in runs])
    ratio = ""
    if ours:
        rival = [run.solved_seconds for run in ours]
        ratio = _text(ratio_interval(seconds, rival), ".1f")
    return _ROW.format(
        learner.name,
        f"{sum(run.solved for run in runs)}/{len(runs)}",
        _text(steps, ",.0f"),
        _text(median_interval(seconds), ".3g"),
        ratio,
    )


def _text(interval: Interval, form: str) -> str:
    """Centre and interval; what is infinite was never reached."""
    centre, low, high = (
        "never" if math.isinf(x) else "?" if math.isnan(x) else format(x, form)
        for x in interval
    )
    return f"{centre} [{low}, {high}]"
