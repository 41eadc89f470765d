"""Environments that go on from one rollout to the next, and can be checkpointed."""

import inspect
from collections import deque
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from chula_rl.envs import observation_scale
from chula_rl.errors import CheckpointError, UnsupportedEnvError
from chula_rl.types import BoolArray, FloatArray

RECENT_EPISODES = 100  # of which a stream tells the mean return


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


class Step(NamedTuple):
    """What one step of B environments gave, as arrays.

    Attributes:
        reward: ``[B]``.
        terminated: ``[B]`` booleans.
        truncated: ``[B]`` booleans.
        next_obs: ``[B, obs_dim]``; where an episode ended, the start of the next one.
        final_obs: ``[B, obs_dim]``, the last observation of the episodes that ended;
            in the other rows the same as ``next_obs``.
    """

    reward: FloatArray
    terminated: BoolArray
    truncated: BoolArray
    next_obs: FloatArray
    final_obs: FloatArray


class EnvStream:
    """B environments that go on from one rollout to the next.

    The actions taken and the seed say all about deterministic environments, so that is
    what a checkpoint holds: to go on, the actions are played again.

    Args:
        env_id: a registered environment with continuous actions.
        num_envs: B.
        seed: of the starts.

    Attributes:
        low: ``[A]``, the smallest action.
        high: ``[A]``, the largest.
        obs_scale: ``[obs_dim]``, typical sizes; see ``envs.observation_scale``.
        obs: ``[B, obs_dim]``, what the next actions are taken on.
        num_envs: B.
        obs_dim: number of observation variables.
        action_dim: number of action dimensions, A.
    """

    def __init__(self, env_id: str, num_envs: int, seed: int) -> None:
        self._env = _make_same_step(env_id, num_envs)
        self.low, self.high = action_bounds(self._env)
        self.obs_scale = observation_scale(self._env)
        self.num_envs = num_envs
        self.obs_dim, self.action_dim = len(self.obs_scale), len(self.low)
        obs, _ = self._env.reset(seed=seed)
        self.obs = torch.tensor(obs, dtype=torch.float32)
        self._actions: list[FloatArray] = []
        self._return = np.zeros(num_envs)
        self._length = np.zeros(num_envs, dtype=np.int64)
        self._ended: deque[FloatArray] = deque(maxlen=RECENT_EPISODES)

    @property
    def half_range(self) -> Tensor:
        """``[A]``, half the distance between the smallest and the largest action.

        Raises:
            UnsupportedEnvError: an action has no bounds.
        """
        if not torch.isfinite(self.high - self.low).all():
            raise UnsupportedEnvError(
                f"actions are between {self.low.tolist()} and {self.high.tolist()}; "
                "expected finite bounds, which a deterministic policy needs. Wrap the "
                "environment in gymnasium.wrappers.RescaleAction, or use a2c."
            )
        return (self.high - self.low) / 2

    def step(self, env_action: Tensor) -> Step:
        """Take ``env_action [B, A]``; start anew where an episode ends.

        Raises:
            UnsupportedEnvError: a reward or an observation is not finite.
        """
        action = env_action.numpy().copy()
        next_obs, reward, terminated, truncated, info = self._env.step(action)
        self._actions.append(action)
        self._return += reward
        self._length += 1
        final_obs = next_obs
        ended = terminated | truncated
        if ended.any():
            final_obs = next_obs.copy()
            final_obs[ended] = np.stack(info["final_obs"][ended])
        if not np.isfinite(final_obs.sum() + reward.sum()):
            _refuse_step(len(self._actions), reward, final_obs)
        if ended.any():
            self._ended.extend(np.stack([self._return, self._length], 1)[ended])
            self._return[ended], self._length[ended] = 0.0, 0
        self.obs = torch.tensor(next_obs, dtype=torch.float32)
        return Step(reward, terminated, truncated, next_obs, final_obs)

    def recent(self) -> dict[str, float]:
        """Mean ``return`` and ``length`` of the last 100 episodes; NaN before one."""
        if not self._ended:
            return {"return": np.nan, "length": np.nan}
        return_, length = np.mean(self._ended, axis=0)
        return {"return": float(return_), "length": float(length)}

    def state_dict(self) -> dict[str, Tensor]:
        """The actions since the beginning, and where they led, for a checkpoint."""
        actions = np.array(self._actions).reshape(-1, self.num_envs, self.action_dim)
        return {"actions": torch.from_numpy(actions), "obs": self.obs}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Play the actions of ``state_dict`` again; only in a fresh stream.

        Raises:
            CheckpointError: they lead somewhere else now.
        """
        for action in state["actions"]:
            self.step(action)
        if not torch.equal(self.obs, state["obs"]):
            raise CheckpointError(
                "the environments, given the seed and the actions of the checkpoint, "
                "are not where they were: expected environments that the seed "
                "determines, of the same version. Train again."
            )


def _make_same_step(env_id: str, num_envs: int) -> VectorEnv[Any, Any, Any]:
    """Environments that reset at once where an episode ends."""
    mode = AutoresetMode.SAME_STEP
    own = gym.spec(env_id).vector_entry_point
    if own is not None:
        make = load_env_creator(own) if isinstance(own, str) else own
        if "autoreset_mode" in inspect.signature(make).parameters:
            return gym.make_vec(env_id, num_envs, autoreset_mode=mode)
    return gym.make_vec(
        env_id, num_envs, "sync", vector_kwargs={"autoreset_mode": mode}
    )


def _refuse_step(step: int, reward: FloatArray, obs: FloatArray) -> None:
    raise UnsupportedEnvError(
        f"step {step} of the environments gave the rewards {reward.tolist()} and "
        f"the observations {obs.tolist()}; expected finite numbers. Look for NaN in "
        "the environment, or in the actions if the policy has diverged."
    )
