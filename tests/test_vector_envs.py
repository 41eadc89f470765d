"""The vector environment: against the single one, and against SyncVectorEnv."""

import math

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

from chula_rl.envs import (
    ENV_ID,
    ContinuousCartPoleEnv,
)
from chula_rl.errors import UnsupportedEnvError
from chula_rl.vector_envs import ContinuousCartPoleVectorEnv

MODES = list(AutoresetMode)
LIMIT = 20


def singles(vector):
    """The raw single environments in a SyncVectorEnv."""
    return [env.unwrapped for env in vector.envs]


def pair(mode, num_envs=5):
    """Our vector environment and Gymnasium's of the single one, in equal states."""
    ours = ContinuousCartPoleVectorEnv(num_envs, LIMIT, mode)
    theirs = SyncVectorEnv(
        [lambda: TimeLimit(ContinuousCartPoleEnv(), LIMIT)] * num_envs,
        autoreset_mode=mode,
    )
    ours.reset(seed=0)
    theirs.reset(seed=0)
    copy_states(ours, theirs)
    return ours, theirs


def copy_states(ours, theirs):
    ours.state[:] = np.transpose([env.state for env in singles(theirs)])


def same_array(ours, theirs):
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def same_final_obs(ours, theirs):
    assert ours.keys() == theirs.keys()
    if "final_obs" not in theirs:
        return
    same_array(ours["_final_obs"], theirs["_final_obs"])
    same_array(ours["_final_info"], theirs["_final_info"])
    assert ours["final_info"] == theirs["final_info"] == {}
    assert ours["final_obs"].dtype == theirs["final_obs"].dtype == object
    for our_row, their_row in zip(ours["final_obs"], theirs["final_obs"], strict=True):
        if their_row is None:
            assert our_row is None
        else:
            same_array(our_row, their_row)


@pytest.mark.parametrize(("amplitude", "at_least"), [(0.5, 20), (1e-4, 100)])
@pytest.mark.parametrize("num_envs", [1, 16])
def test_a_sine_of_actions_moves_all_rows_as_the_single_environment(
    num_envs, amplitude, at_least
):
    single = ContinuousCartPoleEnv()
    vector = ContinuousCartPoleVectorEnv(num_envs, autoreset_mode="Disabled")
    zero = {"low": 0.0, "high": 0.0}
    single.reset(options=zero)
    vector.reset(options=zero)
    steps, terminated = 0, False
    while not terminated:
        force = np.array([amplitude * math.sin(steps)], dtype=np.float32)
        _, _, terminated, _, _ = single.step(force)
        _, _, vector_terminated, _, _ = vector.step(np.tile(force, (num_envs, 1)))
        expected = np.tile(single.state[:, None], num_envs)
        np.testing.assert_allclose(vector.state, expected, rtol=0, atol=1e-12)
        assert (vector_terminated == terminated).all()
        steps += 1
    assert steps > at_least


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_does_what_sync_vector_env_does(mode):
    ours, theirs = pair(mode)
    rng = np.random.default_rng(0)
    seen_terminated = seen_truncated = 0
    ended = np.zeros(5, dtype=np.bool_)
    for _ in range(100):
        actions = rng.uniform(-1, 1, size=(5, 1)).astype(np.float32)
        actions[::2] *= 0.1  # these rows last until the limit
        was_ended = ended
        if mode is AutoresetMode.DISABLED and was_ended.any():
            ours.reset(options={"reset_mask": was_ended})
            theirs.reset(options={"reset_mask": was_ended})
            copy_states(ours, theirs)
        obs, reward, terminated, truncated, info = ours.step(actions)
        expected = theirs.step(actions)
        ended = terminated | truncated
        restarted = {
            AutoresetMode.NEXT_STEP: was_ended,
            AutoresetMode.SAME_STEP: ended,
            AutoresetMode.DISABLED: np.zeros(5, dtype=np.bool_),
        }[mode]
        same_array(obs[~restarted], expected[0][~restarted])
        assert (np.abs(obs[restarted]) <= 0.05).all()
        same_array(reward, expected[1])
        same_array(terminated, expected[2])
        same_array(truncated, expected[3])
        same_final_obs(info, expected[4])
        copy_states(ours, theirs)  # starts are random: take theirs
        seen_terminated += terminated.sum()
        seen_truncated += truncated.sum()
    assert seen_terminated > 5
    assert seen_truncated > 5


@pytest.mark.parametrize("mode", MODES)
def test_the_spaces_and_first_observations_have_the_types_of_sync_vector_env(mode):
    ours, theirs = pair(mode)
    for name in ("observation_space", "action_space"):
        assert getattr(ours, name) == getattr(theirs, name)
        assert getattr(ours, f"single_{name}") == getattr(theirs, f"single_{name}")
    assert ours.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"]
    our_obs, our_info = ours.reset(seed=1)
    their_obs, their_info = theirs.reset(seed=1)
    assert (our_obs.dtype, our_obs.shape) == (their_obs.dtype, their_obs.shape)
    assert our_info == their_info == {}


def test_disabled_autoreset_refuses_to_step_an_ended_environment():
    env = ContinuousCartPoleVectorEnv(2, 1, AutoresetMode.DISABLED)
    env.reset(seed=0)
    env.step(np.zeros((2, 1)))
    with pytest.raises(UnsupportedEnvError, match=r"\[0, 1\] have ended"):
        env.step(np.zeros((2, 1)))
    env.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(UnsupportedEnvError, match=r"\[1\] have ended"):
        env.step(np.zeros((2, 1)))


