"""Evaluation, exact on a toy; learning curves, against known distributions."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from chula_rl.errors import ConfigError
from chula_rl.evaluation import (
    EVALUATION_SEED,
    Evaluation,
    evaluate,
    interquartile_mean,
    learning_curve,
    training_scores,
)

TOY_ID = "chula_rl_tests/Toy-v0"


class ToyEnv(gym.Env):
    """Ends after 1 + seed % 4 steps; the reward is the action, of at most 2."""

    action_space = spaces.Box(-2, 2, shape=(1,), dtype=np.float32)
    observation_space = spaces.Box(0, 10, shape=(1,), dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 1 + (seed or 0) % 4
        return np.array([self.left], dtype=np.float32), {}

    def step(self, action):
        self.left -= 1
        obs = np.array([self.left], dtype=np.float32)
        return obs, float(action[0]), self.left == 0, False, {}


class ConstantPolicy(nn.Module):
    """The same mean everywhere, and a large deviation that is not to matter."""

    def __init__(self, mean):
        super().__init__()
        self.mean = mean

    def forward(self, obs):
        assert obs.dtype == torch.float32
        mean = torch.full((len(obs), 1), float(self.mean))
        return mean, torch.full_like(mean, 5.0)


@pytest.fixture(autouse=True)
def toy_env():
    """The toy, registered for the duration of a test."""
    gym.register(TOY_ID, entry_point=ToyEnv, disable_env_checker=True)
    yield
    del gym.registry[TOY_ID]


class TestEvaluate:
    """Returns of the mean policy."""

    def test_each_episode_counts_once_and_to_its_end(self):
        evaluation = evaluate(ConstantPolicy(0.5), TOY_ID, num_episodes=6, seed=10)
        length = [1 + seed % 4 for seed in range(10, 16)]
        assert evaluation.length.tolist() == length
        assert evaluation.return_.tolist() == [0.5 * n for n in length]

    @pytest.mark.parametrize(("mean", "played"), [(9.0, 2.0), (-9.0, -2.0)])
    def test_the_mean_is_clipped_for_the_environment(self, mean, played):
        evaluation = evaluate(ConstantPolicy(mean), TOY_ID, num_episodes=1, seed=3)
        assert evaluation.return_.tolist() == [4 * played]

    def test_the_seed_decides_the_starts(self):
        one, again, other = (
            evaluate(ConstantPolicy(0), num_episodes=9, seed=seed).length.tolist()
            for seed in (1, 1, 2)
        )
        assert one == again != other

    def test_keywords_reach_the_environment(self):
        evaluation = evaluate(ConstantPolicy(0), num_episodes=3, max_episode_steps=7)
        assert evaluation.length.tolist() == [7, 7, 7]

    @pytest.mark.parametrize(
        ("returns", "solved"), [([450, 500], True), ([449, 500], False)]
    )
    def test_solved_means_a_mean_of_475(self, returns, solved):
        evaluation = Evaluation(np.array(returns), np.array(returns))
        assert evaluation.mean_return == sum(returns) / 2
        assert evaluation.solved is solved

    def test_no_episodes_are_refused(self):
        with pytest.raises(ConfigError, match="num_episodes is 0"):
            evaluate(ConstantPolicy(0), TOY_ID, num_episodes=0)


class TestLearningCurve:
    """The interquartile mean over seeds and its bootstrap interval."""

    @pytest.mark.parametrize(
        ("values", "mean"),
        [
            ([7.0], 7.0),
            ([1.0, 2.0, 6.0], 3.0),
            ([100.0, 2.0, 4.0, -100.0], 3.0),
            ([0.0, 9.0, 1.0, 2.0, 3.0, -8.0, 50.0, 2.0], 2.0),
        ],
    )
    def test_the_interquartile_mean_drops_a_quarter_at_each_end(self, values, mean):
        assert interquartile_mean(np.array(values)) == mean

    def test_it_is_taken_along_the_axis_given(self):
        values = np.array([[0.0, 1.0, 2.0, 90.0], [-90.0, 3.0, 4.0, 5.0]])
        assert interquartile_mean(values, axis=1).tolist() == [1.5, 3.5]
        assert interquartile_mean(values, axis=0).tolist() == [-45.0, 2.0, 3.0, 47.5]

    def test_the_interval_covers_the_truth_as_often_as_it_says(self):
        points, true_mean = 400, 3.0
        rng = np.random.default_rng(0)
        for confidence in (0.5, 0.9):
            scores = rng.normal(true_mean, 1.0, size=(24, points))
            curve = learning_curve(np.arange(points), scores, confidence, 400)
            covered = ((curve.low < true_mean) & (true_mean < curve.high)).mean()
            assert covered == pytest.approx(confidence, abs=0.08)

    def test_the_centre_is_inside_and_equal_seeds_have_no_interval(self):
        steps = np.array([10, 20])
        scores = np.random.default_rng(1).normal(size=(12, 2))
        curve = learning_curve(steps, scores)
        assert curve.steps.tolist() == [10, 20]
        assert curve.centre.tolist() == interquartile_mean(scores).tolist()
        assert ((curve.low < curve.centre) & (curve.centre < curve.high)).all()
        flat = learning_curve(steps, np.tile([1.0, 2.0], (5, 1)))
        assert flat.low.tolist() == flat.high.tolist() == [1.0, 2.0]

    def test_seeds_are_resampled_whole(self):
        scores = np.random.default_rng(2).normal(size=(12, 1))
        curve = learning_curve(np.arange(2), np.hstack([scores, scores + 5]))
        assert (curve.high - curve.low)[0] == pytest.approx((curve.high - curve.low)[1])
        assert curve.low[1] == pytest.approx(curve.low[0] + 5)

    def test_its_own_seed_decides(self):
        steps = np.arange(3)
        scores = np.random.default_rng(3).normal(size=(8, 3))
        one, again, other = (learning_curve(steps, scores, seed=s) for s in (1, 1, 2))
        assert one.low.tolist() == again.low.tolist()
        assert one.low.tolist() != other.low.tolist()

    @pytest.mark.parametrize("shape", [(3,), (2, 4)])
    def test_scores_of_another_shape_are_refused(self, shape):
        with pytest.raises(ConfigError, match=r"expected \(num_seeds, 3\)"):
            learning_curve(np.arange(3), np.zeros(shape))


@dataclass
class ToyState:
    """A run whose policy's mean is its number of updates."""

    seed: int
    steps: int = 0
    updates: int = 0
    env_id: str = TOY_ID
    policy: nn.Module = field(default_factory=lambda: ConstantPolicy(0.0))
    config: Any = field(default_factory=lambda: SimpleNamespace(total_steps=100))


def toy_train(state, steps_per_update):
    while state.steps < 100:
        state.steps += steps_per_update
        state.updates += 1
        state.policy.mean = 0.1 * state.updates
        yield {}


class TestTrainingScores:
    """Evaluations during training."""

    @pytest.mark.parametrize(
        ("steps_per_update", "updates"),
        [(20, [2, 4, 5]), (40, [1, 2, 3]), (90, [1, 1, 2]), (200, [1, 1, 1])],
    )
    def test_after_the_first_update_that_reaches_each_point(
        self, steps_per_update, updates
    ):
        scores = training_scores(
            ToyState,
            lambda state: toy_train(state, steps_per_update),
            seeds=[4, 5],
            every=40,
            num_episodes=1,
        )
        assert scores.steps.tolist() == [40, 80, 100]
        for row, seed in zip(scores.return_, [4, 5], strict=True):
            length = 1 + (EVALUATION_SEED + seed) % 4
            expected = [0.1 * n * length for n in updates]
            assert row.tolist() == pytest.approx(expected, rel=1e-6)
