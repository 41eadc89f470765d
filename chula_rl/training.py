"""What the training loops of the algorithms share: seeds and learning rates."""

import numpy as np
import torch
from torch.optim import Optimizer


def seeded_generator(seed: int, iteration: int) -> torch.Generator:
    """A generator for one iteration; streams of different pairs are independent.

    A run can go on from any iteration without the state of a generator.
    """
    mixed = np.random.SeedSequence([seed, iteration]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed) >> 1)


def set_lr(optimizer: Optimizer, *rates: float) -> None:
    """Set the learning rate of each parameter group of an optimiser.

    Args:
        optimizer: the optimiser.
        rates: one for each of its groups.
    """
    for group, lr in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = lr
