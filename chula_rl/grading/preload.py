"""Imported once by the process that a pool forks its workers from."""

import os

from chula_rl.grading import worker
from chula_rl.grading.inside.warm import warm_up

__all__ = ["worker"]

os.environ["MPLBACKEND"] = "agg"  # no window, wherever the grader runs
warm_up()
