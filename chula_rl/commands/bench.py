"""The command ``chula-rl bench``: measure speed."""

import argparse
from typing import Any


def add_parser(
    commands: "argparse._SubParsersAction[Any]",
) -> "argparse._SubParsersAction[Any] | None":
    """Add the command to the command line; give what its own commands are added to.

    The student edition has no benchmarks: None.
    """
    try:
        from chula_rl.benchmarks.commands import add_parsers
    except ModuleNotFoundError:
        return None
    about = "measure speed"
    bench = commands.add_parser("bench", help=about, description=about)
    benches: argparse._SubParsersAction[Any]
    benches = bench.add_subparsers(required=True, metavar="WHAT")
    _add_env(benches)
    add_parsers(benches)
    return benches


def _add_env(benches: "argparse._SubParsersAction[Any]") -> None:
    about = "steps a second of the environments, ours beside Gymnasium's copies of one"
    parser = benches.add_parser("env", help=about, description=about)
    parser.set_defaults(func=_env)
    parser.add_argument(
        "--copies", type=int, nargs="+", default=[16, 256, 4096], help="at once"
    )
    parser.add_argument("--repetitions", type=int, default=5, help="(default: 5)")


def _env(args: argparse.Namespace) -> int:
    from chula_rl import benchmarks

    for line in benchmarks.env_speed_table(args.copies, args.repetitions):
        print(line, flush=True)
    return 0
