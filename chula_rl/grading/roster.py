"""Who the numbers are by which Moodle and Canvas know students."""

import csv
import io
import re
from pathlib import Path

from chula_rl.errors import AssignmentError, SubmissionError

# Names of columns, in lower case: of Moodle's grading worksheet, of Canvas's gradebook,
# and our own. The first one counts that a line has something in.
_NUMBERS = ("id", "identifier")
_STUDENTS = ("sis login id", "id number", "email address", "student")
_STUDENT = re.compile(r"\w[\w.@-]{0,99}")  # it becomes the name of a folder


class Roster:
    """A table of the platform's numbers and the course's students.

    Args:
        path: a CSV file with the columns ``id`` and ``student``, or Moodle's grading
            worksheet or Canvas's exported gradebook as it is.

    Raises:
        AssignmentError: it cannot be read, or contradicts itself.
    """

    def __init__(self, path: Path):
        self._path = path
        self._students: dict[int, str] = {}
        numbers: dict[str, int] = {}
        for text, student in _lines(path):
            # of Moodle "Participant 123", in the language of the site
            match = re.search(r"(\d{1,20})\s*$", text, re.ASCII)
            if match is None:  # Canvas has a line of the points possible
                continue
            number = int(match[1])
            if not _STUDENT.fullmatch(student):
                raise AssignmentError(
                    f"{path}: '{student}', of {number}, cannot be the name of a "
                    "folder; expected letters, digits and .@-_ only."
                )
            first = self._students.setdefault(number, student) == student
            if not first or numbers.setdefault(student, number) != number:
                raise AssignmentError(
                    f"{path}: two lines contradict each other about {number} or "
                    f"'{student}'; expected one line for each."
                )

    def student(self, number: int) -> str:
        """The student with a number.

        Raises:
            SubmissionError: there is none.
        """
        if number not in self._students:
            raise SubmissionError(f"{number} is not in {self._path}; add a line.")
        return self._students[number]


def _lines(path: Path) -> list[tuple[str, str]]:
    """The number and the student of each line, as they are written."""
    try:
        text = path.read_text("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        table = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AssignmentError(f"{path} cannot be read as CSV ({error}).") from error
    lines = [
        {
            name.strip().lower(): (text or "").strip()
            for name, text in row.items()
            if name
        }
        for row in table
    ]
    header = set[str]().union(*lines)
    if not header & set(_NUMBERS) or not header & set(_STUDENTS):
        raise AssignmentError(
            f"{path} has the columns {', '.join(sorted(header)) or '(none)'}; expected "
            f"one of {', '.join(_NUMBERS)} and one of {', '.join(_STUDENTS)}."
        )
    return [(_first(line, _NUMBERS), _first(line, _STUDENTS)) for line in lines]


def _first(line: dict[str, str], names: tuple[str, ...]) -> str:
    return next((line[name] for name in names if line.get(name)), "")
