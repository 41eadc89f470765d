"""How fast grading is: ours beside stock nbgrader, on the same submissions."""

import ctypes
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
from nbformat import NotebookNode

from chula_rl.errors import AssignmentError, ConfigError
from chula_rl.grading import cells, sample, variants
from chula_rl.grading.course import Course
from chula_rl.grading.edition import PACKAGE
from chula_rl.grading.graft import SKIP
from chula_rl.grading.inside.warm import warm_up

NAME = "reinforce"
_TRAINING = ("training-text", "training-rule", "test-training")
_CHULA_RL = (sys.executable, "-c", "from chula_rl.cli import main; exit(main())")
_PLAIN_RUNS = 9
_RUNS = range(3)  # of our command, which is over in seconds
_PR_SET_CHILD_SUBREAPER = 36
_STOCK = """
c = get_config()
c.CourseDirectory.course_id = "chula_rl"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "feedback", "*.md", "*.toml"]
c.Execute.timeout = 120
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = ".*"
"""


class Speed(NamedTuple):
    """What grading a class took.

    Attributes:
        wall: seconds from the command to its end.
        cpu: seconds of the processor, of all processes.
    """

    wall: float
    cpu: float


def grading_table(submissions: int = 40, jobs: int = 2) -> Iterator[str]:
    """The lines of a table, each as soon as it is measured.

    A class hands in the reference's solution of an assignment without its training.
    Stock ``nbgrader autograde`` and ``chula-rl grade`` grade it, each into a gradebook
    of its own; of our runs the median counts. What one more submission takes is told
    from runs with few and runs with all of them; the same cells run in plain Python,
    without a sandbox, for comparison.

    Args:
        submissions: in the class.
        jobs: of ``chula-rl grade``.

    Raises:
        ConfigError: no job, or not more submissions than jobs.
        AssignmentError: a command failed, or somebody has less than full marks.
    """
    if not 0 < jobs < submissions:
        raise ConfigError(
            f"{submissions} submissions and {jobs} jobs; expected at least 1 job, and "
            "more submissions than jobs."
        )
    with tempfile.TemporaryDirectory(prefix="chula-rl-bench-") as folder:
        ours, stock = Path(folder, "ours"), Path(folder, "stock")
        _make_course(ours)
        _hand_in(Course(ours), submissions)
        shutil.copytree(ours, stock, symlinks=True)
        (stock / "assignments" / "nbgrader_config.py").write_text(_STOCK)
        yield f"{submissions} submissions of {NAME} without training, {jobs} jobs"
        yield f"{'':22}{'seconds':>9}{'a second':>10}{'CPU s each':>12}"
        tool = [sys.executable, "-m", "nbgrader", "autograde", NAME]
        theirs = _measured(tool, stock / "assignments")
        _check_marks(Course(stock), submissions)
        yield _line("nbgrader autograde", theirs, submissions)
        tool = [*_CHULA_RL, "grade", NAME, f"--jobs={jobs}", "--no-feedback"]
        few = [f"--student={student(number)}" for number in range(jobs)]
        start = _median(_measured([*tool, "--no-resume", *few], ours) for _ in _RUNS)
        speed = _median(_measured([*tool, "--no-resume"], ours) for _ in _RUNS)
        _check_marks(Course(ours), submissions)
        yield _line("chula-rl grade", speed, submissions)
        yield f"{'ratio':22}{theirs.wall / speed.wall:9.1f}"
        each = (speed.cpu - start.cpu) / (submissions - jobs)
        plain = _plain_python(_trusted(Course(ours)), jobs)
        for what, seconds in (
            ("start-up, in all", start.cpu - jobs * each),
            ("a further submission", each),
            ("its cells, plain", plain),
            ("overhead of each", each - plain),
        ):
            yield f"{what:22}{'':19}{seconds:12.2f}"


def _median(runs: Iterable[Speed]) -> Speed:
    walls, cpus = zip(*runs, strict=True)
    return Speed(statistics.median(walls), statistics.median(cpus))


