"""What one submission may use: the one place where the grader's limits are set."""

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from chula_rl.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Limits of one submission. Sizes are in bytes, times in seconds.

    Attributes:
        wall_seconds: from the first cell to the last test.
        cell_seconds: of one cell, the student's or one of tests.
        cpu_seconds: of the processor, all its processes together.
        memory: of all its processes together.
        processes: processes and threads at any one time.
        output: text and pictures that a submission's cells show.
        file_size: of one file; its private ``/tmp`` holds four of them.
        message_size: of one value that a function returns.
        notebook_size: of the notebook's file; other files of a submission likewise.
        files: in the folder that was handed in.
        restarts: how often it goes on after one of its functions ended the process.
    """

    wall_seconds: float = 900.0
    cell_seconds: float = 240.0
    cpu_seconds: float = 200.0
    memory: int = 2_000_000_000
    processes: int = 64
    output: int = 1_000_000
    file_size: int = 16_000_000
    message_size: int = 32_000_000
    notebook_size: int = 5_000_000
    files: int = 100
    restarts: int = 10

    def __post_init__(self) -> None:
        """Refuse what is no limit.

        Raises:
            ConfigError: a limit is no positive number, or no whole one where it counts.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.type is int or field.type == "int"
            sound = type(value) is int or (type(value) is float and not whole)
            if not sound or not value > 0:
                kind = "whole number" if whole else "number"
                raise ConfigError(
                    f"the limit {field.name} is {value!r}; expected a {kind} above 0."
                )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The limits of a course: these, but for what a file changes.

        Args:
            path: a TOML file with a table ``[limits]``; there may be none.

        Raises:
            ConfigError: the file is not sound, or names something that is no limit.
        """
        if not path.exists():
            return cls()
        try:
            return cls(**tomllib.loads(path.read_text("utf-8")).get("limits", {}))
        except (TypeError, ValueError) as error:  # of TOML as well
            known = ", ".join(field.name for field in fields(cls))
            raise ConfigError(
                f"{path}: {error} Expected a table [limits] with some of {known}."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """The limits as plain values, for a message."""
        return asdict(self)
