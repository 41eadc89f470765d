"""The file of results, the table of them, and the commands."""

import argparse
import json
import math

import pytest

from chula_rl.benchmarks import commands, learners, training, update
from chula_rl.benchmarks.records import append_result, read_results
from chula_rl.benchmarks.summary import summary_table
from chula_rl.benchmarks.training import Learner, Protocol, Result
from chula_rl.errors import ConfigError

OURS = Learner("ours", print, 1, "lr=1", rival="ours")
THEIRS = Learner("theirs", print, 1, "lr=2", rival="ours")
PROTOCOL = Protocol()


def result(name, seed=0, seconds=1.0, steps=2_500):
    return Result(name, seed, steps, seconds, 5_000, 2.0, 490.0)


def test_results_come_back_from_the_file(tmp_path):
    path = tmp_path / "new" / "file.jsonl"
    never = Result("ours", 1, math.inf, math.inf, 9, 1.5, 20.0)
    for one in (result("ours"), never):
        append_result(path, one, OURS, PROTOCOL)
    assert read_results(path, [OURS], PROTOCOL) == [result("ours"), never]
    assert "Infinity" not in path.read_text()  # which is not JSON


def test_no_file_holds_no_results(tmp_path):
    assert read_results(tmp_path / "none") == []


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_line_that_was_being_written_is_cut_off(tmp_path, cut):
    path = tmp_path / "file"
    for seed in (0, 1):
        append_result(path, result("ours", seed), OURS, PROTOCOL)
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_results(path) == [result("ours", 0)]
    append_result(path, result("ours", 2), OURS, PROTOCOL)
    assert [r.seed for r in read_results(path)] == [0, 2]


@pytest.mark.parametrize(
    ("learner", "protocol"),
    [(Learner("ours", print, 1, "lr=9"), PROTOCOL), (OURS, Protocol(every=10))],
)
def test_results_of_other_settings_are_not_mixed(tmp_path, learner, protocol):
    path = tmp_path / "file"
    append_result(path, result("ours"), OURS, PROTOCOL)
    with pytest.raises(ConfigError, match=r"ours was measured .* another --out"):
        read_results(path, [learner], protocol)
    assert read_results(path, [THEIRS], protocol) == []  # not asked for


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"learner": "a"}', "12", "null"])
def test_line_that_is_no_result_is_refused(tmp_path, line):
    path = tmp_path / "file"
    path.write_text(line + "\n")
    with pytest.raises(ConfigError, match="line 1 is no result"):
        read_results(path)


def test_table_has_medians_and_ratios():
    results = [result("ours", s, seconds=0.5) for s in range(4)]
    results += [result("theirs", s, seconds=2.0, steps=10_000) for s in range(3)]
    results += [result("theirs", 3, seconds=math.inf, steps=math.inf)]
    _, ours, theirs = summary_table(results, [OURS, THEIRS, Learner("none", print, 1)])
    assert ours.split(maxsplit=2)[:2] == ["ours", "4/4"]
    assert "2,500 [2,500, 2,500]" in ours and "0.5 [0.5, 0.5]" in ours
    assert theirs.split(maxsplit=2)[:2] == ["theirs", "3/4"]
    assert "10,000 [10,000, never]" in theirs
    assert theirs.endswith("4.0 [4.0, never]")


def test_table_without_our_results_has_no_ratio():
    _, row = summary_table([result("theirs")], [THEIRS])
    assert row.endswith("1 [1, 1]")  # the seconds


@pytest.fixture
def run(monkeypatch, tmp_path):
    """``run(*arguments)`` of ``bench``, with two made-up learners and no training."""
    measured = []

    def run_all(chosen, seeds, protocol, done=()):
        for seed in seeds:
            for learner in chosen:
                if (learner.name, seed) not in done:
                    measured.append((learner.name, seed))
                    yield result(learner.name, seed)

    monkeypatch.setattr(training, "run_all", run_all)
    monkeypatch.setattr(learners, "select", lambda names: [OURS, THEIRS])

    def run(*arguments):
        parser = argparse.ArgumentParser()
        commands.add_parsers(parser.add_subparsers())
        args = parser.parse_args(list(arguments))
        measured.clear()
        assert args.func(args) == 0
        return list(measured)

    return run


def test_second_run_does_only_what_is_missing(run, tmp_path, capsys):
    out = str(tmp_path / "r.jsonl")
    first = run("train", "--seeds", "1", "--out", out)
    assert first == [("ours", 0), ("theirs", 0)]
    assert run("train", "--seeds", "2", "--out", out) == [("ours", 1), ("theirs", 1)]
    capsys.readouterr()
    assert run("train", "--seeds", "2", "--out", out) == []
    assert "2/2" in capsys.readouterr().out
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 0, 1, 1]


def test_other_seeds_of_the_file_are_not_in_the_table(run, tmp_path, capsys):
    out = str(tmp_path / "r.jsonl")
    run("train", "--seeds", "3", "--out", out)
    capsys.readouterr()
    run("train", "--seeds", "1", "--first-seed", "1", "--out", out)
    assert "1/1" in capsys.readouterr().out


def test_no_seeds_are_refused(run):
    with pytest.raises(ConfigError, match="--seeds is 0"):
        run("train", "--seeds", "0")


def test_update_times_are_medians_of_neighbours(monkeypatch):
    times = iter([10.0, 20.0, 30.0, 90.0, 20.0, 20.0])  # ours, theirs, ours, ...
    monkeypatch.setattr(update, "_microseconds", lambda _: next(times))
    timed = update._compare("x", print, print, repetitions=3)
    assert timed == ("x", 20.0, 20.0, 2.0)


def test_command_prints_the_updates_of_all_algorithms(run, capsys):
    run("update", "--repetitions", "2")
    head, *rows = capsys.readouterr().out.splitlines()
    assert "Stable-Baselines3" in head
    assert [row.split()[0] for row in rows] == ["reinforce", "a2c", "ddpg"]
    assert [row.count("us") for row in rows] == [1, 2, 2]


def test_updates_need_repetitions_and_stable_baselines3(monkeypatch):
    with pytest.raises(ConfigError, match="repetitions is 0"):
        list(update.update_times(0))
    monkeypatch.setattr(update.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="pip install stable-baselines3"):
        list(update.update_times(1))
