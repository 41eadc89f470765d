"""Hostile and broken submissions, graded together with honest ones.

What each hands in, and what it has to get, is in ``hostile/*.toml`` and
``hostile_class.py``.
"""

import contextlib
import csv
import hashlib
import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import hostile_class as hostile
import nbformat
import nbgrader
import psutil
import pytest
from hostile_class import EXERCISES, HONEST, NAME, SIGN, Submission
from hostile_html import Elements, wrong

from chula_rl.grading import bubblewrap, referee, source
from chula_rl.grading.grade import Assignment, task
from chula_rl.grading.graft import graft
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.limits import Limits
from chula_rl.grading.records import REFUSED
from chula_rl.grading.referee import MAX_MESSAGE
from chula_rl.grading.sandbox import Sandbox
from chula_rl.grading.session import Session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

COMMAND = Path(sys.executable).with_name("chula-rl")
LINE = "following = reward[t] + gamma * following"  # of the reference's solution
REFERENCE = "honest-reference"
WITH_FEEDBACK = (
    *("script-in-answer", "script-in-output", "snoop-files", "huge-error"),
    *("output-bomb", "patched-ipython-hooks", REFERENCE),
)
PLACES = (
    *("solution", "gradebook", "peer", "environment", "course", "assignments"),
    *("home", "scratch", "tmp"),
)
TRACE = "hostile-was-here"
MODES = [False, True] if os.geteuid() == 0 else [False]  # who starts the sandbox
IN_BOTH_MODES = (  # no fork bomb: the kernel does not count processes of the real root
    *(REFERENCE, "honest-noisy", "snoop-files", "change-gradebook", "network"),
    *("namespaces", "privileges", "kill-everything", "daemon", "wire-questions"),
    *("exit-in-a-function", "memory-of-children", "disk-bomb"),
)
NAMES = [
    submission.name for submission in [*hostile.from_files({}), *hostile.NOTEBOOKS]
]
NAMES += [submission.name for submission in [*hostile.FILES, *HONEST]] + [REFERENCE]


class Listener:
    """Listens to all that the hostile ones could reach, and counts who comes."""

    def __init__(self, folder):
        self.name, self.heard = f"hostile-{secrets.token_hex(8)}", []
        stream = socket.create_server(("127.0.0.1", 0))
        self.port = stream.getsockname()[1]
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagram.bind(("127.0.0.1", self.port))
        self._sockets = [stream, datagram]
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket is short
        for name in ("\0" + self.name, "socket"):
            local = socket.socket(socket.AF_UNIX)
            local.bind(name)
            local.listen()
            self._sockets.append(local)
        os.chdir(here)
        for each in self._sockets:
            each.settimeout(0.2)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while self._open:
            for each in self._sockets:
                with contextlib.suppress(TimeoutError):
                    if each.type == socket.SOCK_DGRAM:
                        self.heard.append(each.recv(1000))
                    else:
                        connection, _ = each.accept()
                        self.heard.append(connection)

    def close(self):
        self._open = False
        self._thread.join()
        for each in self._sockets:
            each.close()


