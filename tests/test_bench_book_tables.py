"""The tables of departures, as the chapters show them."""

import pytest

from chula_rl.benchmarks.book_tables import curve, departures_table, read_rows
from chula_rl.settings import Published, setting, settings

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
    *_, default, rate = departures_table(rows, Config, {"rate": "because"}).split("\n")
    assert default == "| *all as here* |  |  | 9 of 10 | 12,000 | 500 [480, 500] |"
    expected = "| `rate` (how fast): because | `0.1` | `0.01` | 0 of 10 | never |"
    assert rate == f"{expected} 41 [12, 87] |"


def test_a_setting_without_a_reason_is_an_error(rows):
    with pytest.raises(KeyError, match="rate"):
        departures_table(rows, Config, {})


def test_a_published_curve(tmp_path):
    text = "algorithm,steps,iqm,low,high\na,10,1.5,1,2\nb,1,1,1,1\na,20,3,2,4\n"
    (tmp_path / "published.csv").write_text(text)
    steps, centre, low, high = curve(read_rows(tmp_path / "published.csv", "a"))
    assert [*steps, *centre] == [10, 20, 1.5, 3]
    assert [*low, *high] == [1, 2, 2, 4]
