import json
import os

import nbformat
import pytest

from chula_rl.errors import SubmissionError
from chula_rl.grading import intake


def code_cell(grade_id, source="", **flags):
    data = {
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        "schema_version": 3,
        "grade_id": grade_id,
    }
    cell = nbformat.v4.new_code_cell(source, id=grade_id)
    cell.metadata["nbgrader"] = data | flags
    return cell


@pytest.fixture
def released():
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        code_cell("sum", "raise NotImplementedError()", solution=True, locked=False),
        code_cell("test-sum", "assert True", grade=True, points=2),
    ]
    return notebook


@pytest.fixture
def folder(tmp_path, released):
    folder = tmp_path / "ada" / "tiny"
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text(nbformat.writes(released))
    (folder / "timestamp.txt").write_text("2027-01-28 18:00:00 UTC\n")
    return folder


def edit(folder, change):
    path = folder / "tiny.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


def refused(folder, released, message):
    with pytest.raises(SubmissionError, match=message):
        intake.admit(folder, "tiny", released)


def test_an_honest_submission_passes(folder, released):
    def work(notebook):
        notebook["cells"][0]["source"] = "total = 1"
        notebook["cells"].append(nbformat.v4.new_markdown_cell("a note"))

    edit(folder, work)
    (folder / "figure.png").write_bytes(b"\x89PNG")
    intake.admit(folder, "tiny", released)


def test_a_notebook_under_another_name_is_refused(folder, released):
    (folder / "tiny.ipynb").rename(folder / "tiny (1).ipynb")
    refused(folder, released, r"no tiny\.ipynb; handed in: .*tiny \(1\)\.ipynb")


def test_links_and_special_files_are_refused(folder, released, tmp_path):
    notebook = folder / "tiny.ipynb"
    target = notebook.rename(tmp_path / "elsewhere.ipynb")
    notebook.symlink_to(target)
    refused(folder, released, "link")
    notebook.unlink()
    target.rename(notebook)
    os.mkfifo(folder / "pipe")
    refused(folder, released, "pipe is a link or no regular file")


def test_a_linked_folder_is_refused(folder, released, tmp_path):
    link = tmp_path / "eve"
    link.symlink_to(folder.parent)
    refused(link / "tiny", released, "eve is a link")


def test_a_huge_file_is_refused(folder, released, monkeypatch):
    monkeypatch.setattr(intake, "MAX_BYTES", 100)
    refused(folder, released, "at most 100")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "format 4"),
        (b'{"nbformat": 3, "cells": []}', "format 4"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "cells": 1}', "not valid"),
    ],
)
def test_what_is_no_notebook_is_refused(folder, released, data, message):
    (folder / "tiny.ipynb").write_bytes(data)
    refused(folder, released, message)


def test_no_date_in_the_timestamp_is_refused(folder, released):
    (folder / "timestamp.txt").write_text("yesterday evening")
    refused(folder, released, "no date")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("grade_id", "test-total", "'test-sum' occurs 0 times"),
        ("grade_id", "sum", "'sum' occurs 2 times"),
        ("grade", False, "another 'grade'"),
        ("solution", True, "another 'solution'"),
        ("task", True, "another 'task'"),
        ("schema_version", 99, "another 'schema_version'"),
    ],
)
def test_changed_nbgrader_metadata_is_refused(folder, released, key, value, message):
    def change(notebook):
        notebook["cells"][1]["metadata"]["nbgrader"][key] = value

    edit(folder, change)
    refused(folder, released, message)


def test_a_deleted_or_unknown_cell_is_refused(folder, released):
    edit(folder, lambda notebook: notebook["cells"].append(code_cell("more")))
    refused(folder, released, "unknown cell 'more'")
    edit(folder, lambda notebook: notebook["cells"].clear())
    refused(folder, released, "'sum' occurs 0 times")


def test_metadata_of_another_type_is_refused(folder, released):
    edit(folder, lambda n: n["cells"][0]["metadata"].update(nbgrader="sum"))
    refused(folder, released, "no mapping")
