"""The grader as preprocessors of nbgrader, so that its own command is safe as well."""

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from chula_rl.errors import SubmissionError
from chula_rl.grading.course import Course
from chula_rl.grading.grade import Assignment, environment, task
from chula_rl.grading.gradebook import Writer
from chula_rl.grading.graft import graft
from chula_rl.grading.marked import marked_notebook
from chula_rl.grading.task import Task
from chula_rl.grading.worker import grade

Resources = dict[str, Any]


class Graft(NbGraderPreprocessor):  # type: ignore[misc]  # untyped base
    """Puts the student's own cells into the trusted notebook, after the intake."""

    def preprocess(
        self, nb: NotebookNode, resources: Resources
    ) -> tuple[NotebookNode, Resources]:
        """Give the grafted notebook, whatever nbgrader has read.

        Raises:
            SubmissionError: the submission is refused.
        """
        _, found = _task(self.config, resources)
        trusted = nbformat.reads(  # type: ignore[no-untyped-call]
            found.trusted, as_version=4
        )
        return graft(found.submitted, trusted).notebook, resources


class SplitExecute(NbGraderPreprocessor):  # type: ignore[misc]  # untyped base
    """Runs the student's cells in the sandbox, and the tests outside of it."""

    def preprocess(
        self, nb: NotebookNode, resources: Resources
    ) -> tuple[NotebookNode, Resources]:
        """Give the notebook with the outputs off which nbgrader reads the points.

        Raises:
            SubmissionError: the submission is refused.
            SandboxError: students' code cannot be run safely here.
        """
        course, found = _task(self.config, resources)
        with Writer(course, found.assignment) as writer:
            return marked_notebook(grade(found), writer.cells), resources


def _task(config: Any, resources: Resources) -> tuple[Course, Task]:
    course = Course(Path(config.CourseDirectory.root).parent)
    data = resources["nbgrader"]
    assignment = Assignment.read(course, data["assignment"])
    found = task(assignment, data["student"], environment())
    if not isinstance(found, Task):
        raise SubmissionError(found.reason)
    return course, found
