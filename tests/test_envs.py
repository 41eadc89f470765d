"""The single environment: its API, physics, seeding, refusals and rendering."""

import math
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.utils.env_checker import check_env

from chula_rl.envs import (
    ENV_ID,
    ContinuousCartPoleEnv,
    cartpole_step,
    observation_scale,
)
from chula_rl.errors import UnsupportedEnvError
from chula_rl.vector_envs import ContinuousCartPoleVectorEnv


def action(value):
    return np.array([value], dtype=np.float32)


@pytest.fixture
def env():
    env = ContinuousCartPoleEnv()
    env.reset(seed=3)
    return env


def lagrange_step(state, force):
    """One Euler step of the Lagrange equations, solved as a linear system.

    The rod's moment of inertia about the joint is 4/3 m l^2 for half-length l.
    """
    gravity, cart, pole, half = 9.8, 1.0, 0.1, 0.5
    x, x_dot, theta, theta_dot = state
    coupling = pole * half * math.cos(theta)
    inertia = np.array([[cart + pole, coupling], [coupling, 4 / 3 * pole * half**2]])
    forces = [
        force + pole * half * theta_dot**2 * math.sin(theta),
        pole * gravity * half * math.sin(theta),
    ]
    x_acc, theta_acc = np.linalg.solve(inertia, forces)
    return np.array([x, x_dot, theta, theta_dot]) + 0.02 * np.array(
        [x_dot, x_acc, theta_dot, theta_acc]
    )


