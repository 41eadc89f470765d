"""Run folders: what they hold, what they refuse, and what they never delete."""

import json
import sys

import gymnasium as gym
import pytest
import torch

from chula_rl import logs, runs
from chula_rl.algorithms.reinforce import Config
from chula_rl.envs import ENV_ID, SOLVED_RETURN
from chula_rl.errors import CheckpointError, ConfigError, UnsupportedEnvError
from chula_rl.runs import Run


def small_run(path, seed=0, **settings):
    config = Config(total_steps=600, num_episodes=2, hidden=(4,), **settings)
    return Run(path, "reinforce", ENV_ID, seed, config, eval_episodes=3)


def mark_as_learnt(run):
    (run.path / logs.METRICS).write_text("steps\n1\n")


def test_a_folder_gives_back_its_run(tmp_path):
    run = small_run(tmp_path / "a" / "b", seed=7, learned_baseline=False)
    run.create()
    assert Run.read(run.path) == run
    versions = json.loads((run.path / "config.json").read_text())["versions"]
    assert versions["gymnasium"] == gym.__version__
    assert versions["torch"] == torch.__version__
    assert versions["python"] == sys.version.split()[0]
    assert run.saved_steps() == 0
    assert not run.finished()


def test_evaluations_are_a_twentieth_of_the_training_apart(tmp_path):
    run = small_run(tmp_path)
    assert run.eval_interval == 30
    assert (
        Run(tmp_path, "reinforce", ENV_ID, 0, Config(total_steps=7)).eval_interval == 1
    )
    other = Run(tmp_path, "reinforce", ENV_ID, 0, Config(), eval_every=123)
    assert other.eval_interval == 123


def test_a_run_is_overwritten_only_if_asked(tmp_path):
    run = small_run(tmp_path / "run")
    run.create()
    mark_as_learnt(run)
    for name in (logs.EVALUATIONS, runs.LEARNING_CURVE, runs.GIF):
        (run.path / name).touch()
    (run.path / logs.TENSORBOARD).mkdir()
    other = small_run(run.path, seed=1)
    with pytest.raises(CheckpointError, match=r"--resume.*--out.*--overwrite"):
        other.create()
    assert Run.read(run.path) == run

    (run.path / "notes.txt").write_text("mine")
    other.create(overwrite=True)
    assert Run.read(run.path) == other
    assert {file.name for file in run.path.iterdir()} == {
        *(runs.CONFIG, runs.CHECKPOINT, "notes.txt")
    }


def test_a_run_that_failed_before_its_first_update_is_replaced(tmp_path):
    run = small_run(tmp_path / "run")
    run.create()
    (run.path / logs.METRICS).touch()
    other = small_run(run.path, seed=1)
    other.create()
    assert Run.read(run.path) == other


@pytest.mark.parametrize("content", ["{}", "[]", "not JSON", '{"algorithm": "other"}'])
def test_a_folder_of_somebody_else_is_never_touched(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"in the way.*another --out"):
        small_run(tmp_path).create(overwrite=True)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        Run.read(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]
    assert (tmp_path / "config.json").read_text() == content


def test_a_file_in_the_way(tmp_path):
    path = tmp_path / "run"
    path.write_text("a file")
    with pytest.raises(CheckpointError, match="in the way"):
        small_run(path).create(overwrite=True)
    with pytest.raises(CheckpointError, match="holds no run"):
        Run.read(path)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run, other = small_run(tmp_path / "run"), small_run(tmp_path / "other", seed=1)
    run.create()
    other.create()
    (run.path / runs.CHECKPOINT).write_bytes(
        (other.path / runs.CHECKPOINT).read_bytes()
    )
    with pytest.raises(CheckpointError, match=r"another run \(seed 1, expected 0\)"):
        run.restore()


@pytest.mark.parametrize("settings", [{"seed": 1}, {"gamma": 0.5}])
def test_going_on_with_another_run_is_refused(tmp_path, settings):
    small_run(tmp_path / "run").create()
    with pytest.raises(CheckpointError, match="holds another run"):
        small_run(tmp_path / "run", **settings).start_or_restore()


def test_going_on_starts_what_never_started(tmp_path):
    run = small_run(tmp_path / "run")
    first = run.start_or_restore()
    (run.path / runs.CHECKPOINT).unlink()  # killed before it was written
    again = run.start_or_restore()
    assert torch.equal(first.policy.mean[0].weight, again.policy.mean[0].weight)
    (run.path / runs.CHECKPOINT).unlink()
    mark_as_learnt(run)  # now something would be lost
    with pytest.raises(CheckpointError, match="No such file"):
        run.start_or_restore()


def test_equal_checkpoints_only_for_equal_seeds(tmp_path):
    states = [
        small_run(tmp_path / str(i), seed).create() for i, seed in enumerate([0, 0, 1])
    ]
    first, same, other = (state.policy.mean[0].weight for state in states)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"eval_every": 0}, "eval_every is 0"),
        ({"eval_episodes": 0}, "eval_episodes is 0"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        Run(
            tmp_path, "reinforce", ENV_ID, **{"seed": 0, "config": Config(), **settings}
        )


@pytest.mark.parametrize(
    ("env_id", "package"),
    [("phys2d/CartPole-v1", "jax"), ("no_such_package:Env-v0", "no_such_package")],
)
def test_an_environment_whose_package_is_missing(
    tmp_path, monkeypatch, env_id, package
):
    monkeypatch.setitem(sys.modules, package, None)
    run = Run(tmp_path / "run", "reinforce", env_id, 0, Config())
    with pytest.raises(UnsupportedEnvError, match=rf"not installed.*{package}"):
        run.create()
    assert not run.path.exists()


@pytest.mark.parametrize(
    ("env_id", "threshold"),
    [
        (ENV_ID, SOLVED_RETURN),
        (f"chula_rl:{ENV_ID}", SOLVED_RETURN),
        ("Pendulum-v1", None),
        ("MountainCarContinuous-v0", 90.0),
    ],
)
def test_the_return_that_counts_as_solved(tmp_path, env_id, threshold):
    assert Run(tmp_path, "reinforce", env_id, 0, Config()).solved_at() == threshold
