import hashlib
import json
import os
import random
import socket
import stat
import time
from pathlib import Path

import nbformat
import pytest

from chula_rl.errors import SubmissionError
from chula_rl.grading import intake, texts
from chula_rl.grading.limits import Limits

LIMITS = Limits(notebook_size=100_000, files=20)
START = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": '


def notebook(*cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


def code(source="x = 1", **more):
    return {"cell_type": "code", "metadata": {}, "source": source, **more}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ada" / "tiny"
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text(json.dumps(notebook(code())))
    return folder


def read(folder, limits=LIMITS):
    return intake.read(folder, "tiny", limits)


def refused(folder, limits=LIMITS):
    with pytest.raises(SubmissionError) as caught:
        read(folder, limits)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1000
    return message


def hand_in(folder, content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / "tiny.ipynb").write_bytes(data)
    return data


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_submission_is_read_as_it_was_written_by_nbformat(folder):
    written = nbformat.v4.new_notebook()
    written.cells = [
        nbformat.v4.new_code_cell("a = 1\nb = 2\n", metadata={"tags": ["mine"]}),
        nbformat.v4.new_markdown_cell("สวัสดี $\\pi$"),
        nbformat.v4.new_raw_cell(""),
    ]
    data = hand_in(folder, nbformat.writes(written).encode())
    (folder / "timestamp.txt").write_text("2027-01-28 18:00:00 UTC\n")
    (folder / "figure.png").write_bytes(b"\x89PNG")
    submission = read(folder)
    assert submission.sha256 == hashlib.sha256(data).hexdigest()
    assert submission.timestamp == "2027-01-28 18:00:00 UTC"
    assert submission.notebook["nbformat"] == 4
    assert submission.notebook["cells"] == [
        {key: dict(cell)[key] for key in ("cell_type", "metadata", "source")}
        for cell in written.cells
    ]


def test_lines_become_one_text_and_half_characters_are_replaced(folder):
    hand_in(folder, notebook(code(["a = 1\n", "b = 2"]), code("x = '\ud800'")))
    sources = [cell["source"] for cell in read(folder).notebook["cells"]]
    assert sources == ["a = 1\nb = 2", "x = '\ufffd'"]


@pytest.mark.parametrize(
    "outputs", ["1", "[NaN, Infinity, -Infinity]", "[" + "7" * 9000 + "]", '{"a": []}']
)
def test_outputs_are_neither_checked_nor_handed_on(folder, outputs):
    cell = '[{"cell_type": "code", "metadata": {}, "source": "x", "outputs": '
    hand_in(folder, f"{START}{cell}{outputs}}}]}}".encode())
    (read_cell,) = read(folder).notebook["cells"]
    assert read_cell == {"cell_type": "code", "metadata": {}, "source": "x"}


def test_a_byte_order_mark_does_no_harm(folder):
    plain = read(folder).notebook
    data = (folder / "tiny.ipynb").read_bytes()
    hand_in(folder, b"\xef\xbb\xbf" + data)
    assert read(folder).notebook == plain


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON (the file is empty)"),
        (b"\xff\xfe{", "not JSON in UTF-8"),
        (json.dumps(notebook()).encode("utf-16"), "not JSON in UTF-8"),
        (b"PK\x03\x04", "not JSON (Expecting value"),
        (b'{"cells": [', "not JSON"),
        (b"{'nbformat': 4}", "not JSON"),
        (b"[" * 90_000, "100 brackets deep"),
        (b'{"a":' * 10_000, "100 brackets deep"),
        (b"[" * 101 + b"]" * 101, "100 brackets deep"),
        (b"[" * 100 + b"]" * 100, "nbformat is None"),
        (b"[]", "nbformat is None; expected 4"),
        (b"null", "nbformat is None"),
        (b"1" * 50_000, "nbformat is None"),
        (b'{"nbformat": 3, "cells": []}', "nbformat is 3; expected 4. Check that it"),
        (b'{"nbformat": 4.0, "cells": []}', "nbformat is 4.0"),
        (b'{"nbformat": true, "cells": []}', "nbformat is True"),
        (b'{"nbformat": "4\\u001b[2J"}', "nbformat is 4\ufffd[2J"),
        (b'{"nbformat": NaN}', "nbformat is None"),
        (b'{"nbformat": 4, "cells": []}', "nbformat_minor is None"),
        (notebook() | {"nbformat_minor": -1}, "nbformat_minor is -1"),
        (notebook() | {"nbformat_minor": 10**15}, "nbformat_minor is 1000"),
        (notebook() | {"nbformat_minor": [1]}, "nbformat_minor is [1]"),
        (notebook() | {"cells": {}}, "a list of at most 2000 cells"),
        (notebook() | {"cells": None}, "a list of at most 2000 cells"),
        ((START + "[" + "0," * 2000 + "0]}").encode(), "at most 2000 cells"),
        (notebook(code(), 7), "cell 2, is not valid: it is no mapping"),
        (notebook({}), "cell 1, is not valid: its cell_type is None"),
        (notebook(code(cell_type="heading")), "cell_type is heading"),
        (notebook(code(cell_type=["code"])), "cell_type is ['code']"),
        (notebook(code(source=None)), "expected a source"),
        (notebook(code(source={"a": "b"})), "expected a source"),
        (notebook(code(source=["a", ["b"]])), "expected a source"),
        (notebook(code(metadata=None)), "expected metadata"),
        (notebook(code(metadata=[])), "expected metadata"),
    ],
)
def test_what_is_no_notebook_is_refused(folder, data, message):
    hand_in(folder, data)
    assert message in refused(folder)


