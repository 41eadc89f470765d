"""Variants by seed: what varies and what does not; the tests are right in all."""

import functools
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from test_grading_referee import graded, points

from chula_rl.cli import main
from chula_rl.errors import AssignmentError, ConfigError, LeakError
from chula_rl.grading import (
    cells,
    expressions,
    leaks,
    markers,
    mistakes,
    proof,
    release,
    sample,
    secret,
    source,
    variants,
)
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.grade import Assignment, task
from chula_rl.grading.graft import graft
from chula_rl.grading.limits import Limits
from chula_rl.grading.rehearsal import Rehearsal
from chula_rl.grading.sandbox import Sandbox
from chula_rl.grading.task import Task
from chula_rl.grading.variants import Choice, Offer

COURSE = Course(Path(__file__).parents[1])
ASSIGNMENTS = list(CONTRACT)
VALUES = [(name, i) for name in ASSIGNMENTS for i in (1, 2)]

# What students see of the constants without a seed, as written by hand once.
DEFAULT = {
    ("reinforce", "rewards-to-go-text"): "| 0 | 1 | 1.5 | $= 1 + 0.5 \\cdot 1$ |",
    (
        "reinforce",
        "gaussian-log-prob-text",
    ): "| 2 | 0 | $\\log 2$ | 2 | 2 | 1 | -0.5 | ",
    ("reinforce", "gaussian-entropy-text"): "$1.4189 + 2.1121 = 3.5310$",
    ("reinforce", "reinforce-loss-text"): "so $L = 7.5 / 2 = 3.75$",
    ("reinforce", "reinforce-update-text"): "| after | 0.6 | 0.3 | 0 |",
    ("reinforce", "test-rewards_to_go"): "assert close(return_, [1.5, 1.0, 2.0])",
    ("reinforce", "test-gaussian_log_prob"): "assert close(log_prob, -5.0310)",
    ("reinforce", "test-gaussian_entropy"): '"Compare with 1.4189 + 2.1121."',
    ("reinforce", "test-bounded_action"): "close(action, [[1.1931, 0.3267]])",
    ("reinforce", "test-reinforce_loss"): "grad, [-1.0, -0.25, -1.5]",
    ("reinforce", "test-reinforce_update"): "[step, two_steps])[0], 0.45)",
    ("a2c", "n-step-returns-text"): "| 2 | 1 | 16 | $1 + 0.5 \\cdot 16 = 9$ |",
    ("a2c", "gae-text"): "| 0 | 4 | $1 + 2 - 2 = 1$ | $1 - 0.4 \\cdot 1.2 = 0.52$ |",
    ("a2c", "a2c-loss-text"): "So $L = 1 + 0.4 \\cdot 1 - 0.05 \\cdot 2 = 1.3$.",
    ("a2c", "a2c-update-text"): "is $\\sqrt{36 + 9 + 9 + 2.25} = 7.5$",
    ("a2c", "test-n_step_returns"): "close(goes_on, [5.75, 9.5, 17.0])",
    ("a2c", "test-gae"): "close(goes_on, [0.904, -0.24, 4.4])",
    ("a2c", "test-a2c_loss"): "close(value.grad, [-1.8 / 3, -2.6 / 3, -4.4 / 3])",
    ("a2c", "test-a2c_update"): "assert close(critic, [0.5475, 0.27375])",
    ("ddpg", "exploratory-action-text"): "| 1.5, -0.5 | **1**, -0.5 |",
    ("ddpg", "td-target-text"): "| 2 | 2 | no | -2 | 1 | $= 2 - 0.5 \\cdot 2$ |",
    ("ddpg", "critic-loss-text"): "| 0 | 1 | 2 | 1 | 1 | -0.6667 |",
    ("ddpg", "actor-loss-text"): "So $L = -2.5$, with the gradient $-4$ for $w$",
    ("ddpg", "soft-update-text"): "0.75 · 1 + 0.25 · 3 = 1.5",
    ("ddpg", "ddpg-update-text"): "$-0.3 \\cdot (s, 1) = (-0.6, -0.3)$",
    ("ddpg", "test-exploratory_action"): "[[1.0, -0.5], [-0.75, 3.0]]",
    ("ddpg", "test-td_target"): "close(target, [2.5, 0.5, 0])",
    ("ddpg", "test-critic_loss"): "close(q.grad, [-2 / 3, 0, 2])",
    ("ddpg", "test-actor_loss"): "assert close(loss, -2.5)",
    ("ddpg", "test-soft_update"): "close(numbers(slow), [2.25, -0.625])",
    ("ddpg", "test-ddpg_update"): "# 1.8, of a target of 3",
}


