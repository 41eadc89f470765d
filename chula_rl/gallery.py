"""The bug gallery: diagnostics of training runs with a mistake in the code, recorded.

A case is a handful of runs with the same wrong function and different seeds; healthy
runs of the same algorithm are there to compare. In the assignment ``gallery`` students
name the mistake from the diagnostics alone. ``chula-rl assignments gallery`` records.
"""

import functools
import html
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from safetensors import safe_open

from chula_rl.errors import ConfigError
from chula_rl.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Third = Literal["first", "last"]
Place = Literal["above", "within", "below"]
THIRDS: tuple[Third, ...] = ("first", "last")

COLUMNS = (
    *("steps", "return", "realised", "value", "value_error", "explained_variance"),
    *("q", "critic_error", "entropy", "clip_fraction"),
    *("policy_grad_norm", "value_grad_norm", "actor_grad_norm", "critic_grad_norm"),
    *("update_norm", "target_gap"),
)  # in the order of the figures
LOGARITHMIC = ("norm", "critic_error", "target_gap")  # how their names end
_DATA = Path(__file__).parent / "data" / "gallery.safetensors"


class Runs(NamedTuple):
    """Recorded runs of one case, or of the healthy code.

    Attributes:
        algorithm: ``"a2c"`` or ``"ddpg"``.
        columns: from name to ``[num_seeds, K]``; NaN where there was nothing to tell.
        hints: what to read when one is stuck, one after the other.
    """

    algorithm: str
    columns: dict[str, FloatArray]
    hints: tuple[str, ...] = ()


@functools.cache
def recorded() -> dict[str, Runs]:
    """All recorded runs: the cases, and the healthy ones by their algorithm."""
    with safe_open(_DATA, framework="numpy") as file:
        about, keys = json.loads(file.metadata()["about"]), set(file.keys())
        return {
            name: Runs(
                data["algorithm"],
                {
                    column: file.get_tensor(f"{name}/{column}")
                    for column in COLUMNS
                    if f"{name}/{column}" in keys
                },
                tuple(data["hints"]),
            )
            for name, data in about.items()
        }


@functools.cache
def mistakes(algorithm: str) -> dict[str, str]:
    """What may be wrong in the runs of an algorithm: from name to a sentence.

    Raises:
        ConfigError: there are no runs of that algorithm.
    """
    with safe_open(_DATA, framework="numpy") as file:
        found: dict[str, dict[str, str]] = json.loads(file.metadata()["mistakes"])
    if algorithm not in found:
        raise ConfigError(
            f"no runs of {algorithm!r} are in the gallery; expected one of {[*found]}."
        )
    return found[algorithm]


def case(name: str) -> tuple[Runs, Runs]:
    """The runs of a case, and the healthy ones of its algorithm.

    Raises:
        ConfigError: there is no such case.
    """
    runs = recorded()
    if name not in runs:
        raise ConfigError(f"there is no case {name!r}; expected one of {list(runs)}.")
    return runs[name], runs[runs[name].algorithm]


def place(name: str, column: str, third: Third) -> Place:
    """Where a column of a case lies, beside the healthy runs.

    Of each seed the mean over a third of the training counts. A case is above if all
    of its seeds are above all healthy ones, and below likewise.

    Args:
        name: of the case.
        column: of the diagnostics.
        third: of the training.

    Raises:
        ConfigError: there is no such case, column or third.
    """
    sick, healthy = case(name)
    if column not in sick.columns or third not in THIRDS:
        raise ConfigError(
            f"there is no {column!r} in the {third!r} third; expected one of "
            f"{list(sick.columns)} in one of {THIRDS}."
        )
    return place_of(sick.columns[column], healthy.columns[column], third)


def place_of(sick: FloatArray, healthy: FloatArray, third: Third) -> Place:
    """As ``place``, of two arrays ``[num_seeds, K]``."""
    ours, theirs = means(sick, third), means(healthy, third)
    if ours.min() > theirs.max():
        return "above"
    return "below" if ours.max() < theirs.min() else "within"


def means(runs: FloatArray, third: Third) -> FloatArray:
    """The mean of each of some runs ``[num_seeds, K]`` over a third of the training."""
    size = runs.shape[1] // 3
    part = runs[:, :size] if third == "first" else runs[:, -size:]
    found: FloatArray = np.nanmean(part, axis=1)
    return found


def check(name: str, answer: object) -> None:
    """Pass if an answer has the right form, and its column shows something.

    Args:
        name: of the case.
        answer: a mistake of the list, and a column that leaves the healthy runs.

    Raises:
        AssertionError: it has not; whether the mistake is the right one is not said.
        ConfigError: there is no such case.
    """
    runs, _ = case(name)
    match answer:
        case [str(mistake), str(column)]:
            pass
        case _:
            raise AssertionError(
                f"Case {name}: return the name of a mistake and a column, two texts."
            )
    if mistake not in mistakes(runs.algorithm):
        raise AssertionError(
            f"Case {name}: {mistake[:40]!r} is not in the list of {runs.algorithm}: "
            "copy a name from there."
        )
    if column not in runs.columns:
        raise AssertionError(
            f"Case {name}: there is no column {column[:40]!r}; there are "
            f"{', '.join(runs.columns)}."
        )
    if all(place(name, column, third) == "within" for third in THIRDS):
        raise AssertionError(
            f"Case {name}: {column} stays within the healthy runs in both thirds, so "
            "it shows nothing."
        )


def draw(figure: "Figure", name: str) -> None:
    """Draw each column of a case, a line for each seed, over the band of healthy runs.

    Args:
        figure: an empty one.
        name: of the case.

    Raises:
        ConfigError: there is no such case.
    """
    sick, healthy = case(name)
    columns = [column for column in sick.columns if column != "steps"]
    axes = list(figure.subplots(math.ceil(len(columns) / 3), 3, sharex=True).flat)
    for ax, column in zip(axes, columns, strict=False):
        steps, theirs = healthy.columns["steps"][0], healthy.columns[column]
        band = np.nanmin(theirs, axis=0), np.nanmax(theirs, axis=0)
        ax.fill_between(steps, *band, color="0.5", alpha=0.3, label="healthy runs")
        label = f"case {name}, each seed"
        for run in sick.columns[column] if name != sick.algorithm else []:
            ax.plot(steps, run, color="C1", linewidth=0.8, label=label)
            label = ""
        ax.set_title(column, fontsize="medium")
        ax.set_yscale("log" if column.endswith(LOGARITHMIC) else "linear")
        ax.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:.0f}k")
    for ax in axes[len(columns) - 3 : len(columns)]:
        ax.tick_params(labelbottom=True)
    for ax in axes[len(columns) :]:
        ax.set_axis_off()
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2)


class Hints:
    """The hints of a case, folded away in a notebook.

    Args:
        name: of the case.

    Raises:
        ConfigError: there is no such case.
    """

    def __init__(self, name: str) -> None:
        self._texts = case(name)[0].hints

    def __repr__(self) -> str:
        return f"[{len(self._texts)} hints: open the notebook in Jupyter to read them]"

    def _repr_html_(self) -> str:
        return "\n".join(
            f"<details><summary>Hint {i}</summary><p>{html.escape(text)}</p></details>"
            for i, text in enumerate(self._texts, 1)
        )
