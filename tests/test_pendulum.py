"""The commands that the book gives for Gymnasium's pendulum."""

import re
import shlex
from pathlib import Path

import pytest

from chula_rl.cli import main
from chula_rl.logs import EVALUATIONS, read_evaluations

CHAPTERS = Path(__file__).parents[1] / "book/chapters"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "num_seeds", "mean", "std"),  # RL Baselines3 Zoo, benchmark.md
    [("a2c", 1, -162.965, 103.210), ("ddpg", 2, -152.099, 94.282)],
)
def test_the_published_return_is_reached(algorithm, num_seeds, mean, std, tmp_path):
    """Within one deviation of the published episodes; fewer seeds than in the book."""
    text = (CHAPTERS / f"{algorithm}.md").read_text()
    blocks = re.findall(r"```bash\n(chula-rl .*?)```", text, re.DOTALL)
    (block,) = (block for block in blocks if "Pendulum-v1" in block)
    _, *command = shlex.split(block.replace("\\\n", ""))
    seeds = command.index("--seeds") + 1
    assert int(command[seeds]) >= num_seeds
    command[seeds] = str(num_seeds)
    assert main([*command, "--no-gif", f"--out={tmp_path / 'runs'}"]) == 0
    folders = [path.parent for path in (tmp_path / "runs").rglob(EVALUATIONS)]
    assert len(folders) == num_seeds
    for folder in folders:
        score = read_evaluations(folder)["mean_return"][-1]
        assert score > mean - std, folder.name
