"""Recording the runs of the bug gallery: wrong functions of the catalogue at work.

The diagnostics are measured from outside of the functions that are at work, and with
the reference's own definitions, so that a wrong update cannot hide behind wrong numbers
of its own.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from chula_rl import returns
from chula_rl.algorithms import a2c, ddpg
from chula_rl.diagnostics import explained_variance, update_norm
from chula_rl.evaluation import EVALUATION_SEED
from chula_rl.losses import bounded_action, exploratory_action, gaussian_entropy
from chula_rl.replay import ReplayBuffer
from chula_rl.types import FloatArray, Rollout, Transition

POINTS = 30  # of each curve
EVERY = 10  # updates of DDPG, of which one is measured
EPISODES = 16  # played at each point, for the return and the critic
EARLY = 100  # steps of an episode whose returns the time limit hardly cuts

Row = dict[str, float]
Functions = dict[str, Callable[..., Any]]
Act = Callable[[Tensor], Tensor]
Value = Callable[[Tensor, Tensor], Tensor]


def record_a2c(functions: Functions, seed: int) -> dict[str, FloatArray]:
    """The diagnostics of a training run of A2C.

    Args:
        functions: a student's, by name; the reference's where there is none.
        seed: of the run.

    Returns:
        Each column of ``gallery.COLUMNS``, ``[POINTS]``.
    """
    state = a2c.init(seed=seed)
    meter = _A2CMeter(state, functions)
    act = functions.get("bounded_action", bounded_action)
    run = a2c.train(state, meter.update, act, meter.successor_obs)
    points = _points(state, run, meter.rows)
    return _columns(row | _played(state, *_a2c_roles(state)) for row in points)


def record_ddpg(functions: Functions, seed: int) -> dict[str, FloatArray]:
    """The diagnostics of a training run of DDPG; see ``record_a2c``."""
    make_buffer = functions.get("ReplayBuffer", ReplayBuffer)
    state = ddpg.init(seed=seed, make_buffer=make_buffer)
    meter = _DDPGMeter(state, functions)
    act = functions.get("exploratory_action", exploratory_action)
    run = ddpg.train(state, meter.update, act)
    points = _points(state, run, meter.rows)
    return _columns(row | _played(state, state.actor, state.critic) for row in points)


def _points(
    state: Any, run: Iterable[dict[str, float]], rows: list[Row]
) -> Iterator[Row]:
    """Medians of the rows that a meter has filled since the last point."""
    every = state.config.total_steps / POINTS
    reached = every
    clipped = []
    for metrics in run:
        clipped.append(metrics["clip_fraction"])
        if state.steps < reached:
            continue
        reached += every
        names = rows[0] if rows else {}
        medians = {n: float(np.nanmedian([row[n] for row in rows])) for n in names}
        yield {
            "steps": state.steps,
            "clip_fraction": float(np.mean(clipped)),
            **medians,
        }
        rows.clear()
        clipped.clear()


def _columns(rows: Iterable[Row]) -> dict[str, FloatArray]:
    """Rows as columns; NaN where a row has no such number yet."""
    found = list(rows)
    return {
        name: np.array([row.get(name, math.nan) for row in found], dtype=np.float32)
        for name in found[-1]
    }


class _Gradients:
    """The length of a network's gradient as backward() left it, before any clipping."""

    def __init__(self, network: nn.Module) -> None:
        self._squares: dict[int, float] = {}
        for i, parameter in enumerate(network.parameters()):
            parameter.register_post_accumulate_grad_hook(self._noting(i))

    def _noting(self, i: int) -> Callable[[Tensor], None]:
        def note(parameter: Tensor) -> None:
            assert parameter.grad is not None
            self._squares[i] = float(parameter.grad.square().sum())

        return note

    def norm(self) -> float:
        """Of the latest gradient; 0 if there was none."""
        return math.sqrt(sum(self._squares.values()))


