"""REINFORCE (Williams, 1992) with reward-to-go and an optional learned baseline."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam, Optimizer

from chula_rl import losses
from chula_rl.envs import ENV_ID, observation_scale
from chula_rl.errors import ConfigError
from chula_rl.losses import gaussian_entropy, gaussian_log_prob, reinforce_loss
from chula_rl.networks import GaussianPolicy, ValueNetwork
from chula_rl.returns import rewards_to_go
from chula_rl.rollout import BoundedAction, action_bounds, collect_episodes
from chula_rl.types import Episode


@dataclass(frozen=True)
class Config:
    """Settings of REINFORCE.

    Attributes:
        gamma: discount factor.
        discount_state_distribution: weight the score at step t by ``gamma**t``, as the
            policy gradient theorem has it; False drops the factor, as most published
            code does.
        learned_baseline: subtract a value function fitted to the returns; False
            subtracts nothing.
        entropy_coef: weight of the policy's entropy in the loss.
        num_episodes: M, episodes in each update.
        total_steps: environment steps of the whole training.
        policy_lr: Adam's rate for the policy, falling linearly to 0 at total_steps.
        value_lr: Adam's rate for the baseline, falling likewise.
        max_grad_norm: gradients are scaled down to at most this norm.
        hidden: widths of the hidden layers of both networks.
        log_std: initial logarithm of the policy's standard deviation.
        value_scale: typical size of a return; the baseline's output is in this unit.
    """

    gamma: float = 0.998
    discount_state_distribution: bool = True
    learned_baseline: bool = True
    entropy_coef: float = 0.0
    num_episodes: int = 8
    total_steps: int = 80_000
    policy_lr: float = 1e-2
    value_lr: float = 1e-2
    max_grad_norm: float = 0.5
    hidden: tuple[int, ...] = (32,)
    log_std: float = -0.5
    value_scale: float = 100.0

    def __post_init__(self) -> None:
        if not 0 <= self.gamma <= 1:
            raise ConfigError(f"gamma is {self.gamma}; expected a number in [0, 1].")
        positive = ("num_episodes", "total_steps", "policy_lr", "value_lr")
        for name in (*positive, "max_grad_norm", "value_scale"):
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; expected more than 0."
                )


def reinforce_update(
    policy: nn.Module,
    value_fn: nn.Module | None,
    policy_optimizer: Optimizer,
    value_optimizer: Optimizer | None,
    episodes: list[Episode],
    config: Config,
) -> dict[str, float]:
    r"""One update of the policy, and of the baseline if there is one.

    1. returns :math:`G_t` of every step of every episode
    2. policy step on ``reinforce_loss`` with the baseline :math:`V_\phi(s_t)` as it was
       before this update, minus ``entropy_coef`` times the mean entropy
    3. baseline step on :math:`\frac{1}{2N}\sum_n (V_\phi(s_n) - G_n)^2`

    Before each step the gradient norm of that network is clipped at
    ``config.max_grad_norm``.

    Args:
        policy: ``policy(obs) -> (mean, log_std)``.
        value_fn: ``value_fn(obs) -> [N]``, or None for no baseline.
        policy_optimizer: over the parameters of ``policy``.
        value_optimizer: over those of ``value_fn``, or None.
        episodes: M episodes sampled with ``policy`` as it is.
        config: ``gamma``, ``discount_state_distribution``, ``entropy_coef`` and
            ``max_grad_norm`` are used.

    Returns:
        Diagnostics of the update, as plain floats.

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
    policy_loss = reinforce_loss(
        log_prob, return_, value.detach(), timestep, len(episodes), gamma
    )
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

    unexplained = (return_ - value).var(correction=0) / return_.var(correction=0)
    return {
        "policy_loss": policy_loss.item(),
        "value_loss": value_loss.item(),
        "entropy": entropy.item(),
        "policy_grad_norm": policy_grad_norm.item(),
        "explained_variance": 1 - unexplained.item(),
    }
    ### END SOLUTION


@dataclass
class TrainState:
    """All that a training run consists of; equal states go on equally.

    The randomness of update k is seeded by ``(seed, k)``: no generator is part of it.

    Attributes:
        config: the settings.
        seed: of the initial weights, the environments and the actions.
        env_id: a registered environment with continuous actions.
        policy: the policy.
        value_fn: the learned baseline, or None.
        policy_optimizer: Adam over the policy.
        value_optimizer: Adam over the baseline, or None.
        steps: environment steps so far.
        updates: updates so far.
    """

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
    config = config or Config()
    env = gym.make_vec(env_id, num_envs=1)
    low, _ = action_bounds(env)
    scale = observation_scale(env)
    env.close()
    generator = _generator(seed, 0)
    policy = GaussianPolicy(
        len(scale), len(low), config.hidden, config.log_std, scale, generator
    )
    value_fn, value_optimizer = None, None
    if config.learned_baseline:
        value_fn = ValueNetwork(
            len(scale), config.hidden, scale, config.value_scale, generator
        )
        value_optimizer = Adam(value_fn.parameters(), config.value_lr)
    policy_optimizer = Adam(policy.parameters(), config.policy_lr)
    return TrainState(
        config, seed, env_id, policy, value_fn, policy_optimizer, value_optimizer
    )


def train(
    state: TrainState,
    update: Callable[..., dict[str, float] | None] = reinforce_update,
    bounded_action: BoundedAction = losses.bounded_action,
) -> Iterator[dict[str, float]]:
    """Train until ``config.total_steps``; a generator that pauses after each update.

    Args:
        state: from ``init``, or restored from a checkpoint; changed in place.
        update: ``reinforce_update`` or one with the same arguments.
        bounded_action: ``losses.bounded_action`` or one with the same arguments.

    Yields:
        The metrics of each update: ``steps`` so far, ``return`` and ``length`` (means
        of the batch) and what ``update`` returned.

    Example:
        >>> state = init(Config(total_steps=200), seed=1)
        >>> [metrics["steps"] > 0 for metrics in train(state)][:1]
        [True]
    """
    config = state.config
    env = gym.make_vec(state.env_id, num_envs=config.num_episodes)
    try:
        while state.steps < config.total_steps:
            remaining = 1 - state.steps / config.total_steps
            _set_lr(state.policy_optimizer, config.policy_lr * remaining)
            _set_lr(state.value_optimizer, config.value_lr * remaining)
            generator = _generator(state.seed, state.updates + 1)
            episodes = collect_episodes(env, state.policy, generator, bounded_action)
            metrics = update(
                state.policy,
                state.value_fn,
                state.policy_optimizer,
                state.value_optimizer,
                episodes,
                config,
            )
            state.steps += sum(len(e.reward) for e in episodes)
            state.updates += 1
            returns = torch.stack([e.reward.sum() for e in episodes])
            yield {
                "steps": state.steps,
                "return": returns.mean().item(),
                "length": sum(len(e.reward) for e in episodes) / len(episodes),
                **(metrics or {}),
            }
    finally:
        env.close()


def _set_lr(optimizer: Optimizer | None, lr: float) -> None:
    for group in optimizer.param_groups if optimizer else []:
        group["lr"] = lr


def _generator(seed: int, update: int) -> torch.Generator:
    """A generator for one update; streams of different pairs are independent."""
    mixed = np.random.SeedSequence([seed, update]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed) >> 1)
