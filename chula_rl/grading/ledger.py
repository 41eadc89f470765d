"""The ledger: what grading gave, kept on disk the moment it is known."""

import fcntl
import json
import os
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from chula_rl.errors import AssignmentError
from chula_rl.grading.records import Outcome

FORMAT = 1

Key = tuple[str, str, str, str, str]  # Outcome.key


class Ledger:
    """An append-only file of outcomes; a context manager, for one process at a time.

    Each line is a JSON object: an outcome, or the note that the latest outcome of a
    key has been entered in the gradebook, where a student has one outcome of each
    assignment: an earlier submission that comes back is entered again. A later outcome
    of the same key replaces the earlier one and is not in the gradebook yet. Memory
    holds where each outcome is, never the outcomes, which hold notebooks.

    Attributes:
        path: the file.
        cut: the bytes of a torn last line that opening cut off; 0 if it was whole.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        """Open the ledger, and make it if there is none.

        Args:
            path: the file.
            read_only: change and lock nothing; what is not there is empty.

        Raises:
            AssignmentError: another process has it open, it cannot be opened, or a line
                of it is not sound.
        """
        self.path = path
        self.cut = 0
        self._where: dict[Key, tuple[int, int]] = {}  # offset and length of its line
        self._entered: dict[tuple[str, str], Key] = {}  # by student and assignment
        self._open: list[int] = []  # descriptors: of the file, of its lock
        self._read_only = read_only
        if read_only and not path.exists():
            return
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_APPEND | os.O_CREAT
            self._file = os.open(path, flags, 0o644)
            self._open.append(self._file)
            if not read_only:
                self._open.append(_lock(path.with_name(path.name + ".lock")))
            _forget_in_children(self)
            self._read()
        except OSError as error:
            self.close()
            raise AssignmentError(
                f"the ledger {path} cannot be opened: {error.strerror}; expected a "
                "folder and a file that you may read and write."
            ) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let another process have it."""
        while self._open:
            os.close(self._open.pop())
        self._file = -1  # the number may soon be that of another file

    def append(self, outcome: Outcome) -> None:
        """Add an outcome; it is on the disk when this returns.

        Raises:
            AssignmentError: the disk is full or fails; the file is as it was before.
        """
        line = _line("outcome", outcome.to_dict())
        self._note(outcome.key, self._write(line), len(line))

    def find(self, key: Key) -> Outcome | None:
        """The latest outcome of a key; None if there is none."""
        if key not in self._where:
            return None
        offset, length = self._where[key]
        data = json.loads(os.pread(self._file, length, offset))
        return Outcome.from_dict(data["outcome"])

    def latest(self) -> Mapping[Key, Outcome]:
        """The latest outcome of each key, in the order of the file.

        Each access reads from the file, so that going through all of them needs the
        memory of one.
        """
        return _Latest(self)

    def keys(self) -> list[Key]:
        """What has an outcome, the latest one last."""
        return list(self._where)

    def entered(self, key: Key) -> bool:
        """Whether the latest outcome of a key is what the gradebook has."""
        return self._entered.get(key[:2]) == key

    def in_gradebook(self) -> Iterator[Outcome]:
        """The outcome that the gradebook has of each student, as far as is known."""
        for key in list(self._entered.values()):
            outcome = self.find(key)
            if outcome is not None:
                yield outcome

    def mark_entered(self, key: Key) -> None:
        """Note that the latest outcome of a key is in the gradebook.

        The note may be lost in a power failure: entering it again does no harm.

        Raises:
            AssignmentError: the key has no outcome, or the disk is full or fails.
        """
        if key not in self._where:
            raise AssignmentError(
                f"{self.path} has no outcome of {key}; expected one of its keys: "
                "append the outcome first."
            )
        self._write(_line("entered", key), sync=False)
        self._entered[key[:2]] = key

    def _note(self, key: Key, offset: int, length: int) -> None:
        self._where.pop(key, None)  # so that the order is that of the latest ones
        self._where[key] = offset, length
        if self.entered(key):
            del self._entered[key[:2]]

    def _write(self, line: bytes, sync: bool = True) -> int:
        """Add a line in one write, or nothing; gives its offset."""
        end = os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) < len(line):
                raise OSError(0, "no space for the whole line")
            if sync:
                os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, end)
            raise AssignmentError(
                f"{self.path} cannot be written: {error.strerror}. All that was graded "
                f"before is kept; make room for {len(line):,} bytes and run the same "
                "command again."
            ) from error
        return end

    def _read(self) -> None:
        """Find where every outcome is, and cut off a torn last line."""
        offset = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    if not self._read_only:  # else it may just be written
                        self.cut = len(line)
                        os.ftruncate(self._file, offset)
                    return
                try:
                    self._read_line(line, offset)
                except (AssignmentError, ValueError, KeyError, TypeError) as error:
                    raise AssignmentError(
                        f"{self.path}, line {number} is not sound ({error!r}); "
                        f"expected an entry of format {FORMAT}. Delete that line, and "
                        "its submission is graded again; or move the file away, and "
                        "all are."
                    ) from error
                offset += len(line)

    def _read_line(self, line: bytes, offset: int) -> None:
        data = json.loads(line)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        if "outcome" in data:
            self._note(Outcome.from_dict(data["outcome"]).key, offset, len(line))
        else:
            key: Key = tuple(data["entered"])
            if key in self._where:  # or the line of its outcome was deleted
                self._entered[key[:2]] = key


class _Latest(Mapping[Key, Outcome]):
    """The outcomes of a ledger, read when asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getitem__(self, key: Key) -> Outcome:
        outcome = self._ledger.find(key)
        if outcome is None:
            raise KeyError(key)
        return outcome

    def __iter__(self) -> Iterator[Key]:
        return iter(self._ledger.keys())

    def __len__(self) -> int:
        return len(self._ledger.keys())


def _line(kind: str, content: Any) -> bytes:
    """An entry as a line: ASCII, without a newline but its own."""
    return json.dumps({"format": FORMAT, kind: content}).encode("ascii") + b"\n"


def _forget_in_children(ledger: Ledger) -> None:
    """Close the ledger in processes that fork from this one.

    A lock lives as long as any process has its descriptor: workers that outlive a
    killed grader would keep the next one out.
    """
    reference = weakref.ref(ledger)

    def close() -> None:
        found = reference()
        if found is not None:
            found.close()

    os.register_at_fork(after_in_child=close)


def _lock(path: Path) -> int:
    """Take a lock that the system frees when this process ends, however it ends."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.read(file, 20).decode("ascii", "replace") or "unknown"
        os.close(file)
        raise AssignmentError(
            f"another `chula-rl grade` is running (pid {owner}): it holds {path}. Wait "
            "until it has ended, or stop it, and run the same command again."
        ) from error
    os.ftruncate(file, 0)
    os.write(file, str(os.getpid()).encode("ascii"))
    return file
