"""Evaluation and scores during training, exact on a toy."""

import contextlib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from chula_rl.errors import ConfigError, ShapeError, UnsupportedEnvError
from chula_rl.evaluation import (
    EVALUATION_SEED,
    Evaluation,
    evaluate,
    training_scores,
)

TOY_ID = "chula_rl_tests/Toy-v0"
LATER_ID = "chula_rl_tests/LaterNaN-v0"


class ToyEnv(gym.Env):
    """Ends after 1 + seed % 4 steps; the reward is the action, of at most 2.

    Args:
        last_reward: what the third step of an episode of 3 steps gives instead.
        endless: whether such an episode goes on for ever.
    """

    action_space = spaces.Box(-2, 2, shape=(1,), dtype=np.float32)
    observation_space = spaces.Box(0, 10, shape=(1,), dtype=np.float32)

    def __init__(self, last_reward=None, endless=False):
        self.last_reward, self.endless = last_reward, endless

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = self.length = 1 + (seed or 0) % 4
        return np.array([self.left], dtype=np.float32), {}

    def step(self, action):
        self.left -= 1
        obs = np.array([self.left], dtype=np.float32)
        reward = float(action[0])
        if self.last_reward is not None and self.left == 0 and self.length == 3:
            reward = self.last_reward
        ended = self.left == 0 and not (self.endless and self.length == 3)
        return obs, reward, ended, False, {}


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

    def test_a_deterministic_policy_is_one_whose_action_is_the_mean(self):
        class Deterministic(ConstantPolicy):
            def forward(self, obs):
                return super().forward(obs)[0]

        for policy in (Deterministic(9.0), lambda obs: torch.full((len(obs), 1), 9.0)):
            evaluation = evaluate(policy, TOY_ID, num_episodes=4, seed=0)
            assert evaluation.return_.tolist() == [2.0, 4.0, 6.0, 8.0]

    def test_an_action_of_another_shape_is_refused(self):
        with pytest.raises(ShapeError, match=r"shape \(4,\); expected \(4, 1\)"):
            evaluate(lambda obs: torch.zeros(len(obs)), TOY_ID, num_episodes=4)

    def test_an_episode_that_does_not_end_is_refused_with_advice(self):
        with pytest.raises(
            UnsupportedEnvError,
            match=r"2 of 8 episodes of .*Toy-v0 did not end within 50 .*TimeLimit",
        ):
            evaluate(ConstantPolicy(0), TOY_ID, 8, max_steps=50, endless=True)

    @pytest.mark.parametrize(("max_steps", "enough"), [(4, True), (3, False)])
    def test_an_episode_may_be_as_long_as_the_limit(self, max_steps, enough):
        if enough:
            result = evaluate(ConstantPolicy(1), TOY_ID, 4, max_steps=max_steps)
            assert result.length.tolist() == [1, 2, 3, 4]
        else:
            with pytest.raises(UnsupportedEnvError, match="1 of 4 episodes"):
                evaluate(ConstantPolicy(1), TOY_ID, 4, max_steps=max_steps)

    @pytest.mark.parametrize("reward", [float("nan"), float("inf"), -float("inf")])
    def test_a_reward_that_is_no_number_is_refused_with_its_step(self, reward):
        with pytest.raises(
            UnsupportedEnvError, match=f"Toy-v0 gave the reward {reward} at step 3"
        ):
            evaluate(ConstantPolicy(0), TOY_ID, 4, last_reward=reward)

    def test_what_follows_the_end_of_an_episode_does_not_matter(self):
        class LaterNaN(ToyEnv):
            def reset(self, *, seed=None, options=None):
                self.broken = seed is None  # an automatic reset
                return super().reset(seed=seed, options=options)

            def step(self, action):
                obs, reward, *rest = super().step(action)
                return obs, float("nan") if self.broken else reward, *rest

        gym.register(LATER_ID, entry_point=LaterNaN, disable_env_checker=True)
        try:
            later = evaluate(ConstantPolicy(1), LATER_ID, num_episodes=4, seed=0)
        finally:
            del gym.registry[LATER_ID]
        assert later.return_.tolist() == [1.0, 2.0, 3.0, 4.0]

    @pytest.mark.parametrize("how", [{}, {"endless": True, "max_steps": 5}])
    def test_the_environments_are_closed_whatever_happens(self, monkeypatch, how):
        closed = []
        monkeypatch.setattr(ToyEnv, "close", lambda self: closed.append(self))
        with contextlib.suppress(UnsupportedEnvError):
            evaluate(ConstantPolicy(0), TOY_ID, num_episodes=3, **how)
        assert len(closed) == 3

    def test_no_steps_are_refused(self):
        with pytest.raises(ConfigError, match="max_steps is 0"):
            evaluate(ConstantPolicy(0), TOY_ID, max_steps=0)

    def test_no_episodes_are_refused(self):
        with pytest.raises(ConfigError, match="num_episodes is 0"):
            evaluate(ConstantPolicy(0), TOY_ID, num_episodes=0)


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
