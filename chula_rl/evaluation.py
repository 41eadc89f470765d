"""How good a policy is, and how sure we are of it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol, TypeVar

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from chula_rl.envs import ENV_ID, SOLVED_RETURN
from chula_rl.errors import ConfigError
from chula_rl.rollout import action_bounds
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
    policy: nn.Module,
    env_id: str = ENV_ID,
    num_episodes: int = 100,
    seed: int = 0,
    **env_kwargs: Any,
) -> Evaluation:
    """Play the mean action of a policy for a number of episodes, all at once.

    Args:
        policy: maps ``obs [B, obs_dim]`` to ``(mean, log_std)``, both ``[B, A]``.
        env_id: a registered environment with continuous actions.
        num_episodes: how many episodes, each in an environment of its own.
        seed: of the starts; use seeds that training does not see.
        env_kwargs: passed on to ``gymnasium.make_vec``.

    Returns:
        The undiscounted return and the length of each episode.
    """
    if num_episodes < 1:
        raise ConfigError(f"num_episodes is {num_episodes}; expected at least 1.")
    env = gym.make_vec(env_id, num_envs=num_episodes, **env_kwargs)
    low, high = action_bounds(env)
    obs, _ = env.reset(seed=seed)
    return_, length = np.zeros(num_episodes), np.zeros(num_episodes)
    alive = np.ones(num_episodes, dtype=np.bool_)
    while alive.any():
        action = mean_action(policy, obs, low, high)
        obs, reward, terminated, truncated, _ = env.step(action)
        return_ += alive * reward
        length += alive
        alive &= ~(terminated | truncated)
    env.close()
    return Evaluation(return_, length)


def mean_action(
    policy: nn.Module, obs: FloatArray, low: Tensor, high: Tensor
) -> FloatArray:
    """The mean of the policy, without noise, clipped for the environment.

    Args:
        policy: maps ``obs [B, obs_dim]`` to ``(mean, log_std)``, both ``[B, A]``.
        obs: ``[B, obs_dim]``.
        low: ``[A]``, the smallest action that the environment takes.
        high: ``[A]``, the largest.

    Returns:
        ``[B, A]``.
    """
    with torch.inference_mode():
        mean, _ = policy(torch.as_tensor(obs, dtype=torch.float32))
        action: FloatArray = torch.minimum(torch.maximum(mean, low), high).numpy()
    return action


class Curve(NamedTuple):
    """A learning curve over seeds: centre and interval at each point, ``[K]``."""

    steps: FloatArray
    centre: FloatArray
    low: FloatArray
    high: FloatArray


def learning_curve(
    steps: FloatArray,
    scores: FloatArray,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Curve:
    """Interquartile mean over seeds with a percentile bootstrap interval.

    The interquartile mean is the mean of the middle half of the seeds: less moved by
    one lucky or unlucky seed than the mean, and less wasteful than the median.

    Args:
        steps: ``[K]``, environment steps at which each seed was evaluated.
        scores: ``[num_seeds, K]``.
        confidence: of the interval, in (0, 1).
        num_resamples: bootstrap resamples of the seeds.
        seed: of the resampling.

    Returns:
        The curve.

    Source: Agarwal et al. (2021), section 4.
    """
    if scores.ndim != 2 or scores.shape[1] != len(steps):
        raise ConfigError(
            f"scores has shape {scores.shape}; expected (num_seeds, {len(steps)})."
        )
    rng = np.random.default_rng(seed)
    index = rng.integers(len(scores), size=(num_resamples, len(scores)))
    resampled = interquartile_mean(scores[index], axis=1)  # [num_resamples, K]
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    return Curve(np.asarray(steps), interquartile_mean(scores, axis=0), low, high)


def interquartile_mean(values: FloatArray, axis: int = 0) -> FloatArray:
    """Mean of the middle half of ``values`` along an axis (25% cut at each end)."""
    count = values.shape[axis]
    cut = count // 4
    middle = np.take(np.sort(values, axis=axis), range(cut, count - cut), axis=axis)
    return np.asarray(middle.mean(axis=axis))


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
