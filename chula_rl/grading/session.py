"""The referee's connection to one submission, through the ends of its processes."""

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from chula_rl.errors import SandboxError, StoppedError
from chula_rl.grading.inside.endpoint import Endpoint
from chula_rl.grading.inside.remote import Remote
from chula_rl.grading.inside.wire import Values
from chula_rl.grading.limits import Limits
from chula_rl.grading.sandbox import Cell, Ended, Sandbox

LENT_SIZE = 500_000  # bytes of the arguments of a function that the referee lends
_RUN = {"service": "run"}
_MEGABYTE = 1_000_000


class _LostError(Exception):
    """The connection is no more; a class of its own, for the other side can name any.

    Args:
        why: ``time``, or empty if the other side hung up.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Line:
    """A connection on which all waits together end at the session's deadline.

    The other side may send one byte at a time, or one question after the other.
    """

    def __init__(self, session: "Session", sock: socket.socket) -> None:
        self._session, self._sock = session, sock

    def sendall(self, data: bytes) -> None:
        """As that of a socket."""
        self._within_time(self._sock.sendall, data)

    def recv_into(self, buffer: memoryview) -> int:
        """As that of a socket, but for its end."""
        count: int = self._within_time(self._sock.recv_into, buffer)
        if count == 0:
            raise _LostError("")
        return count

    def _within_time(self, act: Callable[..., Any], data: Any) -> Any:
        left = self._session.deadline - time.monotonic()
        if left <= 0:
            raise _LostError("time")
        try:
            self._sock.settimeout(left)
            return act(data)
        except TimeoutError:
            raise _LostError("time") from None
        except OSError:
            raise _LostError("") from None


class _Wire(Endpoint):
    """The referee's end: a wait has an end, and whatever goes wrong stops the other."""

    def __init__(self, session: "Session", cell: Cell, limit: int) -> None:
        line: Any = _Line(session, cell.talk)
        super().__init__(line, limit, self._exported, callable, True, LENT_SIZE)
        self._session = session
        self.stopped: StoppedError | None = None

    def request(
        self, message: dict[str, Any], values: Values
    ) -> tuple[dict[str, Any], list[Tensor]]:
        """As the base class, within the time that is left.

        Raises:
            StoppedError: the submission's process has stopped.
        """
        if self.stopped is None:
            try:
                return super().request(message, values)
            except _LostError as error:  # within a call of the other side, for both
                self.stopped = self.stopped or self._session.stop(error.why)
        raise self.stopped

    def _exported(self, target: dict[str, Any]) -> Callable[..., Any]:
        """What the referee has lent for this call, and nothing else."""
        found: Callable[..., Any] = self.exported[target["export"]]
        return found


class Session:
    """Runs the cells of one submission, and goes on where one of them ends the process.

    After such an end the cells so far are run again in a fresh process, without the one
    that was guilty, so that a mistake costs its own points only.

    Args:
        sandbox: where the processes come from.
        limits: of all of them together.

    Attributes:
        deadline: of the cell that runs, by ``time.monotonic``.
        cpu_seconds: used so far, known when a process has ended.
        ends: why processes ended before their time.
        failed: what went wrong with the sandbox itself; empty if nothing did.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox, self._limits = sandbox, limits
        self._start = time.monotonic()
        self._ran: list[str] = []
        self._cell: Cell | None = None
        self._wire: _Wire | None = None
        self.deadline = 0.0
        self.cpu_seconds = 0.0
        self.ends: list[str] = []
        self.failed = ""

    def begin_cell(self) -> None:
        """Give the next cell its time, and a process if the last one has stopped.

        Raises:
            SandboxError: there is no process to be had.
            StoppedError: nothing is left of the submission's time or fresh starts.
        """
        self.deadline = time.monotonic() + self._limits.cell_seconds
        if self._wire is not None and self._wire.stopped is None:
            return
        left = self._left()
        self._cell = self._sandbox.start(left)
        self._wire = _Wire(self, self._cell, self._limits.message_size)
        for code in self._ran:
            self._run(code)
        self.deadline = time.monotonic() + self._limits.cell_seconds

    def run(self, code: str) -> Any:
        """Run a cell of the student's; give what it showed, unchecked.

        Raises:
            StoppedError: it stopped the process.
        """
        self.begin_cell()
        shown, error = self._run(code)
        self._ran.append(code)
        if error is not None:
            raise error
        return shown

    def _run(self, code: str) -> tuple[Any, Exception | None]:
        """What a cell showed, or why that cannot be sent: it has run all the same."""
        try:
            return Remote(self.wire, _RUN)(code), None
        except StoppedError:
            raise
        except Exception as error:
            return None, error

    @property
    def wire(self) -> Endpoint:
        """The connection to the process of this moment."""
        if self._wire is None:
            raise SandboxError("no cell has begun")
        return self._wire

    def function(self, name: str) -> Remote:
        """A student's function or class, whether it is there or not."""
        return Remote(self.wire, {"name": name})

    def stop(self, why: str) -> StoppedError:
        """End the process; say why in words for the student."""
        assert self._cell is not None
        ended = self._cell.end()
        self.cpu_seconds += ended.cpu_seconds
        if ended.why == "failed":
            self.failed = ended.error
        self.ends.append(why or ended.why)
        return StoppedError(self._reason(why, ended))

    def close(self) -> None:
        """End the process, if there is one."""
        if self._cell is not None and (self._wire is None or not self._wire.stopped):
            self.cpu_seconds += self._cell.end().cpu_seconds

    def _left(self) -> Limits:
        """The limits of the next process."""
        wall = self._limits.wall_seconds - (time.monotonic() - self._start)
        cpu = self._limits.cpu_seconds - self.cpu_seconds
        if min(wall, cpu) <= 0 or len(self.ends) > self._limits.restarts:
            raise StoppedError(
                "not run: the rest of the notebook has used up the submission's time."
            )
        return replace(self._limits, wall_seconds=wall, cpu_seconds=cpu)

    def _reason(self, why: str, ended: Ended) -> str:
        limits = self._limits
        if why == "time":
            return f"it takes longer than {limits.cell_seconds:g} seconds."
        if ended.why == "wall":
            return f"the notebook takes longer than {limits.wall_seconds:g} seconds."
        if ended.why == "cpu":
            return f"it takes more than {limits.cpu_seconds:g} seconds of a processor."
        if ended.why == "memory":
            return f"it takes more than {limits.memory // _MEGABYTE:,} MB of memory."
        if ended.why == "processes":
            return f"it has more than {limits.processes} processes at a time."
        if ended.why == "exit" and ended.code >= 0:
            return "it ends the process: leave out exit(), quit() and the like."
        return f"it makes Python crash ({ended.why}, code {ended.code})."
