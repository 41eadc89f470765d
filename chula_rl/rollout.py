"""Collecting experience: the only code that steps an environment while training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor, nn

from chula_rl import losses
from chula_rl.errors import UnsupportedEnvError
from chula_rl.types import Episode

BoundedAction = Callable[
    [Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]
]


def action_bounds(env: VectorEnv[Any, Any, Any]) -> tuple[Tensor, Tensor]:
    """The smallest and largest action, each ``[action_dim]``.

    Raises:
        UnsupportedEnvError: the action space is not a ``Box`` of one dimension.
    """
    space = env.single_action_space
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise UnsupportedEnvError(
            f"the action space is {space}; expected a Box of shape (action_dim,). "
            "The algorithms of this course are for continuous actions."
        )
    return torch.as_tensor(space.low), torch.as_tensor(space.high)


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
        UnsupportedEnvError: the environment never resets on its own, or its actions
            are not continuous.
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
