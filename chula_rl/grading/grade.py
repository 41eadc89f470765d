"""Grade the submissions of an assignment: intake, pool, ledger, gradebook, feedback."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chula_rl.errors import AssignmentError, SubmissionError
from chula_rl.grading import intake, variants
from chula_rl.grading.course import Course
from chula_rl.grading.gradebook import Writer
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.limits import Limits
from chula_rl.grading.marks import status_of
from chula_rl.grading.records import REFUSED, Outcome
from chula_rl.grading.task import Task

_PACKAGE = Path(__file__).parents[1]
_PACKAGES = ("torch", "numpy", "gymnasium", "ipython", "msgpack", "nbformat")


@dataclass(frozen=True)
class Assignment:
    """What all submissions of an assignment have in common.

    Attributes:
        course: the course.
        name: of the assignment.
        trusted: its source notebook, as JSON.
        limits: of each submission.
        jailed: False runs students' code with the rights of the grader.
    """

    course: Course
    name: str
    trusted: str
    limits: Limits
    jailed: bool = True

    @classmethod
    def read(cls, course: Course, name: str, jailed: bool = True) -> "Assignment":
        """The assignment as it was released, with the limits of the course.

        Raises:
            AssignmentError: it is not released, or in another variant.
        """
        text = course.source(name)
        path = text.with_suffix(".ipynb")
        released = course.released(name) / path.name
        if not path.exists() or not released.exists():
            raise AssignmentError(
                f"'{name}' is not released; run `chula-rl assignments release {name}`."
            )
        limits = Limits.read(course.settings)
        variants.require(course.settings, name, path, released)
        return cls(course, name, path.read_text("utf-8"), limits, jailed)

    @property
    def source(self) -> str:
        """Hash of the source notebook, the limits and whether there is a sandbox."""
        rest = json.dumps([self.limits.to_dict(), self.jailed])
        return hashlib.sha256((self.trusted + rest).encode()).hexdigest()

    @property
    def ledger(self) -> Path:
        """Where its outcomes are kept."""
        return self.course.build / "grading" / self.name / "ledger.jsonl"


def students(course: Course, name: str) -> list[str]:
    """Who handed something in.

    Raises:
        AssignmentError: nobody did.
    """
    folders = sorted((course.assignments / "submitted").glob(f"*/{name}"))
    if not folders:
        raise AssignmentError(
            f"nobody handed in '{name}': assignments/submitted/STUDENT/{name}/ is "
            "where nbgrader collects; `chula-rl assignments sample-class` makes some."
        )
    return [folder.parent.name for folder in folders]


def task(assignment: Assignment, student: str, environment: str) -> Task | Outcome:
    """What there is to grade of a student, or that it was refused.

    Args:
        assignment: the assignment.
        student: whose.
        environment: as ``environment()`` gives it.
    """
    course, name = assignment.course, assignment.name
    hashes = assignment.source, environment
    try:
        found = intake.read(course.submitted(name, student), name, assignment.limits)
    except SubmissionError as error:
        submission = hashlib.sha256(f"refused: {error}".encode()).hexdigest()
        return Outcome(student, name, submission, *hashes, REFUSED, str(error))
    handed_in = f"{found.sha256} {found.timestamp}"
    return Task(
        *(student, name, found.notebook, assignment.trusted, assignment.limits),
        hashlib.sha256(handed_in.encode()).hexdigest(),
        *hashes,
        jailed=assignment.jailed,
    )


def environment() -> str:
    """Hash of the grader's code and of the packages that may change a mark."""
    digest = hashlib.sha256(platform.python_version().encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(_PACKAGE)}\n".encode() + path.read_bytes())
    for name in _PACKAGES:
        digest.update(f"{name}=={importlib.metadata.version(name)}\n".encode())
    return digest.hexdigest()


def preview(
    assignment: Assignment, ledger: Ledger, who: Iterable[str], again: bool
) -> Iterator[Task | Outcome]:
    """What is to be graded, as task, and what is known already, as outcome.

    Args:
        assignment: the assignment.
        ledger: its ledger.
        who: the students.
        again: whether to grade what has been graded before.
    """
    hash_ = environment()
    for student in who:
        found = task(assignment, student, hash_)
        known = None if again else ledger.find(found.key)
        yield known or found


class Books:
    """The ledger and the gradebook of an assignment, open for one run of grading.

    Args:
        assignment: the assignment.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self.ledger = Ledger(assignment.ledger)
        try:
            self._writer = Writer(assignment.course, assignment.name)
        except BaseException:
            self.ledger.close()
            raise

    def __enter__(self) -> "Books":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both."""
        self._writer.__exit__(None, None, None)
        self.ledger.close()

    def open_tasks(self, who: Iterable[str], again: bool) -> Iterator[Task | Outcome]:
        """What ``preview`` gives; known outcomes are entered if they are not there."""
        for item in preview(self._assignment, self.ledger, who, again):
            if isinstance(item, Outcome):
                if self.ledger.find(item.key) is None:  # just refused
                    self.ledger.append(item)
                there = self._writer.has(item.student) == (item.status != REFUSED)
                if not there or not self.ledger.entered(item.key):
                    self.enter(item)
            yield item

    def statuses(self) -> dict[str, tuple[str, str]]:
        """Status and reason of everybody who has been graded, by name."""
        found = {o.student: status_of(o) for o in self.ledger.in_gradebook()}
        return dict(sorted(found.items()))

    def record(self, outcome: Outcome) -> None:
        """Keep an outcome, then enter it in the gradebook."""
        self.ledger.append(outcome)
        self.enter(outcome)

    def enter(self, outcome: Outcome) -> None:
        """Enter an outcome in the gradebook."""
        self._writer.enter(outcome)
        self.ledger.mark_entered(outcome.key)
