"""The tables of departures, as the chapters show them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from chula_rl.benchmarks.book_tables import (
    beside_published,
    departures_table,
    published_curve,
    read_rows,
)
from chula_rl.settings import Published, setting, settings
from chula_rl.statistics import Curve

ROWS = """algorithm,setting,ours,paper,seeds,solved,first_solved_median,\
final_iqm,final_low,final_high
a,,,,10,9,12000,499.6,480.2,500.0
a,rate,0.1,0.01,10,0,,41.2,12.1,86.9
b,rate,1,2,3,4,5,6,7,8
"""


@settings
class Config(Published):
    """A toy."""

    rate: float = setting(0.1, "how fast", paper=0.01)


@pytest.fixture
def rows(tmp_path):
    (tmp_path / "departures.csv").write_text(ROWS)
    return read_rows(tmp_path / "departures.csv", "a")


def test_a_row_for_the_default_and_for_each_setting(rows):
    table, legend = departures_table(rows, Config, {"rate": "because"}).split("\n\n")
    assert legend.startswith("*Solved*: seeds whose last evaluation is at least 475.")
    *_, default, rate = table.split("\n")
    assert default == "| *all as here* |  |  | 9 of 10 | 12,000 | 500 [480, 500] |"
    expected = "| `rate` (how fast): because | `0.1` | `0.01` | 0 of 10 | never |"
    assert rate == f"{expected} 41 [12, 87] |"


def test_a_setting_without_a_reason_is_an_error(rows):
    with pytest.raises(KeyError, match="rate"):
        departures_table(rows, Config, {})


def test_a_published_curve(tmp_path):
    text = "algorithm,steps,iqm,low,high\na,10,1.5,1,2\nb,1,1,1,1\na,20,3,2,4\n"
    (tmp_path / "published.csv").write_text(text)
    steps, centre, low, high = published_curve(
        read_rows(tmp_path / "published.csv", "a")
    )
    assert [*steps, *centre] == [10, 20, 1.5, 3]
    assert [*low, *high] == [1, 2, 2, 4]


def test_the_curves_beside_each_other_have_axes_of_steps_of_their_own():
    here = np.array([10, 20]), np.array([[100.0, 200.0], [300.0, 400.0]])
    paper = Curve(np.array([1_000, 9_000]), *[np.array([3.0, 4.0])] * 3)
    figure = Figure()
    beside_published(*here, paper)(figure)
    left, right = figure.axes
    assert [ax.get_title() for ax in figure.axes] == [
        "settings here",
        "settings of the paper",
    ]
    assert left.lines[0].get_ydata().tolist() == [200, 300]  # of two seeds, the mean
    assert right.lines[0].get_xdata().tolist() == [1_000, 9_000]
    assert left.get_ylim() == right.get_ylim() == (0, 510)
