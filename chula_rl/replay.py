"""The memory of an off-policy algorithm."""

import torch
from torch import Tensor

from chula_rl.errors import ConfigError, ShapeError
from chula_rl.types import Transition


class ReplayBuffer:
    """The most recent steps; the oldest make room when it is full.

    Args:
        capacity: most steps that it holds.
        obs_dim: number of observation variables.
        action_dim: number of action dimensions, A.
        seed: of the buffer's own generator, which draws the samples.

    Source: Lin (1992); Lillicrap et al. (2015), algorithm 1.
    """

    def __init__(
        self, capacity: int, obs_dim: int, action_dim: int, seed: int = 0
    ) -> None:
        ### BEGIN SOLUTION
        if capacity < 1:
            raise ConfigError(f"capacity is {capacity}; expected at least 1.")
        self.capacity = capacity
        self.columns = Transition(
            obs=torch.zeros(capacity, obs_dim),
            action=torch.zeros(capacity, action_dim),
            reward=torch.zeros(capacity),
            terminated=torch.zeros(capacity, dtype=torch.bool),
            truncated=torch.zeros(capacity, dtype=torch.bool),
            next_obs=torch.zeros(capacity, obs_dim),
        )
        self.added = 0  # steps since the beginning; the next goes to added % capacity
        self.generator = torch.Generator().manual_seed(seed)
        ### END SOLUTION

    def add(
        self,
        obs: Tensor,
        action: Tensor,
        reward: Tensor,
        terminated: Tensor,
        truncated: Tensor,
        next_obs: Tensor,
    ) -> None:
        """Remember one step of each of B environments.

        Args:
            obs: ``[B, obs_dim]``.
            action: ``[B, A]``, as the environment got it.
            reward: ``[B]``.
            terminated: ``[B]`` booleans.
            truncated: ``[B]`` booleans.
            next_obs: ``[B, obs_dim]``, the true successor.

        Raises:
            ConfigError: B is more than the capacity.
            ShapeError: a tensor has another shape.
        """
        ### BEGIN SOLUTION
        if len(reward) > self.capacity:
            raise ConfigError(
                f"{len(reward)} steps arrived at once; expected at most the capacity, "
                f"{self.capacity}. Make the buffer larger."
            )
        steps = Transition(obs, action, reward, terminated, truncated, next_obs)
        for name, column in self.columns._asdict().items():
            shape = (len(reward), *column.shape[1:])
            if getattr(steps, name).shape != shape:
                raise ShapeError(
                    f"{name} has shape {tuple(getattr(steps, name).shape)}; expected "
                    f"{shape}, a row for each of the {len(reward)} environments."
                )
        index = torch.arange(self.added, self.added + len(reward)) % self.capacity
        for column, values in zip(self.columns, steps, strict=True):
            column[index] = values
        self.added += len(reward)
        ### END SOLUTION

    def sample(self, n: int) -> Transition:
        """Draw n of the remembered steps, uniformly and with replacement.

        Raises:
            ConfigError: there are none yet.
        """
        ### BEGIN SOLUTION
        if not len(self):
            raise ConfigError(
                "the buffer is empty; expected at least 1 step: add first."
            )
        index = torch.randint(len(self), (n,), generator=self.generator)
        return Transition(*(column[index] for column in self.columns))
        ### END SOLUTION

    def __len__(self) -> int:
        """How many steps it holds."""
        ### BEGIN SOLUTION
        return min(self.added, self.capacity)
        ### END SOLUTION

    def state_dict(self) -> dict[str, Tensor]:
        """All that decides what it will give, for a checkpoint."""
        columns = self.columns._asdict().items()
        return {
            **{name: column[: len(self)] for name, column in columns},
            "added": torch.tensor(self.added),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Put back what ``state_dict`` gave."""
        self.added = int(state["added"])
        self.generator.set_state(state["generator"])
        for name, column in self.columns._asdict().items():
            column[: len(self)] = state[name]
