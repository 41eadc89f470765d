"""How alike submissions are: passages that two of them share, and hardly anyone else.

Fingerprints are those of copydetect: each run of ``RUN`` characters of a text, in code
with names, comments and spaces taken out. Its winnowing is not used: which fingerprints
it keeps depends on the hash seed of the process, and keeping all is fast enough here.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from chula_rl.errors import ConfigError, SubmissionError
from chula_rl.grading.cells import cell_kind
from chula_rl.grading.sanitize import clean_source

if TYPE_CHECKING:
    from copydetect import CodeFingerprint

CODE, WRITTEN = "code", "written"  # what of a submission is compared: two texts
Slices = tuple[tuple[int, int], ...]  # begin and end of each

RUN = {CODE: 25, WRITTEN: 50}  # characters that have to be the same
SHORT = {CODE: 100, WRITTEN: 200}  # a shorter text counts as this long
COMMON_PART = 0.1  # what more of the class has than this is nobody's own
COMMON_NUMBER = 3  # but what so few have is
MAX_TEXT = 50_000  # characters; nobody writes more, and lexers can be slow
MAX_LINE = 500
_FENCED = re.compile(r"^```.*?\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Text:
    """What a student wrote, of one sort.

    Attributes:
        content: of all cells, one after the other.
        cells: the name of each, and where in the content it begins.
    """

    content: str = ""
    cells: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Work:
    """What a student wrote: the texts of solutions, and of written answers."""

    student: str
    texts: dict[str, Text]


@dataclass(frozen=True)
class Passages:
    """What two texts share.

    Attributes:
        parts: which part of each text it is.
        slices: where it is in each; of code, whole lines.
    """

    parts: tuple[float, float]
    slices: tuple[Slices, Slices]


@dataclass(frozen=True)
class Pair:
    """Two works that are alike, and what they share of each sort of text."""

    works: tuple[Work, Work]
    shared: dict[str, Passages]

    @property
    def part(self) -> float:
        """The largest part of a text of one that the other has as well."""
        return max(max(passages.parts) for passages in self.shared.values())


def work(student: str, notebook: NotebookNode) -> Work:
    """What a student wrote.

    Args:
        student: whose.
        notebook: the submission, grafted: the names of its cells are ours.

    Raises:
        SubmissionError: there is more of it than anybody writes.
    """
    found: dict[str, list[tuple[str, str]]] = {CODE: [], WRITTEN: []}
    for cell in notebook.cells:
        kind = cell_kind(cell, cell.id)
        if kind in ("solution", "answer"):
            sort = CODE if kind == "solution" else WRITTEN
            name = cell.metadata.nbgrader.grade_id
            found[sort].append((name, _clean(cell.source, sort)))
    texts = {sort: _joined(cells) for sort, cells in found.items()}
    for sort, text in texts.items():
        longest = max(map(len, text.content.split("\n")))
        if len(text.content) > MAX_TEXT or (sort == CODE and longest > MAX_LINE):
            raise SubmissionError(
                f"its {sort} text has {len(text.content):,} characters, up to "
                f"{longest:,} in a line; at most {MAX_TEXT:,} and, of code, {MAX_LINE} "
                "are compared. Look at it yourself."
            )
    return Work(student, texts)


def released_text(notebook: NotebookNode) -> dict[str, str]:
    """What everybody was given: its code, and its prose with the code in it."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    prose = [cell.source for cell in notebook.cells if cell.cell_type != "code"]
    examples = [text for cell in prose for text in _FENCED.findall(cell)]
    return {
        CODE: _clean("\n".join([*code, *examples]), CODE),
        WRITTEN: _clean("\n".join([*prose, *code]), WRITTEN),
    }


def pairs(
    works: Sequence[Work], released: dict[str, str], threshold: float
) -> list[Pair]:
    """The pairs of works that are alike, the most alike first.

    Args:
        works: what the students wrote.
        released: what they were given; see ``released_text``.
        threshold: the least ``Pair.part``, from 0 to 1.

    Raises:
        ConfigError: copydetect is not installed, or the threshold is out of range.
    """
    if not 0 <= threshold <= 1:
        raise ConfigError(f"the threshold is {threshold}; expected 0 to 1.")
    shared: dict[tuple[int, int], dict[str, Passages]] = {}
    for sort in (CODE, WRITTEN):
        prints = _fingerprints([w.texts[sort].content for w in works], sort, released)
        for pair, passages in _compare(prints, sort):
            shared.setdefault(pair, {})[sort] = passages
    found = [Pair((works[i], works[j]), both) for (i, j), both in shared.items()]
    kept = [pair for pair in found if pair.part >= threshold]
    return sorted(kept, key=lambda p: (-p.part, *(w.student for w in p.works)))


