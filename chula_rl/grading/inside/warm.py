"""What a process does once, so that those it forks need not."""

import importlib

import gymnasium
import matplotlib.pyplot as plt
import torch

from chula_rl.envs import ENV_ID

_ALGORITHMS = ("reinforce", "a2c", "ddpg")


def warm_up() -> None:
    """Import what assignments use, and let libraries make what they make once."""
    for name in ("tqdm", *(f"chula_rl.algorithms.{name}" for name in _ALGORITHMS)):
        importlib.import_module(name)

    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.randn(3, 2)).sum().backward()
    optimizer.step()
    gymnasium.make_vec(ENV_ID, num_envs=2).reset(seed=0)
    plt.close(plt.figure())