def test_a_reset_mask_restarts_its_rows_and_no_other():
    env = ContinuousCartPoleVectorEnv(3, 2, AutoresetMode.DISABLED)
    before, _ = env.reset(seed=0)
    env.step(np.ones((3, 1)))
    stepped = env.state.astype(np.float32).T
    mask = np.array([False, True, False])
    after, _ = env.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(after[~mask], stepped[~mask])
    assert (after[mask] != stepped[mask]).all()
    assert (after[mask] != before[mask]).all()
    assert env.step(np.zeros((3, 1)))[3].tolist() == [True, False, True]


@pytest.mark.parametrize(
    "mask",
    [
        np.array([True]),
        np.array([1, 0]),
        np.array([False, False]),
        [1, 0],
    ],
)
def test_an_unsound_reset_mask_is_refused_and_changes_nothing(mask):
    env, twin = ContinuousCartPoleVectorEnv(2), ContinuousCartPoleVectorEnv(2)
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(UnsupportedEnvError, match="reset_mask"):
        env.reset(seed=1, options={"reset_mask": mask})
    np.testing.assert_array_equal(env.reset()[0], twin.reset()[0])


def test_the_first_reset_is_of_all():
    env = ContinuousCartPoleVectorEnv(2)
    with pytest.raises(UnsupportedEnvError, match="first reset"):
        env.reset(options={"reset_mask": np.array([True, False])})


def test_the_callers_options_are_left_as_they_were():
    env = ContinuousCartPoleVectorEnv(2)
    options = {"reset_mask": np.array([True, True]), "low": 0.0, "high": 0.0}
    env.reset(options=options)
    assert options.keys() == {"reset_mask", "low", "high"}


def test_a_seed_repeats_everything_and_rows_differ():
    def play(seed):
        env = ContinuousCartPoleVectorEnv(3, 5)
        rows = [env.reset(seed=seed)[0]]
        rows += [env.step(np.full((3, 1), 0.1))[0] for _ in range(20)]  # with resets
        return np.array(rows)

    np.testing.assert_array_equal(play(7), play(7))
    assert not np.array_equal(play(7), play(8))
    assert not np.array_equal(play(7)[:, 0], play(7)[:, 1])


def test_options_bound_the_start_and_the_automatic_restarts_after_it():
    env = ContinuousCartPoleVectorEnv(2, 1)
    low_high = {"low": 0.01, "high": 0.02}
    assert (env.reset(seed=0, options=low_high)[0] >= 0.01).all()
    env.step(np.zeros((2, 1)))
    obs = env.step(np.zeros((2, 1)))[0]
    assert ((obs >= 0.01) & (obs <= 0.02)).all()


def test_observations_given_earlier_do_not_change_later():
    env = ContinuousCartPoleVectorEnv(2)
    obs, _ = env.reset(seed=0)
    kept = obs.copy()
    env.step(np.ones((2, 1)))
    np.testing.assert_array_equal(obs, kept)


@pytest.mark.parametrize(
    "bad", [None, 0.0, np.zeros(3), np.zeros((2, 1)), np.zeros((3, 2))]
)
def test_an_action_of_another_shape_is_refused(bad):
    env = ContinuousCartPoleVectorEnv(3)
    env.reset(seed=0)
    with pytest.raises(UnsupportedEnvError, match="the action"):
        env.step(bad)


def test_one_nan_among_the_actions_is_refused_and_changes_nothing():
    env = ContinuousCartPoleVectorEnv(3)
    env.reset(seed=0)
    before = env.state.copy()
    with pytest.raises(UnsupportedEnvError, match="not finite"):
        env.step(np.array([[0.0], [math.nan], [0.0]]))
    np.testing.assert_array_equal(env.state, before)


def test_actions_beyond_the_bounds_are_clipped():
    env, other = ContinuousCartPoleVectorEnv(2), ContinuousCartPoleVectorEnv(2)
    env.reset(seed=0)
    other.reset(seed=0)
    np.testing.assert_array_equal(
        env.step(np.array([[-9.0], [9.0]]))[0], other.step(np.array([[-1.0], [1.0]]))[0]
    )


def test_step_before_reset_is_refused():
    with pytest.raises(UnsupportedEnvError, match="reset"):
        ContinuousCartPoleVectorEnv(2).step(np.zeros((2, 1)))


def test_make_vec_gives_it_with_the_registered_limit():
    env = gym.make_vec(ENV_ID, num_envs=4)
    assert type(env) is ContinuousCartPoleVectorEnv
    assert env.spec.id == ENV_ID
    assert env.max_episode_steps == 500
    assert repr(env) == f"ContinuousCartPoleVectorEnv({ENV_ID}, num_envs=4)"
    obs, _ = env.reset(seed=0)
    assert env.observation_space.contains(obs)


@pytest.mark.parametrize("mode", MODES)
def test_make_vec_passes_limit_and_mode_on(mode):
    env = gym.make_vec(
        ENV_ID, num_envs=2, max_episode_steps=7, autoreset_mode=mode.value
    )
    assert env.metadata["autoreset_mode"] is mode
    env.reset(seed=0)
    truncated = [env.step(np.zeros((2, 1)))[3].tolist() for _ in range(7)]
    assert truncated == [[False, False]] * 6 + [[True, True]]


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="Sometimes"):
        ContinuousCartPoleVectorEnv(2, autoreset_mode="Sometimes")
