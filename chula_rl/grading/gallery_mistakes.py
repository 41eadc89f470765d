"""The mistakes of the bug gallery, and the functions of students who make them."""

import functools
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chula_rl.errors import AssignmentError
from chula_rl.grading import cells, mistakes, source
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.graft import SKIP


@dataclass(frozen=True)
class Mistake:
    """One mistake of the gallery, an entry of ``assignments/gallery.toml``.

    Attributes:
        name: what students call it.
        algorithm: ``"a2c"`` or ``"ddpg"``.
        about: what is wrong, in a sentence for students.
        code: from a function to the name of the wrong one in the catalogue; as
            ``assignment.function`` if it is of another assignment.
        role: a case, the worked example, or nothing but one more name to choose from.
        hints: of the case, one after the other.
    """

    name: str
    algorithm: str
    about: str
    code: Mapping[str, str]
    role: Literal["case", "example", "other"] = "other"
    hints: Sequence[str] = ()


def read(course: Course) -> list[Mistake]:
    """The mistakes of ``assignments/gallery.toml``.

    Raises:
        AssignmentError: an entry is not sound, or the catalogue lacks a function.
    """
    path = course.assignments / "gallery.toml"
    entries = tomllib.loads(path.read_text("utf-8"))["mistake"]
    try:
        found = [Mistake(**entry) for entry in entries]
    except TypeError as error:
        raise AssignmentError(f"{path}: {error}") from error
    for mistake in found:
        texts(mistake)
    return found


def texts(mistake: Mistake) -> dict[str, str]:
    """The text of each wrong function."""
    found = {}
    for target, name in mistake.code.items():
        assignment, _, function = target.rpartition(".")
        assignment = assignment or mistake.algorithm
        known = _catalogue(assignment)
        if (function, name) not in known:
            raise AssignmentError(
                f"gallery.toml, '{mistake.name}': assignments/mistakes/{assignment}/"
                f"{function}.py has no 'wrong_{name}'."
            )
        found[function] = known[function, name]
    return found


@functools.cache
def _catalogue(assignment: str) -> dict[tuple[str, str], str]:
    return {
        (variant.function, variant.name): variant.source
        for variant in mistakes.load(assignment)
        if not variant.correct
    }


def functions(
    course: Course, algorithm: str, written: Mapping[str, str]
) -> dict[str, Callable[..., Any]]:
    """What a student's notebook defines, with some functions written otherwise.

    Args:
        course: the course.
        algorithm: the assignment.
        written: the texts of those that differ from the reference.
    """
    text = course.source(algorithm)
    notebook = source.build_source(text, course.package, CONTRACT[algorithm])
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        skipped = SKIP in cell.metadata.get("tags", ())
        tests = cells.cell_kind(cell, cell.id) == "test"
        if cell.cell_type == "code" and not skipped and not tests:
            exec(compile(cell.source, f"<{cell.id}>", "exec"), namespace)
    for name, wrong in written.items():
        exec(compile(wrong, f"<{name}>", "exec"), namespace)
    return {name: value for name, value in namespace.items() if callable(value)}
