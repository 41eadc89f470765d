"""The stream of environments, against single environments stepped by hand."""

import itertools

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chula_rl.env_stream import RECENT_EPISODES, EnvStream
from chula_rl.envs import ENV_ID
from chula_rl.errors import CheckpointError, UnsupportedEnvError
from chula_rl.vector_envs import ContinuousCartPoleVectorEnv

NUM_ENVS = 3
NO_SEED_ID, SICK_ID, OWN_VECTOR_ID = "NoSeed-v0", "Sick-v0", "OwnVector-v0"
SHORT_PENDULUM_ID = "ShortPendulum-v0"


class NoSeed(gym.Env):
    """Where it starts is decided by a count of all starts, not by the seed."""

    observation_space = spaces.Box(0, 1e6, shape=(1,), dtype=np.float32)
    action_space = spaces.Box(-1, 1, shape=(1,), dtype=np.float32)
    starts = itertools.count()

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.array([next(self.starts)], dtype=np.float32), {}

    def step(self, action):
        return np.zeros(1, dtype=np.float32), 0.0, True, False, {}


class Sick(gym.Env):
    """The third step gives the observation or the reward that it is made with."""

    observation_space = spaces.Box(-9, 9, shape=(2,), dtype=np.float32)
    action_space = spaces.Box(-1, 1, shape=(1,), dtype=np.float32)

    def __init__(self, obs=0.0, reward=0.0):
        self.sick = np.array([0.0, obs], dtype=np.float32), reward

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, dtype=np.float32), {}

    def step(self, action):
        self.steps += 1
        healthy = np.zeros(2, dtype=np.float32), 0.0
        return *(self.sick if self.steps == 3 else healthy), False, False, {}


def one_by_one(num_envs=1, **kwargs):
    """A vector form that knows of no ``autoreset_mode``, and so resets too late."""
    return SyncVectorEnv([lambda: gym.make("Pendulum-v1")] * num_envs)


@pytest.fixture(autouse=True)
def toys():
    pendulum = "gymnasium.envs.classic_control:PendulumEnv"
    register = gym.register
    register(NO_SEED_ID, NoSeed, disable_env_checker=True)
    register(SICK_ID, Sick, disable_env_checker=True)
    register(SHORT_PENDULUM_ID, pendulum, max_episode_steps=4)
    register(
        OWN_VECTOR_ID, pendulum, max_episode_steps=4, vector_entry_point=one_by_one
    )
    yield
    for env_id in (NO_SEED_ID, SICK_ID, SHORT_PENDULUM_ID, OWN_VECTOR_ID):
        del gym.registry[env_id]


def actions(num_steps, bound=1.0, seed=0, num_envs=NUM_ENVS):
    generator = torch.Generator().manual_seed(seed)
    return bound * (2 * torch.rand(num_steps, num_envs, 1, generator=generator) - 1)


class ByHand:
    """One environment, reset when it ends; starts are those of its vector form."""

    def __init__(self, env_id, seed):
        self.env = gym.make(env_id)
        self.obs, _ = self.env.reset(seed=seed)

    def step(self, action):
        final_obs, reward, *flags, _ = self.env.step(action.numpy())
        self.obs = self.env.reset()[0] if any(flags) else final_obs
        return reward, *flags, self.obs, final_obs


@pytest.mark.parametrize("env_id", [SHORT_PENDULUM_ID, OWN_VECTOR_ID])
def test_it_is_the_single_environments_side_by_side(env_id):
    stream = EnvStream(env_id, NUM_ENVS, seed=7)
    singles = [ByHand(env_id, seed=7 + b) for b in range(NUM_ENVS)]
    for t, action in enumerate(actions(9, bound=2.0)):
        assert stream.obs.tolist() == [single.obs.tolist() for single in singles]
        step = stream.step(action)
        by_hand = [single.step(a) for single, a in zip(singles, action, strict=True)]
        for ours, theirs in zip(step, zip(*by_hand, strict=True), strict=True):
            np.testing.assert_array_equal(ours, np.stack(theirs))
        assert step.truncated.all() == (t in (3, 7))
        assert (step.final_obs != step.next_obs).any() == (t in (3, 7))


def test_the_final_observation_of_the_cart_poles_follows_from_the_one_before():
    stream, single = EnvStream(ENV_ID, NUM_ENVS, seed=0), gym.make(ENV_ID).unwrapped
    single.reset(seed=0)
    ended = 0
    for action in actions(120):
        before = stream.obs
        step = stream.step(action)
        for b in range(NUM_ENVS):
            single.state = before[b].double().numpy()
            single.steps_beyond_terminated = None
            obs, reward, terminated, *_ = single.step(action[b].numpy())
            np.testing.assert_allclose(step.final_obs[b], obs, atol=1e-5)
            assert (step.reward[b], step.terminated[b]) == (reward, terminated)
            if terminated:
                ended += 1
                assert np.abs(step.next_obs[b]).max() <= 0.05  # a start
                assert np.abs(step.final_obs[b]).max() > 0.2
            else:
                np.testing.assert_array_equal(step.next_obs[b], step.final_obs[b])
    assert ended > 3


