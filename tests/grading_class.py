"""A small assignment, a class of any size, and the real command on it, watched."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from chula_rl.grading import cells, mistakes, release, sample, source
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course

NAME = "small"
FUNCTIONS = CONTRACT["reinforce"][:3]
DUE = "2027-01-20 12:00:00 UTC"
COMMAND = Path(sys.executable).with_name("chula-rl")
_SPACES = ("ipc", "mnt", "net", "pid", "user", "uts")
_KINDS = {7: "unreadable", 19: "blank"}  # of each forty


def make_course(root, copy_course, monkeypatch):
    """A course with the first three exercises of `reinforce` and its written answer."""
    course = Course(copy_course(root))
    text = source.text(course, "reinforce")
    begin, end = (
        text.index(f'+++ {{"nbgrader": {{"grade": false, "grade_id": "{name}"')
        for name in ("bounded-action-text", "baseline-text")
    )
    folder = course.assignments / "source" / NAME
    folder.mkdir()
    (folder / f"{NAME}.md").write_text(text[:begin] + text[end:])
    monkeypatch.setitem(CONTRACT, NAME, FUNCTIONS)
    release.release(course, NAME)
    with course.nbgrader().gradebook as book:
        book.update_or_create_assignment(NAME, duedate=DUE)
    return course


def hand_in(course, number):
    """A class: right and wrong in many ways, late, blank and unreadable."""
    choices = _choices(course)
    released = cells.read(course.released(NAME) / f"{NAME}.ipynb")
    for i in range(number):
        code = {name: texts[i % len(texts)] for name, texts in choices.items()}
        student = {"id": name_of(i), "kind": _KINDS.get(i % 40, "solved")}
        text = sample.submission(released, student | {"answer": f"As {i}."}, code)
        folder = course.submitted(NAME, name_of(i))
        folder.mkdir(parents=True)
        text = text.replace("import math", f"import math  # {i}", 1)
        (folder / f"{NAME}.ipynb").write_text(text)
        stamp = f"2027-01-{1 + i % 28:02} 18:00:00 UTC\n"
        (folder / "timestamp.txt").write_text(stamp)


def name_of(i):
    return f"student-{i:04}"


def refused(i):
    return _KINDS.get(i % 40) == "unreadable"


def copied(course, root, number=None):
    """A second copy of a course, with only so many of the class."""
    shutil.copytree(course.root, root)
    copy = Course(root)
    if number is not None:
        for folder in sorted((copy.assignments / "submitted").iterdir())[number:]:
            shutil.rmtree(folder)
    return copy


def _choices(course):
    """The reference and the catalogue's ways to write each function."""
    texts = {}
    for target in FUNCTIONS:
        text = source.function_source(target, course.package)
        lines = [line for line in text.split("\n") if "### " not in line]
        texts[target.split(":")[1]] = ["\n".join(lines)]
    for variant in mistakes.load("reinforce"):
        if variant.function in texts:
            texts[variant.function].append(variant.source)
    return texts


class Run:
    """`chula-rl grade` of the course's own copy of the package, as a process.

    Attributes:
        temporary: its folder of temporary files.
        seen: every process of the run that was there when one looked.
    """

    def __init__(self, course, temporary, *options, feedback=False):
        self.course, self.temporary = course, temporary
        self.seen = {}
        self._log = course.root.with_name(f"run-{id(self)}.log")
        options = options if feedback else ("--no-feedback", *options)
        with self._log.open("w") as log:
            self.process = psutil.Popen(
                [COMMAND, "grade", NAME, *options],
                cwd=course.root,
                env=environment(course, temporary),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group of its own, as in a terminal
            )
        self.look()

    @property
    def output(self):
        return self._log.read_text()

    def look(self):
        """All processes of the run that there are now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = [self.process, *self.process.children(recursive=True)]
            self.seen |= dict.fromkeys(found)
        return self.alive()

    def workers(self):
        """The processes that grade."""
        children = self.process.children()
        [server] = [p for p in children if "forkserver" in p.cmdline()[-1]]
        return server.children()

    def sandboxes(self):
        """The processes in which students' code runs, on the host's side."""
        found = [child for worker in self.workers() for child in worker.children()]
        return [child for child in found if child.name() == "bwrap"]

    def alive(self):
        return [process for process in self.seen if _runs(process)]

    def until(self, condition, pause=0.05, seconds=120):
        """Wait for something to happen while it runs."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"it has ended: {self.output}"
            assert time.monotonic() < end, self.output
            time.sleep(pause)

    def until_entered(self, number):
        """Wait for so many more submissions in the gradebook."""
        aim = entered(self.course) + number
        self.until(lambda: entered(self.course) >= aim)

    def end(self):
        """Wait for its end; give its exit status."""
        return self.process.wait(timeout=400)

    def nothing_survives(self, seconds=15):
        """Whether all its processes have ended, at the latest in a while."""
        end = time.monotonic() + seconds
        while self.alive() and time.monotonic() < end:
            time.sleep(0.05)
        return not self.alive()


