"""Figures for both themes, learning curves and comparisons."""

import itertools
import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from chula_rl import figures
from chula_rl.errors import ConfigError
from chula_rl.statistics import Curve

# Machado et al. (2009), complete colour blindness, on linear RGB
COLOUR_BLIND = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear_rgb(colour):
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """WCAG 2.2's contrast ratio."""
    dark, light = sorted(linear_rgb(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


def cielab(rgb):
    to_xyz = [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [figures.LIGHT, figures.DARK])
def test_colours_can_be_read_on_the_page(theme):
    assert contrast(theme.text, theme.background) >= 7
    for colour in figures.COLOURS:
        assert contrast(colour, theme.background) >= 3


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_colours_are_told_apart_by_the_colour_blind(kind):
    seen = [cielab(COLOUR_BLIND[kind] @ linear_rgb(c)) for c in figures.COLOURS]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert min(distances) > 15  # 2.3 is just noticeable


def draw_lines(fig):
    first, second = fig.subplots(1, 2)
    first.plot([0, 1], [0, 1], marker="o", label=r"$\theta$")
    first.legend()
    second.imshow(np.eye(3), interpolation="nearest")
    second.set_title("A title")


def variants(figure):
    page = ET.fromstring(figure._repr_html_())
    assert page.tag == "figure"
    assert page.get("class") == "chula-figure"
    return {div.get("class"): div[0] for div in page}


def ids_and_references(svg):
    text = ET.tostring(svg, encoding="unicode")
    ids = re.findall(r'\bid="([^"]*)"', text)
    return ids, set(re.findall(r'(?:href="|url\()#([^")]*)', text))


def test_both_themes_are_shown_with_a_text_for_those_who_cannot_see():
    alt = 'a "quote", <b> & more'
    shown = variants(figures.show_figure(draw_lines, alt=alt, width=5, height=2))
    assert set(shown) == {"only-light", "only-dark"}
    for svg in shown.values():
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == alt
        assert svg.get("viewBox") == "0 0 360 144"


def test_ids_are_unique_and_every_reference_is_met():
    shown = [
        figures.show_figure(draw_lines, alt="one"),
        figures.show_figure(draw_lines, alt="another"),
    ]
    everything = []
    for figure in shown:
        for svg in variants(figure).values():
            ids, references = ids_and_references(svg)
            assert references  # glyphs, clips, markers
            assert references <= set(ids)
            everything += ids
    assert len(everything) == len(set(everything))


def test_a_figure_leaves_the_page_alone():
    text = figures.show_figure(draw_lines, alt="lines")._repr_html_()
    assert "<style" not in text  # would apply to every image of the page
    assert "<!--" not in text
    assert "<?xml" not in text
    assert figures.LIGHT.background not in text  # transparent
    assert figures.DARK.background not in text


def test_a_figure_is_the_same_every_time_and_changes_no_settings():
    before = dict(matplotlib.rcParams)
    first = figures.show_figure(draw_lines, alt="lines")
    assert first._repr_html_() == (
        figures.show_figure(draw_lines, alt="lines")._repr_html_()
    )
    assert dict(matplotlib.rcParams) == before


def test_each_theme_has_its_colours():
    figure = figures.show_figure(draw_lines, alt="lines")
    assert figures.LIGHT.text in figure.light
    assert figures.DARK.text in figure.dark
    assert figures.DARK.text not in figure.light
    assert repr(figure) == "[Figure: lines]"


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ConfigError, match="what the figure shows"):
        figures.show_figure(draw_lines, alt=alt)


def test_learning_curve_has_line_interval_and_seeds():
    steps = np.array([10.0, 20.0, 30.0])
    scores = np.array([[1.0, 5.0, 6.0], [3.0, 4.0, 9.0]])
    curve = Curve(steps, np.array([2.0, 4.5, 7.5]), scores.min(0), scores.max(0))
    ax = Figure().subplots()
    figures.plot_learning_curve(ax, curve, scores, label="with baseline")

    centre, *seeds = ax.lines
    np.testing.assert_array_equal(centre.get_xydata().T, [steps, curve.centre])
    assert centre.get_label() == "with baseline"
    np.testing.assert_array_equal([seed.get_ydata() for seed in seeds], scores)
    (interval,) = ax.collections
    corners = np.unique(interval.get_paths()[0].vertices, axis=0)
    np.testing.assert_array_equal(
        corners, [[10, 1], [10, 3], [20, 4], [20, 5], [30, 6], [30, 9]]
    )
    assert all(seed.get_color() == centre.get_color() for seed in seeds)


def corner(path):
    """The colour of the page, of an image."""
    with Image.open(path) as image:
        rgb = image.convert("RGB").getpixel((0, 0))
    return "#{:02x}{:02x}{:02x}".format(*rgb)


@pytest.mark.parametrize("first", [10.0, np.nan])
def test_saved_learning_curve_is_light_and_dark(tmp_path, first):
    metrics = {"steps": np.array([1.0, 2.0]), "return": np.array([first, 20.0])}
    figures.save_learning_curve(tmp_path / "curve.png", metrics, threshold=15.0)
    assert corner(tmp_path / "curve.png") == figures.LIGHT.background
    assert corner(tmp_path / "curve-dark.png") == figures.DARK.background


def test_a_saved_figure_is_drawn_once_for_each_theme_at_its_size(tmp_path):
    drawn = []
    figures.save_figure(tmp_path / "a.png", drawn.append, width=4, height=2)
    assert [figure.get_facecolor() for figure in drawn] == [
        matplotlib.colors.to_rgba(theme.background)
        for theme in (figures.LIGHT, figures.DARK)
    ]
    with Image.open(tmp_path / "a-dark.png") as image:
        assert image.size == (600, 300)  # 150 dots per inch


@pytest.mark.parametrize("name", ["curve", "curve.gif2"])
def test_a_figure_of_an_unknown_format_is_refused_before_it_is_drawn(tmp_path, name):
    with pytest.raises(ConfigError, match=r"such as curve\.png"):
        figures.save_figure(tmp_path / name, lambda _: pytest.fail("was drawn"))
    assert not list(tmp_path.iterdir())


def comparison(monkeypatch, *args):
    """The figure that is saved, of the light theme."""
    saved = []
    monkeypatch.setattr(
        figures, "save_figure", lambda _, draw, **size: saved.append((draw, size))
    )
    figures.save_comparison(None, *args)
    ((draw, size),) = saved
    figure = Figure(figsize=(7.0, size["height"]), layout="constrained")
    draw(figure)
    figure.draw_without_rendering()
    return figure


def test_a_comparison_has_each_curve_over_its_own_steps(monkeypatch):
    curves = {
        label: Curve(*np.array([steps, centre, low, high], dtype=float))
        for label, (steps, centre, low, high) in {
            "a2c": ([1000, 2000], [1, 3], [0, 2], [2, 4]),
            "ddpg": ([500, 900, 4000], [5, 6, 7], [4, 5, 6], [6, 7, 8]),
        }.items()
    }
    figure = comparison(monkeypatch, curves, 6.5, "mean return")
    (ax,) = figure.axes
    *lines, threshold = ax.lines
    for line, (label, curve) in zip(lines, curves.items(), strict=True):
        assert line.get_label() == label
        np.testing.assert_array_equal(line.get_xdata(), curve.steps)
        np.testing.assert_array_equal(line.get_ydata(), curve.centre)
    bands = [band.get_paths()[0].get_extents() for band in ax.collections]
    assert [(b.x0, b.y0, b.x1, b.y1) for b in bands] == [
        (1000, 0, 2000, 4),
        (500, 4, 4000, 8),
    ]
    assert set(threshold.get_ydata()) == {6.5}
    assert ax.get_ylabel() == "mean return"
    assert "4,000" in [tick.get_text() for tick in ax.get_xticklabels()]


def test_the_legend_of_a_comparison_hides_no_data_and_is_whole(monkeypatch):
    steps = np.array([0.0, 1.0])
    curves = {
        f"reinforce learned_baseline=True gamma=0.{n}": Curve(steps, *[steps + n] * 3)
        for n in range(8)
    }
    figure = comparison(monkeypatch, curves, 3.0)
    (ax,), (legend,) = figure.axes, figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == [*curves, "solved"]
    box = legend.get_window_extent()
    assert not box.overlaps(ax.get_tightbbox())
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert ax.get_window_extent().height > 2.4 * figure.dpi  # the data keep their room


def test_twelve_curves_are_told_apart(tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, *_, **__: looks.append(
            {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
        ),
    )
    curve = Curve(*np.ones((4, 2)))
    labels = {str(n): curve for n in range(12)}
    figures.save_comparison(tmp_path / "a.png", labels, 1.0)
    assert [len(of_theme) for of_theme in looks] == [13, 13]


def test_a_comparison_is_saved_light_and_dark(tmp_path):
    curve = Curve(*np.ones((4, 1)))  # one point
    figures.save_comparison(tmp_path / "all.png", {"a": curve}, 1.0)
    assert corner(tmp_path / "all.png") == figures.LIGHT.background
    assert corner(tmp_path / "all-dark.png") == figures.DARK.background


def test_a_comparison_of_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least one curve"):
        figures.save_comparison(tmp_path / "all.png", {})
