"""The last walls of the sandbox: what a submission's own process takes on itself.

bubblewrap has already left the host's files and network outside. Here the process gets
namespaces, a ``/tmp`` and limits of its own, gives up every right, and is watched.
"""

import contextlib
import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .seccomp import refuse_system_calls

_NEW_PROCESSES = 0x20000000
_NEW_MOUNTS_NAMES_QUEUES_NETWORK = 0x00020000 | 0x04000000 | 0x08000000 | 0x40000000
_PRIVATE, _READ_ONLY, _NO_SUID, _NO_DEVICES = 0x4000 | 0x40000, 1, 2, 4
_CAPABILITY_VERSION, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 0x20080522, 24, 38
_TICK = 0.05  # seconds between two looks at what a submission uses
_GRACE = 0.2  # seconds to end when the referee has hung up
_PAGE = resource.getpagesize()
_CLOCK = os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None, use_errno=True)

Limits = dict[str, Any]


def fork() -> int:
    """As ``os.fork``; the child is the first of a process namespace of its own.

    Raises:
        OSError: it failed, and this process should not try again.
    """
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    _check(_libc.unshare(_NEW_PROCESSES))  # for all children from now on
    child = os.fork()
    if child:
        _check(_libc.setns(own, _NEW_PROCESSES))
    os.close(own)
    return child


def enter(limits: Limits, user: int | None) -> None:
    """Close the jail around this process; there is no way back.

    Args:
        limits: of ``chula_rl.grading.limits``, as plain values.
        user: the user and group to become; None to stay.
    """
    owner = os.getuid() if user is None else user
    size = f"size={4 * limits['file_size']},nr_inodes=1000,mode=0700,uid={owner}"
    flags = _NO_SUID | _NO_DEVICES
    _check(_libc.unshare(_NEW_MOUNTS_NAMES_QUEUES_NETWORK))
    _limit_resources(limits)
    _mount(b"none", b"/", b"none", _PRIVATE, b"")
    _mount(b"tmpfs", b"/tmp", b"tmpfs", flags, size.encode())
    # without /proc there is no other process to see, and nothing of the kernel to set
    _mount(b"tmpfs", b"/proc", b"tmpfs", flags | _READ_ONLY, b"size=4k")
    os.chdir("/tmp")
    _drop_bounding_capabilities()  # as long as there is the right to
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _drop_capabilities()
    refuse_system_calls()


def watch(
    child: int,
    hung_up: Callable[[float], bool],
    limits: Limits,
    left_out: Callable[[int], bool],
) -> dict[str, Any]:
    """Wait for the end of a jail, and bring it about where a limit is passed.

    Args:
        child: the first process in it, with which all others end.
        hung_up: waits so many seconds; whether the referee has hung up.
        limits: as above.
        left_out: whether a process is none of the submission's.

    Returns:
        ``ended``, one of ``exit``, ``hung up``, ``wall``, ``cpu``, ``memory`` and
        ``processes``; the exit ``code``; ``cpu_seconds`` and ``memory`` used.
    """
    start, ended, most, cpu = time.monotonic(), "exit", 0, 0.0
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        number, memory, cpu = _used(left_out, limits["memory"])
        most = max(most, memory)
        for reason, passed in (
            ("hung up", hung_up(_TICK) and not _ends(child, _GRACE)),
            ("wall", time.monotonic() - start > limits["wall_seconds"]),
            ("cpu", cpu > limits["cpu_seconds"]),
            ("memory", memory > limits["memory"]),
            ("processes", number > limits["processes"]),
        ):
            if passed and ended == "exit":
                ended = reason
                os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:
        ended = "cpu"
    seconds = max(cpu, usage.ru_utime + usage.ru_stime)
    return {"ended": ended, "code": code, "cpu_seconds": seconds, "memory": most}


def _ends(child: int, seconds: float) -> bool:
    """Whether a process ends by itself within so many seconds; it is left to wait4."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(0.002)
    return False


def _limit_resources(limits: Limits) -> None:
    cpu, size = int(limits["cpu_seconds"]) + 1, limits["file_size"]
    data = int(Path("/proc/self/statm").read_text("ascii").split()[5]) * _PAGE
    for kind, value in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_DATA, data + limits["memory"]),
        (resource.RLIMIT_FSIZE, size),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, 128),
        (resource.RLIMIT_CORE, 1),  # 0 would still start a program of the host
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write that is too long fails


def _drop_bounding_capabilities() -> None:
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()))
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _used(left_out: Callable[[int], bool], limit: int) -> tuple[int, int, float]:
    """How many processes a submission has, their bytes and processor seconds.

    Pages that a process shares with its parent count in both; only if that is too much
    are they shared out, which takes the kernel longer.
    """
    processes = [
        path for path in Path("/proc").glob("[0-9]*") if not left_out(int(path.name))
    ]
    ticks = 0
    for process in processes:
        with contextlib.suppress(OSError):  # it may just have ended
            fields = (process / "stat").read_text("utf-8").rpartition(")")[2]
            ticks += sum(map(int, fields.split()[11:15]))
    memory = sum(map(_resident, processes))
    if memory > limit:
        memory = sum(map(_share, processes))
    return len(processes), memory, ticks / _CLOCK


def _resident(process: Path) -> int:
    with contextlib.suppress(OSError):
        return int((process / "statm").read_text().split()[1]) * _PAGE
    return 0


def _share(process: Path) -> int:
    with contextlib.suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _mount(source: bytes, target: bytes, kind: bytes, flags: int, data: bytes) -> None:
    _check(_libc.mount(source, target, kind, flags, data))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