def _line(name: str, speed: Speed, submissions: int) -> str:
    rate, each = submissions / speed.wall, speed.cpu / submissions
    return f"{name:22}{speed.wall:9.1f}{rate:10.2f}{each:12.2f}"


def _make_course(root: Path) -> None:
    """A copy of the course whose assignment has no training in it, released."""
    here = Course(PACKAGE.parent)
    target = root / "assignments"
    (target / "source" / NAME).mkdir(parents=True)
    for file in ("nbgrader_config.py", "student_readme.md"):
        shutil.copy(here.assignments / file, target)
    for file in ("pyproject.toml", "LICENSE"):
        shutil.copy(here.root / file, root)
    (root / "chula_rl").symlink_to(PACKAGE)
    varied = here.source(NAME).with_name(variants.FILE)
    for path in filter(Path.exists, (varied, here.rubric(NAME), here.settings)):
        copied = root / path.relative_to(here.root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    notebook = jupytext.read(here.source(NAME))
    notebook.cells = [cell for cell in notebook.cells if not _is_training(cell)]
    jupytext.write(notebook, target / "source" / NAME / f"{NAME}.md", fmt="md:myst")
    _measured([*_CHULA_RL, "assignments", "release", NAME], root)


def _is_training(cell: NotebookNode) -> bool:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return grade_id in _TRAINING or SKIP in cell.metadata.get("tags", ())


def _hand_in(course: Course, submissions: int) -> None:
    """Each hands in the same solution, with a comment of their own."""
    released = cells.read(course.released(NAME) / f"{NAME}.ipynb")
    code = sample.solutions(course, NAME)
    for number in range(submissions):
        released.cells[-1].source += f"\n\n{number}"
        answers = {"id": student(number), "answer": "It depends on the state only."}
        text = sample.submission(released, answers, code)
        folder = course.submitted(NAME, student(number))
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_text(text, "utf-8")


def student(number: int) -> str:
    """The name of a student of the class."""
    return f"student-{number:04}"


def _trusted(course: Course) -> NotebookNode:
    return cells.read(course.source(NAME).with_suffix(".ipynb"))


def _measured(command: list[str], folder: Path) -> Speed:
    """Run a command; count the time of all that it starts, orphans included."""
    libc: Any = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, start = _cpu(), time.perf_counter()
    env = {**os.environ, "OMP_NUM_THREADS": "1", "JUPYTER_CONFIG_DIR": os.devnull}
    env["PATH"] = str(Path(sys.executable).parent) + os.pathsep + env["PATH"]
    result = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    wall = time.perf_counter() - start
    while True:  # what the command left behind is ours now, and soon at its end
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    if result.returncode != 0:
        raise AssignmentError(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}")
    return Speed(wall, _cpu() - before)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _check_marks(course: Course, submissions: int) -> None:
    """All have full marks in the tests: else the two did not do the same."""
    full = sum(
        cell.metadata.nbgrader.points
        for cell in _trusted(course).cells
        if cells.cell_kind(cell, cell.id) == "test"
    )
    with course.nbgrader().gradebook as gradebook:
        scores = [s.score for s in gradebook.assignment_submissions(NAME)]
    if scores != [full] * submissions:
        raise AssignmentError(f"scores of {scores}; expected {submissions} of {full}.")


def _plain_python(notebook: NotebookNode, jobs: int) -> float:
    """CPU seconds of the same cells without a grader, on as busy a machine."""
    warm_up()
    context = multiprocessing.get_context("fork")  # leaves no process behind
    with ProcessPoolExecutor(jobs, context) as pool:
        found = [pool.submit(_plain_runs, notebook) for _ in range(jobs)]
        return statistics.median(second for one in found for second in one.result())


def _plain_runs(notebook: NotebookNode) -> list[float]:
    """CPU seconds of the cells in this process: tests, solutions, reference."""
    seconds = []
    for _ in range(_PLAIN_RUNS):
        start = time.process_time()
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, f"<{cell.id}>", "exec"), namespace)
        seconds.append(time.process_time() - start)
    return seconds
