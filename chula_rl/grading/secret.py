"""What must not be released: the lines of solutions, hidden tests and model answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from nbformat import NotebookNode

from chula_rl.errors import LeakError
from chula_rl.grading import expressions, markers, source, variants
from chula_rl.grading.cells import cell_kind
from chula_rl.grading.course import Course
from chula_rl.grading.edition import package_files, strip_solutions

_SHORT = 8  # characters; a shorter line, like `else:`, says nothing by itself
_RUN = 3  # lines of a solution that give it away even if each is public elsewhere
_STUBS = "YOUR ANSWER HERE\n# YOUR CODE HERE\nraise NotImplementedError()"


@dataclass(frozen=True)
class Secrets:
    """What must not be released.

    Attributes:
        texts: each secret text, squeezed, with where it comes from.
        graded: qualified names of the functions that students write.
        modules: the modules that the package may have.
        data: its other files, by name; they must be the reference's, byte for byte.
    """

    texts: dict[str, str]
    graded: frozenset[str]
    modules: frozenset[str]
    data: Mapping[str, bytes]


def collect(
    package: Path, notebook: NotebookNode, others: Mapping[str, str] | None = None
) -> Secrets:
    """Everything secret in the reference package and a source notebook.

    A line that also stands in the public part is no secret by itself; three lines of a
    solution in a row are.

    Args:
        package: the reference package.
        notebook: the source notebook.
        others: other secret texts, by where they come from; see ``kept_back``.

    Raises:
        LeakError: every line of a solution stands in the public part.
    """
    public = [_STUBS]
    secret: list[tuple[str, str, str]] = []  # kind, place, text
    graded: set[str] = set()
    files = [path for path in package_files(package) if path.suffix == ".py"]
    for path in files:
        text = path.read_text("utf-8")
        blocks = markers.parse(text, str(path))
        public.append(markers.outside(text, blocks))
        secret += [(block.kind, path.name, "\n".join(block.lines)) for block in blocks]
        graded |= set(strip_solutions(text, str(path))[1])
    for cell in notebook.cells:
        kind = cell_kind(cell, cell.id)
        if kind == "answer":  # nbgrader replaces all of it
            secret.append(("ANSWER", cell.id, cell.source))
            continue
        if kind == "solution":
            graded |= set(strip_solutions(cell.source, cell.id)[1])
        blocks = markers.parse(cell.source, cell.id, cell.cell_type == "code")
        public.append(markers.outside(cell.source, blocks))
        secret += [(block.kind, cell.id, "\n".join(block.lines)) for block in blocks]
    visible = squeeze("\n".join(public))
    texts: dict[str, str] = {}
    for origin, text in (others or {}).items():
        texts |= _secret_texts("KEPT BACK", origin, text, visible)
    for kind, place, text in secret:
        texts |= _secret_texts(kind, f"{kind} in {place}", text, visible)
    modules = {str(path.relative_to(package.parent)) for path in files}
    data = {
        str(path.relative_to(package.parent)): path.read_bytes()
        for path in package_files(package)
        if path.suffix != ".py"
    }
    return Secrets(texts, frozenset(graded), frozenset(modules), data)


def kept_back(course: Course, name: str) -> dict[str, str]:
    """What no student may see of an assignment's variants and guide, by its origin.

    The questions of other years are among it, and what this year's are, but a line
    that is released anyway is no secret.
    """
    found: dict[str, str] = {}
    choice, offer = source.chosen(course, name), source.offered(course, name)
    for path in (course.source(name).with_name(variants.FILE), course.rubric(name)):
        if path.exists():
            found[path.name] = path.read_text("utf-8")
    default = source.notebook(course, name, offer.choose(name, None)).cells
    for before, cell in pairwise(default):
        if cell.id in offer.questions:
            found[f"the text's own {cell.id}"] = f"{before.source}\n{cell.source}"
    for question in chain(*offer.questions.values()):
        where = f"'{question.title}' of {variants.FILE}"
        text = "\n".join((question.question, question.answer, question.rubric))
        found[where] = expressions.render(text, choice.constants, where)
    return found


def squeeze(text: str) -> str:
    """The text without empty lines and without whitespace inside of lines."""
    lines = ("".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _secret_texts(kind: str, origin: str, text: str, visible: str) -> dict[str, str]:
    lines = squeeze(text).split("\n")
    telling = [line for line in lines if len(line) >= _SHORT] or lines
    secret = [line for line in telling if line not in visible]
    if kind == "SOLUTION":
        if not secret:
            raise LeakError(f"every line of the {origin} also stands in a public part.")
        starts = range(len(lines) - _RUN + 1)
        secret += ["\n".join(lines[i : i + _RUN]) for i in starts]
    return dict.fromkeys(secret, origin)
