"""Many runs, one after another or several at once: the same results either way."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from multiprocessing.synchronize import Event
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import torch

from chula_rl.errors import ChulaRLError, ConfigError
from chula_rl.logs import EVALUATIONS, read_evaluations
from chula_rl.runs import Run
from chula_rl.session import train_run

# What is told in one line; anything else is a defect of the program and is raised.
# NotImplementedError is what a student has not written yet.
USER_ERRORS = (ChulaRLError, gym.error.Error, OSError, NotImplementedError)
_POLL_SECONDS = 0.2  # between questions whether to stop
_stop: Event | None = None  # in a worker process: set when it is to save and stop


class Outcome(NamedTuple):
    """What became of a run.

    Attributes:
        run: the run.
        finished: whether it came to its end; if not and without error, it was stopped.
        steps: environment steps of which the checkpoint holds the result.
        mean_return: of the last evaluation; nan before the first one.
        std_return: over the episodes of that evaluation.
        error: what went wrong, in one line; None for nothing.
    """

    run: Run
    finished: bool
    steps: int
    mean_return: float
    std_return: float
    error: str | None = None

    @classmethod
    def read(cls, run: Run) -> "Outcome":
        """From the folder of a run."""
        mean, std = np.nan, np.nan
        if (run.path / EVALUATIONS).stat().st_size:
            columns = read_evaluations(run.path)
            mean, std = (columns[name][-1] for name in ("mean_return", "std_return"))
        return cls(run, run.finished(), run.saved_steps(), float(mean), float(std))

    @classmethod
    def failed(cls, run: Run, error: BaseException) -> "Outcome":
        """A run that an error ended."""
        told = str(error) or type(error).__name__
        return cls(run, False, 0, np.nan, np.nan, told)


def train_runs(
    runs: Sequence[Run],
    executor: Executor | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Outcome]:
    """Train runs to their ends; those whose folders exist go on from there.

    A finished run is not touched. One run's failure does not keep the others from
    their end. Each run uses one torch thread, so that neither the executor nor the
    other runs change a bit of its result.

    Args:
        runs: with one folder each.
        executor: where to train, for instance ``WorkerPool(4)`` or a cluster's; None
            for this process, one run after another.
        stop: asked a few times a second, here after each update: once it is true,
            nothing new is started. A ``WorkerPool`` saves and stops what is running;
            with other executors those runs go on to their end.

    Yields:
        The outcome of each run, in the order in which they end; nothing of runs that
        were not started.

    Raises:
        ConfigError: two runs have one folder.
    """
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise ConfigError(
            f"{len(runs)} runs share folders: {[str(run.path) for run in runs]}; "
            "expected a folder for each."
        )
    if executor is None:
        for run in runs:
            if stop():
                return
            yield _train(run, stop)
    else:
        yield from _train_in(executor, runs, stop)


def _train_in(
    executor: Executor, runs: Sequence[Run], stop: Callable[[], bool]
) -> Iterator[Outcome]:
    with _interrupts_held():  # workers start here, and inherit that
        futures = {executor.submit(_train_in_worker, run): run for run in runs}
    waiting = set(futures)
    try:
        while waiting:
            done, waiting = wait(waiting, _POLL_SECONDS, FIRST_COMPLETED)
            for future in sorted(done, key=list(futures).index):
                with contextlib.suppress(CancelledError):
                    yield _outcome(future, futures[future])
            if stop():
                _stop_all(executor, waiting)
    finally:  # also when nobody asks for the rest
        _stop_all(executor, waiting)


def _outcome(future: Future[Outcome], run: Run) -> Outcome:
    try:
        return future.result()
    except BrokenExecutor as error:
        told = RuntimeError(f"its process died, perhaps for lack of memory ({error})")
        return Outcome.failed(run, told)


def _stop_all(executor: Executor, futures: set[Future[Outcome]]) -> None:
    for future in futures:
        future.cancel()
    if futures and isinstance(executor, WorkerPool):
        executor.stop()


class WorkerPool(ProcessPoolExecutor):
    """Processes that can be asked to save their runs and stop.

    Args:
        jobs: how many processes.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ConfigError(f"jobs is {jobs}; expected at least 1.")
        # not fork: torch's threads do not survive it
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        super().__init__(jobs, context, _start_worker, (self._stop,))

    def stop(self) -> None:
        """Have the workers save after the present update, and start nothing more."""
        self._stop.set()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal, but the parent decides for all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield  # Windows; there a worker is deaf only once it has started
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(stop: Event) -> None:
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no process behind when the parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _train_in_worker(run: Run) -> Outcome:
    def stop() -> bool:
        return _stop is not None and _stop.is_set()

    if stop():  # the pool had handed it out already
        raise CancelledError
    return _train(run, stop)


def _train(run: Run, stop: Callable[[], bool]) -> Outcome:
    try:
        if not run.finished():
            with _one_thread():
                train_run(run, run.start_or_restore(), stop=stop)
        return Outcome.read(run)
    except USER_ERRORS as error:
        return Outcome.failed(run, error)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Sums over several threads round otherwise than over one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
