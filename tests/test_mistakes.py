"""Each assignment marks what students write as it should: in process, no sandbox.

``test_grading_referee`` has each solution of the catalogue again, by the real referee.
Here they are marked fast: alone, in combinations, blank, by visible tests, in training.
"""

import functools
from pathlib import Path

import pytest
import torch

from chula_rl.cli import main
from chula_rl.errors import AssignmentError
from chula_rl.grading import compare, mistakes, proof
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.rehearsal import TRAINING, Rehearsal

COURSE = Course(Path(__file__).parents[1])
ASSIGNMENTS = [name for name in COURSE.names() if name in CONTRACT]
FUNCTIONS = [
    (assignment, target.split(":")[1])
    for assignment in ASSIGNMENTS
    for target in CONTRACT[assignment]
]
UPDATES = [
    (assignment, CONTRACT[assignment][-1].split(":")[1]) for assignment in ASSIGNMENTS
]
MISTAKES = [  # a mistake in an update is compared with many misconceptions
    pytest.param(*owner, marks=[pytest.mark.slow] if owner in UPDATES else [])
    for owner in FUNCTIONS
]


@functools.cache
def rehearsal(assignment):
    return Rehearsal(COURSE, assignment)


def variants(assignment, function, correct):
    found = mistakes.load(assignment)
    return [v for v in found if (v.function, v.correct) == (function, correct)]


def code(assignment, function, name):
    found = {(v.function, v.name): v for v in mistakes.load(assignment)}
    return {function: found[function, name].source}


def helpers(assignment, update):
    """The functions on which the test of an update depends, but for itself."""
    marked = rehearsal(assignment)
    test = f"test-{update}"
    return [f for f in marked.functions if f != update and test in marked.involving(f)]


def test_the_catalogue_is_large():
    wrong = [v for name in ASSIGNMENTS for v in mistakes.load(name) if not v.correct]
    assert len(wrong) > 150


@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_catalogue_has_enough_of_each(assignment, function):
    assert len(variants(assignment, function, correct=False)) >= 8
    assert len(variants(assignment, function, correct=True)) >= 4


@pytest.mark.parametrize(("assignment", "function"), MISTAKES)
def test_each_mistake_is_found_and_named(assignment, function):
    """By the whole test with its message; and by the hidden part alone."""
    trials = [proof.Trial(v, 0) for v in variants(assignment, function, correct=False)]
    problems = [proof.problem(rehearsal(assignment), trial) for trial in trials]
    assert [found for found in problems if found] == []


@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_correct_solutions_in_another_style_get_full_marks(assignment, function):
    trials = [proof.Trial(v, 0) for v in variants(assignment, function, correct=True)]
    problems = [proof.problem(rehearsal(assignment), trial) for trial in trials]
    assert [found for found in problems if found] == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_reference_gets_full_marks_whatever_the_seed(assignment):
    marked = rehearsal(assignment)
    for seed in range(3):
        assert marked.mark({}, marked.tests, seed).messages == {}


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_seed_rejects_a_right_solution_or_accepts_a_wrong_one(
    assignment, monkeypatch
):
    """Some seeds, without a look for the misconception.

    ``chula-rl assignments prove`` has more of them, and the messages, in minutes.
    """
    judge = compare._judge
    monkeypatch.setattr(
        compare,
        "_judge",
        lambda name, pairs, cases, hints, outcome: judge(
            name, pairs, cases, {}, outcome
        ),
    )
    marked = rehearsal(assignment)
    surprises = []
    for solution, seed in proof.trials(marked, mistakes.load(assignment), 5, 2):
        own = f"test-{solution.function}"
        code = {solution.function: solution.source}
        passed = own in marked.mark(code, {own}, seed, "hidden").passed
        if passed != solution.correct:
            surprises.append((solution.function, solution.name, seed))
    assert surprises == []


def test_prove_prints_its_figures_and_what_went_wrong(monkeypatch, capsys):
    """A right solution that is called wrong, and a mistake of another name."""
    right = rehearsal("reinforce").reference["gaussian_entropy"]
    sign = code("reinforce", "gaussian_entropy", "sign")["gaussian_entropy"]
    catalogue = [
        mistakes.Variant("gaussian_entropy", "none", False, "Nothing.", "wider", right),
        mistakes.Variant("gaussian_entropy", "sign", False, "Sign.", "the mean", sign),
    ]
    monkeypatch.setattr(mistakes, "load", lambda name: catalogue)
    monkeypatch.chdir(COURSE.root)
    assert main(["assignments", "prove", "reinforce", "--seeds", "1"]) == 1
    _, *lines, none, wrong, total = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines]
    assert ["gaussian_entropy", "1", "1", "2", "2"] in rows
    assert ["reinforce_update", "1", "1", "0", "0"] in rows
    assert none == f"gaussian_entropy, none, seed {compare.NUM_DRAWS}: accepted"
    assert "wider is more entropy" in wrong
    assert "expected 'the mean'" in wrong
    assert total == "reinforce: 2 times something went wrong"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_blank_gets_nothing(assignment):
    marked = rehearsal(assignment)
    assert marked.mark(marked.blank, marked.tests | {TRAINING}).passed == set()