def test_gymnasiums_checker_has_nothing_to_say(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # it opens a window
    env = gym.make(ENV_ID)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


@pytest.mark.slow
def test_stable_baselines3_trains_on_it():
    from stable_baselines3 import A2C

    model = A2C("MlpPolicy", gym.make(ENV_ID), seed=0, device="cpu")
    assert model.learn(2_000).num_timesteps == 2_000


def test_it_is_registered_with_the_limit_and_threshold_of_cartpole_v1():
    env, cartpole = gym.make(ENV_ID), gym.make("CartPole-v1")
    assert env.spec.max_episode_steps == cartpole.spec.max_episode_steps == 500
    assert env.spec.reward_threshold == cartpole.spec.reward_threshold == 475


def test_a_sine_of_actions_moves_it_as_the_lagrange_equations_say(env):
    state, terminated = env.state, False
    for t in range(500):
        force = math.sin(t)
        state = lagrange_step(state, 30 * float(np.float32(force)))
        obs, reward, terminated, truncated, info = env.step(action(force))
        np.testing.assert_allclose(env.state, state, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(obs, env.state.astype(np.float32))
        assert (reward, truncated, info) == (1.0, False, {})
        assert terminated == (abs(state[0]) > 2.4 or abs(state[2]) > math.radians(12))
        if terminated:
            break
    assert terminated
    assert t > 10


def test_far_from_upright_it_still_follows_the_lagrange_equations():
    state = (0.3, -1.0, 2.5, 4.0)
    for t in range(50):
        expected = lagrange_step(state, 30 * math.sin(t))
        state = cartpole_step(state, math.sin(t))
        np.testing.assert_allclose(state, expected, rtol=1e-12)


def test_at_full_force_it_is_gymnasiums_cartpole_at_30_newton(env):
    discrete = CartPoleEnv()
    discrete.force_mag = 30.0
    discrete.reset(seed=3)
    np.testing.assert_array_equal(env.state, discrete.state)
    terminated = False
    while not terminated:
        right = env.state[2] > 0
        ours = env.step(action(1.0 if right else -1.0))
        theirs = discrete.step(int(right))
        np.testing.assert_allclose(env.state, discrete.state, rtol=0, atol=1e-12)
        assert ours[1:] == theirs[1:]
        terminated = ours[2]


@pytest.mark.parametrize(("low", "high"), [(-2.5, -2.4001), (2.4001, 2.5)])
def test_it_ends_beyond_the_track_with_the_reward_of_the_last_step(env, low, high):
    env.reset(seed=0)
    env.state = np.array([np.mean([low, high]), 0.0, 0.0, 0.0])
    _, reward, terminated, _, _ = env.step(action(0.0))
    assert terminated
    assert reward == 1.0


@pytest.mark.parametrize("sign", [-1, 1])
def test_it_ends_beyond_twelve_degrees_and_not_before(env, sign):
    for degrees, ends in [(11.99, False), (12.01, True)]:
        env.reset()
        env.state = np.array([0.0, 0.0, sign * math.radians(degrees), 0.0])
        assert env.step(action(0.0))[2] is ends


def test_a_seed_repeats_the_start_and_reset_goes_on_with_the_generator(env):
    first, _ = env.reset(seed=5)
    second, _ = env.reset()
    again, _ = ContinuousCartPoleEnv().reset(seed=5)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)


def test_starts_fill_the_bounds(env):
    starts = np.array([env.reset()[0] for _ in range(500)])
    assert np.abs(starts).max() <= 0.05
    np.testing.assert_allclose(starts.max(axis=0), 0.05, atol=2e-3)
    np.testing.assert_allclose(starts.min(axis=0), -0.05, atol=2e-3)


def test_options_set_other_bounds_of_the_start(env):
    obs, _ = env.reset(options={"low": 0.1, "high": 0.1})
    np.testing.assert_array_equal(obs, np.full(4, 0.1, dtype=np.float32))
    obs, _ = env.reset()
    assert np.abs(obs).max() <= 0.05


@pytest.mark.parametrize(("beyond", "bound"), [(7.0, 1.0), (-1.5, -1.0)])
def test_an_action_beyond_the_bounds_is_clipped(env, beyond, bound):
    other = ContinuousCartPoleEnv()
    other.reset(seed=3)
    np.testing.assert_array_equal(
        env.step(action(beyond))[0], other.step(action(bound))[0]
    )


@pytest.mark.parametrize(
    "bad", [None, 0.5, [], [0.1, 0.2], [[0.1]], [math.nan], [math.inf], [-math.inf]]
)
def test_an_unsound_action_is_refused_and_changes_nothing(env, bad):
    before = env.state.copy()
    with pytest.raises(UnsupportedEnvError, match="the action"):
        env.step(None if bad is None else np.array(bad))
    np.testing.assert_array_equal(env.state, before)


def test_step_before_reset_is_refused():
    with pytest.raises(UnsupportedEnvError, match="reset"):
        ContinuousCartPoleEnv().step(action(0.0))


def test_the_picture_shows_the_cart_move():
    env = ContinuousCartPoleEnv(render_mode="rgb_array")
    env.reset(seed=0)
    pictures = []
    for position in (-1.0, 1.0):
        env.state = np.array([position, 0.0, 0.0, 0.0])
        pictures.append(env.render())
    env.close()
    assert pictures[0].shape == (400, 600, 3)
    assert pictures[0].dtype == np.uint8
    dark = [np.flatnonzero((picture < 50).all(axis=-1)[300]) for picture in pictures]
    pixels_per_metre = 600 / 4.8
    assert dark[1].mean() - dark[0].mean() == pytest.approx(2 * pixels_per_metre, abs=2)


def test_a_human_render_mode_draws_at_every_step(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = ContinuousCartPoleEnv(render_mode="human")
    drawn = []
    monkeypatch.setattr(env, "render", lambda: drawn.append(env.state.copy()))
    env.reset(seed=0)
    env.step(action(1.0))
    assert len(drawn) == 2
    np.testing.assert_array_equal(drawn[-1], env.state)


class TestObservationScale:
    """Where the scale of the observations comes from."""

    def test_an_environment_may_say_it_itself(self):
        for env in (gym.make(ENV_ID), ContinuousCartPoleVectorEnv(2)):
            assert observation_scale(env).tolist() == pytest.approx(
                [2.4, 2.0, math.radians(12), 2.0]
            )

    @pytest.mark.parametrize("make", [gym.make, gym.make_vec])
    def test_else_it_is_the_bound_where_there_is_one(self, make):
        scale = observation_scale(make("CartPole-v1"))
        assert scale.tolist() == pytest.approx([4.8, 1.0, 2 * math.radians(12), 1.0])

    def test_the_largest_float_is_no_bound(self, env):
        env.observation_scale = None
        scale = observation_scale(env)
        assert scale.tolist() == pytest.approx([4.8, 1.0, 2 * math.radians(12), 1.0])

    def test_an_observation_that_is_not_a_vector_is_refused(self):
        with pytest.raises(UnsupportedEnvError, match="FlattenObservation"):
            observation_scale(gym.make("Taxi-v4"))
