"""The marks of a class, as the gradebook has them: for a table and a file."""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbgrader.api import (
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload, undefer

from chula_rl.grading import late
from chula_rl.grading.course import Course
from chula_rl.grading.records import GRADED, REFUSED, Outcome

TO_MARK = "to mark"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a formula begins in spreadsheets


@dataclass(frozen=True)
class Mark:
    """The marks of one submission.

    Attributes:
        student: whose.
        status: of its outcome, or ``to mark`` if an answer waits for a person.
        reason: why it was refused or cut short.
        seconds_late: after the due date; 0 if in time.
        points: of each test or answer; a missing entry is not marked yet.
        max_points: of each.
        penalty: the points that it loses because it was late.
    """

    student: str
    status: str
    reason: str = ""
    seconds_late: float = 0.0
    points: dict[str, float] = field(default_factory=dict)
    max_points: dict[str, float] = field(default_factory=dict)
    penalty: float = 0.0

    @property
    def total(self) -> float:
        """What counts of it so far."""
        return max(0.0, round(sum(self.points.values()) - self.penalty, 6))


def read(
    course: Course, name: str, outcomes: Mapping[str, tuple[str, str]]
) -> Iterator[Mark]:
    """The marks of some students; penalties for being late are computed anew.

    Args:
        course: the course.
        name: the assignment.
        outcomes: status and reason of each student's outcome.
    """
    gradebook: Gradebook
    api = course.nbgrader()
    with api.gradebook as gradebook:
        late.renew(gradebook, late.assigner(api), name)
        notebooks = {n.student.id: n for n in _notebooks(gradebook, name)}
        for student, (status, reason) in outcomes.items():
            found = notebooks.get(student) if status != REFUSED else None
            yield _mark(found, Mark(student, status, reason))


def status_of(outcome: Outcome) -> tuple[str, str]:
    """Status and reason of an outcome, with what was put right in it."""
    return outcome.status, "; ".join(filter(None, [outcome.reason, *outcome.notes]))


def _notebooks(gradebook: Gradebook, name: str) -> Iterable[SubmittedNotebook]:
    """All submissions of an assignment with their grades, in few statements."""
    with_grades = selectinload(SubmittedNotebook.grades).options(
        joinedload(Grade.cell), undefer(Grade.max_score)
    )
    found: Iterable[SubmittedNotebook] = gradebook.db.scalars(
        select(SubmittedNotebook)
        .join(SubmittedNotebook.assignment)
        .where(SubmittedAssignment.assignment_id == gradebook.find_assignment(name).id)
        .options(joinedload(SubmittedNotebook.assignment), with_grades)
    )
    return found


def _mark(notebook: SubmittedNotebook | None, mark: Mark) -> Mark:
    """A mark with what the gradebook has of it, if it has anything."""
    if notebook is None:
        return mark
    grades = notebook.grades
    open_ = [grade.name for grade in grades if grade.needs_manual_grade]
    return replace(
        mark,
        status=TO_MARK if open_ and mark.status == GRADED else mark.status,
        seconds_late=notebook.assignment.total_seconds_late,
        points={grade.name: grade.score for grade in grades if grade.name not in open_},
        max_points={grade.name: grade.max_score for grade in grades},
        penalty=notebook.late_submission_penalty or 0.0,
    )


def write_csv(
    marks: Iterable[Mark], path: Path, without_total: Collection[str] = ()
) -> None:
    """Write the marks, a row for each student and a column for each exercise.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.

    Args:
        marks: of the class.
        path: the file.
        without_total: the students whose totals are left out.
    """
    marks = list(marks)
    columns = exercises(marks)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        about = ["student", "status", "reason", "seconds_late", "late_penalty"]
        writer.writerow([*about, *columns, "total", "max"])
        maximum = sum(columns.values())
        for mark in marks:
            points = [mark.points.get(column, "") for column in columns]
            texts = map(as_text, (mark.student, mark.status, mark.reason))
            lateness = round(mark.seconds_late), mark.penalty
            total = "" if mark.student in without_total else mark.total
            writer.writerow([*texts, *lateness, *points, total, maximum])


def as_text(cell: str) -> str:
    """A cell of a CSV file that no spreadsheet takes for a formula."""
    return f"'{cell}" if is_formula(cell) else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet may take the text of a cell for a formula."""
    return cell.lstrip(" ").startswith(_FORMULA)


def table(marks: Iterable[Mark]) -> str:
    """The marks as text: numbered exercises above, then a line for each student."""
    marks = list(marks)
    columns = exercises(marks)
    width = max([len("student"), *(len(mark.student) for mark in marks)])
    lines = [
        f"{i:3}  {name} ({points:g})"
        for i, (name, points) in enumerate(columns.items(), 1)
    ]
    numbers = "".join(f"{i:5}" for i in range(1, len(columns) + 1))
    lines += ["", f"{'student':{width}}  {'status':13}{numbers}    total"]
    for mark in marks:
        cells = (
            f"{mark.points[column]:5g}" if column in mark.points else f"{'-':>5}"
            for column in columns
        )
        total = f"{mark.total:g}/{sum(columns.values()):g}"
        lost = f", -{mark.penalty:g}" if mark.penalty else ""
        hours = mark.seconds_late / 3600
        lateness = f"  late: {hours:.1f} h{lost}" if mark.seconds_late else ""
        reason = f"  {mark.reason}" if mark.reason else ""
        lines.append(
            f"{mark.student:{width}}  {mark.status:13}{''.join(cells)}  {total:>7}"
            f"{lateness}{reason}"
        )
    return "\n".join(lines)


def exercises(marks: Iterable[Mark]) -> dict[str, float]:
    """The maximum of each exercise, in the order of the notebook."""
    return {name: most for mark in marks for name, most in mark.max_points.items()}