def test_our_own_vector_environment_is_what_steps():
    stream = EnvStream(ENV_ID, NUM_ENVS, seed=3)
    own = ContinuousCartPoleVectorEnv(NUM_ENVS, autoreset_mode=AutoresetMode.SAME_STEP)
    np.testing.assert_array_equal(stream.obs, own.reset(seed=3)[0])
    for action in actions(60):
        step = stream.step(action)
        obs, *others, _ = own.step(action.numpy())
        np.testing.assert_array_equal(step.next_obs, obs)
        for ours, theirs in zip(step[:3], others, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_what_it_tells_about_itself():
    stream = EnvStream(SHORT_PENDULUM_ID, NUM_ENVS, seed=0)
    assert (stream.num_envs, stream.obs_dim, stream.action_dim) == (3, 3, 1)
    assert (stream.low.tolist(), stream.high.tolist()) == ([-2.0], [2.0])
    assert stream.obs_scale.tolist() == [1.0, 1.0, 8.0]  # the bounds of its space
    assert (stream.obs.dtype, stream.obs.shape) == (torch.float32, (3, 3))


def test_recent_is_the_mean_of_the_last_hundred_episodes():
    stream = EnvStream(SHORT_PENDULUM_ID, NUM_ENVS, seed=0)
    rewards = []
    for t, action in enumerate(actions(4 * 40)):
        if t < 4:
            assert all(np.isnan(value) for value in stream.recent().values())
        rewards.append(stream.step(action).reward)
    returns = np.array(rewards).reshape(40, 4, NUM_ENVS).sum(1).flatten()
    assert len(returns) > RECENT_EPISODES == 100
    expected = {"return": returns[-100:].mean(), "length": 4.0}
    assert stream.recent() == pytest.approx(expected)


def test_lengths_are_counted_for_each_environment():
    stream, since = EnvStream(ENV_ID, NUM_ENVS, seed=0), np.zeros(NUM_ENVS)
    lengths = []
    for action in actions(150):
        step = stream.step(action)
        since += 1
        lengths += since[step.terminated].tolist()
        since[step.terminated] = 0
    assert len(set(lengths)) > 3
    expected = {"return": np.mean(lengths), "length": np.mean(lengths)}
    assert stream.recent() == pytest.approx(expected)


class TestCheckpoint:
    """Playing the actions again."""

    @pytest.mark.parametrize("env_id", [ENV_ID, SHORT_PENDULUM_ID])
    @pytest.mark.parametrize("num_steps", [0, 50])
    def test_a_fresh_stream_goes_on_equally(self, env_id, num_steps):
        stream, other = (EnvStream(env_id, NUM_ENVS, seed=5) for _ in range(2))
        for action in actions(num_steps):
            stream.step(action)
        saved = {name: tensor.clone() for name, tensor in stream.state_dict().items()}
        other.load_state_dict(saved)
        assert str(other.recent()) == str(stream.recent())  # NaN equals NaN
        for action in actions(20, seed=1):
            for ours, theirs in zip(
                stream.step(action), other.step(action), strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
            assert torch.equal(stream.obs, other.obs)
        again = other.state_dict()
        assert again["actions"].shape == (num_steps + 20, NUM_ENVS, 1)
        assert all(torch.equal(again[k], v) for k, v in stream.state_dict().items())

    def test_actions_are_remembered_as_they_were_given(self):
        stream = EnvStream(ENV_ID, NUM_ENVS, seed=5)
        action = torch.full((NUM_ENVS, 1), 0.5)
        stream.step(action)
        action.zero_()
        assert stream.state_dict()["actions"].tolist() == [[[0.5]] * NUM_ENVS]

    def test_another_seed_leads_somewhere_else(self):
        stream = EnvStream(ENV_ID, NUM_ENVS, seed=5)
        with pytest.raises(CheckpointError, match="not where they were"):
            EnvStream(ENV_ID, NUM_ENVS, seed=6).load_state_dict(stream.state_dict())

    def test_an_environment_that_ignores_its_seed_is_refused(self):
        stream = EnvStream(NO_SEED_ID, NUM_ENVS, seed=5)
        stream.step(torch.zeros(NUM_ENVS, 1))
        fresh = EnvStream(NO_SEED_ID, NUM_ENVS, seed=5)
        with pytest.raises(CheckpointError, match="that the seed determines"):
            fresh.load_state_dict(stream.state_dict())


@pytest.mark.parametrize(
    "sick", [{"obs": np.nan}, {"obs": np.inf}, {"reward": np.nan}, {"reward": -np.inf}]
)
def test_what_is_not_finite_is_refused_at_its_step(sick):
    gym.spec(SICK_ID).kwargs.update(sick)
    stream = EnvStream(SICK_ID, NUM_ENVS, seed=0)
    for _ in range(2):
        stream.step(torch.zeros(NUM_ENVS, 1))
    with pytest.raises(UnsupportedEnvError, match=r"step 3 .*finite numbers"):
        stream.step(torch.zeros(NUM_ENVS, 1))


def test_discrete_actions_are_refused():
    with pytest.raises(UnsupportedEnvError, match=r"Discrete\(2\).*continuous"):
        EnvStream("CartPole-v1", NUM_ENVS, seed=0)
