"""The check of the links inside the book."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "check_links.py"


def check(site: Path) -> tuple[int, str]:
    """Exit status and output of the tool."""
    command = [sys.executable, str(TOOL), str(site)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def write_site(folder: Path, link: str) -> None:
    (folder / "sub").mkdir()
    (folder / "a b.html").write_text('<h1 id="top">A</h1><a name="old">x</a>')
    (folder / "sub" / "page.html").write_text(f'<p id="here"><a href="{link}">x</a>')
    (folder / "_static").mkdir()
    (folder / "_static" / "template.html").write_text('<a href="{{ later }}">x</a>')


@pytest.mark.parametrize(
    "link",
    [
        *(
            "../a%20b.html",
            "../a b.html#top",
            "../a%20b.html#old",
            "#here",
            "page.html",
        ),
        *("https://example.org/nothing", "mailto:someone@example.org", "", "#"),
    ],
)
def test_a_sound_link_passes(tmp_path, link):
    write_site(tmp_path, link)
    assert check(tmp_path) == (0, "links: all lead somewhere\n")


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("../missing.html", "no file"),
        ("a%20b.html", "no file"),
        ("../a%20b.html#nowhere", "no anchor"),
        ("#top", "no anchor"),
    ],
)
def test_a_dead_link_is_named(tmp_path, link, problem):
    write_site(tmp_path, link)
    assert check(tmp_path) == (1, f"sub/page.html: {problem} for {link}\n")


def test_a_book_that_is_not_built_is_no_success(tmp_path):
    status, output = check(tmp_path)
    assert status == 1
    assert "build the book first" in output
