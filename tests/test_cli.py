"""The command line: whole runs, interrupted runs, and what it says of mistakes."""

import dataclasses
import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from torch import nn
from toys import TINY, same_result, train_tiny

from chula_rl import GaussianPolicy, cli, logs, rendering, runs, session
from chula_rl.algorithms import reinforce
from chula_rl.envs import ENV_ID
from chula_rl.errors import UnsupportedEnvError

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")

CHULA_RL = "import sys; from chula_rl.cli import main; sys.exit(main())"


def test_a_run_leaves_its_folder(capsys):
    assert cli.main(["train", "reinforce", *TINY]) == 0
    captured = capsys.readouterr()
    folder = Path("runs/reinforce-seed0")
    assert str(folder) in captured.out
    assert "3 episodes" in captured.out
    assert "not solved" in captured.out
    assert "400/400" in captured.err  # the progress bar
    assert {file.name for file in folder.iterdir()} == {
        *(runs.CONFIG, logs.METRICS, logs.EVALUATIONS, runs.CHECKPOINT),
        logs.TENSORBOARD,
        *(runs.LEARNING_CURVE, "learning_curve-dark.png", runs.GIF),
    }
    with Image.open(folder / runs.GIF) as gif:
        assert gif.n_frames > 1


def test_the_seed_decides_the_result():
    train_tiny("--out=a", "--seed=1")
    train_tiny("--out=b", "--seed=1")
    train_tiny("--out=c", "--seed=2")
    assert same_result("a", "b")
    assert not same_result("a", "c")


def interrupting(update, times=1):
    """REINFORCE's ``train`` with Ctrl-C pressed during an update."""

    def train_interrupted(state):
        for metrics in reinforce.train(state):
            if state.updates == update:
                for _ in range(times):
                    os.kill(os.getpid(), signal.SIGINT)
            yield metrics

    return train_interrupted


def interrupted_algorithm(monkeypatch, update, times=1):
    fake = type(sys)("fake")
    fake.Config, fake.init = reinforce.Config, reinforce.init
    fake.train = interrupting(update, times)
    monkeypatch.setitem(runs.ALGORITHMS, "reinforce", fake)


