"""What grading one submission gives: plain data, the same on every machine."""

from dataclasses import asdict, dataclass, field
from typing import Any

from chula_rl.errors import AssignmentError

GRADED = "graded"
REFUSED = "refused"  # at the intake, before any code ran
TIMED_OUT = "timed out"  # graded up to there; what was not reached has no points
OUT_OF_MEMORY = "out of memory"  # likewise
STATUSES = (GRADED, REFUSED, TIMED_OUT, OUT_OF_MEMORY)


@dataclass(frozen=True)
class CellResult:
    """The outcome of one test cell.

    Attributes:
        name: the cell's ``grade_id``.
        points: what it earned.
        max_points: what it could earn.
        message: what the student reads; empty if the tests passed.
    """

    name: str
    points: float
    max_points: float
    message: str = ""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one submission: a pure function of the three hashes.

    Attributes:
        student: whose.
        assignment: its name.
        submission: SHA-256 of what was handed in.
        source: SHA-256 of the assignment's source notebook, limits and seed rule.
        environment: SHA-256 of the grader's code and the versions of its packages.
        status: one of ``STATUSES``.
        reason: why it was refused or cut short; empty if graded.
        notes: what was put right before grading, in words for the student.
        results: of each test cell, in the order of the notebook.
        outputs: what each other code cell showed, as outputs of nbformat, by cell id.
        notebook: the grafted notebook as JSON, without outputs; empty if refused.
        seed: of the random inputs of its tests.
        cpu_seconds: of the student's code.
        wall_seconds: of grading it, all in all.
    """

    student: str
    assignment: str
    submission: str
    source: str
    environment: str
    status: str
    reason: str = ""
    notes: tuple[str, ...] = ()
    results: tuple[CellResult, ...] = ()
    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notebook: str = ""
    seed: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it is the outcome of: equal keys need no second grading."""
        return (
            *(self.student, self.assignment),
            *(self.submission, self.source, self.environment),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Outcome":
        """The inverse of ``to_dict``.

        Raises:
            AssignmentError: it is not what ``to_dict`` gives.
        """
        try:
            values = dict(data)
            values["results"] = tuple(CellResult(**r) for r in data["results"])
            values["notes"] = tuple(data["notes"])
            outcome = cls(**values)
        except (KeyError, TypeError) as error:
            raise AssignmentError(
                f"this is no record of a grading: {error!r}; expected what "
                "chula_rl.grading.records.Outcome holds."
            ) from error
        if outcome.status not in STATUSES:
            raise AssignmentError(
                f"status {outcome.status!r}; expected one of {', '.join(STATUSES)}."
            )
        return outcome
