"""How fast the environments are: ours in NumPy beside Gymnasium's copies of one."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import gymnasium as gym
from gymnasium.vector import VectorEnv

from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError


class VectorEnvSpeed(NamedTuple):
    """Environment steps a second, medians of several repetitions.

    Attributes:
        num_envs: B, environments stepped at once.
        vector: of ``ContinuousCartPoleVectorEnv``.
        sync: of Gymnasium's ``SyncVectorEnv`` of B ``ContinuousCartPoleEnv``.
        ratio: median of the ratios of neighbouring measurements, since whatever else
            the machine does then slows both sides of a ratio.
    """

    num_envs: int
    vector: float
    sync: float
    ratio: float


def single_env_speed(repetitions: int = 5, seconds: float = 0.2) -> float:
    """Steps a second of one environment from ``gymnasium.make``, random actions."""
    env = gym.make(ENV_ID, disable_env_checker=True)
    env.reset(seed=0)
    actions = _random_actions(env)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(next(actions))
        if terminated or truncated:
            env.reset()

    return statistics.median(
        _calls_per_second(step, seconds) for _ in range(repetitions)
    )


def vector_env_speed(
    num_envs: int, repetitions: int = 5, seconds: float = 0.2
) -> VectorEnvSpeed:
    """Time our vector environment and Gymnasium's in turn, with random actions.

    Args:
        num_envs: B, environments stepped at once.
        repetitions: measurements of each.
        seconds: wall time of each measurement, prolonged to a whole step.

    Returns:
        The medians.
    """
    vector = gym.make_vec(ENV_ID, num_envs)
    sync = gym.make_vec(
        ENV_ID, num_envs, vectorization_mode="sync", disable_env_checker=True
    )
    step_vector, step_sync = _stepper(vector), _stepper(sync)
    pairs = [
        (
            num_envs * _calls_per_second(step_vector, seconds),
            num_envs * _calls_per_second(step_sync, seconds),
        )
        for _ in range(repetitions)
    ]
    vector.close()
    sync.close()
    return VectorEnvSpeed(
        num_envs,
        vector=statistics.median(ours for ours, _ in pairs),
        sync=statistics.median(theirs for _, theirs in pairs),
        ratio=statistics.median(ours / theirs for ours, theirs in pairs),
    )


def env_speed_table(num_envs: Iterable[int], repetitions: int = 5) -> Iterable[str]:
    """The lines of a table of all speeds, each as soon as it is measured."""
    num_envs = list(num_envs)
    if repetitions < 1 or any(n < 1 for n in num_envs):
        raise ConfigError(
            f"repetitions is {repetitions} and the numbers of copies {num_envs}; "
            "expected at least 1 of each."
        )
    yield f"one environment: {single_env_speed(repetitions):,.0f} steps/s"
    yield f"{'copies':>6}  {'ours':>18}  {'SyncVectorEnv':>18}  {'ratio':>7}"
    for n in num_envs:
        speed = vector_env_speed(n, repetitions)
        yield (
            f"{n:>6}  {speed.vector:>10,.0f} steps/s  {speed.sync:>10,.0f} steps/s  "
            f"{speed.ratio:>6.1f}x"
        )


def _stepper(env: VectorEnv[Any, Any, Any]) -> Callable[[], object]:
    env.reset(seed=0)
    actions = _random_actions(env)
    return lambda: env.step(next(actions))


def _random_actions(env: Any) -> Any:
    """Random actions, sampled beforehand so that sampling is not timed."""
    env.action_space.seed(0)
    return itertools.cycle([env.action_space.sample() for _ in range(64)])


def _calls_per_second(call: Callable[[], object], seconds: float) -> float:
    calls = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        call()
        calls += 1
    return calls / elapsed
