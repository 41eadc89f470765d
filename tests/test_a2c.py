"""A2C's update: closed forms, and Stable-Baselines3 beside it."""

import copy
import math

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv
from torch.optim import SGD, Adam, RMSprop
from toys import LinearPolicy, LinearValue, normal

from chula_rl.algorithms.a2c import Config, a2c_update
from chula_rl.networks import GaussianPolicy, ValueNetwork
from chula_rl.types import Rollout


def vector(*networks):
    return torch.cat(
        [p.detach().flatten().clone() for net in networks for p in net.parameters()]
    )


T, B, GAMMA = 4, 3, 0.9


def rollout():
    """Column 0 goes on, 1 terminates and 2 is truncated after the second step."""
    flags = torch.zeros(2, T, B, dtype=torch.bool)
    flags[0, 1, 1] = flags[1, 1, 2] = True
    obs, next_obs = normal(2, T, B, 2, seed=1)
    next_obs[:-1] = torch.where(flags.any(0)[:-1, :, None], next_obs[:-1], obs[1:])
    return Rollout(obs, normal(T, B, 1, seed=2), normal(T, B, seed=3), *flags, next_obs)


def closed_form(policy, value_fn, config):
    """Minus the gradient of the loss, from derivatives on paper, a step at a time."""
    obs, action, reward, terminated, truncated, next_obs = rollout()
    if not config.bootstrap_at_truncation:
        terminated = terminated | truncated
    weight, value_weight = policy.weight.detach()[:, 0], value_fn.weight.detach()
    std = policy.log_std.exp().item()
    total = torch.zeros(5, dtype=torch.float64)
    for t, b in np.ndindex(T, B):
        advantage = 0.0
        for k in range(t, T):
            follows = 0.0 if terminated[k, b] else next_obs[k, b] @ value_weight
            error = reward[k, b] + GAMMA * follows - obs[k, b] @ value_weight
            advantage += (GAMMA * config.lambda_) ** (k - t) * error
            if terminated[k, b] or truncated[k, b]:
                break
        z = (action[t, b, 0] - obs[t, b] @ weight) / std
        total[:2] += advantage * z / std * obs[t, b]
        total[2] += advantage * (z**2 - 1) + config.entropy_coef
        total[3:] += config.value_coef * advantage * obs[t, b]
    return total / (T * B)


def settings(**changes):
    usual = {"gamma": GAMMA, "lambda_": 0.7, "value_coef": 0.6, "entropy_coef": 0.2}
    more = {"max_grad_norm": math.inf, "bootstrap_at_truncation": True}
    return Config(**{**usual, **more, **changes})


def update(policy, value_fn, config, data=None):
    """One update by a gradient step of rate 1; how far the parameters moved."""
    before = vector(policy, value_fn)
    optimizer = SGD([*policy.parameters(), *value_fn.parameters()], 1.0)
    metrics = a2c_update(policy, value_fn, optimizer, data or rollout(), config)
    return metrics, vector(policy, value_fn) - before


class TestUpdate:
    """One update of linear networks."""

    @pytest.mark.parametrize("lambda_", [0.0, 0.7, 1.0])
    @pytest.mark.parametrize("bootstrap", [True, False])
    def test_it_moves_by_the_gradient_on_paper(self, lambda_, bootstrap):
        config = settings(lambda_=lambda_, bootstrap_at_truncation=bootstrap)
        policy, value_fn = LinearPolicy(), LinearValue()
        expected = closed_form(policy, value_fn, config)
        metrics, moved = update(policy, value_fn, config)
        torch.testing.assert_close(moved, expected, rtol=1e-6, atol=1e-7)
        assert metrics["grad_norm"] == pytest.approx(expected.norm().item())
        entropy = 0.5 * math.log(2 * math.pi * math.e) - 0.4
        assert metrics["entropy"] == pytest.approx(entropy)

    def test_the_joint_norm_of_both_networks_is_clipped(self):
        policy, value_fn = LinearPolicy(), LinearValue()
        expected = closed_form(policy, value_fn, settings())
        metrics, moved = update(policy, value_fn, settings(max_grad_norm=0.01))
        clipped = 0.01 * expected / expected.norm()
        torch.testing.assert_close(moved, clipped, rtol=1e-4, atol=1e-7)
        assert metrics["grad_norm"] == pytest.approx(expected.norm().item())

    def test_a_norm_below_the_limit_is_left_alone(self):
        moves = [
            update(LinearPolicy(), LinearValue(), settings(max_grad_norm=limit))[1]
            for limit in (1e3, math.inf)
        ]
        assert torch.equal(*moves)

    def test_gradients_left_over_are_cleared(self):
        policy, value_fn = LinearPolicy(), LinearValue()
        _, expected = update(copy.deepcopy(policy), copy.deepcopy(value_fn), settings())
        for parameter in (*policy.parameters(), *value_fn.parameters()):
            parameter.grad = torch.full_like(parameter, 1e3)
        _, moved = update(policy, value_fn, settings())
        assert torch.equal(moved, expected)

    def test_the_optimiser_steps_once_and_the_rollout_stays(self):
        steps, data, before = [], rollout(), rollout()
        policy, value_fn = LinearPolicy(), LinearValue()
        optimizer = SGD([*policy.parameters(), *value_fn.parameters()], 1.0)
        optimizer.register_step_post_hook(lambda *_: steps.append(1))
        a2c_update(policy, value_fn, optimizer, data, settings())
        assert len(steps) == 1
        for tensor, old in zip(data, before, strict=True):
            assert torch.equal(tensor, old)
            assert not tensor.requires_grad

    def test_the_explained_variance_is_that_of_the_targets(self):
        config = settings(lambda_=1.0, gamma=0.0)  # the target is the reward
        value_fn, data = LinearValue(), rollout()
        error = data.reward.numpy() - value_fn(data.obs).detach().numpy()
        metrics, _ = update(LinearPolicy(), value_fn, config)
        assert metrics["explained_variance"] == pytest.approx(
            1 - np.var(error) / np.var(data.reward.numpy())
        )


