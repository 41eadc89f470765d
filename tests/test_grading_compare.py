"""Training runs of hidden tests: whose functions they use, and what a mistake costs.

The algorithm is a toy: a policy is a number, to which every part contributes a factor.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from chula_rl.errors import StoppedError
from chula_rl.grading import compare

ENOUGH = 100.0


@dataclass(frozen=True)
class Config:
    total_steps: int


def helper():
    return 10.0


def play():
    return 10.0


def make():
    return 1.0


def reference_update(state):
    state.policy *= helper()


def init(config, seed, make=make):
    return SimpleNamespace(config=config, seed=seed, steps=0, policy=make())


def train(state, update=reference_update, play=play):
    while state.steps < state.config.total_steps:
        state.steps += 1
        state.policy *= play()
        update(state)
        yield {}


ALGORITHM = SimpleNamespace(Config=Config, init=init, train=train)


def wrong():
    return 0.0


def blank():
    raise NotImplementedError


def failing():
    raise ValueError("of the student's")


def stopping():
    raise StoppedError("it takes longer than a second.")


def student_update(helper, factor=1.0):
    """A student's update in a namespace of its own, with the student's helper."""
    namespace = {"helper": helper, "factor": factor}
    code = "def update(state):\n    state.policy *= factor * helper()\n"
    exec(code, namespace)
    return namespace["update"]


@pytest.fixture(autouse=True)
def _evaluation(monkeypatch):
    """The mean return of a policy is its number."""

    def evaluate(policy, seed):
        return SimpleNamespace(mean_return=policy)

    monkeypatch.setattr(compare, "evaluate", evaluate)


def trained(helper=helper, factor=1.0, play=play, make=make, steps=1):
    return compare.trained_return(
        ALGORITHM,
        student_update(helper, factor),
        helpers={"helper": helper},
        total_steps=steps,
        enough=ENOUGH,
        rollout={"play": play},
        init={"make": make},
    )


def test_right_functions_are_trained_once(monkeypatch):
    monkeypatch.setattr(compare, "rebind", lambda function, **names: failing)
    assert trained() == ENOUGH


@pytest.mark.parametrize("mistake", [wrong, failing, stopping])
@pytest.mark.parametrize("where", ["helper", "play", "make"])
def test_a_mistake_in_one_function_costs_nothing_again(where, mistake):
    assert trained(**{where: mistake}) == ENOUGH


def test_a_mistake_in_the_update_costs_nothing_again():
    assert trained(factor=0.0) == ENOUGH


def test_mistakes_in_every_function_but_the_update_cost_nothing_again():
    assert trained(wrong, play=failing, make=wrong) == ENOUGH


@pytest.mark.parametrize("where", ["helper", "play", "make"])
def test_a_wrong_update_on_wrong_functions_earns_nothing(where):
    assert trained(factor=0.0, **{where: wrong}) == 0


@pytest.mark.parametrize("where", ["helper", "play", "make"])
def test_a_blank_leaves_nothing_to_train(where):
    with pytest.raises(AssertionError, match="still blank"):
        trained(**{where: blank})


def test_a_run_ends_as_soon_as_its_return_is_enough():
    assert trained(steps=8) == ENOUGH**2  # the first of four evaluations


def test_another_seed_may_do(monkeypatch):
    monkeypatch.setenv(compare.SEED_VARIABLE, "7")
    seeds = []

    def init_with_luck(config, seed, make=make):
        seeds.append(seed)
        return init(config, seed, make if seed == 8 else wrong)

    algorithm = SimpleNamespace(Config=Config, init=init_with_luck, train=train)
    best = compare.trained_return(algorithm, reference_update, {}, 1, ENOUGH)
    assert best == ENOUGH
    assert seeds == [7, 7, 7, 8]
