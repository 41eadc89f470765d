"""The real referee on notebooks of the assignments: right and wrong solutions."""

import functools
import itertools

import nbformat
import pytest
import torch

from chula_rl.grading import cells, markers, mistakes, referee, sample, source, worker
from chula_rl.grading.contract import CASES, CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.edition import PACKAGE
from chula_rl.grading.graft import graft
from chula_rl.grading.limits import Limits
from chula_rl.grading.sandbox import Sandbox

COURSE = Course(PACKAGE.parent)
WRITTEN = CONTRACT | CASES
ASSIGNMENTS = [name for name in COURSE.names() if name in WRITTEN]
VARIANTS = [(n, v) for n in ASSIGNMENTS if n in CONTRACT for v in mistakes.load(n)]
TRAINING = ("test-training",)  # takes seconds each; the sample class has it


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@functools.cache
def trusted(name):
    """The source notebook of an assignment, without its training."""
    notebook = source.notebook(COURSE, name)
    notebook.cells = [cell for cell in notebook.cells if cell.id not in TRAINING]
    return notebook


def released(name):
    """What students get: the same without answers."""
    notebook = nbformat.from_dict(trusted(name))
    for cell in notebook.cells:
        kind = cells.cell_kind(cell, cell.id)
        if kind == "test":
            found = markers.parse(cell.source, cell.id)
            cell.source = markers.outside(cell.source, found)
    return notebook


def graded(name, sandbox, code, extra=""):
    """Grade a submission: the reference's solutions but for some, and a cell first."""
    solutions = sample.solutions(COURSE, name) | code
    notebook = released(name)
    for cell in notebook.cells:
        if cells.cell_kind(cell, cell.id) == "solution":
            cell.source = sample.filled(cell.source, solutions)
    first = nbformat.v4.new_code_cell(extra)
    submitted = {"cells": [first, *notebook.cells]}
    names = referee.defined_names(trusted(name))
    grafted = graft(submitted, trusted(name)).notebook
    return referee.run(grafted, names, sandbox, Limits(), seed=3)


def points(verdict):
    return {result.name: result.points for result in verdict.results}


def full(name):
    return {
        cell.id: cell.metadata.nbgrader.points
        for cell in trusted(name).cells
        if cells.cell_kind(cell, cell.id) == "test"
    }


def rounds(correct):
    """The whole catalogue, several solutions in a submission where that is as good.

    Functions are marked apart, so that one of each goes into the same submission. An
    update calls the others, so each of its solutions comes beside right ones.
    """
    for name in ASSIGNMENTS:
        *functions, update = (t.split(":")[1] for t in WRITTEN[name])
        ways = {f: [] for f in (*functions, update)}
        for assignment, variant in VARIANTS:
            if (assignment, variant.correct) == (name, correct):
                ways[variant.function].append(variant)
        alone = [(way,) for way in ways.pop(update)]
        for i, row in enumerate([*itertools.zip_longest(*ways.values()), *alone]):
            yield pytest.param(name, [*filter(None, row)], id=f"{name}-{i}")


def code_of(variants):
    return {variant.function: variant.source for variant in variants}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_reference_gets_full_marks(name, sandbox):
    verdict = graded(name, sandbox, {})
    assert [result.message for result in verdict.results if result.message] == []
    assert points(verdict) == full(name)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "right"), [*rounds(correct=True)])
def test_correct_solutions_in_another_style_get_full_marks(name, right, sandbox):
    verdict = graded(name, sandbox, code_of(right))
    assert [result.message for result in verdict.results if result.message] == []
    assert points(verdict) == full(name)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wrong"), [*rounds(correct=False)])
def test_a_mistake_costs_its_own_points_and_is_named(name, wrong, sandbox):
    verdict = graded(name, sandbox, code_of(wrong))
    lost = {f"test-{variant.function}": 0 for variant in wrong}
    assert points(verdict) == full(name) | lost
    messages = {r.name: r.message for r in verdict.results if r.message}
    assert messages.keys() == lost.keys()
    for variant in wrong:
        got = messages[f"test-{variant.function}"]
        assert variant.message in got, (variant.function, variant.name, got)


