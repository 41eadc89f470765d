"""The command ``chula-rl assignments collect``."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any


def add_parser(actions: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    about = "take in the zip archive of submissions that Moodle or Canvas gives"
    parser = actions.add_parser(
        "collect",
        help=about,
        description=f"{about}: each student's notebook goes to assignments/submitted, "
        "where `chula-rl grade` looks for it; a newer one replaces an older one. The "
        "exit status is 0, or 3 when some need a look (left out, or to be refused).",
    )
    parser.add_argument("archive", type=Path, metavar="ZIP", help="as downloaded")
    parser.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
    parser.add_argument(
        "--from",
        dest="platform",
        choices=("moodle", "canvas"),
        required=True,
        help="which platform named the files",
    )
    parser.add_argument(
        "--roster",
        type=Path,
        metavar="FILE",
        help="CSV that says who the platform's numbers are: columns id and student, or "
        "Moodle's grading worksheet or Canvas's exported gradebook as it is. Without "
        "it the number is the student's name in the course",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Collect, and say for each student what came of it."""
    from chula_rl.grading.collect import collect  # takes a second to import
    from chula_rl.grading.course import Course
    from chula_rl.grading.roster import Roster

    roster = Roster(args.roster) if args.roster else None
    number, problems = Counter[str](), 0
    for item in collect(
        Course.find(), args.assignment, args.archive, args.platform, roster
    ):
        said = "; ".join(filter(None, (item.status, item.note)))
        why = f": {item.problem}" * bool(item.problem)
        print(f"{item.student} ({item.person}): {said}{why}")
        number[item.status] += 1
        problems += bool(item.problem)
    print(", ".join(f"{count} {status}" for status, count in number.items()))
    return 3 if problems else 0
