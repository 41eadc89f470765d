"""Each numerical check of the book passes, and fails once its statement is made wrong.

A check is a code cell tagged ``check`` whose first line is ``# check: LABEL``; it needs
nothing but the cells tagged ``setup`` of its chapter. Its mutations are listed in
``book_mutations/CHAPTER.yml``, each a replacement of text that occurs once in the cell:

.. code-block:: yaml

    thm-label:
      - replace: "visits * gamma"
        with: "visits"
"""

import ast
import warnings
from pathlib import Path
from typing import NamedTuple

import jupytext
import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book" / "chapters").glob("*.md"))
MUTATIONS = Path(__file__).parent / "book_mutations"


class Check(NamedTuple):
    """One check cell, with the source of its chapter's setup cells."""

    chapter: str
    label: str
    setup: str
    source: str

    def run(self, source: str) -> None:
        namespace: dict[str, object] = {"__name__": "__main__"}
        for part, code in (("setup", self.setup), (self.label, source)):
            exec(compile(code, f"<{self.chapter}: {part}>", "exec"), namespace)


def read_checks(chapter: Path) -> list[Check]:
    with warnings.catch_warnings():  # front matter that only Sphinx knows
        warnings.filterwarnings("ignore", "The following metadata", UserWarning)
        cells = jupytext.read(chapter).cells

    def tagged(tag: str) -> list[str]:
        return [c.source for c in cells if tag in c.metadata.get("tags", [])]

    setup = "\n".join(tagged("setup"))
    return [Check(chapter.stem, label_of(s), setup, s) for s in tagged("check")]


def label_of(source: str) -> str:
    first = source.splitlines()[0]
    prefix = "# check: "
    assert first.startswith(prefix), f"a check cell begins {first!r}, not {prefix!r}"
    return first.removeprefix(prefix).strip()


def read_mutations(chapter: str) -> dict[str, list[dict[str, str]]]:
    return yaml.safe_load((MUTATIONS / f"{chapter}.yml").read_text()) or {}


CHECKS = {(c.chapter, c.label): c for p in CHAPTERS for c in read_checks(p)}
MUTANTS = [
    pytest.param(chapter.stem, label, mutation, id=f"{chapter.stem}-{label}-{i}")
    for chapter in sorted(MUTATIONS.glob("*.yml"))
    for label, mutations in read_mutations(chapter.stem).items()
    for i, mutation in enumerate(mutations)
]


def mutate(source: str, mutation: dict[str, str]) -> str:
    old, new = mutation["replace"], mutation["with"]
    assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times, not once"
    return source.replace(old, new)


def assertions(source: str) -> list[str]:
    """What the cell demands, asserts and tolerances: no mutation may touch it."""
    demands = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.keyword) and node.arg in ("atol", "rtol"))
    ]
    return [ast.dump(node) for node in demands]


@pytest.mark.parametrize(
    "check", CHECKS.values(), ids=[f"{c}-{label}" for c, label in CHECKS]
)
def test_check_passes(check: Check) -> None:
    check.run(check.source)


@pytest.mark.parametrize(("chapter", "label", "mutation"), MUTANTS)
def test_check_fails_when_the_statement_is_wrong(
    chapter: str, label: str, mutation: dict[str, str]
) -> None:
    check = CHECKS[chapter, label]
    wrong = mutate(check.source, mutation)
    assert assertions(wrong) == assertions(check.source), "mutate the statement"
    with pytest.raises(AssertionError):
        check.run(wrong)


def test_every_check_has_a_mutation() -> None:
    mutated = {(p.values[0], p.values[1]) for p in MUTANTS}
    assert set(CHECKS), "no chapter has a check"
    assert mutated == set(CHECKS)


def test_labels_are_unique() -> None:
    for chapter in CHAPTERS:
        labels = [check.label for check in read_checks(chapter)]
        assert len(labels) == len(set(labels)), f"{chapter.name}: {labels}"
