"""The whole command on a class: kills, clusters, many submissions, two ways to grade.

The class is graded once without accidents; all else has to give the same gradebook.
To measure a larger class:

    CLASS_SIZE=1000 pytest tests/test_grading_runs.py -k flat -s -o timeout=3600
"""

import collections
import contextlib
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import grading_class
import nbformat
import pytest
from grading_class import NAME, Run, Watch, name_of

from chula_rl.cli import main
from chula_rl.errors import AssignmentError, SandboxError
from chula_rl.grading import cells, pool, scratch, worker
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.limits import Limits
from chula_rl.grading.records import Outcome
from chula_rl.grading.task import Task

SIZE = int(os.environ.get("CLASS_SIZE", "100"))
KILLS = 20
SOME_REFUSED = 3  # exit status
NBGRADER = (sys.executable, "-m", "nbgrader")


@pytest.fixture(scope="module")
def template(copy_course, tmp_path_factory):
    """A course with the class's submissions, none of them graded."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("template")
        course = grading_class.make_course(root, copy_course, patch)
    grading_class.hand_in(course, SIZE)
    return course


@pytest.fixture(scope="module")
def graded(template, tmp_path_factory):
    """The same class, graded in one go, and the measures of that run."""
    course = grading_class.copied(template, tmp_path_factory.mktemp("graded") / "c")
    with short_folder() as folder:
        run = Run(course, folder, "--jobs=2")
        watch = Watch(run)
        assert run.end() == SOME_REFUSED, run.output
        assert run.nothing_survives(), run.alive()
        assert list(folder.iterdir()) == []
    return course, watch


@pytest.fixture
def temporary():
    """A folder for temporary files, which has to be empty in the end."""
    with short_folder() as folder:
        yield folder
        assert list(folder.iterdir()) == []


@contextlib.contextmanager
def short_folder():
    """The name of a socket in it has to stay below 108 bytes, so it is no tmp_path."""
    with tempfile.TemporaryDirectory(prefix="runs-") as folder:
        yield Path(folder)


def assert_same(course, graded, number):
    """Gradebook, notebooks and ledger of the first students are those of the class."""
    students = {name_of(i) for i in range(number)}
    assert grading_class.rows(course) == grading_class.rows_of(graded, students)
    expected = grading_class.lasting(graded)
    assert grading_class.lasting(course) == {s: expected[s] for s in students}
    marked = grading_class.files(course.assignments / "autograded")
    assert marked == {
        path: content
        for path, content in grading_class.files(
            graded.assignments / "autograded"
        ).items()
        if path.split("/")[0] in students
    }


def assert_graded_once(course, number):
    counts = collections.Counter(o["student"] for o in grading_class.outcomes(course))
    assert counts == {name_of(i): 1 for i in range(number)}


@pytest.mark.slow
def test_the_class_is_worth_comparing(graded):
    course, _ = graded
    outcomes = grading_class.outcomes(course)
    assert_graded_once(course, SIZE)
    totals = {sum(r["points"] for r in o["results"]) for o in outcomes}
    assert {0, 6} < totals and len(totals) > 4
    assert len({o["seed"] for o in outcomes if o["results"]}) > 0.9 * SIZE
    assert {o["status"] for o in outcomes} == {"graded", "refused"}
    assert len({r["message"] for o in outcomes for r in o["results"]}) > 15
    rows = grading_class.rows(course)
    assert len(rows["submitted_assignment"]) == SIZE - SIZE // 40 - (SIZE % 40 > 7)
    released = cells.read(course.released(NAME) / f"{NAME}.ipynb")
    marked = [c for c in released.cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert len(rows["grade"]) == len(marked) * len(rows["submitted_assignment"])


@pytest.mark.slow
def test_a_long_run_stays_flat(graded):
    """Nothing grows with the number of submissions, and nothing is left in the end."""
    report = graded[1].report()
    for key, (first, last) in report.items():
        print(f"{key:12} {first:16,.4f} {last:16,.4f}  {last / first:.3f}")
    seconds = [
        sum(both) for both in zip(report["grader"], report["students"], strict=True)
    ]
    assert seconds[1] < 1.3 * seconds[0]
    assert report["memory"][1] < report["memory"][0] + 4e6
    assert report["workers"][1] < 1.05 * report["workers"][0]
    for key in ("descriptors", "processes", "namespaces"):
        assert report[key][1] <= report[key][0] + 2, key


def moments(number):
    """When to kill: while it starts, grades, or writes a submission's marks."""
    draw = random.Random(4)

    def while_starting(run):
        time.sleep(draw.uniform(0, 5))

    def while_grading(run):
        run.until_entered(draw.randint(1, 4))
        time.sleep(draw.uniform(0, 0.3))

    def while_writing(run):
        run.until_entered(draw.randint(1, 4))
        marks = run.course.assignments
        run.until(lambda: (marks / "gradebook.db-journal").exists(), pause=0.001)
        time.sleep(draw.uniform(0, 0.01))

    kinds = 2 * [while_starting, while_writing] + [while_grading]
    found = [kinds[i % len(kinds)] for i in range(number)]
    draw.shuffle(found)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_run_that_is_killed_and_killed_again(template, graded, tmp_path, temporary):
    course = grading_class.copied(template, tmp_path / "c")
    ledger = course.build / "grading" / NAME / "ledger.jsonl"
    kept, hit = b"", collections.Counter()
    for moment in moments(KILLS):
        run = Run(course, temporary, "--jobs=2")
        moment(run)
        run.look()
        assert run.process.poll() is None, "it ended before it was killed"
        run.process.kill()
        run.process.wait()
        assert run.nothing_survives(), run.alive()
        hit[moment.__name__] += (course.assignments / "gradebook.db-journal").exists()
        now = ledger.read_bytes() if ledger.exists() else b""
        assert now.startswith(kept), "an outcome that was kept is lost"
        kept = now[: now.rfind(b"\n") + 1]
    assert hit["while_writing"] > 0
    run = Run(course, temporary, "--jobs=2")
    assert run.end() == SOME_REFUSED, run.output
    assert ledger.read_bytes().startswith(kept)
    assert_graded_once(course, SIZE)
    assert_same(course, graded[0], SIZE)


