"""Marks in the form that Canvas and Moodle import: text in, text out.

What they do with such a file was read off their sources (Canvas's
``GradebookImporter``, Moodle's ``gradeimport_csv_load_data``). Both take an empty cell
for "remove the mark", so nobody without a mark here is given one, or an empty cell.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import escape

from chula_rl.errors import ConfigError
from chula_rl.grading.marks import is_formula
from chula_rl.grading.sheet import Sheet
from chula_rl.grading.texts import shown

_CANVAS_COLUMN = re.compile(r"(.*) \((\d+)\)", re.DOTALL)
_CANVAS_NAMES = ("SIS Login ID", "SIS User ID", "ID")
_CANVAS_KEPT = ("EX", "N/A")  # excused; not assigned to this student
_MOODLE_TIME = "Last downloaded from this course"  # Moodle then keeps newer marks


@dataclass(frozen=True)
class Given:
    """What one student is given.

    Attributes:
        points: in all.
        feedback: a text; Canvas takes none.
    """

    points: float
    feedback: str = ""


@dataclass
class Filled:
    """A file to import, and what a person should know of it.

    Attributes:
        text: of the file.
        entered: the students whose marks are in it.
        notes: what needs a look, in words.
    """

    text: str = ""
    entered: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def canvas(
    roster: bytes,
    name: str,
    given: Mapping[str, Given],
    points: float,
    column: str | None = None,
    match: str | None = None,
) -> Filled:
    """Fill in the gradebook that Canvas exports; all other cells stay as they are.

    Args:
        roster: the exported file.
        name: the assignment.
        given: what each student is given.
        points: of the assignment.
        column: its name in Canvas; by default that of the assignment.
        match: the column that holds the names by which ``given`` knows students; by
            default that of the logins, or another one if more of them are found in it.

    Raises:
        ConfigError: it is no such file, or not of an assignment with these points.
    """
    sheet, filled = Sheet.parse(roster), Filled()
    who = sheet.column(match) if match else _likely(sheet, given, _CANVAS_NAMES)
    where = _canvas_column(sheet, column, name)
    students = _canvas_students(sheet, where, points)
    found = _matched(sheet, students, who, given, filled)
    for student, row in found.items():
        cell, before = _number(given[student].points), row[where].strip()
        if before.upper() in _CANVAS_KEPT:
            why = "is excused" if before.upper() == "EX" else "is not assigned to it"
            filled.notes.append(f"{shown(student)} {why} in Canvas: {cell} not entered")
            continue
        if before not in ("", "-") and _value(before) != _value(cell):
            filled.notes.append(f"{shown(student)} had {shown(before)}, now {cell}")
        row[where] = cell
        filled.entered.append(student)
    filled.text = sheet.write()
    return filled


def moodle(
    roster: bytes | None,
    name: str,
    given: Mapping[str, Given],
    match: str | None = None,
) -> Filled:
    """A file for the grade import of Moodle: who, points, feedback.

    Moodle stops the whole import at a student whom it does not know, and gives the
    marks of a row without a name to the student of the row before it. So there are only
    rows of students who are in the roster.

    Args:
        roster: the exported grades; without it, students are as ``given`` calls them.
        name: the assignment.
        given: what each student is given.
        match: the column that holds the names by which ``given`` knows students; by
            default the one in which most of them are found.

    Raises:
        ConfigError: the roster is no such file, or none of the students is in it.
    """
    filled = Filled()
    if roster is None:
        found = {student: [student] for student in given}
        sheet, who, time = Sheet(["username"], []), 0, None
    else:
        sheet = Sheet.parse(roster)
        who = sheet.column(match) if match else _likely(sheet, given, sheet.header)
        names = [title.strip() for title in sheet.header]
        time = names.index(_MOODLE_TIME) if _MOODLE_TIME in names else None
        found = _matched(sheet, sheet.rows, who, given, filled)
    kept = [who] if time is None else [who, time]
    rows = []
    for student, row in found.items():
        cells = [row[i] if i < len(row) else "" for i in kept]
        if any(is_formula(cell) for cell in cells):
            filled.notes.append(
                f"{shown(student)} is left out: spreadsheets take such a name for a "
                "formula. Enter this mark by hand"
            )
            continue
        feedback = _feedback(given[student].feedback)
        rows.append([*cells, _number(given[student].points), feedback])
        filled.entered.append(student)
    header = [*(sheet.header[i] for i in kept), name, f"{name} feedback"]
    filled.text = Sheet(header, rows).write()
    return filled


def _canvas_column(sheet: Sheet, column: str | None, name: str) -> int:
    """The column of the assignment, whose header ends with Canvas's number of it."""
    titles = {}
    for i, header in enumerate(sheet.header):
        found = _CANVAS_COLUMN.fullmatch(header)
        if found:
            titles[i] = {header.casefold(), found[1].strip().casefold()}
    wanted = (column or name).strip().casefold()
    fitting = [i for i, names in titles.items() if wanted in names]
    if len(fitting) != 1:
        known = "; ".join(shown(sheet.header[i]) for i in titles) or "none"
        raise ConfigError(
            f"the roster has {len(fitting)} assignments '{column or name}'; expected "
            f"one. It has: {known}. Name one with --column."
        )
    return fitting[0]


