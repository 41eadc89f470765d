"""The commands ``chula-rl assignments`` and ``chula-rl grade``.

nbgrader takes a second to import, so each command imports what it needs.
"""

import argparse
from typing import Any


def add_parsers(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the grader's commands to the command line."""
    about = "build, release and check assignments"
    group = subparsers.add_parser("assignments", help=about, description=about)
    actions = group.add_subparsers(required=True, metavar="ACTION")
    for action, func, about in (
        ("build", _build, "build the source notebooks for nbgrader"),
        ("release", _release, "make what students get, through the leak gate"),
        ("check", _check, "pass what is released through the leak gate again"),
    ):
        parser = actions.add_parser(action, help=about, description=about)
        parser.add_argument("name", nargs="*", help="which assignments (default: all)")
        parser.set_defaults(func=func)
    about = "hand in for the made-up students of assignments/sample_class.toml"
    parser = actions.add_parser("sample-class", help=about, description=about)
    parser.set_defaults(func=_sample_class)
    about = "grade all submissions of an assignment"
    parser = subparsers.add_parser(
        "grade",
        help=about,
        description=f"{about}; marks go to _build/marks.csv, feedback to "
        "assignments/feedback. The exit status is 0 when each submission was graded, "
        "or refused for a reason that the table says, and 1 when grading one failed.",
    )
    parser.add_argument("assignment", help="its name")
    parser.set_defaults(func=_grade)


def _build(args: argparse.Namespace) -> int:
    from chula_rl.grading import source
    from chula_rl.grading.course import Course

    course = Course.find()
    for name in args.name or course.names():
        print(f"built {source.build(course, name)}")
    return 0


def _release(args: argparse.Namespace) -> int:
    from chula_rl.grading.course import Course
    from chula_rl.grading.release import release

    course = Course.find()
    for name in args.name or course.names():
        archive = release(course, name)
        print(f"released {course.released(name)} and {archive}: no leak found")
    return 0


def _check(args: argparse.Namespace) -> int:
    from chula_rl.grading.course import Course
    from chula_rl.grading.release import check

    course = Course.find()
    for name in args.name or course.names():
        check(course, name)
        print(f"{course.released(name)}: no leak found")
    return 0


def _sample_class(args: argparse.Namespace) -> int:
    from chula_rl.grading.course import Course
    from chula_rl.grading.sample import make_sample_class

    for student in make_sample_class(Course.find()):
        print(f"handed in: {student}")
    return 0


def _grade(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from chula_rl.grading.course import Course
    from chula_rl.grading.grade import grade, students, table, write_csv

    course = Course.find()
    who = students(course, args.assignment)
    marks = []
    with tqdm(total=len(who), unit="submission", desc=args.assignment) as progress:
        for mark in grade(course, args.assignment, who):
            marks.append(mark)
            total = sum(mark.points.values())
            progress.write(f"{mark.student}: {mark.status} {mark.reason or total}")
            progress.update()
    path = course.build / "marks.csv"
    write_csv(marks, path)
    print(f"\n{table(marks)}\n\nThe marks: {path}")
    return int(any(mark.status == "failed" for mark in marks))
