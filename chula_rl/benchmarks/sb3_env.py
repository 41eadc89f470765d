"""Our vector environment in NumPy as a vector environment of Stable-Baselines3.

With it a peer steps the same environment at the same speed as we do; the other way,
``DummyVecEnv``, calls one Python environment after another. Importing this module needs
Stable-Baselines3.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from chula_rl.envs import ENV_ID, observation_scale
from chula_rl.types import FloatArray


class NumPyVecEnv(VecEnv):
    """B environments of ``gymnasium.make_vec``, stepped at once.

    Args:
        num_envs: B, how many environments.
        env_id: a registered environment with a vector form of its own.
        scale_obs: divide observations by ``envs.observation_scale``, as our networks
            do; Stable-Baselines3 has only a running normalisation, which costs time.
        reward_scale: what rewards are multiplied by.
    """

    def __init__(
        self,
        num_envs: int,
        env_id: str = ENV_ID,
        scale_obs: bool = False,
        reward_scale: float = 1.0,
    ) -> None:
        self.env = gym.make_vec(
            env_id, num_envs, autoreset_mode=AutoresetMode.SAME_STEP
        )
        scale = observation_scale(self.env)
        self.scale = scale if scale_obs else np.ones_like(scale)
        self.reward_scale = reward_scale
        self.actions: Any = None
        super().__init__(
            num_envs,
            self.env.single_observation_space,
            self.env.single_action_space,
        )

    def reset(self) -> FloatArray:
        """Start all episodes anew, from the seed of ``seed()`` if it was called."""
        obs, _ = self.env.reset(seed=self._seeds[0])
        self._reset_seeds()
        return self._scaled(obs)

    def step_async(self, actions: FloatArray) -> None:
        """Keep the actions ``[B, A]`` for ``step_wait``."""
        self.actions = actions

    def step_wait(self) -> tuple[FloatArray, FloatArray, Any, list[dict[str, Any]]]:
        """Step all environments; those that end are reset at once.

        Returns:
            ``(obs [B, obs_dim], reward [B], done [B], infos)`` as Stable-Baselines3
            has them: the true last observation is in the info of its environment.
        """
        obs, reward, terminated, truncated, info = self.env.step(self.actions)
        done = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            infos[i]["terminal_observation"] = self._scaled(info["final_obs"][i])
            infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        return self._scaled(obs), reward * self.reward_scale, done, infos

    def _scaled(self, obs: FloatArray) -> FloatArray:
        """Scaled, and always a copy: Stable-Baselines3 keeps what it gets."""
        return obs / self.scale

    def close(self) -> None:
        """Close the environments."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the vector environment, once for each index."""
        value = getattr(self.env.unwrapped, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not supported: the environments share their attributes."""
        raise NotImplementedError(f"{attr_name}: the environments are one object.")

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: Any = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Not supported: the environments are one object."""
        raise NotImplementedError(f"{method_name}: the environments are one object.")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment is wrapped."""
        return [False for _ in self._get_indices(indices)]