@functools.cache
def choice(name, number):
    """The values of that number of all constants, and the questions likewise."""
    offer = source.offered(COURSE, name)
    return Choice(
        {key: values[number % len(values)] for key, values in offer.constants.items()},
        {
            cell: [None, *others][number % (1 + len(others))]
            for cell, others in offer.questions.items()
        },
        variants.mark(name, number) if number else "",
    )


@functools.cache
def built(name, number):
    return source.notebook(COURSE, name, choice(name, number))


@functools.cache
def rehearsal(name, number):
    return Rehearsal(COURSE, name, choice(name, number))


def by_seed(name, seed):
    return source.offered(COURSE, name).choose(name, seed)


def texts(notebook):
    return {cell.id: cell.source for cell in notebook.cells}


def set_seed(course, seed):
    course.settings.write_text(f"[variant]\nseed = {seed}\n")


# The default


@pytest.mark.parametrize(("name", "cell"), DEFAULT)
def test_the_default_has_the_numbers_of_always(name, cell):
    assert DEFAULT[name, cell] in texts(built(name, 0))[cell]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_without_a_seed_it_is_the_text_with_the_first_values(name):
    default = by_seed(name, None)
    assert default == choice(name, 0)
    notebook = source.notebook(COURSE, name, default)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    guide = COURSE.rubric(name).read_text()
    assert source.marking_guide(COURSE, name, default) == guide


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_each_written_answer_has_three_questions_and_each_constant_three_values(name):
    offer = source.offered(COURSE, name)
    answers = [c.id for c in built(name, 0).cells if c.id.startswith("answer-")]
    assert sorted(offer.questions) == sorted(answers)
    assert all(len(others) >= 2 for others in offer.questions.values())
    assert all(len(values) >= 3 for values in offer.constants.values())
    assert len(offer.constants) >= 4


# Two seeds


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_seeds_differ_in_constants_questions_and_hidden_inputs(name):
    chosen = [by_seed(name, seed) for seed in (2027, 2028)]
    assert chosen[0].constants != chosen[1].constants
    for cell in chosen[0].questions:
        assert chosen[0].questions[cell] != chosen[1].questions[cell]
    notebooks = [source.notebook(COURSE, name, each) for each in chosen]
    first, second = map(texts, notebooks)
    differ = {cell for cell in first if first[cell] != second[cell]}
    assert len(differ) >= 6
    assert first.keys() == second.keys()
    assert len({seed_of_inputs(notebook) for notebook in notebooks}) == 2


def seed_of_inputs(notebook):
    """The base seed of the hidden inputs of one and the same submission."""
    trusted = nbformat.writes(notebook)
    assignment = Assignment(COURSE, "x", trusted, Limits())
    return Task(
        *("ada", "x", {}, trusted, assignment.limits),
        *("its hash", assignment.source, "environment"),
    ).seed


def test_hidden_inputs_differ_even_where_nothing_else_does():
    same = choice("reinforce", 0)
    marked = [
        Choice(same.constants, same.questions, variants.mark("reinforce", seed))
        for seed in (1, 2)
    ]
    one, other = (source.notebook(COURSE, "reinforce", each) for each in marked)
    assert texts(one) == texts(other)
    assert seed_of_inputs(one) != seed_of_inputs(other)


