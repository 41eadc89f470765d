"""Continuous cart-pole: one environment, and many at once in NumPy."""

import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.envs.classic_control.utils import maybe_parse_reset_bounds
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from chula_rl.errors import UnsupportedEnvError
from chula_rl.types import BoolArray, FloatArray

GRAVITY = 9.8  # m/s^2
CART_MASS = 1.0  # kg
POLE_MASS = 0.1  # kg
TOTAL_MASS = CART_MASS + POLE_MASS
HALF_LENGTH = 0.5  # m, from the joint to the pole's centre of mass
MAX_FORCE = 30.0  # N, at an action of 1
TIME_STEP = 0.02  # s
MAX_POSITION = 2.4  # m
MAX_ANGLE = math.radians(12)
START_BOUND = 0.05  # each state variable starts uniformly in +- this
MAX_EPISODE_STEPS = 500
ENV_ID = "chula_rl/ContinuousCartPole-v0"

_UNBOUNDED = float(np.finfo(np.float32).max)  # Gymnasium's checker warns of infinity
_OBS_HIGH = np.array(
    [2 * MAX_POSITION, _UNBOUNDED, 2 * MAX_ANGLE, _UNBOUNDED], dtype=np.float32
)
_OBS_SCALE = np.array([MAX_POSITION, 2.0, MAX_ANGLE, 2.0], dtype=np.float32)


def cartpole_step(
    state: tuple[Any, Any, Any, Any],
    action: Any,
    sin: Callable[[Any], Any] = np.sin,
    cos: Callable[[Any], Any] = np.cos,
) -> tuple[Any, Any, Any, Any]:
    r"""Advance the cart-pole by one Euler step.

    .. math::
        \ddot\theta &= \frac{g\sin\theta - \cos\theta\,
            \frac{F + m l\dot\theta^2\sin\theta}{M}}
            {l\bigl(\frac43 - \frac{m\cos^2\theta}{M}\bigr)} \\
        \ddot x &= \frac{F + m l(\dot\theta^2\sin\theta
            - \ddot\theta\cos\theta)}{M}

    with M the total mass, m the pole's, l half its length and F the force.

    Args:
        state: position (m), velocity (m/s), angle (rad), angular velocity (rad/s);
            floats or arrays of one shape.
        action: in [-1, 1], times 30 N; of the same shape.
        sin: the sine for that type; ``math.sin`` is faster for floats.
        cos: the cosine for that type.

    Returns:
        The state 0.02 s later, of the same types.

    Source: Barto, Sutton and Anderson (1983), appendix, without friction;
    Florian (2007), equations 23 and 24.
    """
    x, x_dot, theta, theta_dot = state
    sin_theta, cos_theta = sin(theta), cos(theta)
    push = (
        MAX_FORCE * action + POLE_MASS * HALF_LENGTH * theta_dot**2 * sin_theta
    ) / TOTAL_MASS
    theta_acc = (GRAVITY * sin_theta - cos_theta * push) / (
        HALF_LENGTH * (4 / 3 - POLE_MASS * cos_theta**2 / TOTAL_MASS)
    )
    x_acc = push - POLE_MASS * HALF_LENGTH * theta_acc * cos_theta / TOTAL_MASS
    return (
        x + TIME_STEP * x_dot,
        x_dot + TIME_STEP * x_acc,
        theta + TIME_STEP * theta_dot,
        theta_dot + TIME_STEP * theta_acc,
    )


