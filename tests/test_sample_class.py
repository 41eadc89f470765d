import contextlib
import csv
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request

import pytest

from chula_rl.cli import main
from chula_rl.errors import AssignmentError, SubmissionError
from chula_rl.grading import cells, grade, intake, mistakes, release, sample
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.limits import Limits

NAME = "reinforce"
MACHINE = {**os.environ, "JUPYTER_CONFIG_DIR": os.devnull}


WRONG = {
    "whole_episode",
    "no_sum",
    "clipped_twice",
    "sign",
    "no_zero_grad",
    "no_e",
    "entropy_sign",
}


@pytest.fixture(scope="module")
def course(copy_course, tmp_path_factory):
    course = Course(copy_course(tmp_path_factory.mktemp("course")))
    release.release(course, NAME)
    sample.make_sample_class(course, [NAME])
    return course


@pytest.fixture(scope="module")
def plan(course):
    text = (course.assignments / "sample_class.toml").read_text()
    (found,) = [c for c in tomllib.loads(text)["class"] if c["assignment"] == NAME]
    return {student["id"]: student for student in found["student"]}


@pytest.fixture(scope="module")
def marks(course):
    """The whole class, graded as `chula-rl grade` does it."""
    with contextlib.chdir(course.root):
        assert main(["grade", NAME]) == 3  # one is refused
    with (course.build / "marks.csv").open() as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def submitted(course, student):
    return course.submitted(NAME, student) / f"{NAME}.ipynb"


def test_the_class_has_every_sort_of_student(plan):
    assert len(plan) >= 8
    kinds = {student.get("kind", "solved") for student in plan.values()}
    assert kinds == {"solved", "blank", "unreadable"}
    assert any("handed_in" in student for student in plan.values())
    assert {f for s in plan.values() for f in s.get("variants", {})} >= {
        "rewards_to_go",
        "gaussian_log_prob",
        "bounded_action",
        "reinforce_loss",
        "reinforce_update",
    }


def test_each_class_asks_for_what_its_catalogue_has(course):
    text = (course.assignments / "sample_class.toml").read_text()
    classes = {found["assignment"]: found for found in tomllib.loads(text)["class"]}
    assert set(classes) == set(course.names()) & set(CONTRACT)
    for name, found in classes.items():
        known = {(v.function, v.name) for v in mistakes.load(name)}
        for student in found["student"]:
            assert set(student.get("variants", {}).items()) <= known


def test_submissions_are_the_released_notebook_with_code(course, plan):
    for student, entry in plan.items():
        folder = course.submitted(NAME, student)
        if entry.get("kind") == "unreadable":
            with pytest.raises(SubmissionError, match="not JSON"):
                intake.read(folder, NAME, Limits())
            continue
        assert intake.read(folder, NAME, Limits()).notebook
        text = submitted(course, student).read_text()
        assert "SOLUTION" not in text
        assert "HIDDEN TESTS" not in text
        blank = "YOUR CODE HERE" in text
        assert blank == (entry.get("kind") == "blank")


def test_making_the_class_twice_gives_the_same_files(course, plan):
    before = {student: submitted(course, student).read_bytes() for student in plan}
    sample.make_sample_class(course, [NAME])
    after = {student: submitted(course, student).read_bytes() for student in plan}
    assert after == before


def test_the_due_date_of_the_instructor_is_kept(course):
    def due():
        with course.nbgrader().gradebook as gradebook:
            return gradebook.find_assignment(NAME).duedate

    ours = due()
    assert ours is not None
    with course.nbgrader().gradebook as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate="2030-01-01 12:00 UTC")
    sample.make_sample_class(course, [NAME])
    assert due().year == 2030
    with course.nbgrader().gradebook as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate=ours)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "sample-10-blank"', 'id = "ada"', "starts with 'sample-'"),
        ('"whole_episode"', '"nothing"', "no 'nothing' of rewards_to_go"),
        ('kind = "blank"', 'kind = "empty"', "unknown kind 'empty'"),
        ('kind = "blank"', 'sort = "blank"', "of the keys"),
    ],
)
def test_an_unsound_plan_is_refused(course, old, new, message):
    path = course.assignments / "sample_class.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        with pytest.raises(AssignmentError, match=message):
            sample.make_sample_class(course, [NAME])
    finally:
        path.write_text(text)
        sample.make_sample_class(course, [NAME])


