"""The peers: their environment is ours, their settings work, their update is right."""

import copy

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn, tensor

from chula_rl.benchmarks import cleanrl_ddpg, peers
from chula_rl.benchmarks.sb3_env import NumPyVecEnv
from chula_rl.envs import ENV_ID, OBS_SCALE

PUSH = np.array([[1.0], [0.1], [-0.4]], dtype=np.float32)


def test_each_copy_goes_as_the_environment_does():
    vec = NumPyVecEnv(3, reward_scale=0.5)
    vec.seed(7)
    singles = [gym.make(ENV_ID) for _ in range(3)]
    start = vec.reset()
    for env, obs in zip(singles, start, strict=True):
        env.reset()
        env.unwrapped.state = obs.astype(np.float64)
    ended = 0
    for _ in range(40):
        obs, reward, done, infos = vec.step(PUSH)
        assert (reward == 0.5).all()
        for i, env in enumerate(singles):
            single_obs, _, terminated, _, _ = env.step(PUSH[i])
            assert done[i] == terminated
            last = infos[i]["terminal_observation"] if terminated else obs[i]
            # the starts were rounded to float32
            np.testing.assert_allclose(last, single_obs, rtol=1e-4, atol=1e-5)
            if terminated:
                ended += 1
                assert infos[i]["TimeLimit.truncated"] is False
                assert (np.abs(obs[i]) <= 0.05).all()  # the next episode's start
                env.reset()
                env.unwrapped.state = obs[i].astype(np.float64)
    assert ended >= 3


def test_time_limit_is_told_from_a_fall():
    vec = NumPyVecEnv(2)
    obs = vec.reset()
    gain = np.array([[0.5], [0.5], [1.0], [1.0]]) / OBS_SCALE[:, None]
    for _ in range(500):
        obs, _, done, infos = vec.step((obs @ gain).astype(np.float32))
    assert done.all()
    assert all(info["TimeLimit.truncated"] is True for info in infos)


def test_seed_decides_the_starts_and_no_observation_is_overwritten():
    starts = []
    for seed in (1, 1, 2):
        vec = NumPyVecEnv(2)
        vec.seed(seed)
        starts.append(vec.reset())
    np.testing.assert_array_equal(starts[0], starts[1])
    assert not np.array_equal(starts[0], starts[2])
    kept = starts[2].copy()
    vec.step(np.ones((2, 1), dtype=np.float32))
    np.testing.assert_array_equal(starts[2], kept)


def test_scaled_observations_are_those_divided_by_the_scale():
    plain, scaled = NumPyVecEnv(2), NumPyVecEnv(2, scale_obs=True)
    for vec in (plain, scaled):
        vec.seed(3)
    np.testing.assert_allclose(plain.reset() / OBS_SCALE, scaled.reset(), rtol=1e-6)


@pytest.mark.parametrize("name", peers.SETTINGS)
def test_settings_train_and_stop_when_told(name):
    settings = peers.SETTINGS[name]
    seen = []

    def report(steps, policy):
        seen.append((steps, policy(torch.zeros(3, 4)).shape))
        return steps < 150

    peers.train(0, settings.total_steps, report, settings)
    steps, shapes = zip(*seen, strict=True)
    assert 150 <= steps[-1] < 150 + settings.num_envs
    assert steps[0] == settings.num_envs  # environment steps, not vector steps
    assert set(shapes) == {(3, 1)}


@pytest.mark.parametrize("name", ["sb3-a2c-tuned", "sb3-ddpg-tuned"])
def test_evaluated_policy_is_what_the_peer_itself_would_do(name):
    model, scale = peers.make_model(0, peers.SETTINGS[name])
    obs = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    own, _ = model.predict((obs / scale).numpy(), deterministic=True)
    with torch.no_grad():
        shown = peers.mean_policy(model, scale)(obs).clamp(-1, 1)
    np.testing.assert_allclose(shown, own, atol=1e-6)


def test_annealed_rates_fall_to_zero():
    settings = peers.Settings("A2C", 100, anneal=True, options={"learning_rate": 0.4})
    model, _ = peers.make_model(0, settings)
    assert [model.lr_schedule(left) for left in (1, 0.5, 0)] == [0.4, 0.2, 0.0]


class Linear(nn.Module):
    """``weights . inputs``, of any number of inputs."""

    def __init__(self, *weights):
        super().__init__()
        self.weights = nn.Parameter(tensor([weights]))

    def forward(self, *inputs):
        return torch.cat(inputs, 1) @ self.weights.T


def linear_agent():
    """pi(s) = 2 s and Q(s, a) = 3 s + 0.5 a; the targets are s and s + a."""
    actor, critic = Linear(2.0), Linear(3.0, 0.5)
    return cleanrl_ddpg.Networks(
        *(actor, critic, Linear(1.0), Linear(1.0, 1.0)),
        torch.optim.SGD(actor.parameters(), lr=0.1),
        torch.optim.SGD(critic.parameters(), lr=0.1),
    )


def column(*values):
    return tensor(values)[:, None]


BATCH = (
    column(1.0, 2.0),  # obs
    column(4.0, 0.0),  # action
    tensor([1.0, -1.0]),  # reward
    tensor([0.0, 1.0]),  # terminated
    column(0.5, 9.0),  # next_obs
)


def weights(module):
    return module.weights.detach()[0].tolist()


def test_update_of_linear_networks_by_hand():
    agent = linear_agent()
    cleanrl_ddpg.update(agent, BATCH, gamma=0.8, tau=0.25)
    # targets: 1 + 0.8 * (0.5 + 0.5) = 1.8, and -1 at the end
    # Q: 3 + 2 = 5 and 6; errors 3.2 and 7; gradient of their mean square, mean(2 e x):
    # to s 3.2 * 1 + 7 * 2 = 17.2, to a 3.2 * 4 = 12.8
    critic = [3 - 1.72, 0.5 - 1.28]
    assert weights(agent.critic) == pytest.approx(critic)
    # -mean Q(s, theta s) with the new critic has the gradient -mean(w_a s)
    actor = 2 + 0.1 * critic[1] * 1.5
    assert weights(agent.actor) == pytest.approx([actor])
    assert weights(agent.target_actor) == pytest.approx([0.25 * actor + 0.75])
    slow = [0.25 * w + 0.75 for w in critic]
    assert weights(agent.target_critic) == pytest.approx(slow)


def test_update_without_the_actor_changes_the_critic_only():
    agent = linear_agent()
    before = copy.deepcopy(agent)
    cleanrl_ddpg.update(agent, BATCH, gamma=0.8, tau=0.25, with_actor=False)
    assert weights(agent.critic) != weights(before.critic)
    for name in ("actor", "target_actor", "target_critic"):
        assert weights(getattr(agent, name)) == weights(getattr(before, name))


def test_cleanrl_ddpg_trains_and_repeats():
    settings = cleanrl_ddpg.Settings(learning_starts=20, batch_size=8, buffer_size=40)

    def train(seed):
        actions = []

        def report(steps, policy):
            with torch.no_grad():
                actions.append(policy(torch.ones(1, 4)).item())
            return steps < 60

        cleanrl_ddpg.train(seed, 1_000, report, settings)
        return actions

    actions = train(0)
    assert len(actions) == 60
    assert len(set(actions[:20])) == 1  # random steps first
    assert len(set(actions[20:])) == 20  # the actor learns every other step
    assert train(0) == actions
    assert train(1) != actions
