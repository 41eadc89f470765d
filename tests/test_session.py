"""Training a run: its evaluations, and what a crash or a full disk leaves of it."""

import errno
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from chula_rl import logs, runs, session
from chula_rl.algorithms import reinforce
from chula_rl.envs import ENV_ID
from chula_rl.errors import CheckpointError, UnsupportedEnvError
from chula_rl.evaluation import evaluate
from chula_rl.logs import read_evaluations, read_metrics
from chula_rl.runs import Run
from chula_rl.session import train_run

FILES = (logs.METRICS, logs.EVALUATIONS, runs.CHECKPOINT)


def small_run(path, **settings):
    config = reinforce.Config(total_steps=400, num_episodes=2, hidden=(4,))
    settings = {"eval_every": 100, "eval_episodes": 3, **settings}
    return Run(path, "reinforce", ENV_ID, 0, config, **settings)


def trained(path, **settings):
    run = small_run(path, **settings)
    assert train_run(run, run.create())
    return run


def same(a, b, files=FILES):
    return all((a.path / f).read_bytes() == (b.path / f).read_bytes() for f in files)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never disturbed."""
    return trained(tmp_path_factory.mktemp("whole") / "run")


def test_evaluations_follow_the_multiples_and_the_end(whole):
    steps = read_metrics(whole.path)["steps"]
    expected = [min(s for s in steps if s >= p) for p in (100, 200, 300, 400)]
    assert read_evaluations(whole.path)["steps"].tolist() == expected
    assert expected[-1] == steps[-1]
    assert whole.finished()


def test_one_evaluation_for_an_update_that_passes_many_multiples(tmp_path):
    run = trained(tmp_path / "run", eval_every=1)
    metrics, evaluations = read_metrics(run.path), read_evaluations(run.path)
    assert evaluations["steps"].tolist() == metrics["steps"].tolist()


def test_the_last_evaluation_is_that_of_the_final_policy(whole):
    policy = whole.restore().policy
    return_ = evaluate(policy, ENV_ID, 3, whole.evaluation_seed).return_
    last = {name: column[-1] for name, column in read_evaluations(whole.path).items()}
    assert last["mean_return"] == return_.mean()
    assert last["std_return"] == pytest.approx(np.std(return_))
    assert last["min_return"] == return_.min()


def test_evaluations_do_not_touch_the_training(whole, tmp_path):
    other = trained(tmp_path / "run", eval_every=1000, eval_episodes=5)
    assert same(whole, other, (logs.METRICS, runs.CHECKPOINT))
    assert len(read_evaluations(other.path)["steps"]) == 1


def test_metrics_hold_no_time(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 12345.0)
    assert same(whole, trained(tmp_path / "run"))


def test_each_update_is_reported(tmp_path):
    run = small_run(tmp_path / "run")
    reported = []
    train_run(run, run.create(), reported.append)
    steps = [metrics["steps"] for metrics in reported]
    assert steps == read_metrics(run.path)["steps"].tolist()


def test_a_run_stopped_after_every_update_comes_to_the_same_result(whole, tmp_path):
    run = small_run(tmp_path / "run")
    state, sessions = run.create(), 1
    while not train_run(run, state, stop=lambda: True):
        state, sessions = run.restore(), sessions + 1
    assert sessions > 4
    assert same(run, whole)


@pytest.mark.parametrize("killed_in", [1, 3, 5])
def test_a_run_killed_anywhere_comes_to_the_same_result(whole, tmp_path, killed_in):
    run = small_run(tmp_path / "run")
    updates = []

    def die(metrics):
        updates.append(metrics)
        if len(updates) == killed_in:
            raise SystemExit

    with pytest.raises(SystemExit):
        train_run(run, run.create(), report=die)
    assert len(read_metrics(run.path)["steps"]) == killed_in
    assert run.saved_steps() == 0
    assert train_run(run, run.restore())
    assert same(run, whole)


def test_checkpoints_are_written_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", 0.0)
    run = small_run(tmp_path / "run")
    saved = []
    train_run(run, run.create(), lambda _: saved.append(run.saved_steps()))
    steps = read_metrics(run.path)["steps"].tolist()
    assert saved == [0, *steps[:-1]]


def test_a_finished_run_goes_on_to_nothing_new(whole):
    before = [(whole.path / name).read_bytes() for name in FILES]
    assert train_run(whole, whole.restore())
    assert [(whole.path / name).read_bytes() for name in FILES] == before


def test_a_run_killed_before_its_last_evaluation_is_not_finished(whole, tmp_path):
    run = trained(tmp_path / "run")
    path = run.path / logs.EVALUATIONS
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert not run.finished()
    assert train_run(run, run.restore())
    assert run.finished()
    assert same(run, whole)


@pytest.mark.parametrize("calls", [1, 2, 4, 7])
def test_a_full_disk_is_told_and_the_run_goes_on(whole, tmp_path, monkeypatch, calls):
    """The disk is full from some call of ``fsync`` on: of a table or a checkpoint."""
    run = small_run(tmp_path / "run")
    state = run.create()
    done = []

    def no_space(file):
        done.append(file)
        if len(done) >= calls:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(session, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_space)
        with pytest.raises(CheckpointError, match="No space left") as caught:
            train_run(run, state)
    saved = run.saved_steps()
    assert f"checkpoint of step {saved:,} is intact" in str(caught.value)
    assert f"--resume --out {run.path}" in str(caught.value)
    assert not list(run.path.glob("*.tmp"))
    assert (saved > 0) == (calls > 4)
    assert train_run(run, run.restore())
    assert same(run, whole)


LIMITED = """
import resource, sys
from pathlib import Path
from chula_rl.runs import Run
from chula_rl.session import train_run
run = Run.read(Path(sys.argv[1]))
state = run.restore()
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
train_run(run, state)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of the size of files")
@pytest.mark.parametrize("too_large", [logs.METRICS, logs.TENSORBOARD, runs.CHECKPOINT])
def test_files_that_really_cannot_grow(whole, tmp_path, too_large):
    """The limit lets a run write all that is smaller than one of its files."""
    files = [f for f in whole.path.rglob("*") if f.is_file() and too_large in str(f)]
    limit = max(file.stat().st_size for file in files) - 1
    run = small_run(tmp_path / "run")
    run.create()
    before = (run.path / runs.CHECKPOINT).read_bytes()
    process = subprocess.run(
        [sys.executable, "-c", LIMITED, str(run.path), str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    told = process.stderr.splitlines()[-1]
    assert "CheckpointError: cannot write" in told
    assert "File too large" in told
    assert "checkpoint of step 0 is intact" in told
    assert (runs.CHECKPOINT in told) == (too_large == runs.CHECKPOINT)
    assert (run.path / runs.CHECKPOINT).read_bytes() == before
    assert train_run(run, run.restore())
    assert same(run, whole)


@pytest.mark.parametrize("damaged", [logs.METRICS, logs.EVALUATIONS])
def test_a_damaged_table_stops_a_run_from_going_on(tmp_path, damaged):
    run = trained(tmp_path / "run")
    lines = (run.path / damaged).read_text().splitlines()
    text = "\n".join([*lines[:1], "x"])
    (run.path / damaged).write_text(text + "\n")
    with pytest.raises(CheckpointError, match=damaged):
        train_run(run, run.restore())


def test_an_error_of_the_environment_is_not_taken_for_one_of_the_disk(
    tmp_path, monkeypatch
):
    def train(state):
        yield {"steps": 1, "return": 1.0}
        raise UnsupportedEnvError("a reward is not finite")

    def read_missing(state):
        raise FileNotFoundError("its data set")
        yield

    for broken, error in [(train, UnsupportedEnvError), (read_missing, OSError)]:
        fake = types.SimpleNamespace(**vars(reinforce))
        fake.train = broken
        monkeypatch.setitem(runs.ALGORITHMS, "reinforce", fake)
        run = small_run(tmp_path / broken.__name__)
        with pytest.raises(error, match=r"not finite|data set"):
            train_run(run, run.create())
