"""What became of the mutants of an assignment, as a page of Markdown."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chula_rl.errors import AssignmentError
from chula_rl.grading.mutants.make import Mutant
from chula_rl.grading.mutants.trial import BROKEN, KILLED, SURVIVED, Verdict

EQUIVALENT = "equivalent"
TARGET = 0.97  # of the mutants that are neither broken nor equivalent
_FORMS = (  # of an entry in equivalent.toml
    {"function", "reason", "changes"},
    {"function", "reason", "operator"},
    {"function", "reason", "operator", "within"},
)
_COLUMNS = ("mutants", BROKEN, KILLED, EQUIVALENT, "survivors", "score")


@dataclass(frozen=True)
class Equivalent:
    """Why mutants that survive are no mistakes.

    Attributes:
        function: the graded function; ``*`` for all.
        reason: for readers.
        changes: survivors with exactly these changed lines are meant,
        operator: or else all of this operator,
        within: if the changed lines have this text in them.
    """

    function: str
    reason: str
    changes: tuple[str, ...] = ()
    operator: str = ""
    within: str = ""

    def covers(self, function: str, mutant: Mutant) -> bool:
        """Whether a survivor is one of these."""
        of_operator = mutant.operator == self.operator and self.within in mutant.change
        known = mutant.change in self.changes or of_operator
        return self.function in (function, "*") and known


@dataclass(frozen=True)
class Fate:
    """A mutant, and what became of it.

    Attributes:
        function: the graded function.
        mutant: the mutant.
        outcome: survived, killed, broken or equivalent.
        message: what a student would read; why it is equivalent.
    """

    function: str
    mutant: Mutant
    outcome: str
    message: str


def read_equivalents(path: Path) -> list[Equivalent]:
    """The survivors of an assignment that are no mistakes.

    Args:
        path: a TOML file with ``[[equivalent]]`` entries; it may be missing.

    Raises:
        AssignmentError: an entry is not in the form that is expected.
    """
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("equivalent", [])
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{path} is no TOML: {error}.") from error
    found = []
    for entry in entries:
        if set(entry) not in _FORMS:
            raise AssignmentError(
                f"{path}: an entry has {sorted(entry)}; expected function, reason, and "
                "either changes, a list of changed lines as the report shows them, or "
                "operator, and within if only some of its survivors are meant."
            )
        changes = tuple(_change(text) for text in entry.pop("changes", ()))
        found.append(Equivalent(**entry, changes=changes))
    return found


def explain(
    tried: Sequence[tuple[str, Mutant, Verdict]], equivalents: Sequence[Equivalent]
) -> tuple[list[Fate], list[str]]:
    """Tell the survivors that are no mistakes from the others.

    Args:
        tried: function, mutant and verdict of each.
        equivalents: what is known of survivors.

    Returns:
        What became of each mutant, and the entries that match no survivor.
    """
    fates, used = [], set()
    for function, mutant, verdict in tried:
        outcome, message = verdict.outcome, verdict.message
        for known in equivalents:
            if outcome == SURVIVED and known.covers(function, mutant):
                used |= {(known, mutant.change), (known, known.operator)}
                outcome, message = EQUIVALENT, known.reason
        fates.append(Fate(function, mutant, outcome, message))
    stale = [
        f"{known.function}: {part}"
        for known in equivalents
        for part in (*known.changes, *([known.operator] if known.operator else []))
        if (known, part) not in used
    ]
    return fates, stale


def score(fates: Sequence[Fate]) -> float:
    """The part of the mutants killed, of those neither broken nor equivalent."""
    killed = sum(fate.outcome == KILLED for fate in fates)
    survivors = sum(fate.outcome == SURVIVED for fate in fates)
    return killed / (killed + survivors) if killed + survivors else 1.0


def markdown(name: str, fates: Sequence[Fate]) -> str:
    """The report of an assignment."""
    functions = list(dict.fromkeys(fate.function for fate in fates))
    rows = {f"`{f}`": [x for x in fates if x.function == f] for f in functions}
    lines = [f"# Mutants of `{name}`", "", *_table({**rows, "**total**": fates}), ""]
    lines += [
        f"The score is {KILLED} / (mutants - {BROKEN} - {EQUIVALENT}); the target is "
        f"{TARGET:.0%}. Broken are those that stop with an error in every call.",
    ]
    for title, outcome in (("Survivors", SURVIVED), ("Equivalent", EQUIVALENT)):
        chosen = [fate for fate in fates if fate.outcome == outcome]
        lines += ["", f"## {title}", "", f"{len(chosen)} in all."]
        for fate in chosen:
            heading = f"`{fate.function}`, {fate.mutant.operator}. {fate.message}"
            lines += ["", heading.strip(), "", "```diff", fate.mutant.diff, "```"]
    return "\n".join(lines) + "\n"


def _table(rows: Mapping[str, Sequence[Fate]]) -> list[str]:
    lines = [
        f"| function | {' | '.join(_COLUMNS)} |",
        "|---|" + "---:|" * len(_COLUMNS),
    ]
    for title, fates in rows.items():
        kinds = (BROKEN, KILLED, EQUIVALENT, SURVIVED)
        counts = [len(fates), *(sum(f.outcome == k for f in fates) for k in kinds)]
        cells = [*map(str, counts), f"{score(fates):.1%}"]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def _change(text: str) -> str:
    lines = (line.strip() for line in text.strip().split("\n"))
    return "\n".join(line[:1] + line[1:].strip() for line in lines)
