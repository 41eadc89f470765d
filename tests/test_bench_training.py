"""The protocol of the training benchmark, by a false clock and made-up learners."""

import dataclasses
import math
from concurrent.futures import Executor, Future
from functools import partial

import pytest
import torch
from torch import tensor

from chula_rl.benchmarks import learners, training
from chula_rl.benchmarks.training import Learner, Protocol, Result, measure, run_all
from chula_rl.envs import OBS_SCALE
from chula_rl.errors import ConfigError

FEW = Protocol(num_episodes=3, warm_up_steps=0)


class SameProcess(Executor):
    """Runs a task at once, here."""

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def balance(obs):
    """A proportional controller, which keeps the pole up for 500 steps."""
    return (obs / torch.as_tensor(OBS_SCALE)) @ tensor([[0.5], [0.5], [1.0], [1.0]])


def fall(obs):
    return torch.ones(len(obs), 1)


def learns_at(when, seed, total_steps, report):
    """Shows a policy that falls, and from ``when`` steps on one that balances."""
    for steps in range(100, total_steps + 1, 100):
        if not report(steps, balance if steps >= when else fall):
            break


def forgets(seed, total_steps, report):
    for steps in range(100, total_steps + 1, 100):
        report(steps, balance if steps < 4_000 else fall)


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by hand; an evaluation takes a hundred seconds of it."""

    class Clock:
        now = 50.0
        evaluated = 0

    def evaluate(*args, real=training.evaluate):
        Clock.now += 100.0
        Clock.evaluated += 1
        return real(*args)

    monkeypatch.setattr(training.time, "process_time", lambda: Clock.now)
    monkeypatch.setattr(training, "evaluate", evaluate)
    return Clock


def ticking(clock, when, seed, total_steps, report):
    """A learner that takes a second for each 100 steps."""

    def tick(steps, policy):
        clock.now += 1.0
        return report(steps, policy)

    learns_at(when, seed, total_steps, tick)


def test_clock_stands_still_during_evaluations(clock):
    learner = Learner("x", partial(ticking, clock, 5_200), 10_000)
    result = measure(learner, 3, FEW)
    # 5,200 steps are seen at the third evaluation, at 7,500: 75 ticks of a second
    assert result == Result("x", 3, 7_500, 75.0, 7_500, 75.0, 500.0)
    assert clock.evaluated == 3
    assert result.solved and result.solved_at_end


def test_warm_up_is_not_counted(clock):
    learner = Learner("x", partial(ticking, clock, 0), 10_000)
    warmed = Protocol(num_episodes=3, warm_up_steps=1_500)
    assert measure(learner, 0, warmed) == measure(learner, 0, FEW)
    assert clock.now == 50.0 + 15 + 2 * (25 + 100)  # the warm-up did take place


def test_evaluations_are_at_the_first_step_that_reaches_a_multiple():
    seen = []

    def jumps(seed, total_steps, report):
        for steps in (999, 1_001, 3_500, 3_900, 4_000):
            seen.append((steps, report(steps, balance)))

    result = measure(Learner("x", jumps, 4_000), 0, Protocol(1_000, 3, 0))
    assert result.solved_steps == 1_001
    go_on = dict(seen)
    assert go_on == {999: True, 1_001: False, 3_500: False, 3_900: True, 4_000: False}


def test_run_that_never_solves_it_is_infinitely_long():
    result = measure(Learner("x", partial(learns_at, math.inf), 5_000), 0, FEW)
    assert math.isinf(result.solved_steps) and math.isinf(result.solved_seconds)
    assert not result.solved and not result.solved_at_end
    assert result.steps == 5_000 and result.final_return < 475


def test_run_to_the_end_tells_what_became_of_it():
    learner = Learner("x", forgets, 5_000)
    result = measure(learner, 0, Protocol(2_500, 3, 0, to_the_end=True))
    assert (result.solved_steps, result.steps) == (2_500, 5_000)
    assert result.solved and not result.solved_at_end


def test_run_is_given_up_when_its_time_is_over(clock):
    learner = Learner("x", partial(ticking, clock, math.inf), 100_000)
    result = measure(learner, 0, Protocol(2_500, 3, 0, max_seconds=40.0))
    assert (result.steps, result.seconds) == (5_000, 50.0)  # seen at an evaluation


def test_learners_take_turns_and_what_is_done_is_left_out(monkeypatch):
    monkeypatch.setattr(training, "measure", lambda learner, seed, _: (learner, seed))
    a, b = (Learner(name, fall, 1) for name in "ab")
    runs = list(run_all([a, b], [1, 2], FEW, [("b", 1)], SameProcess()))
    assert runs == [(a, 1), (a, 2), (b, 2)]


def test_fresh_process_gives_what_this_one_does():
    [learner] = learners.select(["reinforce"])
    learner = dataclasses.replace(learner, total_steps=3_000)
    [fresh] = run_all([learner], [0], FEW)
    here = measure(learner, 0, FEW)
    assert 3_000 <= here.steps == fresh.steps
    assert here.final_return == fresh.final_return


def test_protocol_that_measures_nothing_is_refused():
    with pytest.raises(ConfigError, match="every is 0; expected more than 0"):
        Protocol(every=0)


@pytest.mark.parametrize("name", learners.OURS)
def test_our_learners_train_and_stop_when_told(name):
    [learner] = learners.select([name])
    steps = []

    def report(so_far, policy):
        steps.append(so_far)
        action = policy(torch.zeros(2, 4))
        assert (action[0] if isinstance(action, tuple) else action).shape == (2, 1)
        return len(steps) < 3

    learner.train(0, 5_000, report)
    assert len(steps) == 3 and steps == sorted(set(steps))
    assert learner.rival == name


def test_unknown_learner_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'a3c'; expected some of reinforce, a2c,"):
        learners.select(["a3c"])


@pytest.mark.parametrize("name", ["sb3-a2c", "cleanrl-ddpg"])
def test_missing_package_is_told_before_anything_is_measured(monkeypatch, name):
    monkeypatch.setattr(learners.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=f"{name} needs .* leave it out"):
        learners.select([name])
