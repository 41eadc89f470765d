"""Intake: what is refused before any code of a submission runs.

Nothing that was handed in is trusted, not even the names of its files. A check counts
for the file that was opened, never for the name it had a moment before, and only what
the grader needs is handed on.
"""

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc

from chula_rl.errors import SubmissionError
from chula_rl.grading.limits import Limits
from chula_rl.grading.texts import shown, text_of

MAX_CELLS = 2000
_MAX_DEPTH = 100  # of the JSON
_MAX_FOLDERS = 10  # in one another
_KINDS = ("code", "markdown", "raw")
# A date, with the name of a time zone but no path: parse_utc would open the path.
_DATE = re.compile(r"(?:[\w +:.,-]|(?<=[A-Za-z])/(?=[A-Za-z])){1,64}", re.ASCII)
# What a submission can bring about; any other OSError is a failure of the machine.
_REFUSED = (
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO),
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENODEV),
)


@dataclass(frozen=True)
class Submission:
    """What a student handed in, checked.

    Attributes:
        notebook: of format 4; of its cells only ``cell_type``, ``metadata`` and
            ``source`` (a string), of the notebook only ``cells`` and the version.
        sha256: of the bytes of its file.
        timestamp: the text of ``timestamp.txt``, a date; None without that file.
    """

    notebook: dict[str, Any]
    sha256: str
    timestamp: str | None


def read(folder: Path, name: str, limits: Limits) -> Submission:
    """Read a submission, or say why it is refused.

    Args:
        folder: what the student handed in, in a folder of the student's own.
        name: the assignment.
        limits: how much is read.

    Returns:
        The submission: nothing in it has been run or rendered.

    Raises:
        SubmissionError: the reason, in words for the student.
        OSError: the machine failed, not the submission.
    """
    try:
        data, stamp = _files(folder, name, limits)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        path = error.filename if isinstance(error.filename, str) else folder
        raise SubmissionError(
            f"'{shown(Path(path).name)}' cannot be read ({error.strerror}); expected a "
            f"folder with {name}.ipynb in it. Hand it in again."
        ) from error
    timestamp = None if stamp is None else _date(stamp)
    notebook = _notebook(data, f"{name}.ipynb")
    return Submission(notebook, hashlib.sha256(data).hexdigest(), timestamp)


def _files(folder: Path, name: str, limits: Limits) -> tuple[bytes, bytes | None]:
    """The bytes of the notebook and of ``timestamp.txt``."""
    file, found = f"{name}.ipynb", list[str]()
    with (
        _opened(str(folder.parent), os.O_DIRECTORY) as student,
        _opened(folder.name, os.O_DIRECTORY, student) as opened,
    ):
        _survey(opened, limits, found)
        if file not in found:
            raise SubmissionError(_missing(file, found))
        data = _contents(file, opened, limits.notebook_size)
        if "timestamp.txt" not in found:
            return data, None
        return data, _contents("timestamp.txt", opened, limits.notebook_size)


@contextmanager
def _opened(name: str, flags: int, directory: int | None = None) -> Iterator[int]:
    """A descriptor of a regular file or a folder; a pipe never keeps us waiting."""
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    _check_kind(name, status)
    flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(name, flags, dir_fd=directory)
    try:
        _check_kind(name, os.fstat(descriptor))  # it may be another one by now
        yield descriptor
    finally:
        os.close(descriptor)


def _check_kind(path: str, status: os.stat_result) -> None:
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        what = "a link" if stat.S_ISLNK(status.st_mode) else "no regular file"
        raise SubmissionError(
            f"'{shown(Path(path).name)}' is {what}; expected files and folders. Put a "
            "copy of the file in its place, or leave it out."
        )


def _survey(directory: int, limits: Limits, found: list[str], inside: str = "") -> None:
    """Add what is in a folder to ``found``, folders with a slash at the end."""
    with os.scandir(directory) as scan:
        # No more than needed: the folder may hold millions. Sorted: one reason always.
        entries = sorted(islice(scan, limits.files + 1), key=lambda entry: entry.name)
    if len(found) + len(entries) > limits.files or inside.count("/") > _MAX_FOLDERS:
        raise SubmissionError(
            f"there are more than {limits.files} files and folders, or more than "
            f"{_MAX_FOLDERS} folders in one another. Hand in the notebook only."
        )
    folders = []
    for entry in entries:
        status = entry.stat(follow_symlinks=False)
        _check_kind(entry.name, status)
        found.append(inside + entry.name)
        if stat.S_ISDIR(status.st_mode):
            found[-1] += "/"
            folders.append(entry.name)
        else:
            _check_size(entry.name, status.st_size, limits.notebook_size)
    for name in folders:
        with _opened(name, os.O_DIRECTORY, directory) as folder:
            _survey(folder, limits, found, f"{inside}{name}/")


