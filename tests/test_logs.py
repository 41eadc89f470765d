"""The rows of a run: sound after a crash, readable by TensorBoard, never in doubt."""

import errno
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from chula_rl import logs
from chula_rl.errors import CheckpointError
from chula_rl.logs import RunLog, read_evaluations, read_metrics


def at(steps, updates):
    return SimpleNamespace(steps=steps, updates=updates)


def rows(*steps):
    return [{"steps": s, "return": s / 3, "loss": -1e-17 * s} for s in steps]


def evaluation(steps):
    return {"steps": steps, "mean_return": 2.5, "std_return": 0.5, "min_return": 1.0}


def write(path, state, steps, evaluated=()):
    with RunLog(path, state) as log:
        for row in rows(*steps):
            log.append_metrics(row)
            if row["steps"] in evaluated:
                log.append_evaluation(evaluation(row["steps"]))


def tensorboard(path, name="return"):
    events = EventAccumulator(str(path / logs.TENSORBOARD)).Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    write(tmp_path, at(0, 0), [1, 2, 3], evaluated=[2])
    columns = read_metrics(tmp_path)
    for name in ("steps", "return", "loss"):
        assert columns[name].tolist() == [row[name] for row in rows(1, 2, 3)]
    columns = read_evaluations(tmp_path)
    assert {name: column.tolist() for name, column in columns.items()} == {
        name: [value] for name, value in evaluation(2).items()
    }


def test_tensorboard_shows_the_same(tmp_path):
    write(tmp_path, at(0, 0), [1, 2, 3], evaluated=[2])
    steps, values = zip(*tensorboard(tmp_path), strict=True)
    assert steps == (1, 2, 3)
    np.testing.assert_allclose(values, [1 / 3, 2 / 3, 1], rtol=1e-6)
    assert tensorboard(tmp_path, "evaluation/min_return") == [(2, 1.0)]


def test_a_log_that_goes_on_drops_what_will_be_done_again(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for path in (whole, killed):
        path.mkdir()
    write(whole, at(0, 0), [10, 20, 30, 40], evaluated=[20, 40])
    write(killed, at(0, 0), [10, 20, 30], evaluated=[20, 30])
    write(killed, at(20, 2), [30, 40], evaluated=[40])
    for name in (logs.METRICS, logs.EVALUATIONS):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert tensorboard(killed) == tensorboard(whole)
    with RunLog(killed, at(30, 3)) as log:
        assert log.evaluated == 20


def test_nan_is_a_value(tmp_path):
    with RunLog(tmp_path, at(0, 0)) as log:
        log.append_metrics({"steps": 1, "return": math.nan})
        log.append_metrics({"steps": 2, "return": math.inf})
    first, second = read_metrics(tmp_path)["return"]
    assert math.isnan(first)
    assert second == math.inf


def test_flushed_rows_survive_a_crash(tmp_path):
    with RunLog(tmp_path, at(0, 0)) as log:
        log.append_metrics(rows(5)[0])
        log.flush()
        assert read_metrics(tmp_path)["steps"].tolist() == [5]
        assert tensorboard(tmp_path)[0][0] == 5


def test_a_table_cut_at_any_length_gives_its_whole_rows_or_an_error(tmp_path):
    write(tmp_path, at(0, 0), [100, 200, 300])
    path = tmp_path / logs.METRICS
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        complete = data[:length].count(b"\n")
        if complete == 0:  # not even the names of the columns
            with pytest.raises(CheckpointError, match=r"metrics\.csv cannot be read"):
                read_metrics(tmp_path)
            continue
        assert (
            read_metrics(tmp_path)["steps"].tolist() == [100, 200, 300][: complete - 1]
        )
        if complete < 4:
            with pytest.raises(CheckpointError, match=f"has {complete - 1} rows; .* 3"):
                RunLog(tmp_path, at(300, 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps,return\n1,2\n3\n", "line 3 has 1 values, not 2"),
        ("steps,return\n1,x\n", "could not convert"),
        ("a,b\n1,2\n", "no column of steps"),
        ("\0\0\0\n", "no column of steps"),
        ("\udcff,steps\n", "decode"),
    ],
)
def test_a_damaged_table_is_refused_with_advice(tmp_path, text, message):
    (tmp_path / logs.METRICS).write_text(text, errors="surrogateescape")
    with pytest.raises(CheckpointError, match=rf"{message}.*backup.*--overwrite"):
        read_metrics(tmp_path)


def test_a_missing_table_is_refused_with_advice(tmp_path):
    with pytest.raises(CheckpointError, match=r"evaluations\.csv.*no such file"):
        read_evaluations(tmp_path)


def test_rows_of_other_columns_are_refused(tmp_path):
    with RunLog(tmp_path, at(0, 0)) as log:
        log.append_metrics({"steps": 1, "return": 2.0})
        with pytest.raises(CheckpointError, match=r"'loss'.*nan"):
            log.append_metrics({"steps": 2, "return": 2.0, "loss": 1.0})
        with pytest.raises(CheckpointError, match="same names"):
            log.append_metrics({"return": 2.0, "steps": 2})
    assert read_metrics(tmp_path)["steps"].tolist() == [1]
    with (
        RunLog(tmp_path, at(1, 1)) as log,
        pytest.raises(CheckpointError, match="same names"),
    ):
        log.append_metrics({"steps": 2, "length": 2.0})


def fail_to_sync(monkeypatch):
    def no_space(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)


def test_a_full_disk_is_told_where_it_happens(tmp_path, monkeypatch):
    with RunLog(tmp_path, at(0, 0)) as log:
        log.append_metrics(rows(1)[0])
        with monkeypatch.context() as patched:
            fail_to_sync(patched)
            with pytest.raises(OSError, match="No space"):
                log.flush()


class Full:
    """A file on a full disk."""

    def __init__(self, file):
        self._file = file

    def close(self):
        self._file.close()
        raise OSError(errno.ENOSPC, "No space left on device")

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_closing_tells_of_a_full_disk_but_hides_no_other_error(tmp_path):
    with pytest.raises(OSError, match="No space"), RunLog(tmp_path, at(0, 0)) as log:
        log._metrics = Full(log._metrics)
    assert log._events._file.closed  # the other files are closed all the same
    with pytest.raises(ZeroDivisionError), RunLog(tmp_path, at(0, 0)) as log:
        log._metrics = Full(log._metrics)
        raise ZeroDivisionError
