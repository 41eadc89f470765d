"""The catalogue of solutions as students write them, wrong and right.

``assignments/mistakes/<assignment>/<function>.py`` holds functions called
``wrong_<name>`` or ``correct_<name>``, or classes if the exercise asks for one. The
first line of a docstring says what the student believed, or how the correct one is
done; of a wrong one the last line is ``Message:`` and a part of the message that has to
be shown for it.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from chula_rl.errors import AssignmentError

CATALOGUE = Path(__file__).parents[2] / "assignments" / "mistakes"


@dataclass(frozen=True)
class Variant:
    """One way to solve an exercise.

    Attributes:
        function: the graded function or class.
        name: of the variant, without ``wrong_`` or ``correct_``.
        correct: whether it deserves full marks.
        misconception: what the student believed, or the style of a correct one.
        message: a part of the message that a wrong one has to get; else empty.
        source: the text for the solution cell, without the docstring.
    """

    function: str
    name: str
    correct: bool
    misconception: str
    message: str
    source: str


def load(assignment: str, catalogue: Path = CATALOGUE) -> list[Variant]:
    """All variants of all functions of an assignment.

    Raises:
        AssignmentError: there is no catalogue, or a function is not in the form above.
    """
    variants = []
    paths = sorted((catalogue / assignment).glob("*.py"))
    if not paths:
        raise AssignmentError(f"no catalogue of mistakes in {catalogue / assignment}.")
    for path in paths:
        text = path.read_text("utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                variants.append(_variant(node, text.split("\n"), path))
    return variants


def _variant(
    node: ast.FunctionDef | ast.ClassDef, lines: list[str], path: Path
) -> Variant:
    kind, _, name = node.name.partition("_")
    belief, _, message = (ast.get_docstring(node) or "").partition("\n\nMessage: ")
    if (kind, bool(message)) not in {("wrong", True), ("correct", False)} or not belief:
        raise AssignmentError(
            f"{path}, line {node.lineno}: {node.name}; expected wrong_<name> with "
            "'Message: ...' at the end of its docstring, or correct_<name> without."
        )
    head = "\n".join(lines[_first_line(node) : node.body[0].lineno - 1])
    body = "\n".join(lines[_first_line(node.body[1]) : node.end_lineno])
    return Variant(
        function=path.stem,
        name=name,
        correct=kind == "correct",
        misconception=belief,
        message=message,
        source=head.replace(node.name, path.stem, 1) + "\n" + body,
    )


def _first_line(node: ast.stmt) -> int:
    """The index of its first line, of its decorators' if it has some."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)]) - 1