def test_grading_asks_for_release_and_submissions_first(copy_course, tmp_path):
    empty = Course(copy_course(tmp_path))
    with pytest.raises(AssignmentError, match="is not released"):
        grade.Assignment.read(empty, NAME)
    with pytest.raises(AssignmentError, match="is not released"):
        sample.make_sample_class(empty, [NAME])


@pytest.mark.slow
def test_every_mistake_loses_exactly_its_own_points(marks, plan):
    reference = marks["sample-01-correct"]
    tests = [column for column in reference if column.startswith("test-")]
    for student, entry in plan.items():
        if entry.get("kind", "solved") != "solved":
            continue
        wrong = {
            f"test-{function}"
            for function, name in entry.get("variants", {}).items()
            if name in WRONG
        }
        got = {test: float(marks[student][test]) for test in tests}
        full = {test: float(reference[test]) for test in tests}
        assert got == {t: 0.0 if t in wrong else full[t] for t in tests}, student


@pytest.mark.slow
def test_the_reference_gets_full_marks(marks, course):
    reference = marks["sample-01-correct"]
    released = cells.read(course.released(NAME) / f"{NAME}.ipynb")
    for cell in released.cells:
        data = cell.metadata.get("nbgrader", {})
        if data.get("grade") and not data["solution"]:
            assert float(reference[data["grade_id"]]) == data["points"]


@pytest.mark.slow
def test_blank_late_and_unreadable_have_their_outcome(marks):
    assert float(marks["sample-10-blank"]["total"]) == 0
    assert marks["sample-10-blank"]["status"] == "graded"
    assert int(marks["sample-11-late"]["seconds_late"]) == 14 * 3600 + 31 * 60
    assert int(marks["sample-01-correct"]["seconds_late"]) == 0
    assert marks["sample-12-unreadable"]["status"] == "refused"
    assert "not JSON" in marks["sample-12-unreadable"]["reason"]
    assert marks["sample-01-correct"]["status"] == "to mark"


@pytest.mark.slow
def test_feedback_has_marks_and_no_hidden_test(marks, course):
    secret = course.source(NAME).read_text()
    hidden = re.findall(
        r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", secret, re.S
    )
    lines = {line.strip() for block in hidden for line in block.split("\n")}
    shown = (course.released(NAME) / f"{NAME}.ipynb").read_text()
    shown += "".join(sample.solutions(course, NAME).values())
    telling = {
        line
        for line in lines
        if len(line) > 40 and "&" not in line and line not in shown
    }
    assert len(telling) > 20
    for student, row in marks.items():
        path = course.assignments / "feedback" / student / NAME / f"{NAME}.html"
        assert path.exists() == (row["status"] != "refused")
        if path.exists():
            text = re.sub("<[^>]+>", "", path.read_text())
            assert "HIDDEN TESTS" not in text
            assert not [line for line in telling if line in text]


def nbgrader(course, *command):
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=course.assignments,
        env=MACHINE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


@pytest.mark.slow
def test_stock_autograde_feedback_and_export_work(marks, course, plan):
    student = "sample-04-whole-episode"
    shutil.rmtree(course.assignments / "autograded" / student)
    shutil.rmtree(course.assignments / "feedback" / student)
    nbgrader(course, "autograde", NAME, f"--student={student}")
    nbgrader(course, "generate_feedback", NAME, f"--student={student}")
    nbgrader(course, "export")
    assert (course.assignments / "feedback" / student / NAME).is_dir()
    with (course.assignments / "grades.csv").open() as file:
        exported = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(exported) == set(plan)
    for name, row in exported.items():
        assert float(row["raw_score"]) == float(marks[name]["total"])


@pytest.mark.slow
def test_the_page_of_stock_formgrader_lists_the_assignment(marks, course, plan):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
        *(f"--port={port}", "--IdentityProvider.token=test"),
        "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True",
    ]
    server = subprocess.Popen(
        command,
        cwd=course.assignments,
        env=MACHINE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def get(path):
        request = urllib.request.Request(
            f"http://localhost:{port}/{path}", headers={"Authorization": "token test"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    try:
        for _ in range(120):
            try:
                get("api/status")
                break
            except OSError:
                time.sleep(0.5)
        assert "formgrader" in get("formgrader")
        assert f'"name": "{NAME}"' in get("formgrader/api/assignments")
        students = get("formgrader/api/submissions/" + NAME)
        assert all(student in students for student in plan)
    finally:
        server.terminate()
        server.wait()
