"""Written questions of other years: each with its model answer and marking guide."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from chula_rl.errors import AssignmentError
from chula_rl.grading import expressions

_KEYS = {"question", "answer", "rubric"}
_HEADING = re.compile(r"^## (Part \d+): (.+) \((\d+) points?\)$", re.M)


@dataclass(frozen=True)
class Question:
    """A question that may be asked in the place of the text's own.

    Attributes:
        question: the text of the cell before the answer.
        answer: the model answer.
        rubric: its part of the marking guide, heading and all.
        part: of the assignment, as ``Part 8``; from the heading, like what follows.
        title: what it is about.
        points: as many as the cell of the answer has.
    """

    question: str
    answer: str
    rubric: str
    part: str
    title: str
    points: int

    @classmethod
    def of(cls, entry: Any, where: str) -> "Question":
        """One entry of ``variants.toml``.

        Raises:
            AssignmentError: it is not in the form above.
        """
        if not isinstance(entry, dict) or entry.keys() != _KEYS:
            raise AssignmentError(
                f"{where} is {str(entry)[:60]!r}; expected the keys question, answer "
                "and rubric, and no others."
            )
        if not all(isinstance(text, str) and text.strip() for text in entry.values()):
            raise AssignmentError(f"{where}: a text is empty, or is no text.")
        texts = {key: text.strip("\n") for key, text in entry.items()}
        heading = _HEADING.match(texts["rubric"])
        if heading is None:
            first = texts["rubric"].partition("\n")[0]
            raise AssignmentError(
                f"{where}: the rubric begins with '{first}'; expected a line like "
                "'## Part 8: which baselines are allowed (5 points)'."
            )
        part, title, points = heading.groups()
        return cls(**texts, part=part, title=title, points=int(points))


def ask(
    notebook: NotebookNode,
    asked: Mapping[str, Question],
    constants: Mapping[str, Any],
    where: str,
) -> None:
    """Put questions and their model answers into a notebook, in the place of its own.

    The cell before that of the answer has the question.

    Args:
        notebook: as its text has it; it is changed.
        asked: by the grade_id of the answer.
        constants: for the expressions in their texts.
        where: where they come from, for messages.

    Raises:
        AssignmentError: there is no such answer, it has other points, or no question
            stands before it.
    """
    settings = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    ids = [each.get("grade_id") for each in settings]
    points = {
        each["grade_id"]: each.get("points")
        for cell, each in zip(notebook.cells, settings, strict=True)
        if cell.cell_type == "markdown" and each.get("solution")
    }
    for name, question in asked.items():
        if name not in points:
            raise AssignmentError(
                f"{where} has a question for '{name}', which is no written answer of "
                f"the text; there are: {', '.join(points) or 'none'}."
            )
        if question.points != points[name]:
            raise AssignmentError(
                f"{where}, {name}: '{question.title}' has {question.points} points; "
                f"its cell has {points[name]}."
            )
        place = ids.index(name)
        if not place or not settings[place - 1].get("locked"):
            raise AssignmentError(
                f"{where}, {name}: the cell before the answer is no text of ours; "
                "expected the question in it."
            )
        for i, text in ((place - 1, question.question), (place, question.answer)):
            source = expressions.render(text, constants, f"{where}, {name}")
            notebook.cells[i].source = source


def guide(text: str, asked: Mapping[str, Question], where: str) -> str:
    """A marking guide with the parts of other questions in it.

    Args:
        text: the guide of the text's own questions.
        asked: in their places.
        where: where these come from, for messages.

    Raises:
        AssignmentError: the guide has no such part.
    """
    for question in asked.values():
        found = re.search(
            rf"^## {question.part}: .*?(?=^## |\Z)", text, flags=re.S | re.M
        )
        if found is None:
            raise AssignmentError(
                f"{where}: '{question.title}' is for {question.part}, of which the "
                "marking guide has no heading."
            )
        new = question.rubric + "\n" + "\n" * found.group().endswith("\n\n")
        text = text[: found.start()] + new + text[found.end() :]
    return text


def titles(guide: str) -> dict[str, str]:
    """What each part of a marking guide is about: of the parts marked by hand."""
    return {part: title for part, title, _ in _HEADING.findall(guide)}
