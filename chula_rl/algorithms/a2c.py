"""Advantage actor-critic, A2C: the algorithm of Mnih et al. (2016), synchronous."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam, Optimizer, RMSprop

from chula_rl import losses, returns
from chula_rl.diagnostics import clip_fraction, explained_variance, update_norm
from chula_rl.env_stream import EnvStream
from chula_rl.envs import ENV_ID
from chula_rl.losses import a2c_loss, gaussian_entropy, gaussian_log_prob
from chula_rl.networks import GaussianPolicy, ValueNetwork
from chula_rl.returns import gae
from chula_rl.rollout import BoundedAction, SuccessorObs, collect_rollout
from chula_rl.settings import Published, setting, settings
from chula_rl.training import seeded_generator, set_lr
from chula_rl.types import Rollout


@settings
class Config(Published):
    """Settings of A2C."""

    gamma: float = setting(0.985, "discount factor")
    lambda_: float = setting(0.7, "of the advantage estimate", paper=1.0)
    num_envs: int = setting(32, "B, environments side by side", 16)
    num_steps: int = setting(8, "T, steps of each environment in each update")
    total_steps: int = setting(40_000, "environment steps of the whole training")
    policy_lr: float = setting(1e-2, "rate of the policy, falling linearly to 0", 3e-3)
    value_lr: float = setting(0.15, "rate of the value, falling likewise", 3e-3)
    value_coef: float = setting(0.5, "weight of the value error in the loss")
    entropy_coef: float = setting(0.0, "weight of the entropy in the loss", 1e-4)
    max_grad_norm: float = setting(0.5, "joint gradients are scaled to it", math.inf)
    adam: bool = setting(True, "Adam instead of RMSProp", False)
    bootstrap_at_truncation: bool = setting(True, "a time limit ends no value", False)
    scale_obs: bool = setting(True, "divide observations by their sizes", False)
    value_scale: float = setting(10.0, "typical value, the network's unit", 1.0)
    hidden: tuple[int, ...] = setting((32,), "widths of both networks' hidden layers")
    log_std: float = setting(0.3, "initial logarithm of the policy's deviation")


def a2c_update(
    policy: nn.Module,
    value_fn: nn.Module,
    optimizer: Optimizer,
    rollout: Rollout,
    config: Config,
) -> dict[str, float]:
    r"""One update of policy and value together; gives its diagnostics.

    1. :math:`V(s_t)`, and as a constant :math:`V(s_{t+1})` of the true successor
    2. advantages by ``gae`` and targets :math:`y_t = A_t + V(s_t)`, both constants
    3. one step on ``a2c_loss``, the joint gradient norm clipped

    Args:
        policy: ``policy(obs) -> (mean, log_std)``.
        value_fn: ``value_fn(obs) -> [...]``.
        optimizer: over the parameters of both.
        rollout: ``[T, B]``, sampled with ``policy`` as it is.
        config: the settings.

    Source: Mnih et al. (2016), algorithm S3; Schulman et al. (2016), equation 16.
    """
    ### BEGIN SOLUTION
    obs, action, reward, terminated, truncated, next_obs = rollout
    if not config.bootstrap_at_truncation:
        terminated = terminated | truncated
    value = value_fn(obs)  # [T, B]
    with torch.no_grad():
        values = value, value_fn(next_obs)
        decay = config.gamma, config.lambda_
        target = gae(reward, terminated, truncated, *values, *decay) + value
    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    entropy = gaussian_entropy(log_std)
    weights = config.value_coef, config.entropy_coef
    loss = a2c_loss(log_prob, entropy, value, target, *weights)
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    grad_norm = clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()
    return {
        "loss": loss.item(),
        "entropy": entropy.mean().item(),
        "grad_norm": grad_norm.item(),
        "explained_variance": explained_variance(value.detach(), target),
    }
    ### END SOLUTION


@dataclass
class TrainState:
    """All that a training run consists of; equal states go on equally."""

    config: Config
    seed: int
    env_id: str
    policy: GaussianPolicy
    value_fn: ValueNetwork
    optimizer: Optimizer
    stream: EnvStream
    steps: int = 0
    updates: int = 0


def init(
    config: Config | None = None, seed: int = 0, env_id: str = ENV_ID
) -> TrainState:
    """The state at the start of a training run."""
    c = config or Config()
    stream = EnvStream(env_id, c.num_envs, seed)
    scale = stream.obs_scale if c.scale_obs else None
    sizes = stream.obs_dim, stream.action_dim
    generator = seeded_generator(seed, 0)
    policy = GaussianPolicy(*sizes, c.hidden, c.log_std, scale, generator)
    value_fn = ValueNetwork(sizes[0], c.hidden, scale, c.value_scale, generator)
    groups = [{"params": [*net.parameters()]} for net in (policy, value_fn)]
    optimizer = Adam(groups, fused=True) if c.adam else RMSprop(groups, eps=1e-5)
    return TrainState(c, seed, env_id, policy, value_fn, optimizer, stream)


def train(
    state: TrainState,
    update: Callable[..., dict[str, float] | None] = a2c_update,
    bounded_action: BoundedAction = losses.bounded_action,
    successor_obs: SuccessorObs = returns.successor_obs,
) -> Iterator[dict[str, float]]:
    """Train until ``total_steps``; a generator that pauses after each update.

    Changes the state, and yields ``steps`` so far, ``return`` and ``length`` (means of
    the last 100 episodes), what ``update`` returned, and more of ``diagnostics``. The
    three functions may be others with the same arguments.
    """
    c, stream = state.config, state.stream
    while state.steps < c.total_steps:
        remaining = 1 - state.steps / c.total_steps
        set_lr(state.optimizer, c.policy_lr * remaining, c.value_lr * remaining)
        generator = seeded_generator(state.seed, state.updates + 1)
        before = [p.detach().clone() for p in state.policy.parameters()]
        rollout = collect_rollout(
            stream, state.policy, c.num_steps, generator, bounded_action, successor_obs
        )
        metrics = update(state.policy, state.value_fn, state.optimizer, rollout, c)
        state.steps += rollout.reward.numel()
        state.updates += 1
        yield {
            "steps": state.steps,
            **stream.recent(),
            **(metrics or {}),
            "update_norm": update_norm(before, state.policy.parameters()),
            "clip_fraction": clip_fraction(rollout.action, stream.low, stream.high),
        }
