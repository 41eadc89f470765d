import copy
import json
import random

import nbformat
import pytest

from chula_rl.grading import cells, intake, release, sample
from chula_rl.grading.course import Course
from chula_rl.grading.graft import MAX_NOTES, graft

FLAGS = {
    "text": (False, False, True),
    "solution": (False, True, False),
    "test": (True, False, True),
    "answer": (True, True, False),
}
OURS = ("intro", "setup", "sum", "test-sum", "mean", "test-mean", "why")


def settings(kind, grade_id, **more):
    grade, solution, locked = FLAGS[kind]
    flags = {"grade": grade, "solution": solution, "locked": locked, "task": False}
    return {"nbgrader": flags | {"schema_version": 3, "grade_id": grade_id} | more}


def cell(text, metadata=None, cell_type="code"):
    return {"cell_type": cell_type, "metadata": metadata or {}, "source": text}


def trusted_cell(text, kind, grade_id, cell_type="code", **more):
    new = getattr(nbformat.v4, f"new_{cell_type}_cell")
    metadata = settings(kind, grade_id, **more) if kind else {}
    return new(text, id=grade_id, metadata=metadata)


@pytest.fixture
def trusted():
    tests = (
        "assert {0}\n### BEGIN HIDDEN TESTS\nassert hidden_{0}\n### END HIDDEN TESTS"
    )
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.cells = [
        trusted_cell("# Sums", "text", "intro", "markdown"),
        trusted_cell("import torch", "text", "setup"),
        trusted_cell("the reference's sum", "solution", "sum"),
        trusted_cell(tests.format("sum"), "test", "test-sum", points=2),
        trusted_cell("a free cell", None, "cell-5"),
        trusted_cell("the reference's mean", "solution", "mean"),
        trusted_cell(tests.format("mean"), "test", "test-mean", points=1),
        trusted_cell("the model answer", "answer", "why", "markdown", points=3),
    ]
    notebook.cells[-1]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    notebook.cells[0]["attachments"] = {"b.png": {"image/png": "AAAA"}}
    return notebook


@pytest.fixture
def handed_in():
    """What an honest student hands in, with what nbgrader adds to a release."""
    locked = {"deletable": False, "editable": False}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "evil"}},
        "cells": [
            cell("# Sums", locked | settings("text", "intro"), "markdown"),
            cell("import torch", locked | settings("text", "setup", checksum="c")),
            cell("my sum", settings("solution", "sum", cell_type="code")),
            cell("assert sum", locked | settings("test", "test-sum", points=2)),
            cell("my free cell"),
            cell("my mean", settings("solution", "mean")),
            cell("assert mean", locked | settings("test", "test-mean", points=1)),
            cell("my reasons", settings("answer", "why", points=3), "markdown"),
        ],
    }


def sources(notebook):
    return {cell.id: cell.source for cell in notebook.cells}


def own(notebook):
    """The ids and texts of the cells that are none of ours."""
    return [(c.id, c.source) for c in notebook.cells if c.id not in OURS]


