"""The one writer: it enters outcomes in nbgrader's gradebook and in its folders."""

import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

from nbformat import NotebookNode
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.converters import Autograde
from nbgrader.utils import (
    compute_checksum,
    determine_grade,
    is_grade,
    is_solution,
    parse_utc,
)
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from chula_rl.errors import AssignmentError
from chula_rl.grading import late
from chula_rl.grading.course import Course
from chula_rl.grading.marked import (
    ReleasedCell,
    exchange_secret,
    known_cells,
    marked_notebook,
    write_folder,
)
from chula_rl.grading.records import REFUSED, Outcome


class Writer:
    """Enters outcomes as ``nbgrader autograde`` would have; a context manager.

    One transaction a submission, one session for all: entering twice gives the same as
    entering once, and whoever is killed in between enters again. A person's points and
    comments are kept, and the cell is marked for another look, as nbgrader does it.
    Unlike nbgrader it copies no file but those of nbgrader: formgrader would serve it.

    Attributes:
        cells: of the assignment as it was released, by name.
    """

    def __init__(self, course: Course, name: str) -> None:
        """Open the gradebook of the course.

        Args:
            course: the course.
            name: the assignment.

        Raises:
            AssignmentError: the gradebook has no such assignment, or cannot be opened.
        """
        api = course.nbgrader()
        self.name = name
        self._folders = api.coursedir
        self._autograde = Autograde(coursedir=api.coursedir, parent=api)
        self._late = late.assigner(api)
        with _in_words(self._folders.db_url):
            self._gradebook = Gradebook(api.coursedir.db_url, api.coursedir.course_id)
            try:
                self._read_release()
            finally:
                self._gradebook.db.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the gradebook."""
        self._gradebook.close()

    def enter(self, outcome: Outcome) -> None:
        """Enter one outcome, in place of any earlier one of that student.

        A refused submission replaces an earlier one too: its marks, its folder and an
        extension of its due date are removed, and nbgrader's export has the student
        without a submission. One that ran out of time or memory keeps its points.

        Raises:
            AssignmentError: the outcome is of another assignment or of other cells than
                those in the gradebook, or it cannot be written.
        """
        if outcome.assignment != self.name:
            raise AssignmentError(
                f"an outcome of '{outcome.assignment}' arrived; expected one of "
                f"'{self.name}': open a writer for each assignment."
            )
        try:
            with _in_words(self._folders.db_url):
                if outcome.status == REFUSED:
                    self._refuse(outcome.student)
                else:
                    self._enter(outcome)
        finally:
            self._gradebook.db.close()  # rolls back what is not committed

    def has(self, student: str) -> bool:
        """Whether a student has a submission in the gradebook, and its notebook."""
        folder = self._folder(self._folders.autograded_directory, student)
        session = self._gradebook.db
        try:
            found = session.scalars(
                select(SubmittedAssignment.id).where(
                    SubmittedAssignment.assignment_id == self._id,
                    SubmittedAssignment.student_id == student,
                )
            ).one_or_none()
        finally:
            session.close()
        return found is not None and folder.is_dir()

    def _refuse(self, student: str) -> None:
        self._gradebook.update_or_create_student(student)
        with contextlib.suppress(MissingEntry):  # or it was the first one
            self._gradebook.remove_submission(self.name, student)
        folder = self._folder(self._folders.autograded_directory, student)
        if folder.exists():
            shutil.rmtree(folder)

    def _enter(self, outcome: Outcome) -> None:
        notebook = marked_notebook(outcome, self.cells)
        folder = self._folder(self._folders.submitted_directory, outcome.student)
        stamp, timestamp = _timestamp(folder / "timestamp.txt")
        secret = exchange_secret(folder)
        submission = self._submission(outcome.student)
        if timestamp is not None:  # without one, nbgrader keeps that of an earlier one
            submission.timestamp = timestamp
        row = self._notebook(submission)
        self._mark(row, known_cells(notebook))
        self._gradebook.db.flush()
        late.assign(self._late, submission, row)
        folder = self._folder(self._folders.autograded_directory, outcome.student)
        write_folder(folder, notebook, stamp, secret)
        self._autograde.set_permissions(self.name, outcome.student)
        self._gradebook.db.commit()

    def _submission(self, student: str) -> SubmittedAssignment:
        """The student's row, made if there is none."""
        session = self._gradebook.db
        if session.get(Student, student) is None:
            session.add(Student(id=student))
        found = session.scalars(
            select(SubmittedAssignment).where(
                SubmittedAssignment.assignment_id == self._id,
                SubmittedAssignment.student_id == student,
            )
        ).one_or_none()
        if found is None:
            found = SubmittedAssignment(assignment_id=self._id, student_id=student)
            session.add(found)
        return found

    def _notebook(self, submission: SubmittedAssignment) -> SubmittedNotebook:
        """The row of its notebook, made with one for each cell if there is none."""
        for found in submission.notebooks:
            return found
        made = SubmittedNotebook(notebook_id=self._notebook_id)
        made.grades = [Grade(cell_id=cell) for cell in self._graded.values()]
        made.comments = [Comment(cell_id=cell) for cell in self._commented.values()]
        submission.notebooks.append(made)
        return made

    def _mark(
        self, notebook: SubmittedNotebook, cells: dict[str, NotebookNode]
    ) -> None:
        """As ``SaveAutoGrades``."""
        grades = {row.cell_id: row for row in notebook.grades}
        comments = {row.cell_id: row for row in notebook.comments}
        for name, cell in cells.items():
            if is_grade(cell):
                grade = grades[self._graded[name]]
                grade.auto_score, _ = determine_grade(cell)
                touched = grade.manual_score is not None  # a person's points are kept
                grade.needs_manual_grade = touched or grade.auto_score is None
            if is_solution(cell):
                blank = cell.metadata.nbgrader["checksum"] == compute_checksum(cell)
                comment = comments[self._commented[name]]
                comment.auto_comment = "No response." if blank else None

    def _folder(self, step: str, student: str) -> Path:
        return Path(self._folders.format_path(step, student, self.name))

    def _read_release(self) -> None:
        """What is the same for all: plain values, so that no session has to last."""
        try:
            assignment = self._gradebook.find_assignment(self.name)
            [notebook] = assignment.notebooks
        except ValueError as error:  # nbgrader's MissingEntry is one
            raise AssignmentError(
                f"the gradebook {self._folders.db_url} has no assignment '{self.name}' "
                f"with one notebook; run `chula-rl assignments release {self.name}`."
            ) from error
        self._id, self._notebook_id = assignment.id, notebook.id
        self._graded = {cell.name: cell.id for cell in notebook.grade_cells}
        self._commented = {cell.name: cell.id for cell in notebook.solution_cells}
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        self.cells = {
            cell.name: ReleasedCell(
                cell.checksum, points.get(cell.name), cell.name in self._commented
            )
            for cell in notebook.source_cells
        }


def _timestamp(path: Path) -> tuple[str | None, datetime | None]:
    """The text of a timestamp file, and the moment in UTC as nbgrader reads it."""
    if path.is_symlink() or not path.is_file():
        return None, None
    try:
        text = path.read_text("utf-8")
        return text, parse_utc(text.strip()) if text.strip() else None
    except Exception as error:  # nbgrader stumbles over dates in many ways
        raise AssignmentError(
            f"{path} holds no date: {error}; expected one such as 2027-01-28 18:00:00 "
            "UTC. Did the submission change after it was graded? Then grade it again."
        ) from error


@contextlib.contextmanager
def _in_words(url: str) -> Iterator[None]:
    """Say what to do where the gradebook or the folders fail.

    Raises:
        AssignmentError: in place of what the database or the system raised.
    """
    try:
        yield
    except (DatabaseError, OSError) as error:
        reason = error.orig if isinstance(error, DatabaseError) else error
        raise AssignmentError(
            f"nothing can be entered: {reason}. Expected the gradebook {url} and the "
            "folder assignments/autograded, which you may write, and a disk that is "
            "not full. Close what else uses the gradebook, such as formgrader, and run "
            "the same command again; nothing that was graded is lost."
        ) from error
