"""Departures from the papers: what is compared, the file of runs, tables, command."""

import argparse
import csv
import dataclasses
import json

import numpy as np
import pytest

from chula_rl.algorithms import a2c
from chula_rl.benchmarks import commands, departure_tables, departures
from chula_rl.benchmarks.departures import (
    Run,
    append_run,
    measure,
    measure_all,
    planned,
    read_runs,
    variants,
)
from chula_rl.errors import ConfigError
from chula_rl.evaluation import EVALUATION_SEED, evaluate

TINY = a2c.Config(num_envs=2, num_steps=4, total_steps=80, hidden=(4,))


def differing(config, other):
    return {
        field.name
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != getattr(other, field.name)
    }


@pytest.mark.parametrize("algorithm", departures.ALGORITHMS)
def test_each_variant_differs_in_its_own_setting_and_has_the_papers_value(algorithm):
    configs = variants(algorithm)
    default, published = configs.pop(""), configs.pop("published")
    assert default == type(default)()
    for name, config in configs.items():
        assert differing(config, default) <= {name}
        assert getattr(config, name) == getattr(published, name)
    assert differing(published, default) <= {*configs, *departures.BUDGETS}
    assert published == type(default).published()


def test_budgets_are_no_departures():
    names = set(variants("ddpg"))
    assert {"num_envs", "tau", "hidden", "layer_norm"} < names
    assert not names & {"total_steps", "capacity", "random_steps", "gamma"}


def test_slow_variants_come_first_and_have_fewer_seeds():
    runs = planned(["a2c", "ddpg"], 4)
    seeds = {}
    for run in runs:
        seeds.setdefault(run[:2], []).append(run.seed)
    slow = {("ddpg", setting) for setting in ("num_envs", "hidden", "published")}
    assert set(list(seeds)[:3]) == slow
    assert all(seeds[key] == [0, 1, 2] for key in slow)
    assert seeds["ddpg", "tau"] == seeds["a2c", "published"] == [0, 1, 2, 3]
    assert {run.seed for run in planned(["ddpg"], 1)} == {0}
    assert len({run.key for run in runs}) == len(runs)


@pytest.mark.parametrize(("names", "seeds"), [(["a3c"], 1), (["a2c"], 0)])
def test_nothing_to_compare_is_refused(names, seeds):
    with pytest.raises(ConfigError, match=r"'a3c'; expected some of|--seeds is 0"):
        planned(names, seeds)


def test_measured_run_has_the_returns_of_training_and_its_time_alone(monkeypatch):
    """A false clock: a second for an update, a hundred for an evaluation."""
    now, updates = 0.0, []
    real_update, real_evaluate = a2c.a2c_update, departures.training_scores

    def update(*args):
        nonlocal now
        now += 1.0
        updates.append(now)
        return real_update(*args)

    def scores(init, train, seeds, every, num_episodes):
        def slow(state):
            nonlocal now
            for one in train(state):
                now += 100.0
                yield one

        return real_evaluate(init, slow, seeds, every, num_episodes)

    real_train = a2c.train
    monkeypatch.setattr(a2c, "train", lambda state: real_train(state, update))
    monkeypatch.setattr(departures, "training_scores", scores)
    monkeypatch.setattr(departures.time, "process_time", lambda: now)
    run = measure(Run("a2c", "", 3, TINY), num_episodes=2)
    assert len(updates) == 10  # of 2 * 4 steps
    assert run.cpu_seconds == 10.0
    assert len(run.return_) == 10

    state = a2c.init(TINY, 3)
    by_hand = [
        evaluate(state.policy, num_episodes=2, seed=EVALUATION_SEED + 3).mean_return
        for _ in a2c.train(state)
    ]
    assert run.return_ == by_hand


def test_processes_give_what_this_one_does():
    runs = [Run("a2c", "", seed, TINY) for seed in (0, 1, 2)]
    found = sorted(measure_all(runs, jobs=2), key=lambda run: run.seed)
    for run, other in zip(runs, found, strict=True):
        assert other.return_ == measure(run).return_
        assert other[:4] == run[:4]


def test_evaluations_are_at_tenths():
    assert departures.evaluated_steps(50) == [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]
    with pytest.raises(ConfigError, match="total_steps is 55"):
        departures.evaluated_steps(55)


def fake(run):
    """Returns that a test can foretell: solved from the sixth evaluation on, by 0-2."""
    last = 480.0 + run.seed if run.seed < 3 else 100.0
    return run._replace(return_=[20.0] * 5 + [last] * 5, cpu_seconds=run.seed + 0.5)


def test_runs_come_back_from_the_file(tmp_path):
    path = tmp_path / "new" / "runs.jsonl"
    runs = planned(["a2c"], 2)
    for run in runs[:3]:
        append_run(path, fake(run))
    assert read_runs(path, runs) == [fake(run) for run in runs[:3]]
    assert read_runs(path, runs[2:]) == [fake(runs[2])]
    assert read_runs(tmp_path / "none", runs) == []


def test_runs_of_other_settings_are_measured_again(tmp_path):
    path = tmp_path / "runs.jsonl"
    old, new = (Run("a2c", "", 0, a2c.Config(num_envs=n)) for n in (3, 5))
    append_run(path, fake(old))
    assert read_runs(path, [new]) == []
    assert read_runs(path, [old]) == [fake(old)]


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_line_that_was_being_written_is_cut_off(tmp_path, cut):
    path = tmp_path / "file"
    runs = planned(["a2c"], 3)[:3]
    for run in runs[:2]:
        append_run(path, fake(run))
    path.write_bytes(path.read_bytes()[:-cut])
    assert read_runs(path, runs) == [fake(runs[0])]
    append_run(path, fake(runs[2]))
    assert [run.seed for run in read_runs(path, runs)] == [0, 2]