class Watch:
    """Looks for processes of a run: its descendants, and those in its sandboxes."""

    def __init__(self, temporary):
        self._mark = str(temporary).encode()
        self.seen, self.most = {}, 0
        self._thread = None

    def __enter__(self):
        self._open = True
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._open = False
        self._thread.join()

    def _look(self):
        while self._open:
            found = self.in_sandboxes()
            self.most = max(self.most, len(found))
            self.seen |= {process.pid: process for process in found}
            with contextlib.suppress(psutil.Error):
                for process in psutil.Process().children(recursive=True):
                    self.seen[process.pid] = process
            time.sleep(0.3)

    def in_sandboxes(self):
        """Whatever namespace they are in: the sandbox's folder is mounted there."""
        found = []
        for pid in psutil.pids():
            with contextlib.suppress(OSError, psutil.Error):
                if self._mark in Path(f"/proc/{pid}/mountinfo").read_bytes():
                    found.append(psutil.Process(pid))
        return found

    def left(self):
        """Those that are still there."""
        gone_by = time.monotonic() + 10
        while time.monotonic() < gone_by:
            alive = [p for p in self.seen.values() if p.is_running()]
            alive = [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
            alive += self.in_sandboxes()
            if not alive:
                return []
            time.sleep(0.2)
        return alive


class Class:
    """The course with its class, where the secrets are, and how to grade it."""

    def __init__(self, root, copy_course):
        self.home, self.scratch = root / "home", root / "scratch"
        for folder in (self.home, self.scratch):
            folder.mkdir()
        # the path of a socket in it has to stay below 108 bytes
        self.temporary = Path(tempfile.mkdtemp(prefix="hostile-"))
        self.secrets = {
            place: f"{SIGN}{place}-{secrets.token_hex(8)}" for place in PLACES
        }
        self.course = hostile.make_course(
            root / "course", copy_course, self.secrets["solution"]
        )
        self.listener = Listener(self.scratch)
        self.tmp = Path("/tmp") / f"hostile-{secrets.token_hex(8)}"
        self._plant()
        self.submissions = {s.name: s for s in self._class()}
        for submission in self.submissions.values():
            hostile.hand_in(self.course, submission)

    def _plant(self):
        for place, folder in (
            *(("course", self.course.root), ("assignments", self.course.assignments)),
            *(("home", self.home), ("scratch", self.scratch)),
        ):
            (folder / "secret.txt").write_text(self.secrets[place])
        self.tmp.write_text(self.secrets["tmp"])
        with self.course.nbgrader().gradebook as book:
            book.update_or_create_student("x", last_name=self.secrets["gradebook"])

    def _class(self):
        cells = {"last": f"# {self.secrets['peer']}"}
        own_style, *others = HONEST
        yield Submission(own_style.name, points=own_style.points, cells=cells)
        yield from others
        texts = {
            target.split(":")[1]: source.function_source(target, self.course.package)
            for target in source.CONTRACT["reinforce"][:3]
        }
        texts = {
            name: "\n".join(x for x in text.split("\n") if "### " not in x)
            for name, text in texts.items()
        }
        yield Submission(REFERENCE, points=(2, 3, 1, 1), cells=texts)
        places = {
            "COURSE": str(self.course.root),
            "HOME": str(self.home),
            "SCRATCH": str(self.scratch),
            "PORT": str(self.listener.port),
            "SOCKET": self.listener.name,
            "REFERENCE": LINE.replace("+", '"\n "+'.replace("\n", "")),
        }
        yield from hostile.from_files(places)
        yield from hostile.NOTEBOOKS
        yield from hostile.FILES

    def grade(self, *options):
        environment = os.environ | {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "SECRET": self.secrets["environment"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLCONFIGDIR": str(self.temporary / "matplotlib"),
        }
        return subprocess.run(
            [COMMAND, "grade", NAME, "--jobs", "2", *options],
            cwd=self.course.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )

    def outcomes(self):
        path = self.course.build / "grading" / NAME / "ledger.jsonl"
        with Ledger(path) as ledger:
            return {outcome.student: outcome for outcome in ledger.latest().values()}

    def tree(self):
        """What is in the folders of the host, by path."""
        found = {}
        for folder in (self.course.root, self.home, self.scratch):
            for path in sorted(folder.rglob("*")):
                status = path.lstat()
                content = str(status.st_size)
                if stat.S_ISREG(status.st_mode) and status.st_size < 50_000_000:
                    content = hashlib.sha256(path.read_bytes()).hexdigest()
                found[str(path)] = (status.st_mode, status.st_uid, content)
        return found

    def close(self):
        self.listener.close()
        self.tmp.unlink()
        shutil.rmtree(self.temporary, ignore_errors=True)


class Graded:
    """What came out of grading the class."""

    def __init__(self, group):
        self.group = group
        self.before = group.tree()
        honest = [name for name in group.submissions if name.startswith("honest-")]
        options = [word for name in honest for word in ("--student", name)]
        group.grade("--no-feedback", *options)
        self.alone = {name: group.outcomes()[name] for name in honest}
        with Watch(group.temporary) as self.watch:
            start = time.monotonic()
            self.run = group.grade("--no-feedback", "--no-resume")
            self.seconds = time.monotonic() - start
        self.left = self.watch.left()
        self.outcomes = group.outcomes()
        with (group.course.build / "marks.csv").open() as file:
            self.marks = {row["student"]: row for row in csv.DictReader(file)}
        options = [word for name in WITH_FEEDBACK for word in ("--student", name)]
        self.feedback = group.grade("--no-resume", *options)
        self.after = group.tree()


@pytest.fixture(scope="module")
def group(copy_course, tmp_path_factory):
    group = Class(tmp_path_factory.mktemp("hostile"), copy_course)
    yield group
    group.close()


@pytest.fixture(scope="module")
def graded(group):
    return Graded(group)


@pytest.fixture(scope="module", params=MODES, ids=lambda root: f"as_root={root}")
def as_root(request):
    return request.param


@pytest.fixture(scope="module")
def sandbox(as_root):
    with Sandbox(as_root=as_root) as sandbox:
        yield sandbox


def test_the_class_is_as_large_as_it_has_to_be():
    assert len(NAMES) == len(set(NAMES))
    assert len(NAMES) - len(HONEST) - 1 >= 45


def test_the_batch_finishes(graded):
    assert graded.run.returncode == 3, graded.run.stdout  # some need a look
    assert set(graded.outcomes) == set(graded.group.submissions)
    assert "failed" not in {row["status"] for row in graded.marks.values()}
    assert graded.feedback.returncode in (0, 3), graded.feedback.stdout


@pytest.mark.parametrize("name", NAMES)
def test_each_submission_gets_what_it_has_to(graded, name):
    expected, outcome = graded.group.submissions[name], graded.outcomes[name]
    assert outcome.status == expected.status, outcome
    said = "; ".join([outcome.reason, *outcome.notes])
    assert hostile.matches(expected.notes, said), said
    if expected.status == REFUSED:
        assert outcome.results == ()
        assert outcome.notebook == ""
        return
    results = {result.name.removeprefix("test-"): result for result in outcome.results}
    assert {n: r.max_points for n, r in results.items()} == EXERCISES
    points = tuple(result.points for result in results.values())
    assert points == expected.points, outcome.results
    for exercise, pattern in expected.messages.items():
        assert hostile.matches(pattern, results[exercise].message), results[exercise]
    assert max(len(result.message) for result in outcome.results) <= MAX_MESSAGE
    text = hostile.text_of(outcome.outputs)
    assert hostile.matches(expected.shows, text), text[:3000]
    assert not expected.hides or not hostile.matches(expected.hides, text), text[:3000]
    assert len(json.dumps(outcome.outputs)) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_the_gradebook_says_the_same(graded, name):
    expected, row = graded.group.submissions[name], graded.marks[name]
    points = [float(row[f"test-{n}"] or 0) for n in EXERCISES]
    assert points == [float(p) for p in expected.points or [0] * 4]
    folder = graded.group.course.assignments / "autograded" / name
    assert (folder / NAME).exists() == (expected.status != REFUSED)


def test_honest_marks_are_as_when_the_honest_are_alone(graded):
    for name, alone in graded.alone.items():
        among = graded.outcomes[name]
        assert among.results == alone.results
        assert among.status == alone.status
        assert among.seed == alone.seed


def test_no_secret_of_the_host_comes_out(graded):
    group = graded.group
    texts = {
        name: json.dumps(outcome.to_dict()) for name, outcome in graded.outcomes.items()
    }
    for step in ("autograded", "feedback"):
        for path in (group.course.assignments / step).rglob("*"):
            if path.is_file():
                student = path.relative_to(group.course.assignments / step).parts[0]
                texts[student] += path.read_text(errors="replace")
    texts["the command"] = graded.run.stdout + graded.feedback.stdout
    for name, text in texts.items():
        found = [p for p, secret in group.secrets.items() if secret in text]
        assert found == (["peer"] if name == "honest-own-style" else []), name
        assert (LINE in text) == (name == REFERENCE), name
        assert f"{SIGN}shipped" not in text, name
    ledger = group.course.build / "grading" / NAME / "ledger.jsonl"
    for place in set(group.secrets) - {"peer"}:
        assert group.secrets[place] not in ledger.read_text()


def test_nothing_of_the_host_is_changed(graded):
    group, after = graded.group, graded.after
    root = group.course.root
    ours = [
        root / "_build",
        *(root / "assignments" / n for n in ("autograded", "feedback")),
    ]
    ours += [root / "assignments" / "gradebook.db"]
    changed = {
        path
        for path in graded.before.keys() | after.keys()
        if graded.before.get(path) != after.get(path)
        and not any(Path(path).is_relative_to(own) for own in ours)
    }
    assert changed == set()
    caches = ("matplotlib", "torchinductor_")  # the libraries' own
    left = [p.name for p in group.temporary.iterdir()]
    assert [name for name in left if not name.startswith(caches)] == []
    assert [path for path in after if Path(path).name == TRACE] == []
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/", "/root"):
        with contextlib.suppress(PermissionError):
            found = [
                p
                for p in Path(folder).glob(f"{TRACE}*")
                if group.listener.name in p.name or p.name == TRACE
            ]
            assert found == []


def test_no_process_survives(graded):
    assert graded.watch.most > 4, "the watch has to see sandboxes while they are there"
    assert graded.left == []


def test_nobody_is_called_from_a_sandbox(graded):
    assert graded.group.listener.heard == []
    with socket.create_connection(("127.0.0.1", graded.group.listener.port)):
        time.sleep(1.5)
    assert len(graded.group.listener.heard) == 1, "the listener has to listen"
    graded.group.listener.heard.clear()


def test_feedback_has_nothing_of_a_student_that_runs(graded):
    feedback = graded.group.course.assignments / "feedback"
    pages = {n: (feedback / n / NAME / f"{NAME}.html") for n in WITH_FEEDBACK}
    pages = {name: path.read_text() for name, path in pages.items()}
    ours = Elements(pages[REFERENCE]).found
    for name, page in pages.items():
        theirs = [element for element in Elements(page).found if element not in ours]
        assert list(wrong(theirs)) == [], name
        assert "BEGIN HIDDEN" not in page
    assert "&lt;script&gt;alert(" in pages["script-in-output"], "it is shown as text"


@pytest.mark.parametrize("name", IN_BOTH_MODES)
def test_as_root_and_as_an_ordinary_user(group, graded, sandbox, name):
    assignment = Assignment.read(group.course, NAME)
    found = task(assignment, name, "")
    trusted = nbformat.reads(assignment.trusted, as_version=4)
    notebook = graft(found.submitted, trusted).notebook
    names = referee.defined_names(trusted)
    verdict = referee.run(notebook, names, sandbox, found.limits, found.seed)
    assert tuple(r.points for r in verdict.results) == group.submissions[name].points
    assert tuple(verdict.results) == graded.outcomes[name].results
    text = hostile.text_of(verdict.outputs)
    assert hostile.matches(group.submissions[name].shows, text), text[:3000]
    assert SIGN not in text
    assert sandbox.alive
    assert group.listener.heard == []
    assert group.tree() == graded.after


def test_students_of_root_are_nobody_of_the_host(sandbox, as_root):
    session = Session(sandbox, Limits())
    [shown] = session.run("import os; print(os.getuid(), os.getgid(), os.getgroups())")
    session.close()
    user, group, *groups = shown["text"].split()
    if as_root:
        assert int(user) == int(group) > 60_000
        assert groups == ["[]"]


def test_an_installed_reference_is_not_in_the_sandbox(monkeypatch):
    installed = Path(nbgrader.__file__).parent  # where pip might have put the reference
    monkeypatch.setattr(bubblewrap, "PACKAGE", installed)
    with Sandbox() as here:
        session = Session(here, Limits())
        code = (
            "import importlib.util, os\n"
            "spec = importlib.util.find_spec('nbgrader')\n"
            "path = spec.submodule_search_locations[0]\n"
            "print(os.listdir(path))"
        )
        assert session.run(code)[0]["text"] == "[]\n"
        [error] = session.run("open(path + '/x', 'w')")
        assert error["ename"] in ("OSError", "PermissionError")
        session.close()