def check(grafted, trusted):
    """What holds whatever the student did."""
    notebook = grafted.notebook
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()
    ids = [c.id for c in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert [i for i in ids if i in OURS] == list(OURS)
    assert notebook.metadata == trusted.metadata
    known = {c.id: c for c in trusted.cells}
    for c in notebook.cells:
        if c.id not in OURS:
            assert c.metadata in ({}, {"tags": ["skip-grading"]})
            assert "attachments" not in c
            continue
        assert c.metadata == known[c.id].metadata
        assert c.cell_type == known[c.id].cell_type
        if c.id in ("intro", "setup", "test-sum", "test-mean"):
            assert c == known[c.id]
        else:
            assert "reference" not in c.source
            assert "model answer" not in c.source
            assert "attachments" not in c
    assert len(grafted.notes) <= MAX_NOTES
    assert len(set(grafted.notes)) == len(grafted.notes)
    assert all(note.isprintable() and len(note) < 200 for note in grafted.notes)
    return notebook


def test_an_honest_submission_is_the_trusted_notebook_with_its_texts(
    trusted, handed_in
):
    expected = copy.deepcopy(trusted)
    expected.cells[2].source = "my sum"
    expected.cells[4].source = "my free cell"
    expected.cells[4].id = "extra-1"
    expected.cells[5].source = "my mean"
    expected.cells[7].source = "my reasons"
    del expected.cells[7]["attachments"]
    grafted = graft(handed_in, trusted)
    assert check(grafted, trusted) == expected
    assert grafted.notes == ()


def test_neither_notebook_is_changed_and_the_result_is_its_own(trusted, handed_in):
    before = copy.deepcopy((trusted, handed_in))
    notebook = graft(handed_in, trusted).notebook
    for c in notebook.cells:
        c.source = "gone"
        c.metadata["nbgrader"] = "gone"
    notebook.metadata["kernelspec"]["name"] = "gone"
    assert (trusted, handed_in) == before


def test_what_was_written_over_a_test_is_not_run(trusted, handed_in):
    for c in handed_in["cells"]:
        if c["metadata"].get("nbgrader", {}).get("grade_id") != "sum":
            c["source"] = "forged"
    notebook = check(graft(handed_in, trusted), trusted)
    forged = [c.id for c in notebook.cells if c.source == "forged"]
    assert forged == ["extra-1", "mean", "why"]


@pytest.mark.parametrize("name", ["sum", "why"])
def test_a_missing_solution_or_answer_is_blank(trusted, handed_in, name):
    handed_in["cells"] = [
        c
        for c in handed_in["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id") != name
    ]
    grafted = graft(handed_in, trusted)
    assert sources(check(grafted, trusted))[name] == ""
    assert grafted.notes == (f"the cell '{name}' was missing; it counts as blank",)


def test_missing_tests_and_text_are_put_back(trusted, handed_in):
    del handed_in["cells"][3], handed_in["cells"][1]
    grafted = graft(handed_in, trusted)
    check(grafted, trusted)
    assert grafted.notes == (
        "the tests 'test-sum' were missing and were put back",
        "the cell 'setup' was missing and was put back",
    )


def test_an_empty_notebook_is_blank(trusted):
    grafted = graft({"cells": []}, trusted)
    assert "".join(sources(check(grafted, trusted))[i] for i in ("sum", "why")) == ""
    assert len(grafted.notes) == len(OURS)


def test_plain_cells_follow_the_cell_that_they_followed(trusted, handed_in):
    a, b, c, d = (cell(text) for text in ("a", "b", "c", "d"))
    cells = handed_in["cells"]
    handed_in["cells"] = [a, *cells[:3], b, c, *cells[3:], d]
    notebook = check(graft(handed_in, trusted), trusted)
    assert [c.id for c in notebook.cells] == [
        *("extra-1", "intro", "setup", "sum", "extra-2", "extra-3", "test-sum"),
        *("extra-4", "mean", "test-mean", "why", "extra-5"),
    ]
    texts = ["a", "b", "c", "my free cell", "d"]
    assert [text for _, text in own(notebook)] == texts


def test_plain_cells_keep_their_kind_and_the_tag_that_skips_them(trusted, handed_in):
    handed_in["cells"] += [
        cell("*a*", {"tags": ["x", "skip-grading"], "collapsed": True}, "markdown"),
        cell("b", {"tags": "skip-grading"}, "raw"),
        cell("c", {"tags": [{}, None, "skip-grading"]}),
        cell("d", {"tags": {"skip-grading": 1}}),
        cell("e", {"skip-grading": True}) | {"outputs": [{"forged": 1}], "id": "sum"},
        cell("f", cell_type="markdown") | {"attachments": {"a": 1}},
    ]
    notebook = check(graft(handed_in, trusted), trusted)
    assert [(c.cell_type, c.source, "tags" in c.metadata) for c in notebook.cells][
        -6:
    ] == [
        *(("markdown", "*a*", True), ("raw", "b", False), ("code", "c", True)),
        *(("code", "d", False), ("code", "e", False), ("markdown", "f", False)),
    ]
    assert all(c.outputs == [] for c in notebook.cells if c.cell_type == "code")


def test_of_copies_the_first_counts_and_the_others_are_plain(trusted, handed_in):
    handed_in["cells"] += [
        cell("another sum", settings("solution", "sum")),
        cell("forged", settings("test", "test-sum", points=99)),
        cell("forged too", settings("test", "test-sum", points=99)),
    ]
    grafted = graft(handed_in, trusted)
    notebook = check(grafted, trusted)
    assert sources(notebook)["sum"] == "my sum"
    assert own(notebook)[1:] == [
        *(("extra-2", "another sum"), ("extra-3", "forged")),
        ("extra-4", "forged too"),
    ]
    assert grafted.notes == (
        "the cell 'sum' was there 2 times; the first one counts",
        "the cell 'test-sum' was there 3 times; the first one counts",
    )


def test_unknown_cells_are_plain(trusted, handed_in):
    for name in ("bonus", "bonus", "cell-5", "\x1b[2J" + "x" * 500):
        handed_in["cells"].append(cell("1", settings("test", name, points=100)))
    grafted = graft(handed_in, trusted)
    assert len(own(check(grafted, trusted))) == 5
    assert grafted.notes == (
        "the cell 'bonus' is not in the assignment; it has no points",
        "the cell 'cell-5' is not in the assignment; it has no points",
        "the cell '\ufffd[2J" + "x" * 55 + "…' is not in the assignment; it has no "
        "points",
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("points", 1e9),
        ("points", None),
        ("points", [[["2"]]]),
        ("grade", False),
        ("solution", True),
        ("locked", "true"),
        ("task", True),
        ("schema_version", 99),
    ],
)
def test_changed_settings_are_put_back(trusted, handed_in, key, value):
    handed_in["cells"][3]["metadata"]["nbgrader"][key] = value
    grafted = graft(handed_in, trusted)
    check(grafted, trusted)
    assert grafted.notes == (
        "the settings of the cell 'test-sum' were changed and were put back",
    )


