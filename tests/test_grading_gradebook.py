import copy
import dataclasses
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
import tracemalloc
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Course as CourseRow
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin
from nbgrader.utils import determine_grade, is_grade, is_locked, is_solution
from sqlalchemy import event

from chula_rl.errors import AssignmentError
from chula_rl.grading import gradebook, release, sample
from chula_rl.grading.course import Course, require
from chula_rl.grading.records import (
    GRADED,
    OUT_OF_MEMORY,
    REFUSED,
    TIMED_OUT,
    CellResult,
    Outcome,
)

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "school"
c.CourseDirectory.root = {root!r}
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError()"}}
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = ".*"
"""
TEST_SUM = """assert total == 3, "Add the numbers."
### BEGIN HIDDEN TESTS
assert type(total) is int, "It is no whole number."
### END HIDDEN TESTS"""
DUE = "2027-01-28 18:00:00 UTC"


def cell(make, grade_id, source, points=None, solution=False):
    data = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if points is not None:
        data["points"] = points
    return make(source, id=grade_id, metadata={"nbgrader": data})


def source():
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    solution = "### BEGIN SOLUTION\n{} = 3\n### END SOLUTION"
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    notebook.cells = [
        cell(text, "intro", "# Sums"),
        cell(code, "sum", solution.format("total"), solution=True),
        cell(code, "test-sum", TEST_SUM, points=2),
        cell(code, "mean", solution.format("share"), solution=True),
        cell(code, "test-mean", "share  # it is partial credit", points=3),
        code("print('hello')", id="free"),
        cell(text, "answer", "Because.", points=5, solution=True),
    ]
    return notebook


def make_course(root):
    """A course with one assignment, released by nbgrader."""
    folder = root / "assignments" / "source" / "tiny"
    folder.mkdir(parents=True)
    config = CONFIG.format(root=str(root / "assignments"))
    (root / "assignments" / "nbgrader_config.py").write_text(config)
    nbformat.write(source(), folder / "tiny.ipynb")
    course = Course(root)
    require(course.nbgrader().generate_assignment("tiny"), "generate_assignment")
    with course.nbgrader().gradebook as book:
        book.update_or_create_assignment("tiny", duedate=DUE)
    return course


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("template"))


def copied(course, root):
    """A second copy of a course: same gradebook, own folders."""
    shutil.copytree(course.root, root, dirs_exist_ok=True)
    path = root / "assignments" / "nbgrader_config.py"
    path.write_text(path.read_text().replace(str(course.root), str(root)))
    return Course(root)


@pytest.fixture
def course(template, tmp_path):
    return copied(template, tmp_path)


def configure(course, line):
    with (course.assignments / "nbgrader_config.py").open("a") as file:
        file.write(line + "\n")


def hand_in(course, student, name="tiny", stamp="2027-01-28 17:00:00 UTC\n", **texts):
    """Hand in the released notebook with some texts of the student's."""
    notebook = nbformat.read(course.released(name) / f"{name}.ipynb", 4)
    for part in notebook.cells:
        part.source = texts.get(part.id, part.source)
    folder = course.submitted(name, student)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "timestamp.txt").unlink(missing_ok=True)
    if stamp is not None:
        (folder / "timestamp.txt").write_text(stamp)


def graft(course, student, name="tiny"):
    """The submission with the tests of the source."""
    path = course.assignments / "source" / name / f"{name}.ipynb"
    trusted = {part.id: part for part in nbformat.read(path, 4).cells}
    path = course.submitted(name, student) / f"{name}.ipynb"
    notebook = nbformat.read(path, 4)
    for part in notebook.cells:
        part.metadata.get("nbgrader", {}).pop("checksum", None)
        part.metadata.get("nbgrader", {}).pop("cell_type", None)
        if is_locked(part):
            part.source = trusted[part.id].source
    return notebook


