"""Strict build: a text notebook becomes the source notebook that nbgrader reads.

Everything that needs the notebook of an assignment asks ``notebook`` for it, so that
all of them see the same variant.
"""

import ast
import copy
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from chula_rl.errors import AssignmentError, MarkerError
from chula_rl.grading import expressions, gallery, markers, questions, variants
from chula_rl.grading.cells import cell_kind
from chula_rl.grading.contract import CASES, CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.edition import strip_solutions
from chula_rl.grading.variants import Choice, Offer

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

    Two builds of one text and one seed are equal byte for byte. The marking guide of
    the questions that are asked goes to ``_build/rubrics/<name>.md``.

    Returns:
        ``assignments/source/<name>/<name>.ipynb``.

    Raises:
        AssignmentError: the text is not a sound assignment, or what it varies is not.
        ConfigError: the seed of the variant is no seed.
    """
    path = course.source(name).with_suffix(".ipynb")
    built = nbformat.writes(notebook(course, name))  # type: ignore[no-untyped-call]
    path.write_text(built + "\n", "utf-8")
    guide = course.build / "rubrics" / f"{name}.md"
    guide.parent.mkdir(parents=True, exist_ok=True)
    guide.write_text(marking_guide(course, name), "utf-8")
    return path


def notebook(course: Course, name: str, choice: Choice | None = None) -> NotebookNode:
    """The source notebook of an assignment, in the variant that the course asks for.

    Args:
        course: the course.
        name: the assignment.
        choice: another variant.

    Raises:
        AssignmentError: the text is not a sound assignment, or what it varies is not.
        ConfigError: the seed of the variant is no seed.
    """
    choice = choice or chosen(course, name)
    written = (CONTRACT | CASES).get(name, ())
    return build_source(course.source(name), course.package, written, choice)


def text(course: Course, name: str) -> str:
    """The text of an assignment with the constants that the course asks for."""
    path = course.source(name)
    constants = chosen(course, name).constants
    return expressions.render(path.read_text("utf-8"), constants, str(path))


def chosen(course: Course, name: str) -> Choice:
    """The variant of an assignment that the course asks for."""
    seed = variants.read_seed(course.settings)
    return offered(course, name).choose(name, seed)


def offered(course: Course, name: str) -> Offer:
    """What may vary in an assignment."""
    return Offer.read(course.source(name).with_name(variants.FILE))


def marking_guide(course: Course, name: str, choice: Choice | None = None) -> str:
    """The marking guide of the questions that are asked; empty if there is none.

    Raises:
        AssignmentError: the guide has no part for one of them.
    """
    path = course.rubric(name)
    text = path.read_text("utf-8") if path.exists() else ""
    asked = (choice or chosen(course, name)).asked
    return questions.guide(text, asked, str(course.source(name).parent / variants.FILE))


def build_source(
    path: Path,
    package: Path,
    contract: tuple[str, ...],
    choice: Choice | None = None,
) -> NotebookNode:
    """Read a text notebook, expand its expressions and includes, and check it.

    Args:
        path: the MyST text notebook.
        package: the reference package.
        contract: ``module:function`` of each function that students write.
        choice: the variant; the default one without it.

    Raises:
        AssignmentError: a cell is not sound; the message names file and cell.
        MarkerError: a marker or an include is not sound.
    """
    notebook = _read(path, choice)
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


def _read(path: Path, choice: Choice | None) -> NotebookNode:
    """The notebook of a text, in a variant."""
    file = path.with_name(variants.FILE)
    offer = Offer.read(file)
    choice = choice or offer.choose(path.stem, None)
    text = path.read_text("utf-8")
    rendered = expressions.render(text, choice.constants, str(path))
    unused = offer.constants.keys() - expressions.used(text)
    if unused:
        raise AssignmentError(
            f"{file}: {path.name} does not use {', '.join(sorted(unused))}. Use it "
            "between << and >>, or take it out."
        )
    notebook: NotebookNode = jupytext.reads(rendered, fmt={"extension": path.suffix})
    for number in range(max(map(len, offer.questions.values()), default=0)):
        asked = {c: q[number] for c, q in offer.questions.items() if q[number:]}
        questions.ask(copy.deepcopy(notebook), asked, choice.constants, str(file))
    questions.ask(notebook, choice.asked, choice.constants, str(file))
    notebook.metadata = {**_METADATA}
    if choice.mark:  # so that hidden inputs differ even where nothing else does
        notebook.metadata["chula_rl"] = {"variant": choice.mark}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
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
