"""Collecting episodes, against an environment that follows a script."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import nn

from chula_rl.errors import UnsupportedEnvError
from chula_rl.losses import bounded_action
from chula_rl.networks import GaussianPolicy
from chula_rl.rollout import action_bounds, collect_episodes
from chula_rl.vector_envs import ContinuousCartPoleVectorEnv

LOW = np.array([-0.5, -1.0], dtype=np.float32)
HIGH = np.array([0.5, 2.0], dtype=np.float32)
LENGTHS = np.array([2, 1, 5])


class ScriptedVectorEnv(VectorEnv):
    """Row b ends at every step that is a multiple of ``LENGTHS[b]``.

    The observation is (row, step) and the reward 10 * row + step. The middle row is
    truncated and the others terminate; when they end again, it is the other way round.
    It notes what it receives, and hands out the same arrays again and again, as
    Gymnasium's vector environments with ``copy=False`` do.
    """

    def __init__(self):
        self.num_envs = len(LENGTHS)
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_action_space = spaces.Box(LOW, HIGH, dtype=np.float32)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.single_observation_space = spaces.Box(0, 100, shape=(2,), dtype=np.float32)
        self.observation_space = batch_space(
            self.single_observation_space, self.num_envs
        )
        self.rows = np.arange(self.num_envs)
        self.obs = np.zeros((self.num_envs, 2), dtype=np.float32)
        self.reward = np.zeros(self.num_envs, dtype=np.float32)
        self.seeds, self.actions = [], []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        self.actions.clear()
        self.obs[:] = np.stack([self.rows, np.zeros(self.num_envs)], axis=1)
        return self.obs, {}

    def step(self, actions):
        self.reward[:] = 10 * self.rows + self.obs[:, 1]
        self.obs[:, 1] += 1
        self.actions.append(actions.copy())
        ended = len(self.actions) % LENGTHS == 0
        terminates = (len(self.actions) == LENGTHS) != (self.rows == 1)
        return self.obs, self.reward, ended & terminates, ended & ~terminates, {}


class ConstantPolicy(nn.Module):
    """Mean (0.4, -0.9) whatever the observation; standard deviation 1."""

    def forward(self, obs):
        mean = torch.tensor([0.4, -0.9]).expand(len(obs), 2)
        return mean, torch.zeros_like(mean)


def collect(env=None, policy=None, seed=0, **kwargs):
    return collect_episodes(
        env or ScriptedVectorEnv(),
        policy or ConstantPolicy(),
        torch.Generator().manual_seed(seed),
        **kwargs,
    )


def cartpole_episodes(seed=0, **kwargs):
    policy = GaussianPolicy(4, 1, generator=torch.Generator().manual_seed(5))
    return collect(ContinuousCartPoleVectorEnv(6, **kwargs), policy, seed)


def same(episodes, others):
    pairs = zip(episodes, others, strict=True)
    return all(
        torch.equal(torch.as_tensor(a), torch.as_tensor(b))
        for one, other in pairs
        for a, b in zip(one, other, strict=True)
    )


def test_every_row_is_recorded_from_its_reset_to_its_end_and_no_further():
    env = ScriptedVectorEnv()
    episodes = collect(env)
    for row, (episode, length) in enumerate(zip(episodes, LENGTHS, strict=True)):
        assert episode.obs.tolist() == [[row, t] for t in range(length)]
        assert episode.reward.tolist() == [10 * row + t for t in range(length)]
        assert episode.action.shape == (length, 2)
        assert (episode.terminated, episode.truncated) == (row != 1, row == 1)
    assert len(env.actions) == max(LENGTHS)


def test_tensors_are_float32_without_gradient():
    for episode in collect():
        for tensor in episode[:3]:
            assert tensor.dtype == torch.float32
            assert not tensor.requires_grad


def test_the_raw_action_is_stored_and_the_clipped_one_is_played():
    env = ScriptedVectorEnv()
    episodes = collect(env)
    played = np.stack(env.actions)  # [T, B, A]
    for row, (episode, length) in enumerate(zip(episodes, LENGTHS, strict=True)):
        raw = episode.action.numpy()
        np.testing.assert_array_equal(played[:length, row], np.clip(raw, LOW, HIGH))
    raw = np.concatenate([episode.action for episode in episodes])
    assert ((raw < LOW) | (raw > HIGH)).any()


def test_the_action_is_sampled_by_the_function_given_from_standard_normal_noise():
    noises = []

    def spy(mean, log_std, noise, low, high):
        assert low.tolist() == LOW.tolist()
        assert high.tolist() == HIGH.tolist()
        noises.append(noise)
        return bounded_action(mean, log_std, noise, low, high)

    for seed in range(100):
        for row, episode in enumerate(collect(seed=seed, bounded_action=spy)):
            steps = noises[-max(LENGTHS) :][: LENGTHS[row]]
            expected = torch.tensor([0.4, -0.9]) + torch.stack(steps)[:, row]
            torch.testing.assert_close(episode.action, expected)
    noise = torch.stack(noises)
    error = 4 / noise.numel() ** 0.5
    assert noise.mean().item() == pytest.approx(0, abs=error)
    assert noise.std().item() == pytest.approx(1, abs=error)


def test_the_generator_decides_everything():
    torch.manual_seed(0)
    episodes = cartpole_episodes(seed=1)
    torch.manual_seed(1)
    assert same(episodes, cartpole_episodes(seed=1))
    assert not same(episodes[:1], cartpole_episodes(seed=2)[:1])


def test_torchs_global_generator_is_left_alone():
    before = torch.get_rng_state()
    collect()
    assert torch.equal(torch.get_rng_state(), before)


def test_each_call_resets_with_another_seed():
    env, generator = ScriptedVectorEnv(), torch.Generator().manual_seed(0)
    for _ in range(5):
        collect_episodes(env, ConstantPolicy(), generator)
    assert len(set(env.seeds)) == 5
    assert all(type(seed) is int for seed in env.seeds)


def test_both_automatic_resets_give_the_same_episodes():
    by_mode = [
        cartpole_episodes(autoreset_mode=mode)
        for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)
    ]
    assert same(*by_mode)
    assert len({len(episode.reward) for episode in by_mode[0]}) > 1


def test_the_time_limit_truncates():
    for episode in cartpole_episodes(max_episode_steps=3):
        assert len(episode.reward) == 3
        assert (episode.terminated, episode.truncated) == (False, True)


def test_an_environment_that_never_resets_itself_is_refused():
    env = ContinuousCartPoleVectorEnv(2, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(UnsupportedEnvError, match="NEXT_STEP or SAME_STEP"):
        collect(env)


def test_discrete_actions_are_refused():
    with pytest.raises(UnsupportedEnvError, match=r"Discrete\(2\)"):
        collect(gym.make_vec("CartPole-v1", num_envs=2))


def test_action_bounds_are_those_of_one_environment():
    env = ScriptedVectorEnv()
    low, high = action_bounds(env)
    assert (low.tolist(), high.tolist()) == (LOW.tolist(), HIGH.tolist())
    env.single_action_space = spaces.Box(-1, 1, shape=(2, 2))
    with pytest.raises(UnsupportedEnvError, match="expected a Box of shape"):
        action_bounds(env)
