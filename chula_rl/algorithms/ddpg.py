"""Deep deterministic policy gradient, DDPG (Lillicrap et al., 2015)."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from chula_rl import losses, returns
from chula_rl.diagnostics import clip_fraction
from chula_rl.env_stream import EnvStream
from chula_rl.envs import ENV_ID
from chula_rl.losses import actor_loss, critic_loss
from chula_rl.networks import DeterministicPolicy, QNetwork, soft_update
from chula_rl.replay import ReplayBuffer
from chula_rl.returns import td_target
from chula_rl.rollout import ExploratoryAction, SuccessorObs, noisy_step
from chula_rl.settings import Published, setting, settings
from chula_rl.training import seeded_generator, set_lr
from chula_rl.types import Transition

METRICS = ("critic_loss", "actor_loss", "q")  # of an update


@settings
class Config(Published):
    """Settings of DDPG; published without batch normalisation, one of its variants."""

    gamma: float = setting(0.99, "discount factor")
    num_envs: int = setting(16, "B, environments side by side", 1)
    num_updates: int = setting(2, "updates after each step of the B environments", 1)
    total_steps: int = setting(40_000, "environment steps of the training", 100_000)
    random_steps: int = setting(500, "steps before the first update", 64)
    capacity: int = setting(100_000, "steps that the buffer holds", 1_000_000)
    batch_size: int = setting(512, "steps in each update", 64)
    actor_lr: float = setting(1e-3, "Adam's rate for the actor", 1e-4)
    critic_lr: float = setting(5e-3, "Adam's rate for the critic", 1e-3)
    anneal_lr: bool = setting(True, "both rates fall linearly to 0", False)
    weight_decay: float = setting(1e-3, "penalty of the critic's weights", 0.01)
    tau: float = setting(0.1, "how far the targets follow in an update", 0.001)
    noise_std: float = setting(1.3, "of the noise, in half ranges of the action", 0.2)
    noise_theta: float = setting(1.0, "forgetting of the noise: 1 is white", 0.15)
    bootstrap_at_truncation: bool = setting(True, "a time limit ends no value", False)
    scale_obs: bool = setting(True, "divide inputs by their typical sizes", False)
    value_scale: float = setting(10.0, "typical value, the critic's unit", 1.0)
    layer_norm: bool = setting(True, "normalise the critic's hidden layers", False)
    hidden: tuple[int, ...] = setting((32,), "widths of hidden layers", (400, 300))


@dataclass
class Agent:
    """What an update changes: the actor, the critic, their targets and optimisers."""

    actor: nn.Module
    critic: nn.Module
    target_actor: nn.Module
    target_critic: nn.Module
    actor_optimizer: Optimizer
    critic_optimizer: Optimizer


def ddpg_update(agent: Agent, batch: Transition, config: Config) -> dict[str, float]:
    r"""One update of all four networks; gives its diagnostics.

    1. critic step on ``critic_loss``, its ``td_target`` from both target networks
    2. actor step on ``actor_loss`` with the critic just updated, which stays as it is
    3. ``soft_update`` of both target networks

    Args:
        agent: with ``actor(obs) -> [N, A]`` and ``critic(obs, action) -> [N]``.
        batch: N steps from the replay buffer.
        config: the settings.

    Source: Lillicrap et al. (2015), algorithm 1.
    """
    ### BEGIN SOLUTION
    obs, action, reward, terminated, truncated, next_obs = batch
    if not config.bootstrap_at_truncation:
        terminated = terminated | truncated
    with torch.no_grad():
        next_q = agent.target_critic(next_obs, agent.target_actor(next_obs))
    target = td_target(reward, terminated, next_q, config.gamma)
    q = agent.critic(obs, action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()
    loss = actor_loss(agent.actor, agent.critic, obs)
    agent.actor_optimizer.zero_grad()
    loss.backward(inputs=[*agent.actor.parameters()])
    agent.actor_optimizer.step()
    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    values = q_loss.item(), loss.item(), q.mean().item()
    return dict(zip(METRICS, values, strict=True))
    ### END SOLUTION


@dataclass
class TrainState(Agent):
    """All that a training run consists of; equal states go on equally."""

    config: Config
    seed: int
    env_id: str
    stream: EnvStream
    buffer: ReplayBuffer
    noise: Tensor  # [B, A], of the last step
    steps: int = 0
    updates: int = 0

    @property
    def policy(self) -> nn.Module:
        """The actor."""
        return self.actor


def init(
    config: Config | None = None,
    seed: int = 0,
    env_id: str = ENV_ID,
    make_buffer: Callable[..., ReplayBuffer] = ReplayBuffer,
) -> TrainState:
    """The state at the start of a training run."""
    c = config or Config()
    stream = EnvStream(env_id, c.num_envs, seed)
    low, high, generator = stream.low, stream.high, seeded_generator(seed, 0)
    scale = int(c.scale_obs)  # a power: 0 makes all sizes 1
    scales = stream.obs_scale**scale, stream.half_range.numpy() ** scale
    sizes = stream.obs_dim, stream.action_dim
    actor = DeterministicPolicy(sizes[0], low, high, c.hidden, scales[0], generator)
    critic = QNetwork(*sizes, c.hidden, *scales, c.value_scale, c.layer_norm, generator)
    networks = actor, critic, *copy.deepcopy((actor, critic))
    actor_adam = Adam(actor.parameters(), fused=True)
    critic_adam = Adam(critic.parameters(), weight_decay=c.weight_decay, fused=True)
    buffer = make_buffer(c.capacity, *sizes, seed)
    noise = torch.zeros(c.num_envs, stream.action_dim)
    adams = actor_adam, critic_adam
    return TrainState(*networks, *adams, c, seed, env_id, stream, buffer, noise)


def train(
    state: TrainState,
    update: Callable[..., dict[str, float] | None] = ddpg_update,
    exploratory_action: ExploratoryAction = losses.exploratory_action,
    successor_obs: SuccessorObs = returns.successor_obs,
) -> Iterator[dict[str, float]]:
    """Train until ``total_steps``; pauses after each step and the updates it brings.

    Changes the state, and yields ``steps`` so far, ``return`` and ``length`` (means of
    the last 100 episodes), and what the last ``update`` returned. The three functions
    may be others with the same arguments.
    """
    c, stream = state.config, state.stream
    while state.steps < c.total_steps:
        remaining = 1 - state.steps / c.total_steps if c.anneal_lr else 1.0
        set_lr(state.actor_optimizer, c.actor_lr * remaining)
        set_lr(state.critic_optimizer, c.critic_lr * remaining)
        generator = seeded_generator(state.seed, state.updates + 1)
        noise = c.noise_std * torch.randn(state.noise.shape, generator=generator)
        state.noise = (1 - c.noise_theta) * state.noise + noise
        step = noisy_step(
            stream, state.actor, state.noise, exploratory_action, successor_obs
        )
        state.buffer.add(*step)
        state.noise[step.terminated | step.truncated] = 0.0
        state.steps += c.num_envs
        state.updates += 1
        metrics = dict.fromkeys(METRICS, math.nan)
        if state.steps >= c.random_steps:
            for _ in range(c.num_updates):
                metrics |= update(state, state.buffer.sample(c.batch_size), c) or {}
        metrics["clip_fraction"] = clip_fraction(step.action, stream.low, stream.high)
        yield {"steps": state.steps, **stream.recent(), **metrics}
