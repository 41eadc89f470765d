"""The cells of an assignment, as nbgrader tells them apart."""

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from chula_rl.errors import AssignmentError

_FLAGS = {  # of nbgrader's four sorts of cell: (cell type, grade, solution, locked)
    ("markdown", False, False, True): "text",
    ("code", False, False, True): "text",
    ("code", False, True, False): "solution",
    ("code", True, False, True): "test",
    ("markdown", True, True, False): "answer",
}
_KEYS = {"grade", "grade_id", "locked", "schema_version", "solution", "task"}


def read(path: Path) -> NotebookNode:
    """Read a notebook of our own."""
    text = path.read_text("utf-8")
    notebook: NotebookNode = nbformat.reads(  # type: ignore[no-untyped-call]
        text, as_version=4
    )
    return notebook


def cell_kind(cell: NotebookNode, where: str) -> str:
    """What a cell is to nbgrader: text, solution, test, answer, or free.

    Raises:
        AssignmentError: its nbgrader metadata is none of these.
    """
    if "nbgrader" not in cell.metadata:
        return "free"
    data: dict[str, Any] = cell.metadata["nbgrader"]
    flags = tuple(data.get(key) for key in ("grade", "solution", "locked"))
    kind = _FLAGS.get((cell.cell_type, *flags))
    keys = _KEYS | ({"points"} if kind in ("test", "answer") else set())
    if kind is None or set(data) - {"cell_type"} != keys or data["task"]:
        raise AssignmentError(
            f"{where}: nbgrader metadata {dict(data)} of a {cell.cell_type} cell; "
            f"expected the keys {sorted(keys)}, task false, and the flags of read-only "
            "text (locked), a solution (code, solution), tests (code, grade, locked) "
            "or a written answer (markdown, grade, solution)."
        )
    if data["schema_version"] != 3:
        raise AssignmentError(
            f"{where}: schema_version {data['schema_version']}; expected 3."
        )
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(data["grade_id"])):
        raise AssignmentError(
            f"{where}: grade_id {data['grade_id']!r}; expected 1 to 64 letters, "
            "digits, '_' and '-'."
        )
    points = data.get("points", 1)
    if isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
        raise AssignmentError(f"{where}: points {points!r}; expected more than 0.")
    return kind