def test_a_new_constant_leaves_the_others_as_they_were():
    offer = Offer({"a": [1, 2, 3], "b": [4, 5, 6]})
    more = Offer({"a": [1, 2, 3], "c": [7, 8], "b": [4, 5, 6]})
    for seed in range(20):
        few, many = (each.choose("x", seed).constants for each in (offer, more))
        assert few.items() <= many.items()


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_seeds_reach_every_value_and_every_question(name):
    offer = source.offered(COURSE, name)
    chosen = [by_seed(name, seed) for seed in range(60)]
    for key, values in offer.constants.items():
        assert all(any(c.constants[key] == value for c in chosen) for value in values)
    for cell, others in offer.questions.items():
        for question in (None, *others):
            assert any(c.questions[cell] == question for c in chosen)


# Every value is sound


@pytest.mark.parametrize(("name", "number"), VALUES)
def test_the_reference_passes_all_tests_in_every_variant(name, number):
    marked = rehearsal(name, number)
    assert marked.mark({}, marked.tests).messages == {}
    for seed in (2027, 2028):
        own = Rehearsal(COURSE, name, by_seed(name, seed))
        assert own.mark({}, own.tests, part="visible").messages == {}


@pytest.mark.parametrize(("name", "number"), VALUES)
def test_a_sample_of_mistakes_is_found_by_the_hidden_tests_alone(name, number):
    marked = rehearsal(name, number)
    update = marked.functions[-1]
    wrong = [v for v in mistakes.load(name) if not v.correct and v.function != update]
    for variant in wrong[number::9]:
        own = f"test-{variant.function}"
        found = marked.mark({variant.function: variant.source}, {own}, part="hidden")
        assert own in found.messages, variant


@pytest.mark.slow
@pytest.mark.parametrize(("name", "number"), VALUES)
def test_every_mistake_is_named_as_in_the_default(name, number):
    """So no two misconceptions give one number: each gets its own message."""
    marked = rehearsal(name, number)
    problems = [proof.problem(marked, proof.Trial(v, 0)) for v in mistakes.load(name)]
    assert [problem for problem in problems if problem] == []


@pytest.mark.parametrize(("name", "number"), VALUES)
def test_a_question_comes_with_its_answer_and_its_marking_guide(name, number):
    notebook, default = texts(built(name, number)), texts(built(name, 0))
    guide = source.marking_guide(COURSE, name, choice(name, number))
    headings = re.findall(r"^## .*$", guide, re.M)
    own = re.findall(r"^## .*$", COURSE.rubric(name).read_text(), re.M)
    assert [h.split(":")[0] for h in headings] == [h.split(":")[0] for h in own]
    for cell, question in choice(name, number).questions.items():
        assert notebook[cell] == question.answer != default[cell]
        assert question.question in notebook.values()
        assert question.rubric in guide
        assert question.rubric.split("\n")[0] in headings


def every_question():
    return [
        pytest.param(name, cell, question, id=f"{name}-{question.title}")
        for name in ASSIGNMENTS
        for cell, others in source.offered(COURSE, name).questions.items()
        for question in others
    ]


@pytest.mark.parametrize(("name", "cell", "question"), every_question())
def test_a_question_has_the_form_of_the_texts_own(name, cell, question):
    """Points, minutes, parts and hints as there, and a guide that adds up."""
    notebook = built(name, 0)
    place = [c.id for c in notebook.cells].index(cell)
    own = notebook.cells[place - 1].source
    assert re.findall(r"^## \d+\.", question.question) == re.findall(r"^## \d+\.", own)
    timing = r"^\*Medium, \d+ minutes, \d points, marked by hand\.\*$"
    assert re.findall(timing, question.question, re.M) == re.findall(timing, own, re.M)
    hints = "<details><summary>Hint"
    assert question.question.count(hints) == own.count(hints)
    numbers = re.findall(r"^(\d)\. ", question.question, re.M)
    assert re.findall(r"^\*\*(\d)\.\*\*", question.answer, re.M) == numbers
    assert 3 <= len(numbers) <= 5
    rows = re.findall(r"^\| .+? \| (\d) \| .+ \|$", question.rubric, re.M)
    assert sum(map(int, rows)) == question.points
    assert question.rubric.count("\n- *") >= 3  # comments to paste