def outcome(course, student, points=(2.0, 3.0), messages=("", ""), **changes):
    """As it might come from the grader."""
    if not (course.submitted("tiny", student) / "tiny.ipynb").exists():
        hand_in(course, student, sum="total = 3", answer="Since 1 + 2 is 3.")
    results = tuple(
        CellResult(*given)
        for given in zip(
            ("test-sum", "test-mean"), points, (2.0, 3.0), messages, strict=True
        )
    )
    values = {
        "student": student,
        "assignment": "tiny",
        "submission": "a" * 64,
        "source": "b" * 64,
        "environment": "c" * 64,
        "status": GRADED,
        "results": results,
        "outputs": {
            "free": [{"output_type": "stream", "name": "stdout", "text": "hello\n"}]
        },
        "notebook": nbformat.writes(graft(course, student)),
    }
    return Outcome(**(values | changes))


def enter(course, *outcomes):
    with gradebook.Writer(course, outcomes[0].assignment) as writer:
        for one in outcomes:
            writer.enter(one)


def autograded(course, student, name="tiny"):
    path = course.assignments / "autograded" / student / name / f"{name}.ipynb"
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    return {part.id: part for part in notebook.cells}


def rows(course):
    """Every row of the gradebook, without the random ids."""

    def row(entry, *more):
        values = {"name": getattr(entry, "name", None)} | entry.to_dict()
        values |= {name: getattr(entry, name) for name in more}
        del values["id"]
        return values

    api = course.nbgrader()
    with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as book:
        found = {"courses": sorted(c.id for c in book.db.query(CourseRow))}
        found["students"] = [student.to_dict() for student in book.students]
        for assignment in book.assignments:
            for one in assignment.submissions:
                key = assignment.name, one.student_id
                more = ("extension", "total_seconds_late", "late_submission_penalty")
                found[key] = row(one, *more)
                for note in one.notebooks:
                    key = *key[:2], note.name
                    found[key] = row(note, "late_submission_penalty")
                    for grade in note.grades:
                        found[*key, "grade", grade.name] = row(grade, "score")
                    for comment in note.comments:
                        found[*key, "comment", comment.name] = row(comment, "comment")
    found["students"].sort(key=lambda student: student["id"])
    path = api.coursedir.db_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        tables = "select name from sqlite_master where type = 'table'"
        for (table,) in connection.execute(tables).fetchall():
            [found["count", table]] = connection.execute(
                f"select count(*) from {table}"
            )
    return found


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def grades(course, student, field="auto_score"):
    found = rows(course)
    return {
        key[4]: value[field]
        for key, value in found.items()
        if key[1] == student and "grade" in key
    }


def test_points_and_outputs_of_full_partial_and_no_credit(course):
    message = "AssertionError: Add: the numbers."
    enter(
        course,
        outcome(course, "full", (2, 3)),
        outcome(course, "part", (0.1 + 0.2, 1.25), ("", "Half of it is right.")),
        outcome(course, "none", (0, 0), (message, "no colon")),
    )
    assert grades(course, "full") == {"test-sum": 2, "test-mean": 3, "answer": None}
    expected = {"test-sum": 0.1 + 0.2, "test-mean": 1.25, "answer": None}
    assert grades(course, "part") == expected
    assert grades(course, "none") == {"test-sum": 0, "test-mean": 0, "answer": None}
    assert rows(course)["tiny", "part"]["score"] == 1.25 + 0.1 + 0.2
    assert grades(course, "part", "failed_tests") == {
        "test-sum": True,
        "test-mean": True,
        "answer": False,
    }

    assert autograded(course, "full")["test-sum"].outputs == []
    [number] = autograded(course, "part")["test-sum"].outputs
    assert number.output_type == "execute_result"
    assert number.data == {"text/plain": "0.30000000000000004"}
    text, number = autograded(course, "part")["test-mean"].outputs
    assert text.text == "Half of it is right.\n"
    assert number.data == {"text/plain": "1.25"}
    cells = autograded(course, "none")
    assert cells["test-sum"].outputs == [
        {
            "output_type": "error",
            "ename": "AssertionError",
            "evalue": "Add: the numbers.",
            "traceback": [message],
        }
    ]
    [error] = cells["test-mean"].outputs
    assert (error.ename, error.evalue) == ("AssertionError", "no colon")
    assert cells["free"].outputs == [
        {"output_type": "stream", "name": "stdout", "text": "hello\n"}
    ]


