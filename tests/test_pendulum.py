"""The command that the book gives for Gymnasium's pendulum."""

import re
import shlex
from pathlib import Path

import pytest

from chula_rl.cli import main
from chula_rl.logs import EVALUATIONS, read_evaluations

CHAPTER = Path(__file__).parents[1] / "book/chapters/ddpg.md"
# RL Baselines3 Zoo, benchmark.md, DDPG on Pendulum-v1: mean, deviation of the episodes
PUBLISHED_MEAN, PUBLISHED_STD = -152.099, 94.282


@pytest.mark.slow
def test_ddpg_reaches_the_published_return_with_every_seed(tmp_path):
    (block,) = re.findall(
        r"```bash\n(chula-rl[^`]* Pendulum-v1[^`]*)```", CHAPTER.read_text()
    )
    _, *command = shlex.split(block.replace("\\\n", ""))
    assert main([*command, f"--out={tmp_path / 'runs'}"]) == 0
    folders = [path.parent for path in (tmp_path / "runs").rglob(EVALUATIONS)]
    assert len(folders) == 5
    for folder in folders:
        score = read_evaluations(folder)["mean_return"][-1]
        assert score > PUBLISHED_MEAN - PUBLISHED_STD, folder.name
