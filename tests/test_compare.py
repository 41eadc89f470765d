"""Comparing runs: who belongs together, what is drawn, and what is left out."""

import re

import numpy as np
import pytest
from PIL import Image

from chula_rl import cli, comparison, logs, runs
from chula_rl.algorithms import reinforce
from chula_rl.envs import ENV_ID
from chula_rl.errors import CheckpointError, ConfigError
from chula_rl.logs import RunLog
from chula_rl.runs import Run


def finished_run(path, seed=0, evaluations=None, env_id=ENV_ID, ended=None, **settings):
    """A run folder with made-up evaluations, ``{steps: mean return}``."""
    evaluations = evaluations or {50: 10.0, 100: 480.0}
    settings = {"total_steps": 100, "hidden": (2,), **settings}
    config = reinforce.Config(**settings)
    run = Run(path, "reinforce", env_id, seed, config, eval_every=50)
    state = run.create()
    with RunLog(path, state) as log:
        for steps, return_ in evaluations.items():
            row = {"steps": steps, "mean_return": return_, "std_return": 0.0}
            log.append_evaluation(row)
    state.steps = ended or max(evaluations)
    run.save(state)
    return run


def seeds(folder, *evaluations, **settings):
    return [
        finished_run(folder / f"seed{seed}", seed, each, **settings)
        for seed, each in enumerate(evaluations)
    ]


def test_the_numbers_of_a_group_by_hand(tmp_path):
    seeds(
        tmp_path,
        {50: 10.0, 100: 500.0},  # solved at 100
        {60: 480.0, 100: 300.0},  # solved at 60, and lost again
        {55: 30.0, 101: 400.0},  # never solved
        {50: 20.0, 110: 475.0},  # solved at 110, and 475 is enough
    )
    compared = comparison.compare([tmp_path])
    groups, threshold, left_out = compared
    (group,) = groups
    assert threshold == 475
    assert left_out == {}
    assert group.label == "reinforce"
    assert [run.seed for run in group.runs] == [0, 1, 2, 3]
    assert group.solved == [True, False, False, True]
    assert group.solved_steps.tolist() == [100, 60, np.inf, 110]
    assert group.curve.steps.tolist() == [50, 100]
    # the middle halves of 10, 20, 30, 480 and of 300, 400, 475, 500
    assert group.curve.centre.tolist() == [25, 437.5]
    line = " ".join(list(comparison.table(compared))[1].split())
    assert line.startswith("reinforce 4 2/4 105 (60, never) 437.5 [")


def test_one_update_may_pass_several_points(tmp_path):
    seeds(tmp_path, {130: 40.0, 200: 50.0}, total_steps=200)
    (group,) = comparison.compare([tmp_path]).groups
    assert group.curve.steps.tolist() == [50, 100, 150, 200]
    assert group.curve.centre.tolist() == [40, 40, 50, 50]


def test_groups_are_called_by_what_differs(tmp_path):
    seeds(tmp_path / "a", None, None)
    seeds(tmp_path / "b", None, gamma=0.5)
    seeds(tmp_path / "c", {300: 1.0}, gamma=0.5, total_steps=300)
    folders = [tmp_path / name for name in "cab"]
    groups = comparison.compare(folders).groups
    assert [group.label for group in groups] == [
        "reinforce gamma=0.5 total_steps=300",
        "reinforce gamma=0.998 total_steps=100",
        "reinforce gamma=0.5 total_steps=100",
    ]
    assert [len(group.runs) for group in groups] == [1, 2, 1]
    assert [group.curve.steps[-1] for group in groups] == [300, 100, 100]
    labels = ["long", "plain", "myopic"]
    named = comparison.compare(folders, labels).groups
    assert [group.label for group in named] == labels


def test_run_folders_and_their_parents_may_be_mixed(tmp_path):
    several = seeds(tmp_path, *[None] * 12)
    paths = [several[3].path, tmp_path, several[3].path]
    (group,) = comparison.compare(paths).groups
    assert [run.seed for run in group.runs] == [3, 0, 1, 2, *range(4, 12)]