class Corridor(gym.Env):
    """Ends when it leaves (-2, 2); truncated after 4 steps, maybe at the same time.

    It notes what happened, the true successors among it.
    """

    observation_space = spaces.Box(-9, 9, shape=(3,), dtype=np.float32)
    action_space = spaces.Box(-1, 1, shape=(2,), dtype=np.float32)

    def __init__(self):
        self.log = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.obs = self.np_random.normal(size=3).astype(np.float32)
        self.steps = 0
        return self.obs, {}

    def step(self, action):
        before, self.steps = self.obs, self.steps + 1
        drift = np.float32([action[0], action[1], 0.3])
        self.obs = np.clip(before + drift, -9, 9)
        reward = np.float32(before[1] - action[0] ** 2)
        flags = bool(abs(self.obs[0]) > 2), self.steps == 4
        self.log.append((before, reward, *flags, self.obs))
        return self.obs, reward, *flags, {}


NUM_ENVS, NUM_STEPS = 4, 6


class Recorder(BaseCallback):
    """Notes the raw actions of each rollout."""

    def _init_callback(self):
        self.actions = []

    def _on_rollout_end(self):
        self.actions.append(self.model.rollout_buffer.actions.copy())

    def _on_step(self):
        return True


def copy_weights(peer, policy, value_fn):
    """Give the networks of Stable-Baselines3 the weights of ours."""
    layers = peer.mlp_extractor
    with torch.no_grad():
        for theirs, ours in [
            (layers.policy_net[0], policy.mean[0]),
            (peer.action_net, policy.mean[2]),
            (layers.value_net[0], value_fn.value[0]),
            (peer.value_net, value_fn.value[2]),
        ]:
            theirs.load_state_dict(ours.state_dict())
        peer.log_std.copy_(policy.log_std)


def peer_vector(peer):
    """Its parameters in the order of ours."""
    layers = peer.mlp_extractor
    modules = layers.policy_net, peer.action_net, layers.value_net, peer.value_net
    return torch.cat([peer.log_std.detach(), vector(*modules)])


def peer_of(config, optimizer, **arguments):
    """Stable-Baselines3's A2C of 8 hidden units, and its vector environment."""
    env = DummyVecEnv([Corridor] * NUM_ENVS)
    model = A2C(
        "MlpPolicy",
        env,
        learning_rate=LEARNING_RATE,
        n_steps=NUM_STEPS,
        gamma=config.gamma,
        gae_lambda=config.lambda_,
        ent_coef=config.entropy_coef,
        vf_coef=config.value_coef / 2,  # theirs has no one half
        max_grad_norm=config.max_grad_norm,
        policy_kwargs={
            "net_arch": [8],
            "optimizer_class": optimizer,
            "optimizer_kwargs": arguments,
        },
        seed=0,
        device="cpu",
    )
    return model, env


LEARNING_RATE = 0.01
EXACT = {"lambda_": 1.0, "max_grad_norm": math.inf, "entropy_coef": 0.0}


@pytest.mark.parametrize("changes", [EXACT, {"lambda_": 0.8, "max_grad_norm": 0.5}])
@pytest.mark.parametrize("optimizer", [RMSprop, Adam])
def test_three_updates_of_stable_baselines3_on_the_same_rollouts(optimizer, changes):
    """In float32, which is all that Stable-Baselines3 has."""
    generator = torch.Generator().manual_seed(3)
    policy = GaussianPolicy(3, 2, (8,), -0.2, generator=generator)
    value_fn = ValueNetwork(3, (8,), generator=generator)
    config = settings(**changes)
    model, env = peer_of(config, optimizer, eps=1e-5)
    copy_weights(model.policy, policy, value_fn)
    start, recorder = vector(policy, value_fn), Recorder()
    torch.testing.assert_close(peer_vector(model.policy), start, rtol=0, atol=0)
    model.learn(3 * NUM_ENVS * NUM_STEPS, callback=recorder)

    parameters = [*policy.parameters(), *value_fn.parameters()]
    ours = optimizer(parameters, LEARNING_RATE, eps=1e-5)
    columns = [list(zip(*e.log, strict=True)) for e in env.envs]  # [B][5][3 T]
    obs, reward, *flags, next_obs = (
        torch.from_numpy(np.stack(column, axis=1)).split(NUM_STEPS)
        for column in zip(*columns, strict=True)
    )
    assert all(flag.any() for flag in torch.stack([torch.cat(f) for f in flags]))
    for k, action in enumerate(recorder.actions):
        data = Rollout(
            obs[k],
            torch.from_numpy(action),
            reward[k],
            flags[0][k],
            flags[1][k],
            next_obs[k],
        )
        a2c_update(policy, value_fn, ours, data, config)
    moved, theirs = vector(policy, value_fn), peer_vector(model.policy)
    assert (moved - start).abs().max() > 0.01
    torch.testing.assert_close(moved, theirs, rtol=0, atol=1e-6)
