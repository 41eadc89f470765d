"""Figures for light and dark pages, and learning curves."""

import hashlib
import html
import io
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chula_rl.errors import ConfigError
from chula_rl.statistics import Curve
from chula_rl.types import FloatArray

# Four of the colours of Okabe and Ito (2008): told apart in every form of colour
# blindness, and with a contrast of at least 3 against both backgrounds.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": cycler(linestyle=["-", "--", "-."]) * cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "image.cmap": "cividis",
    "legend.frameon": False,
    "svg.fonttype": "path",
}


class Theme(NamedTuple):
    """Colours of the text and of the page on which a figure is shown."""

    name: str
    text: str
    background: str

    def style(self) -> dict[Any, Any]:
        """Settings of matplotlib."""
        text = ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor")
        ticks = ("xtick.color", "ytick.color", "grid.color", "hatch.color")
        page = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
        return {
            **_STYLE,
            **dict.fromkeys(text + ticks, self.text),
            **dict.fromkeys(page, self.background),
            "svg.hashsalt": self.name,
        }


LIGHT = Theme("light", text="#222832", background="#ffffff")
DARK = Theme("dark", text="#ced6dd", background="#14181e")


class ThemedFigure:
    """A figure as two SVG images, of which a page shows the one of its theme.

    A notebook displays it. The HTML is ``<figure class="chula-figure">`` around
    ``<div class="only-light">`` and ``<div class="only-dark">``, classes that
    pydata-sphinx-theme shows and hides. That theme also puts a light plate behind the
    HTML output of cells on dark pages; a style sheet takes it away with
    ``html[data-theme="dark"] .bd-content div.cell_output
    .text_html:has(.chula-figure) {background: none}``.

    Args:
        light: SVG text for a light page.
        dark: SVG text for a dark page.
        alt: what the figure shows, in words.
    """

    def __init__(self, light: str, dark: str, alt: str) -> None:
        self.light = light
        self.dark = dark
        self.alt = alt

    def __repr__(self) -> str:
        return f"[Figure: {self.alt}]"

    def _repr_html_(self) -> str:
        return (
            '<figure class="chula-figure">'
            f'<div class="only-light">{self.light}</div>'
            f'<div class="only-dark">{self.dark}</div></figure>'
        )


def show_figure(
    draw: Callable[[Figure], None], *, alt: str, width: float = 7.0, height: float = 3.6
) -> ThemedFigure:
    """Draw a figure for light pages and again for dark pages.

    Args:
        draw: draws on the empty figure that it is given, without pyplot; called twice,
            so it must not change anything else. Colours ``C0`` to ``C3`` and grey
            (``"0.5"``) are readable on both pages.
        alt: what the figure shows, in words, for those who cannot see it.
        width: in inches.
        height: in inches.

    Returns:
        An object to leave as the last expression of a notebook cell.

    Raises:
        ConfigError: ``alt`` is empty.

    Example:
        >>> def draw(fig):
        ...     ax = fig.subplots()
        ...     _ = ax.plot([0, 1, 4, 9])
        >>> show_figure(draw, alt="The squares of 0 to 3.")
        [Figure: The squares of 0 to 3.]
    """
    if not alt.strip():
        raise ConfigError("alt is empty; say in words what the figure shows.")
    light, dark = (_svg(draw, theme, alt, width, height) for theme in (LIGHT, DARK))
    return ThemedFigure(light, dark, alt)


def _svg(
    draw: Callable[[Figure], None], theme: Theme, alt: str, width: float, height: float
) -> str:
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context(theme.style()):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        figure.savefig(buffer, format="svg", transparent=True, metadata=no_metadata)
    return _inline(buffer.getvalue(), theme.name, alt)


def _inline(document: str, theme: str, alt: str) -> str:
    """An SVG document as an element that may stand beside others in one page."""
    digest = hashlib.sha256(f"{theme}{alt}{document}".encode()).hexdigest()[:8]
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    # a style element would apply to the whole page: the root's attribute says the same
    svg = re.sub(r"<style.*?</style>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{theme}-{digest}-", svg)
    style = "stroke-linejoin:round;stroke-linecap:butt;max-width:100%;height:auto"
    label = html.escape(alt, quote=True)
    return svg.replace(
        "<svg ", f'<svg role="img" aria-label="{label}" style="{style}" ', 1
    )


