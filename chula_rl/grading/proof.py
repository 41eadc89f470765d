"""Many seeds: no right solution is rejected, and no wrong one accepted.

A hidden test draws its inputs anew for each submission. What it says of a solution must
not depend on them, so each solution of the catalogue is marked with many base seeds.
"""

from collections.abc import Iterable
from typing import NamedTuple

from tqdm import tqdm

from chula_rl.grading import mistakes
from chula_rl.grading.compare import NUM_DRAWS
from chula_rl.grading.course import Course
from chula_rl.grading.mistakes import Variant
from chula_rl.grading.rehearsal import Rehearsal

FEWER = 10  # times fewer for a wrong solution: there are many


class Trial(NamedTuple):
    """A solution and a base seed to mark it with."""

    solution: Variant
    seed: int


def run(course: Course, name: str, seeds: int) -> tuple[list[str], list[str]]:
    """Mark every solution of an assignment with many base seeds, under a bar.

    Args:
        course: the course.
        name: the assignment.
        seeds: of each right solution; a wrong one gets a tenth of them.

    Returns:
        A table, line by line; and a sentence for each time that something went wrong.
    """
    rehearsal = Rehearsal(course, name)
    catalogue = mistakes.load(name)
    planned = trials(rehearsal, catalogue, seeds, max(1, seeds // FEWER))
    progress = tqdm(planned, unit="mark", desc=name)
    problems = [p for trial in progress if (p := problem(rehearsal, trial))]
    return _table(rehearsal.functions, planned), problems


def trials(
    rehearsal: Rehearsal, catalogue: Iterable[Variant], right: int, wrong: int
) -> list[Trial]:
    """The reference and the catalogue, each with so many seeds.

    The seeds are so far apart that no round of random inputs comes twice.

    Args:
        rehearsal: of the assignment.
        catalogue: its solutions.
        right: seeds for each of the right ones, the reference among them.
        wrong: seeds for each of the wrong ones.
    """
    reference = [
        Variant(function, "reference", True, "", "", text)
        for function, text in rehearsal.reference.items()
    ]
    return [
        Trial(solution, NUM_DRAWS * i)
        for solution in [*reference, *catalogue]
        for i in range(1, 1 + (right if solution.correct else wrong))
    ]


def problem(rehearsal: Rehearsal, trial: Trial) -> str | None:
    """What is not as it should be when a solution is marked; None if all is well.

    The message of a wrong one must be that of the catalogue. If the visible part finds
    it, the hidden part has to find it as well: a student may fit a solution to numbers
    that can be seen.
    """
    solution, seed = trial.solution, trial.seed
    label = f"{solution.function}, {solution.name}, seed {seed}"
    code, own = {solution.function: solution.source}, f"test-{solution.function}"
    marks = rehearsal.mark(code, {own}, seed)
    message = marks.messages.get(own)
    if solution.correct:
        return message and f"{label}: rejected: {message}"
    if message is None:
        return f"{label}: accepted"
    if solution.message not in message:
        return f"{label}: gets '{message}'; expected '{solution.message}'"
    if not marks.hidden and rehearsal.mark(code, {own}, seed, "hidden").passed:
        return f"{label}: accepted by the hidden tests alone"
    return None


def _table(functions: Iterable[str], planned: list[Trial]) -> list[str]:
    """How many solutions of each function were marked, and how often."""
    lines = [f"{'':24}{'right':>8}{'marked':>8}{'wrong':>8}{'marked':>8}"]
    for function in functions:
        row = f"{function:24}"
        for correct in (True, False):
            names = [
                trial.solution.name
                for trial in planned
                if trial.solution.function == function
                and trial.solution.correct == correct
            ]
            row += f"{len(set(names)):8}{len(names):8}"
        lines.append(row)
    return lines
