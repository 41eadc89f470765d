"""Archives of Moodle and Canvas: whose file is whose, and what no file can do."""

import io
import json
import random
import stat
import struct
import time
import tracemalloc
import zipfile

import pytest

from chula_rl import cli
from chula_rl.errors import AssignmentError
from chula_rl.grading import intake
from chula_rl.grading.collect import Collected, collect
from chula_rl.grading.course import Course
from chula_rl.grading.limits import Limits
from chula_rl.grading.roster import Roster

MOODLE = "{}_{}_assignsubmission_file_/{}"
FORMS = {
    "moodle": (MOODLE, MOODLE.replace("_/", "/"), MOODLE.replace("_/", "_")),
    "canvas": ("{}_{}_9001_{}", "{}_LATE_{}_9001_{}", "{}_late_{}_9001_{}"),
}


def notebook(text="x = 1"):
    cell = {"cell_type": "code", "metadata": {}, "source": text}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    return json.dumps(content).encode()


@pytest.fixture
def course(tmp_path):
    source = tmp_path / "course" / "assignments" / "source" / "tiny"
    source.mkdir(parents=True)
    (source / "tiny.md").touch()
    (source.parents[1] / "nbgrader_config.py").touch()
    return Course(tmp_path / "course")


@pytest.fixture
def take(course, tmp_path):
    """Collect an archive; what became of each student, by the student."""

    def take(files, platform="moodle", roster=None):
        path = tmp_path / f"{platform}.zip"
        path.write_bytes(files if isinstance(files, bytes) else packed(files))
        items = list(collect(course, "tiny", path, platform, roster))
        assert len({item.student for item in items}) == len(items)
        return {item.student: item for item in items}

    return take


def packed(files, method=zipfile.ZIP_DEFLATED):
    """An archive, of names (or entries) and contents."""
    stream = io.BytesIO()
    pairs = files.items() if isinstance(files, dict) else files
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in pairs:
            archive.writestr(name, data)
    return stream.getvalue()


def submitted(course):
    """All that is in the folder of submissions, by its path."""
    folder = course.assignments / "submitted"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }


def everything(root):
    return sorted(path for path in root.rglob("*"))


@pytest.mark.parametrize(
    ("platform", "form"), [(name, form) for name in FORMS for form in FORMS[name]]
)
@pytest.mark.parametrize("outer", ["", "CS 101-tiny-4711/"])
def test_each_notebook_comes_to_its_student(course, take, platform, form, outer):
    files = {
        outer + form.format(person, number, "tiny.ipynb"): notebook(f"x = {number}")
        for person, number in (("lovelaceada", 101), ("ใจดีสมชาย", 102), ("o'neilç", 7))
    }
    found = take(files, platform)
    assert submitted(course) == {
        f"{number}/tiny/tiny.ipynb": notebook(f"x = {number}")
        for number in (101, 102, 7)
    }
    note = "late" if "late" in form.lower() else ""
    assert found["102"] == Collected("102", "ใจดีสมชาย", "collected", note)
    read = intake.read(course.submitted("tiny", "101"), "tiny", Limits())
    assert read.timestamp is None


def test_moodle_writes_names_with_spaces_and_participants(course, take):
    names = ("Ada King Lovelace", "Participant", "สมชาย ใจดี")
    files = {MOODLE.format(n, i, "tiny.ipynb"): notebook() for i, n in enumerate(names)}
    assert [item.person for item in take(files).values()] == list(names)


@pytest.mark.parametrize(
    "file",
    [
        *("tiny-1.ipynb", "tiny-12.ipynb", "tiny (1).ipynb", "tiny (1)-2.ipynb"),
        *("Tiny.ipynb", "tiny_1.ipynb", "tiny+(3).ipynb", "TINY.IPYNB", "tiny 2.ipynb"),
    ],
)
@pytest.mark.parametrize("platform", FORMS)
def test_a_name_that_canvas_or_a_browser_changed_is_changed_back(
    course, take, platform, file
):
    found = take({FORMS[platform][0].format("ada", 101, file): notebook()}, platform)
    assert found["101"].note == f"it was called '{file}'"
    assert not found["101"].problem
    assert list(submitted(course)) == ["101/tiny/tiny.ipynb"]


