"""Policy-gradient reinforcement learning: the reference package of the course."""

from chula_rl._version import __version__
from chula_rl.envs import ContinuousCartPoleEnv, register_envs
from chula_rl.errors import ChulaRLError
from chula_rl.evaluation import evaluate
from chula_rl.networks import GaussianPolicy, ValueNetwork
from chula_rl.types import Episode
from chula_rl.vector_envs import ContinuousCartPoleVectorEnv

__all__ = [
    "ChulaRLError",
    "ContinuousCartPoleEnv",
    "ContinuousCartPoleVectorEnv",
    "Episode",
    "GaussianPolicy",
    "ValueNetwork",
    "__version__",
    "evaluate",
]

register_envs()