# The real referee


@pytest.mark.slow
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_referee_gives_the_reference_full_marks_in_two_variants(name, monkeypatch):
    for seed in (2027, 2028):
        notebook = source.notebook(COURSE, name, by_seed(name, seed))
        notebook.cells = [c for c in notebook.cells if c.id != "test-training"]
        monkeypatch.setattr("test_grading_referee.trusted", lambda name, n=notebook: n)
        with Sandbox() as sandbox:
            verdict = graded(name, sandbox, {})
        assert [result.message for result in verdict.results if result.message] == []
        full = {
            cell.id: cell.metadata.nbgrader.points
            for cell in notebook.cells
            if cells.cell_kind(cell, cell.id) == "test"
        }
        assert points(verdict) == full


# From the setting to the release and the marks


@pytest.fixture(scope="module")
def released(copy_course, tmp_path_factory):
    """A course whose `reinforce` is released in the variant of a seed."""
    course = Course(copy_course(tmp_path_factory.mktemp("variant")))
    set_seed(course, 2027)
    release.release(course, "reinforce")
    return course


@pytest.fixture
def course(released):
    set_seed(released, 2027)
    return released


def test_the_setting_reaches_what_is_built_released_and_tried(course):
    notebook = cells.read(course.source("reinforce").with_suffix(".ipynb"))
    expected = source.notebook(course, "reinforce", by_seed("reinforce", 2027))
    assert texts(notebook) == texts(expected)
    assert texts(notebook) != texts(built("reinforce", 0))
    shown = texts(cells.read(course.released("reinforce") / "reinforce.ipynb"))
    for cell in expected.cells:
        if cells.cell_kind(cell, cell.id) == "text":
            assert shown[cell.id] == cell.source
    assert Rehearsal(course, "reinforce").mark({}, {"test-rewards_to_go"}).passed
    assert texts(source.notebook(course, "reinforce")) == texts(notebook)
    guide = (course.build / "rubrics" / "reinforce.md").read_text()
    assert guide == source.marking_guide(course, "reinforce")
    assert "what 120 episodes can tell" in guide


def test_the_release_says_which_variant_it_is_and_not_its_seed(course):
    path = course.released("reinforce") / "reinforce.ipynb"
    notebook = json.loads(path.read_text())
    mark = variants.mark("reinforce", 2027)
    assert notebook["metadata"]["chula_rl"] == {"variant": mark}
    assert "2027" not in path.read_text()


def test_no_text_of_another_year_is_released(course):
    """Independent of the gate: each line of each answer that is not asked for."""
    folder = course.released("reinforce")
    assert sorted(path.suffix for path in folder.iterdir()) == [
        *(".ipynb", ".md", ".whl"),
    ]
    cells_ = cells.read(folder / "reinforce.ipynb").cells
    shown = "\n".join(cell.source for cell in cells_)
    for others in source.offered(course, "reinforce").questions.values():
        for question in others:
            for line in f"{question.answer}\n{question.rubric}".split("\n"):
                assert len(line) < 30 or line not in shown
    assert texts(built("reinforce", 0))["variance-questions"][-90:-20] not in shown


@pytest.fixture(scope="module")
def secrets(released):
    notebook = source.notebook(released, "reinforce")
    others = secret.kept_back(released, "reinforce")
    return secret.collect(released.package, notebook, others)