def plot_learning_curve(
    ax: Axes,
    curve: Curve,
    scores: FloatArray | None = None,
    label: str | None = None,
) -> None:
    """Draw a learning curve with its interval shaded.

    Args:
        ax: where to draw; the next colour of its cycle is used.
        curve: from ``statistics.learning_curve``.
        scores: ``[num_seeds, K]``, the single seeds, drawn faintly; None for none.
        label: for the legend.
    """
    (line,) = ax.plot(curve.steps, curve.centre, label=label, zorder=3)
    colour = line.get_color()
    ax.fill_between(
        curve.steps, curve.low, curve.high, color=colour, alpha=0.3, linewidth=0
    )
    if scores is not None:
        ax.plot(curve.steps, scores.T, "-", color=colour, alpha=0.2, linewidth=0.7)
    ax.set(xlabel="environment steps", ylabel="return")
    ax.xaxis.set_major_formatter("{x:,.0f}")


def save_figure(
    path: Path,
    draw: Callable[[Figure], None],
    *,
    width: float = 7.0,
    height: float = 3.6,
) -> None:
    """Save a figure as two images, light and dark.

    Args:
        path: of the light image, usually a ``.png``; the dark one gets ``-dark`` after
            the name's stem.
        draw: draws on the empty figure that it is given; as for ``show_figure``.
        width: in inches.
        height: in inches.

    Raises:
        ConfigError: matplotlib has no format of that suffix.
    """
    supported = Figure().canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in supported:
        raise ConfigError(
            f"{path.name} ends in {path.suffix!r}; expected the name of an image, such "
            "as curve.png or curve.svg."
        )
    for theme in (LIGHT, DARK):
        name = path.name if theme is LIGHT else f"{path.stem}-dark{path.suffix}"
        with matplotlib.rc_context(theme.style()):
            figure = Figure(figsize=(width, height), layout="constrained")
            draw(figure)
            figure.savefig(path.with_name(name), dpi=150)


def save_learning_curve(
    path: Path, metrics: Mapping[str, FloatArray], threshold: float | None = None
) -> None:
    """Save the learning curve of one run as images, light and dark.

    Args:
        path: of the light image; see ``save_figure``.
        metrics: columns ``steps`` and ``return``, both ``[K]``; NaN leaves a gap.
        threshold: the return that counts as solved, drawn as a line; None for none.
    """

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        ax.plot(metrics["steps"], metrics["return"])
        if threshold is not None:
            _draw_threshold(ax, threshold)
            ax.legend(loc="lower right")
        ax.set(xlabel="environment steps", ylabel="mean return in training")
        ax.xaxis.set_major_formatter("{x:,.0f}")

    save_figure(path, draw)


def save_comparison(
    path: Path,
    curves: Mapping[str, Curve],
    threshold: float | None = None,
    ylabel: str = "return",
) -> None:
    """Save learning curves in one figure, light and dark, to be compared.

    Args:
        path: of the light image; see ``save_figure``.
        curves: from label to ``statistics.learning_curve``; their steps may differ.
        threshold: the return that counts as solved, drawn as a line; None for none.
        ylabel: what the curves show.

    Raises:
        ConfigError: there are no curves, or as for ``save_figure``.
    """
    if not curves:
        raise ConfigError("curves is empty; expected at least one curve to draw.")

    def draw(figure: Figure) -> None:
        ax = figure.subplots()
        for label, curve in curves.items():
            plot_learning_curve(ax, curve, label=label)
        if threshold is not None:
            _draw_threshold(ax, threshold)
        ax.set_ylabel(ylabel)
        ax.yaxis.set_major_formatter("{x:,.10g}")
        handles, labels = ax.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=columns)

    # as many columns as fit beside each other in about 90 characters
    columns = max(1, min(len(curves) + 1, 90 // (8 + max(map(len, curves)))))
    rows = math.ceil((len(curves) + 1) / columns)
    save_figure(path, draw, height=3.4 + 0.22 * rows)


def _draw_threshold(ax: Axes, threshold: float) -> None:
    ax.axhline(threshold, color="0.5", linestyle=":", label="solved")