@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_blank_fails_the_visible_tests_alone(assignment, function):
    marked, own = rehearsal(assignment), f"test-{function}"
    blank = {function: marked.blank[function]}
    message = marked.mark(blank, {own}, part="visible").messages[own]
    assert message.startswith("NotImplementedError")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_training_fails_visibly_without_a_run(assignment):
    message = rehearsal(assignment).mark({}, {TRAINING}, part="visible").messages
    assert message[TRAINING].startswith("NameError")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_visible_tests_accept_the_reference(assignment):
    marked = rehearsal(assignment)
    assert marked.mark({}, marked.tests, part="visible").messages == {}


@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_one_blank_helper_costs_its_own_points_only(assignment, function):
    marked, own = rehearsal(assignment), f"test-{function}"
    marks = marked.mark({function: marked.blank[function]}, marked.involving(function))
    assert set(marks.messages) == {own}


@pytest.mark.parametrize(("assignment", "update"), UPDATES)
def test_mistakes_in_every_helper_do_not_cost_the_update(assignment, update):
    for i in range(3):
        wrong = {
            helper: variants(assignment, helper, correct=False)[i].source
            for helper in helpers(assignment, update)
        }
        assert rehearsal(assignment).mark(wrong, {f"test-{update}"}).messages == {}


@pytest.mark.parametrize(("assignment", "update"), UPDATES)
def test_a_wrong_update_is_not_excused_by_wrong_helpers(assignment, update):
    wrong = {
        name: variants(assignment, name, correct=False)[0].source
        for name in [*helpers(assignment, update), update]
    }
    assert rehearsal(assignment).mark(wrong, {f"test-{update}"}).passed == set()


def test_messages_show_no_hidden_number():
    """Nothing but the shape and the situation comes from the hidden cases."""
    exfiltrating = (
        "def rewards_to_go(reward, gamma):\n"
        "    if len(reward) > 3:\n"
        "        raise type(f'leak{reward.tolist()}', (ValueError,), {})(str(reward))\n"
        "    total = [sum(gamma**k * r for k, r in enumerate(reward[t:]))\n"
        "             for t in range(len(reward))]\n"
        "    return torch.stack(total)\n"
    )
    own = "test-rewards_to_go"
    marks = rehearsal("reinforce").mark({"rewards_to_go": exfiltrating}, {own})
    assert marks.messages[own] == (
        "AssertionError: rewards_to_go: it stops with ValueError. "
        "(Case: a longer episode.)"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignment", "function", "name"),
    [
        ("reinforce", "rewards_to_go", "past"),
        ("reinforce", "gaussian_log_prob", "no_sum"),
        ("reinforce", "gaussian_entropy", "no_sum"),
        ("reinforce", "bounded_action", "order"),
        ("reinforce", "reinforce_loss", "sign"),
        ("reinforce", "reinforce_update", "no_step"),
        ("reinforce", "reinforce_update", "separate_losses"),
        ("a2c", "successor_obs", "final"),
        ("a2c", "gae", "forwards"),
        ("a2c", "a2c_loss", "sign"),
        ("a2c", "a2c_update", "no_step"),
        ("a2c", "a2c_update", "own_loss"),
    ],
)
def test_training_run_costs_nothing_twice(assignment, function, name):
    marks = rehearsal(assignment).mark(code(assignment, function, name), {TRAINING})
    assert marks.messages == {}


@pytest.mark.slow
def test_training_run_fails_when_nothing_explains_it():
    wrong = code("reinforce", "reinforce_loss", "sign")
    wrong |= code("reinforce", "reinforce_update", "no_step")
    message = rehearsal("reinforce").mark(wrong, {TRAINING}).messages[TRAINING]
    assert "300 was expected" in message


@pytest.mark.parametrize(("assignment", "update"), UPDATES)
def test_a_blank_update_leaves_nothing_to_train(assignment, update):
    marked = rehearsal(assignment)
    marks = marked.mark({update: marked.blank[update]}, {TRAINING})
    assert "still blank" in marks.messages[TRAINING]


def test_draws_depend_on_the_seed_only():
    first, second = compare.Draw(1), compare.Draw(1)
    torch.manual_seed(0)
    expected = first.normal(3), first.uniform(2, 5), first.integer(1, 9)
    torch.manual_seed(1)
    assert torch.equal(expected[0], second.normal(3))
    assert expected[1:] == (second.uniform(2, 5), second.integer(1, 9))
    assert not torch.equal(expected[0], compare.Draw(2).normal(3))


@pytest.mark.parametrize(
    "text",
    [
        "def right(reward, gamma):\n    '''Style.'''\n    return reward\n",
        "def wrong_it(reward, gamma):\n    '''No message.'''\n    return reward\n",
        "def wrong_it(reward, gamma):\n    return reward\n",
        "def correct_it(reward, gamma):\n    return reward\n",
    ],
)
def test_catalogue_refuses_another_form(tmp_path, text):
    folder = tmp_path / "reinforce"
    folder.mkdir()
    (folder / "rewards_to_go.py").write_text(text)
    with pytest.raises(AssignmentError, match="expected wrong_<name>"):
        mistakes.load("reinforce", tmp_path)


def test_catalogue_of_an_unknown_assignment_is_an_error(tmp_path):
    with pytest.raises(AssignmentError, match="no catalogue"):
        mistakes.load("nothing", tmp_path)