@pytest.fixture
def planted(course, secrets, tmp_path):
    """The release, to plant something in, and the gate."""
    folder = shutil.copytree(course.released("reinforce"), tmp_path / "reinforce")
    archive = Path(shutil.copy(course.archive("reinforce"), tmp_path))
    return folder, lambda: leaks.check_release(folder, archive, "reinforce", secrets)


def plants():
    offer = source.offered(COURSE, "reinforce")
    default = texts(built("reinforce", 0))
    for others in offer.questions.values():
        for question in others:
            yield question.title, question.answer.split("\n")[-1]
            yield f"{question.title}, guide", question.rubric.split("\n")[-1]
    yield "own", default["answer-variance"].split("\n")[-1]
    yield "constants", '{ sigma = 3.0, times = "Three times" },'
    yield "guide of the text", COURSE.rubric("reinforce").read_text().split("\n")[8]


@pytest.mark.parametrize(("what", "line"), list(plants()))
def test_the_gate_finds_what_other_years_have(planted, what, line):
    folder, gate = planted
    path = folder / "reinforce.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][3]["source"] += [f"\n{line}"]
    path.write_text(json.dumps(notebook))
    with pytest.raises(LeakError, match="shows a line of the"):
        gate()


def test_the_file_itself_is_never_released(planted, course):
    folder, gate = planted
    gate()
    shutil.copy(course.source("reinforce").with_name(variants.FILE), folder)
    with pytest.raises(LeakError, match=r"variants\.toml is not a file that a release"):
        gate()


def hand_in(course):
    right = sample.solutions(course, "reinforce")
    notebook = cells.read(course.released("reinforce") / "reinforce.ipynb")
    folder = course.submitted("reinforce", "ada")
    folder.mkdir(parents=True, exist_ok=True)
    text = sample.submission(notebook, {"id": "ada", "answer": "So it is."}, right)
    (folder / "reinforce.ipynb").write_text(text)


def test_a_release_in_another_variant_than_the_setting_is_not_graded(course):
    hand_in(course)
    assert isinstance(task(Assignment.read(course, "reinforce"), "ada", "e"), Task)
    for seed, asked in ((2028, "that of seed 2028"), (None, "than the default, which")):
        if seed is None:
            course.settings.unlink()
        else:
            set_seed(course, seed)
        with pytest.raises(AssignmentError, match=asked):
            Assignment.read(course, "reinforce")
    set_seed(course, 2028)
    source.build(course, "reinforce")  # but not released
    for read in (Assignment.read, release.check):
        with pytest.raises(AssignmentError, match="assignments release reinforce"):
            read(course, "reinforce")
    set_seed(course, 2027)
    source.build(course, "reinforce")
    Assignment.read(course, "reinforce")


def test_a_notebook_of_another_year_is_graded_with_a_note(course):
    """Its code counts as it is; whoever marks its answers is told of the question."""
    trusted = source.notebook(course, "reinforce")
    other = source.notebook(course, "reinforce", choice("reinforce", 0))
    assert graft({"cells": trusted.cells}, trusted).notes == ()
    assert graft({"cells": other.cells}, trusted).notes == (
        "the question above 'answer-variance' was another one and was put back",
    )
    spaced = nbformat.from_dict(trusted)
    for cell in spaced.cells:
        cell.source = cell.source.replace("\n", "\r\n") + "\n"
    assert not [n for n in graft({"cells": spaced.cells}, trusted).notes if "que" in n]


# The command


