"""REINFORCE (Williams, 1992) with reward-to-go and an optional learned baseline."""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gymnasium as gym
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, Optimizer

from chula_rl import losses
from chula_rl.diagnostics import clip_fraction, explained_variance, update_norm
from chula_rl.env_stream import action_bounds
from chula_rl.envs import ENV_ID, observation_scale
from chula_rl.losses import gaussian_entropy, gaussian_log_prob, reinforce_loss
from chula_rl.networks import GaussianPolicy, ValueNetwork
from chula_rl.returns import rewards_to_go
from chula_rl.rollout import BoundedAction, collect_episodes
from chula_rl.settings import Published, setting, settings
from chula_rl.training import seeded_generator, set_lr
from chula_rl.types import Episode


@settings
class Config(Published):
    """Settings of REINFORCE."""

    gamma: float = setting(0.998, "discount factor")
    discount_state_distribution: bool = setting(True, "weight step t by ``gamma**t``")
    learned_baseline: bool = setting(True, "subtract a fitted value function", False)
    entropy_coef: float = setting(0.0, "weight of the policy's entropy in the loss")
    num_episodes: int = setting(8, "M, episodes in each update", 1)
    total_steps: int = setting(80_000, "environment steps of the training", 200_000)
    policy_lr: float = setting(1e-2, "rate of the policy", 2e-6)
    value_lr: float = setting(1e-2, "rate of the baseline", 1e-3)
    adam: bool = setting(True, "Adam instead of plain gradient steps", False)
    anneal_lr: bool = setting(True, "both rates fall linearly to 0", False)
    max_grad_norm: float = setting(0.5, "gradients are scaled down to it", math.inf)
    scale_obs: bool = setting(True, "divide observations by their sizes", False)
    value_scale: float = setting(100.0, "the baseline's output is in this unit", 1.0)
    hidden: tuple[int, ...] = setting((32,), "widths of both networks' hidden layers")
    log_std: float = setting(-0.5, "initial logarithm of the policy's deviation")


def reinforce_update(
    policy: nn.Module,
    value_fn: nn.Module | None,
    policy_optimizer: Optimizer,
    value_optimizer: Optimizer | None,
    episodes: list[Episode],
    config: Config,
) -> dict[str, float]:
    r"""One update of policy and baseline, if there is one; gives its diagnostics.

    1. returns :math:`G_t` of every step of every episode
    2. policy step on ``reinforce_loss`` with the baseline :math:`V_\phi(s_t)` as it was
       before this update, minus ``entropy_coef`` times the mean entropy
    3. baseline step on :math:`\frac{1}{2N}\sum_n (V_\phi(s_n) - G_n)^2`

    Before each step that network's gradient norm is clipped at ``max_grad_norm``.

    Args:
        policy: ``policy(obs) -> (mean, log_std)``.
        value_fn: ``value_fn(obs) -> [N]``, or None for no baseline.
        policy_optimizer: over the parameters of ``policy``.
        value_optimizer: over those of ``value_fn``, or None.
        episodes: M episodes sampled with ``policy`` as it is.
        config: of it also ``gamma`` and ``discount_state_distribution`` are used.

    Source: Sutton and Barto (2018), section 13.4, with a batch of episodes.
    """
    ### BEGIN SOLUTION
    obs = torch.cat([e.obs for e in episodes])  # [N, obs_dim]
    action = torch.cat([e.action for e in episodes])  # [N, A]
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])  # [N]
    value = torch.zeros_like(return_) if value_fn is None else value_fn(obs)
    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    entropy = gaussian_entropy(log_std).mean()
    gamma = config.gamma if config.discount_state_distribution else 1.0
    sample = log_prob, return_, value.detach(), timestep
    policy_loss = reinforce_loss(*sample, len(episodes), gamma)
    policy_optimizer.zero_grad()
    (policy_loss - config.entropy_coef * entropy).backward()
    policy_grad_norm = clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()
    value_loss = 0.5 * (value - return_).square().mean()
    if value_fn is not None and value_optimizer is not None:
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()
    return {
        "policy_loss": policy_loss.item(),
        "value_loss": value_loss.item(),
        "entropy": entropy.item(),
        "policy_grad_norm": policy_grad_norm.item(),
        "explained_variance": explained_variance(value.detach(), return_),
    }
    ### END SOLUTION


@dataclass
class TrainState:
    """All that a training run consists of; equal states go on equally."""

    config: Config
    seed: int
    env_id: str
    policy: GaussianPolicy
    value_fn: ValueNetwork | None
    policy_optimizer: Optimizer
    value_optimizer: Optimizer | None
    steps: int = 0
    updates: int = 0


def init(
    config: Config | None = None, seed: int = 0, env_id: str = ENV_ID
) -> TrainState:
    """The state at the start of a training run."""
    c = config or Config()
    with contextlib.closing(gym.make_vec(env_id, num_envs=1)) as env:
        low, sizes = action_bounds(env)[0], observation_scale(env)
    scale = sizes if c.scale_obs else None
    make: Callable[..., Optimizer] = Adam if c.adam else SGD
    generator = seeded_generator(seed, 0)
    policy = GaussianPolicy(len(sizes), len(low), c.hidden, c.log_std, scale, generator)
    value_fn, value_optimizer = None, None
    if c.learned_baseline:
        value_fn = ValueNetwork(len(sizes), c.hidden, scale, c.value_scale, generator)
        value_optimizer = make(value_fn.parameters(), c.value_lr)
    optimizers = make(policy.parameters(), c.policy_lr), value_optimizer
    return TrainState(c, seed, env_id, policy, value_fn, *optimizers)


def train(
    state: TrainState,
    update: Callable[..., dict[str, float] | None] = reinforce_update,
    bounded_action: BoundedAction = losses.bounded_action,
) -> Iterator[dict[str, float]]:
    """Train until ``total_steps``; a generator that pauses after each update.

    Changes the state; yields ``steps`` so far, ``return`` and ``length`` (means of the
    batch), what ``update`` returned, and more of ``diagnostics``. The functions may be
    others with the same arguments.

    Example:
        >>> next(train(init(seed=1)))["steps"] > 0
        True
    """
    c, policy = state.config, state.policy
    optimizers = state.policy_optimizer, state.value_optimizer
    with contextlib.closing(gym.make_vec(state.env_id, c.num_episodes)) as env:
        low, high = action_bounds(env)
        while state.steps < c.total_steps:
            remaining = 1 - state.steps / c.total_steps if c.anneal_lr else 1.0
            set_lr(state.policy_optimizer, c.policy_lr * remaining)
            if state.value_optimizer is not None:
                set_lr(state.value_optimizer, c.value_lr * remaining)
            generator = seeded_generator(state.seed, state.updates + 1)
            before = [p.detach().clone() for p in policy.parameters()]
            batch = collect_episodes(env, policy, generator, bounded_action)
            metrics = update(policy, state.value_fn, *optimizers, batch, c)
            action = torch.cat([e.action for e in batch])  # [N, A]
            state.steps += len(action)
            state.updates += 1
            yield {
                "steps": state.steps,
                "return": torch.stack([e.reward.sum() for e in batch]).mean().item(),
                "length": len(action) / len(batch),
                **(metrics or {}),
                "update_norm": update_norm(before, policy.parameters()),
                "clip_fraction": clip_fraction(action, low, high),
            }
