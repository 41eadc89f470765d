"""Timing: the arithmetic, by a false clock; nothing here depends on a real one."""

import re

import pytest

from chula_rl.benchmarks import env as benchmarks
from chula_rl.benchmarks import env_speed_table
from chula_rl.errors import ConfigError


def test_speed_is_calls_by_time(monkeypatch):
    now = 0.0

    def call():
        nonlocal now
        now += 0.125

    monkeypatch.setattr(benchmarks.time, "perf_counter", lambda: now)
    assert benchmarks._calls_per_second(call, seconds=1.0) == 8.0
    assert benchmarks._calls_per_second(call, seconds=0.01) == 8.0  # a whole call


def test_medians_and_the_ratio_of_neighbours(monkeypatch):
    speeds = iter([10.0, 1.0, 30.0, 2.0, 20.0, 5.0])  # ours, theirs, ours, ...
    monkeypatch.setattr(benchmarks, "_calls_per_second", lambda *_: next(speeds))
    speed = benchmarks.vector_env_speed(num_envs=4, repetitions=3)
    assert speed == (4, 4 * 20.0, 4 * 2.0, 10.0)


def test_table_has_a_line_for_each_number_of_copies(monkeypatch):
    monkeypatch.setattr(benchmarks, "_calls_per_second", lambda *_: 1_000.0)
    single, head, *rows = env_speed_table([2, 16], repetitions=1)
    assert "1,000 steps/s" in single
    assert "SyncVectorEnv" in head
    assert [re.findall(r"[\d,.]+", row) for row in rows] == [
        ["2", "2,000", "2,000", "1.0"],
        ["16", "16,000", "16,000", "1.0"],
    ]


@pytest.mark.parametrize(("copies", "repetitions"), [([0], 1), ([2], 0)])
def test_nothing_to_measure_is_refused(copies, repetitions):
    with pytest.raises(ConfigError, match="at least 1"):
        list(env_speed_table(copies, repetitions))