def test_no_bytes_whatsoever_do_more_than_a_refusal(folder):
    rng = random.Random(0)
    cells = [code(outputs=[{"a": 1.5e3}], metadata={"nbgrader": {"points": 1}})] * 2
    good = json.dumps(notebook(*cells)).encode()
    accepted = 0
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(rng.choice((1, 1, 3, 20))):
            place = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[place] = rng.choice(b'[]{}",:\\0-e\xff\xed\x00' + bytes([65]))
            else:
                del data[place : place + rng.randrange(1, 9)]
        try:
            submission = intake._notebook(bytes(data), "tiny.ipynb")
        except SubmissionError:
            continue
        accepted += 1
        assert all(isinstance(cell["source"], str) for cell in submission["cells"])
        json.dumps(submission).encode()
    assert 50 < accepted < 1450


@pytest.mark.parametrize("filler", ["[]", "{}", "NaN", '""', "1e999", '{"":[[]]}'])
def test_hostile_json_is_done_with_soon(folder, filler):
    data = START + f"[{','.join([filler] * (800_000 // (len(filler) + 1)))}]}}"
    hand_in(folder, data.encode())
    start = time.process_time()
    assert "at most 2000 cells" in refused(folder, Limits(notebook_size=900_000))
    assert time.process_time() - start < 1.5


def test_a_link_is_refused_wherever_it_is(folder, tmp_path):
    target = (folder / "tiny.ipynb").rename(tmp_path / "elsewhere.ipynb")
    (folder / "tiny.ipynb").symlink_to(target)
    assert "'tiny.ipynb' is a link" in refused(folder)
    (folder / "tiny.ipynb").unlink()
    target.rename(folder / "tiny.ipynb")
    read(folder)
    (folder / "data").mkdir()
    (folder / "data" / "passwords").symlink_to("/etc/passwd")
    assert "'passwords' is a link" in refused(folder)
    (folder / "data" / "passwords").unlink()
    (folder / "data" / "loop").symlink_to("..")
    assert "'loop' is a link" in refused(folder)


def test_a_linked_folder_is_refused(folder, tmp_path):
    (tmp_path / "eve").symlink_to(folder.parent)
    assert "'eve' is a link" in refused(tmp_path / "eve" / "tiny")
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "tiny").symlink_to(folder)
    assert "'tiny' is a link" in refused(tmp_path / "bob" / "tiny")


