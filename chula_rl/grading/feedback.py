"""What students see of hidden tests in their feedback: the message, not the test."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from chula_rl.grading import markers


class HideHiddenTests(NbGraderPreprocessor):  # type: ignore[misc]  # untyped base
    """Cuts hidden tests out of the feedback, and out of its tracebacks."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Keep the visible tests of a test cell, and the last line of each error."""
        if cell.cell_type == "code" and is_grade(cell):
            name = cell.metadata.nbgrader["grade_id"]
            cell.source = markers.outside(cell.source, markers.parse(cell.source, name))
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources
