"""Trained policies that come with the package, and small files of any policy.

A file has the policy's weights alone, and in its header what made them: one command of
``chula-rl train`` makes it again.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from chula_rl.checkpoint import write_whole
from chula_rl.errors import CheckpointError
from chula_rl.networks import DeterministicPolicy, GaussianPolicy

NAMES = ("reinforce", "a2c", "ddpg")
_DATA = Path(__file__).parent / "data"


class Pretrained(NamedTuple):
    """A trained policy, and how it was made.

    Attributes:
        policy: maps observations to ``(mean, log_std)``, or to actions for ddpg.
        made_by: ``algorithm``, ``env_id``, ``seed``, ``config``, ``version`` and
            ``mean_return`` over the evaluation episodes at the end of training.
    """

    policy: nn.Module
    made_by: dict[str, Any]


def save_policy(path: Path, policy: nn.Module, made_by: dict[str, Any]) -> None:
    """Write the weights of a policy, with what made them in the header.

    Args:
        path: of the file, usually ``.safetensors``.
        policy: of an algorithm's state of training.
        made_by: see ``Pretrained``; anything that JSON can hold.
    """
    write_whole(path, save(policy.state_dict(), {"made_by": json.dumps(made_by)}))


def load_policy(name: str | Path) -> Pretrained:
    """A trained policy.

    Args:
        name: ``"reinforce"``, ``"a2c"`` or ``"ddpg"`` for those of the package, trained
            on the continuous cart-pole, or the path of a file of ``save_policy``.

    Raises:
        CheckpointError: the file is missing or damaged.

    Example:
        >>> load_policy("a2c").made_by["env_id"]
        'chula_rl/ContinuousCartPole-v0'
    """
    path = _DATA / f"{name}.safetensors" if name in NAMES else Path(name)
    try:
        with safe_open(path, framework="pt") as file:
            made_by = json.loads(file.metadata()["made_by"])
            names = file.keys()
            tensors = {name: file.get_tensor(name).clone() for name in names}
        policy = _empty_policy(tensors, made_by["config"]["hidden"])
        policy.load_state_dict(tensors)
    except (
        OSError,
        SafetensorError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as e:
        raise CheckpointError(
            f"{path} is no policy that this version can read: {e}. Expected one of "
            f"{', '.join(NAMES)}, or a file of `chula-rl export`."
        ) from e
    return Pretrained(policy, made_by)


def _empty_policy(tensors: dict[str, Tensor], hidden: list[int]) -> nn.Module:
    """A network of the sizes of the tensors; only a Gaussian one has a deviation."""
    obs_dim = len(tensors["obs_scale"])
    if "log_std" in tensors:
        return GaussianPolicy(obs_dim, len(tensors["log_std"]), hidden)
    bound = tensors["half_range"]
    return DeterministicPolicy(obs_dim, -bound, bound, hidden)