def _check_size(file: str, size: int, limit: int) -> None:
    if size > limit:
        help_ = "Clear its outputs." if file.endswith(".ipynb") else "Leave it out."
        raise SubmissionError(
            f"'{shown(file)}' has {size:,} bytes; at most {limit:,} are taken. {help_}"
        )


def _missing(file: str, found: list[str]) -> str:
    """What to say if the notebook is not there."""
    notebooks = [
        path
        for path in found
        if path.endswith(".ipynb") and ".ipynb_checkpoints/" not in path
    ]
    names = [shown(path) for path in found[:10]] + ["…"] * (len(found) > 10)
    what = f"there is no {file}; handed in: {', '.join(names) or 'nothing'}. "
    if len(notebooks) == 1:
        return what + f"Rename '{shown(notebooks[0])}' to {file} and hand it in again."
    return what + f"Hand in your notebook as {file}, outside of any folder."


def _contents(file: str, directory: int, limit: int) -> bytes:
    """The bytes of a file, of the one that was opened."""
    with (
        _opened(file, 0, directory) as descriptor,
        os.fdopen(descriptor, "rb", closefd=False) as stream,
    ):
        if os.fstat(descriptor).st_nlink > 1:
            raise SubmissionError(
                f"'{file}' is a hard link to a file elsewhere; expected a file of its "
                "own. Put a copy of the file in its place."
            )
        data = stream.read(limit + 1)  # it may have grown since
    _check_size(file, len(data), limit)
    return data


def _date(stamp: bytes) -> str:
    try:
        text = stamp.decode().strip()
        if _DATE.fullmatch(text) and parse_utc(text):
            return text
    except Exception:  # it stumbles over malformed dates in many ways
        pass
    raise SubmissionError(
        "timestamp.txt holds no date; expected one like '2027-01-28 18:00:00 UTC'. "
        "Leave the file out."
    )


def _notebook(data: bytes, file: str) -> dict[str, Any]:
    """Of a notebook's file what is handed on."""
    raw = _json(data, file)
    version = raw.get("nbformat") if isinstance(raw, dict) else None
    if type(version) is not int or version != 4:
        raise _invalid(file, f"its nbformat is {shown(version)}; expected 4")
    minor, cells = raw.get("nbformat_minor"), raw.get("cells")
    if type(minor) is not int or not 0 <= minor < 100:
        raise _invalid(file, f"its nbformat_minor is {shown(minor)}; expected 0 to 99")
    if not isinstance(cells, list) or len(cells) > MAX_CELLS:
        raise _invalid(file, f"expected a list of at most {MAX_CELLS} cells")
    checked = [_cell(cell, f"{file}, cell {i + 1},") for i, cell in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": checked}


def _json(data: bytes, file: str) -> Any:
    too_deep = _invalid(file, f"it is more than {_MAX_DEPTH} brackets deep")
    try:  # outputs may hold NaN and huge integers, which nobody needs
        value = json.loads(
            data.decode("utf-8-sig"),
            parse_constant=lambda _: None,
            parse_int=lambda text: int(text) if len(text) < 20 else None,
        )
    except RecursionError:
        raise too_deep from None
    except UnicodeDecodeError as error:
        raise _invalid(file, f"it is not JSON in UTF-8 ({error.reason})") from None
    except ValueError as error:
        reason = str(error) if data else "the file is empty"
        raise _invalid(file, f"it is not JSON ({reason})") from None
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_MAX_DEPTH):
        insides = (v.values() if isinstance(v, dict) else v for v in level)
        level = [v for inside in insides for v in inside if isinstance(v, dict | list)]
        if not level:
            return value
    raise too_deep


def _cell(cell: Any, where: str) -> dict[str, Any]:
    """Of a cell what is handed on; its outputs are never used, nor checked."""
    if not isinstance(cell, dict):
        raise _invalid(where, "it is no mapping")
    kind, source = cell.get("cell_type"), cell.get("source")
    lines: list[Any] = source if isinstance(source, list) else [source]
    if kind not in _KINDS:
        kinds = ", ".join(_KINDS)
        raise _invalid(
            where, f"its cell_type is {shown(kind)}; expected one of {kinds}"
        )
    if not all(isinstance(line, str) for line in lines):
        raise _invalid(where, "expected a source that is text or lines of text")
    if not isinstance(cell.get("metadata"), dict):
        raise _invalid(where, "expected metadata that are a mapping")
    text = text_of("".join(lines))
    return {"cell_type": kind, "metadata": cell["metadata"], "source": text}


def _invalid(where: str, reason: str) -> SubmissionError:
    return SubmissionError(
        f"{where} is not valid: {reason}. Check that it opens in JupyterLab, save it "
        "there and hand it in again."
    )