def test_a_solution_that_became_markdown_is_code_again(trusted, handed_in):
    handed_in["cells"][2]["cell_type"] = "markdown"
    grafted = graft(handed_in, trusted)
    assert sources(check(grafted, trusted))["sum"] == "my sum"
    assert len(grafted.notes) == 1


def test_pictures_in_an_answer_are_not_kept_and_that_is_said(trusted, handed_in):
    answer = handed_in["cells"][7]
    answer["source"] = "As derived:\n![image.png](attachment:image.png)"
    answer["attachments"] = {"image.png": {"image/png": "AAAA"}}
    grafted = graft(handed_in, trusted)
    assert sources(check(grafted, trusted))["why"] == answer["source"]
    assert grafted.notes == (
        "the pictures pasted into the cell 'why' are not kept; use words",
    )


def test_moved_cells_are_put_back_with_the_plain_ones_behind_them(trusted, handed_in):
    cells = handed_in["cells"]
    handed_in["cells"] = [*cells[5:], *cells[:5]]
    grafted = graft(handed_in, trusted)
    notebook = check(grafted, trusted)
    assert [c.id for c in notebook.cells][3:5] == ["test-sum", "extra-1"]
    assert grafted.notes == (
        "the cells were in another order; that of the assignment was put back",
    )


@pytest.mark.parametrize(
    "junk",
    [
        *(None, 0, True, "sum", ["sum"], {}, [{}], [[[]]], {"grade_id": None}),
        *({"grade_id": ["sum"]}, {"grade_id": {"sum": 1}}, {"grade_id": 7}),
        {"grade_id": ""},
    ],
)
def test_junk_for_settings_makes_a_plain_cell(trusted, handed_in, junk):
    handed_in["cells"][2]["metadata"]["nbgrader"] = junk
    grafted = graft(handed_in, trusted)
    notebook = check(grafted, trusted)
    assert sources(notebook)["sum"] == ""
    assert ("extra-1", "my sum") in own(notebook)
    assert grafted.notes == ("the cell 'sum' was missing; it counts as blank",)


def test_ids_of_plain_cells_avoid_ours(trusted, handed_in):
    trusted.cells[0] = trusted_cell("# Sums", "text", "extra-1", "markdown")
    handed_in["cells"][0]["metadata"] = settings("text", "extra-1")
    notebook = graft(handed_in, trusted).notebook
    nbformat.validate(notebook)
    found = sources(notebook)
    assert (found["extra-1"], found["extra-2"]) == ("# Sums", "my free cell")


def test_notes_are_few(trusted):
    cells = [cell("1", settings("test", f"t{i}")) for i in range(50)]
    notes = graft({"cells": cells}, trusted).notes
    assert len(notes) == MAX_NOTES
    assert notes[0] == "the cell 'sum' was missing; it counts as blank"
    assert notes[-1] == "38 more cells were put right"


