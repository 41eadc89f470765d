"""Train, evaluate and watch the algorithms of the course; compare and time them."""

import argparse
import sys
from collections.abc import Sequence

import torch

from chula_rl._version import __version__
from chula_rl.commands import bench, compare, policy, train
from chula_rl.commands.interrupts import INTERRUPTED
from chula_rl.sweep import USER_ERRORS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    args = _parser().parse_args(argv)
    torch.set_num_threads(1)  # the networks are small, and results repeat exactly
    try:
        status: int = args.func(args)
    except USER_ERRORS as error:
        print(f"chula-rl: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nchula-rl: stopped", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chula-rl", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train.add_parser(commands)
    policy.add_parsers(commands)
    compare.add_parser(commands)
    benches = bench.add_parser(commands)
    if benches is None:  # the student edition has neither benchmarks nor grading
        return parser
    try:
        from chula_rl.grading.commands import add_parsers
    except ModuleNotFoundError:
        return parser
    add_parsers(commands, benches)
    return parser