def environment(course, temporary):
    """Of a run: its package, and nothing in its temporary folder that it left there."""
    caches = {"TORCHINDUCTOR_CACHE_DIR": str(course.root.with_name("torchinductor"))}
    folders = {"PYTHONPATH": str(course.root), "TMPDIR": str(temporary)}
    return os.environ | folders | caches


def _runs(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def entered(course):
    """How many have marks."""
    return len(list((course.assignments / "autograded").glob(f"*/{NAME}")))


def outcomes(course):
    """Every outcome that the ledger has ever got, in its order."""
    path = course.build / "grading" / NAME / "ledger.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line["outcome"] for line in lines if "outcome" in line]


def lasting(course):
    """The outcomes by student, without what clocks have measured."""
    clocks = ("cpu_seconds", "wall_seconds")
    return {
        outcome["student"]: {k: v for k, v in outcome.items() if k not in clocks}
        for outcome in outcomes(course)
    }


def files(folder):
    """The contents of all files under a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def rows(course):
    """All rows of the gradebook, with names in place of the ids that are random."""
    with contextlib.closing(
        sqlite3.connect(f"file:{course.assignments}/gradebook.db?mode=ro", uri=True)
    ) as book:
        book.row_factory = sqlite3.Row
        found = book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {
            table: [dict(row) for row in book.execute(f"SELECT * FROM {table}")]
            for (table,) in found.fetchall()
        }
    owners = {}
    for table, content in tables.items():
        for row in content:
            if re.fullmatch("[0-9a-f]{32}", str(row.get("id"))):
                owners.setdefault(row["id"], []).append((table, row))

    def named(row):
        return {
            column: name(value) if value in owners else value
            for column, value in row.items()
            if column != "id" or value not in owners
        }

    def name(id_):
        return [(table, named(row)) for table, row in owners[id_]]

    return {
        table: sorted(json.dumps(named(row), sort_keys=True) for row in content)
        for table, content in tables.items()
    }


def rows_of(course, students):
    """The rows that are about some students, or about none."""
    others = re.compile(r"student-\d+")
    return {
        table: [row for row in content if set(others.findall(row)) <= set(students)]
        for table, content in rows(course).items()
    }


class Watch:
    """Measures a run, and what it needs a submission, while it grades.

    Attributes:
        samples: what was there after so many submissions; see ``_sample``.
    """

    def __init__(self, run):
        self._run = run
        self.samples = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def report(self):
        """Each measure in the first and the last third of the run, after warm-up."""
        self._thread.join()
        number = self.samples[-1]["entered"]
        first = [s for s in self.samples if 0.1 < s["entered"] / number < 0.4]
        last = [s for s in self.samples if 0.7 < s["entered"] / number < 1]
        theirs = [o["cpu_seconds"] for o in outcomes(self._run.course) if o["results"]]
        parts = slice(number // 10, 4 * number // 10), slice(7 * number // 10, number)
        found = {
            "grader": (_a_submission(first), _a_submission(last)),
            "students": tuple(statistics.mean(theirs[part]) for part in parts),
        }
        for key in ("memory", "workers", "descriptors", "processes", "namespaces"):
            found[key] = tuple(
                statistics.median(sample[key] for sample in third)
                for third in (first, last)
            )
        return found

    def _watch(self):
        while self._run.process.poll() is None:
            self._run.look()
            with contextlib.suppress(psutil.Error, OSError):
                self.samples.append(self._sample())
            time.sleep(0.2)

    def _sample(self):
        """Of the processes that outlast a submission."""
        main, now = self._run.process, time.time()
        lasting = [p for p in self._run.alive() if p.create_time() < now - 5]
        return {
            "entered": entered(self._run.course),
            "seconds": sum(sum(p.cpu_times()[:2]) for p in lasting),
            "memory": main.memory_info().rss,
            "workers": sum(p.memory_info().rss for p in lasting if p != main),
            "descriptors": sum(p.num_fds() for p in lasting),
            "processes": len(lasting),
            "namespaces": len({s for p in lasting for s in _namespaces(p)}),
        }


def _namespaces(process):
    folder = Path(f"/proc/{process.pid}/ns")
    return [(folder / kind).readlink() for kind in _SPACES]


def _a_submission(samples):
    """CPU seconds of the grader, without the student's processes."""
    begin, end = samples[0], samples[-1]
    return (end["seconds"] - begin["seconds"]) / (end["entered"] - begin["entered"])
