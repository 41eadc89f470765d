"""The commands that take the policy of a run, and the one that times environments."""

import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageSequence
from torch import nn
from toys import train_tiny

from chula_rl import GaussianPolicy, cli, evaluate, runs
from chula_rl.evaluation import EVALUATION_SEED

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_evaluate_says_what_the_package_says(capsys):
    train_tiny("--out=a", "--seed=5")
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
    train_tiny("--out=a")
    state = runs.Run.read(Path("a")).restore()
    state.policy = policy
    monkeypatch.setattr(runs.Run, "restore", lambda _: state)
    capsys.readouterr()
    cli.main(["evaluate", "a"])
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{verdict} (")


def test_render_saves_an_episode(capsys):
    train_tiny("--out=a")
    capsys.readouterr()
    assert cli.main(["render", "a"]) == 0
    assert capsys.readouterr().out == f"{Path('a', runs.GIF)}\n"
    assert cli.main(["render", "a", "--out=x.gif", "--seed=3"]) == 0
    assert Path("x.gif").read_bytes() != Path("a", runs.GIF).read_bytes()


def milliseconds(path):
    with Image.open(path) as gif:
        return sum(frame.info["duration"] for frame in ImageSequence.Iterator(gif))


def test_render_takes_the_format_from_the_name_and_the_speed_from_the_option(capsys):
    train_tiny("--out=a", "--no-figure")
    for name, options in [("x.gif", []), ("slow.gif", ["--fps=10"])]:
        assert cli.main(["render", "a", f"--out={name}", *options]) == 0
    # the cart-pole means 50 images a second
    assert milliseconds("slow.gif") == 5 * milliseconds("x.gif") > 0
    assert cli.main(["render", "a", "--out=x.mp4"]) == 0
    assert b"ftyp" in Path("x.mp4").read_bytes()[:12]
    for option, message in [("--out=x.avi", ".mp4"), ("--fps=0", "fps is 0")]:
        capsys.readouterr()
        assert cli.main(["render", "a", option]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="others always have a screen")
def test_a_window_needs_a_screen(monkeypatch, capsys):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    train_tiny("--out=a")
    assert cli.main(["render", "a", "--human"]) == 2
    assert "needs a screen" in capsys.readouterr().err


def test_bench_env_prints_the_ratio(capsys):
    assert cli.main(["bench", "env", "--copies", "2", "--repetitions=1"]) == 0
    assert re.search(r"^ +2 .* [\d.]+x$", capsys.readouterr().out, re.MULTILINE)