def test_what_is_not_whole_is_left_out_by_name(tmp_path):
    good, *bad = seeds(tmp_path, *[None] * 5)
    bad[0].save(bad[0]._fresh_state())  # a checkpoint of the start
    (bad[1].path / logs.EVALUATIONS).unlink()
    (bad[2].path / runs.CHECKPOINT).write_bytes(b"")
    (bad[3].path / runs.CONFIG).write_text("{}")
    groups, _, left_out = comparison.compare([tmp_path])
    assert [group.runs for group in groups] == [[good]]
    assert list(left_out) == [run.path for run in bad]
    reasons = list(left_out.values())
    assert "did not come to its end" in reasons[0]
    assert "--resume" in reasons[0]
    assert "no such file" in reasons[1]
    assert "cannot be used" in reasons[2]
    assert "not one that this version" in reasons[3]


def test_nothing_whole_is_an_error(tmp_path):
    (run,) = seeds(tmp_path, None)
    (run.path / logs.EVALUATIONS).unlink()
    with pytest.raises(CheckpointError, match=r"no finished run.*seed0.*no such file"):
        comparison.compare([tmp_path])


@pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
def test_a_folder_without_runs(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=f"{name} holds no run"):
        comparison.compare([tmp_path / name])


def test_different_environments_are_refused(tmp_path):
    finished_run(tmp_path / "a")
    finished_run(tmp_path / "b", env_id="Pendulum-v1")
    with pytest.raises(ConfigError, match=rf"a was .* {ENV_ID} .*b in Pendulum-v1"):
        comparison.compare([tmp_path])


def test_a_seed_counts_once(tmp_path):
    finished_run(tmp_path / "a", seed=3)
    finished_run(tmp_path / "b", seed=3)
    with pytest.raises(ConfigError, match="same seed 3"):
        comparison.compare([tmp_path])


def test_an_environment_that_nobody_can_solve(tmp_path):
    finished_run(tmp_path / "a", env_id="Pendulum-v1")
    compared = comparison.compare([tmp_path])
    assert compared.threshold is None
    assert compared.groups[0].solved == [False]
    row = list(comparison.table(compared))[1].split()
    assert row == ["reinforce", "1", "-", "-", "480.0"]


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"], ["a", "a"]])
def test_labels_must_fit(tmp_path, labels):
    seeds(tmp_path / "a", None)
    seeds(tmp_path / "b", None, gamma=0.5)
    with pytest.raises(ConfigError, match=r"2 groups.*gamma=0\.5"):
        comparison.compare([tmp_path / "a", tmp_path / "b"], labels)


def test_the_command_draws_and_prints(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seeds(tmp_path / "a", None, None)
    stopped = finished_run(tmp_path / "a" / "seed2", seed=2)
    stopped.save(stopped._fresh_state())
    seeds(tmp_path / "b", None, gamma=0.5)
    assert cli.main(["compare", "a", "b", "--out", "x.png", "--labels", "A", "B"]) == 0
    captured = capsys.readouterr()
    assert re.search(r"^A +2 +2/2 +100 \(100, 100\) +480\.0 \[", captured.out, re.M)
    assert re.search(r"^B +1 +1/1 ", captured.out, re.M)
    assert captured.out.endswith("x.png\n")
    assert re.fullmatch(r"chula-rl: warning: a/seed2 is left out: .*\n", captured.err)
    with Image.open("x.png") as light, Image.open("x-dark.png") as dark:
        assert light.size == dark.size
        assert light.getpixel((0, 0))[0] > 200 > 50 > dark.getpixel((0, 0))[0]


def test_the_command_tells_mistakes_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    finished_run(tmp_path / "a")
    for options, message in [
        (["nowhere"], "nowhere holds no run"),
        (["a", "--labels", "x", "y"], "labels"),
        (["a", "--out", "x.txt"], "x.txt"),
        (["a", "--out", "no/x.png"], "no/x.png"),
    ]:
        assert cli.main(["compare", *options]) == 2
        err = capsys.readouterr().err
        assert re.fullmatch(rf"chula-rl: error: .*{message}.*\n", err)