@pytest.mark.parametrize(
    "file",
    [
        *(
            "a2c.ipynb",
            "tiny.zip",
            "tiny.ipynb.txt",
            "my tiny.ipynb",
            "tiny-copy.ipynb",
        ),
        *("tiny-1234.ipynb", "tiny..ipynb", "tiny.ipynb ", "tinyXipynb", "tiny1.ipynb"),
    ],
)
def test_a_file_with_another_name_is_no_submission(course, take, file):
    found = take({MOODLE.format("Ada", 101, file): notebook()})
    assert found["101"].status == "left out"
    assert f"no tiny.ipynb; uploaded: {file}." in found["101"].problem
    assert submitted(course) == {}


def test_the_latest_of_several_notebooks_is_taken(course, take):
    files = [
        ("ada_101_9002_tiny-1.ipynb", notebook("second")),
        ("ada_101_9003_notes.pdf", b"%PDF"),
        ("ada_101_9001_tiny.ipynb", notebook("first")),
        ("bob_102_9011_tiny.ipynb", notebook("the last upload")),
        ("bob_102_9010_tiny-1.ipynb", notebook("before")),
    ]
    take(files, "canvas")
    assert submitted(course) == {
        "101/tiny/tiny.ipynb": notebook("second"),
        "102/tiny/tiny.ipynb": notebook("the last upload"),
    }


def test_in_a_folder_of_moodle_the_highest_number_is_the_latest(course, take):
    names = ("tiny.ipynb", "tiny (2).ipynb", "sub/tiny (10).ipynb", "tiny (9).ipynb")
    take({MOODLE.format("Ada", 101, name): notebook(name) for name in names})
    assert submitted(course) == {"101/tiny/tiny.ipynb": notebook(names[2])}


def test_what_is_no_file_of_a_student_is_passed_over(course, take):
    found = take(
        {
            "Ada_101_assignsubmission_file_/": b"",
            MOODLE.format("Ada", 101, "tiny.ipynb"): notebook(),
            MOODLE.format("Ada", 101, ".DS_Store"): b"",
            "Ada_101_assignsubmission_onlinetext_/onlinetext.html": b"<p>Hello",
            "Bob_102_assignsubmission_comments_/comments.html": b"<p>Hello",
            "__MACOSX/Ada_101_assignsubmission_file_/._tiny.ipynb": b"",
            "Thumbs.db": b"",
        }
    )
    assert list(found) == ["101"]
    assert list(submitted(course)) == ["101/tiny/tiny.ipynb"]


def test_a_file_that_nobody_can_be_found_for_is_told(course, take):
    found = take(
        {"ada_101_9001_tiny.ipynb": b"", "anon_k3Fq_77_tiny.ipynb": b""}, "canvas"
    )
    assert found["anon_k3Fq_77_tiny.ipynb"].status == "left out"
    assert (
        "'lovelaceada_123_4567_tiny.ipynb'" in found["anon_k3Fq_77_tiny.ipynb"].problem
    )


def test_collecting_again_keeps_or_replaces(course, take):
    name = MOODLE.format("Ada", 101, "tiny.ipynb")
    assert take({name: notebook("old")})["101"].status == "collected"
    stamp = course.submitted("tiny", "101") / "timestamp.txt"
    stamp.write_text("2027-01-28 18:00:00 UTC\n")
    assert take({name: notebook("old")})["101"].status == "unchanged"
    assert stamp.exists()
    assert take({name: notebook("new")})["101"].status == "replaced"
    assert submitted(course) == {"101/tiny/tiny.ipynb": notebook("new")}
    assert take({MOODLE.format("Ada", 101, "a.pdf"): b""})["101"].status == "left out"
    assert submitted(course) == {"101/tiny/tiny.ipynb": notebook("new")}


