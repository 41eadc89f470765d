"""Continuous cart-pole; ``vector_envs`` has many of it at once."""

import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.vector import VectorEnv

from chula_rl.errors import UnsupportedEnvError
from chula_rl.types import FloatArray

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
SOLVED_RETURN = 475.0  # mean return over 100 episodes, as for CartPole-v1
ENV_ID = "chula_rl/ContinuousCartPole-v0"

_UNBOUNDED = float(np.finfo(np.float32).max)  # Gymnasium's checker warns of infinity
OBS_HIGH = np.array(
    [2 * MAX_POSITION, _UNBOUNDED, 2 * MAX_ANGLE, _UNBOUNDED], dtype=np.float32
)
OBS_SCALE = np.array([MAX_POSITION, 2.0, MAX_ANGLE, 2.0], dtype=np.float32)


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

    observation_scale = OBS_SCALE

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode=render_mode)  # its drawing and its reset are ours
        self.action_space = spaces.Box(-1.0, 1.0, shape=(1,), dtype=np.float32)
        self.observation_space = spaces.Box(-OBS_HIGH, OBS_HIGH, dtype=np.float32)

    def step(  # type: ignore[override]  # an action here is a float array
        self, action: FloatArray
    ) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        """Push the cart for 0.02 s; see the class for what comes back."""
        if self.state is None:
            raise UnsupportedEnvError("step() before reset(): call env.reset() first.")
        force = float(checked_action(action, (1,))[0])
        state = cartpole_step(tuple(self.state.tolist()), force, math.sin, math.cos)
        self.state = np.array(state)
        if self.render_mode == "human":
            self.render()  # type: ignore[no-untyped-call]
        terminated = out_of_bounds(state[0], state[2])
        return self.state.astype(np.float32), 1.0, terminated, False, {}


def checked_action(action: FloatArray, shape: tuple[int, ...]) -> FloatArray:
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
    return np.minimum(np.maximum(array, -1.0), 1.0)


def out_of_bounds(position: Any, angle: Any) -> Any:
    """Whether an episode ends there: a boolean, or booleans for arrays."""
    return (abs(position) > MAX_POSITION) | (abs(angle) > MAX_ANGLE)


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
            vector_entry_point="chula_rl.vector_envs:ContinuousCartPoleVectorEnv",
            max_episode_steps=MAX_EPISODE_STEPS,
            reward_threshold=SOLVED_RETURN,
        )
