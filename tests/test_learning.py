"""REINFORCE solves the environment, with every seed."""

import itertools

import pytest

from chula_rl.algorithms.reinforce import Config, init, train
from chula_rl.evaluation import EVALUATION_SEED, evaluate


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_each_of_twenty_seeds_solves_it_within_100_000_steps(seed):
    state = init(seed=seed)
    for _ in train(state):
        pass
    assert state.steps <= 100_000
    evaluation = evaluate(state.policy, num_episodes=100, seed=EVALUATION_SEED + seed)
    assert evaluation.solved, evaluation.mean_return


@pytest.mark.parametrize("learned_baseline", [True, False])
def test_a_few_updates_already_lengthen_the_episodes(learned_baseline):
    state = init(Config(learned_baseline=learned_baseline), seed=0)
    before = evaluate(state.policy).mean_return
    for _ in itertools.islice(train(state), 20):
        pass
    assert evaluate(state.policy).mean_return > 3 * before
