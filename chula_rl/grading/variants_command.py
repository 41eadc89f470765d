"""The command ``chula-rl assignments variants``."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chula_rl.grading.course import Course


def add_parser(actions: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    about = "show what a seed gives: the constants and the written questions"
    parser = actions.add_parser(
        "variants",
        help=about,
        description=f"{about}. Set the seed that you like in assignments/grading.toml, "
        "as seed = 2027 below [variant], before you release. Nothing is built or "
        "changed by this command.",
    )
    parser.add_argument("name", nargs="*", help="which assignments (default: all)")
    parser.add_argument(
        "--seed",
        type=_seed,
        nargs="+",
        metavar="N",
        help="which seeds (default: the one of assignments/grading.toml)",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print a table for each assignment and seed."""
    from chula_rl.grading import variants  # not needed for the help
    from chula_rl.grading.course import Course

    course = Course.find()
    for seed in args.seed or [variants.read_seed(course.settings)]:
        for name in args.name or course.names():
            print("\n".join(_lines(course, name, seed)))
    return 0


def _lines(course: "Course", name: str, seed: int | None) -> Iterator[str]:
    from chula_rl.grading import questions, source

    choice = source.offered(course, name).choose(name, seed)
    source.notebook(course, name, choice)  # complains of what is not sound
    own = questions.titles(source.marking_guide(course, name, choice))
    offered = source.offered(course, name).questions
    yield f"{name}, {'the default' if seed is None else f'seed {seed}'}"
    for key, value in choice.constants.items():
        yield f"  {key:20}{_shown(value)}"
    for cell, question in choice.questions.items():
        part = offered[cell][0].part
        mark = "the text's own" if question is None else "another"
        yield f"  {cell:20}{part}: {own.get(part, '')} ({mark})"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    return str(value)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}'; expected a whole number from 0 up")
    return int(text)