@pytest.mark.parametrize(
    "points", [(2, 3), (0, 0), (1e-9, 3), (0.1 + 0.2, 2.9999999999999996), (1, 0)]
)
def test_nbgrader_reads_the_same_points_off_the_written_notebook(course, points):
    enter(course, outcome(course, "ada", points))
    cells = autograded(course, "ada")
    assert determine_grade(cells["test-sum"]) == (points[0], 2.0)
    assert determine_grade(cells["test-mean"]) == (points[1], 3.0)
    assert determine_grade(cells["answer"]) == (None, 5.0)
    expected = {"test-sum": points[0], "test-mean": points[1], "answer": None}
    assert grades(course, "ada") == expected


def test_blank_answers_are_zero_and_commented_and_others_wait_for_a_person(course):
    hand_in(course, "blank", stamp=None)
    hand_in(course, "full", sum="total = 3", answer="Because.")
    enter(course, outcome(course, "blank", (0, 0)), outcome(course, "full"))
    found = rows(course)

    def comment(student, name):
        return found["tiny", student, "tiny", "comment", name]["auto_comment"]

    assert grades(course, "blank")["answer"] == 0
    assert not any(grades(course, "blank", "needs_manual_grade").values())
    assert comment("blank", "answer") == comment("blank", "sum") == "No response."
    assert found["tiny", "blank"]["timestamp"] is None
    assert grades(course, "full")["answer"] is None
    assert grades(course, "full", "needs_manual_grade")["answer"]
    assert comment("full", "answer") is None
    assert comment("full", "sum") is None
    assert comment("full", "mean") == "No response."


def grade_by_hand(course, student):
    with course.nbgrader().gradebook as book:
        grade = book.find_grade("answer", "tiny", "tiny", student)
        grade.manual_score, grade.needs_manual_grade = 4.0, False
        grade = book.find_grade("test-sum", "tiny", "tiny", student)
        grade.manual_score, grade.extra_credit = 1.5, 0.5
        grade.needs_manual_grade = False
        comment = book.find_comment("answer", "tiny", "tiny", student)
        comment.manual_comment = "Well put."
        book.db.commit()


def test_marks_of_a_person_are_kept(course):
    enter(course, outcome(course, "ada"))
    grade_by_hand(course, "ada")
    enter(course, outcome(course, "ada", (0, 3)))
    assert grades(course, "ada", "manual_score")["answer"] == 4
    assert grades(course, "ada", "score") == {
        "test-sum": 1.5 + 0.5,
        "test-mean": 3,
        "answer": 4,
    }
    again = grades(course, "ada", "needs_manual_grade")
    assert again == {"test-sum": True, "test-mean": False, "answer": True}
    found = rows(course)["tiny", "ada", "tiny", "comment", "answer"]
    assert found["comment"] == "Well put."


def test_entering_twice_is_entering_once(course):
    enter(course, outcome(course, "ada", (1.5, 0)))
    before, files = rows(course), autograded(course, "ada")
    enter(course, *[outcome(course, "ada", (1.5, 0))] * 2)
    assert rows(course) == before
    assert autograded(course, "ada") == files
    assert listing(course.assignments / "autograded" / "ada") == ["tiny"]


def test_the_folder_has_what_nbgrader_leaves_but_no_other_file(course):
    one = outcome(course, "ada")
    (course.submitted("tiny", "ada") / "page.html").write_text("<script>")
    enter(course, one)
    folder = course.assignments / "autograded" / "ada" / "tiny"
    assert listing(folder) == ["timestamp.txt", "tiny.ipynb"]
    assert (folder / "timestamp.txt").read_text() == "2027-01-28 17:00:00 UTC\n"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o444}


def test_the_secret_of_the_exchange_is_kept_and_nothing_else_under_its_name(course):
    """`nbgrader release_feedback` needs it beside the feedback."""
    one, secret = outcome(course, "ada"), "09af" * 32
    given = course.submitted("tiny", "ada") / "submission_secret.txt"
    kept = course.assignments / "autograded" / "ada" / "tiny" / given.name
    given.write_text(secret)
    enter(course, one)
    assert kept.read_text() == secret
    for other in ("", "../" * 40, secret + "0", secret[:-1], secret[:-1] + "\n"):
        given.write_text(other)
        enter(course, one)
        assert not kept.exists()
    given.unlink()
    given.symlink_to("/etc/passwd")
    enter(course, one)
    assert not kept.exists()


