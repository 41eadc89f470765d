"""Many seeds: the same results wherever they are trained, and one failure is one."""

import os
import signal
import subprocess
import sys
import time
import types
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
import torch

from chula_rl import logs, runs
from chula_rl.algorithms import reinforce
from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError
from chula_rl.logs import read_evaluations
from chula_rl.runs import Run
from chula_rl.session import train_run
from chula_rl.sweep import WorkerPool, train_runs

FILES = (logs.METRICS, logs.EVALUATIONS, runs.CHECKPOINT)


def small_runs(folder, seeds=range(3), total_steps=400):
    config = reinforce.Config(total_steps=total_steps, num_episodes=2, hidden=(4,))
    return [
        Run(folder / f"seed{seed}", "reinforce", ENV_ID, seed, config, eval_episodes=3)
        for seed in seeds
    ]


def contents(run):
    return [(run.path / name).read_bytes() for name in FILES]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What each seed comes to when nothing else is trained."""
    several = small_runs(tmp_path_factory.mktemp("alone"))
    for run in several:
        train_run(run, run.create())
    return [contents(run) for run in several]


def test_one_after_another_is_as_each_alone(tmp_path, alone):
    several = small_runs(tmp_path)
    outcomes = list(train_runs(several))
    assert [outcome.run for outcome in outcomes] == several
    assert [contents(run) for run in several] == alone
    for outcome in outcomes:
        evaluations = read_evaluations(outcome.run.path)
        assert outcome.finished
        assert outcome.error is None
        assert outcome.steps == outcome.run.saved_steps() >= 400
        assert outcome.mean_return == evaluations["mean_return"][-1]
        assert outcome.std_return == evaluations["std_return"][-1]


def test_two_processes_are_as_each_alone(tmp_path, alone):
    several = small_runs(tmp_path)
    with WorkerPool(2) as pool:
        outcomes = list(train_runs(several, pool))
    assert sorted(outcome.run.seed for outcome in outcomes) == [0, 1, 2]
    assert all(outcome.finished for outcome in outcomes)
    assert [contents(run) for run in several] == alone


class Immediately(Executor):
    """The smallest executor: does each task as it is submitted."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_any_executor_will_do(tmp_path, alone):
    several = small_runs(tmp_path)
    assert len(list(train_runs(several, Immediately()))) == 3
    assert [contents(run) for run in several] == alone


def test_unfinished_runs_go_on_and_finished_ones_stay(tmp_path, alone):
    first, second, third = several = small_runs(tmp_path)
    train_run(first, first.create())
    train_run(second, second.create(), stop=lambda: True)
    before = (first.path / runs.CHECKPOINT).stat().st_mtime_ns
    outcomes = list(train_runs(several))
    assert all(outcome.finished for outcome in outcomes)
    assert (first.path / runs.CHECKPOINT).stat().st_mtime_ns == before
    assert [contents(run) for run in several] == alone
    assert third.finished()


def test_one_failure_does_not_keep_the_others_from_their_end(tmp_path, alone):
    several = small_runs(tmp_path)
    several[1].path.write_text("a file in the way")
    outcomes = list(train_runs(several))
    assert [outcome.finished for outcome in outcomes] == [True, False, True]
    assert "seed1 is in the way" in outcomes[1].error
    assert contents(several[2]) == alone[2]


def test_a_folder_of_another_run_is_a_failure(tmp_path):
    (run,) = small_runs(tmp_path, [0])
    (other,) = small_runs(tmp_path, [0], total_steps=300)
    train_run(other, other.create())
    (outcome,) = train_runs([run])
    assert "another run" in outcome.error
    assert not outcome.finished


def test_a_defect_of_the_program_is_not_hidden(tmp_path, monkeypatch):
    def train(state):
        raise ZeroDivisionError("a defect")
        yield

    fake = types.SimpleNamespace(**{**vars(reinforce), "train": train})
    monkeypatch.setitem(runs.ALGORITHMS, "reinforce", fake)
    with pytest.raises(ZeroDivisionError):
        list(train_runs(small_runs(tmp_path)))


def test_after_a_stop_nothing_new_is_started(tmp_path):
    several = small_runs(tmp_path)
    outcomes = train_runs(several, stop=lambda: several[1].path.exists())
    first, second = outcomes
    assert first.finished
    assert not second.finished
    assert second.error is None
    assert 0 < second.steps < 400
    assert not several[2].path.exists()


def test_threads_take_what_waits_back_after_a_stop(tmp_path):
    several = small_runs(tmp_path, range(4))
    with ThreadPoolExecutor(1) as executor:
        outcomes = list(train_runs(several, executor, lambda: True))
    assert len(outcomes) < 4
    assert all(outcome.finished for outcome in outcomes)


def test_workers_save_and_stop(tmp_path):
    several = small_runs(tmp_path, range(3), total_steps=10_000_000)
    for run in several:
        run.create()

    def stop():
        logged = several[0].path / logs.METRICS
        return logged.exists() and logged.stat().st_size > 0

    with WorkerPool(1) as pool:
        outcomes = list(train_runs(several, pool, stop))
    assert [outcome.run.seed for outcome in outcomes] == [0]
    assert outcomes[0].error is None
    assert not outcomes[0].finished
    assert several[0].saved_steps() > 0
    assert several[2].saved_steps() == 0


def test_a_dead_process_is_told(tmp_path):
    class Dead(Immediately):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            future.set_exception(BrokenProcessPool("terminated abruptly"))
            return future

    (outcome,) = train_runs(small_runs(tmp_path, [0]), Dead())
    assert "process died" in outcome.error
    assert np.isnan(outcome.mean_return)


def test_the_number_of_threads_is_put_back(tmp_path):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        list(train_runs(small_runs(tmp_path, [0])))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_mistakes(tmp_path):
    (run,) = small_runs(tmp_path, [0])
    with pytest.raises(ConfigError, match="share folders"):
        list(train_runs([run, run]))
    with pytest.raises(ConfigError, match="jobs is 0"):
        WorkerPool(0)


ORPHANS = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_sweep import small_runs
from chula_rl.sweep import WorkerPool, train_runs

if __name__ == "__main__":
    pool = WorkerPool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    list(train_runs(small_runs(Path(sys.argv[2]), [0], 10_000_000), pool))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes in /proc")
def test_no_worker_outlives_a_killed_parent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    here = Path(__file__).parent
    parent = subprocess.Popen(
        [sys.executable, script, here, tmp_path], stdout=subprocess.PIPE, text=True
    )
    worker = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    survived = alive(worker)
    if survived:
        os.kill(worker, signal.SIGKILL)
    assert not survived


def alive(pid):
    """Whether a process runs; one that nobody waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
