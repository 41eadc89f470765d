"""The command that writes marks as files: who has one, who has none, and why."""

import contextlib
import csv
import shutil

import pytest
import test_grading_gradebook as tiny

from chula_rl.cli import main
from chula_rl.grading import marks_command
from chula_rl.grading.grade import Assignment, environment, task
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.records import REFUSED, TIMED_OUT

ROSTER = (
    "Student,ID,SIS Login ID,Section,tiny (7)\r\n"
    "    Points Possible,,,,10\r\n"
    "Ada,1,ada,A,\r\nBob,2,bob,A,3\r\nEve,3,eve,A,\r\nMax,4,max,A,\r\n"
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Ada is marked, Bob is not, Eve timed out, Joe was refused, Zoe is not graded."""
    course = tiny.make_course(tmp_path_factory.mktemp("marks"))
    (course.assignments / "source" / "tiny" / "tiny.md").write_text("")  # its text
    for student in ("ada", "bob", "eve", "zoe"):
        tiny.hand_in(course, student, sum="total = 3", answer="Since <b> 1 + 2 is 3.")
    joe = course.submitted("tiny", "joe")
    joe.mkdir(parents=True)
    (joe / "tiny.ipynb").write_text("{")
    message = ("", "Half of it is <b>right</b>.")
    changes = {
        "ada": {"points": (2, 1.5), "messages": message},
        "bob": {"points": (2, 3)},
        "eve": {"points": (0, 0), "status": TIMED_OUT, "reason": "cell 3 took 30 s"},
    }
    outcomes = [
        with_hash(course, tiny.outcome(course, s, **c)) for s, c in changes.items()
    ]
    outcomes.append(task(Assignment.read(course, "tiny"), "joe", environment()))
    record(course, outcomes)
    give(course, "ada", "Well put, =2+2.")
    give(course, "eve")
    return course


@pytest.fixture
def course(template, tmp_path):
    return tiny.copied(template, tmp_path)


def with_hash(course, outcome):
    """The outcome of what the student has handed in."""
    found = task(Assignment.read(course, "tiny"), outcome.student, environment())
    return type(outcome)(**(vars(outcome) | {"submission": found.submission}))


def record(course, outcomes):
    with Ledger(Assignment.read(course, "tiny").ledger) as ledger:
        for outcome in outcomes:
            ledger.append(outcome)
            tiny.enter(course, outcome)
            ledger.mark_entered(outcome.key)


def give(course, student, comment=None):
    with course.nbgrader().gradebook as book:
        grade = book.find_grade("answer", "tiny", "tiny", student)
        grade.manual_score, grade.needs_manual_grade = 4.0, False
        if comment:
            found = book.find_comment("answer", "tiny", "tiny", student)
            found.manual_comment = comment
        book.db.commit()


def run(course, *options):
    with contextlib.chdir(course.root):
        return main(["assignments", "marks", "tiny", *map(str, options)])


def table(course, kind):
    path = course.build / "marks" / f"tiny-{kind}.csv"
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_everybody_who_handed_in_has_a_standing(course):
    found = marks_command.standing(course, "tiny")
    assert {mark.student: (mark.status, mark.total) for mark in found} == {
        "ada": ("graded", 7.5),
        "bob": ("to mark", 5),
        "eve": ("timed out", 4),
        "joe": (REFUSED, 0),
        "zoe": ("not graded", 0),
    }
    assert [marks_command.counts(mark, False) for mark in found] == [
        *(True, False, True, False, False)
    ]
    assert [marks_command.counts(mark, True) for mark in found] == [
        *(True, True, True, False, False)
    ]


def test_the_table_has_totals_of_final_marks_only(course, capsys):
    assert run(course) == 3
    totals = {row[0]: row[-2] for row in table(course, "csv")}
    assert totals.pop("student") == "total"
    assert totals == {"ada": "7.5", "bob": "", "eve": "4.0", "joe": "", "zoe": ""}
    printed = capsys.readouterr().out
    assert "bob has no mark: not marked by a person: answer; --partial" in printed
    assert "joe has no mark: refused: tiny.ipynb is not valid" in printed
    assert "zoe has no mark: not graded; run `chula-rl grade`" in printed
    assert "2 marks of 5 submissions: " in printed
    assert run(course, "--partial", "--out", course.root / "all.csv") == 3
    assert "3 marks of 5 submissions: " in capsys.readouterr().out


def test_marks_for_canvas(course, capsys):
    roster = course.root / "export.csv"
    roster.write_bytes(ROSTER.encode())
    assert run(course, "--format", "canvas", "--roster", roster) == 3
    assert [row[4] for row in table(course, "canvas")[2:]] == ["7.5", "3", "4", ""]
    printed = capsys.readouterr().out
    assert "bob is in the roster and has no mark" in printed
    assert "max is in the roster and has no mark" in printed
    options = ("--format", "canvas", "--roster", roster, "--partial")
    assert run(course, *options) == 3
    assert [row[4] for row in table(course, "canvas")[2:]] == ["7.5", "5", "4", ""]
    assert "bob had 3, now 5" in capsys.readouterr().out
    assert roster.read_bytes() == ROSTER.encode()


def test_marks_for_moodle_with_what_the_tests_found(course, capsys):
    assert run(course, "--format", "moodle") == 3
    header, ada, eve = table(course, "moodle")
    assert header == ["username", "tiny", "tiny feedback"]
    assert ada[:2] == ["ada", "7.5"]
    assert ada[2].splitlines() == [
        "7.5 of 10 points.",
        "sum: 2 of 2. All tests passed",
        "mean: 1.5 of 3. Half of it is &lt;b&gt;right&lt;/b&gt;.",
        "answer: 4 of 5. Marked by hand; see the comment",
        "Comment on answer: Well put, =2+2.",
    ]
    assert eve[2].startswith("4 of 10 points.\n")
    assert "cell 3 took 30 s" in eve[2]


def test_who_hands_in_again_is_graded_again_first(course, capsys):
    tiny.hand_in(course, "ada", sum="total = 4")
    assert run(course) == 3
    assert "ada has no mark: handed in again; run" in capsys.readouterr().out
    assert {row[0]: row[-2] for row in table(course, "csv")}["ada"] == ""


def test_everybody_with_a_mark_is_exit_status_0(course, capsys):
    for student in ("bob", "joe", "zoe"):
        shutil.rmtree(course.submitted("tiny", student))
    with course.nbgrader().gradebook as book:
        book.remove_student("bob")
    Assignment.read(course, "tiny").ledger.unlink()  # as if by `nbgrader autograde`
    assert run(course) == 0
    assert capsys.readouterr().out.startswith("2 marks of 2 submissions")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "canvas"], "give that file with --roster"),
        (["--roster", "x.csv"], "--roster has no meaning"),
        (["--match", "ID"], "--match has no meaning"),
        (["--format", "moodle", "--column", "x"], "--column has no meaning"),
        (
            ["--format", "canvas", "--roster", "x.csv", "--out", "./x.csv"],
            "so that the exported one is kept",
        ),
        (["--format", "moodle", "--roster", "x.csv"], "x.csv cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_refused(course, capsys, options, message):
    assert run(course, *options) == 2
    assert message in capsys.readouterr().err


def test_nothing_is_written_while_nobody_has_a_mark(tmp_path, capsys):
    course = tiny.make_course(tmp_path / "empty")
    (course.assignments / "source" / "tiny" / "tiny.md").write_text("")
    assert run(course) == 2
    assert "nobody handed in 'tiny'" in capsys.readouterr().err
    tiny.hand_in(course, "ada")
    assert run(course) == 2
    assert (
        "no submission of 'tiny' has a final mark yet: ada" in capsys.readouterr().err
    )
    assert not (course.build / "marks").exists()
