"""The page that a student gets back: points, what the tests found, and the notebook.

``nbgrader generate_feedback`` makes it with ``FeedbackExporter``; see
``assignments/nbgrader_config.py``. What strangers wrote goes through
``chula_rl.grading.sanitize_notebook`` first and becomes HTML in
``chula_rl.grading.safe_html`` alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from traitlets import default
from traitlets.config import Config

from chula_rl.errors import MarkerError
from chula_rl.grading import late, markers
from chula_rl.grading.safe_html import highlight_code, markdown2html
from chula_rl.grading.sanitize_notebook import SanitizeNotebook

TEMPLATES = Path(__file__).parent / "templates"
MAX_MESSAGE = 2_000  # characters


class Grades(GetGrades):  # type: ignore[misc]  # untyped base
    """Enters points and comments as nbgrader does, and what is still to be marked.

    A penalty for being late is computed anew first: points that a person gave since
    the submission was graded are part of it.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Enter them; ``resources`` gets the sums, the penalty and how late it was."""
        own = resources["nbgrader"]
        assignment, student = own["assignment"], own["student"]
        with Gradebook(own["db_url"]) as gradebook:
            late.renew(gradebook, late.assigner(self), assignment, student)
            submission = gradebook.find_submission(assignment, student)
            own["seconds_late"] = submission.total_seconds_late
        graded: tuple[NotebookNode, dict[str, Any]] = super().preprocess(nb, resources)
        return graded

    def _get_score(self, cell: NotebookNode, resources: dict[str, Any]) -> None:
        super()._get_score(cell, resources)
        name = cell.metadata.nbgrader["grade_id"]
        place = (self.notebook_id, self.assignment_id, self.student_id)
        grade = self.gradebook.find_grade(name, *place)
        cell.metadata.nbgrader["to_mark"] = grade.needs_manual_grade


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]  # untyped base
    """Cuts hidden tests out of the feedback, with all that they showed but a message.

    What a student's function prints while a hidden test calls it is an input of that
    test, so of a test cell's outputs only the message remains.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Keep the visible tests of a test cell, and the message of its error."""
        if not is_grade(cell) or is_solution(cell):
            return cell, resources
        name = cell.metadata.nbgrader["grade_id"]
        try:
            cell.source = markers.outside(cell.source, markers.parse(cell.source, name))
        except MarkerError as error:  # then nobody knows where the hidden part is
            self.log.warning("%s shows no test at all: %s", name, error)
            cell.source = "# The tests of this cell are not shown."
        if cell.cell_type == "code":
            cell.outputs = _message(cell.outputs)
        return cell, resources


@dataclass(frozen=True)
class Row:
    """One line of the table on top of the feedback.

    Attributes:
        name: of the exercise.
        anchor: the ``grade_id`` of its cell.
        points: what it earned.
        max_points: what it could earn.
        found: what the tests found, in words.
        state: ``passed``, ``failed`` or ``manual``.
    """

    name: str
    anchor: str
    points: float
    max_points: float
    found: str
    state: str


def summary(notebook: NotebookNode) -> list[Row]:
    """The graded cells of a notebook that ``Grades`` has put the points in."""
    return [_row(cell) for cell in notebook.cells if is_grade(cell) or is_task(cell)]


class FeedbackExporter(TemplateExporter):
    """A page without scripts, which loads nothing and tells the browser so."""

    export_from_notebook = "Feedback"
    output_mimetype = "text/html"

    @property
    def default_config(self) -> Config:
        """Templates of this package, also where nbgrader sets its own."""
        own = {
            "template_name": "feedback_page",
            "extra_template_basedirs": [str(TEMPLATES)],
            "default_preprocessors": [],
            "preprocessors": [SanitizeNotebook],
        }
        return Config({"FeedbackExporter": own})

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        """All filters of nbconvert, those that make HTML replaced by safe ones."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield "markdown2html", markdown2html
        yield "highlight_code", highlight_code
        yield "summary", summary
        yield "style_of_code", lambda name: HtmlFormatter(style=name).get_style_defs()


def _row(cell: NotebookNode) -> Row:
    own = cell.metadata.nbgrader
    points, most = float(own.get("score") or 0), float(own.get("points") or 0)
    name = own.grade_id.removeprefix("test-").replace("-", " ")
    if own.get("to_mark"):
        return Row(name, own.grade_id, points, most, "Not marked yet", "manual")
    if is_task(cell) or is_solution(cell):
        found = "Marked by hand" + ("; see the comment" if own.get("comment") else "")
        return Row(name, own.grade_id, points, most, found, "manual")
    if points >= most:
        return Row(name, own.grade_id, points, most, "All tests passed", "passed")
    texts = [o.get("text") or o.traceback[0] for o in cell.get("outputs", [])]
    found = texts[0].strip().removeprefix("AssertionError: ") if texts else ""
    found = found or "Not all tests passed"
    return Row(name, own.grade_id, points, most, found, "failed")


def _message(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Of the outputs of a test cell, the one with the message, or none.

    The grader writes an error; for a part of the points, a stream and the number.
    """
    for output in outputs:
        if output.output_type == "error":
            text = f"{output.ename}: {output.evalue}".removesuffix(": ")
            output.evalue = output.evalue[:MAX_MESSAGE]
            output.traceback = [text[:MAX_MESSAGE]]
            return [output]
    if [o.output_type for o in outputs] == ["stream", "execute_result"]:
        outputs[0].text = outputs[0].text[:MAX_MESSAGE]
        return outputs[:1]
    return []