def common_from(number: int) -> int:
    """How many of a class may have a passage before it counts as everybody's."""
    return max(COMMON_NUMBER, int(COMMON_PART * number))


def _fingerprints(
    contents: Iterable[str], sort: str, released: dict[str, str]
) -> list["CodeFingerprint"]:
    """The fingerprints of each text, without those of what is released or common."""
    coverage = _copydetect().utils.get_token_coverage
    given = _fingerprint(released[sort], sort).hashes
    prints = [_fingerprint(content, sort) for content in contents]
    for own in prints:
        _leave_out(own, given)
        length = len(own.filtered_code)
        covered = coverage(own.hash_idx, own.k, length)
        own.token_coverage = max(SHORT[sort], int(covered))
    numbers = Counter(hash_ for own in prints for hash_ in own.hashes)
    most = common_from(len(prints))
    common = {hash_ for hash_, number in numbers.items() if number > most}
    for own in prints:
        _leave_out(own, common)
    return prints


def _fingerprint(content: str, sort: str) -> "CodeFingerprint":
    """All fingerprints of a text."""
    own: CodeFingerprint = _copydetect().CodeFingerprint(
        "solution.py",
        RUN[sort],
        1,  # every fingerprint
        filter=sort == CODE,
        language="python",
        fp=io.StringIO(content if sort == CODE else _lower(content)),
    )
    own.hashes = {int(hash_) for hash_ in own.hashes}  # NumPy's are slow in sets
    return own


def _copydetect() -> Any:
    """The library; it imports matplotlib, which takes a second.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import copydetect
        import copydetect.utils
    except ImportError as error:
        raise ConfigError(
            "this needs the package copydetect, which is not installed: pip install "
            "--no-deps copydetect==0.5.0."
        ) from error
    return copydetect


def _lower(text: str) -> str:
    """Small letters, of which there are as many: places stay what they were."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _leave_out(own: "CodeFingerprint", hashes: set[int]) -> None:
    own.hashes -= hashes
    own.hash_idx = {h: where for h, where in own.hash_idx.items() if h in own.hashes}


def _compare(
    prints: Sequence["CodeFingerprint"], sort: str
) -> Iterator[tuple[tuple[int, int], Passages]]:
    """What each pair shares, with the places of both in the list."""
    compare_files = _copydetect().compare_files
    for i, j in combinations(range(len(prints)), 2):
        if prints[i].hashes.isdisjoint(prints[j].hashes):
            continue
        _, (first, second), (left, right) = compare_files(prints[i], prints[j])
        slices = [
            _slices(own.raw_code, found, sort)
            for own, found in ((prints[i], left), (prints[j], right))
        ]
        yield (
            (i, j),
            Passages((float(first), float(second)), (slices[0], slices[1])),
        )


def _slices(content: str, found: Any, sort: str) -> Slices:
    """Where passages are; copydetect's places in code may be off by a name."""
    result: list[tuple[int, int]] = []
    for begin, end in sorted((int(b), int(e)) for b, e in found.T):
        piece = content[begin:end]
        begin += len(piece) - len(piece.lstrip())
        end = begin + len(piece.strip())
        if sort == CODE:
            begin = content.rfind("\n", 0, begin) + 1
            end = (content + "\n").index("\n", end)
        if result and begin <= result[-1][1] + 1:
            begin, end = result[-1][0], max(end, result.pop()[1])
        result.append((begin, end))
    return tuple(result)


def _joined(cells: Iterable[tuple[str, str]]) -> Text:
    content, places = "", []
    for name, source in cells:
        content += "\n\n" * bool(content)
        places.append((name, len(content)))
        content += source
    return Text(content, tuple(places))


def _clean(source: str, sort: str) -> str:
    """Text without control characters, and without spaces where nobody sees them."""
    text = clean_source(source)
    if sort == WRITTEN:
        return " ".join(text.split())
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
