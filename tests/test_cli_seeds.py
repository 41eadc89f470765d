"""``chula-rl train --seeds``: many runs with one command, stopped and gone on with."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest
from toys import TINY

from chula_rl import cli, logs, runs
from chula_rl.algorithms import reinforce
from chula_rl.logs import read_evaluations
from chula_rl.runs import Run

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")

FILES = (logs.METRICS, logs.EVALUATIONS, runs.CHECKPOINT)
CHULA_RL = "import sys; from chula_rl.cli import main; sys.exit(main())"


def train(*options):
    return cli.main(["train", "reinforce", *TINY, *options])


def same(a, b):
    return all(Path(a, f).read_bytes() == Path(b, f).read_bytes() for f in FILES)


def test_each_seed_is_the_run_of_that_seed(capsys):
    assert train("--seed=5", "--seeds=2") == 0
    assert {path.name for path in Path("runs").iterdir()} == {
        *("reinforce-seed5", "reinforce-seed6")
    }
    assert {path.name for path in Path("runs/reinforce-seed5").iterdir()} == {
        *(runs.CONFIG, *FILES, logs.TENSORBOARD)
    }
    assert train("--seed=6", "--out=alone", "--no-gif", "--no-figure") == 0
    assert same("alone", "runs/reinforce-seed6")
    assert not same("alone", "runs/reinforce-seed5")
    assert "2/2" in capsys.readouterr().err  # the bar


def test_the_table_is_that_of_the_last_evaluations(capsys):
    assert train("--seeds=3", "--out=a") == 0
    heading, *rows, median = capsys.readouterr().out.splitlines()
    last = [read_evaluations(Path(f"a/seed{seed}")) for seed in range(3)]
    means = [columns["mean_return"][-1] for columns in last]
    steps = [columns["steps"][-1] for columns in last]
    assert heading.split() == ["seed", "steps", "return", "std", "solved"]
    for seed, row in enumerate(rows):
        std = last[seed]["std_return"][-1]
        numbers = [str(seed), f"{steps[seed]:.0f}", f"{means[seed]:.1f}", f"{std:.1f}"]
        assert row.split() == [*numbers, "no"]
    middle = [f"{np.median(steps):.0f}", f"{np.median(means):.1f}"]
    assert median.split() == ["median", *middle, "0/3"]


def test_processes_give_the_same_results():
    assert train("--seeds=3", "--jobs=2", "--out=a") == 0
    assert train("--seeds=3", "--out=b") == 0
    assert all(same(f"a/seed{seed}", f"b/seed{seed}") for seed in range(3))


def test_pictures_only_if_asked():
    assert train("--seeds=2", "--out=a", "--gif", "--figure") == 0
    for name in (runs.GIF, runs.LEARNING_CURVE, "learning_curve-dark.png"):
        assert Path("a/seed1", name).exists()


def interrupt_in(monkeypatch, seed, update):
    """Press Ctrl-C during an update of a seed."""

    def train_interrupted(state):
        for metrics in reinforce.train(state):
            if (state.seed, state.updates) == (seed, update):
                os.kill(os.getpid(), signal.SIGINT)
            yield metrics

    fake = types.SimpleNamespace(**{**vars(reinforce), "train": train_interrupted})
    monkeypatch.setitem(runs.ALGORITHMS, "reinforce", fake)


def test_control_c_and_resume_give_the_uninterrupted_result(monkeypatch, capsys):
    train("--seeds=3", "--out=whole", "--gamma=0.9")
    with monkeypatch.context() as patched:
        interrupt_in(patched, seed=1, update=2)
        assert train("--seeds=3", "--out=my runs", "--gamma=0.9") == 130
    out = capsys.readouterr().out
    assert "1 of 3 seeds are finished" in out
    assert Run.read(Path("my runs/seed2")).saved_steps() == 0
    command = shlex.split(re.search(r"^ +chula-rl (train .*)", out, re.MULTILINE)[1])

    assert cli.main(command) == 0  # no setting is typed again
    assert all(same(f"my runs/seed{seed}", f"whole/seed{seed}") for seed in range(3))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_resume_starts_what_is_missing_with_the_recorded_settings():
    train("--seeds=3", "--out=whole", "--gamma=0.9")
    train("--seeds=2", "--out=a", "--gamma=0.9")
    before = Path("a/seed0", runs.CHECKPOINT).stat().st_mtime_ns
    command = ["train", "reinforce", "--resume", "--seeds=3", "--out=a"]
    assert cli.main(command) == 0
    assert same("a/seed2", "whole/seed2")
    assert Path("a/seed0", runs.CHECKPOINT).stat().st_mtime_ns == before


def test_resume_takes_no_other_settings(capsys):
    train("--seeds=2", "--out=a", "--gamma=0.9")
    capsys.readouterr()
    assert train("--resume", "--seeds=3", "--out=a", "--gamma=0.8") == 2
    assert "gamma 0.9, not 0.8" in capsys.readouterr().err
    assert not Path("a/seed2").exists()


def test_one_failure_is_told_and_the_others_go_on(capsys):
    train("--seeds=3", "--out=whole")
    train("--seeds=2", "--out=a")
    Path("a/seed0", runs.CHECKPOINT).write_bytes(b"damaged")
    capsys.readouterr()
    assert train("--resume", "--seeds=3", "--out=a") == 1
    captured = capsys.readouterr()
    assert "chula-rl: error: seed 0: a/seed0/checkpoint" in captured.err
    assert re.search(r"^ +0 .* failed$", captured.out, re.MULTILINE)
    assert "2 of 3 seeds are finished" in captured.out
    assert same("a/seed2", "whole/seed2")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds=0"], "seeds is 0"),
        (["--seeds=2", "--jobs=0"], "jobs is 0"),
        (["--jobs=2"], "jobs is 2 for a single seed"),
        (["--seeds=2", "--seed=-1"], "seed is -1"),
        (["--seeds=2", "--env=CartPole-v1"], r"Discrete\(2\)"),
        (["--seeds=2", "--env=Nope-v0"], "Nope"),
        (["--seeds=2", "--jobs=2", "--gamma=2"], "gamma is 2"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(capsys, options, message):
    assert train(*options) == 2
    assert re.fullmatch(rf"chula-rl: error: .*{message}.*\n", capsys.readouterr().err)
    assert not Path("runs").exists()


def test_an_occupied_folder_keeps_all_seeds_from_starting(capsys):
    train("--seed=1", "--out=a/seed1", "--no-gif", "--no-figure")
    assert train("--seeds=3", "--out=a") == 2
    assert "a/seed1 already holds a run" in capsys.readouterr().err
    assert not Path("a/seed0").exists()
    assert train("--seeds=3", "--out=a", "--overwrite") == 0


def running(group):
    """The processes of a group; those that nobody waited for have ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(path)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes in /proc")
def test_control_c_in_a_terminal_reaches_the_processes(capfd):
    options = ["--total-steps=8000", "--seeds=3", "--jobs=2", "--eval-episodes=3"]
    command = [sys.executable, "-c", CHULA_RL, "train", "reinforce"]
    subprocess.run([*command, *options, "--out=whole"], check=True)
    process = subprocess.Popen(
        [*command, *options, "--out=a"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not list(Path().glob("a/*/" + logs.METRICS)):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Go on with" in out
    deadline = time.monotonic() + 60
    while running(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not running(process.pid)

    again = re.search(r"^ +chula-rl (train .*)", out, re.MULTILINE)[1]
    resume = [sys.executable, "-c", CHULA_RL, *shlex.split(again)]
    subprocess.run(resume, check=True)
    assert all(same(f"a/seed{seed}", f"whole/seed{seed}") for seed in range(3))
