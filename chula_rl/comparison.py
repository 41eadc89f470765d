"""Runs with several seeds each, brought into one figure and one table."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from chula_rl.errors import CheckpointError, ConfigError
from chula_rl.logs import read_evaluations
from chula_rl.runs import CONFIG, Run
from chula_rl.statistics import Curve, learning_curve
from chula_rl.types import FloatArray


class Group(NamedTuple):
    """Runs that differ in nothing but their seeds.

    Attributes:
        label: in figure and table.
        runs: one for each seed.
        curve: interquartile mean over the seeds of the mean evaluation return.
        solved_steps: ``[num_seeds]``, environment steps at the first evaluation that
            counts as solved; ``inf`` if none does.
        solved: ``[num_seeds]``, whether the last evaluation counts as solved; False if
            the environment does not say what is.
    """

    label: str
    runs: Sequence[Run]
    curve: Curve
    solved_steps: FloatArray
    solved: Sequence[bool]


class Comparison(NamedTuple):
    """What there is to compare.

    Attributes:
        groups: in the order in which their runs were given.
        threshold: return that counts as solved; None if the environment has none.
        left_out: folders of runs that cannot be compared, and why.
    """

    groups: Sequence[Group]
    threshold: float | None
    left_out: Mapping[Path, str]


def compare(paths: Sequence[Path], labels: Sequence[str] | None = None) -> Comparison:
    """Group the runs of some folders by everything but their seeds.

    Args:
        paths: of run folders, or of folders that hold run folders.
        labels: one for each group; None to call each by its algorithm and by the
            settings in which it differs from other groups of that algorithm.

    Returns:
        The groups, with the runs that came to their ends.

    Raises:
        CheckpointError: there is no run, or none that came to its end.
        ConfigError: the runs are of several environments, or a seed is there twice.
    """
    whole, left_out = _whole_runs(_find_runs(paths))
    if not whole:
        told = "; ".join(f"{path}: {why}" for path, why in left_out.items())
        raise CheckpointError(f"there is no finished run to compare. {told}")
    _check_one_environment(whole)
    grouped: dict[str, list[Run]] = defaultdict(list)
    for run in whole:
        grouped[_key(run)].append(run)
    groups = list(grouped.values())
    for group in groups:
        _check_seeds(group)
    threshold = whole[0].solved_at()
    names = _checked_labels(labels, _labels([group[0] for group in groups]))
    named = zip(names, groups, strict=True)
    return Comparison([_group(*pair, threshold) for pair in named], threshold, left_out)


def table(comparison: Comparison) -> Iterator[str]:
    """The lines of a table, one for each group under a heading."""
    groups, threshold, _ = comparison
    width = max(5, *(len(group.label) for group in groups))
    yield (
        f"{'group':{width}}  seeds  solved  {'steps to solve: median (min, max)':34}"
        "  final return [95% interval]"
    )
    for group in groups:
        seeds, steps = len(group.runs), group.solved_steps
        solved, when = "-", "-"
        if threshold is not None:
            solved = f"{sum(group.solved)}/{seeds}"
            middle, *ends = map(_steps, (np.median(steps), min(steps), max(steps)))
            when = f"{middle} ({', '.join(ends)})"
        row = f"{group.label:{width}}  {seeds:>5}  {solved:>6}  {when:34}"
        yield f"{row}  {_last_point(group)}"


def _last_point(group: Group) -> str:
    _, centre, low, high = group.curve
    interval = f" [{low[-1]:.1f}, {high[-1]:.1f}]" if len(group.runs) > 1 else ""
    return f"{centre[-1]:.1f}{interval}"


def _steps(steps: float) -> str:
    return f"{steps:,.0f}" if np.isfinite(steps) else "never"


def _find_runs(paths: Sequence[Path]) -> list[Path]:
    """The run folders among ``paths`` and directly below them, each once."""
    found: dict[Path, Path] = {}
    for path in paths:
        below = path.iterdir() if path.is_dir() else []
        holders = [p for p in below if (p / CONFIG).exists()]
        # by length first: seed10 after seed9
        ordered = sorted(holders, key=lambda p: (len(p.name), p.name))
        here = [path] if (path / CONFIG).exists() else ordered
        if not here:
            raise CheckpointError(
                f"{path} holds no run, nor a folder with one. Expected folders made by "
                "`chula-rl train`."
            )
        found |= {p.resolve(): p for p in here if p.resolve() not in found}
    return list(found.values())


def _whole_runs(paths: Sequence[Path]) -> tuple[list[Run], dict[Path, str]]:
    whole, left_out = [], {}
    for path in paths:
        try:
            run = Run.read(path)
            evaluations = read_evaluations(path)
            if not run.finished():
                steps = evaluations["steps"]
                last = f"at {steps[-1]:,.0f}" if len(steps) else "nowhere"
                raise CheckpointError(
                    f"it did not come to its end (evaluated last {last} of "
                    f"{run.config.total_steps:,} steps); go on with it (--resume)"
                )
            whole.append(run)
        except CheckpointError as error:
            left_out[path] = str(error)
    return whole, left_out


def _check_one_environment(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs:
        if run.env_id != first.env_id:
            raise ConfigError(
                f"{first.path} was trained in {first.env_id} and {run.path} in "
                f"{run.env_id}; returns of different environments cannot be compared. "
                "Make a figure for each."
            )


def _check_seeds(group: Sequence[Run]) -> None:
    seen: dict[int, Path] = {}
    for run in group:
        if run.seed in seen:
            raise ConfigError(
                f"{seen[run.seed]} and {run.path} are the same run with the same seed "
                f"{run.seed}; counted twice it would feign certainty. Leave one out."
            )
        seen[run.seed] = run.path


def _key(run: Run) -> str:
    return json.dumps({**run.identity(), "seed": None})


def _labels(runs: Sequence[Run]) -> list[str]:
    """The algorithm, and the settings in which its groups differ, for each group."""
    settings: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        settings[run.algorithm].append(run.identity()["config"])
    labels = []
    for run in runs:
        others = settings[run.algorithm]
        own = run.identity()["config"]
        differing = [
            f"{name}={value}"
            for name, value in own.items()
            if any(other[name] != value for other in others)
        ]
        labels.append(" ".join([run.algorithm, *differing]))
    return labels


def _checked_labels(labels: Sequence[str] | None, groups: list[str]) -> Sequence[str]:
    if labels is None:
        return groups
    if len(labels) != len(groups) or len(set(labels)) < len(labels):
        raise ConfigError(
            f"the labels are {list(labels)}; expected a different one for each of the "
            f"{len(groups)} groups: {', '.join(groups)}."
        )
    return labels


def _group(label: str, runs: Sequence[Run], threshold: float | None) -> Group:
    total = runs[0].config.total_steps
    every = max(run.eval_interval for run in runs)
    points = np.array([*range(every, total, every), total], dtype=float)
    scores, solved_steps, solved = [], [], []
    for run in runs:
        evaluations = read_evaluations(run.path)
        steps, return_ = evaluations["steps"], evaluations["mean_return"]
        # at each point the first evaluation from there on
        index = np.minimum(np.searchsorted(steps, points), len(steps) - 1)
        scores.append(return_[index])
        good = return_ >= (np.inf if threshold is None else threshold)
        solved_steps.append(steps[good][0] if good.any() else np.inf)
        solved.append(bool(good[-1]))
    curve = learning_curve(points, np.array(scores))
    return Group(label, runs, curve, np.array(solved_steps), solved)
