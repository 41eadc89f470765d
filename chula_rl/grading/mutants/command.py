"""The command ``chula-rl assignments mutants``."""

import argparse
import os
from pathlib import Path

from tqdm import tqdm

from chula_rl.errors import AssignmentError
from chula_rl.grading import cells, compare, source
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.mutants import report, runs
from chula_rl.grading.mutants.make import Mutant, make, plain
from chula_rl.grading.mutants.report import Fate
from chula_rl.grading.mutants.trial import SURVIVED, Exercise, Verdict

_FIRST_SECONDS = 300.0  # for the reference, which tells how long a mutant may take


def run(args: argparse.Namespace) -> int:
    """Try all mutants, write reports, and say whether enough were killed."""
    course = Course.find()
    names = args.name or [name for name in course.names() if name in CONTRACT]
    jobs = args.jobs or os.cpu_count() or 1
    every: list[Fate] = []
    pages, stale = {}, []
    for name in names:
        tried = _try(course, name, jobs)
        path = course.assignments / "mistakes" / name / "equivalent.toml"
        fates, unused = report.explain(tried, report.read_equivalents(path))
        stale += [f"{path}: {entry}" for entry in unused]
        pages[name] = report.markdown(name, fates)
        every += fates
    for path in _write(course, pages, args.report):
        print(f"written: {path}")
    survivors = sum(fate.outcome == SURVIVED for fate in every)
    reached = report.score(every)
    print(f"{len(every)} mutants, {survivors} survivors, score {reached:.1%}")
    if stale:
        raise AssignmentError(
            "these entries match no survivor any more; delete them:\n"
            + "\n".join(stale)
        )
    return 0 if reached >= report.TARGET else 1


def exercises(course: Course, name: str) -> list[tuple[Exercise, str]]:
    """The graded functions of an assignment, each with the text of its solution cell.

    Raises:
        AssignmentError: the assignment is not sound.
    """
    notebook = source.notebook(course, name)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found, before = [], []
    solutions: dict[str, str] = {}
    for cell in code:
        kind, function = cells.cell_kind(cell, cell.id), cell.id.removeprefix("test-")
        if kind == "solution":
            solutions[cell.id] = cell.source
            before.append((cell.id, plain(cell.source)))
        elif kind == "text":
            before.append((cell.id, cell.source))
        elif kind == "test" and function in solutions:
            exercise = Exercise(function, tuple(before), cell.source)
            found.append((exercise, solutions[function]))
    return found


def _try(course: Course, name: str, jobs: int) -> list[tuple[str, Mutant, Verdict]]:
    """What becomes of each mutant of an assignment; known verdicts are kept."""
    results = runs.Results(course.build / "mutants" / f"{name}.jsonl")
    todo = [
        (exercise, mutant)
        for exercise, text in exercises(course, name)
        for mutant in make(text, exercise.function)
    ]
    with tqdm(total=len(todo), unit="mutant", desc=name) as progress:
        for exercise in dict.fromkeys(exercise for exercise, _ in todo):
            own = [mutant for other, mutant in todo if other is exercise]
            open_ = [m for m in own if results.get(exercise.key(m.source)) is None]
            progress.update(len(own) - len(open_))
            limit = _limit(exercise) if open_ else 0.0
            for mutant, verdict in runs.run(exercise, open_, jobs, limit):
                results.add(exercise.key(mutant.source), verdict)
                progress.update()
    verdicts = ((e, m, results.get(e.key(m.source))) for e, m in todo)
    return [(e.function, m, verdict) for e, m, verdict in verdicts if verdict]


def _limit(exercise: Exercise) -> float:
    """Seconds that a mutant may take.

    Raises:
        AssignmentError: the reference itself does not pass.
    """
    reference = Mutant("", exercise.solution, "", "")
    ((_, verdict),) = runs.run(exercise, [reference], 1, _FIRST_SECONDS)
    if verdict.outcome != SURVIVED:
        raise AssignmentError(
            f"{exercise.function}: the reference fails its own tests, with seed "
            f"{compare.base_seed()}: {verdict.message}"
        )
    return 5 + 20 * verdict.seconds


def _write(course: Course, pages: dict[str, str], path: Path | None) -> list[Path]:
    files = {course.build / "mutants" / f"{name}.md": p for name, p in pages.items()}
    if path:
        files = {path: "\n".join(pages.values())}
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return list(files)
