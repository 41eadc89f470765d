"""Many continuous cart-poles at once, in NumPy."""

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.utils import maybe_parse_reset_bounds
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from chula_rl.envs import (
    MAX_EPISODE_STEPS,
    OBS_HIGH,
    OBS_SCALE,
    START_BOUND,
    cartpole_step,
    checked_action,
    out_of_bounds,
)
from chula_rl.errors import UnsupportedEnvError
from chula_rl.types import BoolArray, FloatArray


class ContinuousCartPoleVectorEnv(VectorEnv[FloatArray, FloatArray, FloatArray]):
    """B continuous cart-poles in NumPy arrays; see ``ContinuousCartPoleEnv``.

    What a step does with an environment whose episode ended depends on the mode:

    * ``NEXT_STEP`` (default, as in Gymnasium): the next step ignores the action and
      resets; that row is a dummy with reward 0.
    * ``SAME_STEP``: it resets at once. ``obs`` is the first of the new episode, and the
      true last one is in ``info["final_obs"][i]`` where ``info["_final_obs"][i]``.
    * ``DISABLED``: nothing is reset. Use ``reset(options={"reset_mask": mask})``;
      stepping an ended environment is an error.

    Args:
        num_envs: B, how many environments.
        max_episode_steps: steps after which an episode is truncated.
        autoreset_mode: one of Gymnasium's ``AutoresetMode``, or its value as a string.
    """

    observation_scale = OBS_SCALE

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self.single_action_space = spaces.Box(-1.0, 1.0, shape=(1,), dtype=np.float32)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.single_observation_space = spaces.Box(
            -OBS_HIGH, OBS_HIGH, dtype=np.float32
        )
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.state: FloatArray | None = None  # [4, B], float64
        self._start_bounds = (-START_BOUND, START_BOUND)
        self._elapsed = np.zeros(num_envs, dtype=np.int64)
        self._ended = np.zeros(num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start a new episode in every environment, or in those of a mask.

        Args:
            seed: seeds the one generator of all B environments.
            options: ``low`` and ``high``, other bounds of the start; ``reset_mask``,
                ``[B]`` booleans, which environments to reset.

        Returns:
            ``(obs [B, 4], info)``.
        """
        options = dict(options or {})
        everything = np.ones(self.num_envs, dtype=np.bool_)
        mask = self._checked_mask(options.pop("reset_mask", everything))
        bounds = maybe_parse_reset_bounds(options, -START_BOUND, START_BOUND)
        super().reset(seed=seed)
        if self.state is None:
            self.state = np.empty((4, self.num_envs))
        self._start_bounds = bounds
        self._restart(mask)
        return self._obs(), {}

    def step(  # type: ignore[override]  # flags are booleans, as at run time
        self, actions: FloatArray
    ) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray, dict[str, Any]]:
        """Push every cart for 0.02 s.

        Args:
            actions: ``[B, 1]`` in units of 30 N.

        Returns:
            ``(obs [B, 4], reward [B], terminated [B], truncated [B], info)``.
        """
        if self.state is None:
            raise UnsupportedEnvError("step() before reset(): call env.reset() first.")
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            raise UnsupportedEnvError(
                f"environments {np.flatnonzero(self._ended).tolist()} have ended and "
                'autoreset is off: call reset(options={"reset_mask": mask}) first.'
            )
        force = checked_action(actions, (self.num_envs, 1))[:, 0]
        x, x_dot, theta, theta_dot = self.state
        self.state = np.stack(cartpole_step((x, x_dot, theta, theta_dot), force))
        self._elapsed += 1
        reward = np.ones(self.num_envs)
        terminated = out_of_bounds(self.state[0], self.state[2])
        truncated = self._elapsed >= self.max_episode_steps
        info: dict[str, Any] = {}

        if self.autoreset_mode is AutoresetMode.NEXT_STEP and self._ended.any():
            dummy = self._ended
            self._restart(dummy)
            reward[dummy], terminated[dummy], truncated[dummy] = 0.0, False, False

        self._ended = terminated | truncated
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._ended.any():
            info = self._final_info(self._ended)
            self._restart(self._ended)
        return self._obs(), reward, terminated, truncated, info

    def _checked_mask(self, reset_mask: BoolArray) -> BoolArray:
        mask = np.asarray(reset_mask)
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise UnsupportedEnvError(
                f"reset_mask has shape {mask.shape} and dtype {mask.dtype}; expected "
                f"({self.num_envs},) booleans, at least one of them True."
            )
        if self.state is None and not mask.all():
            raise UnsupportedEnvError(
                "the first reset must be of all environments: leave reset_mask out."
            )
        return mask

    def _restart(self, mask: BoolArray) -> None:
        assert self.state is not None
        low, high = self._start_bounds
        self.state[:, mask] = self.np_random.uniform(
            low, high, size=(4, np.count_nonzero(mask))
        )
        self._elapsed[mask] = 0
        self._ended = self._ended & ~mask

    def _obs(self) -> FloatArray:
        assert self.state is not None
        return self.state.T.astype(np.float32)  # [B, 4]

    def _final_info(self, mask: BoolArray) -> dict[str, Any]:
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i, obs in zip(np.flatnonzero(mask), self._obs()[mask], strict=True):
            final_obs[i] = obs
        return {
            "final_obs": final_obs,
            "_final_obs": mask.copy(),
            "final_info": {},
            "_final_info": mask.copy(),
        }