def test_the_command_shows_what_seeds_give(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    assert main(["assignments", "variants", "reinforce", "--seed", "2027", "2028"]) == 0
    said = capsys.readouterr().out
    assert "reinforce, seed 2027\n" in said
    assert "reinforce, seed 2028\n" in said
    assert "gamma 0.8, reward [2.0, 0.0, 3.0]" in said
    assert "Part 9: what 120 episodes can tell (another)" in said
    assert "Part 8: which baselines are allowed (the text's own)" in said
    assert main(["assignments", "variants"]) == 0
    said = capsys.readouterr().out
    assert [f"{name}, seed 2027" in said for name in ASSIGNMENTS] == [True] * 3
    course.settings.unlink()
    assert main(["assignments", "variants", "ddpg"]) == 0
    assert capsys.readouterr().out.startswith("ddpg, the default\n")


@pytest.mark.parametrize("seed", ["-1", "2.5", "now"])
def test_the_command_wants_whole_numbers(seed, capsys):
    with pytest.raises(SystemExit):
        main(["assignments", "variants", f"--seed={seed}"])
    assert f"'{seed}'; expected a whole number from 0 up" in capsys.readouterr().err


# What is not sound


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[variant]\nseed = -1", "the seed of the variant is -1; expected a whole"),
        ("[variant]\nseed = 2027.0", "is 2027.0; expected a whole number"),
        ("[variant]\nseed = true", "is True; expected a whole number"),
        ('[variant]\nseed = "2027"', "is '2027'; expected a whole number"),
        ("[variant]\nyear = 2027", r"variant is \{'year': 2027\}; expected a table"),
        ("[variant]", r"variant is \{\}; expected a table \[variant\]"),
        ("variant = 2027", "variant is 2027; expected a table"),
        ("[variant\nseed = 1", "grading.toml: .*expected a table"),
    ],
)
def test_a_seed_that_is_none_is_refused(tmp_path, text, message):
    path = tmp_path / "grading.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        variants.read_seed(path)


def test_without_a_setting_there_is_no_seed(tmp_path):
    path = tmp_path / "grading.toml"
    assert variants.read_seed(path) is None
    path.write_text("[limits]\nfiles = 3\n")
    assert variants.read_seed(path) is None
    path.write_text("[variant]\nseed = 0\n")
    assert variants.read_seed(path) == 0


QUESTION = """
[[questions.answer-why]]
question = "Why not?"
answer = "As << a >> is {a}."
rubric = "## Part 2: why not (3 points)"
"""


@pytest.fixture
def tiny(tmp_path):
    """Builds a tiny assignment with the given variants.toml, in its last variant."""
    meta = {"grade": False, "locked": True, "solution": False}
    answer = {"grade": True, "locked": False, "solution": True, "points": 3}
    about = {"schema_version": 3, "task": False}
    form = "jupytext: {text_representation: {extension: .md, format_name: myst}}"
    text = f"---\n{form}\n---\n\n" + "".join(
        f"+++ {json.dumps({'nbgrader': {**about, **data, 'grade_id': name}})}\n{body}\n"
        for name, data, body in (
            ("why", meta, "<% set b = a + 1 %>\n\na is << a >>, b << b >>. Why?\n"),
            ("answer-why", answer, "\nBecause.\n"),
        )
    )

    def read(toml, old="", new=""):
        path = tmp_path / "tiny.md"
        path.write_text(text.replace(old, new) if old else text)
        (tmp_path / variants.FILE).write_text(toml)
        offer = Offer.read(tmp_path / variants.FILE)
        last = Choice(
            {key: values[-1] for key, values in offer.constants.items()},
            {cell: others[-1] for cell, others in offer.questions.items()},
            "mark",
        )
        return source._read(path, last)

    return read


