"""Temporary folders that are removed even if their process is killed.

A process locks its folders, and the system frees the locks however the process ends.
Whoever makes the next folder removes those that nobody holds.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "chula-rl-scratch-"


class Scratch:
    """A temporary folder of this process; ``close`` removes it.

    Attributes:
        path: the folder.
    """

    def __init__(self) -> None:
        sweep()
        lock = None
        while lock is None:  # the sweep of another process may have taken it
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            lock = _take(self.path)
        self._lock: int | None = lock

    def close(self) -> None:
        """Remove it."""
        if self._lock is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None


def sweep() -> None:
    """Remove the folders of processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        lock = _take(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _take(path: Path) -> int | None:
    """Lock a folder; None if it is not ours, or gone, or another process holds it."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        found = os.fstat(lock)
        if found.st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(found, path.lstat()):
                return lock
    except OSError:
        pass
    os.close(lock)
    return None
