"""What late submissions lose, in the gradebook, in tables and in the feedback."""

import contextlib
from pathlib import Path

import pytest
import test_grading_gradebook as tiny
from nbgrader.preprocessors import AssignLatePenalties

from chula_rl.errors import ConfigError
from chula_rl.grading import grade_command, late, marks
from chula_rl.grading.course import Course, require
from chula_rl.grading.late import LatePenalty, LatePolicy
from chula_rl.grading.limits import Limits
from chula_rl.grading.records import GRADED

MINUTE, HOUR, DAY = 60, 3600, 86_400
SETTING = "[late]\npercent_per_day = 10\n"
PLUGIN = "c.AssignLatePenalties.plugin_class = 'chula_rl.grading.late.LatePenalty'"
FEEDBACK = """
c.GenerateFeedback.exporter_class = "chula_rl.grading.feedback.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "chula_rl.grading.feedback.Grades", "chula_rl.grading.feedback.HideHiddenTests",
]"""
LATE = "2027-01-29 08:30:00 UTC\n"  # 14 and a half hours


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    course = tiny.make_course(tmp_path_factory.mktemp("late"))
    tiny.configure(course, PLUGIN)
    tiny.configure(course, FEEDBACK)
    return course


@pytest.fixture
def course(template, tmp_path):
    course = tiny.copied(template, tmp_path)
    (course.assignments / late.SETTINGS).write_text(SETTING)
    return course


def penalty(course, student):
    return tiny.rows(course)["tiny", student, "tiny"]["late_submission_penalty"]


def give(course, student, points):
    """As a person does it in formgrader."""
    with course.nbgrader().gradebook as book:
        grade = book.find_grade("answer", "tiny", "tiny", student)
        grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()


def renew(course):
    api = course.nbgrader()
    with api.gradebook as book:
        return late.renew(book, late.assigner(api), "tiny")


def hand_in_late(course, student, stamp=LATE):
    answers = {"sum": "total = 3", "answer": "Since 1 + 2 is 3."}
    tiny.hand_in(course, student, stamp=stamp, **answers)
    tiny.enter(course, tiny.outcome(course, student))


@pytest.mark.parametrize(
    ("policy", "seconds", "percent"),
    [
        (LatePolicy(), 10 * DAY, 0),
        (LatePolicy(percent_per_day=10), 0, 0),
        (LatePolicy(percent_per_day=10), 1, 10),
        (LatePolicy(percent_per_day=10), DAY, 10),
        (LatePolicy(percent_per_day=10), DAY + 1, 20),
        (LatePolicy(percent_per_day=10), 10 * DAY, 100),
        (LatePolicy(percent_per_day=10), 11 * DAY, 100),
        (LatePolicy(percent_per_day=12.5, max_percent=30), 3 * DAY, 30),
        (LatePolicy(grace_minutes=15, percent_per_day=10), 15 * MINUTE, 0),
        (LatePolicy(grace_minutes=15, percent_per_day=10), 15 * MINUTE + 1, 10),
        (LatePolicy(grace_minutes=15, percent_per_day=10), DAY + 15 * MINUTE, 10),
        (LatePolicy(cut_off_days=7), 7 * DAY, 0),
        (LatePolicy(cut_off_days=7), 7 * DAY + 1, 100),
        (LatePolicy(cut_off_days=0), 1, 100),
        (LatePolicy(grace_minutes=60, cut_off_days=0), HOUR, 0),
        (LatePolicy(percent_per_day=5, max_percent=20, cut_off_days=2), 2 * DAY, 10),
        (LatePolicy(percent_per_day=5, max_percent=20, cut_off_days=2), 3 * DAY, 100),
    ],
)
def test_what_a_submission_loses(policy, seconds, percent):
    assert policy.percent(seconds) == percent


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("percent_per_day = -1", "from 0 to 100"),
        ("percent_per_day = 101", "from 0 to 100"),
        ("max_percent = true", "is True"),
        ("grace_minutes = nan", "is nan"),
        ("cut_off_days = inf", "is inf"),
        ("cut_off_days = '7'", "from 0 up"),
        ("per_day = 10", "some of grace_minutes, percent_per_day"),
        ("percent_per_day = ", "Expected a table"),
    ],
)
def test_an_unsound_setting_is_refused(tmp_path, text, message):
    path = tmp_path / "grading.toml"
    path.write_text(f"[late]\n{text}\n")
    with pytest.raises(ConfigError, match=message):
        LatePolicy.read(path)


def test_a_course_without_the_table_has_no_policy(tmp_path):
    path = tmp_path / "grading.toml"
    assert LatePolicy.read(path) is None
    path.write_text("[limits]\nfiles = 7\n")
    assert LatePolicy.read(path) is None
    path.write_text("[limits]\nfiles = 7\n[late]\n")
    assert LatePolicy.read(path) == LatePolicy()
    assert Limits.read(path).files == 7


