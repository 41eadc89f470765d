"""The command ``chula-rl assignments similarity``."""

import argparse
from collections.abc import Sequence

import nbformat

from chula_rl.errors import ConfigError, SubmissionError
from chula_rl.grading import intake, similarity
from chula_rl.grading.cells import read as read_notebook
from chula_rl.grading.course import Course
from chula_rl.grading.grade import Assignment, students
from chula_rl.grading.graft import graft
from chula_rl.grading.similarity import CODE, WRITTEN, Pair, Work
from chula_rl.grading.similarity_page import page
from chula_rl.grading.texts import shown


def run(args: argparse.Namespace) -> int:
    """Compare, print the table of pairs and write the page."""
    course, name = Course.find(), args.assignment
    if args.top < 1:
        raise ConfigError(f"--top is {args.top}; expected at least 1.")
    works, unread = read(course, name)
    released = read_notebook(course.released(name) / f"{name}.ipynb")
    texts = similarity.released_text(released)
    found = similarity.pairs(works, texts, args.threshold)
    kept = found[: args.top]
    path = course.build / "similarity" / f"{name}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(name, kept, len(works), unread), "utf-8", "replace")
    for student, why in unread:
        print(f"not compared: {shown(student)}: {shown(why, 300)}")
    print(table(kept))
    print(
        f"\n{len(works)} submissions compared. Pairs that share at least "
        f"{args.threshold:.0%} of a text: {len(found)}, shown: {len(kept)}. Their "
        f"passages: {path}\n"
        "Alike is not copied: an equation has few ways to be written. Read the "
        "passages."
    )
    return 0


def read(course: Course, name: str) -> tuple[list[Work], list[tuple[str, str]]]:
    """What each student wrote, and who could not be read and why.

    Nothing of a submission is run or rendered.
    """
    assignment = Assignment.read(course, name)
    trusted = nbformat.reads(assignment.trusted, as_version=4)  # type: ignore[no-untyped-call]
    works, unread = [], []
    for student in students(course, name):
        folder = course.submitted(name, student)
        try:
            submission = intake.read(folder, name, assignment.limits)
            notebook = graft(submission.notebook, trusted).notebook
            works.append(similarity.work(student, notebook))
        except SubmissionError as error:
            unread.append((student, str(error)))
    return works, unread


def table(pairs: Sequence[Pair]) -> str:
    """The pairs as text; of each, what part of whose text the other one has."""
    lines = [f"{'code':>11}  {'answers':>11}  students"]
    for pair in pairs:
        names = " and ".join(shown(work.student) for work in pair.works)
        lines.append(f"{_parts(pair, CODE):>11}  {_parts(pair, WRITTEN):>11}  {names}")
    return "\n".join(lines)


def _parts(pair: Pair, sort: str) -> str:
    if sort not in pair.shared:
        return ""
    return " / ".join(f"{part:.0%}" for part in pair.shared[sort].parts)
