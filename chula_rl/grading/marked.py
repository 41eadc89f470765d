"""The marked notebook: a grafted notebook that shows what its cells gave."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution

from chula_rl.errors import AssignmentError
from chula_rl.grading.records import GRADED, CellResult, Outcome

EXCHANGE_SECRET = "submission_secret.txt"


@dataclass(frozen=True)
class ReleasedCell:
    """What the gradebook holds of a cell since the release.

    Attributes:
        checksum: of its text and flags, as nbgrader computes it.
        points: its maximum; None if it has no points.
        answer: whether students write in it.
    """

    checksum: str
    points: float | None
    answer: bool


def marked_notebook(
    outcome: Outcome, released: dict[str, ReleasedCell]
) -> NotebookNode:
    """What ``nbgrader autograde`` would have left of a submission.

    nbgrader's ``determine_grade`` reads off each test cell the points of the outcome:
    an error is none, a number is partial credit, and no output is full marks.

    Args:
        outcome: of the submission.
        released: the cells in the gradebook, by name.

    Raises:
        AssignmentError: the cells or results are not those in the gradebook.
    """
    notebook: NotebookNode = nbformat.v4.reads(  # type: ignore[no-untyped-call]
        outcome.notebook
    )
    for cell in notebook.cells:  # a lone surrogate has no UTF-8 form, and no checksum
        cell.source = cell.source.encode(errors="replace").decode()
    cells = known_cells(notebook)
    _check(outcome, cells, released)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown = outcome.outputs.get(cell.id, [])
            cell.outputs = nbformat.from_dict(shown)  # type: ignore[no-untyped-call]
    notebook.metadata["chula_rl"] = {  # for the feedback page
        "status": outcome.status,
        "reason": outcome.reason,
        "notes": list(outcome.notes),
    }
    results = {result.name: result for result in outcome.results}
    for name, cell in cells.items():
        cell.metadata.nbgrader["checksum"] = released[name].checksum
        cell.metadata.nbgrader["cell_type"] = cell.cell_type
        if is_grade(cell) and not is_solution(cell):
            missed = CellResult(name, 0.0, cell.metadata.nbgrader["points"])
            cell.outputs = _outputs(results.get(name, missed), outcome.reason)
    return notebook


def known_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that nbgrader knows, by name."""
    found = {}
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name is not None:
            found[name] = cell
    return found


def exchange_secret(folder: Path) -> str | None:
    """What nbgrader's exchange finds the feedback of a submission by, if it made any.

    Args:
        folder: what the student handed in.
    """
    path = folder / EXCHANGE_SECRET
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        found = re.fullmatch(rb"[0-9a-f]{128}", file.read(129))
    return found[0].decode() if found else None


def write_folder(
    folder: Path, notebook: NotebookNode, stamp: str | None, secret: str | None = None
) -> None:
    """Write an autograded folder beside the old one, then swap the two.

    Args:
        folder: that of the assignment, whose name the notebook gets.
        notebook: the marked notebook.
        stamp: the text of ``timestamp.txt``; None if there is none.
        secret: as ``exchange_secret`` gives it.
    """
    new = folder.with_name(f".{folder.name}.new")
    old = folder.with_name(f".{folder.name}.old")
    for leftover in (new, old):  # of one who was killed here
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir(parents=True)
    text: str = nbformat.v4.writes(notebook)  # type: ignore[no-untyped-call]
    # A lone surrogate in a student's output has no UTF-8 form.
    (new / f"{folder.name}.ipynb").write_bytes((text + "\n").encode(errors="replace"))
    if stamp is not None:
        (new / "timestamp.txt").write_text(stamp, "utf-8")
    if secret is not None:  # from here it comes to the feedback, to be released
        (new / EXCHANGE_SECRET).write_text(secret, "utf-8")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _check(
    outcome: Outcome,
    cells: dict[str, NotebookNode],
    released: dict[str, ReleasedCell],
) -> None:
    """The notebook and the results are of what is in the gradebook."""
    differing = {name for name in cells if name not in released}
    for name, known in released.items():
        if name not in cells or _differs(cells[name], known):
            differing.add(name)
    tests = {n: r.points for n, r in released.items() if r.points and not r.answer}
    results = {result.name: result.max_points for result in outcome.results}
    if outcome.status != GRADED:  # it may not have reached all of them
        results = tests | results
    differing |= {name for name, _ in tests.items() ^ results.items()}
    if differing:
        raise AssignmentError(
            f"the cells {', '.join(sorted(differing))} of '{outcome.assignment}' are "
            f"not in the gradebook as {outcome.student} was graded; expected those of "
            f"the release: run `chula-rl assignments release {outcome.assignment}`, "
            "then grade again."
        )
    for result in outcome.results:
        if not 0 <= result.points <= result.max_points:
            raise AssignmentError(
                f"{outcome.student} has {result.points} points in {result.name}; "
                f"expected 0 to {result.max_points:g}: grade the submission again."
            )


def _differs(cell: NotebookNode, known: ReleasedCell) -> bool:
    points = float(cell.metadata.nbgrader["points"]) if is_grade(cell) else None
    changed = is_locked(cell) and compute_checksum(cell) != known.checksum
    return changed or points != known.points or is_solution(cell) != known.answer


def _outputs(result: CellResult, reason: str) -> list[NotebookNode]:
    """The outputs of a test cell."""
    if result.points == result.max_points:
        return []
    if result.points == 0:
        message = result.message or f"NotReached: {reason or 'it did not run'}"
        kind, colon, text = message.partition(": ")
        if not colon:
            kind, text = "AssertionError", message
        return [_output("error", ename=kind, evalue=text, traceback=[message])]
    data = {"text/plain": repr(float(result.points))}
    shown = [_output("execute_result", data=data)]
    if result.message:
        shown.insert(0, _output("stream", name="stdout", text=result.message + "\n"))
    return shown


def _output(kind: str, **content: Any) -> NotebookNode:
    output: NotebookNode = nbformat.v4.new_output(  # type: ignore[no-untyped-call]
        kind, **content
    )
    return output