class _A2CMeter:
    """Measures before and after each update."""

    def __init__(self, state: a2c.TrainState, functions: Functions) -> None:
        self.rows: list[Row] = []
        self._update = functions.get("a2c_update", a2c.a2c_update)
        self._successor = functions.get("successor_obs", returns.successor_obs)
        self._policy_grad = _Gradients(state.policy)
        self._value_grad = _Gradients(state.value_fn)
        self._next_obs = torch.empty(0)

    def successor_obs(self, *args: Tensor) -> Tensor:
        """The student's, while the right one is kept."""
        self._next_obs = returns.successor_obs(*args)
        result: Tensor = self._successor(*args)
        return result

    def update(
        self,
        policy: nn.Module,
        value_fn: nn.Module,
        optimizer: torch.optim.Optimizer,
        rollout: Rollout,
        config: a2c.Config,
    ) -> None:
        """The student's, measured."""
        right = rollout._replace(next_obs=self._next_obs.view_as(rollout.next_obs))
        obs, _, reward, terminated, truncated, next_obs = right
        with torch.no_grad():
            values = value_fn(obs), value_fn(next_obs)
            decay = config.gamma, config.lambda_
            target = values[0] + returns.gae(
                reward, terminated, truncated, *values, *decay
            )
            entropy = gaussian_entropy(policy(obs)[1]).mean().item()
        before = [p.detach().clone() for p in policy.parameters()]
        self._update(policy, value_fn, optimizer, rollout, config)
        self.rows.append(
            {
                "explained_variance": explained_variance(values[0], target),
                "entropy": entropy,
                "policy_grad_norm": self._policy_grad.norm(),
                "value_grad_norm": self._value_grad.norm(),
                "update_norm": update_norm(before, policy.parameters()),
            }
        )


class _DDPGMeter:
    """Measures before and after some of the updates."""

    def __init__(self, state: ddpg.TrainState, functions: Functions) -> None:
        self.rows: list[Row] = []
        self._update = functions.get("ddpg_update", ddpg.ddpg_update)
        self._count = 0
        self._actor_grad = _Gradients(state.actor)
        critic_grad = _Gradients(state.critic)
        self._critic_norm = math.nan

        def note(*_: Any) -> None:
            self._critic_norm = critic_grad.norm()

        state.critic_optimizer.register_step_pre_hook(note)

    def update(self, agent: ddpg.Agent, batch: Transition, config: ddpg.Config) -> None:
        """The student's, measured now and then."""
        self._count += 1
        if self._count % EVERY:
            self._update(agent, batch, config)
            return
        obs, action, reward, terminated, _, next_obs = batch
        with torch.no_grad():
            q = agent.critic(obs, action)
            next_q = agent.target_critic(next_obs, agent.target_actor(next_obs))
            target = returns.td_target(reward, terminated, next_q, config.gamma)
        before = [p.detach().clone() for p in agent.actor.parameters()]
        self._update(agent, batch, config)
        self.rows.append(
            {
                "q": q.mean().item(),
                "critic_error": (q - target).square().mean().sqrt().item(),
                "explained_variance": explained_variance(q, target),
                "actor_grad_norm": self._actor_grad.norm(),
                "critic_grad_norm": self._critic_norm,
                "update_norm": update_norm(before, agent.actor.parameters()),
                "target_gap": update_norm(
                    [p.detach() for p in agent.critic.parameters()],
                    agent.target_critic.parameters(),
                ),
            }
        )


def _a2c_roles(state: a2c.TrainState) -> tuple[Act, Value]:
    """How A2C acts, with the noise that it trains with, and what its critic says."""
    generator = torch.Generator().manual_seed(EVALUATION_SEED + state.seed)
    low, high = state.stream.low, state.stream.high

    def act(obs: Tensor) -> Tensor:
        mean, log_std = state.policy(obs)
        noise = torch.randn(mean.shape, generator=generator)
        return bounded_action(mean, log_std, noise, low, high)[0]

    return act, lambda obs, action: state.value_fn(obs)


def _played(state: Any, act: Act, value: Value) -> Row:
    """The mean return of some episodes, and what the critic said of their beginning."""
    alive, steps = torch.ones(EPISODES, dtype=torch.bool), []
    env = gym.make_vec(state.env_id, num_envs=EPISODES)
    with contextlib.closing(env), torch.no_grad():
        obs, _ = env.reset(seed=EVALUATION_SEED + state.seed)
        while alive.any():
            now = torch.tensor(obs, dtype=torch.float32)
            action = act(now)
            obs, reward, terminated, truncated, _ = env.step(action.numpy())
            got = torch.as_tensor(reward, dtype=torch.float32)
            steps.append((now, action, got * alive, alive))
            alive = alive & ~torch.as_tensor(terminated | truncated)
        seen, actions, rewards, counts = map(torch.stack, zip(*steps, strict=True))
        none = torch.zeros_like(counts)  # after an episode all rewards are 0
        zero = torch.zeros_like(rewards)  # [T, B]
        gamma = state.config.gamma
        realised = returns.n_step_returns(rewards, none, none, zero, gamma)
        early = counts[:EARLY]
        expected = realised[:EARLY][early].mean().item()
        told = value(seen[:EARLY], actions[:EARLY])[early].mean().item()
    return {
        "return": rewards.sum(0).mean().item(),
        "value": told,
        "realised": expected,
        "value_error": told - expected,
    }
