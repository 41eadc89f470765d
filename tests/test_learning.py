"""Each algorithm solves the environment, with every seed."""

import dataclasses
import itertools

import pytest

from chula_rl.algorithms import a2c, ddpg, reinforce
from chula_rl.evaluation import EVALUATION_SEED, evaluate


def evaluation(state):
    """Of the mean action, from starts that training never sees."""
    seed = EVALUATION_SEED + state.seed
    return evaluate(state.policy, num_episodes=100, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "seed"),
    [
        pytest.param(
            algorithm, seed, id=f"{algorithm.__name__.rpartition('.')[2]}-{seed}"
        )
        for algorithm, num_seeds in ((reinforce, 20), (a2c, 20), (ddpg, 5))
        for seed in range(num_seeds)  # fewer where one takes ten seconds
    ],
)
def test_each_seed_solves_it_within_100_000_steps(algorithm, seed):
    state = algorithm.init(seed=seed)
    for _ in algorithm.train(state):
        pass
    assert state.steps <= 100_000
    result = evaluation(state)
    assert result.solved, result.mean_return


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_reinforce_as_published_learns_too(seed):
    """Its scores rise and fall a lot: what is tested is half of the way up."""
    config = dataclasses.replace(reinforce.Config.published(), total_steps=100_000)
    state = reinforce.init(config, seed)
    before = evaluation(state).mean_return
    for _ in reinforce.train(state):
        pass
    assert evaluation(state).mean_return > 3 * before


@pytest.mark.parametrize("learned_baseline", [True, False])
def test_a_few_updates_of_reinforce_already_lengthen_the_episodes(learned_baseline):
    config = reinforce.Config(learned_baseline=learned_baseline)
    state = reinforce.init(config, seed=0)
    before = evaluation(state).mean_return
    for _ in itertools.islice(reinforce.train(state), 20):
        pass
    assert evaluation(state).mean_return > 3 * before
