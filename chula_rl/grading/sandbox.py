"""The sandbox on the host's side: bubblewrap, and a process in it for each submission.

Nothing of the host is in it but the interpreter, its packages and the student edition,
all read-only. See the instructor's part of the book for what is promised.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chula_rl.errors import SandboxError
from chula_rl.grading import bubblewrap
from chula_rl.grading.edition import write_student_edition
from chula_rl.grading.limits import Limits
from chula_rl.grading.scratch import Scratch

_END_SECONDS = 5
START_SECONDS = 120  # to import torch on a slow disk
_FIRST_USER = 61_184  # of the users that systemd gives to services for a while
_USERS = 4_000
_UNSAFE = [sys.executable, *bubblewrap.PROGRAM]


@dataclass
class Ended:
    """How the process of a submission ended.

    Attributes:
        why: ``exit``, ``hung up`` (by the referee), ``wall``, ``cpu``, ``memory``,
            ``processes``, or ``failed`` if there was no process.
        code: its exit code, negative for a signal.
        cpu_seconds: of all its processes.
        memory: bytes, at most.
        error: what failed.
    """

    why: str
    code: int = 0
    cpu_seconds: float = 0.0
    memory: int = 0
    error: str = ""


class Cell:
    """The process of one submission.

    Attributes:
        talk: the connection to it.
    """

    def __init__(self, talk: socket.socket, status: socket.socket) -> None:
        self.talk, self._status = talk, status
        self._ended: Ended | None = None

    def end(self) -> Ended:
        """End it, if it has not ended, with all that it started."""
        if self._ended is None:
            self.talk.close()  # so that it ends by itself, if it will
            with contextlib.suppress(OSError):
                self._status.shutdown(socket.SHUT_WR)
            self._ended = self._report()
            self._status.close()
        return self._ended

    def _report(self) -> Ended:
        parts = []
        with contextlib.suppress(OSError):
            self._status.settimeout(30)
            while part := self._status.recv(65_536):
                parts.append(part)
        if not parts:
            return Ended("failed", error="the sandbox ended without a report")
        report: dict[str, Any] = json.loads(b"".join(parts))
        return Ended(report.pop("ended"), **report)


class Sandbox:
    """A sandbox whose first process has torch imported and forks in milliseconds.

    Args:
        jailed: False runs students' code with the rights of the grader.
        as_root: whether the host's root starts it, with a user of its own for the
            students; None to find out.
    """

    def __init__(self, jailed: bool = True, as_root: bool | None = None) -> None:
        as_root = os.geteuid() == 0 if as_root is None else as_root
        self._jailed = jailed
        self._user = _FIRST_USER + os.getpid() % _USERS if jailed and as_root else None
        if self._user is not None:
            bubblewrap.check_readable(Path(sysconfig.get_path("purelib")))
        self._folder = Scratch()
        self._lock = threading.Lock()
        folder = self._folder.path
        folder.chmod(0o755)
        write_student_edition(folder)
        shutil.copytree(
            Path(__file__).with_name("inside"),
            folder / "inside",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        _readable(folder)
        self._control, theirs = socket.socketpair()
        with theirs:
            command = bubblewrap.command(folder, as_root) if jailed else _UNSAFE
            self._process = self._start(command, folder, theirs)
        self._wait_until_ready()

    def __enter__(self) -> Self:
        """The sandbox; leaving ends all that runs in it."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, with all that runs in it."""
        self._control.close()  # at which its first process ends, and all with it
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._folder.close()

    def start(self, limits: Limits) -> Cell:
        """A fresh process for one submission; ``end`` it before the next one.

        Raises:
            SandboxError: there is none to be had.
        """
        talk, theirs = socket.socketpair()
        status, report = socket.socketpair()
        message = {"limits": limits.to_dict(), "user": self._user}
        message["jailed"] = self._jailed
        with self._lock, theirs, report:
            try:
                fds = [theirs.fileno(), report.fileno()]
                socket.send_fds(self._control, [json.dumps(message).encode()], fds)
            except OSError as error:
                raise SandboxError("the sandbox has ended") from error
        cell = Cell(talk, status)
        talk.settimeout(START_SECONDS)
        with contextlib.suppress(OSError):
            if talk.recv(5, socket.MSG_WAITALL) == b"ready":
                return cell
        ended = cell.end()
        raise SandboxError(f"no process in the sandbox: {ended.error or ended}")

    def _start(
        self, command: list[str], folder: Path, theirs: socket.socket
    ) -> "subprocess.Popen[bytes]":
        unsafe = {**os.environ, **bubblewrap.ENVIRONMENT, "PYTHONPATH": str(folder)}
        return subprocess.Popen(
            [*command, str(theirs.fileno())],
            cwd=folder,
            env=None if self._jailed else unsafe,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )

    def _wait_until_ready(self) -> None:
        self._control.settimeout(START_SECONDS)
        with contextlib.suppress(OSError):
            if self._control.recv(5, socket.MSG_WAITALL) == b"ready":
                self._control.settimeout(None)
                return
        self._process.kill()
        _, text = self._process.communicate()
        self.close()
        raise SandboxError(f"no sandbox: {text.decode(errors='replace').strip()}")


def _readable(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
