"""The marks of a class, as the gradebook has them: for a table and a file."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from chula_rl.grading.course import Course
from chula_rl.grading.records import GRADED, REFUSED, Outcome

TO_MARK = "to mark"


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
    """

    student: str
    status: str
    reason: str = ""
    seconds_late: float = 0.0
    points: dict[str, float] = field(default_factory=dict)
    max_points: dict[str, float] = field(default_factory=dict)


def read(
    course: Course, name: str, outcomes: Mapping[str, tuple[str, str]]
) -> Iterator[Mark]:
    """The marks of some students.

    Args:
        course: the course.
        name: the assignment.
        outcomes: status and reason of each student's outcome.
    """
    gradebook: Gradebook
    with course.nbgrader().gradebook as gradebook:
        for student, (status, reason) in outcomes.items():
            yield _mark(gradebook, name, student, status, reason)


def status_of(outcome: Outcome) -> tuple[str, str]:
    """Status and reason of an outcome, with what was put right in it."""
    return outcome.status, "; ".join(filter(None, [outcome.reason, *outcome.notes]))


def _mark(
    gradebook: Gradebook, name: str, student: str, status: str, reason: str
) -> Mark:
    if status == REFUSED:
        return Mark(student, status, reason)
    try:
        submission = gradebook.find_submission(name, student)
        grades = gradebook.find_submission_notebook(name, name, student).grades
    except MissingEntry:
        return Mark(student, status, reason)
    open_ = [grade.name for grade in grades if grade.needs_manual_grade]
    return Mark(
        student,
        TO_MARK if open_ and status == GRADED else status,
        reason,
        submission.total_seconds_late,
        {grade.name: grade.score for grade in grades if grade.name not in open_},
        {grade.name: grade.max_score for grade in grades},
    )


def write_csv(marks: Iterable[Mark], path: Path) -> None:
    """Write the marks, a row for each student and a column for each exercise."""
    marks = list(marks)
    columns = exercises(marks)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["student", "status", "reason", "seconds_late", *columns, "total", "max"]
        )
        maximum = sum(columns.values())
        for mark in marks:
            points = [mark.points.get(column, "") for column in columns]
            total = sum(mark.points.values())
            late = round(mark.seconds_late)
            writer.writerow(
                [mark.student, mark.status, mark.reason, late, *points, total, maximum]
            )


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
        total = f"{sum(mark.points.values()):g}/{sum(columns.values()):g}"
        late = f"  late: {mark.seconds_late / 3600:.1f} h" if mark.seconds_late else ""
        reason = f"  {mark.reason}" if mark.reason else ""
        lines.append(
            f"{mark.student:{width}}  {mark.status:13}{''.join(cells)}  {total:>7}"
            f"{late}{reason}"
        )
    return "\n".join(lines)


def exercises(marks: Iterable[Mark]) -> dict[str, float]:
    """The maximum of each exercise, in the order of the notebook."""
    return {name: most for mark in marks for name, most in mark.max_points.items()}
