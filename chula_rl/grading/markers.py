"""Strict parser of the markers around solutions and hidden tests.

nbgrader's own strippers fail open: they look for ``BEGIN SOLUTION`` anywhere in a line
and, when the marker is misspelt, release the answer. Here a marker has one spelling, on
a line of its own, and whatever resembles one is an error.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from chula_rl.errors import MarkerError

_MARKER = re.compile(r" *### (BEGIN|END) (SOLUTION|HIDDEN TESTS)")
_INCLUDE = re.compile(r"# include: ([A-Za-z_][\w.]*:[A-Za-z_]\w*)")
_EDGES = ("BEGIN", "BEGINS", "END", "ENDS", "START", "STARTS", "STOP", "FINISH")
_TOPICS = ("SOLUTION", "HIDDENTEST", "HIDDENTESTS", "TEST", "TESTS", "MARKSCHEME")
_LOOKALIKES = tuple(
    word
    for edge in _EDGES
    for topic in _TOPICS
    for word in (edge + topic, topic + edge)
)
_SIMILAR = 0.85
_EXPECTED = (
    "expected exactly '### BEGIN SOLUTION', '### END SOLUTION', "
    "'### BEGIN HIDDEN TESTS' or '### END HIDDEN TESTS', alone on its line. "
    "If no marker is meant, word the line differently."
)


@dataclass(frozen=True)
class Block:
    """One marked region.

    Attributes:
        kind: ``SOLUTION`` or ``HIDDEN TESTS``.
        begin: index of the line with the BEGIN marker.
        end: index of the line with the END marker.
        lines: what is between the two.
    """

    kind: str
    begin: int
    end: int
    lines: tuple[str, ...]


def parse(text: str, where: str, code: bool = True) -> list[Block]:
    """The marked regions of a text.

    Args:
        text: a module or a cell.
        where: its name, for messages.
        code: whether it is Python, where ``###`` is kept for markers; in Markdown it
            starts a heading.

    Raises:
        MarkerError: something resembles a marker and is none, or the markers are
            nested, unbalanced, empty or indented differently.
    """
    blocks: list[Block] = []
    lines = text.split("\n")
    opened: tuple[str, int] | None = None
    for i, line in enumerate(lines):
        marker = _MARKER.fullmatch(line)
        if marker is None:
            _refuse_lookalike(line, f"{where}, line {i + 1}", code)
            continue
        edge, kind = marker.groups()
        here = f"{where}, line {i + 1}: '{line.strip()}'"
        if edge == "BEGIN":
            if opened is not None:
                raise MarkerError(f"{here} inside a {opened[0]}; end that one first.")
            opened = kind, i
            continue
        if opened is None or opened[0] != kind:
            raise MarkerError(f"{here} has no BEGIN {kind} before it.")
        blocks.append(_block(lines, *opened, i, here))
        opened = None
    if opened is not None:
        kind, begin = opened
        raise MarkerError(f"{where}, line {begin + 1}: BEGIN {kind} without its END.")
    return blocks


def outside(text: str, blocks: list[Block]) -> str:
    """The text without the marked regions and their markers."""
    hidden = {i for block in blocks for i in range(block.begin, block.end + 1)}
    return "\n".join(line for i, line in enumerate(text.split("\n")) if i not in hidden)


def include(line: str, where: str) -> str | None:
    """The ``module:function`` that a line asks for, or None.

    Raises:
        MarkerError: the line resembles an include and is none.
    """
    exact = _INCLUDE.fullmatch(line)
    if exact is not None:
        return exact.group(1)
    comment = re.match(r"\s*#+\s*(\w+)(.*(?::|chula_rl).*)", line)
    if comment and _similar(comment.group(1).upper(), ("INCLUDE",), 0.75):
        raise MarkerError(
            f"{where}: '{line.strip()}' resembles an include; expected exactly "
            "'# include: module:function', from the line's start."
        )
    return None


def _block(lines: list[str], kind: str, begin: int, end: int, here: str) -> Block:
    inner = tuple(lines[begin + 1 : end])
    if not "".join(inner).strip():
        raise MarkerError(f"{here} ends an empty {kind}.")
    if _indent(lines[begin]) != _indent(lines[end]):
        raise MarkerError(f"{here} is not indented like its BEGIN.")
    return Block(kind, begin, end, inner)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _refuse_lookalike(line: str, where: str, code: bool) -> None:
    reserved = code and re.match(r"\s*###", line)
    comment = line[line.index("#") :].upper() if "#" in line else ""
    if (
        reserved
        or "AUTOTEST" in line
        or re.match(r"\s*#+\W*(BEGIN|END)\b", line)
        or any(
            _similar(phrase, _LOOKALIKES, _SIMILAR)
            for text in (comment, line)
            for phrase in _phrases(text)
        )
    ):
        raise MarkerError(f"{where}: '{line.strip()}' resembles a marker; {_EXPECTED}")


def _phrases(text: str) -> Iterator[str]:
    """Runs of one to four words in capitals, joined: BEGIN SOLUTION, BEGIN_SOLUTION."""
    words = [word for word in re.findall(r"[^\W_]+", text) if word.isupper()]
    for size in range(1, 5):
        for i in range(len(words) - size + 1):
            yield "".join(words[i : i + size])


def _similar(word: str, known: tuple[str, ...], cutoff: float) -> bool:
    return bool(difflib.get_close_matches(word, known, n=1, cutoff=cutoff))