@pytest.mark.parametrize("leftover", [".tiny.new", ".tiny.old"])
def test_one_who_was_killed_while_writing_enters_again(course, leftover):
    enter(course, outcome(course, "ada", (0, 0)))
    student = course.assignments / "autograded" / "ada"
    shutil.copytree(student / "tiny", student / leftover)
    if leftover == ".tiny.old":  # between the two renames
        shutil.rmtree(student / "tiny")
    enter(course, outcome(course, "ada", (2, 3)))
    assert listing(student) == ["tiny"]
    assert determine_grade(autograded(course, "ada")["test-sum"]) == (2, 2)


def test_nothing_is_in_the_gradebook_if_the_folder_cannot_be_written(course):
    before = rows(course)
    (course.assignments / "autograded").write_text("no folder")
    with pytest.raises(
        AssignmentError, match=r"entered: .*Not a directory.*autograded"
    ):
        enter(course, outcome(course, "ada"))
    assert rows(course) == before


def test_a_refused_submission_replaces_the_earlier_one(course):
    refused = {"status": REFUSED, "reason": "no file", "results": (), "notebook": ""}
    enter(
        course,
        outcome(course, "ada"),
        outcome(course, "bob", **refused),
        outcome(course, "ada", **refused),
    )
    found = rows(course)
    assert [student["id"] for student in found["students"]] == ["ada", "bob"]
    assert not [key for key in found if key[1] in ("ada", "bob")]
    assert found["count", "grade"] == found["count", "comment"] == (0,)
    assert not (course.assignments / "autograded" / "ada" / "tiny").exists()
    with course.nbgrader().gradebook as book:
        path = course.root / "grades.csv"
        CsvExportPlugin(to=str(path)).export(book)
    lines = [line.split(",") for line in path.read_text().splitlines()[1:]]
    assert [(line[3], line[2], line[9]) for line in lines] == [
        ("ada", "", "0.0"),
        ("bob", "", "0.0"),
    ]
    enter(course, outcome(course, "ada"))
    assert grades(course, "ada")["test-sum"] == 2


def test_a_removal_that_was_killed_half_way_is_finished_by_entering(course):
    enter(course, outcome(course, "ada"), outcome(course, "bob"))
    expected = grades(course, "ada")
    with course.nbgrader().gradebook as book:
        for student in ("ada", "bob"):
            book.remove_submission_notebook("tiny", "tiny", student)
    enter(course, outcome(course, "ada"), outcome(course, "bob", status=REFUSED))
    assert grades(course, "ada") == expected
    assert ("tiny", "bob") not in rows(course)


@pytest.mark.parametrize("status", [TIMED_OUT, OUT_OF_MEMORY])
def test_one_cut_short_keeps_its_points_and_the_rest_are_zero(course, status):
    reason = "it ran for 300 s."
    results = (CellResult("test-sum", 2.0, 2.0),)
    one = outcome(course, "ada", status=status, reason=reason, results=results)
    enter(course, one)
    assert grades(course, "ada") == {"test-sum": 2, "test-mean": 0, "answer": None}
    cells = autograded(course, "ada")
    assert determine_grade(cells["test-mean"]) == (0, 3)
    assert reason in cells["test-mean"].outputs[0].evalue
    silent = (CellResult("test-sum", 2.0, 2.0), CellResult("test-mean", 0.0, 3.0))
    enter(course, dataclasses.replace(one, results=silent))
    assert determine_grade(autograded(course, "ada")["test-mean"]) == (0, 3)


