"""Strict build: a text notebook becomes the source notebook that nbgrader reads."""

import ast
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from chula_rl.errors import AssignmentError, MarkerError
from chula_rl.grading import gallery, markers
from chula_rl.grading.cells import cell_kind
from chula_rl.grading.contract import CASES, CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.edition import strip_solutions

_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


def build(course: Course, name: str) -> Path:
    """Build the source notebook of an assignment beside its text.

    Two builds of one text are equal byte for byte.

    Returns:
        ``assignments/source/<name>/<name>.ipynb``.

    Raises:
        AssignmentError: the text is not a sound assignment.
    """
    text = course.source(name)
    written = CONTRACT.get(name) or CASES.get(name, ())
    notebook = build_source(text, course.package, written)
    path = text.with_suffix(".ipynb")
    built = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    path.write_text(built + "\n", "utf-8")
    return path


def build_source(path: Path, package: Path, contract: tuple[str, ...]) -> NotebookNode:
    """Read a text notebook, expand its includes and check it.

    Args:
        path: the MyST text notebook.
        package: the reference package.
        contract: ``module:function`` of each function that students write.

    Raises:
        AssignmentError: a cell is not sound; the message names file and cell.
        MarkerError: a marker or an include is not sound.
    """
    notebook: NotebookNode = jupytext.read(path)
    notebook.metadata = _METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    included: list[str] = []
    ids: list[str] = []
    for i, cell in enumerate(notebook.cells):
        kind = cell_kind(cell, f"{path}, cell {i + 1}")
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell-{i + 1}")
        ids.append(cell.id)
        where = f"{path}, cell {i + 1} ({cell.id})"
        names = _includes(cell.source, where)
        if names and kind != "solution":
            raise MarkerError(f"{where}: an include belongs in a solution cell.")
        included += names
        cell.source = "\n".join(
            function_source(target, package) if target else line
            for line in cell.source.split("\n")
            for target in [markers.include(line, where)]
        )
        _check_markers(cell, kind, where)
    _check_contract(included, contract, path)
    duplicates = sorted({name for name in ids if ids.count(name) > 1})
    if duplicates:
        raise AssignmentError(f"{path}: grade_id not unique: {', '.join(duplicates)}.")
    nbformat.validate(notebook)
    return notebook


def function_source(target: str, package: Path) -> str:
    """The text of ``module:function`` of the package, markers and all.

    Of a class, the methods without markers are left out: students do not write them.

    Raises:
        MarkerError: there is no such function.
    """
    module, name = target.split(":")
    if module == gallery.MODULE:
        return gallery.solution(name)
    path = package.parent.joinpath(*module.split(".")).with_suffix(".py")
    if module.startswith("chula_rl.") and path.exists():
        text = path.read_text("utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                return _solved(text, node)
    raise MarkerError(f"'# include: {target}' names nothing: no {name} in {path}.")


def _solved(text: str, node: ast.FunctionDef | ast.ClassDef) -> str:
    """A definition with its END marker; of a class, only the methods with markers."""
    lines = text.split("\n")
    first, last = _span(node, lines)
    dropped: set[int] = set()
    for method in node.body if isinstance(node, ast.ClassDef) else []:
        start, end = _span(method, lines)
        if isinstance(method, ast.FunctionDef) and not any(
            line.strip() == "### BEGIN SOLUTION" for line in lines[start:end]
        ):
            dropped |= {*range(start, end)}
    kept = [lines[i] for i in range(first, last) if i not in dropped]
    return "\n".join(kept).rstrip()


def _span(node: ast.stmt, lines: list[str]) -> tuple[int, int]:
    """From a statement's first line to behind its last one and its END marker."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)]) - 1
    last = node.end_lineno or node.lineno
    if last < len(lines) and lines[last].strip() == "### END SOLUTION":
        last += 1
    return first, last


def _includes(text: str, where: str) -> list[str]:
    found = (markers.include(line, where) for line in text.split("\n"))
    return [target for target in found if target]


def _check_markers(cell: NotebookNode, kind: str, where: str) -> None:
    """Each kind of cell has the blocks that belong in it, and no others."""
    blocks = markers.parse(cell.source, where, cell.cell_type == "code")
    expected = {"solution": {"SOLUTION"}, "test": {"HIDDEN TESTS"}}.get(kind, set())
    found = {block.kind for block in blocks}
    if found != expected:
        raise MarkerError(
            f"{where}: a cell of the sort '{kind}' has {sorted(found) or 'no blocks'}; "
            f"expected {sorted(expected) or 'no blocks'}."
        )
    if kind == "solution":
        strip_solutions(cell.source, where)


def _check_contract(included: list[str], contract: tuple[str, ...], path: Path) -> None:
    if sorted(included) != sorted(contract) or not contract:
        raise AssignmentError(
            f"{path} includes {included}; expected each function of "
            f"chula_rl/grading/contract.py once: {list(contract)}."
        )
