"""How good a policy is, and how that changes as it learns."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from chula_rl.env_stream import action_bounds
from chula_rl.envs import ENV_ID, SOLVED_RETURN
from chula_rl.errors import ConfigError, ShapeError, UnsupportedEnvError
from chula_rl.types import FloatArray

EVALUATION_SEED = 10_000_019  # added to a run's seed: starts that training never sees


class Evaluation(NamedTuple):
    """Returns and lengths of the evaluation episodes, each ``[num_episodes]``."""

    return_: FloatArray
    length: FloatArray

    @property
    def mean_return(self) -> float:
        """Mean undiscounted return."""
        return float(self.return_.mean())

    @property
    def solved(self) -> bool:
        """Whether the mean return is at least 475."""
        return self.mean_return >= SOLVED_RETURN


def evaluate(
    policy: Callable[[Tensor], Any],
    env_id: str = ENV_ID,
    num_episodes: int = 100,
    seed: int = 0,
    max_steps: int = 100_000,
    **env_kwargs: Any,
) -> Evaluation:
    """Play the mean action of a policy for a number of episodes, all at once.

    Args:
        policy: as in ``mean_action``.
        env_id: a registered environment with continuous actions.
        num_episodes: how many episodes, each in an environment of its own.
        seed: of the starts; use seeds that training does not see.
        max_steps: of an episode, after which the environment is taken never to end.
        env_kwargs: passed on to ``gymnasium.make_vec``.

    Returns:
        The undiscounted return and the length of each episode.

    Raises:
        ConfigError: ``num_episodes`` or ``max_steps`` is less than 1.
        ShapeError: the policy's action has not the shape that the environment takes.
        UnsupportedEnvError: the actions are not continuous, a reward is not finite, or
            an episode does not end within ``max_steps``.
    """
    for name, value in [("num_episodes", num_episodes), ("max_steps", max_steps)]:
        if value < 1:
            raise ConfigError(f"{name} is {value}; expected at least 1.")
    env = gym.make_vec(env_id, num_envs=num_episodes, **env_kwargs)
    return_, length = np.zeros(num_episodes), np.zeros(num_episodes)
    alive = np.ones(num_episodes, dtype=np.bool_)
    with contextlib.closing(env):
        low, high = action_bounds(env)
        obs, _ = env.reset(seed=seed)
        for step in range(1, max_steps + 1):
            action = mean_action(policy, obs, low, high)
            obs, reward, terminated, truncated, _ = env.step(action)
            _check_reward(reward[alive], step, env_id)
            return_[alive] += reward[alive]
            length += alive
            alive &= ~(terminated | truncated)
            if not alive.any():
                return Evaluation(return_, length)
    raise UnsupportedEnvError(
        f"{alive.sum()} of {num_episodes} episodes of {env_id} did not end within "
        f"{max_steps:,} steps; expected each to end. Give it a time limit: register it "
        "with max_episode_steps, or wrap it in gymnasium.wrappers.TimeLimit."
    )


def _check_reward(reward: FloatArray, step: int, env_id: str) -> None:
    """Refuse what would make the return of an episode mean nothing."""
    finite = np.isfinite(reward)
    if not finite.all():
        raise UnsupportedEnvError(
            f"{env_id} gave the reward {reward[~finite][0]} at step {step}; expected a "
            "finite number. Look for NaN in its physics and in the policy's parameters."
        )


def mean_action(
    policy: Callable[[Tensor], Any], obs: FloatArray, low: Tensor, high: Tensor
) -> FloatArray:
    """What the policy does without noise, clipped for the environment.

    Args:
        policy: a module, or another function of ``obs [B, obs_dim]``, that returns
            ``(mean, log_std)``, both ``[B, A]``, or the action alone, ``[B, A]``.
        obs: ``[B, obs_dim]``.
        low: ``[A]``, the smallest action that the environment takes.
        high: ``[A]``, the largest.

    Returns:
        ``[B, A]``.

    Raises:
        ShapeError: the mean or action has another shape.
    """
    with torch.inference_mode():
        output = policy(torch.as_tensor(obs, dtype=torch.float32))
        mean = output[0] if isinstance(output, tuple) else output
        if mean.shape != (len(obs), len(low)):
            raise ShapeError(
                f"the policy's action has shape {tuple(mean.shape)}; expected "
                f"{(len(obs), len(low))}, one row for each observation."
            )
        action: FloatArray = torch.minimum(torch.maximum(mean, low), high).numpy()
    return action


class TrainingScores(NamedTuple):
    """Mean evaluation returns during training.

    Attributes:
        steps: ``[K]``, environment steps of each evaluation.
        return_: ``[num_seeds, K]``, mean return of the mean policy.
    """

    steps: FloatArray
    return_: FloatArray


class TrainState(Protocol):
    """What every algorithm's state of training has in common."""

    steps: int
    updates: int
    seed: int
    env_id: str
    policy: nn.Module
    config: Any


State = TypeVar("State", bound=TrainState)


def training_scores(
    init: Callable[[int], State],
    train: Callable[[State], Iterable[object]],
    seeds: Iterable[int],
    every: int = 2_500,
    num_episodes: int = 100,
) -> TrainingScores:
    """Train once for each seed and evaluate the policy as it learns.

    Args:
        init: from a seed to the state at the start of training.
        train: goes on with a state, pausing after each update.
        seeds: one training run each.
        every: environment steps between evaluations; a run is evaluated after the first
            update that reaches each multiple, and at its end.
        num_episodes: of each evaluation, with starts that training does not see.

    Returns:
        The scores, one row for each seed.
    """
    rows = []
    for seed in tqdm(list(seeds), desc="seeds", unit="seed"):
        state = init(seed)
        row: list[float] = []
        total = state.config.total_steps
        points = [*range(every, total, every), total]
        for _ in train(state):
            if state.steps < points[len(row)]:
                continue
            score = evaluate(
                state.policy, state.env_id, num_episodes, EVALUATION_SEED + seed
            ).mean_return
            while len(row) < len(points) and state.steps >= points[len(row)]:
                row.append(score)
        rows.append(row)
    return TrainingScores(np.asarray(points), np.asarray(rows))
