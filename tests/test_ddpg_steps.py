"""The steps of a training with DDPG, in an environment that follows a script."""

import dataclasses
import math

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import nn
from toys import SMALL_DDPG as SMALL

from chula_rl.algorithms.ddpg import init, train
from chula_rl.errors import UnsupportedEnvError
from chula_rl.losses import exploratory_action
from chula_rl.replay import ReplayBuffer

METRICS = ("critic_loss", "actor_loss", "q")  # of an update
ENDLESS, STAGGERED, BROKEN = "tests/Endless-v0", "tests/Staggered-v0", "tests/Broken-v0"
LOW = np.array([-2.0, 0.0, 0.0], dtype=np.float32)
HIGH = np.array([2.0, 1.0, 8.0], dtype=np.float32)
HALF_RANGE = (HIGH - LOW) / 2


class Counting(VectorEnv):
    """The observation is (row, step of the episode); row b ends after ``b + 3`` steps.

    Rows 0, 2, ... terminate, the others are truncated. The reward is the first of the
    three dimensions of the action, which must be within the bounds.
    """

    ends, broken_at = True, math.inf

    def __init__(self, num_envs, autoreset_mode):
        assert autoreset_mode is AutoresetMode.SAME_STEP
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": autoreset_mode}
        self.single_action_space = spaces.Box(LOW, HIGH, dtype=np.float32)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.single_observation_space = spaces.Box(-9, 9, shape=(2,), dtype=np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.rows = np.arange(num_envs)

    def obs(self):
        return np.stack([self.rows, self.step_of_episode], axis=1).astype(np.float32)

    def reset(self, *, seed=None, options=None):
        self.step_of_episode, self.steps = np.zeros(self.num_envs), 0
        return self.obs(), {}

    def step(self, actions):
        assert actions.shape == (self.num_envs, 3)
        assert (actions >= LOW).all()
        assert (actions <= HIGH).all()
        self.steps += 1
        self.step_of_episode += 1
        reward = actions[:, 0] + (np.nan if self.steps == self.broken_at else 0.0)
        ended = (self.step_of_episode == self.rows + 3) & self.ends
        final = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            final[row] = self.obs()[row]
        self.step_of_episode[ended] = 0
        even = self.rows % 2 == 0
        return self.obs(), reward, ended & even, ended & ~even, {"final_obs": final}


class Endless(Counting):
    """Its episodes have no ends."""

    ends = False


class Broken(Counting):
    """Its seventh rewards are not numbers."""

    broken_at = 7


@pytest.fixture(autouse=True, scope="module")
def environments():
    ids = {ENDLESS: Endless, STAGGERED: Counting, BROKEN: Broken}
    for env_id, entry_point in ids.items():
        gym.register(env_id, vector_entry_point=entry_point)
    yield
    for env_id in ids:
        del gym.registry[env_id]


def config_of(**settings):
    return dataclasses.replace(SMALL, **settings)


def still(state):
    """A state whose actor does nothing but the middle of each range."""
    for parameter in state.actor.parameters():
        nn.init.zeros_(parameter)
    return state


def nothing(*_):
    """An update that leaves all as it is."""


class TestNoise:
    """The Ornstein-Uhlenbeck process of the exploration, in discrete time."""

    std = 0.4

    def noise(self, theta, steps=400, rows=200):
        """Noise in the stationary state, ``[T, rows, 3]``."""
        total = rows * (steps + 100)
        settings = {"num_envs": rows, "total_steps": total, "capacity": rows}
        config = config_of(noise_theta=theta, noise_std=self.std, **settings)
        state = init(config, seed=1, env_id=ENDLESS)
        every = [state.noise.clone() for _ in train(state, update=nothing)]
        return torch.stack(every[100:])

    @pytest.mark.parametrize("theta", [0.15, 0.5, 1.0])
    def test_its_variance_and_its_memory_are_those_of_theory(self, theta):
        noise = self.noise(theta)
        variance = self.std**2 / (1 - (1 - theta) ** 2)
        assert noise.mean().item() == pytest.approx(0, abs=0.05 * variance**0.5)
        assert noise.var().item() == pytest.approx(variance, rel=0.04)
        for lag in (1, 2, 5, 10):
            correlation = (noise[lag:] * noise[:-lag]).mean().item() / variance
            assert correlation == pytest.approx((1 - theta) ** lag, abs=0.03)

    def test_rows_and_dimensions_have_noise_of_their_own(self):
        noise = self.noise(1.0, steps=2_000, rows=5).flatten(1)
        correlation = torch.corrcoef(noise.T) - torch.eye(15)
        assert correlation.abs().max() < 0.1

    def test_it_is_forgotten_where_an_episode_ends_and_only_there(self):
        state = init(SMALL, env_id=STAGGERED)
        for step, _ in enumerate(train(state, update=nothing), start=1):
            for row in range(SMALL.num_envs):
                ended = step % (row + 3) == 0
                assert state.noise[row].eq(0).all() == ended

    def test_it_starts_anew_after_an_end(self):
        config = config_of(noise_theta=0.01, noise_std=1.0, num_envs=1)
        runs = []
        for env_id in (ENDLESS, STAGGERED):
            state = init(config, env_id=env_id)
            every = [state.noise.clone() for _ in train(state, update=nothing)]
            runs.append(torch.stack(every))
        endless, staggered = runs
        white = endless[1:] - 0.99 * endless[:-1]  # of steps 2, 3, ...
        after = slice(3, None, 3)  # the first step of each further episode
        torch.testing.assert_close(staggered[after], white[2::3])
        assert not torch.isclose(staggered[after], endless[after]).any()

    def test_it_is_in_half_ranges_of_the_action(self):
        seen = []

        def spy(action, noise, low, high):
            assert (low.tolist(), high.tolist()) == (LOW.tolist(), HIGH.tolist())
            seen.append((action, noise))
            return exploratory_action(action, noise, low, high)

        state = still(init(config_of(noise_std=0.25), env_id=ENDLESS))
        training = train(state, update=nothing, exploratory_action=spy)
        noise = torch.stack([state.noise for _ in training])
        action, given = map(torch.stack, zip(*seen, strict=True))
        torch.testing.assert_close(given, noise * torch.tensor(HALF_RANGE))
        assert action.flatten(0, 1).unique(dim=0).tolist() == [[0.0, 0.5, 4.0]]


class TestUpdates:
    """When they come, and what they get."""

    @pytest.mark.parametrize("random_steps", [0, 101, 104])
    def test_their_number_and_their_learning_rates(self, random_steps):
        config = config_of(num_updates=3, random_steps=random_steps, anneal_lr=True)
        state, calls = init(config), []

        def spy(agent, batch, config):
            assert (agent, config) == (state, state.config)
            assert len(batch.reward) == SMALL.batch_size
            optimizers = (state.actor_optimizer, state.critic_optimizer)
            rates = [o.param_groups[0]["lr"] for o in optimizers]
            calls.append((state.steps, *rates))

        list(train(state, update=spy))
        first = max(4, math.ceil(random_steps / 4) * 4)
        expected = []
        for steps in range(first, 241, 4):
            left = 1 - (steps - 4) / 240  # of the training when the step began
            rates = pytest.approx([config.actor_lr * left, config.critic_lr * left])
            expected += [(steps, rates)] * 3
        assert [(steps, rates) for steps, *rates in calls] == expected

    def test_each_has_a_batch_of_its_own(self):
        batches = []

        def spy(agent, batch, config):
            batches.append(tuple(batch.reward.tolist()))

        list(train(init(SMALL, env_id=STAGGERED), update=spy))
        assert len(set(batches)) == len(batches) > 2

    def test_learning_rates_stay_where_nothing_is_annealed(self):
        state, rates = init(config_of(anneal_lr=False)), set()
        for _ in train(state, update=nothing):
            optimizers = (state.actor_optimizer, state.critic_optimizer)
            rates.add(tuple(o.param_groups[0]["lr"] for o in optimizers))
        assert rates == {(SMALL.actor_lr, SMALL.critic_lr)}

    def test_they_get_true_steps_of_the_environment_as_it_got_them(self):
        state, ends = init(config_of(noise_std=2.0), env_id=STAGGERED), set()

        def spy(agent, batch, config):
            row, step = batch.obs.T
            assert torch.equal(batch.next_obs, torch.stack([row, step + 1], dim=1))
            ended = step + 1 == row + 3
            assert torch.equal(batch.terminated, ended & (row % 2 == 0))
            assert torch.equal(batch.truncated, ended & (row % 2 == 1))
            assert torch.equal(batch.reward, batch.action[:, 0])
            assert batch.action[:, 0].abs().max() <= 2
            ends.update(row[ended].tolist())

        list(train(state, update=spy))
        assert ends == {0, 1, 2, 3}
        assert len(state.buffer) == SMALL.capacity < state.steps

    def test_successors_are_found_by_the_function_given(self):
        def mistaken(next_obs, final_obs, terminated, truncated):
            ended = terminated | truncated
            assert next_obs[ended, 1].eq(0).all()
            assert final_obs[ended, 1].eq(final_obs[ended, 0] + 3).all()
            return next_obs

        state = init(SMALL, env_id=STAGGERED)
        list(train(state, update=nothing, successor_obs=mistaken))
        batch = state.buffer.sample(500)
        at_ends = batch.terminated | batch.truncated
        assert at_ends.any()
        assert batch.next_obs[at_ends, 1].eq(0).all()

    def test_steps_are_remembered_by_the_buffer_given(self):
        given = []

        def make_buffer(*sizes):
            given.append((sizes, ReplayBuffer(*sizes)))
            return given[0][1]

        state = init(SMALL, 5, STAGGERED, make_buffer)
        list(train(state))
        ((sizes, buffer),) = given
        assert sizes == (SMALL.capacity, 2, 3, 5)
        assert len(buffer) == SMALL.capacity

    def test_metrics_are_not_numbers_until_there_is_an_update(self):
        for metric in train(init(SMALL)):
            known = metric["steps"] >= SMALL.random_steps
            assert all(math.isfinite(metric[name]) == known for name in METRICS)

    def test_metrics_count_episodes_and_clipped_actions(self):
        state = still(init(config_of(noise_std=1e6), env_id=STAGGERED))
        *_, last = train(state, update=lambda *_: {"seen": 1.0})
        assert (last["steps"], last["seen"], last["clip_fraction"]) == (240, 1, 1)
        ends = [
            (t, row) for t in range(1, 61) for row in range(4) if t % (row + 3) == 0
        ]
        assert last["length"] == pytest.approx(np.mean([row + 3 for _, row in ends]))
        state = still(init(config_of(noise_std=1e-6), env_id=STAGGERED))
        assert all(m["clip_fraction"] == 0 for m in train(state, update=nothing))


def test_rewards_that_are_not_numbers_are_refused():
    state = init(SMALL, env_id=BROKEN)
    with pytest.raises(UnsupportedEnvError, match=r"step 7 .* finite numbers"):
        list(train(state))
    assert (state.steps, len(state.buffer)) == (24, 24)
