"""The rows that a run writes: CSV tables and TensorBoard events, sound after a crash.

A killed process or a full disk may leave a last line without its end; readers leave
such a line out, and a run that goes on cuts it off.
"""

import csv
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol, Self

import numpy as np

from chula_rl.errors import CheckpointError
from chula_rl.types import FloatArray

METRICS = "metrics.csv"
EVALUATIONS = "evaluations.csv"
TENSORBOARD = "tensorboard"


class _Progress(Protocol):
    """What a log needs to know of a state of training."""

    steps: int
    updates: int


class RunLog:
    """Appends to the tables of a run folder and to its TensorBoard events.

    Args:
        path: the run folder.
        state: what training starts from. Rows that a killed run wrote after this state
            was saved are dropped, since its updates will be done again.

    Raises:
        CheckpointError: ``metrics.csv`` has fewer rows than the state has updates, or
            ``evaluations.csv`` is damaged.
    """

    def __init__(self, path: Path, state: _Progress) -> None:
        _check_rows(path / METRICS, state.updates)
        evaluated = _evaluated_steps(path)
        kept = int(np.sum(evaluated <= state.steps))
        self.evaluated = int(evaluated[kept - 1]) if kept else -1
        self._metrics = _Table(path / METRICS, state.updates)
        self._evaluations = _Table(path / EVALUATIONS, kept)
        self._events = _Events(path / TENSORBOARD, state.steps + 1)

    def append_metrics(self, metrics: Mapping[str, float]) -> None:
        """Add the row of one update."""
        self._metrics.append(metrics)
        self._events.append(metrics, int(metrics["steps"]))

    def append_evaluation(self, evaluation: Mapping[str, float]) -> None:
        """Add the row of one evaluation."""
        self.evaluated = int(evaluation["steps"])
        self._evaluations.append(evaluation)
        named = {f"evaluation/{name}": value for name, value in evaluation.items()}
        self._events.append(named, self.evaluated)

    def flush(self) -> None:
        """Bring all rows to the disk; to be done before a checkpoint."""
        for file in (self._metrics, self._evaluations, self._events):
            file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        failures = []
        for file in (self._metrics, self._evaluations, self._events):
            try:
                file.close()
            except OSError as failure:
                failures.append(failure)
        if failures and error is None:  # else the first error is the one to be told
            raise failures[0]


class _Table:
    """A CSV file that grows by rows, of which ``num_rows`` are kept at the start."""

    def __init__(self, path: Path, num_rows: int) -> None:
        lines = _lines(path)
        kept = lines[: num_rows + 1] if num_rows else []  # the header is a line too
        if path.exists():
            os.truncate(path, sum(map(len, kept)))
        self._names = kept[0].decode("utf-8").strip().split(",") if kept else []
        self._path = path
        self._file = path.open("a", encoding="utf-8", newline="")

    def append(self, row: Mapping[str, float]) -> None:
        writer = csv.writer(self._file, lineterminator="\n")
        if not self._names:
            self._names = list(row)
            writer.writerow(row)
        if list(row) != self._names:
            raise CheckpointError(
                f"{self._path} has the columns {self._names}, and the next row has "
                f"{list(row)}. Expected the same names from each update, with nan "
                "where there is no value; train again with another --out."
            )
        writer.writerow(row.values())

    def flush(self) -> None:
        _to_disk(self._file)

    def close(self) -> None:
        self._file.close()


class _Events:
    """TensorBoard's events, written without the thread that ``SummaryWriter`` starts.

    An error is raised where it happens. The format is that of ``SummaryWriter``: a file
    a session, whose first events tell which steps of earlier sessions no longer count.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        # imported here because it takes part of a second
        from tensorboard.compat.proto import (  # type: ignore[import-untyped]
            event_pb2,
            summary_pb2,
        )
        from tensorboard.summary.writer import (  # type: ignore[import-untyped]
            record_writer,
        )

        self._event: Any = event_pb2.Event
        self._summary: Any = summary_pb2.Summary
        folder.mkdir(exist_ok=True)
        # TensorBoard reads files in the order of their names
        host = f"{socket.gethostname()}.{os.getpid()}"
        name = f"events.out.tfevents.{time.time_ns():020d}.{host}"
        self._file = (folder / name).open("xb")
        self._records: Any = record_writer.RecordWriter(self._file)
        self._write(file_version="brain.Event:2")
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(step=first_step, session_log=start)

    def append(self, values: Mapping[str, float], step: int) -> None:
        scalars = [
            self._summary.Value(tag=name, simple_value=value)
            for name, value in values.items()
        ]
        self._write(step=step, summary=self._summary(value=scalars))

    def _write(self, **content: Any) -> None:
        event = self._event(wall_time=time.time(), **content)
        self._records.write(event.SerializeToString())

    def flush(self) -> None:
        _to_disk(self._file)

    def close(self) -> None:
        self._file.close()


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _lines(path: Path) -> list[bytes]:
    """The whole lines of a file; none if there is no file."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines


def _check_rows(path: Path, updates: int) -> None:
    rows = max(0, len(_lines(path)) - 1)
    if rows < updates:
        raise CheckpointError(
            f"{path} has {rows} rows; expected at least {updates}, "
            "one for each update before the checkpoint. Restore the file from a "
            "backup, or train again with --overwrite or another --out."
        )


def _evaluated_steps(path: Path) -> FloatArray:
    if not _lines(path / EVALUATIONS):
        return np.zeros(0)
    return read_evaluations(path)["steps"]


def read_metrics(path: Path) -> dict[str, FloatArray]:
    """The columns of the ``metrics.csv`` of a run folder, each ``[num_updates]``.

    Raises:
        CheckpointError: there is none, or a row of it is damaged.
    """
    return _read(path / METRICS)


def read_evaluations(path: Path) -> dict[str, FloatArray]:
    """The columns of ``evaluations.csv``, each ``[num_evaluations]``.

    They are ``steps`` of training so far, and ``mean_return``, ``std_return`` and
    ``min_return`` over the episodes of the evaluation.

    Raises:
        CheckpointError: there is none, or a row of it is damaged.
    """
    return _read(path / EVALUATIONS)


def _read(path: Path) -> dict[str, FloatArray]:
    try:
        if not path.exists():
            raise ValueError("there is no such file")
        text = b"".join(_lines(path)).decode("utf-8")
        names, *rows = list(csv.reader(text.splitlines())) or [[]]
        if "steps" not in names:
            raise ValueError("there is no column of steps")
        for line, row in enumerate(rows, start=2):
            if len(row) != len(names):
                raise ValueError(f"line {line} has {len(row)} values, not {len(names)}")
        values = [[float(value) for value in row] for row in rows]
        table = np.array(values).reshape(len(rows), len(names))
    except (ValueError, csv.Error) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Expected the table that `chula-rl train` "
            "writes there; restore the file from a backup, or train again with "
            "--overwrite or another --out."
        ) from error
    return dict(zip(names, table.T, strict=True))