@pytest.mark.parametrize("line", ["{", "[]", "{}", "12", "null"])
def test_line_that_is_no_run_is_refused(tmp_path, line):
    path = tmp_path / "file"
    path.write_text(line + "\n")
    with pytest.raises(ConfigError, match=r"line 1 is no run .* another --raw"):
        read_runs(path, planned(["a2c"], 1))


def test_rows_of_departures_by_hand():
    config = a2c.Config(total_steps=1_000)
    runs = [fake(Run("a2c", "", seed, config)) for seed in (3, 1, 0, 2)]
    [row] = departure_tables.departures_table(runs)
    assert float(row.pop("final_low")) < 400 < float(row.pop("final_high"))
    assert row == {
        "algorithm": "a2c",
        "setting": "",
        "ours": "",
        "paper": "",
        "seeds": "4",
        "solved": "3",
        "first_solved_median": "600",
        "final_iqm": "480.5",  # of 480 and 481, the middle two of four
        "cpu_seconds": "2.00",
    }


def test_median_run_that_never_solved_it_leaves_the_cell_empty():
    runs = [fake(Run("a2c", "", seed, TINY)) for seed in (0, 3, 4)]
    [row] = departure_tables.departures_table(runs)
    assert (row["solved"], row["first_solved_median"]) == ("1", "")


def test_run_that_forgets_was_solved_first_and_not_at_the_end():
    forgets = Run("a2c", "", 0, TINY)._replace(return_=[9.0, 475.0] + [474.9] * 8)
    [row] = departure_tables.departures_table([forgets])
    assert (row["solved"], row["first_solved_median"]) == ("0", "16")


def test_settings_are_written_as_on_the_command_line():
    names = {"hidden", "bootstrap_at_truncation", "noise_theta"}
    runs = [fake(run) for run in planned(["ddpg"], 1) if run.setting in names]
    rows = {row["setting"]: row for row in departure_tables.departures_table(runs)}
    assert rows.keys() == names
    assert rows["hidden"]["paper"] == "400 300"
    assert rows["bootstrap_at_truncation"]["paper"] == "False"
    assert float(rows["noise_theta"]["paper"]) == 0.15


def test_published_curve_by_hand():
    config = variants("ddpg")["published"]
    config = dataclasses.replace(config, total_steps=200)
    runs = [fake(Run("ddpg", "published", seed, config)) for seed in (0, 1, 2)]
    rows = departure_tables.published_table(runs)
    assert [int(row["steps"]) for row in rows] == list(range(20, 201, 20))
    assert [row["iqm"] for row in rows] == ["20.0"] * 5 + ["481.0"] * 5
    assert rows[0] | {"low": "", "high": ""} == {
        "algorithm": "ddpg",
        "steps": "20",
        "iqm": "20.0",
        "low": "",
        "high": "",
        "seeds": "3",
        "total_steps": "200",
    }
    assert departure_tables.departures_table(runs) == []


@pytest.fixture
def run(monkeypatch, tmp_path):
    """``run(*arguments)`` of the command, without training; how much it measured."""
    measured = []

    def measure_all(runs, jobs):
        measured.append(len(runs))
        yield from map(fake, reversed(runs))

    monkeypatch.setattr(departures, "measure_all", measure_all)

    def run(*arguments):
        parser = argparse.ArgumentParser()
        commands.add_parsers(parser.add_subparsers())
        folders = [f"--out={tmp_path / 'data'}", f"--raw={tmp_path / 'raw.jsonl'}"]
        args = parser.parse_args(["departures", *folders, *arguments])
        assert args.func(args) == 0
        return measured.pop()

    return run


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_second_command_does_only_what_is_missing(run, tmp_path):
    per_seed = len(variants("a2c"))
    assert run("--algorithms", "a2c", "--seeds", "2") == 2 * per_seed
    assert run("--algorithms", "a2c", "--seeds", "2") == 0
    assert run("--algorithms", "a2c", "--seeds", "3") == per_seed
    lines = (tmp_path / "raw.jsonl").read_text().splitlines()
    assert np.bincount([json.loads(line)["seed"] for line in lines]).tolist() == (
        [per_seed] * 3
    )
    rows = rows_of(tmp_path / "data" / "departures.csv")
    assert [row["setting"] for row in rows] == list(variants("a2c"))[:-1]
    assert {row["seeds"] for row in rows} == {"3"}


def test_tables_keep_the_rows_of_other_algorithms_in_order(run, tmp_path):
    run("--algorithms", "ddpg", "--seeds", "1")
    run("--algorithms", "a2c", "--seeds", "1")
    for name in ("departures.csv", "published.csv"):
        rows = rows_of(tmp_path / "data" / name)
        algorithms = [row["algorithm"] for row in rows]
        assert algorithms == sorted(algorithms) and set(algorithms) == {"a2c", "ddpg"}
    run("--algorithms", "a2c", "--seeds", "2")
    rows = rows_of(tmp_path / "data" / "departures.csv")
    seeds = {(row["algorithm"], row["seeds"]) for row in rows}
    assert seeds == {("a2c", "2"), ("ddpg", "1")}


def test_tables_have_the_columns_that_the_book_reads(run, tmp_path):
    run("--algorithms", "reinforce", "--seeds", "1")
    heads = [
        (tmp_path / "data" / name).read_text().splitlines()[0]
        for name in ("departures.csv", "published.csv")
    ]
    assert heads == [
        "algorithm,setting,ours,paper,seeds,solved,first_solved_median,"
        "final_iqm,final_low,final_high,cpu_seconds",
        "algorithm,steps,iqm,low,high,seeds,total_steps",
    ]
