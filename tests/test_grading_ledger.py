import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from chula_rl.errors import AssignmentError
from chula_rl.grading import ledger as ledger_module
from chula_rl.grading.ledger import Ledger
from chula_rl.grading.records import GRADED, REFUSED, CellResult, Outcome

BARE = """
import sys, types
package = types.ModuleType("chula_rl")  # without the imports of its __init__
package.__path__ = [sys.argv[1]]
sys.modules["chula_rl"] = package
"""


def outcome(student="ada", **changes):
    values = {
        "assignment": "tiny",
        "submission": "a" * 64,
        "source": "b" * 64,
        "environment": "c" * 64,
        "status": GRADED,
        "notes": ("a cell was moved back",),
        "results": (
            CellResult("test-sum", 1.5, 2.0, "AssertionError: a sign is wrong"),
            CellResult("test-mean", 0.1 + 0.2, 1.0),
        ),
        "outputs": {"free": [{"output_type": "stream", "text": "π\n\ud800"}]},
        "notebook": '{"cells": []}\n',
        "seed": 7,
        "cpu_seconds": 0.25,
    }
    return Outcome(student, **(values | changes))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "_build" / "grading" / "tiny" / "ledger.jsonl"


def run(code, *args, **kwargs):
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, text=True, capture_output=True, **kwargs)


def test_outcomes_come_back_as_they_were(path):
    first, second = outcome("ada"), outcome("bob", status=REFUSED, reason="no file")
    with Ledger(path) as ledger:
        ledger.append(first)
        ledger.append(second)
        assert ledger.find(first.key) == first
    with Ledger(path) as ledger:
        assert ledger.find(first.key) == first
        assert ledger.find(second.key) == second
        assert ledger.find(outcome("eve").key) is None
        assert dict(ledger.latest()) == {first.key: first, second.key: second}
        assert ledger.cut == 0


def test_each_part_of_the_key_tells_outcomes_apart(path):
    base = outcome()
    others = [
        dataclasses.replace(base, **{name: "x"})
        for name in ("student", "assignment", "submission", "source", "environment")
    ]
    with Ledger(path) as ledger:
        ledger.append(base)
        for other in others:
            assert ledger.find(other.key) is None
            ledger.append(other)
        assert list(ledger.latest().values()) == [base, *others]


def test_a_later_outcome_replaces_the_earlier_one_and_is_not_entered(path):
    first = outcome()
    again = dataclasses.replace(first, seed=8)
    with Ledger(path) as ledger:
        ledger.append(first)
        ledger.append(outcome("bob"))
        ledger.mark_entered(first.key)
        ledger.append(again)
        assert not ledger.entered(first.key)
    with Ledger(path) as ledger:
        assert ledger.find(first.key) == again
        assert not ledger.entered(first.key)
        assert [key[0] for key in ledger.latest()] == ["bob", "ada"]
        assert len(ledger.latest()) == 2
    assert len(path.read_text().splitlines()) == 4  # append-only: nothing was removed


def test_what_was_entered_is_known_after_opening_again(path):
    with Ledger(path) as ledger:
        ledger.append(outcome("ada"))
        ledger.append(outcome("bob"))
        assert not ledger.entered(outcome("ada").key)
        ledger.mark_entered(outcome("ada").key)
        assert ledger.entered(outcome("ada").key)
    with Ledger(path) as ledger:
        assert ledger.entered(outcome("ada").key)
        assert not ledger.entered(outcome("bob").key)
        with pytest.raises(AssignmentError, match="has no outcome"):
            ledger.mark_entered(outcome("eve").key)


def test_every_line_is_one_entry_with_its_format(path):
    with Ledger(path) as ledger:
        ledger.append(outcome())
        ledger.mark_entered(outcome().key)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [line["format"] for line in lines] == [1, 1]
    assert lines[0]["outcome"]["student"] == "ada"
    assert lines[1]["entered"] == list(outcome().key)


def test_a_line_torn_anywhere_is_cut_off_and_nothing_before_it(path):
    with Ledger(path) as ledger:
        ledger.append(outcome("ada"))
        whole = path.read_bytes()
        ledger.append(outcome("bob"))
    text = path.read_bytes()
    for end in {len(whole) + 1, len(whole) + 100, len(text) - 2, len(text) - 1}:
        path.write_bytes(text[:end])
        with Ledger(path) as ledger:
            assert ledger.cut == end - len(whole)
            assert ledger.find(outcome("bob").key) is None
            assert ledger.find(outcome("ada").key) == outcome("ada")
        assert path.read_bytes() == whole
    with Ledger(path) as ledger:
        ledger.append(outcome("bob"))
    assert path.read_bytes() == text