def edited(one, change):
    notebook = nbformat.reads(one.notebook, 4)
    change({part.id: part for part in notebook.cells}, notebook.cells)
    return dataclasses.replace(one, notebook=nbformat.writes(notebook))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda by, cells: by["test-sum"].update(source="pass"), "test-sum"),
        (lambda by, cells: by["intro"].update(source="# More"), "intro"),
        (lambda by, cells: by["answer"].metadata.nbgrader.update(points=9), "answer"),
        (lambda by, cells: by["sum"].metadata.nbgrader.update(solution=0), "sum"),
        (lambda by, cells: by["sum"].metadata.nbgrader.update(grade_id="s"), "s, sum"),
        (lambda by, cells: cells.remove(by["test-mean"]), "test-mean"),
    ],
)
def test_a_notebook_of_another_release_is_refused(course, change, named):
    one = outcome(course, "ada")
    enter(course, edited(one, lambda by, cells: by["sum"].update(source="total = 9")))
    before, files = rows(course), autograded(course, "ada")
    message = rf"the cells {named} of 'tiny' .*`chula-rl assignments release tiny`"
    with pytest.raises(AssignmentError, match=message):
        enter(course, edited(one, change))
    assert rows(course) == before
    assert autograded(course, "ada") == files


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([("test-sum", 2.0, 2.0)], "the cells test-mean"),
        ([("test-sum", 2, 2), ("test-mean", 3, 4)], "the cells test-mean"),
        ([("test-sum", 2, 2), ("test-mean", 3, 3), ("t", 0, 1)], "the cells t"),
        ([("test-sum", 2.5, 2), ("test-mean", 3, 3)], r"has 2\.5 .*expected 0 to 2"),
        ([("test-sum", -1, 2), ("test-mean", 3, 3)], "has -1 points"),
        ([("test-sum", float("nan"), 2), ("test-mean", 3, 3)], "has nan points"),
    ],
)
def test_results_of_another_release_or_out_of_range_are_refused(
    course, results, message
):
    before = rows(course)
    results = tuple(CellResult(*result) for result in results)
    with pytest.raises(AssignmentError, match=message):
        enter(course, outcome(course, "ada", results=results))
    assert rows(course) == before
    assert not (course.assignments / "autograded" / "ada").exists()


def test_an_assignment_that_is_not_in_the_gradebook_is_an_error(course):
    with pytest.raises(AssignmentError, match=r"no assignment 'huge'.*release huge`"):
        gradebook.Writer(course, "huge")
    other = outcome(course, "ada", assignment="huge")
    with (
        gradebook.Writer(course, "tiny") as writer,
        pytest.raises(AssignmentError, match=r"of 'huge' arrived.*'tiny'"),
    ):
        writer.enter(other)


@pytest.mark.parametrize(
    ("stamp", "late"),
    [
        ("2027-01-28 18:00:00 UTC", 0),
        ("2027-01-28 19:00:30 UTC\n", 3630),
        ("2027-01-29T01:00:30+07:00", 30),
        ("2027-01-28T18:01:00+00:00", 60),
        ("2027-01-28 18:02:00", 120),
        ("\n", 0),
        (None, 0),
    ],
)
def test_seconds_late(course, stamp, late):
    hand_in(course, "ada", stamp=stamp)
    enter(course, outcome(course, "ada"))
    found = rows(course)["tiny", "ada"]
    assert found["total_seconds_late"] == late
    assert (found["timestamp"] is None) == (not (stamp or "").strip())


def test_a_timestamp_that_is_no_date_is_an_error(course):
    hand_in(course, "ada", stamp="yesterday, I think")
    with pytest.raises(
        AssignmentError, match=r"timestamp\.txt holds no date.*expected"
    ):
        enter(course, outcome(course, "ada"))


def test_the_late_penalty_is_that_of_the_configured_plugin(course, monkeypatch):
    (course.root / "penalties.py").write_text(
        "from nbgrader.plugins import LateSubmissionPlugin\n"
        "class Harsh(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student, score, seconds):\n"
        "        return {'ada': 1.5, 'bob': 100.0, 'eve': -1.0, 'joe': None}[student]\n"
    )
    monkeypatch.syspath_prepend(course.root)
    configure(course, "c.AssignLatePenalties.plugin_class = 'penalties.Harsh'")
    hand_in(course, "max")
    for student in ("ada", "bob", "eve", "joe"):
        hand_in(course, student, stamp="2027-01-28 19:00 UTC")
    students = ("ada", "bob", "eve", "joe", "max")
    enter(course, *(outcome(course, student, (2, 1)) for student in students))
    penalties = {
        key[1]: row["late_submission_penalty"]
        for key, row in rows(course).items()
        if key[2:] == ("tiny",)
    }
    expected = {"ada": 1.5, "bob": 3, "eve": 0, "joe": None, "max": None}
    assert penalties == expected


