"""The sandbox on the host's side: bubblewrap, and a process in it for each submission.

Nothing of the host is in it but the interpreter, its packages and the student edition,
all read-only. See the instructor's part of the book for what is promised.
"""

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chula_rl.errors import SandboxError
from chula_rl.grading.edition import PACKAGE, write_student_edition
from chula_rl.grading.limits import Limits
from chula_rl.grading.scratch import Scratch

_VENV = "/venv"
_END_SECONDS = 5
START_SECONDS = 120  # to import torch on a slow disk
_FIRST_USER = 61_184  # of the users that systemd gives to services for a while
_USERS = 4_000
_INSTALL = (
    "Install it (Debian, Ubuntu: sudo apt-get install bubblewrap; Fedora: sudo dnf "
    "install bubblewrap), or grade in a Linux virtual machine or container that has "
    "it. For a class that you trust as you trust yourself there is "
    "--unsafe-no-sandbox."
)


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
            _check_readable(Path(sysconfig.get_path("purelib")))
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
            command = _command(folder, as_root) if jailed else _unsafe_command()
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
        """A fresh process for one submission; ``end`` it.

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
        unsafe = {**os.environ, **_environment(), "PYTHONPATH": str(folder)}
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


def check() -> None:
    """Try whether bubblewrap can make a sandbox here, in a moment and without torch.

    Raises:
        SandboxError: it cannot; says what to install.
    """
    command = _command(Path(__file__).parent, os.geteuid() == 0)[:-2]
    tried = subprocess.run(
        [*command, "-S", "-c", "0"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if tried.returncode != 0:
        raise SandboxError(
            f"bubblewrap makes no sandbox here: {tried.stderr.strip()}. Expected a "
            "system on which you may make user namespaces (docker run --security-opt "
            "seccomp=unconfined; sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
            ". Grade where that is so. For a class that you trust as you trust "
            "yourself there is --unsafe-no-sandbox."
        )


def _command(folder: Path, as_root: bool) -> list[str]:
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(f"bubblewrap (bwrap) is not installed. {_INSTALL}")
    keep = ["--unshare-user", "--cap-add", "ALL"]
    command = [program, *(["--cap-add", "ALL"] if as_root else keep)]
    for kind in ("pid", "ipc", "uts", "net"):
        command.append(f"--unshare-{kind}")
    command += ["--die-with-parent", "--new-session", "--clearenv"]
    command += ["--hostname", "sandbox"]
    for path in _system():
        command += path
    for name, value in _environment().items():
        command += ["--setenv", name, value]
    command += ["--ro-bind", str(folder), "/grader", "--proc", "/proc", "--dev", "/dev"]
    command += ["--tmpfs", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*command, "--chdir", "/", _python(), "-m", "inside.zygote"]


def _check_readable(path: Path) -> None:
    """The interpreter's packages have to be there for the students' user as well.

    Raises:
        SandboxError: they are not.
    """
    if not path.stat().st_mode & stat.S_IROTH:
        raise SandboxError(
            f"{path} is for its owner only; expected that others may read it, since "
            "students' code runs as a user of its own where root grades. Say chmod -R "
            f"o+rX {path.parents[2]}, or grade as an ordinary user."
        )


def _unsafe_command() -> list[str]:
    return [sys.executable, "-m", "inside.zygote"]


def _system() -> Iterator[list[str]]:
    """The interpreter, its packages and the system's libraries, read-only."""
    for path, there in sorted(_bound().items()):
        for parent in reversed(there.parents[:-1]):  # else only root may go through
            yield ["--perms", "0755", "--dir", str(parent)]
        if path.is_symlink():
            yield ["--symlink", str(path.readlink()), str(there)]
        elif path.exists():
            yield ["--ro-bind", str(path), str(there)]
        if PACKAGE.is_relative_to(path):  # not the reference
            hidden = str(there / PACKAGE.relative_to(path))
            yield ["--tmpfs", hidden, "--remount-ro", hidden]


def _bound() -> dict[Path, Path]:
    """What is there of the host, and where: no program but Python, nothing of a course.

    A virtual environment is not where it was, which may be in a course or in ``/tmp``.
    """
    paths = {"/etc/ld.so.cache", "/usr/share/zoneinfo"}
    for prefix in ("", "/usr", "/usr/local"):
        paths |= {f"{prefix}/lib", f"{prefix}/lib64"}
    parts = ("bin", "lib", "lib64", "pyvenv.cfg")
    paths |= {f"{sys.base_prefix}/{part}" for part in parts}
    paths |= {f"{sys.base_exec_prefix}/{part}" for part in parts}
    found = {Path(path): Path(path) for path in paths}
    if sys.prefix != sys.base_prefix:
        found |= {Path(sys.prefix, part): Path(_VENV, part) for part in parts}
    return found


def _python() -> str:
    """The interpreter's path in the sandbox."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return f"{_VENV}/bin/{Path(sys.executable).name}"


def _environment() -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONPATH": "/grader",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",
    }


def _readable(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
