"""The MDP itself, and two families of examples."""

from typing import NamedTuple

import torch
from torch import Tensor


class TabularMDP(NamedTuple):
    """A finite Markov decision process with S states and A actions.

    Attributes:
        transition: ``[S, A, S]``, ``p(s'|s, a)``.
        reward: ``[S, A]``, the expected reward ``r(s, a)``.
        initial: ``[S]``, the distribution of the first state.
        gamma: discount factor in [0, 1].
    """

    transition: Tensor
    reward: Tensor
    initial: Tensor
    gamma: float

    @property
    def num_states(self) -> int:
        """S."""
        return self.transition.shape[0]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.transition.shape[1]


def random_mdp(
    num_states: int = 4, num_actions: int = 3, gamma: float = 0.9, seed: int = 0
) -> TabularMDP:
    """An MDP with random transitions, rewards and first state: no accidental symmetry.

    Args:
        num_states: S.
        num_actions: A.
        gamma: discount factor.
        seed: of the random numbers.

    Returns:
        Transitions and initial distribution uniform on the simplex, rewards standard
        normal.
    """
    generator = torch.Generator().manual_seed(seed)

    def simplex(*shape: int) -> Tensor:
        uniform = torch.rand(shape, dtype=torch.float64, generator=generator)
        exponential = -torch.log1p(-uniform)
        return exponential / exponential.sum(-1, keepdim=True)

    return TabularMDP(
        transition=simplex(num_states, num_actions, num_states),
        reward=torch.randn(
            num_states, num_actions, dtype=torch.float64, generator=generator
        ),
        initial=simplex(num_states),
        gamma=gamma,
    )


def chain_mdp(length: int = 3, gamma: float = 0.9) -> TabularMDP:
    """A corridor: action 1 moves on, action 0 stays; reward 1 for leaving its end.

    Args:
        length: states before the absorbing last one, so S = length + 1.
        gamma: discount factor.

    Returns:
        The optimal return from the first state is ``gamma**(length - 1)``.
    """
    transition = torch.zeros(length + 1, 2, length + 1, dtype=torch.float64)
    for s in range(length):
        transition[s, 0, s] = 1.0
        transition[s, 1, s + 1] = 1.0
    transition[length, :, length] = 1.0
    reward = torch.zeros(length + 1, 2, dtype=torch.float64)
    reward[length - 1, 1] = 1.0
    initial = torch.zeros(length + 1, dtype=torch.float64)
    initial[0] = 1.0
    return TabularMDP(transition, reward, initial, gamma)
