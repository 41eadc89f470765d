"""The assignment marks what students write as it should: in process, without a sandbox.

``test_grading_referee`` has each solution of the catalogue, by the real referee; here
are combinations of them, blank notebooks, visible tests, seeds, and the training.
"""

import contextlib
import io
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from chula_rl.errors import AssignmentError
from chula_rl.grading import cells, compare, edition, markers, mistakes, source
from chula_rl.grading.contract import CONTRACT

ASSIGNMENT = "reinforce"
ROOT = Path(__file__).parents[1]
NOTEBOOK = source.build_source(
    ROOT / "assignments" / "source" / ASSIGNMENT / f"{ASSIGNMENT}.md",
    ROOT / "chula_rl",
    CONTRACT[ASSIGNMENT],
)
FUNCTIONS = [target.split(":")[1] for target in CONTRACT[ASSIGNMENT]]
TESTS = {f"test-{name}" for name in FUNCTIONS}
TRAINING = "test-training"
VARIANTS = mistakes.load(ASSIGNMENT)
CELLS = {
    cell.id: (cells.cell_kind(cell, cell.id), cell.source)
    for cell in NOTEBOOK.cells
    if cell.cell_type == "code"
}
BLANK = {name: edition.strip_solutions(CELLS[name][1], name)[0] for name in FUNCTIONS}


class Marks(NamedTuple):
    passed: set[str]
    messages: dict[str, str]
    stdout: str


def mark(code, tests, hidden=True):
    """Run the notebook with other code in some solution cells, and some of its tests.

    The students' own training run, a cell without marks, is left out.
    """
    namespace, passed, messages = {"__name__": "__main__"}, set(), {}
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        for name, (kind, text) in CELLS.items():
            if kind == "test" and name in tests:
                if not hidden:
                    text = markers.outside(text, markers.parse(text, name))
                try:
                    exec(compile(text, name, "exec"), namespace)
                    passed.add(name)
                except Exception as error:
                    messages[name] = f"{type(error).__name__}: {error}"
            elif kind in ("text", "solution"):
                exec(compile(code.get(name, text), name, "exec"), namespace)
    return Marks(passed, messages, output.getvalue())


def variant(function, name):
    (found,) = [v for v in VARIANTS if (v.function, v.name) == (function, name)]
    return {function: found.source}


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("function", FUNCTIONS)
def test_catalogue_has_enough_of_each(function):
    kinds = [v.correct for v in VARIANTS if v.function == function]
    assert kinds.count(False) >= 4
    assert kinds.count(True) >= 2


def test_reference_gets_full_marks_whatever_the_seed(monkeypatch):
    for seed in range(5):
        monkeypatch.setenv(compare.SEED_VARIABLE, str(seed))
        assert mark({}, TESTS).messages == {}


def test_blank_gets_nothing():
    marks = mark(BLANK, TESTS | {TRAINING})
    assert marks.passed == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_blank_fails_the_visible_tests_alone(function):
    own = f"test-{function}"
    marks = mark({function: BLANK[function]}, {own}, hidden=False)
    assert marks.messages[own].startswith("NotImplementedError")


def test_training_fails_visibly_without_a_run():
    with pytest.raises(NameError):
        text = CELLS[TRAINING][1]
        exec(markers.outside(text, markers.parse(text, TRAINING)), {})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_visible_tests_accept_the_reference(function):
    assert mark({}, {f"test-{function}"}, hidden=False).messages == {}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_one_blank_helper_does_not_cost_the_update(function):
    marks = mark({function: BLANK[function]}, TESTS)
    assert TESTS - marks.passed == {f"test-{function}"}


def test_mistakes_in_every_helper_do_not_cost_the_update():
    code = (
        variant("rewards_to_go", "no_discount")
        | variant("gaussian_log_prob", "log_variance")
        | variant("gaussian_entropy", "sign")
        | variant("reinforce_loss", "no_gamma_t")
    )
    marks = mark(code, TESTS)
    assert marks.passed == {"test-bounded_action", "test-reinforce_update"}


def test_wrong_update_is_not_excused_by_wrong_helpers():
    code = variant("rewards_to_go", "no_discount") | variant(
        "reinforce_update", "no_zero_grad"
    )
    assert "test-reinforce_update" not in mark(code, TESTS).passed


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
    message = mark({"rewards_to_go": exfiltrating}, TESTS).messages
    assert message["test-rewards_to_go"] == (
        "AssertionError: rewards_to_go: it stops with ValueError. "
        "(Case: a longer episode.)"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("rewards_to_go", "past"),
        ("gaussian_log_prob", "no_sum"),
        ("gaussian_entropy", "no_sum"),
        ("bounded_action", "order"),
        ("reinforce_loss", "sign"),
        ("reinforce_update", "no_step"),
        ("reinforce_update", "separate_losses"),
    ],
)
def test_training_run_costs_nothing_twice(function, name):
    assert mark(variant(function, name), {TRAINING}).messages == {}


@pytest.mark.slow
def test_training_run_fails_when_nothing_explains_it():
    code = variant("reinforce_loss", "sign") | variant("reinforce_update", "no_step")
    message = mark(code, {TRAINING}).messages[TRAINING]
    assert "300 was expected" in message


def test_one_blank_leaves_nothing_to_train():
    code = {"reinforce_update": BLANK["reinforce_update"]}
    assert "still blank" in mark(code, {TRAINING}).messages[TRAINING]


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
    folder = tmp_path / ASSIGNMENT
    folder.mkdir()
    (folder / "rewards_to_go.py").write_text(text)
    with pytest.raises(AssignmentError, match="expected wrong_<name>"):
        mistakes.load(ASSIGNMENT, tmp_path)


def test_catalogue_of_an_unknown_assignment_is_an_error(tmp_path):
    with pytest.raises(AssignmentError, match="no catalogue"):
        mistakes.load("nothing", tmp_path)