def test_the_course_has_the_plugin():
    step = late.assigner(Course(Path(__file__).parents[1]).nbgrader())
    assert isinstance(step, AssignLatePenalties)
    assert isinstance(step.plugin_inst, LatePenalty)


def test_without_the_table_the_setting_of_nbgrader_counts(course):
    (course.assignments / late.SETTINGS).unlink()
    hand_in_late(course, "ada")
    assert penalty(course, "ada") is None
    tiny.configure(course, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    assert renew(course) == ["ada"]
    assert penalty(course, "ada") == 5


def test_the_penalty_follows_points_settings_and_extensions(course):
    for student, stamp in (("ada", LATE), ("bob", "2027-01-28 17:00 UTC")):
        hand_in_late(course, student, stamp)
    assert (penalty(course, "ada"), penalty(course, "bob")) == (0.5, None)
    assert renew(course) == []
    give(course, "ada", 4.0)
    assert renew(course) == ["ada"]
    assert penalty(course, "ada") == 0.9
    (course.assignments / late.SETTINGS).write_text("[late]\ncut_off_days = 0\n")
    assert renew(course) == ["ada"]
    assert penalty(course, "ada") == 9
    with course.nbgrader().gradebook as book:
        book.grant_extension("tiny", "ada", days=1)
    assert renew(course) == ["ada"]
    assert penalty(course, "ada") is None


def test_a_setting_that_is_unsound_stops_before_anything_is_entered(course):
    hand_in_late(course, "ada")
    (course.assignments / late.SETTINGS).write_text("[late]\nper_day = 3\n")
    with pytest.raises(ConfigError, match="Expected a table"):
        renew(course)
    assert penalty(course, "ada") == 0.5


def test_tables_show_what_was_taken_off(course, tmp_path):
    hand_in_late(course, "ada")
    give(course, "ada", 4.0)
    [mark] = marks.read(course, "tiny", {"ada": (GRADED, "")})
    assert (mark.penalty, mark.total) == (0.9, 8.1)
    assert "8.1/10  late: 14.5 h, -0.9" in marks.table([mark])
    marks.write_csv([mark], tmp_path / "marks.csv")
    names, row = (tmp_path / "marks.csv").read_text().splitlines()
    found = dict(zip(names.split(","), row.split(","), strict=True))
    assert (found["seconds_late"], found["late_penalty"]) == ("52200", "0.9")
    assert (found["total"], found["max"]) == ("8.1", "10.0")


def test_the_feedback_shows_it_with_the_points_of_a_person(course):
    hand_in_late(course, "ada")
    hand_in_late(course, "bob", "2027-01-28 17:00 UTC")
    give(course, "ada", 4.0)
    for student in ("ada", "bob"):
        require(course.nbgrader().generate_feedback("tiny", student), "feedback")
    folder = course.assignments / "feedback"
    page = (folder / "ada" / "tiny" / "tiny.html").read_text()
    assert "<b>8.1</b> of 10 points" in page
    assert "&minus;0.9" in page
    assert "14.5 hours after the due date" in page
    assert penalty(course, "ada") == 0.9
    assert "Handed in late" not in (folder / "bob" / "tiny" / "tiny.html").read_text()


def test_pages_of_changed_penalties_are_written_again(course, monkeypatch):
    students = ["ada", "bob"]
    for student in students:
        hand_in_late(course, student)
        require(course.nbgrader().generate_feedback("tiny", student), "feedback")
    written = []

    class Api:
        def generate_feedback(self, name, student, force):
            written.append(student)
            return {"success": True}

    give(course, "bob", 4.0)
    changed = grade_command._renew_penalties(course, "tiny")
    assert changed == {"bob"}
    monkeypatch.setattr(Course, "nbgrader", lambda self: Api())
    grade_command._write_feedback(course, "tiny", students, changed)
    assert written == ["bob"]


@pytest.mark.slow
def test_stock_nbgrader_takes_off_the_same(course, tmp_path):
    answers = {"sum": "total = 3", "mean": "share = 3", "answer": "Since 1 + 2 is 3."}
    for student, stamp in (("ada", LATE), ("bob", "2027-02-03 18:00:01 UTC")):
        tiny.hand_in(course, student, stamp=stamp, **answers)
    ours = tiny.copied(course, tmp_path / "ours")
    for student in ("ada", "bob"):
        with contextlib.chdir(course.assignments):
            require(course.nbgrader().autograde("tiny", student), "autograde")
        tiny.enter(ours, tiny.outcome(ours, student))
    for student, expected in (("ada", 0.5), ("bob", 3.5)):
        assert penalty(course, student) == penalty(ours, student) == expected
