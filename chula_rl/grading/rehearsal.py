"""Mark solutions that are trusted: in this process, without a sandbox, and fast.

The tests are those that the referee runs, and as there they have a namespace of their
own: students' cells see nothing of it. For the authors of an assignment, who want to
try hundreds of solutions on it, never for a class.
"""

import ast
import functools
import re
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from nbformat import NotebookNode

from chula_rl.grading import markers, sample, source
from chula_rl.grading.cells import cell_kind
from chula_rl.grading.contract import CASES, CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.edition import strip_solutions
from chula_rl.grading.graft import SKIP
from chula_rl.grading.markers import Block
from chula_rl.grading.referee import defined_names, is_hidden, quiet
from chula_rl.grading.variants import Choice

Part = Literal["all", "visible", "hidden"]
TRAINING = "test-training"


@dataclass(frozen=True)
class Marks:
    """What running one notebook gave.

    Attributes:
        passed: the tests that it passed.
        messages: of each test that it failed, the error.
        hidden: those of them whose hidden part failed.
    """

    passed: set[str] = field(default_factory=set)
    messages: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)


class Rehearsal:
    """One assignment, to be marked as often as one likes.

    Attributes:
        functions: what students write, in order.
        reference: the right text of each.
        blank: the text of each as it is released, without an answer.

    Args:
        course: the course.
        name: the assignment.
        choice: another variant of it than the course asks for.
    """

    def __init__(self, course: Course, name: str, choice: Choice | None = None) -> None:
        notebook = source.notebook(course, name, choice)
        self._cells = [cell for cell in notebook.cells if _runs(cell)]
        self._defined = defined_names(notebook)
        self.functions = [target.split(":")[1] for target in (CONTRACT | CASES)[name]]
        self.reference = sample.solutions(course, name)
        texts = {cell.id: cell.source for cell in self._cells}
        self.blank = {f: strip_solutions(texts[f], f)[0] for f in self.functions}

    @property
    def tests(self) -> set[str]:
        """The tests of the functions."""
        return {f"test-{function}" for function in self.functions}

    def involving(self, function: str) -> set[str]:
        """The tests in which a function takes part: its own, and of what calls it."""
        texts = {cell.id: cell.source for cell in self._cells}
        name = re.compile(rf"\b{function}\b")
        return {
            f"test-{other}"
            for other in self.functions
            if name.search(texts[f"test-{other}"] + self.reference[other])
        }

    def mark(
        self,
        code: Mapping[str, str],
        tests: Collection[str],
        seed: int = 0,
        part: Part = "all",
    ) -> Marks:
        """Run the notebook with other code in some solution cells, and some tests.

        Args:
            code: texts of solution cells; the others have the reference's.
            tests: the test cells to run.
            seed: the base seed of the hidden tests.
            part: run both parts of each test; or without its hidden part; or without
                the assertions of its visible part.
        """
        student: dict[str, Any] = {"__name__": "__main__"}
        ours: dict[str, Any] = {"__name__": "__main__"}
        marks = Marks()
        with quiet(seed):
            for cell in self._cells:
                kind = cell_kind(cell, cell.id)
                if kind == "test" and cell.id in tests:
                    _test(cell, ours, seed, part, marks)
                elif kind != "test":
                    text = code.get(cell.id, cell.source)
                    exec(_compiled(text, cell.id, "all"), student)
                    names = self._defined.get(cell.id, set())
                    ours |= {name: student[name] for name in names if name in student}
                    if kind == "text":
                        exec(_compiled(text, cell.id, "all"), ours)
        return marks


def _runs(cell: NotebookNode) -> bool:
    """Whether the grader runs a cell."""
    return cell.cell_type == "code" and SKIP not in cell.metadata.get("tags", ())


def _test(
    cell: NotebookNode, namespace: dict[str, Any], seed: int, part: Part, marks: Marks
) -> None:
    torch.manual_seed(seed)
    try:
        exec(_compiled(cell.source, cell.id, part), namespace)
        marks.passed.add(cell.id)
    except Exception as error:
        marks.messages[cell.id] = f"{type(error).__name__}: {error}"
        if part != "visible" and is_hidden(error, cell):
            marks.hidden.add(cell.id)


@functools.lru_cache(maxsize=2000)
def _compiled(text: str, name: str, part: Part) -> types.CodeType:
    """A cell or a part of it, see ``Rehearsal.mark``."""
    blocks = markers.parse(text, name) if part != "all" else []
    if part == "visible":
        text = markers.outside(text, blocks)
    tree = ast.parse(text)
    if part == "hidden":
        tree = ast.fix_missing_locations(_WithoutAssertions(blocks).visit(tree))
    return compile(tree, f"<{name}>", "exec")


class _WithoutAssertions(ast.NodeTransformer):
    """Leaves out every assertion but those in some blocks of lines."""

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        line = node.lineno - 1
        kept = any(block.begin < line < block.end for block in self._blocks)
        return node if kept else ast.copy_location(ast.Pass(), node)
