"""The options of ``chula-rl train``: every setting, the published ones, the help."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from toys import same_result, train_tiny

from chula_rl import cli, logs, runs
from chula_rl.algorithms import reinforce
from chula_rl.settings import setting, settings

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_every_setting_is_an_option_with_its_documentation(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "reinforce", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(reinforce.Config):
        assert f"--{field.name.replace('_', '-')} " in text
    assert "discount factor (default: " in text
    assert "the baseline's output is in this unit (published: 1.0) (default: " in text


def test_options_reach_the_algorithm():
    train_tiny("--hidden", "8", "9", "--gamma=0.5", "--no-learned-baseline", "--out=a")
    saved = json.loads(Path("a", runs.CONFIG).read_text())["config"]
    assert saved["hidden"] == [8, 9]
    assert saved["gamma"] == 0.5
    assert saved["learned_baseline"] is False
    assert saved["total_steps"] == 400
    assert saved["entropy_coef"] == reinforce.Config().entropy_coef


def published_algorithm(monkeypatch):
    """REINFORCE with a publication of other settings."""

    @settings
    class Config(reinforce.Config):
        gamma: float = setting(0.9, "discount", paper=0.7)
        hidden: tuple[int, ...] = setting((32,), "widths", paper=(5, 6))
        total_steps: int = setting(800, "steps", paper=400)
        lambda_: float = setting(0.5, "decay", paper=0.25)

    fake = type(sys)("fake")
    fake.Config, fake.init, fake.train = Config, reinforce.init, reinforce.train
    monkeypatch.setitem(runs.ALGORITHMS, "reinforce", fake)


def test_published_settings_give_way_to_typed_ones(monkeypatch, capsys):
    published_algorithm(monkeypatch)
    command = ["train", "reinforce", "--no-gif", "--no-figure", "--eval-episodes=3"]
    options = ["--published", "--hidden=4", "--out=a"]
    assert cli.main([*command, *options]) == 0
    config = runs.Run.read(Path("a")).config
    assert (config.gamma, config.hidden, config.lambda_) == (0.7, (4,), 0.25)
    assert config.log_std == reinforce.Config().log_std  # the paper has no other

    assert cli.main([*command, "--resume", *options]) == 0
    assert cli.main([*command, "--resume", "--out=a"]) == 0  # the record decides
    capsys.readouterr()
    assert cli.main([*command, "--resume", "--published", "--out=a"]) == 2
    assert "hidden (4,), not (5, 6)" in capsys.readouterr().err


def test_help_tells_what_was_published(monkeypatch, capsys):
    published_algorithm(monkeypatch)
    with pytest.raises(SystemExit):
        cli.main(["train", "reinforce", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "gamma 0.7, " in text
    assert "total_steps 400, " in text
    assert "hidden 5 6, lambda_ 0.25; options" in text
    assert "--lambda X decay (published: 0.25) (default: 0.5)" in text


def test_lambda_is_typed_without_its_underscore(monkeypatch):
    published_algorithm(monkeypatch)
    assert train_tiny("--lambda=0.5", "--out=a", "--no-figure") == 0
    assert runs.Run.read(Path("a")).config.lambda_ == 0.5


def test_options_of_the_evaluation():
    train_tiny("--out=a", "--eval-every=150", "--no-figure")
    train_tiny("--out=b", "--no-figure")
    run = runs.Run.read(Path("a"))
    assert (run.eval_every, run.eval_episodes) == (150, 3)
    steps = logs.read_metrics(Path("a"))["steps"]
    expected = [min(s for s in steps if s >= point) for point in (150, 300, 400)]
    assert logs.read_evaluations(Path("a"))["steps"].tolist() == expected
    assert same_result("a", "b")


LIGHT = """
import sys
from chula_rl import cli
try:
    cli.main(["train", "reinforce", "--help"])
except SystemExit:
    pass
print(*[name for name in sys.argv[1:] if name in sys.modules], file=sys.stderr)
"""


def test_help_imports_nothing_that_it_does_not_need():
    heavy = ["matplotlib", "tensorboard", "PIL", "pandas", "nbgrader", "nbformat"]
    process = subprocess.run(
        [sys.executable, "-c", LIGHT, *heavy], capture_output=True, text=True
    )
    assert process.stderr.split() == []
    assert "--total-steps" in process.stdout


def test_without_the_grading_package_the_rest_works(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "chula_rl.grading.commands", None)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert "evaluate" in out
    assert "assignments" not in out