@pytest.mark.parametrize("name", ["tiny.ipynb", "timestamp.txt", "other"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_special_files_are_refused_and_never_waited_for(
    folder, name, kind, monkeypatch
):
    (folder / name).unlink(missing_ok=True)
    monkeypatch.chdir(folder)  # a socket's path has to be short
    if kind == "pipe":
        os.mkfifo(name)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
    else:
        try:
            os.mknod(name, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero
        except PermissionError:
            pytest.skip("only root makes devices")
    assert f"'{name}' is no regular file" in refused(folder)


def test_a_hard_link_to_the_file_of_another_is_refused(folder, tmp_path):
    peer = (folder / "tiny.ipynb").rename(tmp_path / "peer.ipynb")
    (folder / "tiny.ipynb").hardlink_to(peer)
    assert "'tiny.ipynb' is a hard link" in refused(folder)


def test_a_file_swapped_after_the_look_at_it_is_refused(folder, tmp_path, monkeypatch):
    """As if the student replaced it between the check and the opening."""
    notebook, secret = folder / "tiny.ipynb", tmp_path / "secret.ipynb"
    secret.write_bytes(notebook.read_bytes())
    survey = intake._survey

    def swapped_by(swap):
        def then_swap(*args):
            survey(*args)
            notebook.unlink()
            swap()

        monkeypatch.setattr(intake, "_survey", then_swap)
        return refused(folder)

    assert "is a link" in swapped_by(lambda: notebook.symlink_to(secret))
    monkeypatch.setattr(intake, "_survey", survey)
    notebook.unlink()
    notebook.write_bytes(secret.read_bytes())
    assert "no regular file" in swapped_by(lambda: os.mkfifo(notebook))
    monkeypatch.setattr(intake, "_survey", survey)
    notebook.unlink()
    notebook.write_bytes(secret.read_bytes())
    grown = swapped_by(lambda: notebook.write_bytes(b" " * 100_001))
    assert "at most 100,000" in grown
    monkeypatch.setattr(intake, "_survey", survey)
    notebook.write_bytes(secret.read_bytes())
    assert "cannot be read" in swapped_by(lambda: notebook.mkdir())


@pytest.mark.timeout(10)  # or a pipe would keep it waiting
def test_what_was_opened_counts_even_if_every_look_by_name_was_fooled(
    folder, tmp_path, monkeypatch
):
    notebook = folder / "tiny.ipynb"
    secret = notebook.rename(tmp_path / "secret.ipynb")
    regular, look = secret.stat(), os.stat

    def fooled(path, *args, **kwargs):
        return regular if path == "tiny.ipynb" else look(path, *args, **kwargs)

    def survey(directory, limits, found):
        found.append("tiny.ipynb")

    monkeypatch.setattr(intake, "_survey", survey)
    with monkeypatch.context() as patch:
        notebook.symlink_to(secret)
        patch.setattr(intake.os, "stat", fooled)
        assert "cannot be read" in refused(folder)
    notebook.unlink()
    os.mkfifo(notebook)
    monkeypatch.setattr(intake.os, "stat", fooled)
    assert "'tiny.ipynb' is no regular file" in refused(folder)


def test_a_huge_file_is_refused_without_reading_it(folder):
    with (folder / "tiny.ipynb").open("r+b") as file:
        file.truncate(10**12)  # a hole: it takes no space, but none could read it
    message = refused(folder)
    assert "1,000,000,000,000 bytes; at most 100,000" in message
    assert "Clear its outputs" in message
    (folder / "tiny.ipynb").write_text(json.dumps(notebook()))
    (folder / "film.mp4").write_bytes(b"0" * 100_001)
    assert "'film.mp4' has 100,001 bytes" in refused(folder)


def test_the_limit_of_size_is_exact(folder):
    data = hand_in(folder, notebook(code()))
    read(folder, Limits(notebook_size=len(data)))
    refused(folder, Limits(notebook_size=len(data) - 1))


def test_too_many_files_are_refused(folder):
    (folder / "data").mkdir()
    for i in range(18):
        (folder / "data" / f"{i}.csv").touch()
    read(folder)  # with the notebook and the folder: 20
    (folder / "data" / "more.csv").touch()
    assert "more than 20 files" in refused(folder)


def test_deep_folders_are_refused(folder):
    inner = folder.joinpath(*["a"] * 40)
    inner.mkdir(parents=True)
    assert "10 folders in one another" in refused(folder, Limits(files=1000))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tiny (1).ipynb", "Rename 'tiny (1).ipynb' to tiny.ipynb"),
        ("Tiny.ipynb", "Rename 'Tiny.ipynb' to tiny.ipynb"),
        ("tiny/tiny.ipynb", "Rename 'tiny/tiny.ipynb' to tiny.ipynb"),
        (".ipynb_checkpoints/tiny.ipynb", "Hand in your notebook as tiny.ipynb"),
        ("tiny.py", "handed in: tiny.py. Hand in your notebook as tiny.ipynb"),
        ("\x1b[2J\u202e\n.ipynb", "Rename '\ufffd[2J\ufffd\ufffd.ipynb' to"),
        ("x" * 200 + ".ipynb", "Rename '" + "x" * 59 + "…' to"),
        (b"caf\xe9.ipynb", "Rename 'caf\ufffd.ipynb' to"),
    ],
)
def test_a_missing_notebook_is_named_with_what_is_there(folder, name, message):
    target = folder / os.fsdecode(name)
    target.parent.mkdir(exist_ok=True)
    (folder / "tiny.ipynb").rename(folder / "keep")
    (folder / "keep").rename(target)
    assert message in refused(folder)


def test_two_other_notebooks_are_only_listed(folder):
    for i in range(12):
        (folder / f"{i:02}.ipynb").touch()
    (folder / "tiny.ipynb").unlink()
    message = refused(folder)
    assert "handed in: 00.ipynb, 01.ipynb," in message
    assert "09.ipynb, …. Hand in your notebook as" in message


def test_nothing_handed_in_is_said(folder, tmp_path):
    (folder / "tiny.ipynb").unlink()
    assert "handed in: nothing" in refused(folder)
    folder.rmdir()
    assert "'tiny' cannot be read (No such file" in refused(folder)
    folder.write_text("a file")
    assert "'tiny' cannot be read (Not a directory)" in refused(folder)
    assert "'nobody' cannot be read" in refused(tmp_path / "nobody" / "tiny")


@pytest.mark.parametrize(
    "stamp",
    [
        "2027-01-28 18:00:00 UTC",
        "2027-01-28 18:00:00.123456 UTC",
        "2027-01-28 18:00:00 Asia/Bangkok",
        "2027-01-28T18:00:00+07:00",
    ],
)
def test_a_date_is_kept_as_it_is(folder, stamp):
    (folder / "timestamp.txt").write_text(f"  {stamp}\r\n")
    assert read(folder).timestamp == stamp


@pytest.mark.parametrize(
    "stamp",
    [
        b"",
        b"yesterday evening",
        b"\xff\xfe",
        b"2027-13-01",
        b"2027-01-28 18:00:00 99999999999999999999",
        b"9" * 60,
        b"2027-01-28 18:00:00 UTC" + b" " * 70 + b"x",
        b"2027-01-28 18:00:00 UTC\n2027-01-29",
    ],
)
def test_no_date_in_the_timestamp_is_refused(folder, stamp):
    (folder / "timestamp.txt").write_bytes(stamp)
    assert "timestamp.txt holds no date" in refused(folder)


@pytest.mark.parametrize("zone", ["{}", ":{}", "Asia/../..{}"])
def test_a_path_for_a_time_zone_is_never_opened(folder, tmp_path, monkeypatch, zone):
    """dateutil takes the name of a zone for a file, an absolute one too."""
    (folder / "timestamp.txt").write_text("2027-01-28 18:00:00 " + zone.format("/etc"))

    def parse(text):
        pytest.fail(f"{text} was parsed")

    monkeypatch.setattr(intake, "parse_utc", parse)
    refused(folder)


def test_an_unreadable_file_is_refused_but_a_failing_disk_is_an_error(
    folder, monkeypatch
):
    def fail_with(number):
        def fail(*args, **kwargs):
            raise OSError(number, os.strerror(number), "tiny.ipynb")

        monkeypatch.setattr(intake.os, "open", fail)

    fail_with(13)
    assert "'tiny.ipynb' cannot be read (Permission denied)" in refused(folder)
    for number in (5, 24):  # I/O error, too many open files
        fail_with(number)
        with pytest.raises(OSError, match=os.strerror(number)):
            read(folder)


def test_no_file_stays_open(folder):
    (folder / "data").mkdir()
    before = open_files()
    read(folder)
    hand_in(folder, b"[")
    refused(folder)
    os.mkfifo(folder / "data" / "pipe")
    refused(folder)
    assert open_files() == before


def test_shown_text_is_printable_and_short():
    assert texts.shown("résumé ก็.ipynb") == "résumé ก็.ipynb"
    assert texts.shown("a\x00\x1b[31m\u2028b") == "a\ufffd\ufffd[31m\ufffdb"
    assert texts.shown("x" * 61) == "x" * 59 + "…"
    assert len(texts.shown([["y" * 999] * 999] * 999)) <= 60
