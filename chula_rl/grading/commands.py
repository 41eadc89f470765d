"""The commands ``chula-rl assignments`` and ``chula-rl grade``.

nbgrader takes a second to import, so each command imports what it needs.
"""

import argparse
from pathlib import Path
from typing import Any

from chula_rl.grading import collect_command, gallery_command, kit, variants_command


def add_parsers(
    subparsers: "argparse._SubParsersAction[Any]",
    benches: "argparse._SubParsersAction[Any]",
) -> None:
    """Add the grader's commands to the command line, and its benchmark to the rest."""
    _add_bench(benches)
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
    parser.add_argument("name", nargs="*", help="which assignments (default: all)")
    parser.set_defaults(func=_sample_class)
    collect_command.add_parser(actions)
    kit.add_parsers(actions)
    variants_command.add_parser(actions)
    _add_prove(actions)
    _add_mutants(actions)
    gallery_command.add_parser(actions)
    _add_grade(subparsers)


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

    for folder in make_sample_class(Course.find(), args.name):
        print(f"handed in: {folder}")
    return 0


def _add_prove(actions: "argparse._SubParsersAction[Any]") -> None:
    about = "mark the catalogue of solutions with many seeds of the hidden tests"
    parser = actions.add_parser(
        "prove",
        help=about,
        description=f"{about}: none that is right may be rejected, none that is wrong "
        "accepted or told another mistake. In this process: the catalogue is trusted. "
        "Takes minutes. The exit status is 1 if something went wrong.",
    )
    parser.add_argument("name", nargs="*", help="which assignments (default: all)")
    parser.add_argument(
        "--seeds",
        type=int,
        default=200,
        help="of each right solution; a wrong one gets a tenth of them (default: 200)",
    )
    parser.set_defaults(func=_prove)


def _prove(args: argparse.Namespace) -> int:
    from chula_rl.grading import proof
    from chula_rl.grading.contract import CONTRACT
    from chula_rl.grading.course import Course

    course, failed = Course.find(), False
    for name in args.name or [n for n in course.names() if n in CONTRACT]:
        table, problems = proof.run(course, name, args.seeds)
        print("\n".join(table), *problems, sep="\n")
        print(f"{name}: {len(problems)} times something went wrong")
        failed = failed or bool(problems)
    return int(failed)


def _add_mutants(actions: "argparse._SubParsersAction[Any]") -> None:
    about = "try the tests on solutions with one small mistake each"
    parser = actions.add_parser(
        "mutants",
        help=about,
        description=f"{about}, made by machine. What survives is in the report, "
        "_build/mutants/<assignment>.md; verdicts are kept beside it, so a run that "
        "was interrupted goes on. The exit status is 0 when at least 97%% are killed, "
        "else 1.",
    )
    parser.add_argument("name", nargs="*", help="which assignments (default: all)")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="at a time (default: one for each core)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="one report for all, and where"
    )
    parser.set_defaults(func=_mutants)


def _mutants(args: argparse.Namespace) -> int:
    from chula_rl.grading.mutants.command import run

    return run(args)


def _add_grade(subparsers: "argparse._SubParsersAction[Any]") -> None:
    about = "grade the submissions of an assignment"
    parser = subparsers.add_parser(
        "grade",
        help=about,
        description=f"{about}: students' code in a sandbox, tests outside of it. Marks "
        "go to nbgrader's gradebook and _build/marks.csv, feedback to "
        "assignments/feedback. What has been graded before is not graded again, so a "
        "run that was interrupted goes on. The exit status is 0 when all are graded, "
        "3 when some need a look (refused, out of time or memory), 1 when some could "
        "not be graded.",
    )
    parser.add_argument("assignment", help="its name")
    parser.add_argument(
        "--student",
        action="append",
        metavar="ID",
        help="grade this student only; may be given several times",
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="at a time (default: one for each core)"
    )
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="of a Dask scheduler: grade on its workers"
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="leave out what has been graded, unless submission, assignment or grader "
        "have changed (default); --no-resume grades all anew",
    )
    parser.add_argument(
        "--feedback",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write feedback pages (default)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be done"
    )
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run students' code with your rights: for classes that you trust",
    )
    parser.set_defaults(func=_grade)


def _grade(args: argparse.Namespace) -> int:
    if not args.cluster and not args.dry_run:
        from chula_rl.grading import pool

        pool.begin()  # while this process imports the rest
    from chula_rl.grading.grade_command import run

    return run(args)


def _add_bench(benches: "argparse._SubParsersAction[Any]") -> None:
    about = "submissions a second, ours beside stock nbgrader"
    parser = benches.add_parser("grading", help=about, description=about)
    parser.add_argument("--submissions", type=int, default=40, help="(default: 40)")
    parser.add_argument("--jobs", type=int, default=2, help="of ours (default: 2)")
    parser.set_defaults(func=_bench)


def _bench(args: argparse.Namespace) -> int:
    from chula_rl.grading.benchmark import grading_table

    for line in grading_table(args.submissions, args.jobs):
        print(line, flush=True)
    return 0
