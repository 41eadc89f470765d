"""The bug gallery: what students get, what the grader keeps, and what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from safetensors import safe_open

from chula_rl import gallery
from chula_rl.algorithms import a2c, ddpg
from chula_rl.errors import AssignmentError, ConfigError
from chula_rl.grading import (
    gallery_files,
    gallery_mistakes,
    gallery_record,
    gallery_runs,
    sample,
)
from chula_rl.grading.contract import CASES
from chula_rl.grading.course import Course
from chula_rl.grading.edition import PACKAGE, package_files
from chula_rl.grading.gallery import judge
from chula_rl.grading.gallery_key import KEY, WHY
from chula_rl.grading.rehearsal import Rehearsal

COURSE = Course(PACKAGE.parent)
DATA = PACKAGE / "data" / "gallery.safetensors"
LETTERS = sorted(KEY)
WRONG = [
    (letter, name)
    for letter in LETTERS
    for name in gallery.mistakes(gallery.case(letter)[0].algorithm)
    if name != KEY[letter]
]


@pytest.fixture(scope="module")
def rehearsal():
    return Rehearsal(COURSE, "gallery")


def answer(letter, name, column):
    function = f"case_{letter.lower()}"
    return {function: f"def {function}():\n    return {name!r}, {column!r}\n"}


def evidence(letter):
    """The columns that leave the healthy runs."""
    return {
        column
        for column in gallery.case(letter)[0].columns
        for third in gallery.THIRDS
        if gallery.place(letter, column, third) != "within"
    }


def place(letter, column, third):
    return gallery.place(letter, column, third).replace("within", "among")


def test_there_is_an_exercise_for_each_case():
    assert [f"gallery:case_{letter.lower()}" for letter in LETTERS] == [
        *CASES["gallery"]
    ]
    cases = [m.name for m in gallery_mistakes.read(COURSE) if m.role == "case"]
    assert sorted(KEY.values()) == sorted(cases)


@pytest.mark.parametrize("name", ["example", *LETTERS])
def test_a_case_is_of_five_whole_runs_of_other_seeds_than_the_healthy(name):
    sick, healthy = gallery.case(name)
    assert healthy is gallery.recorded()[sick.algorithm]
    assert list(sick.columns) == list(healthy.columns)
    for column, values in sick.columns.items():
        assert values.shape == (5, gallery_runs.POINTS)
        assert healthy.columns[column].shape == (10, values.shape[1])
        assert np.isfinite(values[:, 2:]).all()
    ours, theirs = sick.columns["return"], healthy.columns["return"]
    assert not any((ours == run).all(axis=1).any() for run in theirs)


@pytest.mark.parametrize("name", ["example", *LETTERS])
def test_each_case_is_silent(name):
    """It learns: at the end the return is a multiple of that of a beginner, 20."""
    sick, _ = gallery.case(name)
    assert np.mean(gallery.means(sick.columns["return"], "last")) > 200


def test_the_return_of_most_cases_is_as_good_as_healthy():
    fine = [
        name for name in LETTERS if gallery.place(name, "return", "last") == "within"
    ]
    assert len(fine) >= 7


@pytest.mark.parametrize("letter", LETTERS)
def test_the_key_tells_each_case_from_healthy_runs_and_all_other_mistakes(letter):
    algorithm = gallery.case(letter)[0].algorithm
    others = {algorithm, *gallery.mistakes(algorithm)} - {KEY[letter]}
    assert set(WHY[KEY[letter]]) == others
    letters = {name: letter for letter, name in KEY.items()}
    for name, (column, third, claimed, seen) in WHY[KEY[letter]].items():
        assert claimed != seen
        assert place(letter, column, third) == seen
        known = {"time-limit": "example", **letters, algorithm: algorithm}
        if name in known:
            assert place(known[name], column, third) == claimed


@pytest.mark.parametrize(("letter", "name"), WRONG)
def test_a_wrong_diagnosis_is_told_a_column_that_contradicts_it(letter, name):
    with pytest.raises(AssertionError) as caught:
        judge(letter, (name, "return"))
    message = str(caught.value)
    assert message.startswith(f"Case {letter}: not '{name}'.")
    assert f"'{KEY[letter]}'" not in message
    column, third, claimed, seen = WHY[KEY[letter]][name]
    assert f"`{column}` is {claimed} the" in message
    assert f"the {third} third" in message
    assert f"is {seen} them" in message


@pytest.mark.parametrize("letter", LETTERS)
def test_the_right_diagnosis_passes(letter):
    judge(letter, (KEY[letter], "return"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "two texts"),
        ("time-limit", "two texts"),
        (("time-limit",), "two texts"),
        (("time-limit", 3), "two texts"),
        (({}, "return"), "two texts"),
        (("time limit", "value"), "'time limit' is not in the list of a2c"),
        (("swapped-tau", "value"), "not in the list of a2c"),
        (("x" * 10**6, "value"), "'x{40}' is not"),
        (("time-limit", "loss"), "no column 'loss'; there are steps, return"),
        (("time-limit", "steps"), "steps stays within"),
        (("time-limit", "entropy"), "entropy stays within"),
    ],
)
def test_what_is_no_answer_is_told_so(given, message):
    with pytest.raises(AssertionError, match=message):
        gallery.check("example", given)


@pytest.mark.parametrize("form", [tuple, list])
@pytest.mark.parametrize("name", ["time-limit", "summed-loss"])
def test_an_answer_in_the_right_form_passes_be_it_right_or_wrong(form, name):
    gallery.check("example", form((name, "value_grad_norm")))


def test_students_get_no_name_of_a_case():
    """The file has letters, the whole list of mistakes, and hints that name none."""
    with safe_open(DATA, framework="numpy") as file:
        metadata, keys = file.metadata(), set(file.keys())
    about = json.loads(metadata.pop("about"))
    listed = json.loads(metadata.pop("mistakes"))
    assert metadata == {}
    assert list(about) == ["a2c", "ddpg", "example", *LETTERS]
    for entry in about.values():
        assert set(entry) == {"algorithm", "hints"}
    for names in listed.values():
        assert list(names) == sorted(names)
    hints = json.dumps(about)
    names = {name for names in listed.values() for name in names}
    assert not [name for name in names if name in hints]
    assert {key.split("/")[0] for key in keys} == set(about)


@pytest.mark.parametrize("letter", LETTERS)
def test_each_case_has_three_hints_folded_away(letter):
    hints = gallery.Hints(letter)
    assert hints._repr_html_().count("<details><summary>Hint ") == 3
    assert "3 hints" in repr(hints)


@pytest.mark.parametrize("name", ["a2c", "example", *LETTERS])
def test_a_figure_has_a_panel_for_each_column(name):
    figure = Figure(layout="constrained")
    gallery.draw(figure, name)
    columns = list(gallery.case(name)[0].columns)
    titles = [ax.get_title() for ax in figure.axes]
    assert [title for title in titles if title] == columns[1:]
    lines = [len(ax.lines) for ax in figure.axes if ax.get_title()]
    assert set(lines) == {0 if name == "a2c" else 5}
    figure.canvas.draw()


def test_what_is_not_there_is_named():
    with pytest.raises(ConfigError, match="no case 'Z'"):
        gallery.case("Z")
    with pytest.raises(ConfigError, match="no 'loss'"):
        gallery.place("A", "loss", "last")
    with pytest.raises(ConfigError, match="'second' third"):
        gallery.place("A", "return", "second")
    with pytest.raises(ConfigError, match="'ppo'"):
        gallery.mistakes("ppo")


def test_what_the_notebook_says_of_its_example_and_of_mistakes_in_no_case():
    assert evidence("example") == {
        *("value_grad_norm", "policy_grad_norm", "value", "value_error")
    }
    for column in evidence("example"):
        assert gallery.place("example", column, "first") == "within"
    assert gallery.place("example", "value", "last") == "below"
    text = COURSE.source("gallery").read_text()
    for name in ("sum-runs-on", "limit-is-end", "newest-first"):
        assert f"`{name}`" in text
        found = [why[name][2] for why in WHY.values() if name in why]
        assert set(found) == {"among"}


def test_students_get_the_runs_in_a_small_file_and_no_key():
    files = {path.relative_to(PACKAGE).as_posix() for path in package_files()}
    assert {"gallery.py", "data/gallery.safetensors"} <= files
    assert not [path for path in files if "grading" in path or "key" in path]
    assert DATA.stat().st_size < 200_000


def test_place_wants_all_seeds_outside():
    healthy = np.tile(np.arange(10.0)[:, None], 9)
    above = np.full((5, 9), 9.5)
    assert gallery.place_of(above, healthy, "first") == "above"
    assert gallery.place_of(-above, healthy, "last") == "below"
    above[0] = 9.0
    assert gallery.place_of(above, healthy, "last") == "within"
    above[:, -3:] = 20.0
    assert gallery.place_of(above, healthy, "first") == "within"
    assert gallery.place_of(above, healthy, "last") == "above"


def test_the_reference_gets_full_marks_and_blank_none(rehearsal):
    assert rehearsal.mark({}, rehearsal.tests).messages == {}
    assert rehearsal.mark(rehearsal.blank, rehearsal.tests).passed == set()


@pytest.mark.parametrize("letter", LETTERS)
def test_every_column_that_shows_it_is_evidence_and_no_other(rehearsal, letter):
    own = f"test-case_{letter.lower()}"
    for column in gallery.case(letter)[0].columns:
        marks = rehearsal.mark(answer(letter, KEY[letter], column), {own})
        assert (own in marks.passed) == (column in evidence(letter)), column


def test_a_wrong_diagnosis_costs_its_own_points_only(rehearsal):
    for letter, name in WRONG[::7]:
        wrong = answer(letter, name, min(evidence(letter)))
        marks = rehearsal.mark(wrong, rehearsal.tests)
        assert list(marks.messages) == [f"test-case_{letter.lower()}"]


def test_the_visible_tests_do_not_tell_right_from_wrong(rehearsal):
    for letter, name in WRONG[::3]:
        wrong = answer(letter, name, min(evidence(letter)))
        own = f"test-case_{letter.lower()}"
        assert rehearsal.mark(wrong, {own}, part="visible").messages == {}


def test_the_visible_tests_want_a_name_of_the_list_and_a_column(rehearsal):
    own = "test-case_a"
    for name, column, message in (
        ("bug", min(evidence("A")), "not in the list"),
        (KEY["A"], "nothing", "no column 'nothing'"),
        (KEY["A"], "steps", "stays within"),
    ):
        marks = rehearsal.mark(answer("A", name, column), {own}, part="visible")
        assert message in marks.messages[own]


def test_solutions_are_made_from_the_key():
    texts = sample.solutions(COURSE, "gallery")
    assert len(texts) == len(KEY)
    for letter, name in KEY.items():
        assert f'return "{name}", "' in texts[f"case_{letter.lower()}"]


def test_letters_depend_on_the_seed_and_keep_the_algorithms_apart():
    found = gallery_mistakes.read(COURSE)
    keys = [gallery_files.shuffled(found, seed) for seed in range(20)]
    assert keys[0] == gallery_files.shuffled(found, 0)
    assert len({tuple(key.values()) for key in keys}) > 10
    algorithm = {m.name: m.algorithm for m in found}
    for key in keys:
        order = [algorithm[name] for name in key.values()]
        assert list(key) == LETTERS
        assert order == sorted(order)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('gae = "merged_flags"', 'gae = "no_such"', "has no 'wrong_no_such'"),
        ('role = "example"', 'rule = "example"', "rule"),
    ],
)
def test_an_unsound_list_of_mistakes_is_refused(tmp_path, old, new, message):
    text = (COURSE.assignments / "gallery.toml").read_text()
    assert old in text
    (tmp_path / "assignments").mkdir()
    (tmp_path / "assignments" / "gallery.toml").write_text(text.replace(old, new))
    with pytest.raises(AssignmentError, match=message):
        gallery_mistakes.read(Course(tmp_path))


def test_a_case_is_told_from_others_where_all_seeds_are_apart_the_most():
    found = [
        gallery_mistakes.Mistake(name, "a2c", "", {}, role)
        for name, role in (("one", "case"), ("two", "other"), ("three", "other"))
    ]
    healthy = {"x": runs(0.0, 1.0), "y": runs(0.0, 1.0)}
    one = {"x": runs(3.5, 4.0), "y": runs(-3.0, -2.0)}
    recorded = {
        "a2c": healthy,
        "one": one,
        "two": {"x": runs(9.0, 9.5), "y": runs(0.5, 1.0)},
        "three": {"x": runs(-5.0, 5.0), "y": runs(1.5, 2.0)},
    }
    why = gallery_record.contradictions(found, recorded)["one"]
    assert set(why) == {"a2c", "two", "three"}
    assert why["a2c"][0::2] == ("x", "among")
    assert why["two"][0::2] == ("y", "among")  # x is above in both
    assert why["three"][0::2] == ("y", "above")
    assert why["three"][3] == "below"
    for other in (one, {"x": runs(0.5, 3.6), "y": runs(-9.0, -8.0)}):
        with pytest.raises(AssignmentError, match="'one' cannot be told from 'two'"):
            gallery_record.contradictions(found, recorded | {"two": other})
    faint = {"x": runs(1.2, 1.3), "y": runs(0.2, 0.8)}
    with pytest.raises(AssignmentError, match="'one' cannot be told from 'a2c'"):
        gallery_record.contradictions(found, recorded | {"one": faint})


def runs(*means):
    return np.repeat(np.array(means)[:, None], 6, axis=1)


def test_the_rubric_has_each_marked_part():
    text = Path(COURSE.assignments / "rubrics" / "gallery.md").read_text()
    source = COURSE.source("gallery").read_text()
    for name in ("answer-critic", "answer-tests"):
        assert name in text
        assert f'"grade_id": "{name}"' in source


SMALL = {
    "a2c": ({"total_steps": 1024}, gallery_runs.record_a2c, {"a2c_loss": "sum"}),
    "ddpg": (
        {"total_steps": 960, "random_steps": 160},
        gallery_runs.record_ddpg,
        {"actor_loss": "sum"},
    ),
}


@pytest.mark.parametrize("algorithm", SMALL)
def test_a_run_depends_on_its_seed_and_functions_only(algorithm, monkeypatch):
    settings, train, wrong = SMALL[algorithm]
    module = {"a2c": a2c, "ddpg": ddpg}[algorithm]
    init, config = module.init, module.Config(**settings)
    monkeypatch.setattr(module, "init", lambda **kwargs: init(config, **kwargs))
    monkeypatch.setattr(gallery_runs, "POINTS", 2)
    monkeypatch.setattr(gallery_runs, "EPISODES", 3)
    mistake = gallery_mistakes.Mistake("it", algorithm, "", wrong)
    texts = gallery_mistakes.texts(mistake)
    student = gallery_mistakes.functions(COURSE, algorithm, {})
    sick = gallery_mistakes.functions(COURSE, algorithm, texts)
    runs = [train(functions, 3) for functions in ({}, student, sick)]
    other = train({}, 4)
    for column in runs[0]:
        assert runs[0][column].shape == (2,)
        np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=1e-4)
    norm = {"a2c": "policy_grad_norm", "ddpg": "actor_grad_norm"}[algorithm]
    assert (runs[2][norm] > 50 * runs[0][norm]).all()
    assert not np.allclose(runs[0][norm], other[norm])