def test_expressions_stand_for_numbers_in_text_and_questions(tiny):
    constants = "[constants]\na = [1, 2.0]\n"
    assert tiny(constants).cells[0].source.strip() == "a is 2.0, b 3.0. Why?"
    question, answer = tiny(constants + QUESTION).cells
    assert (question.source, answer.source) == ("Why not?", "As 2.0 is {a}.")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[constants]\na = []", r"variants\.toml: 'a' is \[\]; expected a list"),
        ("[constants]\na = 2", "'a' is 2; expected a list"),
        ("[constants]\na = [1]\nc = [2]", r"tiny\.md does not use c"),
        ("[constants]", r"tiny\.md, line 6: 'a' is undefined"),
        ("[constants]\na = ['x']", r"tiny\.md, line 6: .*set b = a \+ 1"),
        ("[constant]\na = [1]", r"has constant; expected the tables \[constants\]"),
        ("constants = 1", "expected the tables"),
        ("[constants]\na = [1", r"variants\.toml: "),
        ("[constants]\na = [1]\n[questions]\nanswer-why = []", "is not empty"),
        (QUESTION, r"tiny\.md, line 6: 'a' is undefined"),
    ],
)
def test_unsound_constants_are_refused(tiny, toml, message):
    with pytest.raises(AssignmentError, match=message):
        tiny(toml)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("answer-why", "answer-how", "'answer-how', which is no written .*answer-why"),
        ("answer-why", "why", "'why', which is no written answer"),
        ("(3 points)", "(4 points)", "'why not' has 4 points; its cell has 3"),
        ("## Part 2:", "## 2:", "entry 1: the rubric begins with '## 2: why not"),
        ("answer = ", "solution = ", "entry 1 is .*expected the keys question, answer"),
        ('"Why not?"', '" "', "entry 1: a text is empty"),
        ('"Why not?"', "2", "entry 1: a text is empty, or is no text"),
        ("<< a >>", "<< c >>", r"toml, answer-why, line 1: 'c' is undefined.*\(a\)"),
    ],
)
def test_an_unsound_question_is_refused(tiny, old, new, message):
    assert old in QUESTION
    with pytest.raises(AssignmentError, match=message):
        tiny("[constants]\na = [1]\n" + QUESTION.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<< b >>", "<< b.c >>", r"line 8: .*no attribute 'c'.*'a is << a >>"),
        ("<< b >>", "<< a / 0 >>", "line 8: division by zero"),
        ("<< b >>", "<< b", "line 8: "),
        ("<< b >>", "<< d[2] >>", "line 8: 'd' is undefined"),
        ("set b = a + 1", "let b = a + 1", "line 6: .*unknown tag 'let'"),
    ],
)
def test_an_unsound_expression_is_refused_with_its_line(tiny, old, new, message):
    with pytest.raises(AssignmentError, match=r"tiny\.md, " + message):
        tiny("[constants]\na = [1]\n", old, new)


def test_a_question_needs_its_part_in_the_marking_guide():
    question = choice("ddpg", 1).asked["answer-belief"]
    with pytest.raises(AssignmentError, match="Part 10, of which the marking guide"):
        source.questions.guide("## Part 1: other\n", {"x": question}, "here")


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("0.1 + 0.2", "0.3"),
        ("2.0", "2.0"),
        ("0.2 - 0.1 - 0.1", "0.0"),
        ("[1.0, 2 * 0.5, [3]]", "[1.0, 1.0, [3]]"),
        ("short(2.0)", "2"),
        ("short(-0.00001)", "0"),
        ("short([10.0, 2 / 3])", "[10, 0.6667]"),
        ("fixed(-5.03102)", "-5.0310"),
        ("sign(-1)", "-"),
        ("third(6.0)", "2"),
        ("third(-2.0)", "-2 / 3"),
        ("t.items", "7"),
        ("math.log(1)", "0.0"),
    ],
)
def test_how_numbers_are_shown(expression, shown):
    constants = {"t": {"items": 7}}
    assert expressions.render(f"<< {expression} >>", constants, "here") == shown


def test_what_latex_python_and_myst_are_full_of_is_left_alone():
    text = "$\\frac{{1}}{2}$ {#id} {% if %} f'{x:.2f}' {math}`a` a < b > c {{ y }}\n"
    assert expressions.render(text, {}, "here") == text
    for name in ASSIGNMENTS:
        for cell in built(name, 2).cells:
            assert not re.search(r"<<|>>|<%|%>|<#|#>", markers.outside(cell.source, []))
