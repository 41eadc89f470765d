"""Grade every submission of an assignment, one after the other, with nbgrader."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI

from chula_rl.errors import AssignmentError, SubmissionError
from chula_rl.grading import source
from chula_rl.grading.course import Course, require
from chula_rl.grading.intake import admit


@dataclass(frozen=True)
class Mark:
    """The outcome of one submission.

    Attributes:
        student: whose.
        status: ``graded``; ``to mark`` if an answer waits for a person; ``refused`` at
            the intake; ``failed`` if nbgrader could not grade it.
        reason: why it was refused or failed.
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


def students(course: Course, name: str) -> list[str]:
    """Who handed something in.

    Raises:
        AssignmentError: nobody did, or the assignment is not released.
    """
    if not (course.released(name) / f"{name}.ipynb").exists():
        raise AssignmentError(
            f"'{name}' is not released; run `chula-rl assignments release {name}`."
        )
    folders = sorted((course.assignments / "submitted").glob(f"*/{name}"))
    if not folders:
        raise AssignmentError(
            f"nobody handed in '{name}': assignments/submitted/STUDENT/{name}/ is "
            "where nbgrader collects; `chula-rl assignments sample-class` makes some."
        )
    return [folder.parent.name for folder in folders]


def grade(course: Course, name: str, who: Iterable[str]) -> Iterator[Mark]:
    """Grade the submissions of some students.

    A submission that is refused or fails never stops the others.

    Args:
        course: the course.
        name: the assignment.
        who: the students.

    Yields:
        The mark of each student.
    """
    api = course.nbgrader()
    released = source.read(course.released(name) / f"{name}.ipynb")
    for student in who:
        try:
            admit(course.submitted(name, student), name, released)
            require(api.autograde(name, student), f"nbgrader autograde {name}")
            require(api.generate_feedback(name, student), "nbgrader generate_feedback")
        except SubmissionError as error:
            with api.gradebook as gradebook:  # so that nbgrader's export has them too
                gradebook.update_or_create_student(student)
            yield Mark(student, "refused", str(error))
        except AssignmentError as error:
            yield Mark(student, "failed", str(error))
        else:
            yield _mark(api, name, student)


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
    width = max(len(mark.student) for mark in marks)
    lines = [
        f"{i:3}  {name} ({points:g})"
        for i, (name, points) in enumerate(columns.items(), 1)
    ]
    numbers = "".join(f"{i:5}" for i in range(1, len(columns) + 1))
    lines += ["", f"{'student':{width}}  {'status':8}{numbers}    total"]
    for mark in marks:
        cells = (
            f"{mark.points[column]:5g}" if column in mark.points else f"{'-':>5}"
            for column in columns
        )
        total = f"{sum(mark.points.values()):g}/{sum(columns.values()):g}"
        late = f"  late: {mark.seconds_late / 3600:.1f} h" if mark.seconds_late else ""
        reason = f"  {mark.reason}" if mark.reason else ""
        lines.append(
            f"{mark.student:{width}}  {mark.status:8}{''.join(cells)}  {total:>7}"
            f"{late}{reason}"
        )
    return "\n".join(lines)


def exercises(marks: Iterable[Mark]) -> dict[str, float]:
    """The maximum of each exercise, in the order of the notebook."""
    return {name: most for mark in marks for name, most in mark.max_points.items()}


def _mark(api: NbGraderAPI, name: str, student: str) -> Mark:
    gradebook: Gradebook
    with api.gradebook as gradebook:
        late = gradebook.find_submission(name, student).total_seconds_late
        grades = gradebook.find_submission_notebook(name, name, student).grades
        open_ = [grade.name for grade in grades if grade.needs_manual_grade]
        return Mark(
            student,
            "to mark" if open_ else "graded",
            "",
            late,
            {grade.name: grade.score for grade in grades if grade.name not in open_},
            {grade.name: grade.max_score for grade in grades},
        )
