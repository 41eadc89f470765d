"""CPU microseconds of one update: ours beside Stable-Baselines3's of the same sizes."""

import importlib
import importlib.util
import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

from chula_rl.benchmarks import peers
from chula_rl.errors import ConfigError

_ROW = "{:<10}  {:>12}  {:>20}  {:>7}"


class UpdateTime(NamedTuple):
    """CPU time of one update, medians of many.

    Attributes:
        algorithm: whose.
        ours: microseconds.
        theirs: microseconds of Stable-Baselines3; NaN if it has no such algorithm.
        ratio: median of the ratios of neighbouring measurements, since a busy machine
            slows both sides of a ratio.
    """

    algorithm: str
    ours: float
    theirs: float
    ratio: float


def update_times(repetitions: int = 300) -> Iterator[UpdateTime]:
    """Time the updates with the default settings of our algorithms.

    Ours of A2C computes advantages, and ours of DDPG draws its batch, inside the time.
    So does Stable-Baselines3's of DDPG; its A2C has computed advantages while it
    collected the rollout, outside the time.

    Args:
        repetitions: of each update; ours and theirs take turns.

    Yields:
        The times of one algorithm.

    Raises:
        ConfigError: no repetitions, or Stable-Baselines3 is not installed.
    """
    if repetitions < 1:
        raise ConfigError(f"repetitions is {repetitions}; expected at least 1.")
    if not importlib.util.find_spec("stable_baselines3"):
        raise ConfigError(
            "stable_baselines3 is not installed; it is what updates are compared with: "
            "pip install stable-baselines3."
        )
    torch.set_num_threads(1)
    for name, make_theirs in (
        ("reinforce", None),
        ("a2c", _sb3_a2c),
        ("ddpg", _sb3_ddpg),
    ):
        ours, config = _ours(name)
        yield _compare(name, ours, make_theirs and make_theirs(config), repetitions)


def update_table(repetitions: int = 300) -> Iterator[str]:
    """The lines of a table of ``update_times``, each as soon as it is measured."""
    yield _ROW.format("update", "ours", "Stable-Baselines3", "ratio")
    for row in update_times(repetitions):
        theirs, ratio = "", ""
        if not math.isnan(row.theirs):
            theirs, ratio = f"{row.theirs:,.0f} us", f"{row.ratio:.1f}x"
        line = _ROW.format(row.algorithm, f"{row.ours:,.0f} us", theirs, ratio)
        yield line.rstrip()


def _ours(name: str) -> tuple[Callable[[], object], Any]:
    """A call of our update on what training first gave it, and the settings."""
    module: Any = importlib.import_module(f"chula_rl.algorithms.{name}")
    update = getattr(module, f"{name}_update")
    seen: list[tuple[Any, ...]] = []

    def record(*arguments: Any) -> Any:
        seen.append(arguments)
        return update(*arguments)

    state = module.init()
    for _ in module.train(state, update=record):
        if seen:
            break
    arguments = seen[0]
    if name != "ddpg":
        return lambda: update(*arguments), state.config
    agent, batch, config = arguments
    n = len(batch.reward)
    return lambda: update(agent, state.buffer.sample(n), config), config


def _sb3_a2c(config: Any) -> Callable[[], object]:
    settings = peers.Settings(
        "A2C",
        total_steps=config.num_envs * config.num_steps,
        num_envs=config.num_envs,
        numpy_env=True,
        options={
            "n_steps": config.num_steps,
            "policy_kwargs": _networks(config),
        },
    )
    model = _trained(settings)
    return lambda: model.train()


def _sb3_ddpg(config: Any) -> Callable[[], object]:
    settings = peers.Settings(
        "DDPG",
        total_steps=config.random_steps + 2 * config.num_envs,
        num_envs=config.num_envs,
        numpy_env=True,
        options={
            "buffer_size": config.capacity,
            "learning_starts": config.random_steps,
            "policy_kwargs": _networks(config),
        },
    )
    model = _trained(settings)
    return lambda: model.train(gradient_steps=1, batch_size=config.batch_size)


def _networks(config: Any) -> dict[str, Any]:
    return {
        "net_arch": list(config.hidden),
        "activation_fn": torch.nn.Tanh,
        **peers.FUSED_ADAM,
    }


def _trained(settings: peers.Settings) -> Any:
    model, _ = peers.make_model(0, settings)
    return model.learn(settings.total_steps)


def _compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object] | None,
    repetitions: int,
) -> UpdateTime:
    pairs = []
    for _ in range(repetitions):
        own = _microseconds(ours)
        pairs.append((own, _microseconds(theirs) if theirs else math.nan))
    return UpdateTime(
        name,
        ours=statistics.median(own for own, _ in pairs),
        theirs=statistics.median(other for _, other in pairs),
        ratio=statistics.median(other / own for own, other in pairs),
    )


def _microseconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return 1e6 * (time.process_time() - start)