@pytest.mark.parametrize(
    "line",
    [
        b'{"format": 1, "outc',
        b"\0" * 50,
        b"[]",
        b"{}",
        b'{"format": 2, "outcome": {}}',
        b'{"format": 1, "outcome": {}}',
        b'{"format": 1, "entered": 5}',
    ],
)
def test_a_garbled_line_in_the_middle_is_named_and_the_file_kept(path, line):
    with Ledger(path) as ledger:
        ledger.append(outcome("ada"))
        ledger.append(outcome("bob"))
    first, second = path.read_bytes().splitlines()
    text = b"\n".join([first, line, second, b""])
    path.write_bytes(text)
    with pytest.raises(AssignmentError, match=r"line 2 .*Delete that line.*move"):
        Ledger(path)
    assert path.read_bytes() == text
    path.write_bytes(b"\n".join([first, second, b""]))  # what the message advises
    Ledger(path).close()  # the lock is free again


def test_a_note_whose_outcome_was_deleted_is_no_error(path):
    with Ledger(path) as ledger:
        ledger.append(outcome("ada"))
        ledger.mark_entered(outcome("ada").key)
    path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
    with Ledger(path) as ledger:
        assert not ledger.entered(outcome("ada").key)


def test_a_second_grader_is_told_of_the_first(path):
    with Ledger(path):
        message = rf"another `chula-rl grade` is running \(pid {os.getpid()}\)"
        with pytest.raises(AssignmentError, match=message):
            Ledger(path)
    Ledger(path).close()


def test_a_killed_grader_leaves_no_lock_even_if_its_workers_live_on(path):
    code = """if True:
        import os, signal, sys, time
        from pathlib import Path
        from chula_rl.grading.ledger import Ledger
        ledger = Ledger(Path(sys.argv[1]))
        worker = os.fork()
        if worker == 0:
            os.closerange(0, 3)
            time.sleep(60)
            os._exit(0)
        print(worker, flush=True)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    result = run(code, path, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr
    worker = int(result.stdout)
    try:
        os.kill(worker, 0)  # it is alive
        Ledger(path).close()
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_full_disk_loses_nothing(path):
    with Ledger(path) as ledger:
        ledger.append(outcome("ada"))
        ledger.mark_entered(outcome("ada").key)
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for room in (0, 100):  # no byte of the line fits, and some of them
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, hard))
            try:
                with pytest.raises(AssignmentError, match=r"cannot be written.*room"):
                    ledger.append(outcome("bob"))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert path.read_bytes() == before
            assert ledger.find(outcome("bob").key) is None
        ledger.append(outcome("bob"))
    with Ledger(path) as ledger:
        assert ledger.cut == 0
        assert ledger.entered(outcome("ada").key)
        assert ledger.find(outcome("bob").key) == outcome("bob")


def test_an_outcome_is_one_write_that_is_synced(path, monkeypatch):
    calls = []
    write, fsync = os.write, os.fsync
    monkeypatch.setattr(
        os, "write", lambda f, data: (calls.append("write"), write(f, data))[1]
    )
    monkeypatch.setattr(os, "fsync", lambda f: (calls.append("fsync"), fsync(f))[1])
    with Ledger(path) as ledger:
        calls.clear()
        ledger.append(outcome(notebook="x" * 3_000_000))
        assert calls == ["write", "fsync"]


def test_memory_does_not_grow_with_the_notebooks(path):
    with Ledger(path) as ledger:
        for i in range(40):
            ledger.append(outcome(f"student-{i}", notebook=str(i) * 200_000))
    assert path.stat().st_size > 8_000_000
    tracemalloc.start()
    try:
        with Ledger(path) as ledger:
            for other in ledger.latest().values():
                assert len(other.notebook) >= 200_000
            other = None
            held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 400_000
    assert peak < 5_000_000


def test_a_ledger_that_cannot_be_opened_is_an_error_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AssignmentError, match=r"cannot be opened: .*expected a folder"):
        Ledger(tmp_path / "file" / "ledger.jsonl")
    (tmp_path / "ledger.jsonl").mkdir()
    with pytest.raises(AssignmentError, match="cannot be opened: Is a directory"):
        Ledger(tmp_path / "ledger.jsonl")


def test_importing_it_does_not_import_torch():
    package = Path(ledger_module.__file__).parents[1]
    code = BARE + "import chula_rl.grading.ledger\nassert 'torch' not in sys.modules"
    result = run(code, package, check=False)
    assert result.returncode == 0, result.stderr