def test_texts_are_kept_as_they_are_but_for_half_characters(trusted, handed_in):
    text = "<script>alert(1)</script>\r\n\x00\x1b ### BEGIN HIDDEN TESTS\n"
    handed_in["cells"][7]["source"] = text
    handed_in["cells"][2]["source"] = ["a = 1\n", "b = '\ud800'"]
    found = sources(check(graft(handed_in, trusted), trusted))
    assert found["why"] == text
    assert found["sum"] == "a = 1\nb = '\ufffd'"


def junk_metadata(rng):
    name = rng.choice([*OURS, *OURS, "cell-5", "extra-1", "", 3, None, "new", "\x07"])
    kind = rng.choice(list(FLAGS))
    metadata = settings(kind, name, points=rng.choice([1, -1, "x", None, 1e999]))
    if rng.random() < 0.3:
        metadata["nbgrader"] = rng.choice([None, [], "sum", 1, {"grade_id": [name]}])
    if rng.random() < 0.3:
        metadata["tags"] = rng.choice([None, "skip-grading", ["skip-grading"], [[]], 5])
    return rng.choice([{}, metadata, metadata])


def cells_at_random(rng, cells):
    """Some of these and some junk, in any order."""
    cells = copy.deepcopy(cells)
    for _ in range(rng.randrange(30)):
        kind = rng.choice(["code", "markdown", "raw"])
        text = rng.choice(["x", "", "\ud800", ["a\n", "b"], "assert hidden_sum"])
        cells.append(cell(text, junk_metadata(rng), kind))
    rng.shuffle(cells)
    return cells[: rng.randrange(len(cells) + 1)]


def test_whatever_passes_the_intake_becomes_a_sound_notebook(trusted, handed_in):
    rng = random.Random(1)
    seen = set()
    for _ in range(60):
        cells = cells_at_random(rng, handed_in["cells"])
        data = json.dumps(handed_in | {"cells": cells}).encode()
        submitted = intake._notebook(data, "tiny.ipynb")
        grafted = graft(submitted, trusted)
        notebook = check(grafted, trusted)
        first, plain = {}, []  # the first of each of ours, and all others
        for c in cells:
            data = c["metadata"].get("nbgrader")
            name = data.get("grade_id") if isinstance(data, dict) else None
            text = "".join(c["source"]).replace("\ud800", "\ufffd")
            if isinstance(name, str) and name in OURS and name not in first:
                first[name] = text
            else:
                plain.append((c["cell_type"], text))
        got = [(c.cell_type, c.source) for c in notebook.cells if c.id not in OURS]
        assert sorted(got) == sorted(plain)
        for name in ("sum", "mean", "why"):
            assert sources(notebook)[name] == first.get(name, "")
        assert graft(copy.deepcopy(submitted), trusted) == grafted
        seen.update(note.split("'")[-1] for note in grafted.notes)
    assert len(seen) > 6


@pytest.mark.slow
def test_a_real_submission_is_the_source_with_its_texts(copy_course, tmp_path):
    course = Course(copy_course(tmp_path))
    for name in course.names():
        release.release(course, name)
        trusted = cells.read(course.source(name).with_suffix(".ipynb"))
        released = cells.read(course.released(name) / f"{name}.ipynb")
        code = sample.solutions(course, name)
        student = {"id": "sample-1", "answer": "because"}
        text = sample.submission(released, student, code)
        submitted = intake._notebook(text.encode(), f"{name}.ipynb")
        grafted = graft(submitted, trusted)
        nbformat.validate(grafted.notebook)
        assert grafted.notes == ()
        assert len(grafted.notebook.cells) == len(trusted.cells)
        texts = sources(nbformat.reads(text, as_version=4))
        kinds = set()
        for ours, got in zip(trusted.cells, grafted.notebook.cells, strict=True):
            kind = cells.cell_kind(ours, ours.id)
            kinds.add(kind)
            if kind in ("text", "test"):
                assert got == ours
            elif kind == "free":
                assert got.id.startswith("extra-")
                assert got.source == ours.source
            else:
                assert got.source == texts[ours.id] != ours.source
                assert got | {"source": ""} == ours | {"source": ""}
        assert kinds >= {"text", "test", "solution", "answer"}
