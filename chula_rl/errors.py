"""What can go wrong, as one hierarchy: catch ``ChulaRLError`` to catch them all.

::

    ChulaRLError
    ├── ShapeError           a tensor has another shape than the equation needs
    ├── ConfigError          a setting is out of its range or contradicts another
    ├── UnsupportedEnvError  an environment cannot be used for what was asked
    ├── CheckpointError      a saved run or policy cannot be read, written or used
    └── AssignmentError      an assignment's source, release or submission is not sound
        ├── MarkerError      a solution or test marker is misspelt or unbalanced
        ├── LeakError        something released would show a solution or a hidden test
        ├── SubmissionError  a submission is refused before any of its code runs
        ├── StoppedError     a submission's process stopped, or used more than it may
        └── SandboxError     students' code cannot be run safely here

Every message says what arrived, what was expected and what to try.
"""


class ChulaRLError(Exception):
    """Base of all errors raised by this package."""


class ShapeError(ChulaRLError, ValueError):
    """A tensor has another shape than the equation needs."""


class ConfigError(ChulaRLError, ValueError):
    """A setting is out of its range or contradicts another."""


class UnsupportedEnvError(ChulaRLError):
    """An environment cannot be used for what was asked."""


class CheckpointError(ChulaRLError):
    """A saved run or policy cannot be read, written or used."""


class AssignmentError(ChulaRLError):
    """An assignment's source, release or submission is not sound."""


class MarkerError(AssignmentError):
    """A solution or test marker is misspelt or unbalanced."""


class LeakError(AssignmentError):
    """Something released would show a solution or a hidden test."""


class SubmissionError(AssignmentError):
    """A submission is refused before any of its code runs."""


class StoppedError(AssignmentError):
    """A submission's process stopped, or used more than it may."""


class SandboxError(AssignmentError):
    """Students' code cannot be run safely here."""
