"""Fixtures that several test modules share."""

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM_FLAGS = [
    "--no-sandbox",  # or Chromium does not start as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A shell starts its background jobs with Ctrl-C ignored, and so does what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory of the test."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, a module's own: no asyncio loop can run beside its driver."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail("no Chromium: run tools/need chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


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