def _canvas_students(sheet: Sheet, where: int, points: float) -> list[list[str]]:
    """The rows of students: not that of the points, nor that about hidden marks."""
    students = []
    for row in sheet.rows:
        row += [""] * (where + 1 - len(row))
        if "Points Possible" in row[0]:
            if _value(row[where]) != points:
                raise ConfigError(
                    f"in Canvas '{shown(sheet.header[where])}' has "
                    f"{shown(row[where]) or 'no'} points; expected {points:g}. Set "
                    "them in Canvas, export the gradebook again and try once more."
                )
        elif not all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?", c) for c in row):
            students.append(row)
    return students


def _likely(sheet: Sheet, given: Mapping[str, Given], titles: Sequence[str]) -> int:
    """Of some columns the one in which most students are found."""
    names = {student.casefold() for student in given}
    hits = {}
    for title in titles:
        i = sheet.header.index(title) if title in sheet.header else None
        if i is not None:
            cells = (row[i] for row in sheet.rows if i < len(row))
            hits[i] = len(names & {cell.strip().casefold() for cell in cells})
    if not any(hits.values()):
        looked_at = ", ".join(shown(sheet.header[i]) for i in hits) or "none"
        who = ", ".join(map(shown, sorted(given)[:3]))
        raise ConfigError(
            f"no student is in the roster; expected some of {who}, ... in one of its "
            f"columns {looked_at}. Name another column with --match, or give the "
            "roster of this class."
        )
    return max(hits, key=lambda i: hits[i])


def _matched(
    sheet: Sheet,
    rows: list[list[str]],
    who: int,
    given: Mapping[str, Given],
    filled: Filled,
) -> dict[str, list[str]]:
    """The row of each student; who is in one list only is noted.

    Capitals do not matter where no two names differ in them alone.
    """
    known: dict[str, list[list[str]]] = {}
    nameless = 0
    for row in rows:
        cell = row[who].strip() if who < len(row) else ""
        known.setdefault(cell.casefold(), []).append(row)
        nameless += not cell
    title = shown(sheet.header[who])
    found, alike = {}, _alike(given)
    for student in given:
        candidates = known.pop(student.casefold(), [])
        if len(candidates) == 1 and student not in alike:
            found[student] = candidates[0]
            continue
        why = "is not" if not candidates else "is not the only one of that name"
        points = _number(given[student].points)
        filled.notes.append(
            f"{shown(student)} {why} in the roster (column '{title}'): {points} not "
            "entered"
        )
    if nameless:
        filled.notes.append(f"{nameless} rows of the roster have no '{title}'")
    for name, others in known.items():
        if name:
            cell = shown(others[0][who].strip())
            filled.notes.append(f"{cell} is in the roster and has no mark")
    return found


def _alike(given: Mapping[str, Given]) -> set[str]:
    """Students whose names differ in capitals alone."""
    groups: dict[str, list[str]] = {}
    for student in given:
        groups.setdefault(student.casefold(), []).append(student)
    return {s for group in groups.values() if len(group) > 1 for s in group}


def _number(points: float) -> str:
    return f"{round(points, 2):g}"


def _value(cell: str) -> float | None:
    """The number in a cell, also with a decimal comma; None if there is none."""
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None


def _feedback(text: str) -> str:
    """Text as Moodle shows it unchanged: it takes feedback for HTML.

    A backslash before a quotation mark would end the cell too late: PHP's reader takes
    it for an escape. A formula cannot begin here: our own words come first.
    """
    if is_formula(text):
        text = f"Feedback: {text}"
    return str(escape(text)).replace("\\", "&#92;")