@pytest.mark.slow
def test_control_c_and_the_command_that_it_prints(
    template, graded, tmp_path, temporary
):
    number = 12
    course = grading_class.copied(template, tmp_path / "c", number)
    run = Run(course, temporary, "--jobs=2", feedback=True)
    run.until_entered(3)
    run.look()
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.end() == 130, run.output
    assert run.nothing_survives(), run.alive()
    assert "Traceback" not in run.output
    assert list(temporary.iterdir()) == []
    before = grading_class.outcomes(course)
    assert 3 <= len(before) < number
    printed = shlex.split(run.output.rstrip().splitlines()[-1])
    assert printed == ["chula-rl", "grade", NAME, "--jobs", "2"]
    run = Run(course, temporary, *printed[3:], feedback=True)
    assert run.end() == SOME_REFUSED, run.output
    assert grading_class.outcomes(course)[: len(before)] == before
    assert_graded_once(course, number)
    assert_same(course, graded[0], number)
    pages = list((course.assignments / "feedback").glob(f"*/{NAME}/{NAME}.html"))
    assert len(pages) == number - 1, "those graded before Ctrl-C have a page as well"


@pytest.mark.slow
def test_accidents_in_mid_run(template, graded, tmp_path, temporary):
    """A second command, a worker that is killed, two sandboxes that are."""
    number = 40
    course = grading_class.copied(template, tmp_path / "c", number)
    run = Run(course, temporary, "--jobs=2")
    run.until((course.build / "grading" / NAME / "ledger.jsonl").exists)
    second = Run(course, temporary, "--jobs=2")
    for victims in (run.sandboxes, run.workers, run.sandboxes):
        run.until_entered(2)
        run.until(victims)
        random.Random(6).choice(victims()).kill()
    assert second.end() == 2
    assert f"is running (pid {run.process.pid})" in second.output
    assert "run the same command again" in second.output
    assert run.end() == SOME_REFUSED, run.output
    assert run.nothing_survives(), run.alive()
    assert_graded_once(course, number)
    assert_same(course, graded[0], number)


