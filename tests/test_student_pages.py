"""The pages for students: every message on them is one that can be seen."""

import contextlib
import importlib.util
import io
import re
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import jupytext
import pytest

import chula_rl

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "book" / "students"
ERRORS = (PAGES / "errors.md").read_text("utf-8")
CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.MULTILINE | re.DOTALL)


class Entry(NamedTuple):
    """One error: its heading, and the text below it."""

    heading: str
    text: str

    @property
    def message(self) -> str:
        """What the heading quotes."""
        (message,) = re.findall(r"`([^`]+)`", self.heading)
        return message


def entries() -> list[Entry]:
    cells = [match.span() for match in CELL.finditer(ERRORS)]
    starts = [
        match
        for match in re.finditer(r"^### (.+)$", ERRORS, re.MULTILINE)
        if not any(begin < match.start() < end for begin, end in cells)
    ]
    ends = [match.start() for match in starts[1:]] + [len(ERRORS)]
    return [
        Entry(match[1], re.split(r"^## ", ERRORS[match.end() : end], flags=re.M)[0])
        for match, end in zip(starts, ends, strict=True)
    ]


ENTRIES = entries()


def test_there_are_at_least_twenty_errors() -> None:
    assert len(ENTRIES) >= 20
    assert len({entry.message for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.heading[:40])
def test_an_error_has_its_message_why_and_what_to_do(entry: Entry) -> None:
    assert entry.message
    parts = re.split(r"\*\*(Why|What to do)\.\*\*", entry.text)
    shown, why, reason, what, advice = parts
    assert len(CELL.findall(shown)) == 1
    assert CELL.sub("", shown).strip() == "", "the message comes first, by itself"
    assert (why, what) == ("Why", "What to do")
    assert len(reason.split()) >= 12
    assert len(advice.split()) >= 12
    assert not CELL.search(reason + advice)


def run(page: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Run the code of a page; the source and the output of each cell."""
    monkeypatch.chdir(PAGES)
    with warnings.catch_warnings():  # front matter that only Sphinx knows
        warnings.filterwarnings("ignore", "The following metadata", UserWarning)
        cells = jupytext.read(PAGES / f"{page}.md").cells
    names: dict[str, object] = {"__name__": "__main__"}
    shown = []
    for cell in cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(cell.source, f"<{page}>", "exec"), names)
            shown.append((cell.source, output.getvalue()))
    return shown


@pytest.mark.slow
def test_each_message_is_what_the_code_below_it_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outputs = dict(run("errors", monkeypatch))
    for entry in ENTRIES:
        (cell,) = CELL.findall(entry.text)
        (said,) = [out for source, out in outputs.items() if f"\n{source}\n" in cell]
        assert entry.message in " ".join(said.split()), said
        assert tempfile.gettempdir() + "/tmp" not in said, "that is not the reader's"
        assert str(ROOT) not in said


@pytest.mark.slow
def test_the_tests_of_the_assignment_name_the_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (output,) = [output for _, output in run("start", monkeypatch) if output]
    assert output.startswith("AssertionError: G_0 ignores later rewards")


def test_the_instructions_are_those_of_the_archive() -> None:
    path = ROOT / "book" / "_ext" / "chula_book.py"
    spec = importlib.util.spec_from_file_location("chula_book", path)
    assert spec and spec.loader
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)
    readme = ROOT / "assignments" / "student_readme.md"
    content = [readme.read_text("utf-8")]
    extension.fill_in_instructions(
        None, Path("../assignments", readme.name), "", content
    )
    wheel = f"chula_rl-{chula_rl.__version__}+student-py3-none-any.whl"
    assert content == [readme.read_text("utf-8").format(name="reinforce", wheel=wheel)]
    include = "```{include} ../../assignments/student_readme.md\n"
    assert include in (PAGES / "start.md").read_text("utf-8")
