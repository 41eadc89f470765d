"""Imported once by the process that a pool forks its workers from."""

import gc

import matplotlib as mpl

from chula_rl.grading import worker
from chula_rl.grading.inside.warm import warm_up

__all__ = ["worker"]

mpl.use("agg")  # no window, wherever the grader runs
warm_up()
gc.collect()
gc.freeze()  # nothing of this is ever freed, so no worker has to look through it
