"""Collecting experience: the only code that steps an environment while training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor, nn

from chula_rl import losses, returns
from chula_rl.env_stream import EnvStream, Step, action_bounds
from chula_rl.errors import UnsupportedEnvError
from chula_rl.types import Episode, FloatArray, Rollout, Transition

BoundedAction = Callable[
    [Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]
]
SuccessorObs = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
ExploratoryAction = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

MAX_EPISODE_STEPS = 100_000  # beyond it an episode is taken to have no end


def collect_episodes(
    env: VectorEnv[Any, Any, Any],
    policy: nn.Module,
    generator: torch.Generator,
    bounded_action: BoundedAction = losses.bounded_action,
) -> list[Episode]:
    """Play one whole episode in each of the B environments.

    Args:
        env: B environments. Rows after the end of their episode are left out, so that
            ``NEXT_STEP`` and ``SAME_STEP`` automatic resets both do.
        policy: maps ``obs [B, obs_dim]`` to ``(mean, log_std)``, both ``[B, A]``.
        generator: source of the starts (by a seed drawn from it) and of the actions.
        bounded_action: how to sample and clip; see ``losses.bounded_action``.

    Returns:
        B episodes, with the raw actions.

    Raises:
        UnsupportedEnvError: the environment never resets on its own, has an episode
            without end, gives rewards that are not finite, or its actions are not
            continuous.
    """
    if env.metadata.get("autoreset_mode") is AutoresetMode.DISABLED:
        raise UnsupportedEnvError(
            "autoreset is off, so the environments cannot go on until the last episode "
            "ends; make them with autoreset_mode NEXT_STEP or SAME_STEP."
        )
    low, high = action_bounds(env)
    seed = int(torch.randint(2**31, (), generator=generator))
    obs, _ = env.reset(seed=seed)
    steps: list[tuple[Tensor, Tensor, Tensor]] = []
    length = np.zeros(env.num_envs, dtype=np.int64)
    terminated = np.zeros(env.num_envs, dtype=np.bool_)
    truncated = np.zeros(env.num_envs, dtype=np.bool_)
    while not (terminated | truncated).all():
        obs_tensor = torch.tensor(obs, dtype=torch.float32)  # envs may reuse obs
        with torch.no_grad():
            mean, log_std = policy(obs_tensor)
            noise = torch.randn(mean.shape, generator=generator)
            env_action, action = bounded_action(mean, log_std, noise, low, high)
        alive = ~(terminated | truncated)
        obs, reward, ended, cut, _ = env.step(env_action.numpy())
        steps.append((obs_tensor, action, torch.tensor(reward, dtype=torch.float32)))
        if not np.isfinite(reward[alive]).all() or len(steps) > MAX_EPISODE_STEPS:
            _refuse_episodes(len(steps), reward)
        length += alive
        terminated |= alive & ended
        truncated |= alive & cut
    obs_all, action_all, reward_all = map(torch.stack, zip(*steps, strict=True))
    return [
        Episode(
            obs=obs_all[:t, b],
            action=action_all[:t, b],
            reward=reward_all[:t, b],
            terminated=bool(terminated[b]),
            truncated=bool(truncated[b]),
        )
        for b, t in enumerate(length)
    ]


def collect_rollout(
    stream: EnvStream,
    policy: nn.Module,
    num_steps: int,
    generator: torch.Generator,
    bounded_action: BoundedAction = losses.bounded_action,
    successor_obs: SuccessorObs = returns.successor_obs,
) -> Rollout:
    """Take T steps in each of the B environments of a stream.

    Args:
        stream: where it goes on.
        policy: maps ``obs [B, obs_dim]`` to ``(mean, log_std)``, both ``[B, A]``.
        num_steps: T.
        generator: source of the actions.
        bounded_action: how to sample and clip; see ``losses.bounded_action``.
        successor_obs: how to see through resets; see ``returns.successor_obs``.

    Returns:
        The rollout, with the raw actions.
    """
    noise = torch.randn(
        num_steps, stream.num_envs, stream.action_dim, generator=generator
    )
    obs, action, steps = [], [], []
    for t in range(num_steps):
        with torch.no_grad():
            mean, log_std = policy(stream.obs)
            env_action, raw_action = bounded_action(
                mean, log_std, noise[t], stream.low, stream.high
            )
        obs.append(stream.obs)
        action.append(raw_action)
        steps.append(stream.step(env_action))
    return _rollout(obs, action, steps, successor_obs)


def _rollout(
    obs: list[Tensor],
    action: list[Tensor],
    steps: list[Step],
    successor_obs: SuccessorObs,
) -> Rollout:
    """Put T steps together."""
    reward, terminated, truncated, next_obs, final_obs = (
        torch.from_numpy(np.stack(column)) for column in zip(*steps, strict=True)
    )
    successor = successor_obs(  # each step of each environment is a row
        next_obs.float().flatten(0, 1),
        final_obs.float().flatten(0, 1),
        terminated.flatten(),
        truncated.flatten(),
    )
    return Rollout(
        torch.stack(obs),
        torch.stack(action),
        reward.float(),
        terminated,
        truncated,
        successor.view(*next_obs.shape),
    )


def noisy_step(
    stream: EnvStream,
    actor: nn.Module,
    noise: Tensor,
    exploratory_action: ExploratoryAction = losses.exploratory_action,
    successor_obs: SuccessorObs = returns.successor_obs,
) -> Transition:
    """Take one step in each of the B environments of a stream, with noise.

    Args:
        stream: where it goes on.
        actor: maps ``obs [B, obs_dim]`` to an action ``[B, A]``.
        noise: ``[B, A]``, in half ranges of the action.
        exploratory_action: see ``losses.exploratory_action``.
        successor_obs: how to see through resets; see ``returns.successor_obs``.

    Returns:
        B steps, with the actions as the environments got them.
    """
    obs, scaled = stream.obs, noise * stream.half_range
    with torch.no_grad():
        action = exploratory_action(actor(obs), scaled, stream.low, stream.high)
    step = stream.step(action)
    rollout = _rollout([obs], [action], [step], successor_obs)
    return Transition(*(column[0] for column in rollout))


def _refuse_episodes(step: int, reward: FloatArray) -> None:
    if np.isfinite(reward).all():
        raise UnsupportedEnvError(
            f"an episode has not ended after {step:,} steps, and whole episodes are "
            "needed here. Register the environment with max_episode_steps, or use an "
            "algorithm that learns from parts of episodes: a2c, ddpg."
        )
    raise UnsupportedEnvError(
        f"step {step} gave the rewards {reward.tolist()}; expected finite numbers."
    )
