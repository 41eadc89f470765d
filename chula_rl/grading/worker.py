"""Grading one submission, anywhere: in a pool on this machine or on a cluster.

``grade`` is a pure function of its task. It runs in a process that imports torch and
starts its sandbox once, and grades one submission after the other.
"""

import contextlib
import functools
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from chula_rl.errors import ConfigError, SandboxError
from chula_rl.grading import records, referee
from chula_rl.grading.graft import graft
from chula_rl.grading.records import Outcome
from chula_rl.grading.sandbox import Sandbox
from chula_rl.grading.task import Task


def grade(task: Task) -> Outcome:
    """Grade one submission.

    Raises:
        SandboxError: there is no sandbox to be had; worth another try.
    """
    start = time.monotonic()
    trusted, names = _read(task.trusted)
    grafted = graft(task.submitted, trusted)
    with _lock:
        sandbox = _the_sandbox(task.jailed)
        try:
            with _memory_limit(task.limits.memory):
                verdict = referee.run(
                    grafted.notebook, names, sandbox, task.limits, task.seed
                )
        except SandboxError:
            close()  # the next try gets a fresh one
            raise
    status, reason = _status(verdict.ends)
    return Outcome(
        *task.key,
        status,
        reason,
        grafted.notes,
        tuple(verdict.results),
        verdict.outputs,
        json.dumps(grafted.notebook),
        task.seed,
        verdict.cpu_seconds,
        time.monotonic() - start,
    )


@functools.lru_cache(maxsize=2)  # the same assignment for everybody
def _read(trusted: str) -> tuple[NotebookNode, dict[str, set[str]]]:
    """A trusted notebook, and the names that students define in it."""
    notebook = nbformat.reads(trusted, as_version=4)  # type: ignore[no-untyped-call]
    return notebook, referee.defined_names(notebook)


@contextlib.contextmanager
def _memory_limit(size: int) -> Iterator[None]:
    """Let this process take so much more: a student may ask a lent function for a lot.

    Where there is no ``/proc`` to tell what it takes, there is no limit.
    """
    status = Path("/proc/self/statm")
    if not status.exists():
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    now = int(status.read_text("ascii").split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (now + size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def check(jailed: bool, environment: str) -> None:
    """Raise unless this process can grade, with the same code as the one that asks.

    Args:
        jailed: whether it needs a sandbox.
        environment: hash of the other's code and packages.

    Raises:
        ConfigError: this process has other code or packages.
        SandboxError: there is no sandbox to be had.
    """
    from chula_rl.grading import bubblewrap, grade

    if grade.environment() != environment:
        raise ConfigError(
            f"the worker on {socket.gethostname()} has another version of Python, of "
            "chula_rl or of its packages, and might give other marks. Install there "
            "what is installed here."
        )
    if jailed:
        bubblewrap.check()


def _status(ends: list[str]) -> tuple[str, str]:
    """Why processes ended, as the status of the submission and in words."""
    if "memory" in ends:
        return records.OUT_OF_MEMORY, "it used more memory than it may"
    if {"time", "wall", "cpu"} & set(ends):
        return records.TIMED_OUT, "some of it took longer than it may"
    return records.GRADED, ""


_lock = threading.RLock()
_sandboxes: dict[bool, Sandbox] = {}


def _the_sandbox(jailed: bool) -> Sandbox:
    """This process's sandbox, started when it is first needed or has ended."""
    with _lock:
        sandbox = _sandboxes.get(jailed)
        if sandbox is None or not sandbox.alive:
            if sandbox is not None:
                sandbox.close()
            sandbox = _sandboxes[jailed] = Sandbox(jailed)
            Finalize(None, close, exitpriority=0)  # a pool's worker heeds no atexit
        return sandbox


def close() -> None:
    """End this process's sandboxes."""
    while _sandboxes:
        _sandboxes.popitem()[1].close()
