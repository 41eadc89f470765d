"""The page that shows how alike submissions are: passages side by side, all escaped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chula_rl.grading.feedback import TEMPLATES
from chula_rl.grading.sanitize import clean_source
from chula_rl.grading.similarity import CODE, Pair, Slices, Text, common_from

Pieces = list[tuple[str, bool]]  # text, and whether the other one has it


@dataclass(frozen=True)
class Shown:
    """A pair, as the page shows it.

    Attributes:
        pair: the pair.
        number: of it on the page.
    """

    pair: Pair
    number: int

    @cached_property
    def cells(self) -> list[tuple[str, bool, Pieces, Pieces]]:
        """Each cell with a passage: its name, whether it is code, and both texts."""
        found = []
        for sort, passages in self.pair.shared.items():
            sides = [
                dict(_cells(work.texts[sort], slices))
                for work, slices in zip(self.pair.works, passages.slices, strict=True)
            ]
            for name in sides[0]:  # they have the same cells: those of the assignment
                left, right = sides[0][name], sides[1][name]
                if any(matched for _, matched in left + right):
                    found.append((name, sort == CODE, left, right))
        return found


def page(
    name: str, found: Sequence[Pair], compared: int, unread: Sequence[tuple[str, str]]
) -> str:
    """The page, a file of its own without scripts.

    Args:
        name: the assignment.
        found: the pairs to show.
        compared: how many submissions were compared.
        unread: who could not be, and why.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "similarity"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        name=name,
        pairs=[Shown(pair, i) for i, pair in enumerate(found, 1)],
        compared=compared,
        common=common_from(compared),
        unread=[(clean_source(who), clean_source(why)) for who, why in unread],
    )


def _cells(text: Text, slices: Slices) -> Iterator[tuple[str, Pieces]]:
    """The pieces of each cell."""
    ends = [begin for _, begin in text.cells[1:]] + [len(text.content)]
    for (name, begin), end in zip(text.cells, ends, strict=True):
        yield name, list(_pieces(text.content, begin, end, slices))


def _pieces(
    content: str, begin: int, end: int, slices: Slices
) -> Iterator[tuple[str, bool]]:
    """A text from ``begin`` to ``end``, cut where passages begin and end."""
    for first, last in slices:
        first, last = max(first, begin), min(last, end)
        if first < last:
            yield content[begin:first], False
            yield content[first:last], True
            begin = last
    yield content[begin:end].rstrip(), False