def test_what_will_be_refused_is_told_at_once(course, take):
    found = take({MOODLE.format("Ada", 101, "tiny.ipynb"): b"PK"})
    assert found["101"].status == "collected"
    assert found["101"].problem.startswith("will be refused: tiny.ipynb is not valid")


def test_the_limit_of_the_course_counts(course, take):
    (course.assignments / "grading.toml").write_text("[limits]\nnotebook_size = 50\n")
    found = take({MOODLE.format("Ada", 101, "tiny.ipynb"): notebook()})
    size = len(notebook())
    assert f"'tiny.ipynb' has {size} bytes; at most 50" in found["101"].problem


# Hostile archives.


@pytest.mark.parametrize("platform", FORMS)
def test_a_name_of_a_file_is_never_a_path(course, take, tmp_path, platform):
    form = FORMS[platform][0]
    names = [
        *("../../../../escaped.ipynb", "/tmp/escaped.ipynb", "..\\..\\escaped.ipynb"),
        *(form.format("../../x", 101, "tiny.ipynb"), "C:\\escaped.ipynb", ".", ".."),
        form.format("Ada", 102, "../../../../../tiny.ipynb"),
        form.format("Ada", 103, "..\\..\\tiny.ipynb"),
        form.format("Ada", "../104", "tiny.ipynb"),
        form.format("Ada", "105\n", "tiny.ipynb"),
        form.format("Ada", 106, "tiny.ipynb\x00.txt"),
        form.format("\x1b[2J", 107, "\x1b[2J\u202e"),
        form.format("Ada", 108, "tiny.ipynb"),
        form.format("Ada", "٦", "tiny.ipynb"),
        form.format("Ada", "9" * 5000, "tiny.ipynb"),
    ]
    before = everything(tmp_path)
    found = take({name: notebook() for name in names}, platform)
    inside = course.assignments / "submitted"
    new = set(everything(tmp_path)) - set(before) - {tmp_path / f"{platform}.zip"}
    assert all(path == inside or inside in path.parents for path in new)
    students = {path.split("/")[0] for path in submitted(course)}
    assert students <= {"101", "102", "106", "108"}
    assert "108" in students
    for item in found.values():
        assert f"{item.student}{item.person}{item.note}{item.problem}".isprintable()


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("moodle", "Eve_103_assignsubmission_file_/Ada_101_assignsubmission_file_/{}"),
        ("moodle", "Eve_103_assignsubmission_file/Ada_101_assignsubmission_file/{}"),
        ("moodle", "Eve_103_assignsubmission_file_Ada_101_assignsubmission_file_{}"),
        ("moodle", "E_e_103_assignsubmission_file_/Ada_101_assignsubmission_file_/{}"),
        ("moodle", "E_e_103_assignsubmission_file_Ada_101_assignsubmission_file_{}"),
        ("canvas", "eve_103_9003_x_101_9001_{}"),
        ("canvas", "eve_103_9003_x_LATE_101_9001_{}"),
        ("canvas", "eve_103_9003_x/ada_101_9001_{}"),
        ("canvas", "eve_103_9003_/ada_101_9001_{}"),
        ("canvas", "103_9003_101_9001_{}"),
    ],
)
def test_nobody_hands_in_for_another(course, take, platform, name):
    ada = FORMS[platform][0].format("ada", 101, "tiny.ipynb")
    hers, forged = notebook("hers"), notebook("forged")
    for pairs in ([(ada, hers), (name, forged)], [(name, forged), (ada, hers)]):
        take([(n.format("tiny.ipynb"), data) for n, data in pairs], platform)
        assert submitted(course)["101/tiny/tiny.ipynb"] == hers


