"""Fixtures that several test modules share."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built book; it is built first, a warning being an error."""
    command = ["jupyter-book", "build", "book", "-W", "-n", "--keep-going"]
    build = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = build.stdout.splitlines()
    said = [line for line in lines if "WARNING" in line or "Error" in line]
    assert build.returncode == 0, "\n".join(["the book does not build:", *said])
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def copy_course() -> Callable[[Path], Path]:
    """Copies the repository, without anything that was built, into a folder."""
    ignore = shutil.ignore_patterns(
        *("__pycache__", "*.ipynb", "gradebook.db*"),
        *("release", "submitted", "autograded", "feedback"),
    )

    def copy(target: Path) -> Path:
        for folder in ("assignments", "chula_rl"):
            shutil.copytree(ROOT / folder, target / folder, ignore=ignore)
        for file in ("pyproject.toml", "LICENSE"):
            shutil.copy(ROOT / file, target)
        return target

    return copy
