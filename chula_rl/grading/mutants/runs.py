"""Runs mutants, each in a process of its own, and keeps what became of them."""

import contextlib
import json
import multiprocessing
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from chula_rl.grading import pool
from chula_rl.grading.mutants.make import Mutant
from chula_rl.grading.mutants.trial import KILLED, Exercise, Verdict, judge

_MEMORY = 4_000_000_000  # bytes
_CONTEXT = multiprocessing.get_context("forkserver")


class Results:
    """The verdicts so far, in a file with a JSON object on each line.

    Args:
        path: the file; it may be missing, or end in half a line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[str, Verdict] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        for line in path.read_text("utf-8").split("\n"):
            with contextlib.suppress(ValueError):  # of an interrupted run
                entry = json.loads(line)
                key = entry.pop("key")
                self._found[key] = Verdict(**entry)

    def get(self, key: str) -> Verdict | None:
        """The verdict on a mutant, if there is one."""
        return self._found.get(key)

    def add(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        self._found[key] = verdict
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": key, **verdict._asdict()}))


def run(
    exercise: Exercise, mutants: Sequence[Mutant], jobs: int, seconds: float
) -> Iterator[tuple[Mutant, Verdict]]:
    """Try mutants, some at a time, the first to be ready first.

    Args:
        exercise: the function and its tests.
        mutants: what to try.
        jobs: how many at a time.
        seconds: what each may take; one that takes longer is killed.
    """
    pool.begin()
    waiting = list(reversed(mutants))
    running: dict[Connection, tuple[Mutant, Any, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                end, process = _start(exercise, mutant.source, seconds)
                running[end] = mutant, process, time.monotonic() + seconds
            ready = wait(list(running), timeout=0.2)
            for end, (mutant, process, deadline) in list(running.items()):
                if end in ready or time.monotonic() > deadline:
                    del running[end]
                    yield mutant, _end(end, process, end in ready)
    finally:
        for end, (_, process, _) in running.items():
            _end(end, process, False)


def _start(exercise: Exercise, source: str, seconds: float) -> tuple[Connection, Any]:
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=(theirs, exercise, source, seconds))
    process.start()
    theirs.close()
    return ours, process


def _end(end: Connection, process: Any, ready: bool) -> Verdict:
    try:
        return end.recv() if ready else Verdict(KILLED, "it takes too long.")
    except EOFError:
        return Verdict(KILLED, "it ends the process.")
    finally:
        process.kill()
        process.join()
        end.close()


def _work(end: Connection, exercise: Exercise, source: str, seconds: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    cpu_seconds = int(seconds) + 2  # for what outlives a killed parent
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    torch.set_num_threads(1)
    verdict = judge(exercise, source)
    with contextlib.suppress(BrokenPipeError):  # the parent was killed
        end.send(verdict)
