"""Take in the zip archive of all submissions that Moodle or Canvas gives.

Students choose the names of their files and what is in them, so nothing is unpacked:
of each student one file is read, as long as the intake allows, and it is written under
a name of ours.
"""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chula_rl.errors import AssignmentError, SubmissionError
from chula_rl.grading import intake, lms
from chula_rl.grading.course import Course
from chula_rl.grading.limits import Limits
from chula_rl.grading.lms import Upload
from chula_rl.grading.roster import Roster
from chula_rl.grading.texts import shown

MAX_ENTRIES = 100_000  # of an archive
# What zipfile raises, which a flipped bit is enough for.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError),
    *(OSError, ValueError, NotImplementedError),
)


@dataclass(frozen=True)
class Collected:
    """What became of a submission.

    Attributes:
        student: the name of the folder in ``assignments/submitted``; of one who was
            left out, the platform's number or the name of a file.
        person: the student's name, as the platform writes it.
        status: ``collected``, ``replaced``, ``unchanged`` or ``left out``.
        note: what else is to be known.
        problem: why it is left out, or will be refused; else empty.
    """

    student: str
    person: str
    status: str
    note: str = ""
    problem: str = ""


def collect(
    course: Course, name: str, path: Path, platform: str, roster: Roster | None = None
) -> Iterator[Collected]:
    """Put what students uploaded where ``chula-rl grade`` looks for it.

    Args:
        course: the course.
        name: the assignment.
        path: the archive, as downloaded.
        platform: ``moodle`` or ``canvas``, which name files in their own ways.
        roster: who the platform's numbers are; without one the number is the student.

    Yields:
        One for each student, and for each file that could not be attributed.

    Raises:
        AssignmentError: this is no such archive.
        ConfigError: the course's limits are not sound.
    """
    course.source(name)  # there is such an assignment
    limits = Limits.read(course.settings)
    with _opened(path) as archive:
        found = lms.uploads(archive.infolist(), platform)
        students: dict[int, list[Upload]] = {}
        for upload in (item for item in found if isinstance(item, Upload)):
            students.setdefault(upload.number, []).append(upload)
        unknown = [item for item in found if isinstance(item, zipfile.ZipInfo)]
        expected = lms.example(name, platform)
        if not students:
            raise AssignmentError(
                f"{path} has no submission in it that {platform.title()} would call "
                f"'{expected}'; it has "
                f"{', '.join(shown(entry.filename) for entry in unknown[:3]) or 'none'}"
                ". Give the archive of all submissions, as it was downloaded."
            )
        for number, files in sorted(students.items()):
            student = str(number)
            try:
                if roster is not None:
                    student = roster.student(number)
                yield _take(course, name, archive, limits, student, files)
            except SubmissionError as error:
                person = shown(files[0].person)
                yield Collected(student, person, "left out", problem=str(error))
        for entry in unknown:
            problem = f"whose is it? Expected a name like '{expected}'."
            yield Collected(shown(entry.filename), "?", "left out", problem=problem)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise AssignmentError(
            f"{path} cannot be read as a zip archive ({error}). Download it again."
        ) from error
    if len(archive.infolist()) > MAX_ENTRIES:
        archive.close()
        raise AssignmentError(
            f"{path} has {len(archive.infolist()):,} entries; at most {MAX_ENTRIES:,} "
            "are taken."
        )
    return archive


def _take(
    course: Course,
    name: str,
    archive: zipfile.ZipFile,
    limits: Limits,
    student: str,
    files: list[Upload],
) -> Collected:
    """Take in one submission.

    Raises:
        SubmissionError: there is none, or it cannot be read.
    """
    upload = lms.choose(name, files)
    data = _contents(archive, upload, limits.notebook_size)
    folder, file = course.submitted(name, student), f"{name}.ipynb"
    status = _put(folder, file, data)
    notes = ["late"] * upload.late
    if upload.file != file:
        notes.append(f"it was called '{shown(upload.file)}'")
    problem = ""
    try:
        intake.read(folder, name, limits)
    except SubmissionError as error:
        problem = f"will be refused: {error}"
    return Collected(
        student, shown(upload.person), status, "; ".join(notes), problem=problem
    )


def _contents(archive: zipfile.ZipFile, upload: Upload, limit: int) -> bytes:
    """The bytes of one file; no more of it is unpacked than is taken."""
    entry, file = upload.entry, shown(upload.file)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise SubmissionError(f"'{file}' is a link; expected the notebook itself.")
    known = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if entry.flag_bits & 1 or not known:
        raise SubmissionError(
            f"'{file}' is encrypted, or packed as Moodle and Canvas never do it. "
            "Download the archive again."
        )
    try:
        with archive.open(entry) as stream:
            data = stream.read(limit + 1)
    except _DAMAGED as error:
        raise SubmissionError(
            f"'{file}' is damaged ({shown(str(error))}). Download the archive again."
        ) from error
    size = max(len(data), entry.file_size)
    if size > limit:
        raise SubmissionError(
            f"'{file}' has {size:,} bytes; at most {limit:,} are taken. Ask for the "
            "notebook without its outputs."
        )
    return data


def _put(folder: Path, file: str, data: bytes) -> str:
    """Make a submission's folder hold this file and nothing else."""
    target, known = folder / file, folder.exists()
    if known and target.is_file() and target.read_bytes() == data:
        return "unchanged"
    if known:
        shutil.rmtree(folder)  # a timestamp.txt in it is of the one before
    folder.mkdir(parents=True)
    target.write_bytes(data)
    return "replaced" if known else "collected"
