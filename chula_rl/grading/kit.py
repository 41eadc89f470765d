"""The commands ``chula-rl assignments similarity`` and ``marks``.

nbgrader takes a second to import, so each command imports what it needs.
"""

import argparse
from pathlib import Path
from typing import Any


def add_parsers(actions: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to ``chula-rl assignments``."""
    _add_similarity(actions)
    _add_marks(actions)


def _add_similarity(actions: "argparse._SubParsersAction[Any]") -> None:
    about = "find submissions that are alike"
    parser = actions.add_parser(
        "similarity",
        help=about,
        description=f"{about}: a table of pairs, and a page with their common passages "
        "side by side, _build/similarity/ASSIGNMENT.html. Only the text of solutions "
        "and written answers counts, without what was released and without what many "
        "have. It proves nothing: read the passages, and talk with the students.",
    )
    parser.add_argument("assignment", help="its name")
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.2,
        metavar="F",
        help="the part of a text, from 0 to 1, that has to be in the other one as well "
        "(default: 0.2)",
    )
    parser.add_argument(
        "--top", type=int, default=20, metavar="N", help="pairs at most (default: 20)"
    )
    parser.set_defaults(func=_similarity)


def _similarity(args: argparse.Namespace) -> int:
    from chula_rl.grading.similarity_command import run

    return run(args)


def _add_marks(actions: "argparse._SubParsersAction[Any]") -> None:
    about = "write the marks as a file, for Canvas and Moodle too"
    parser = actions.add_parser(
        "marks",
        help=about,
        description=f"{about}. Who is in one list and not in the other is named. A "
        "submission in which an answer waits for a person has no mark. The exit status "
        "is 0 when everybody has one, 3 when some need a look.",
    )
    parser.add_argument("assignment", help="its name")
    parser.add_argument(
        "--format",
        choices=("csv", "canvas", "moodle"),
        default="csv",
        help="a table of all exercises, or what Canvas or Moodle imports "
        "(default: csv)",
    )
    parser.add_argument(
        "--roster",
        type=Path,
        metavar="FILE",
        help="the gradebook as Canvas or Moodle exports it",
    )
    parser.add_argument(
        "--match",
        metavar="COLUMN",
        help="of the roster, with the names of the folders in assignments/submitted "
        "(default: the one in which most are found, of Canvas's SIS Login ID first)",
    )
    parser.add_argument(
        "--column",
        metavar="TITLE",
        help="of the assignment in Canvas (default: its name here)",
    )
    parser.add_argument(
        "--partial",
        action="store_true",
        help="also give marks of submissions in which an answer waits for a person",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="(default: _build/marks/ASSIGNMENT-FORMAT.csv)",
    )
    parser.set_defaults(func=_marks)


def _marks(args: argparse.Namespace) -> int:
    from chula_rl.grading.marks_command import run

    return run(args)
