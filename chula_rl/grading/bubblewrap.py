"""What of the host is in the sandbox, as a command of bubblewrap."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from chula_rl.errors import SandboxError
from chula_rl.grading.edition import PACKAGE

PROGRAM = ("-m", "inside.zygote")  # of Python
ENVIRONMENT = {
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
_VENV = "/venv"
_INSTALL = (
    "Install it (Debian, Ubuntu: sudo apt-get install bubblewrap; Fedora: sudo dnf "
    "install bubblewrap), or grade in a Linux virtual machine or container that has "
    "it. For a class that you trust as you trust yourself there is "
    "--unsafe-no-sandbox."
)


def check() -> None:
    """Try whether bubblewrap can make a sandbox here, in a moment and without torch.

    Raises:
        SandboxError: it cannot; says what to install.
    """
    words = command(Path(__file__).parent, os.geteuid() == 0)[: -len(PROGRAM)]
    tried = subprocess.run(
        [*words, "-S", "-c", "0"],
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


def command(folder: Path, as_root: bool) -> list[str]:
    """The command that starts the sandbox's first process.

    Args:
        folder: with the student edition and ``inside``.
        as_root: whether the host's root starts it.

    Raises:
        SandboxError: bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError(f"bubblewrap (bwrap) is not installed. {_INSTALL}")
    keep = ["--unshare-user", "--cap-add", "ALL"]
    words = [program, *(["--cap-add", "ALL"] if as_root else keep)]
    for kind in ("pid", "ipc", "uts", "net"):
        words.append(f"--unshare-{kind}")
    words += ["--die-with-parent", "--new-session", "--clearenv"]
    words += ["--hostname", "sandbox"]
    for path in _system():
        words += path
    for name, value in ENVIRONMENT.items():
        words += ["--setenv", name, value]
    words += ["--ro-bind", str(folder), "/grader", "--proc", "/proc", "--dev", "/dev"]
    words += ["--tmpfs", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"]
    return [*words, "--chdir", "/", _python(), *PROGRAM]


def check_readable(path: Path) -> None:
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
