"""DDPG in one file and one loop, in the manner of CleanRL: a peer, not our own.

The structure and the settings are those of CleanRL's ``ddpg_continuous_action.py``,
written anew: one environment, one update a step after the first random steps, two
hidden layers of 256, Gaussian exploration, the actor updated every other time. Nothing
here is used by the algorithms of this package, so that tests can compare them with it.
"""

import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import Adam, Optimizer

from chula_rl.benchmarks.training import Report
from chula_rl.envs import ENV_ID


@dataclass(frozen=True)
class Settings:
    """Those of CleanRL, but for ``learning_starts`` (25,000 there)."""

    learning_rate: float = 3e-4
    buffer_size: int = 1_000_000
    gamma: float = 0.99
    tau: float = 0.005
    batch_size: int = 256
    exploration_noise: float = 0.1
    learning_starts: int = 1_000
    policy_frequency: int = 2


class Actor(nn.Module):
    """``obs [N, obs_dim] -> action [N, A]`` within the bounds."""

    def __init__(self, obs_dim: int, low: Tensor, high: Tensor) -> None:
        super().__init__()
        self.layers = _mlp(obs_dim, len(low))
        self.scale, self.bias = (high - low) / 2, (high + low) / 2

    def forward(self, obs: Tensor) -> Tensor:
        """The action."""
        return torch.tanh(self.layers(obs)) * self.scale + self.bias


class QNetwork(nn.Module):
    """``(obs [N, obs_dim], action [N, A]) -> [N, 1]``."""

    def __init__(self, obs_dim: int, action_dim: int) -> None:
        super().__init__()
        self.layers = _mlp(obs_dim + action_dim, 1)

    def forward(self, obs: Tensor, action: Tensor) -> Any:
        """The value."""
        return self.layers(torch.cat([obs, action], 1))


def _mlp(n_in: int, n_out: int) -> nn.Sequential:
    hidden = (nn.Linear(n_in, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
    return nn.Sequential(*hidden, nn.Linear(256, n_out))


class Networks(NamedTuple):
    """Any actor and critic, with their targets and optimisers."""

    actor: nn.Module
    critic: nn.Module
    target_actor: nn.Module
    target_critic: nn.Module
    actor_optimizer: Optimizer
    critic_optimizer: Optimizer


def update(
    networks: Networks,
    batch: tuple[Tensor, ...],
    gamma: float,
    tau: float,
    with_actor: bool = True,
) -> None:
    """One update of the critic; ``with_actor``, of the actor and both targets too.

    The batch is ``(obs [N, obs_dim], action [N, A], reward [N], terminated [N],
    next_obs [N, obs_dim])``.
    """
    actor, critic, target_actor, target_critic, actor_adam, critic_adam = networks
    obs, action, reward, terminated, next_obs = batch
    with torch.no_grad():
        next_value = target_critic(next_obs, target_actor(next_obs)).view(-1)
        y = reward + (1 - terminated.float()) * gamma * next_value
    critic_adam.zero_grad()
    mse_loss(critic(obs, action).view(-1), y).backward()
    critic_adam.step()
    if not with_actor:
        return
    actor_adam.zero_grad()
    (-critic(obs, actor(obs)).mean()).backward()
    actor_adam.step()
    for online, target in ((actor, target_actor), (critic, target_critic)):
        for fast, slow in zip(online.parameters(), target.parameters(), strict=True):
            slow.data.copy_(tau * fast.data + (1 - tau) * slow.data)


def train(seed: int, total_steps: int, report: Report, s: Settings) -> None:
    """Train for ``total_steps`` or until ``report`` returns False."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    env = gym.make(ENV_ID)
    space: Any = env.action_space
    space.seed(seed)
    obs, _ = env.reset(seed=seed)
    low, high = torch.as_tensor(space.low), torch.as_tensor(space.high)
    actor, critic = Actor(len(obs), low, high), QNetwork(len(obs), len(low))
    networks = Networks(
        *(actor, critic, copy.deepcopy(actor), copy.deepcopy(critic)),
        Adam(actor.parameters(), s.learning_rate),
        Adam(critic.parameters(), s.learning_rate),
    )
    shapes: Any = (obs.shape, space.shape, (), (), obs.shape)
    buffer = [np.zeros((s.buffer_size, *shape), dtype=np.float32) for shape in shapes]
    for step in range(total_steps):
        action = space.sample()
        if step >= s.learning_starts:
            with torch.no_grad():
                mean = actor(torch.as_tensor(obs)[None])[0]
                noisy = torch.normal(mean, actor.scale * s.exploration_noise)
            action = noisy.numpy().clip(space.low, space.high)
        next_obs, reward, terminated, truncated, _ = env.step(action)
        values = (obs, action, reward, terminated, next_obs)
        for column, value in zip(buffer, values, strict=True):
            column[step % s.buffer_size] = value
        obs = env.reset()[0] if terminated or truncated else next_obs
        if step >= s.learning_starts:
            index = rng.integers(min(step + 1, s.buffer_size), size=s.batch_size)
            batch = tuple(torch.as_tensor(column[index]) for column in buffer)
            with_actor = step % s.policy_frequency == 0
            update(networks, batch, s.gamma, s.tau, with_actor)
        if not report(step + 1, actor):
            break
    env.close()