def test_an_extension_takes_the_penalty_back(course):
    configure(course, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    hand_in(course, "ada", stamp="2027-01-28 19:00:00 UTC")
    enter(course, outcome(course, "ada"))
    assert rows(course)["tiny", "ada"]["late_submission_penalty"] == 5
    with course.nbgrader().gradebook as book:
        book.grant_extension("tiny", "ada", hours=2)
    hand_in(course, "ada", stamp=None)
    enter(course, outcome(course, "ada"))
    found = rows(course)
    assert found["tiny", "ada"]["timestamp"] == "2027-01-28T19:00:00"  # nbgrader's way
    assert found["tiny", "ada", "tiny"]["late_submission_penalty"] is None


def test_another_gradebook_in_the_configuration_is_used(course, tmp_path):
    path = tmp_path / "elsewhere.db"
    shutil.copy(course.assignments / "gradebook.db", path)
    (course.assignments / "gradebook.db").unlink()
    configure(course, f"c.CourseDirectory.db_url = 'sqlite:///{path}'")
    enter(course, outcome(course, "ada"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("select id from student").fetchall() == [("ada",)]
    assert not (course.assignments / "gradebook.db").exists()


def test_a_gradebook_that_is_locked_is_an_error_in_words(course):
    path = course.assignments / "gradebook.db"
    configure(course, f"c.CourseDirectory.db_url = 'sqlite:///{path}?timeout=0.05'")
    with gradebook.Writer(course, "tiny") as writer:
        other = sqlite3.connect(path)
        other.execute("begin exclusive")
        message = r"can be entered: database is locked.*formgrader.*again"
        with pytest.raises(AssignmentError, match=message):
            writer.enter(outcome(course, "ada"))
        other.rollback()
        writer.enter(outcome(course, "ada"))
        other.close()
    assert grades(course, "ada")["test-sum"] == 2
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(AssignmentError, match=r"file is not a database.*gradebook\.db"):
        gradebook.Writer(course, "tiny")


def test_text_that_has_no_utf8_form_does_no_harm(course):
    stream = {"output_type": "stream", "name": "stdout", "text": "a\ud800b"}
    one = outcome(course, "ada", outputs={"free": [stream]})
    notebook = json.loads(one.notebook)
    for part in notebook["cells"]:
        if part["id"] == "sum":
            part["source"] = ["total = 3\n", "# \udfff"]
    one = dataclasses.replace(one, notebook=json.dumps(notebook))
    enter(course, one)
    cells = autograded(course, "ada")
    assert cells["sum"].source == "total = 3\n# ?"
    assert cells["free"].outputs[0].text == "a?b"


def test_few_statements_and_one_commit_a_submission(course):
    seen = []
    with gradebook.Writer(course, "tiny") as writer:
        engine = writer._gradebook.engine
        event.listen(
            engine, "before_cursor_execute", lambda c, k, text, *_: seen.append(text)
        )
        event.listen(engine, "commit", lambda connection: seen.append("COMMIT"))
        for _ in range(2):  # a new one, and one that is there
            seen.clear()
            writer.enter(outcome(course, "ada"))
            assert seen.count("COMMIT") == 1
            assert len(seen) <= 14
        seen.clear()
        writer.enter(outcome(course, "ada"))
        assert len(writer._gradebook.db.registry().identity_map) == 0


def test_memory_stays_flat(course):
    one = outcome(course, "ada")
    with gradebook.Writer(course, "tiny") as writer:
        for i in range(5):
            writer.enter(dataclasses.replace(one, student=f"early-{i}"))
        tracemalloc.start()
        try:
            for i in range(15):
                writer.enter(dataclasses.replace(one, student=f"student-{i}"))
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert held < 100_000


@pytest.mark.slow  # to import nbgrader takes seconds
def test_importing_it_does_not_import_torch():
    package = Path(gradebook.__file__).parents[1]
    code = """if True:
        import sys, types
        package = types.ModuleType("chula_rl")  # without the imports of its __init__
        package.__path__ = [sys.argv[1]]
        sys.modules["chula_rl"] = package
        import chula_rl.grading.gradebook
        assert "torch" not in sys.modules
    """
    command = [sys.executable, "-c", code, str(package)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def mirrored(stock, ours, student, name):
    """The outcome with the points that stock nbgrader gave."""
    cells = autograded(stock, student, name)
    results, outputs = [], {}
    for part in cells.values():
        if is_grade(part) and not is_solution(part):
            points, most = determine_grade(part)
            errors = [o for o in part.outputs if o.output_type == "error"]
            message = "".join(f"{e.ename}: {e.evalue}" for e in errors)
            results.append(CellResult(part.id, float(points), most, message))
        elif part.cell_type == "code":
            outputs[part.id] = copy.deepcopy(part.outputs)
    return Outcome(
        student,
        name,
        "a" * 64,
        "b" * 64,
        "c" * 64,
        GRADED,
        results=tuple(results),
        outputs=outputs,
        notebook=nbformat.writes(graft(ours, student, name)),
    )


def assert_same(stock, ours, students, name):
    assert rows(stock) == rows(ours)
    for student in students:
        theirs, mine = (autograded(c, student, name) for c in (stock, ours))
        assert list(theirs) == list(mine)
        for key, part in theirs.items():
            part.metadata.pop("execution", None)
            assert part.metadata == mine[key].metadata
            assert part.source == mine[key].source
            if is_grade(part):
                assert determine_grade(part) == determine_grade(mine[key])


@pytest.mark.slow
def test_every_row_is_that_of_stock_nbgrader(template, tmp_path):
    stock = copied(template, tmp_path / "stock")
    line = "c.LateSubmissionPlugin.penalty_method = 'zero'"
    configure(stock, line)
    right = {"sum": "total = 1 + 2", "mean": "share = 3", "answer": "Since 1 + 2 is 3."}
    hand_in(stock, "right", **right)
    hand_in(stock, "part", **right | {"mean": "share = 1.25"}, stamp=None)
    hand_in(stock, "wrong", **right | {"sum": "total = 3.0"})
    hand_in(stock, "blank")
    hand_in(stock, "late", **right, stamp="2027-01-29T03:00:00+07:00\n")
    ours = copied(stock, tmp_path / "ours")
    students = ("right", "part", "wrong", "blank", "late")

    def grade_all():
        for student in students:
            require(stock.nbgrader().autograde("tiny", student), "autograde")
        enter(ours, *(mirrored(stock, ours, student, "tiny") for student in students))

    grade_all()
    assert_same(stock, ours, students, "tiny")
    found = rows(ours)
    assert found["tiny", "late"]["late_submission_penalty"] == 5
    assert found["tiny", "wrong"]["score"] == 3
    assert found["tiny", "part"]["score"] == 3.25
    for course in (stock, ours):  # a second time, after a person and with changes
        grade_by_hand(course, "right")
        grade_by_hand(course, "late")
        with course.nbgrader().gradebook as book:
            book.grant_extension("tiny", "late", hours=1)
        hand_in(course, "right", **right | {"sum": "total = 5"}, stamp=None)
        hand_in(course, "blank", **right)
    grade_all()
    assert_same(stock, ours, students, "tiny")
    found = rows(ours)
    assert found["tiny", "late"]["total_seconds_late"] == 3600
    assert found["tiny", "right"]["timestamp"] == "2027-01-28T17:00:00"


@pytest.fixture(scope="module")
def sample_class(copy_course, tmp_path_factory):
    course = Course(copy_course(tmp_path_factory.mktemp("course")))
    config = course.assignments / "nbgrader_config.py"
    stock = "del c['Autograde']\nc.IgnorePattern.enabled = True\n"  # its own way
    stock += "c.IgnorePattern.pattern = '.*'\nc.Execute.timeout = 300\n"
    config.write_text(f"{config.read_text()}\n{stock}")
    release.release(course, "reinforce")
    sample.make_sample_class(course, ["reinforce"])
    return course


@pytest.mark.slow
def test_the_sample_class_has_the_rows_of_stock_nbgrader(sample_class, tmp_path):
    ours = copied(sample_class, tmp_path)
    students = ("sample-04-whole-episode", "sample-10-blank", "sample-11-late")
    for student in students:
        require(sample_class.nbgrader().autograde("reinforce", student), "autograde")
    enter(ours, *(mirrored(sample_class, ours, s, "reinforce") for s in students))
    assert_same(sample_class, ours, students, "reinforce")
    for student in students:
        result = ours.nbgrader().generate_feedback("reinforce", student)
        require(result, "generate_feedback")
    folder = ours.assignments / "feedback" / students[0] / "reinforce"
    assert "Every step got G_0" in (folder / "reinforce.html").read_text()
