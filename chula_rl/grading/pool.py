"""Many workers: a pool of processes on this machine, or a cluster of Dask.

What fails here is the machinery's fault, so it is tried again; whatever a submission
does ends inside ``worker.grade`` as its outcome, and never comes here.
"""

import contextlib
import functools
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.forkserver import ensure_running
from typing import TYPE_CHECKING

from chula_rl.errors import AssignmentError, ConfigError
from chula_rl.grading import scratch
from chula_rl.grading.records import Outcome
from chula_rl.grading.task import Task

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from distributed import Client

TRIES = 5  # a worker that dies costs all that it and the others had in hand one
_LOOK_SECONDS = 10
_WAITING = 2  # tasks in the queue for each worker, so that none is idle

Lost = Callable[[], bool]  # whether an executor will never answer again
MakeExecutor = Callable[[], contextlib.AbstractContextManager[tuple[Executor, Lost]]]


@dataclass(frozen=True)
class Failure:
    """A submission that the machinery could not grade, in as many tries as it gets.

    Attributes:
        task: what was to be graded.
        reason: of the last try.
    """

    task: Task
    reason: str


def run(
    tasks: Iterable[Task], make: MakeExecutor, workers: int
) -> Iterator[Outcome | Failure]:
    """Grade tasks, the first to be ready first.

    At no time more tasks are in memory than the workers need.

    Args:
        tasks: what to grade; read as workers become free.
        make: makes the executor, and another one where one has broken.
        workers: how many tasks it grades at a time.

    Yields:
        An outcome or a failure for each task.

    Raises:
        AssignmentError: a cluster is lost.
    """
    queue = iter(tasks)
    again: list[tuple[Task, int]] = []  # with the tries that each has had
    while True:
        with make() as (executor, lost):
            broken = yield from _drain(executor, lost, queue, again, workers)
        if not broken:
            return


def _drain(
    executor: Executor,
    lost: Lost,
    queue: Iterator[Task],
    again: list[tuple[Task, int]],
    workers: int,
) -> Generator[Outcome | Failure, None, bool]:
    """Grade on one executor until nothing is left or it breaks; whether it broke."""
    running: dict[Future[Outcome], tuple[Task, int]] = {}
    broken = False
    while True:
        while not broken and len(running) < _WAITING * workers:
            task, tries = again.pop() if again else (next(queue, None), 0)
            if task is None:
                break
            try:
                running[executor.submit(_grade, task)] = task, tries + 1
            except RuntimeError:  # it takes no more
                again.append((task, tries))
                broken = True
        if not running:
            return broken or bool(again)
        done, _ = wait(running, _LOOK_SECONDS, FIRST_COMPLETED)
        if not done and lost():
            raise AssignmentError(
                "the connection to the Dask scheduler is lost. All that was graded is "
                "kept: start the cluster anew, and run the same command again."
            )
        for future in done:
            task, tries = running.pop(future)
            try:
                yield future.result()
            except Exception as error:
                broken = broken or isinstance(error, BrokenProcessPool)
                if tries < TRIES:
                    again.append((task, tries))
                else:
                    yield Failure(task, f"{type(error).__name__}: {error}")


def local(jobs: int) -> MakeExecutor:
    """A pool of processes on this machine; leaving it ends them, whatever they do.

    Where there is a core for each of them, each stays on its own, and so does what it
    starts: a worker and its student wait for each other all the time, which takes half
    as long on one core, and a student cannot slow down another worker.

    Args:
        jobs: how many.

    Raises:
        ConfigError: less than one.
    """
    if jobs < 1:
        raise ConfigError(f"jobs is {jobs}; expected at least 1.")

    @contextlib.contextmanager
    def make() -> Iterator[tuple[Executor, Lost]]:
        begin()
        context = multiprocessing.get_context("forkserver")
        before = set(multiprocessing.active_children())
        count = context.Value("i", 0)
        pool = ProcessPoolExecutor(
            jobs, context, initializer=_prepare, initargs=(count, jobs)
        )
        try:
            yield pool, lambda: False
        except BaseException:
            for process in set(multiprocessing.active_children()) - before:
                process.kill()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
            scratch.sweep()  # of workers that were killed

    return make


def cluster(address: str, check: Callable[[], None]) -> tuple[MakeExecutor, int]:
    """The workers of a Dask cluster.

    Args:
        address: of its scheduler, such as ``tcp://10.0.0.1:8786``.
        check: raises in a worker that cannot grade; what it raises comes here.

    Returns:
        What makes the executor, and the number of workers' threads.

    Raises:
        ConfigError: ``distributed`` is not installed, or nobody answers there.
    """
    with _client(address) as client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise ConfigError(f"the Dask scheduler at {address} has no workers yet.")
        client.run(check)

    @contextlib.contextmanager
    def make() -> Iterator[tuple[Executor, Lost]]:
        with _client(address) as client:  # what it still waits for ends with it
            yield client.get_executor(pure=False), lambda: client.status == "closed"

    return make, threads


def _client(address: str) -> "Client":
    """A connection to a Dask cluster.

    Raises:
        ConfigError: ``distributed`` is not installed, or nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "--cluster needs the package distributed, which is not installed: "
            "pip install distributed."
        ) from error
    try:
        return Client(address, timeout="20s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # the last: no certificates
        raise ConfigError(
            f"no Dask scheduler answers at {address}: {error}. Expected the address "
            "that `dask scheduler` prints, such as tcp://10.0.0.1:8786, and for tls:// "
            "certificates in Dask's settings."
        ) from error


@functools.cache
def begin() -> None:
    """Start the process that ``local`` forks workers from: it takes seconds by itself.

    The socket of multiprocessing gets into a folder that outlives no SIGKILL.
    """
    folder = scratch.Scratch()
    before, tempfile.tempdir = tempfile.tempdir, str(folder.path)
    try:
        multiprocessing.util.get_temp_dir()
    finally:
        tempfile.tempdir = before
    multiprocessing.util.Finalize(None, folder.close, exitpriority=-200)  # the last
    multiprocessing.set_forkserver_preload([f"{__package__}.preload"])  # torch, once
    ensure_running()


def _grade(task: Task) -> Outcome:
    from chula_rl.grading.worker import grade  # torch: not in the parent

    return grade(task)


def _prepare(count: "Synchronized[int]", jobs: int) -> None:
    """In each worker: Ctrl-C is the parent's, and nobody outlives the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with count.get_lock():
        number = count.value
        count.value += 1
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if jobs <= len(cores):
        os.sched_setaffinity(0, cores[number % jobs : number % jobs + 1])
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait_for_end([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)  # the sandbox ends with this process

    threading.Thread(target=end_with_parent, daemon=True).start()
