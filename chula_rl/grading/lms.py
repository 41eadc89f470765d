"""What Moodle and Canvas call the files of students in their zip archives.

What stands before a file's own name is the platform's, and the platforms keep names of
persons from looking like it. So a student who calls a file like somebody else's
submission remains the one who uploaded it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from zipfile import ZipInfo

from chula_rl.errors import SubmissionError
from chula_rl.grading.texts import shown

# Who packs an unpacked download again, as browsers on macOS make it necessary, has all
# in one folder more.
_NAMES = {
    "moodle": re.compile(
        r"(?:(?![^/]*_assignsubmission_)[^/]+/)?"
        r"(?P<person>[^_/]*)_(?P<number>\d{1,20})_assignsubmission_file"
        r"(?:_?/(?:.*/)?|_)(?P<file>[^/]+)",
        re.DOTALL | re.ASCII,
    ),
    "canvas": re.compile(
        r"(?:(?![^/]*_\d+_\d+_)[^/]+/)?"
        r"(?P<person>[^/]*?)(?P<late>_late)?_(?P<number>\d{1,20})_(?P<upload>\d{1,20})"
        r"_(?P<file>[^/]+)",
        re.DOTALL | re.ASCII | re.IGNORECASE,
    ),
}
_EXAMPLES = {
    "moodle": "Ada Lovelace_123_assignsubmission_file_/{}.ipynb",
    "canvas": "lovelaceada_123_4567_{}.ipynb",
}
_OTHERS = re.compile(  # folders, files of the system, what was typed into Moodle
    r".*/|(.*/)?(__MACOSX/.*|\.[^/]*|Thumbs\.db|desktop\.ini)"
    r"|[^/]*_assignsubmission_(?!file).*",
    re.DOTALL,
)


@dataclass(frozen=True)
class Upload:
    """A file that a student handed in.

    Attributes:
        number: by which the platform knows the student.
        person: the student's name, as the platform writes it.
        file: the file's own name.
        order: of two, the later one has the greater number, if the platform tells.
        late: whether the platform calls it late.
        entry: where it is in the archive.
    """

    number: int
    person: str
    file: str
    order: int
    late: bool
    entry: ZipInfo


def uploads(entries: Iterable[ZipInfo], platform: str) -> list[Upload | ZipInfo]:
    """The files of students in an archive.

    Args:
        entries: of the archive.
        platform: ``moodle`` or ``canvas``.

    Returns:
        Each file of a student, or its entry if it is called in an unknown way. What
        is no file of a student is left out.
    """
    found: list[Upload | ZipInfo] = []
    for entry in entries:
        if _OTHERS.fullmatch(entry.filename):
            continue
        match = _NAMES[platform].fullmatch(entry.filename)
        if match is None:
            found.append(entry)
            continue
        parts = match.groupdict()
        found.append(
            Upload(
                number=int(parts["number"]),
                person=parts["person"],
                file=parts["file"],
                order=int(parts.get("upload") or 0),
                late=bool(parts.get("late")),
                entry=entry,
            )
        )
    return found


def example(name: str, platform: str) -> str:
    """What a platform calls a submission of an assignment."""
    return _EXAMPLES[platform].format(name)


def choose(name: str, files: list[Upload]) -> Upload:
    """The notebook among a student's files, the latest if there are several.

    Canvas appends ``-1`` to a second attempt, and browsers `` (1)`` to a second
    download: such a file is the notebook, too.

    Args:
        name: the assignment.
        files: of one student.

    Raises:
        SubmissionError: there is no notebook of this name.
    """
    suffix = r"(?P<suffix>(?:[ _+-]*\(\d{1,3}\)|[ _+-]+\d{1,3})*)"
    wanted = re.compile(rf"{re.escape(name)}{suffix}\.ipynb", re.ASCII | re.IGNORECASE)
    found = [
        (upload.order, [int(n) for n in re.findall(r"\d+", match["suffix"])], i)
        for i, upload in enumerate(files)
        if (match := wanted.fullmatch(upload.file))
    ]
    if found:
        return files[max(found)[-1]]
    names = ", ".join(shown(upload.file) for upload in files[:5])
    more = ", …" * (len(files) > 5)
    raise SubmissionError(
        f"there is no {name}.ipynb; uploaded: {names}{more}. Ask for the notebook, as "
        f"{name}.ipynb and not packed."
    )
