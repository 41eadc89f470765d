"""The command ``chula-rl compare``."""

import argparse
import sys
from pathlib import Path
from typing import Any

_ABOUT = """Draw the learning curves of runs, and print how they compare.

Runs that differ in nothing but their seeds become one curve: the interquartile mean of
their evaluations, with a 95% bootstrap interval. The table tells how many seeds are
solved at the end, the environment steps at the first evaluation that counts as solved,
and the last point of the curve."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "compare",
        help="draw the learning curves of runs, and print how they compare",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(func=_compare)
    add = parser.add_argument
    add(
        "paths",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="a run folder, or a folder of run folders",
    )
    add(
        "--out",
        type=Path,
        default=Path("compare.png"),
        help="image; a dark one is put beside it (default: compare.png)",
    )
    add(
        "--labels",
        nargs="+",
        metavar="LABEL",
        help="one for each group, in the order of the table (default: the algorithm, "
        "and the settings in which its groups differ)",
    )


def _compare(args: argparse.Namespace) -> int:
    # imported here because they take part of a second
    from chula_rl import comparison, figures

    compared = comparison.compare(args.paths, args.labels)
    for path, why in compared.left_out.items():
        print(f"chula-rl: warning: {path} is left out: {why}", file=sys.stderr)
    curves = {group.label: group.curve for group in compared.groups}
    label = "mean evaluation return"
    figures.save_comparison(args.out, curves, compared.threshold, label)
    for line in comparison.table(compared):
        print(line)
    print(args.out)
    return 0
