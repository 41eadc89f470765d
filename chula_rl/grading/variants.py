"""Variants of an assignment: each year other constants, questions and hidden inputs.

``seed`` in the table ``[variant]`` of ``assignments/grading.toml`` names the variant.
Without it an assignment is as its text has it: the first value of each constant, and
the written questions of the text.

``assignments/source/<name>/variants.toml`` says what may vary. Each name in the table
``[constants]`` has a list of values, the first of them the default; the text uses them
as ``expressions`` says. Each ``[[questions.<grade_id of an answer>]]`` is another
question for that cell. The default one stands in the text and its marking guide in
``assignments/rubrics``, where authors read them, so that nothing is written twice.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chula_rl.errors import AssignmentError, ConfigError
from chula_rl.grading.questions import Question

FILE = "variants.toml"


@dataclass(frozen=True)
class Choice:
    """What one variant has.

    Attributes:
        constants: the value of each.
        questions: by the cell of the answer; None is the text's own.
        mark: tells the variant from others without its seed; empty for the default.
    """

    constants: Mapping[str, Any]
    questions: Mapping[str, Question | None]
    mark: str = ""

    @property
    def asked(self) -> dict[str, Question]:
        """The questions that are not the text's own."""
        return {cell: q for cell, q in self.questions.items() if q is not None}


@dataclass(frozen=True)
class Offer:
    """What may vary in an assignment.

    Attributes:
        constants: the values that each may take, the default first.
        questions: by the cell of the answer, what may be asked in its own's place.
    """

    constants: Mapping[str, list[Any]] = field(default_factory=dict)
    questions: Mapping[str, list[Question]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Offer":
        """Read ``variants.toml``; without one, nothing varies.

        Raises:
            AssignmentError: the file is not sound.
        """
        if not path.exists():
            return cls()
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise AssignmentError(f"{path}: {error}") from error
        constants, questions = data.get("constants", {}), data.get("questions", {})
        if not data.keys() <= {"constants", "questions"} or not all(
            isinstance(table, dict) for table in (constants, questions)
        ):
            raise AssignmentError(
                f"{path} has {', '.join(data)}; expected the tables [constants] and "
                "[questions], or one of them."
            )
        for name, values in {**constants, **questions}.items():
            if not isinstance(values, list) or not values:
                raise AssignmentError(
                    f"{path}: '{name}' is {values!r}; expected a list that is not "
                    "empty: a constant's values, the default first, or questions."
                )
        found = {
            cell: [
                Question.of(entry, f"{path}, {cell}, entry {i + 1}")
                for i, entry in enumerate(entries)
            ]
            for cell, entries in questions.items()
        }
        return cls(constants, found)

    def choose(self, name: str, seed: int | None) -> Choice:
        """The variant of a seed.

        Each constant is drawn by itself, so that a new one leaves the others as they
        were. Questions take turns, so that those of seeds in a row differ.

        Args:
            name: the assignment.
            seed: names the variant; None is the default.
        """
        if seed is None:
            return Choice(
                {key: values[0] for key, values in self.constants.items()},
                dict.fromkeys(self.questions),
            )
        constants = {
            key: values[_number(f"{seed} {name} {key}") % len(values)]
            for key, values in self.constants.items()
        }
        questions = {
            cell: [None, *others][
                (seed + _number(f"{name} {cell}")) % (1 + len(others))
            ]
            for cell, others in self.questions.items()
        }
        return Choice(constants, questions, mark(name, seed))


def read_seed(path: Path) -> int | None:
    """The variant that a course asks for.

    Args:
        path: ``assignments/grading.toml``; there may be none, or no table ``[variant]``
            in it.

    Returns:
        Its seed; None for the default.

    Raises:
        ConfigError: the file is not sound, or the table is not.
    """
    if not path.exists():
        return None
    expected = "expected a table [variant] with one line, as seed = 2027"
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("variant")
    except ValueError as error:
        raise ConfigError(f"{path}: {error}; {expected}.") from error
    if table is None:
        return None
    if not isinstance(table, dict) or table.keys() != {"seed"}:
        raise ConfigError(f"{path}: variant is {table!r}; {expected}.")
    seed = table["seed"]
    if type(seed) is not int or seed < 0:
        raise ConfigError(
            f"{path}: the seed of the variant is {seed!r}; expected a whole number "
            "from 0 up. Without the table the assignments are as their texts have them."
        )
    return seed


def mark(name: str, seed: int | None) -> str:
    """Tells the variants of an assignment apart, and not their seeds: it is released.

    Args:
        name: the assignment.
        seed: the variant; None is the default, which has no mark.
    """
    return "" if seed is None else f"{_number(f'{seed} {name}'):016x}"


def require(settings: Path, name: str, *notebooks: Path) -> None:
    """Stop unless notebooks of an assignment are in the variant that is asked for.

    Args:
        settings: ``assignments/grading.toml``.
        name: the assignment.
        notebooks: built from its text; what cannot be read counts as the default.

    Raises:
        AssignmentError: one is in another variant.
    """
    seed = read_seed(settings)
    for path in notebooks:
        if _mark_of(path.read_bytes()) != mark(name, seed):
            asked = "the default" if seed is None else f"that of seed {seed}"
            raise AssignmentError(
                f"{path} is in another variant than {asked}, which {settings} asks "
                "for. If the seed was changed by mistake, put it back and run "
                f"`chula-rl assignments build {name}`. Else run `chula-rl assignments "
                f"release {name}` and hand that out; everybody is graded again then."
            )


def _mark_of(notebook: bytes) -> str:
    try:
        found: str = json.loads(notebook)["metadata"]["chula_rl"]["variant"]
    except (ValueError, LookupError, TypeError):
        return ""
    return found


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