def linked(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def test_a_link_is_left_out(course, take):
    found = take([(linked(MOODLE.format("Eve", 103, "tiny.ipynb")), "/etc/passwd")])
    assert "'tiny.ipynb' is a link" in found["103"].problem
    assert submitted(course) == {}


def patched(data, signature, offset, content):
    """An archive with some bytes of its (last) record of a kind overwritten."""
    start = data.rindex(signature) + offset
    return data[:start] + content + data[start + len(content) :]


def test_what_is_packed_in_a_strange_way_is_left_out(take):
    files = {MOODLE.format("Eve", 103, "tiny.ipynb"): notebook()}
    good = packed(files)
    encrypted = patched(good, b"PK\x01\x02", 8, struct.pack("<H", 1))
    for data in (encrypted, *(packed(files, m) for m in (zipfile.ZIP_LZMA, 12))):
        assert "encrypted, or packed" in take(data)["103"].problem
    strong = patched(good, b"PK\x01\x02", 8, struct.pack("<H", 0x60))
    other = patched(good, b"PK\x03\x04", 30, b"Xv")
    wrong = patched(good, b"PK\x01\x02", 16, b"\0\0\0\0")  # the checksum
    for data in (strong, other, wrong):
        assert "is damaged" in take(data)["103"].problem


def test_a_bomb_is_never_unpacked(take):
    """100 MB in 400 kB; and the same, said to have 1 kB."""
    bomb = packed({MOODLE.format("Eve", 103, "tiny.ipynb"): bytes(100_000_000)})
    assert len(bomb) < 500_000
    lying = patched(bomb, b"PK\x01\x02", 24, struct.pack("<L", 1000))
    tracemalloc.start()
    start = time.process_time()
    assert "has 100,000,000 bytes; at most 5,000,000" in take(bomb)["103"].problem
    assert "is damaged" in take(lying)["103"].problem
    assert time.process_time() - start < 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_archives_in_the_archive_are_not_opened(course, take):
    inner = packed({"tiny.ipynb": notebook()})
    names = ("tiny.zip", "tiny.tar.gz", "tiny.ipynb.gz")
    found = take({MOODLE.format("Eve", 103, name): inner for name in names})
    assert "uploaded: tiny.zip, tiny.tar.gz, tiny.ipynb.gz" in found["103"].problem
    assert submitted(course) == {}


def test_too_many_entries_are_refused(take, monkeypatch):
    monkeypatch.setattr("chula_rl.grading.collect.MAX_ENTRIES", 3)
    files = {MOODLE.format("Eve", i, "tiny.ipynb"): b"" for i in range(4)}
    with pytest.raises(AssignmentError, match="has 4 entries; at most 3"):
        take(files)


def test_the_same_name_twice_is_one_submission(course, take):
    name = MOODLE.format("Eve", 103, "tiny.ipynb")
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed([(name, notebook("first")), (name, notebook("second"))])
    take(data)
    assert submitted(course) == {"103/tiny/tiny.ipynb": notebook("second")}


def test_no_bytes_whatsoever_do_more_than_a_message(course, take):
    rng = random.Random(0)
    names = [MOODLE.format("Ada", i, "tiny.ipynb") for i in range(3)]
    good = packed({name: notebook() for name in names})
    collected = refused = 0
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.choice((1, 3, 20))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            found = take(bytes(data))
        except AssignmentError:
            refused += 1
            continue
        collected += any(item.status != "left out" for item in found.values())
    assert collected > 50
    assert refused > 10
    assert all(path.endswith("/tiny/tiny.ipynb") for path in submitted(course))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read as a zip archive"),
        (b"%PDF-1.7", "cannot be read as a zip archive"),
        (packed({}), "it has none"),
        (
            packed({"a.txt": b""}),
            "'Ada Lovelace_123_assignsubmission_file_/tiny.ipynb'",
        ),
        (packed({"ada_101_9001_tiny.ipynb": b""}), "Moodle would call"),
    ],
)
def test_what_is_no_such_archive_is_said(take, data, message):
    with pytest.raises(AssignmentError) as caught:
        take(data)
    assert message in str(caught.value)


