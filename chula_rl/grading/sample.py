"""The sample class: made-up students, to try the grading on."""

import ast
import copy
import shutil
import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from chula_rl.errors import AssignmentError
from chula_rl.grading import cells, mistakes, source
from chula_rl.grading.contract import CASES, CONTRACT
from chula_rl.grading.course import Course

_KEYS = {"id", "kind", "variants", "answer", "handed_in"}


def make_sample_class(course: Course, names: Collection[str] = ()) -> list[Path]:
    """Hand in for every student of ``assignments/sample_class.toml``.

    A submission is the released notebook with code in its solution cells. Only folders
    of students called ``sample-...`` are touched.

    Args:
        course: the course.
        names: of the assignments; all of the file's if there are none.

    Returns:
        The folders of the submissions.

    Raises:
        AssignmentError: the file asks for something unknown, or an assignment is not
            released.
    """
    path = course.assignments / "sample_class.toml"
    plans = tomllib.loads(path.read_text("utf-8"))["class"]
    unknown = set(names) - {plan["assignment"] for plan in plans}
    if unknown:
        raise AssignmentError(f"{path} has no class for {sorted(unknown)}.")
    return [
        folder
        for plan in plans
        if plan["assignment"] in names or not names
        for folder in _hand_in(course, plan, path)
    ]


def _hand_in(course: Course, plan: Mapping[str, Any], path: Path) -> list[Path]:
    """Hand in one assignment for its students."""
    name = plan["assignment"]
    released = course.released(name) / f"{name}.ipynb"
    if not released.exists():
        raise AssignmentError(
            f"'{name}' is not released; run `chula-rl assignments release {name}`."
        )
    for folder in (course.assignments / "submitted").glob(f"sample-*/{name}"):
        shutil.rmtree(folder)
    right, variants = solutions(course, name), _variants(name)
    folders = []
    for student in _checked(plan["student"], path):
        code = right | {
            function: _variant(variants, function, variant)
            for function, variant in student.get("variants", {}).items()
        }
        text = submission(cells.read(released), student, code)
        folder = course.submitted(name, student["id"])
        folder.mkdir(parents=True)
        (folder / released.name).write_text(text, "utf-8")
        stamp = student.get("handed_in", plan["handed_in"]).astimezone(UTC)
        (folder / "timestamp.txt").write_text(f"{stamp:%Y-%m-%d %H:%M:%S} UTC\n")
        folders.append(folder)
    _set_due_date(course, name, plan["due"])
    return folders


def _checked(students: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    for student in students:
        if not student["id"].startswith("sample-") or not student.keys() <= _KEYS:
            raise AssignmentError(
                f"{path}: {student}; expected an id that starts with 'sample-' and of "
                f"the keys {sorted(_KEYS)}."
            )
    return students


def submission(
    released: NotebookNode, student: Mapping[str, Any], code: Mapping[str, str]
) -> str:
    """What one student hands in.

    Args:
        released: the released notebook.
        student: an entry of the sample class.
        code: the text of each function.

    Returns:
        The notebook's file, cut in the middle for the kind ``unreadable``.
    """
    notebook = copy.deepcopy(released)
    kind = student.get("kind", "solved")
    if kind not in ("solved", "blank", "unreadable"):
        raise AssignmentError(f"{student['id']}: unknown kind '{kind}'.")
    for cell in notebook.cells if kind != "blank" else []:
        if is_solution(cell) and cell.cell_type == "code":
            cell.source = filled(cell.source, code)
        elif is_solution(cell):
            cell.source = _answer(student, cell)
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text[: len(text) // 2] if kind == "unreadable" else text + "\n"


def _answer(student: Mapping[str, Any], cell: NotebookNode) -> str:
    """One text for all questions, or one for each."""
    answer: str | dict[str, str] = student.get("answer", {})
    if isinstance(answer, str):
        return answer
    text: str = answer.get(cell.metadata.nbgrader.grade_id, cell.source)
    return text


def solutions(course: Course, name: str) -> dict[str, str]:
    """The reference's own text of each function."""
    texts = {}
    for target in (CONTRACT | CASES)[name]:
        text = source.function_source(target, course.package)
        lines = [
            line for line in text.split("\n") if not line.strip().startswith("###")
        ]
        texts[target.split(":")[1]] = "\n".join(lines)
    return texts


def _variants(name: str) -> dict[tuple[str, str], str]:
    return {
        (variant.function, variant.name): variant.source
        for variant in mistakes.load(name)
    }


def _variant(variants: dict[tuple[str, str], str], function: str, name: str) -> str:
    if (function, name) not in variants:
        known = [variant for owner, variant in variants if owner == function]
        raise AssignmentError(
            f"assignments/mistakes has no '{name}' of {function}; there are: {known}."
        )
    return variants[function, name]


def filled(cell: str, code: Mapping[str, str]) -> str:
    """Put code in the place of the definitions in a solution cell."""
    lines = cell.split("\n")
    for node in reversed(ast.parse(cell).body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            lines[node.lineno - 1 : node.end_lineno] = code[node.name].split("\n")
    return "\n".join(lines)


def _set_due_date(course: Course, name: str, due: datetime) -> None:
    """Give the assignment a due date, unless the instructor has set one."""
    with course.nbgrader().gradebook as gradebook:
        if gradebook.find_assignment(name).duedate is None:
            naive = due.astimezone(UTC).replace(tzinfo=None)
            gradebook.update_or_create_assignment(name, duedate=naive)
