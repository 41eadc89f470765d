"""Run folders: what they hold, what they refuse, and going on after a crash."""

import json

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from chula_rl import runs
from chula_rl.algorithms.reinforce import Config, train
from chula_rl.envs import ENV_ID
from chula_rl.errors import CheckpointError, ConfigError
from chula_rl.runs import MetricsLog, Run, read_metrics


def small_run(path, seed=0, **settings):
    config = Config(total_steps=600, num_episodes=2, hidden=(4,), **settings)
    return Run(path, "reinforce", ENV_ID, seed, config)


def train_updates(run, state, num_updates, num_saved=None):
    """Train, and save after ``num_saved`` updates only, as if killed later."""
    num_saved = num_updates if num_saved is None else num_saved
    with MetricsLog(run.path, state) as log:
        for done, metrics in enumerate(train(state), start=1):
            log.append(metrics)
            if done == num_saved:
                log.flush()
                run.save(state)
            if done == num_updates:
                break


def tensorboard(run):
    events = EventAccumulator(str(run.path / runs.TENSORBOARD)).Reload()
    return [(event.step, event.value) for event in events.Scalars("return")]


def test_a_folder_gives_back_its_run(tmp_path):
    run = small_run(tmp_path / "a" / "b", seed=7, learned_baseline=False)
    run.create()
    assert Run.read(run.path) == run
    assert json.loads((run.path / "config.json").read_text())["version"]


def test_a_killed_run_goes_on_to_the_same_result(tmp_path):
    whole, killed = small_run(tmp_path / "whole"), small_run(tmp_path / "killed")
    train_updates(whole, whole.create(), 7)
    train_updates(killed, killed.create(), 5, num_saved=3)
    assert len(read_metrics(killed.path)["steps"]) == 5

    state = killed.restore()
    assert state.updates == 3
    train_updates(killed, state, 4)

    for name in (runs.METRICS, runs.CHECKPOINT):
        assert (killed.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert tensorboard(killed) == tensorboard(whole)


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path):
    whole, killed = small_run(tmp_path / "whole"), small_run(tmp_path / "killed")
    train_updates(whole, whole.create(), 2)
    train_updates(killed, killed.create(), 1, num_saved=9)
    train_updates(killed, killed.restore(), 2)
    assert (killed.path / runs.METRICS).read_bytes() == (
        (whole.path / runs.METRICS).read_bytes()
    )


def test_metrics_are_those_of_each_update(tmp_path):
    run = small_run(tmp_path / "run")
    state = run.create()
    yielded = []
    with MetricsLog(run.path, state) as log:
        for metrics in train(state):
            log.append(metrics)
            yielded.append(metrics)
    columns = read_metrics(run.path)
    for name in yielded[0]:
        np.testing.assert_array_equal(columns[name], [m[name] for m in yielded])
    steps, return_ = zip(*tensorboard(run), strict=True)
    np.testing.assert_array_equal(steps, columns["steps"])
    np.testing.assert_allclose(return_, columns["return"], rtol=1e-6)


def test_flushed_rows_survive_a_crash(tmp_path):
    run = small_run(tmp_path / "run")
    state = run.create()
    with MetricsLog(run.path, state) as log:
        log.append(next(train(state)))
        log.flush()
        assert read_metrics(run.path)["steps"].tolist() == [state.steps]
        assert tensorboard(run)[0][0] == state.steps


def test_lost_metrics_are_not_passed_over(tmp_path):
    run = small_run(tmp_path / "run")
    state = run.create()
    train_updates(run, state, 3)
    path = run.path / runs.METRICS
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(CheckpointError, match="2 rows; expected at least 3"):
        MetricsLog(run.path, run.restore())


def test_a_run_is_overwritten_only_if_asked(tmp_path):
    run = small_run(tmp_path / "run")
    train_updates(run, run.create(), 2)
    other = small_run(run.path, seed=1)
    with pytest.raises(CheckpointError, match=r"--resume.*--out.*--overwrite"):
        other.create()
    assert run.restore().updates == 2

    (run.path / "notes.txt").write_text("mine")
    other.create(overwrite=True)
    assert Run.read(run.path) == other
    assert {file.name for file in run.path.iterdir()} == {
        *(runs.CONFIG, runs.CHECKPOINT, "notes.txt")
    }


@pytest.mark.parametrize("content", ["{}", "not JSON", '{"algorithm": "other"}'])
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
    with pytest.raises(CheckpointError, match="another run"):
        run.restore()


def test_equal_checkpoints_only_for_equal_seeds(tmp_path):
    states = [
        small_run(tmp_path / str(i), seed).create() for i, seed in enumerate([0, 0, 1])
    ]
    first, same, other = (state.policy.mean[0].weight for state in states)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="seed is -1"):
        small_run(tmp_path, seed=-1)


def test_a_run_that_failed_before_its_first_update_is_replaced(tmp_path):
    run = small_run(tmp_path / "run")
    with MetricsLog(run.path, run.create()):
        pass
    other = small_run(run.path, seed=1)
    other.create()
    assert Run.read(run.path) == other