KILLS_ITS_SANDBOX = """import psutil

for process in psutil.Process().children():
    if process.name() == "bwrap":
        process.kill()
while answer() == 42:  # until the kernel has ended what was in it
    pass"""


@pytest.mark.slow
def test_a_sandbox_that_dies_in_the_last_test_costs_no_points():
    def marked(test):
        return worker.grade(tiny_task("def answer():\n    return 42", test))

    try:
        with pytest.raises(SandboxError, match="without a report"):
            marked(KILLS_ITS_SANDBOX)
        [right] = marked("assert answer() == 42").results
        [wrong] = marked("assert answer() == 41, 'Add one.'").results
    finally:
        worker.close()
    assert (right.points, right.message) == (2, "")
    assert (wrong.points, wrong.message) == (0, "AssertionError: Add one.")


def tiny_task(solution, test):
    """A task with one solution and the text of its test."""
    notebook = nbformat.v4.new_notebook()
    for name, text, solved in (("s", solution, True), ("t", test, False)):
        data = {"grade_id": name, "grade": not solved, "solution": solved}
        data |= {"locked": not solved, "schema_version": 3, "task": False}
        data |= {} if solved else {"points": 2}
        metadata = {"nbgrader": data}
        cell = nbformat.v4.new_code_cell(text, id=name, metadata=metadata)
        notebook.cells.append(cell)
    task = a_task("ada")
    return replace(task, submitted=notebook, trusted=nbformat.writes(notebook))


@pytest.mark.slow
def test_a_dask_worker_is_killed(template, graded, tmp_path, temporary):
    number = 40
    course = grading_class.copied(template, tmp_path / "c", number)
    with dask_cluster(course, temporary) as (address, workers):
        run = Run(course, temporary, f"--cluster={address}")
        run.until_entered(5)
        os.kill(workers[0], signal.SIGKILL)
        assert run.end() == SOME_REFUSED, run.output
    assert_graded_once(course, number)
    assert_same(course, graded[0], number)
    assert run.nothing_survives(), run.alive()


@pytest.mark.slow
def test_a_cluster_with_another_version_is_refused(template, tmp_path, temporary):
    course = grading_class.copied(template, tmp_path / "c", 1)
    (course.package / "grading" / "another.py").write_text("")
    with dask_cluster(template, temporary) as (address, _):
        run = Run(course, temporary, f"--cluster={address}")
        assert run.end() == 2
    assert "has another version of Python, of chula_rl" in run.output
    assert grading_class.outcomes(course) == []


