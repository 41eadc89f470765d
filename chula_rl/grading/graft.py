"""Graft: the trusted notebook, with only the student's own cells in it.

The cells of tests and text, all points, settings and ids are those of the assignment's
source. From the submission come the texts of its solutions and written answers, and
whatever other cells it has, as plain cells: these never stand in for one of ours.
"""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

import nbformat
from nbformat import NotebookNode

from chula_rl.grading.cells import cell_kind
from chula_rl.grading.texts import shown, text_of

MAX_NOTES = 20
SKIP = "skip-grading"  # the tag of a plain cell that is not run
_THEIRS = ("solution", "answer")
_SETTINGS = ("grade", "solution", "locked", "task", "schema_version", "points")
_MISSING = {
    "solution": "the cell '{}' was missing; it counts as blank",
    "answer": "the cell '{}' was missing; it counts as blank",
    "test": "the tests '{}' were missing and were put back",
    "text": "the cell '{}' was missing and was put back",
}


@dataclass(frozen=True)
class Grafted:
    """What is graded.

    Attributes:
        notebook: of trusted cells, and the student's texts in their places.
        notes: what was put right, in words for the student.
    """

    notebook: NotebookNode
    notes: tuple[str, ...]


def graft(submitted: dict[str, Any], trusted: NotebookNode) -> Grafted:
    """Put the student's own cells into the trusted notebook.

    Args:
        submitted: a notebook that has the shape which the intake checks.
        trusted: the assignment's source notebook.

    Returns:
        A new notebook, valid and with unique ids. A solution or answer that the
        submission lacks is empty. A plain cell follows the cell of ours that it
        followed in the submission; the first one of each of our cells counts.
    """
    ours: dict[str, tuple[str, NotebookNode]] = {}
    for cell in trusted.cells:
        kind = cell_kind(cell, f"the trusted notebook, cell {cell.id}")
        if kind != "free":  # of free cells there are only the student's
            ours[cell.metadata.nbgrader.grade_id] = kind, cell
    theirs: dict[str, dict[str, Any]] = {}
    extras: dict[str, list[dict[str, Any]]] = {"": []}  # by the cell that they follow
    last = ""
    for cell in submitted["cells"]:
        name = _grade_id(cell)
        if name in ours and name not in theirs:
            theirs[name] = cell
            extras[name] = []
            last = name
        else:
            extras[last].append(cell)
    taken = {cell.id for cell in trusted.cells}
    ids = (i for i in (f"extra-{n}" for n in count(1)) if i not in taken)
    cells = [_extra(cell, next(ids)) for cell in extras[""]]
    for name, (kind, cell) in ours.items():
        cells.append(_ours(kind, cell, theirs.get(name)))
        cells += [_extra(extra, next(ids)) for extra in extras.get(name, [])]
    notebook = copy.deepcopy(trusted)
    notebook.cells = cells
    found = _notes(submitted, ours, theirs)
    return Grafted(notebook, _shortened(list(dict.fromkeys(found))))


def _grade_id(cell: dict[str, Any]) -> str:
    """What the student's cell calls itself; empty for a plain cell."""
    data = cell["metadata"].get("nbgrader")
    name = data.get("grade_id") if isinstance(data, dict) else None
    return name if isinstance(name, str) else ""


def _ours(kind: str, trusted: NotebookNode, cell: dict[str, Any] | None) -> Any:
    """A cell of ours, with the student's text if its kind has one."""
    result = copy.deepcopy(trusted)
    if kind in _THEIRS:
        result.source = text_of(cell["source"]) if cell else ""
        result.pop("attachments", None)  # of the model answer
    return result


def _extra(cell: dict[str, Any], id_: str) -> NotebookNode:
    """A plain cell with the student's text."""
    tags = cell["metadata"].get("tags")
    skipped = isinstance(tags, list) and SKIP in tags
    result = {
        "cell_type": cell["cell_type"],
        "id": id_,
        "metadata": {"tags": [SKIP]} if skipped else {},
        "source": text_of(cell["source"]),
    }
    if cell["cell_type"] == "code":
        result |= {"execution_count": None, "outputs": []}
    node: NotebookNode = nbformat.from_dict(result)  # type: ignore[no-untyped-call]
    return node


def _notes(
    submitted: dict[str, Any],
    ours: dict[str, tuple[str, NotebookNode]],
    theirs: dict[str, dict[str, Any]],
) -> Iterator[str]:
    """What is put right, the most important first."""
    for kind, message in _MISSING.items():
        for name, (its_kind, _) in ours.items():
            if its_kind == kind and name not in theirs:
                yield message.format(name)
    names = Counter(filter(None, map(_grade_id, submitted["cells"])))
    for name, number in names.items():
        if name not in ours:
            yield f"the cell '{shown(name)}' is not in the assignment; it has no points"
        elif number > 1:
            yield f"the cell '{name}' was there {number} times; the first one counts"
    for question, answer in pairwise(ours):
        if ours[answer][0] == "answer" and _other_text(
            ours[question], theirs, question
        ):
            yield f"the question above '{answer}' was another one and was put back"
    for name, cell in theirs.items():
        if _settings(cell) != _settings(ours[name][1]):
            yield f"the settings of the cell '{name}' were changed and were put back"
        if ours[name][0] == "answer" and "(attachment:" in text_of(cell["source"]):
            yield f"the pictures pasted into the cell '{name}' are not kept; use words"
    if list(theirs) != [name for name in ours if name in theirs]:
        yield "the cells were in another order; that of the assignment was put back"


def _other_text(
    ours: tuple[str, NotebookNode], theirs: dict[str, dict[str, Any]], name: str
) -> bool:
    """Whether a text of ours reads otherwise in the submission, spaces aside."""
    kind, cell = ours
    if kind != "text" or name not in theirs:
        return False
    text: str = cell.source
    return text_of(theirs[name]["source"]).split() != text.split()


def _settings(cell: dict[str, Any]) -> list[Any]:
    data = cell["metadata"]["nbgrader"]
    return [cell["cell_type"], *map(data.get, _SETTINGS)]


def _shortened(notes: list[str]) -> tuple[str, ...]:
    if len(notes) <= MAX_NOTES:
        return tuple(notes)
    kept = notes[: MAX_NOTES - 1]
    return (*kept, f"{len(notes) - len(kept)} more cells were put right")
