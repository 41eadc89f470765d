"""Intake: what is refused before any code of a submission runs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from chula_rl.errors import SubmissionError

MAX_BYTES = 5_000_000
_FLAGS = ("grade", "solution", "task", "schema_version")


def admit(folder: Path, name: str, released: NotebookNode) -> None:
    """Let a submission pass, or say why not.

    Args:
        folder: what the student handed in.
        name: the assignment.
        released: the notebook that the student got.

    Raises:
        SubmissionError: the reason, in words for the student.
    """
    for path in (folder.parent, folder, *sorted(folder.rglob("*"))):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise SubmissionError(f"{path.name} is a link or no regular file")
    path = folder / f"{name}.ipynb"
    if not path.is_file():
        found = ", ".join(sorted(other.name for other in folder.iterdir())) or "nothing"
        raise SubmissionError(f"no {path.name}; handed in: {found}")
    if path.stat().st_size > MAX_BYTES:
        raise SubmissionError(
            f"{path.name} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are "
            "taken. Clear its outputs"
        )
    _check_timestamp(folder / "timestamp.txt")
    _check_cells(_parse(path), released)


def _check_timestamp(path: Path) -> None:
    if path.exists():
        try:
            parse_utc(path.read_text("utf-8").strip())
        except (ValueError, OverflowError) as error:
            raise SubmissionError("timestamp.txt holds no date") from error


def _parse(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise SubmissionError(f"{path.name} is not a notebook of format 4")
    try:
        nbformat.validate(notebook)
    except Exception as error:  # it stumbles over malformed input in many ways
        reason = str(error).splitlines()[0]
        raise SubmissionError(f"{path.name} is not valid: {reason}") from error
    return notebook


def _check_cells(notebook: dict[str, Any], released: NotebookNode) -> None:
    """Each cell that nbgrader knows is there once, and still of its kind."""
    expected = {data["grade_id"]: data for data in _nbgrader_data(released)}
    got = _nbgrader_data(notebook)
    counts = Counter(str(data.get("grade_id")) for data in got)
    for grade_id in expected:
        if counts[grade_id] != 1:
            raise SubmissionError(
                f"cell '{grade_id}' occurs {counts[grade_id]} times; expected once"
            )
    for data in got:
        known = expected.get(str(data.get("grade_id")))
        if known is None:
            raise SubmissionError(f"unknown cell '{data.get('grade_id')}'")
        changed = [flag for flag in _FLAGS if data.get(flag) != known[flag]]
        if changed:
            raise SubmissionError(
                f"cell '{known['grade_id']}' has another '{changed[0]}' than released"
            )


def _nbgrader_data(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    found = [cell["metadata"].get("nbgrader") for cell in notebook["cells"]]
    if any(not isinstance(data, dict) for data in found if data):
        raise SubmissionError("a cell's nbgrader metadata is no mapping")
    return [data for data in found if data]