class ContinuousCartPoleEnv(CartPoleEnv):
    """
    ## Description

    The cart-pole of Barto, Sutton and Anderson (1983), "Neuronlike Adaptive Elements
    That Can Solve Difficult Learning Control Problems", with a continuous force. A pole
    is joined to a cart that moves along a frictionless track. It starts upright, and
    the force on the cart is to keep it so. Cart 1.0 kg, pole 0.1 kg and 1 m long
    (half-length 0.5 m), gravity 9.8 m/s^2, one Euler step every 0.02 s.

    ## Action Space

    A `Box(-1, 1, (1,), float32)`: the horizontal force on the cart, in units of 30 N.
    Positive pushes to the right. An action beyond the bounds is clipped to them; an
    action that is not one finite number is refused with an error.

    ## Observation Space

    An `ndarray` of shape `(4,)`, float32 (the state itself is kept in float64):

    | Num | Observation           | Min                 | Max               |
    |-----|-----------------------|---------------------|-------------------|
    | 0   | Cart position (m)     | -4.8                | 4.8               |
    | 1   | Cart velocity (m/s)   | ~ -3.4e38           | ~ 3.4e38          |
    | 2   | Pole angle (rad)      | ~ -0.419 (-24 deg)  | ~ 0.419 (24 deg)  |
    | 3   | Angular velocity (rad/s) | ~ -3.4e38        | ~ 3.4e38          |

    The bounds of position and angle are twice those at which an episode ends, so that
    the last observation of an episode lies within them. The velocities have no bound
    but that of float32.

    ## Rewards

    +1 for every step taken, the last one included.

    ## Starting State

    All four variables uniform in [-0.05, 0.05].

    ## Episode End

    1. Termination: the pole's angle is beyond +-12 degrees.
    2. Termination: the cart's position is beyond +-2.4 m.
    3. Truncation: 500 steps (by the `TimeLimit` wrapper that `gymnasium.make` adds).

    ## Arguments

    `render_mode`: `None`, `"human"` (a window) or `"rgb_array"` (an image as array).
    `reset` takes `options={"low": ..., "high": ...}`, other bounds of the start.

    ```python
    >>> import gymnasium as gym
    >>> import chula_rl
    >>> env = gym.make("chula_rl/ContinuousCartPole-v0", render_mode="rgb_array")
    >>> obs, info = env.reset(seed=1)
    >>> obs.shape
    (4,)

    ```

    ## Vectorized environment

    `gymnasium.make_vec("chula_rl/ContinuousCartPole-v0", num_envs=16)` gives
    `ContinuousCartPoleVectorEnv`, the same dynamics for all copies in NumPy.

    ## Version History

    * v0: first version.
    """

    observation_scale = _OBS_SCALE

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode=render_mode)  # its drawing and its reset are ours
        self.action_space = spaces.Box(-1.0, 1.0, shape=(1,), dtype=np.float32)
        self.observation_space = spaces.Box(-_OBS_HIGH, _OBS_HIGH, dtype=np.float32)

    def step(  # type: ignore[override]  # an action here is a float array
        self, action: FloatArray
    ) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        """Push the cart for 0.02 s; see the class for what comes back."""
        if self.state is None:
            raise UnsupportedEnvError("step() before reset(): call env.reset() first.")
        force = float(_checked_action(action, (1,))[0])
        self.state = np.array(
            cartpole_step(tuple(self.state.tolist()), force, math.sin, math.cos)
        )
        if self.render_mode == "human":
            self.render()  # type: ignore[no-untyped-call]
        terminated = bool(_out_of_bounds(self.state))
        return self.state.astype(np.float32), 1.0, terminated, False, {}


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

    observation_scale = _OBS_SCALE

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
            -_OBS_HIGH, _OBS_HIGH, dtype=np.float32
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
        force = _checked_action(actions, (self.num_envs, 1))[:, 0]
        x, x_dot, theta, theta_dot = self.state
        self.state = np.stack(cartpole_step((x, x_dot, theta, theta_dot), force))
        self._elapsed += 1
        reward = np.ones(self.num_envs)
        terminated = _out_of_bounds(self.state)
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


def _checked_action(action: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """The action in float64, clipped to [-1, 1]; an error if it is not sound."""
    array = np.asarray(action, dtype=np.float64)
    if array.shape != shape:
        raise UnsupportedEnvError(
            f"the action has shape {array.shape}; expected {shape}, in [-1, 1]."
        )
    if not np.isfinite(array).all():
        raise UnsupportedEnvError(
            f"the action {action!r} is not finite: look for NaN in the policy's "
            "parameters, often a loss or learning rate that diverged."
        )
    return np.clip(array, -1.0, 1.0)


def _out_of_bounds(state: FloatArray) -> BoolArray:
    position, _, angle, _ = np.abs(state)
    out: BoolArray = (position > MAX_POSITION) | (angle > MAX_ANGLE)
    return out


def observation_scale(env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any]) -> FloatArray:
    """Typical size of each observation, by which the networks divide.

    Args:
        env: an environment or a vector environment with a ``Box`` of shape
            ``(obs_dim,)`` as observation space.

    Returns:
        ``[obs_dim]``: the environment's own ``observation_scale`` if it has one, else
        the upper bound of the space where it has one, else 1.
    """
    own = getattr(env.unwrapped, "observation_scale", None)
    if own is not None:
        return np.asarray(own, dtype=np.float32)
    space = getattr(env, "single_observation_space", env.observation_space)
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise UnsupportedEnvError(
            f"the observation space is {space}; expected a Box of shape (obs_dim,). "
            "Wrap the environment in gymnasium.wrappers.FlattenObservation."
        )
    high = np.abs(space.high)
    bounded = (high > 0) & (high < _UNBOUNDED)
    return np.where(bounded, high, 1.0).astype(np.float32)


def register_envs() -> None:
    """Make the environments known to ``gymnasium.make``; importing chula_rl does."""
    if ENV_ID not in gym.registry:
        gym.register(
            id=ENV_ID,
            entry_point="chula_rl.envs:ContinuousCartPoleEnv",
            vector_entry_point="chula_rl.envs:ContinuousCartPoleVectorEnv",
            max_episode_steps=MAX_EPISODE_STEPS,
            reward_threshold=475.0,
        )
