"""The command ``chula-rl grade``."""

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from tqdm import tqdm

from chula_rl.commands.interrupts import INTERRUPTED
from chula_rl.errors import AssignmentError
from chula_rl.grading import bubblewrap, late, marks, pool
from chula_rl.grading.course import Course, require
from chula_rl.grading.grade import Assignment, Books, environment, preview, students
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.pool import Failure
from chula_rl.grading.records import GRADED, REFUSED, Outcome
from chula_rl.grading.task import Task

_UNSAFE = (
    "WARNING: no sandbox. Students' code runs with your rights: it can read, change "
    "and send what you can, and forge its marks. For classes that you trust only."
)


def run(args: argparse.Namespace) -> int:
    """Grade, and say what came out."""
    course, name = Course.find(), args.assignment
    assignment = Assignment.read(course, name, not args.unsafe_no_sandbox)
    who = _chosen(students(course, name), args.student or [])
    if args.dry_run:
        return _say_what_would_be_done(assignment, who, not args.resume)
    if args.unsafe_no_sandbox:
        print(_UNSAFE)
    elif not args.cluster:  # whose workers are elsewhere
        bubblewrap.check()
    with Books(assignment) as books:
        found = _grade(args, books, who)
        print(_summary(found))
        if args.feedback:
            _write_feedback(course, name, found, _renew_penalties(course, name))
        everybody = books.statuses() | found
    every = list(marks.read(course, name, everybody))
    path = course.build / "marks.csv"
    marks.write_csv(every, path)
    now = [mark for mark in every if mark.student in found]
    print(f"\n{marks.table(now)}\n\nThe marks of the class: {path}")
    if args.unsafe_no_sandbox:
        print(_UNSAFE)
    return _exit_status(found)


def _grade(
    args: argparse.Namespace, books: Books, who: list[str]
) -> dict[str, tuple[str, str]]:
    """Status and reason of each student."""
    found: dict[str, tuple[str, str]] = {}
    with tqdm(total=len(who), unit="submission", desc=args.assignment) as progress:

        def note(student: str, status: str, reason: str, points: str = "") -> None:
            found[student] = status, reason
            progress.write(f"{student}: {status} {points or reason}".rstrip())
            progress.update()

        def tasks() -> Iterator[Task]:
            for item in books.open_tasks(who, not args.resume):
                if isinstance(item, Task):
                    yield item
                else:
                    note(item.student, *marks.status_of(item))

        try:
            for item in pool.run(tasks(), *_workers(args)):
                if isinstance(item, Failure):
                    note(item.task.student, "failed", item.reason)
                    continue
                books.record(item)
                note(item.student, *marks.status_of(item), _points(item))
        except KeyboardInterrupt:
            progress.close()
            print(f"\nInterrupted. {len(found)} of {len(who)} are graded and kept.")
            print(f"To go on:\n    {_command(args)}")
            raise SystemExit(INTERRUPTED) from None
    return dict(sorted(found.items()))


def _workers(args: argparse.Namespace) -> tuple[pool.MakeExecutor, int]:
    if args.cluster:
        from chula_rl.grading.worker import check  # its imports take a while

        jailed = not args.unsafe_no_sandbox
        return pool.cluster(args.cluster, partial(check, jailed, environment()))
    jobs = (os.cpu_count() or 1) if args.jobs is None else args.jobs
    return pool.local(jobs), jobs


def _chosen(all_: list[str], named: list[str]) -> list[str]:
    unknown = sorted(set(named) - set(all_))
    if unknown:
        raise AssignmentError(
            f"nothing was handed in by {', '.join(unknown)}; submissions are from "
            f"{', '.join(all_[:10])}{', ...' if len(all_) > 10 else ''}."
        )
    return [student for student in all_ if student in named] if named else all_


def _say_what_would_be_done(assignment: Assignment, who: list[str], again: bool) -> int:
    with Ledger(assignment.ledger, read_only=True) as ledger:
        for item in preview(assignment, ledger, who, again):
            if isinstance(item, Task):
                print(f"{item.student}: would be graded")
            elif item.status == REFUSED:
                print(f"{item.student}: would be refused: {item.reason}")
            else:
                print(f"{item.student}: {item.status} already")
    return 0


def _renew_penalties(course: Course, name: str) -> set[str]:
    """Who loses other points for being late than when last graded."""
    api = course.nbgrader()
    with api.gradebook as gradebook:
        return set(late.renew(gradebook, late.assigner(api), name))


def _write_feedback(
    course: Course, name: str, found: Iterable[str], changed: set[str]
) -> None:
    """Write the pages that are not there or older than what they show.

    A run that was killed has left some out, so that it takes more than this run's.
    """
    old = [
        student
        for student in found
        if student in changed
        or _changed(
            course.assignments / "autograded" / student / name / f"{name}.ipynb"
        )
        > _changed(course.assignments / "feedback" / student / name / f"{name}.html")
    ]
    api = course.nbgrader()
    for student in tqdm(old, unit="page", desc="feedback"):
        try:
            result = api.generate_feedback(name, student, force=True)
            require(result, f"nbgrader generate_feedback --student={student}")
        except AssignmentError as error:  # the others get theirs
            tqdm.write(f"{student}: no feedback page: {error}")


def _changed(path: Path) -> float:
    """When a file was written; long ago if it is not there."""
    return path.stat().st_mtime if path.exists() else 0.0


def _points(outcome: Outcome) -> str:
    got = sum(result.points for result in outcome.results)
    most = sum(result.max_points for result in outcome.results)
    return f"{got:g}/{most:g} {outcome.reason}".strip()


def _summary(found: dict[str, tuple[str, str]]) -> str:
    counts = Counter(status for status, _ in found.values())
    lines = [", ".join(f"{number} {status}" for status, number in counts.items())]
    lines += [
        f"  {student}: {status}: {reason}"
        for student, (status, reason) in found.items()
        if status != GRADED or reason
    ]
    return "\n".join(lines)


def _exit_status(found: dict[str, tuple[str, str]]) -> int:
    statuses = {status for status, _ in found.values()}
    if "failed" in statuses:
        return 1
    return 3 if statuses - {GRADED} else 0


def _command(args: argparse.Namespace) -> str:
    words = ["chula-rl", "grade", args.assignment]
    for option in ("jobs", "cluster"):
        if getattr(args, option):
            words += [f"--{option}", str(getattr(args, option))]
    for student in args.student or []:
        words += ["--student", student]
    words += ["--no-resume"] * (not args.resume)  # or older outcomes would do
    words += ["--no-feedback"] * (not args.feedback)
    words += ["--unsafe-no-sandbox"] * args.unsafe_no_sandbox
    return shlex.join(words)