LOUD = """
import functools, sys, warnings
from tqdm import tqdm

warnings.warn("loading")
print("to stderr", file=sys.stderr)

def loud(function):
    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        for _ in tqdm(range(2)):
            warnings.warn("still debugging")
            print("args", args)
            print("kwargs", kwargs, file=sys.stderr)
        return function(*args, **kwargs)
    return wrapped
"""


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_prints_warnings_and_progress_bars_cost_nothing(name, sandbox):
    solutions = sample.solutions(COURSE, name)
    loud = {
        function: f"{text}\n\n\n{function} = loud({function})\n"
        for function, text in solutions.items()
        if text.startswith("def ")
    }
    verdict = graded(name, sandbox, loud, LOUD)
    assert points(verdict) == full(name)
    (shown, *_) = [outputs for outputs in verdict.outputs.values() if outputs]
    assert "loading" in str(shown)


KEEPER = """
kept = []

def rewards_to_go(reward, gamma):
    kept.append(reward.tolist())
    following, returns = 0.0, []
    for r in reward.flip(0):
        following = r + gamma * following
        returns.append(following)
    return torch.stack(returns[::-1])
"""
TELLER = """
def gaussian_log_prob(mean, log_std, action):
    raise ValueError(f"kept {kept}")
"""


def test_inputs_of_hidden_tests_come_back_neither_in_outputs_nor_in_messages(sandbox):
    name = "reinforce"
    code = {"rewards_to_go": KEEPER, "gaussian_log_prob": TELLER}
    code["gaussian_entropy"] = "print('told', kept)\nkept"
    verdict = graded(name, sandbox, code)
    assert points(verdict)["test-rewards_to_go"] == 2
    messages = {result.name: result.message for result in verdict.results}
    assert messages["test-gaussian_log_prob"] == (
        "ValueError: your code raises it; run the tests in your notebook."
    )
    assert messages["test-gaussian_entropy"].startswith("NameError: the function is")
    printed, value = verdict.outputs["gaussian_entropy"]
    assert printed["text"] == "told []\n"  # as in a process without tests
    assert value["data"]["text/plain"] == "[]"
    assert "kept" not in str(messages)


def test_extra_cells_and_what_they_show(sandbox):
    name = "reinforce"
    verdict = graded(name, sandbox, {}, "print('mine')\n1/0")
    outputs = verdict.outputs["extra-1"]
    assert outputs[0]["text"] == "mine\n"
    assert outputs[1]["ename"] == "ZeroDivisionError"
    assert points(verdict) == full(name)


def test_a_referee_that_is_made_to_take_much_memory_goes_on():
    limit = worker._memory_limit(200_000_000)
    with pytest.raises(RuntimeError, match="memory"), limit:
        torch.zeros(10**9)
    assert torch.zeros(10**8).sum() == 0


def answering(answer):
    return f"def case_a():\n    return {answer}\n"


HOSTILE = {
    "no pair": ("'time-limit'", "two texts"),
    "a huge text": ("'x' * 10**6, 'value'", "'" + "x" * 40 + "' is not in the list"),
    "too much": ("'x' * 10**9, 'value'", ""),
    "equal to all": (
        "type('All', (str,), {'__eq__': lambda s, o: True, '__hash__': lambda s: 0})"
        "('it'), 'value'",
        "",
    ),
    "an object": ("object(), 'value'", ""),
    "an endless pair": ("iter(lambda: 'value', 0)", ""),
    "a dictionary": ("{'mistake': 1, 'column': 2}", "two texts"),
    "a list in a list": ("[['value'], 'value']", "two texts"),
    "a control character": ("'\\x1b[2J<script>', 'value'", "is not in the list"),
}


@pytest.mark.parametrize(("answer", "part"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_finding_costs_its_own_points(answer, part, sandbox):
    verdict = graded("gallery", sandbox, {"case_a": answering(answer)})
    assert points(verdict) == full("gallery") | {"test-case_a": 0}
    (message,) = [result.message for result in verdict.results if result.message]
    assert part in message
    assert len(message) < 300
    assert "\x1b" not in message


def test_a_wrong_finding_is_told_what_contradicts_it(sandbox):
    own = answering("'sum-runs-on', 'policy_grad_norm'")
    verdict = graded("gallery", sandbox, {"case_a": own})
    assert points(verdict) == full("gallery") | {"test-case_a": 0}
    (message,) = [result.message for result in verdict.results if result.message]
    assert message.startswith("AssertionError: Case A: not 'sum-runs-on'. With that")
