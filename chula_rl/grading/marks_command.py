"""The command ``chula-rl assignments marks``: the marks of a class as a file."""

import argparse
from collections.abc import Iterable
from dataclasses import replace

from chula_rl.errors import AssignmentError, ConfigError
from chula_rl.grading import cells, marks, marks_files
from chula_rl.grading.course import Course
from chula_rl.grading.feedback import Grades, HideHiddenTests, summary
from chula_rl.grading.grade import Assignment, environment, students, task
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.marks import Mark
from chula_rl.grading.records import GRADED, REFUSED
from chula_rl.grading.texts import shown

NOT_GRADED = "not graded"
_BLANK = "No response."  # nbgrader's comment on a cell that is as it was released
AGAIN = "handed in again"  # since it was graded
_NEEDS_GRADING = (NOT_GRADED, AGAIN)
_WITHOUT_MARK = (*_NEEDS_GRADING, REFUSED)
MAX_FEEDBACK = 10_000  # characters


def run(args: argparse.Namespace) -> int:
    """Write the file, and say who has no mark in it and why."""
    course, name = Course.find(), args.assignment
    _check_options(args)
    every = standing(course, name)
    final = [mark for mark in every if counts(mark, args.partial)]
    path = args.out or course.build / "marks" / f"{name}-{args.format}.csv"
    notes = [_why(mark) for mark in every if mark not in final]
    if not final:
        raise AssignmentError(
            f"no submission of '{name}' has a final mark yet: " + "; ".join(notes[:5])
        )
    if args.format == "csv":
        blank = {mark.student for mark in every if mark not in final}
        marks.write_csv(every, path, without_total=blank)
        entered = [mark.student for mark in final]
    else:
        filled = _filled(args, course, final)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(filled.text.encode())
        entered, notes = filled.entered, notes + filled.notes
    for note in notes:
        print(f"  {note}")
    print(f"{len(entered)} marks of {len(every)} submissions: {path}")
    return 3 if notes else 0


def standing(course: Course, name: str) -> list[Mark]:
    """The marks of everybody who has handed in or been graded, by name.

    The status is that of grading, or ``to mark``, ``not graded``, ``handed in again``.

    Raises:
        AssignmentError: the assignment is not released, or nobody handed in.
    """
    assignment = Assignment.read(course, name)
    handed_in = students(course, name)
    with course.nbgrader().gradebook as gradebook:
        rows = gradebook.assignment_submissions(name)
        statuses = {row.student_id: (GRADED, "") for row in rows}
    hashes = {}
    with Ledger(assignment.ledger, read_only=True) as ledger:
        for outcome in ledger.in_gradebook():
            statuses[outcome.student] = marks.status_of(outcome)
            hashes[outcome.student] = outcome.submission
    statuses = dict.fromkeys(handed_in, (NOT_GRADED, "")) | statuses
    found = marks.read(course, name, dict(sorted(statuses.items())))
    now = environment()
    return [
        replace(mark, status=AGAIN)
        if mark.student in handed_in
        and mark.student in hashes
        and task(assignment, mark.student, now).submission != hashes[mark.student]
        else mark
        for mark in found
    ]


def counts(mark: Mark, partial: bool) -> bool:
    """Whether a mark may be given.

    Args:
        mark: the mark.
        partial: whether one may that still waits for a person.
    """
    if mark.status in _WITHOUT_MARK or not mark.max_points:
        return False
    return partial or len(mark.points) == len(mark.max_points)


def as_text(course: Course, name: str, mark: Mark) -> str:
    """The feedback on a submission in a few lines: points, what tests found, comments.

    Raises:
        AssignmentError: its graded notebook is not there.
    """
    folder = course.assignments / "autograded" / mark.student / name
    path = folder / f"{name}.ipynb"
    if not path.exists():
        raise AssignmentError(
            f"{path} is not there; expected what grading left of the submission. Run "
            f"`chula-rl grade {name}`."
        )
    api = course.nbgrader()
    own = {"notebook": name, "assignment": name, "student": mark.student}
    resources = {"nbgrader": own | {"db_url": api.coursedir.db_url}}
    notebook, resources = Grades(parent=api).preprocess(cells.read(path), resources)
    notebook, _ = HideHiddenTests(parent=api).preprocess(notebook, resources)
    most = sum(mark.max_points.values())
    text = [f"{mark.total:g} of {most:g} points."]
    if mark.penalty:
        hours = mark.seconds_late / 3600
        text.append(f"{hours:.1f} hours late: {mark.penalty:g} points taken off.")
    for row in summary(notebook):
        points = f"{row.points:g} of {row.max_points:g}"
        text.append(f"{row.name}: {points}. {row.found}")
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader") or {}
        told = about.get("comment") == _BLANK and not about["grade"]  # by the tests
        if about.get("comment") and not told:
            text.append(f"Comment on {about['grade_id']}: {about['comment']}")
    return "\n".join(text)[:MAX_FEEDBACK]


def _check_options(args: argparse.Namespace) -> None:
    if args.format == "canvas" and args.roster is None:
        raise ConfigError(
            "Canvas takes back the gradebook that it exports, filled in; give that "
            "file with --roster."
        )
    needless = {
        "--roster": args.roster is not None and args.format == "csv",
        "--match": args.match is not None and args.roster is None,
        "--column": args.column is not None and args.format != "canvas",
    }
    for option, wrong in needless.items():
        if wrong:
            raise ConfigError(
                f"{option} has no meaning with --format {args.format} "
                f"{'and' if args.roster else 'without'} --roster; leave it out."
            )
    if args.out and args.roster and args.out.resolve() == args.roster.resolve():
        raise ConfigError(
            f"--out and --roster are both {args.out}; expected another file, so that "
            "the exported one is kept."
        )


def _filled(
    args: argparse.Namespace, course: Course, final: Iterable[Mark]
) -> marks_files.Filled:
    final, name = list(final), args.assignment
    try:
        roster = None if args.roster is None else args.roster.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{args.roster} cannot be read: {error.strerror}; expected the file that "
            f"{args.format.capitalize()} has exported."
        ) from error
    if args.format == "moodle":
        given = {
            mark.student: marks_files.Given(mark.total, as_text(course, name, mark))
            for mark in final
        }
        return marks_files.moodle(roster, name, given, args.match)
    given = {mark.student: marks_files.Given(mark.total) for mark in final}
    points = _points(course, name)
    return marks_files.canvas(
        roster or b"", name, given, points, args.column, args.match
    )


def _points(course: Course, name: str) -> float:
    with course.nbgrader().gradebook as gradebook:
        return float(gradebook.find_assignment(name).max_score)


def _why(mark: Mark) -> str:
    """Why a mark is not given."""
    waiting = ", ".join(name for name in mark.max_points if name not in mark.points)
    if mark.status in _NEEDS_GRADING:
        why = f"{mark.status}; run `chula-rl grade`"
    elif waiting:
        why = f"not marked by a person: {waiting}; --partial gives {mark.total:g}"
    else:
        why = mark.status
    reason = f": {shown(mark.reason, 200)}" if mark.reason else ""
    return f"{shown(mark.student)} has no mark: {why}{reason}"