def test_an_unknown_assignment_is_said(course, tmp_path):
    with pytest.raises(AssignmentError, match="no assignment 'huge'"):
        list(collect(course, "huge", tmp_path / "a.zip", "moodle"))


# Who is who.

WORKSHEET = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade\r\n"
    'Participant 101,"Lovelace, Ada",ada@uni.example,Submitted,\r\n'
    "ผู้เข้าร่วม 102,สมชาย ใจดี,somchai@uni.example,Submitted,\r\n"
)
GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,tiny (55)\n"
    "    Points Possible,,,,,25\n"
    '"Lovelace, Ada",101,u1,ada@uni.example,A,\n'
    '"ใจดี, ""สม""\nชาย",102,u2,somchai@uni.example,A,\n'
)
OURS = "id;student\n101;ada@uni.example\n102;somchai@uni.example\n\n"


@pytest.fixture
def roster(tmp_path):
    def roster(text):
        path = tmp_path / "roster.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Roster(path)

    return roster


@pytest.mark.parametrize("text", [WORKSHEET, GRADEBOOK, OURS, OURS.replace(";", "\t")])
def test_a_roster_says_who_the_numbers_are(course, take, roster, text):
    files = {f"x_{i}_1_tiny.ipynb": notebook() for i in (101, 102, 103)}
    found = take(files, "canvas", roster(text))
    assert set(found) == {"ada@uni.example", "somchai@uni.example", "103"}
    assert "103 is not in" in found["103"].problem
    assert set(submitted(course)) == {
        "ada@uni.example/tiny/tiny.ipynb",
        "somchai@uni.example/tiny/tiny.ipynb",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,student\n1,..\n", "'..', of 1, cannot be the name"),
        ("id,student\n1,a/b\n", "cannot be the name"),
        ("id,student\n1,.hidden\n", "cannot be the name"),
        ("id,student\n1,*\n", "cannot be the name"),
        ("id,student\n1,\n", "'', of 1, cannot"),
        ("id,student\n1,ada\n2,ada\n", "contradict each other about 2 or 'ada'"),
        ("id,student\n1,ada\n1,bob\n", "contradict each other about 1 or 'bob'"),
        ("number,name\n1,ada\n", "has the columns name, number; expected one of id,"),
        ("", "has the columns (none)"),
        (b"\xff\xfe", "cannot be read as CSV"),
    ],
)
def test_a_roster_that_is_not_sound_is_refused(roster, text, message):
    with pytest.raises(AssignmentError) as caught:
        roster(text)
    assert message in str(caught.value)


def test_the_same_line_twice_is_no_contradiction(roster):
    assert roster("id,student\n1,ada\n1,ada\n").student(1) == "ada"


def test_the_command(course, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(course.assignments)
    path, table = tmp_path / "a.zip", tmp_path / "roster.csv"
    names = {101: "tiny.ipynb", 102: "tiny (1).ipynb", 103: "tiny.pdf"}
    command = ["assignments", "collect", str(path), "--from", "moodle", "tiny"]
    table.write_text(WORKSHEET)
    path.write_bytes(
        packed({MOODLE.format("A B", i, names[i]): notebook() for i in (101, 102)})
    )
    assert cli.main([*command, "--roster", str(table)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ada@uni.example (A B): collected",
        "somchai@uni.example (A B): collected; it was called 'tiny (1).ipynb'",
        "2 collected",
    ]
    path.write_bytes(
        packed({MOODLE.format("A B", i, names[i]): notebook() for i in names})
    )
    assert cli.main(command) == 3
    out = capsys.readouterr().out
    assert "103 (A B): left out: there is no tiny.ipynb; uploaded: tiny.pdf." in out
    assert out.endswith("2 collected, 1 left out\n")
    path.unlink()
    assert cli.main(command) == 2
    assert "cannot be read as a zip archive" in capsys.readouterr().err
