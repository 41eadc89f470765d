"""Figures for both themes, learning curves, frames and GIFs."""

import itertools
import os
import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from chula_rl import ContinuousCartPoleEnv, GaussianPolicy, evaluate, rendering
from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError
from chula_rl.evaluation import Curve

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


@pytest.mark.parametrize("theme", [rendering.LIGHT, rendering.DARK])
def test_colours_can_be_read_on_the_page(theme):
    assert contrast(theme.text, theme.background) >= 7
    for colour in rendering.COLOURS:
        assert contrast(colour, theme.background) >= 3


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_colours_are_told_apart_by_the_colour_blind(kind):
    seen = [cielab(COLOUR_BLIND[kind] @ linear_rgb(c)) for c in rendering.COLOURS]
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
    shown = variants(rendering.show_figure(draw_lines, alt=alt, width=5, height=2))
    assert set(shown) == {"only-light", "only-dark"}
    for svg in shown.values():
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == alt
        assert svg.get("viewBox") == "0 0 360 144"


def test_ids_are_unique_and_every_reference_is_met():
    figures = [
        rendering.show_figure(draw_lines, alt="one"),
        rendering.show_figure(draw_lines, alt="another"),
    ]
    everything = []
    for figure in figures:
        for svg in variants(figure).values():
            ids, references = ids_and_references(svg)
            assert references  # glyphs, clips, markers
            assert references <= set(ids)
            everything += ids
    assert len(everything) == len(set(everything))


def test_a_figure_leaves_the_page_alone():
    text = rendering.show_figure(draw_lines, alt="lines")._repr_html_()
    assert "<style" not in text  # would apply to every image of the page
    assert "<!--" not in text
    assert "<?xml" not in text
    assert rendering.LIGHT.background not in text  # transparent
    assert rendering.DARK.background not in text


def test_a_figure_is_the_same_every_time_and_changes_no_settings():
    before = dict(matplotlib.rcParams)
    first = rendering.show_figure(draw_lines, alt="lines")
    assert first._repr_html_() == (
        rendering.show_figure(draw_lines, alt="lines")._repr_html_()
    )
    assert dict(matplotlib.rcParams) == before


def test_each_theme_has_its_colours():
    figure = rendering.show_figure(draw_lines, alt="lines")
    assert rendering.LIGHT.text in figure.light
    assert rendering.DARK.text in figure.dark
    assert rendering.DARK.text not in figure.light
    assert repr(figure) == "[Figure: lines]"


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ConfigError, match="what the figure shows"):
        rendering.show_figure(draw_lines, alt=alt)


def test_learning_curve_has_line_interval_and_seeds():
    steps = np.array([10.0, 20.0, 30.0])
    scores = np.array([[1.0, 5.0, 6.0], [3.0, 4.0, 9.0]])
    curve = Curve(steps, np.array([2.0, 4.5, 7.5]), scores.min(0), scores.max(0))
    ax = Figure().subplots()
    rendering.plot_learning_curve(ax, curve, scores, label="with baseline")

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


def test_saved_learning_curve_is_light_and_dark(tmp_path):
    metrics = {"steps": np.array([1.0, 2.0]), "return": np.array([10.0, 20.0])}
    rendering.save_learning_curve(tmp_path / "curve.png", metrics, threshold=15.0)
    for name, theme in [
        ("curve.png", rendering.LIGHT),
        ("curve-dark.png", rendering.DARK),
    ]:
        with Image.open(tmp_path / name) as image:
            corner = image.convert("RGB").getpixel((0, 0))
        assert "#{:02x}{:02x}{:02x}".format(*corner) == theme.background


def test_frames_are_of_the_episode_that_evaluation_plays(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "of the user")
    policy = GaussianPolicy(4, 1)
    frames = rendering.rollout_frames(policy, seed=3)
    same = evaluate(policy, num_episodes=1, seed=3, vectorization_mode="sync")
    assert len(frames) == 1 + same.length[0]
    assert frames[0].shape == (400, 600, 3)
    assert (frames[0] != frames[-1]).any()
    assert os.environ["SDL_VIDEODRIVER"] == "of the user"


def test_a_window_is_drawn_once_for_each_step(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    drawn = []
    monkeypatch.setattr(
        ContinuousCartPoleEnv, "render", lambda self: drawn.append(self.render_mode)
    )
    shown = list(rendering.play(GaussianPolicy(4, 1), ENV_ID, 0, "human"))
    assert drawn == ["human"] * len(shown)
    assert set(shown) == {None}


def test_gif_plays_all_frames_at_their_speed(tmp_path):
    frames = [np.full((8, 6, 3), value, dtype=np.uint8) for value in (0, 90, 90, 255)]
    rendering.save_gif(frames, tmp_path / "a.gif", fps=25)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.size == (6, 8)
        assert gif.info["loop"] == 0
        milliseconds, values = [], []
        for i in range(gif.n_frames):
            gif.seek(i)
            milliseconds.append(gif.info["duration"])
            values.append(gif.convert("L").getpixel((0, 0)))
    assert sum(milliseconds) == 4 * 40
    assert values == pytest.approx([0, 90, 255], abs=2)


def test_gif_needs_a_frame(tmp_path):
    with pytest.raises(ConfigError, match="at least one"):
        rendering.save_gif([], tmp_path / "a.gif")
