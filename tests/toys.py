"""Small networks and small runs that several test modules use."""

from pathlib import Path

import torch
from torch import nn

from chula_rl import cli, logs, runs
from chula_rl.algorithms import ddpg

TINY = ("--total-steps=400", "--num-episodes=2", "--hidden=4", "--eval-episodes=3")
SMALL_DDPG = ddpg.Config(
    total_steps=240,
    num_envs=4,
    num_updates=2,
    random_steps=60,
    capacity=100,  # less than it adds
    batch_size=16,
    hidden=(8,),
    noise_std=0.5,
    noise_theta=0.3,
)


def normal(*shape, seed=0, dtype=torch.float64):
    """Standard normal numbers, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


class LinearPolicy(nn.Module):
    """Mean ``w . obs``, one action dimension, in float64."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(2, 1, seed=10))
        self.log_std = nn.Parameter(torch.tensor([-0.4], dtype=torch.float64))

    def forward(self, obs):
        mean = obs @ self.weight
        return mean, self.log_std.expand_as(mean)


class LinearValue(nn.Module):
    """Value ``v . obs``, in float64."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(2, seed=11))

    def forward(self, obs):
        return obs @ self.weight


def train_tiny(*options):
    """``chula-rl train reinforce`` with few steps; its exit status."""
    return cli.main(["train", "reinforce", "--no-gif", *TINY, *options])


def same_result(a, b):
    """Whether the folders of two runs hold the same metrics and parameters."""
    return all(
        Path(a, name).read_bytes() == Path(b, name).read_bytes()
        for name in (logs.METRICS, runs.CHECKPOINT)
    )
