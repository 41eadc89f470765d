"""A2C on environments of all kinds: what it learns, and what it refuses."""

import math

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from chula_rl.algorithms.a2c import Config, init, train
from chula_rl.errors import UnsupportedEnvError


def settings(**changes):
    """Small, and no default decides what a test sees."""
    small = {"total_steps": 120, "num_envs": 2, "num_steps": 6, "hidden": (8,)}
    rates = {"policy_lr": 0.02, "value_lr": 0.05, "gamma": 0.9, "lambda_": 0.8}
    more = {"max_grad_norm": 10.0, "bootstrap_at_truncation": True, "log_std": -0.5}
    return Config(**{**small, **rates, **more, "adam": True, **changes})


class Toy(gym.Env):
    """Reward ``-(a_0 - 0.3)^2 - (a_1 + 1)^2``; the observation is the step.

    Args:
        kind: "one-step" terminates at once, "endless" never.
        nan_at: the step whose reward is NaN.
    """

    def __init__(self, kind="endless", nan_at=None, dtype=np.float32):
        self.kind, self.nan_at = kind, nan_at
        low, high = np.array([-1.0, -3.0]), np.array([2.0, 0.5])
        self.action_space = spaces.Box(
            low.astype(dtype), high.astype(dtype), dtype=dtype
        )
        self.observation_space = spaces.Box(0, 1e6, shape=(1,), dtype=dtype)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.obs(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.steps += 1
        reward = float(-((action[0] - 0.3) ** 2) - (action[1] + 1) ** 2)
        reward = math.nan if self.steps == self.nan_at else reward
        return self.obs(), reward, self.kind == "one-step", False, {}

    def obs(self):
        return np.array([self.steps], dtype=self.observation_space.dtype)


class Forever(gym.Env):
    """Reward 1 for ever; there is nothing to see."""

    action_space = spaces.Box(-1, 1, shape=(1,), dtype=np.float32)
    observation_space = spaces.Box(0, 1, shape=(1,), dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.ones(1, dtype=np.float32), {}

    def step(self, action):
        return np.ones(1, dtype=np.float32), 1.0, False, False, {}


@pytest.fixture
def register():
    """``register(entry_point, **kwargs)`` gives the id of an environment."""
    ids = []

    def one(entry_point, max_episode_steps=None, **kwargs):
        ids.append(f"A2CToy{len(ids)}-v0")
        gym.register(
            ids[-1],
            entry_point,
            max_episode_steps=max_episode_steps,
            disable_env_checker=True,
            kwargs=kwargs,
        )
        return ids[-1]

    yield one
    for env_id in ids:
        del gym.registry[env_id]


def finite(metrics):
    return all(
        math.isfinite(row[name]) for row in metrics for name in ("loss", "entropy")
    )


class TestValueAtATimeLimit:
    """A reward of 1 for ever at discount 0.9: the value is 1 / (1 - 0.9) = 10.

    The time limit of 3 steps is not the environment's end. Taken for one, the returns
    are 1, 1 + 0.9 and 1 + 0.9 + 0.81, and nothing tells them apart: 1.87 on average.
    """

    def value(self, register, lambda_, bootstrap):
        config = settings(
            total_steps=3_600,
            lambda_=lambda_,
            bootstrap_at_truncation=bootstrap,
            value_coef=1.0,
            value_scale=10.0,
            entropy_coef=0.0,
        )
        state = init(config, env_id=register(Forever, max_episode_steps=3))
        for metrics in train(state):
            assert metrics["return"] == metrics["length"] == 3
        return state.value_fn(torch.ones(1)).item()

    @pytest.mark.parametrize("lambda_", [0.0, 1.0])
    def test_it_is_learnt_by_bootstrapping(self, register, lambda_):
        assert self.value(register, lambda_, True) == pytest.approx(10, rel=0.01)

    def test_merged_flags_miss_it(self, register):
        assert self.value(register, 1.0, False) == pytest.approx(1.87, rel=0.01)


def test_the_mean_action_goes_to_the_best_one_in_each_dimension(register):
    config = settings(
        total_steps=6_000, num_envs=8, num_steps=4, value_coef=0.5, entropy_coef=0.0
    )
    state = init(config, env_id=register(Toy, kind="one-step"))
    for metrics in train(state):
        assert metrics["length"] == 1
    mean = state.policy(torch.zeros(1))[0].tolist()
    assert math.dist(mean, (0.3, -1.0)) < 0.1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_action_dimensions_with_bounds_of_their_own_and_no_time_limit(
    register, dtype
):
    state = init(settings(), env_id=register(Toy, dtype=dtype))
    metrics = list(train(state))
    assert state.policy.log_std.shape == (2,)
    assert finite(metrics)
    assert len(metrics) == 10
    assert all(math.isnan(row["return"]) for row in metrics)


def test_pendulum_trains():
    state = init(settings(), env_id="Pendulum-v1")
    before = [p.detach().clone() for p in state.policy.parameters()]
    assert finite(train(state))
    assert not any(map(torch.equal, before, state.policy.parameters()))


def test_discrete_actions_are_refused():
    with pytest.raises(UnsupportedEnvError, match="continuous actions"):
        init(settings(), env_id="CartPole-v1")


@pytest.mark.parametrize("nan_at", [1, 9])
def test_a_reward_that_is_no_number_is_refused(register, nan_at):
    state = init(settings(), env_id=register(Toy, nan_at=nan_at))
    with pytest.raises(UnsupportedEnvError, match=f"step {nan_at} .*finite numbers"):
        list(train(state))
    assert all(p.isfinite().all() for p in state.policy.parameters())