@contextlib.contextmanager
def dask_cluster(course, temporary):
    """Two processes of Dask with the course's package: the address, their ids."""
    code = (
        "from distributed import LocalCluster\n"
        "options = {'threads_per_worker': 1, 'dashboard_address': None}\n"
        "with LocalCluster(n_workers=2, processes=True, **options) as cluster:\n"
        "    pids = [worker.pid for worker in cluster.workers.values()]\n"
        "    print(cluster.scheduler_address, *pids, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=course.root,
        env=grading_class.environment(course, temporary),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        address, *workers = process.stdout.readline().split()
        try:
            yield address, list(map(int, workers))
        finally:
            process.communicate("\n")
    shutil.rmtree(temporary / "dask-scratch-space")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        scratch.sweep()  # of the worker that was killed


@pytest.mark.slow
def test_marks_do_not_depend_on_jobs_time_or_command(
    template, graded, tmp_path, temporary
):
    again = grading_class.copied(graded[0], tmp_path / "again")
    options = [f"--student={name_of(i)}" for i in range(10)]
    run = Run(again, temporary, "--jobs=1", "--no-resume", *options)
    assert run.end() == SOME_REFUSED, run.output
    outcomes = grading_class.outcomes(again)
    assert [o["student"] for o in outcomes[SIZE:]] == [
        name_of(i) for i in range(10) if not grading_class.refused(i)
    ]
    assert_same(again, graded[0], SIZE)

    stock = grading_class.copied(template, tmp_path / "stock")
    students = {name_of(i) for i in range(10, 18)}
    subprocess.run(
        [*NBGRADER, "autograde", NAME, "--student=student-001[0-7]"],
        cwd=stock.assignments,
        env=grading_class.environment(stock, temporary)
        | {"JUPYTER_CONFIG_DIR": os.devnull},
        check=True,
        capture_output=True,
    )
    assert grading_class.rows(stock) == grading_class.rows_of(graded[0], students)
    for student in students:
        ours, theirs = (
            cells.read(c.assignments / "autograded" / student / NAME / f"{NAME}.ipynb")
            for c in (graded[0], stock)
        )
        assert ours == theirs


def refusal(course, path):
    """What `chula-rl grade` says when it refuses, in a process with this PATH."""
    done = subprocess.run(
        [grading_class.COMMAND, "grade", NAME],
        cwd=course.root,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(course.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stdout
    return done.stderr


def test_without_bubblewrap_it_refuses_at_once(template, tmp_path):
    course = grading_class.copied(template, tmp_path / "c", 3)
    before = grading_class.files(course.root)
    said = refusal(course, str(grading_class.COMMAND.parent))
    assert "sudo apt-get install bubblewrap" in said
    assert grading_class.files(course.root) == before


def test_where_bubblewrap_may_do_nothing_it_refuses_at_once(template, tmp_path):
    course = grading_class.copied(template, tmp_path / "c", 3)
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'No permission to make a namespace' >&2; exit 1"
    )
    program.chmod(0o755)
    said = refusal(course, f"{tmp_path}:{os.environ['PATH']}")
    assert "No permission to make a namespace" in said
    assert "--unsafe-no-sandbox" in said


def test_a_dry_run_changes_nothing(template, tmp_path, monkeypatch, capsys):
    course = grading_class.copied(template, tmp_path / "c", 10)
    monkeypatch.chdir(course.root)
    before = stamped(course.root)
    assert main(["grade", NAME, "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "student-0000: would be graded"
    assert said[7].startswith("student-0007: would be refused: small.ipynb is not")
    assert len(said) == 10
    assert stamped(course.root) == before


def test_a_dry_run_reads_the_ledger_beside_a_run(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger.append(outcome := Outcome("ada", NAME, "s", "a", "e", "graded"))
        with path.open("a") as file:
            file.write('{"format": 1, "outc')  # it is just being written
        text = path.read_bytes()
        with Ledger(path, read_only=True) as reader:
            assert reader.find(outcome.key) == outcome
        assert path.read_bytes() == text


def stamped(folder):
    """All files and folders with their contents and times."""
    contents = grading_class.files(folder)
    times = {
        str(path): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }
    return contents, times


@pytest.mark.slow
def test_resubmission_and_students_that_are_named(template, tmp_path, monkeypatch):
    course = grading_class.copied(template, tmp_path / "c", 3)
    monkeypatch.chdir(course.root)
    monkeypatch.setattr("chula_rl.grading.grade.environment", lambda: "as it was")

    def grade(*options):
        assert main(["grade", NAME, "--jobs=1", *options]) == 0
        return [o["student"] for o in grading_class.outcomes(course)]

    first, second, third = (name_of(i) for i in range(3))
    good, bad = (hand_in_of(course, student) for student in (first, second))
    assert sorted(grade()) == [first, second, third]
    before = grading_class.rows(course), pages(course)
    low = points(course, second)
    assert low < points(course, first)

    put_in_place(course, first, bad)
    put_in_place(course, second, good)
    assert grade("--student", first)[3:] == [first]
    changed = pages(course)
    assert points(course, first) == points(course, second) == low
    assert changed[first] != before[1][first]
    assert changed[second] == before[1][second]

    put_in_place(course, first, good)
    assert grade("--student", first)[4:] == [], "it has been graded before"
    assert (grading_class.rows(course), pages(course)) == before


def hand_in_of(course, student):
    return (course.submitted(NAME, student) / f"{NAME}.ipynb").read_text()


def put_in_place(course, student, text):
    (course.submitted(NAME, student) / f"{NAME}.ipynb").write_text(text)


def pages(course):
    found = (course.assignments / "feedback").glob(f"*/{NAME}/{NAME}.html")
    return {page.parts[-3]: page.read_bytes() for page in found}


def points(course, student):
    with course.nbgrader().gradebook as book:
        return book.find_submission(NAME, student).score


def test_the_folder_of_a_killed_process_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = tmp_path / "chula-rl-scratch-of-nobody"
    code = (
        "import os, time; from chula_rl.grading.scratch import Scratch;"
        "a = Scratch(); (a.path / 'file').touch(); print(a.path, flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as other:
        theirs = Path(other.stdout.readline().strip())
        kept.symlink_to(theirs)
        ours = scratch.Scratch()
        scratch.sweep()
        assert (theirs / "file").exists(), "its process runs"
        other.kill()
    scratch.sweep()
    assert set(tmp_path.iterdir()) == {ours.path, kept}
    ours.close()
    assert list(tmp_path.iterdir()) == [kept]


def a_task(student):
    hashes = "submission", "source", "environment"
    return Task(student, NAME, {}, "", Limits(), *hashes)


def an_outcome(task):
    return Outcome(*task.key, "graded")


@contextlib.contextmanager
def threads():
    with ThreadPoolExecutor(1) as executor:
        yield executor, lambda: False


def test_the_machinery_gets_three_tries(monkeypatch):
    tries = collections.Counter()

    def grade(task):
        tries[task.student] += 1
        if task.student == "unlucky" or tries[task.student] < pool.TRIES:
            raise SandboxError("no room")
        return an_outcome(task)

    monkeypatch.setattr(pool, "_grade", grade)
    tasks = [a_task("ada"), a_task("unlucky"), a_task("bob")]
    found = {}
    for item in pool.run(tasks, threads, 1):
        found[item.key if isinstance(item, Outcome) else item.task.key] = item
    assert set(tries.values()) == {pool.TRIES}
    failure = found.pop(tasks[1].key)
    assert failure == pool.Failure(tasks[1], "SandboxError: no room")
    assert list(found.values()) == [an_outcome(tasks[0]), an_outcome(tasks[2])]


def test_tasks_are_read_as_they_are_needed(monkeypatch):
    read = []

    def tasks():
        for i in range(20):
            read.append(i)
            yield a_task(name_of(i))

    monkeypatch.setattr(pool, "_grade", an_outcome)
    for done, _ in enumerate(pool.run(tasks(), threads, 1), 1):
        assert len(read) <= done + 2
    assert done == 20


def test_a_lost_cluster_is_said(monkeypatch):
    @contextlib.contextmanager
    def lost():
        with ThreadPoolExecutor(1) as executor:
            never = Event()
            executor.submit(never.wait)  # so that nothing else is done
            try:
                yield executor, lambda: True
            finally:
                never.set()

    monkeypatch.setattr(pool, "_grade", an_outcome)
    monkeypatch.setattr(pool, "_LOOK_SECONDS", 0.01)
    with pytest.raises(AssignmentError, match=r"lost.*run the same command again"):
        list(pool.run([a_task("ada")], lost, 1))
