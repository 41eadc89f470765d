"""What grading one submission needs: plain data, for any process on any machine."""

import hashlib
from dataclasses import dataclass
from typing import Any

from chula_rl.grading.limits import Limits


@dataclass(frozen=True)
class Task:
    """What is to be graded, as plain data.

    Attributes:
        student: whose.
        assignment: its name.
        submitted: the notebook that was handed in, as the intake has checked it.
        trusted: the assignment's source notebook, as JSON.
        limits: of the submission.
        submission: hash of what was handed in; see ``records.Outcome``.
        source: hash of the source notebook and the limits.
        environment: hash of the grader's code and packages.
        jailed: False runs the student's code with the rights of the grader.
    """

    student: str
    assignment: str
    submitted: dict[str, Any]
    trusted: str
    limits: Limits
    submission: str
    source: str
    environment: str
    jailed: bool = True

    @property
    def seed(self) -> int:
        """Of the random inputs: the same for each regrade, and not to be foreseen."""
        text = f"{self.source} {self.submission}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """The same as that of its outcome."""
        return (
            *(self.student, self.assignment),
            *(self.submission, self.source, self.environment),
        )