def test_control_c_saves_and_resume_gives_the_uninterrupted_result(monkeypatch, capsys):
    train_tiny("--out=whole")
    with monkeypatch.context() as patched:
        interrupted_algorithm(patched, update=3)
        assert train_tiny("--out=my run") == 130
    out = capsys.readouterr().out
    assert len(logs.read_metrics(Path("my run"))["steps"]) == 3
    command = re.search(r"chula-rl (train reinforce --resume .*)", out)
    assert command[1] == "train reinforce --resume --out 'my run'"

    assert train_tiny("--resume", "--out", "my run") == 0
    assert same_result("my run", "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_control_c_stops_at_once(monkeypatch, capsys):
    train_tiny("--out=whole")
    with monkeypatch.context() as patched:
        interrupted_algorithm(patched, update=3, times=2)
        assert train_tiny("--out=run") == 130
    assert "stopped" in capsys.readouterr().err
    assert train_tiny("--resume", "--out=run") == 0  # from the checkpoint of the start
    assert same_result("run", "whole")


@pytest.mark.slow
def test_control_c_in_a_terminal():
    options = ["--no-gif", "--total-steps=8000"]
    train = [sys.executable, "-c", CHULA_RL, "train", "reinforce", *options]
    subprocess.run([*train, "--out=whole"], check=True, capture_output=True)
    with subprocess.Popen(
        [*train, "--out=run"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        seen = ""
        while "return=" not in seen:
            seen += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "--resume --out run" in out
    assert not same_result("run", "whole")

    subprocess.run([*train, "--resume", "--out=run"], check=True, capture_output=True)
    assert same_result("run", "whole")


def test_a_finished_run_may_be_resumed(capsys):
    train_tiny("--out=a")
    first = capsys.readouterr().out
    before = Path("a", logs.METRICS).read_bytes()
    assert train_tiny("--out=a", "--resume") == 0
    assert capsys.readouterr().out == first
    assert Path("a", logs.METRICS).read_bytes() == before


def test_resume_takes_the_settings_of_the_run_and_no_others(capsys):
    train_tiny("--out=a", "--gamma=0.5", "--seed=3", "--hidden", "4", "5")
    command = ["train", "reinforce", "--no-gif", "--resume", "--out=a"]
    assert cli.main(command) == 0
    assert cli.main([*command, "--hidden", "4", "5"]) == 0
    capsys.readouterr()
    for option, message in [
        ("--gamma=0.7", "gamma 0.5, not 0.7"),
        ("--seed=4", "seed 3, not 4"),
        ("--env=Pendulum-v1", f"env_id {ENV_ID}, not Pendulum-v1"),
    ]:
        assert cli.main([*command, option]) == 2
        assert message in capsys.readouterr().err


def test_the_last_lines_are_the_last_evaluation(capsys):
    train_tiny("--out=a", "--no-figure")
    columns = logs.read_evaluations(Path("a"))
    names = ("mean_return", "std_return", "min_return")
    printed = re.findall(r"\d+\.\d", capsys.readouterr().out)
    assert printed == [f"{columns[name][-1]:.1f}" for name in names]


def test_an_environment_that_cannot_be_drawn_is_trained_all_the_same(
    monkeypatch, capsys
):
    def undrawable(*_):
        raise UnsupportedEnvError("it has no pictures")

    monkeypatch.setattr(rendering, "rollout_frames", undrawable)
    options = ["train", "reinforce", *TINY, "--no-figure", "--out=a"]
    assert cli.main(options) == 0
    warning = "chula-rl: warning: a picture is missing: it has no pictures\n"
    assert capsys.readouterr().err.endswith(warning)
    assert cli.main([*options, "--overwrite", "--gif"]) == 2


def test_a_full_disk_is_told_in_one_line_with_the_way_on(monkeypatch, capsys):
    train_tiny("--out=whole", "--no-figure")
    capsys.readouterr()
    with monkeypatch.context() as patched:
        patched.setattr(session, "CHECKPOINT_SECONDS", 0.0)
        patched.setattr(os, "fsync", full_disk_from(call=8))
        assert train_tiny("--out=a", "--no-figure") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("chula-rl: error: cannot write to a: ")
    assert "No space left on device" in told
    assert Path("a", runs.CHECKPOINT).exists()
    command = re.search("`chula-rl (.*)`", told)[1]
    assert cli.main([*command.split(), "--no-gif", "--no-figure"]) == 0
    assert same_result("a", "whole")


def full_disk_from(call):
    calls = []

    def fsync(file):
        calls.append(file)
        if len(calls) >= call:
            raise OSError(errno.ENOSPC, "No space left on device")

    return fsync


def test_a_full_disk_at_the_start_leaves_nothing_in_the_way(monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full_disk_from(call=2))
        assert train_tiny("--out=a") == 2
    err = capsys.readouterr().err
    assert re.fullmatch(r"chula-rl: error: .*No space left.*checkpoint.*\n", err)
    assert train_tiny("--out=a", "--no-figure") == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train reinforce --env CartPole-v1", r"Discrete\(2\); expected a Box"),
        ("train reinforce --env Nope-v0", "Nope"),
        ("train reinforce --env nowhere:Env-v0", "not installed.*nowhere"),
        ("train reinforce --env a:b:Env-v0", "a:b:Env-v0"),
        ("train reinforce --eval-every 0", "eval_every is 0"),
        ("train reinforce --eval-episodes 0", "eval_episodes is 0"),
        ("train reinforce --gamma 2", "gamma is 2"),
        ("train reinforce --seed -1", "seed is -1"),
        ("train reinforce --resume", "holds no run"),
        ("train reinforce --out file/run", "file/run"),
        ("evaluate nowhere", "nowhere holds no run"),
        ("render nowhere", "nowhere holds no run"),
        ("bench env --copies 0", "at least 1"),
    ],
)
def test_mistakes_are_told_in_one_line(capsys, command, message):
    Path("file").touch()
    assert cli.main(command.split()) == 2
    err = capsys.readouterr().err
    assert re.fullmatch(rf"chula-rl: error: .*{message}.*\n", err)
    assert not Path("runs").exists()


def test_a_blank_of_the_student_edition_is_told_in_one_line(monkeypatch, capsys):
    def blank(state):
        raise NotImplementedError("rewards_to_go: write it in the assignment")

    monkeypatch.setattr(runs.ALGORITHMS["reinforce"], "train", blank)
    assert train_tiny() == 2
    told = "chula-rl: error: rewards_to_go: write it in the assignment"
    assert capsys.readouterr().err.splitlines()[-1] == told


def test_an_occupied_folder_needs_a_decision(capsys):
    train_tiny("--out=a")
    assert train_tiny("--out=a", "--seed=1") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert train_tiny("--out=a", "--seed=1", "--overwrite") == 0
    train_tiny("--out=b", "--seed=1")
    assert same_result("a", "b")


def test_an_algorithm_of_any_kind_can_be_trained(monkeypatch):
    """Nothing but Config, init and train is asked of an algorithm."""

    @dataclasses.dataclass(frozen=True)
    class Config:
        total_steps: int = 30

    @dataclasses.dataclass
    class State:
        config: Config
        seed: int
        env_id: str
        policy: nn.Module
        best: int = 0
        steps: int = 0
        updates: int = 0

    def init(config, seed, env_id):
        return State(config, seed, env_id, GaussianPolicy(4, 1))

    def train(state):
        while state.steps < state.config.total_steps:
            state.steps += 10
            state.updates += 1
            state.best = 7
            yield {"steps": state.steps, "return": 1.5}

    module = type(sys)("toy")
    module.Config, module.init, module.train = Config, init, train
    monkeypatch.setitem(runs.ALGORITHMS, "toy", module)
    assert cli.main(["train", "toy", "--total-steps=20", "--no-gif"]) == 0
    run = runs.Run.read(Path("runs/toy-seed0"))
    assert run.restore().best == 7
    assert logs.read_metrics(run.path)["steps"].tolist() == [10, 20]
