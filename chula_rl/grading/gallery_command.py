"""The command ``chula-rl assignments gallery``."""

import argparse
from typing import Any


def add_parser(actions: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to ``chula-rl assignments``."""
    about = "give the cases of the bug gallery other letters"
    parser = actions.add_parser(
        "gallery",
        help=about,
        description=f"{about}, for a class of your own; with --record train its runs "
        "anew, from assignments/gallery.toml and the catalogue of mistakes: about "
        "half an hour. Writes chula_rl/data/gallery.safetensors, which students get, "
        "and chula_rl/grading/gallery_key.py, which they do not.",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the letters (default: 0)"
    )
    parser.add_argument("--record", action="store_true", help="train the runs anew")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="at a time (default: one for each core)"
    )
    parser.set_defaults(func=_run)


def _run(args: argparse.Namespace) -> int:
    from chula_rl.grading import gallery_files
    from chula_rl.grading.course import Course

    course = Course.find()
    if args.record:
        key = gallery_files.remake(course, args.seed, args.jobs)
    else:
        key = gallery_files.reshuffle(course, args.seed)
    for letter, mistake in key.items():
        print(f"{letter}  {mistake}")
    return 0
