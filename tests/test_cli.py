"""The command line: whole runs, interrupted runs, and what it says of mistakes."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from chula_rl import GaussianPolicy, cli, evaluate, runs
from chula_rl.algorithms import reinforce
from chula_rl.envs import ENV_ID
from chula_rl.evaluation import EVALUATION_SEED

TINY = ("--total-steps=400", "--num-episodes=2", "--hidden=4", "--eval-episodes=3")
CHULA_RL = str(Path(sys.executable).with_name("chula-rl"))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def train(*options):
    return cli.main(["train", "reinforce", "--no-gif", *TINY, *options])


def same_result(a, b):
    return all(
        Path(a, name).read_bytes() == Path(b, name).read_bytes()
        for name in (runs.METRICS, runs.CHECKPOINT)
    )


def test_a_run_leaves_its_folder(capsys):
    assert cli.main(["train", "reinforce", *TINY]) == 0
    captured = capsys.readouterr()
    folder = Path("runs/reinforce-seed0")
    assert str(folder) in captured.out
    assert "3 episodes" in captured.out
    assert "not solved" in captured.out
    assert "400/400" in captured.err  # the progress bar
    assert {file.name for file in folder.iterdir()} == {
        *(runs.CONFIG, runs.METRICS, runs.CHECKPOINT, runs.TENSORBOARD),
        *(runs.LEARNING_CURVE, "learning_curve-dark.png", runs.GIF),
    }
    with Image.open(folder / runs.GIF) as gif:
        assert gif.n_frames > 1


def test_the_seed_decides_the_result():
    train("--out=a", "--seed=1")
    train("--out=b", "--seed=1")
    train("--out=c", "--seed=2")
    assert same_result("a", "b")
    assert not same_result("a", "c")


def test_every_setting_is_an_option_with_its_documentation(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "reinforce", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(reinforce.Config):
        assert f"--{field.name.replace('_', '-')} " in text
    assert "discount factor (default: " in text
    assert "baseline's output is in this unit (default: " in text


def test_options_reach_the_algorithm():
    train("--hidden", "8", "9", "--gamma=0.5", "--no-learned-baseline", "--out=a")
    saved = json.loads(Path("a", runs.CONFIG).read_text())["config"]
    assert saved["hidden"] == [8, 9]
    assert saved["gamma"] == 0.5
    assert saved["learned_baseline"] is False
    assert saved["total_steps"] == 400
    assert saved["entropy_coef"] == reinforce.Config().entropy_coef


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
    train("--out=whole")
    with monkeypatch.context() as patched:
        interrupted_algorithm(patched, update=3)
        assert train("--out=my run") == 130
    out = capsys.readouterr().out
    assert len(runs.read_metrics(Path("my run"))["steps"]) == 3
    command = re.search(r"chula-rl (train reinforce --resume .*)", out)
    assert command[1] == "train reinforce --resume --out 'my run'"

    assert train("--resume", "--out", "my run") == 0
    assert same_result("my run", "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_control_c_stops_at_once(monkeypatch, capsys):
    train("--out=whole")
    with monkeypatch.context() as patched:
        interrupted_algorithm(patched, update=3, times=2)
        assert train("--out=run") == 130
    assert "stopped" in capsys.readouterr().err
    assert train("--resume", "--out=run") == 0  # from the checkpoint of the start
    assert same_result("run", "whole")


@pytest.mark.slow
def test_control_c_in_a_terminal():
    options = ["--no-gif", "--total-steps=20000"]
    train = [CHULA_RL, "train", "reinforce", *options]
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
    train("--out=a")
    first = capsys.readouterr().out
    before = Path("a", runs.METRICS).read_bytes()
    assert train("--out=a", "--resume") == 0
    assert capsys.readouterr().out == first
    assert Path("a", runs.METRICS).read_bytes() == before


def test_resume_takes_the_settings_of_the_run_and_no_others(capsys):
    train("--out=a", "--gamma=0.5", "--seed=3", "--hidden", "4", "5")
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


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train reinforce --env CartPole-v1", r"Discrete\(2\); expected a Box"),
        ("train reinforce --env Nope-v0", "Nope"),
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
    assert train() == 2
    told = "chula-rl: error: rewards_to_go: write it in the assignment"
    assert capsys.readouterr().err.splitlines()[-1] == told


def test_an_occupied_folder_needs_a_decision(capsys):
    train("--out=a")
    assert train("--out=a", "--seed=1") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert train("--out=a", "--seed=1", "--overwrite") == 0
    train("--out=b", "--seed=1")
    assert same_result("a", "b")


def test_evaluate_says_what_the_package_says(capsys):
    train("--out=a", "--seed=5")
    policy = runs.Run.read(Path("a")).restore().policy
    for options, seed in [([], EVALUATION_SEED + 5), (["--seed=9"], 9)]:
        capsys.readouterr()
        assert cli.main(["evaluate", "a", "--episodes=7", *options]) == 0
        return_ = evaluate(policy, num_episodes=7, seed=seed).return_
        numbers = [return_.mean(), return_.std(), return_.min()]
        printed = re.findall(r"\d+\.\d", capsys.readouterr().out)
        assert printed == [f"{number:.1f}" for number in numbers]


class Balancer(nn.Module):
    """A linear controller that balances the pole for ever."""

    def forward(self, obs):
        mean = obs @ torch.tensor([[0.1], [0.2], [2.0], [0.6]])
        return mean, torch.zeros_like(mean)


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [(Balancer(), "solved"), (GaussianPolicy(4, 1), "not solved")],
)
def test_solved_or_not(monkeypatch, capsys, policy, verdict):
    train("--out=a")
    state = runs.Run.read(Path("a")).restore()
    state.policy = policy
    monkeypatch.setattr(runs.Run, "restore", lambda _: state)
    capsys.readouterr()
    cli.main(["evaluate", "a"])
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{verdict} (")


def test_render_saves_an_episode(capsys):
    train("--out=a")
    capsys.readouterr()
    assert cli.main(["render", "a"]) == 0
    assert capsys.readouterr().out == f"{Path('a', runs.GIF)}\n"
    assert cli.main(["render", "a", "--out=x.gif", "--seed=3"]) == 0
    assert Path("x.gif").read_bytes() != Path("a", runs.GIF).read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="others always have a screen")
def test_a_window_needs_a_screen(monkeypatch, capsys):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    train("--out=a")
    assert cli.main(["render", "a", "--human"]) == 2
    assert "needs a screen" in capsys.readouterr().err


def test_bench_env_prints_the_ratio(capsys):
    assert cli.main(["bench", "env", "--copies", "2", "--repetitions=1"]) == 0
    assert re.search(r"^ +2 .* [\d.]+x$", capsys.readouterr().out, re.MULTILINE)


def test_without_the_grading_package_the_rest_works(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "chula_rl.grading.commands", None)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert "evaluate" in out
    assert "assignments" not in out


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
            state.steps, state.updates, state.best = (
                state.steps + 10,
                state.updates + 1,
                7,
            )
            yield {"steps": state.steps, "return": 1.5}

    module = type(sys)("toy")
    module.Config, module.init, module.train = Config, init, train
    monkeypatch.setitem(runs.ALGORITHMS, "toy", module)
    assert cli.main(["train", "toy", "--total-steps=20", "--no-gif"]) == 0
    run = runs.Run.read(Path("runs/toy-seed0"))
    assert run.restore().best == 7
    assert runs.read_metrics(run.path)["steps"].tolist() == [10, 20]
