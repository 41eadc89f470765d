"""Late submissions: what the course takes off, as nbgrader's late penalty.

nbgrader computes a penalty once, while it grades. Points that a person gives later, an
extension or another setting make it wrong, so ``renew`` computes it again before
anybody is shown it.
"""

import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties

from chula_rl.errors import ConfigError

SETTINGS = "grading.toml"  # in assignments/
_DAY = 86_400


@dataclass(frozen=True)
class LatePolicy:
    """What a late submission loses.

    Attributes:
        grace_minutes: who is no later than this is in time; days count from its end.
        percent_per_day: of the points that it earned, for each day that has begun.
        max_percent: the most that it loses in this way.
        cut_off_days: who is later than this has no points; None if nobody ever is.
    """

    grace_minutes: float = 0.0
    percent_per_day: float = 0.0
    max_percent: float = 100.0
    cut_off_days: float | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ConfigError: a number is negative, not finite, or a percentage above 100.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            most = 100 if "percent" in field.name else math.inf
            if type(value) not in (int, float) or not 0 <= value <= most:
                raise self._unsound(field.name, value, most)
            if math.isinf(value):
                raise self._unsound(field.name, value, most)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The policy of a course; None if it has none.

        Args:
            path: a TOML file with a table ``[late]``; there may be none.

        Raises:
            ConfigError: the file is not sound, or names something that is no setting.
        """
        if not path.exists():
            return None
        try:
            table = tomllib.loads(path.read_text("utf-8")).get("late")
            return None if table is None else cls(**table)
        except (TypeError, ValueError) as error:  # of TOML as well
            known = ", ".join(field.name for field in fields(cls))
            raise ConfigError(
                f"{path}: {error} Expected a table [late] with some of {known}."
            ) from error

    def percent(self, seconds: float) -> float:
        """What a submission loses, in percent of the points that it earned.

        Args:
            seconds: after its due date.
        """
        late = seconds - 60 * self.grace_minutes
        if late <= 0:
            return 0.0
        if self.cut_off_days is not None and late > self.cut_off_days * _DAY:
            return 100.0
        return min(self.max_percent, self.percent_per_day * math.ceil(late / _DAY))

    @staticmethod
    def _unsound(name: str, value: object, most: float) -> ConfigError:
        upper = "up" if math.isinf(most) else f"to {most:g}"
        return ConfigError(f"{name} is {value!r}; expected a number from 0 {upper}.")


class LatePenalty(LateSubmissionPlugin):  # type: ignore[misc]  # untyped base
    """The table ``[late]`` of ``assignments/grading.toml``, for nbgrader.

    Without that table, nbgrader's own setting ``penalty_method`` counts.
    """

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """The points that a late notebook loses; None if none."""
        folder = Path(self.config.CourseDirectory.root)
        policy = LatePolicy.read(folder / SETTINGS)
        if policy is None:
            own: float | None = super().late_submission_penalty(
                student_id, score, total_seconds_late
            )
            return own
        percent = policy.percent(total_seconds_late)
        return round(score * percent / 100, 2) if percent else None


def assigner(parent: object) -> AssignLatePenalties:
    """The step of nbgrader that assigns penalties, with the configured plugin."""
    step = AssignLatePenalties(parent=parent)
    step.init_plugin()
    return step


def assign(
    step: AssignLatePenalties,
    submission: SubmittedAssignment,
    notebook: SubmittedNotebook,
) -> bool:
    """Set the penalty of a notebook, in the session that is open.

    As ``AssignLatePenalties.preprocess``.

    Returns:
        Whether it takes off other points than before.
    """
    before = notebook.late_submission_penalty or 0.0
    penalty = None
    seconds = submission.total_seconds_late
    if seconds > 0:
        penalty = step.plugin_inst.late_submission_penalty(
            submission.student_id, notebook.score, seconds
        )
        if penalty is not None:
            penalty = step._check_late_penalty(notebook, penalty)
    notebook.late_submission_penalty = penalty
    return (penalty or 0.0) != before


def renew(
    gradebook: Gradebook,
    step: AssignLatePenalties,
    name: str,
    student: str | None = None,
) -> list[str]:
    """Compute the penalties of an assignment anew.

    Args:
        gradebook: the open gradebook.
        step: as ``assigner`` gives it.
        name: the assignment.
        student: whose; None for everybody's.

    Returns:
        Who loses other points than before.

    Raises:
        MissingEntry: the student has no submission in the gradebook.
    """
    if student is None:
        submissions = gradebook.assignment_submissions(name)
    else:
        submissions = [gradebook.find_submission(name, student)]
    changed = [
        submission.student_id
        for submission in submissions
        for notebook in submission.notebooks
        if assign(step, submission, notebook)
    ]
    if changed:
        gradebook.db.commit()
    return changed
