"""Every trajectory of a small MDP with its probability: expectations, unsampled."""

from typing import NamedTuple

import torch
from torch import Tensor

from chula_rl.errors import ConfigError
from chula_rl.tabular.mdp import TabularMDP

MAX_TRAJECTORIES = 2_000_000


class Trajectories(NamedTuple):
    """All K trajectories of T steps that have a chance to happen.

    Attributes:
        prob: ``[K]``, the probability of each; differentiable in the policy.
        state: ``[K, T]``, the states on which the actions were taken.
        action: ``[K, T]``.
        reward: ``[K, T]``, ``r(s_t, a_t)``.
        log_prob: ``[K, T]``, ``log pi(a_t|s_t)``; differentiable in the policy.
    """

    prob: Tensor
    state: Tensor
    action: Tensor
    reward: Tensor
    log_prob: Tensor


def enumerate_trajectories(
    mdp: TabularMDP, policy: Tensor, horizon: int
) -> Trajectories:
    """List every trajectory ``s_0, a_0, ..., s_{T-1}, a_{T-1}`` of an episode.

    Args:
        mdp: the MDP; its discount factor is not used.
        policy: ``[S, A]``.
        horizon: T, at least 1.

    Returns:
        The trajectories; their probabilities sum to 1.

    Raises:
        ConfigError: there would be more than two million of them.
    """
    if horizon < 1:
        raise ConfigError(f"horizon is {horizon}; expected at least 1.")
    count = (mdp.num_states * mdp.num_actions) ** horizon
    if count > MAX_TRAJECTORIES:
        raise ConfigError(
            f"{mdp.num_states} states, {mdp.num_actions} actions and {horizon} steps "
            f"give up to {count} trajectories, more than {MAX_TRAJECTORIES}; "
            "take a smaller MDP or horizon."
        )
    pairs = torch.cartesian_prod(
        torch.arange(mdp.num_states), torch.arange(mdp.num_actions)
    )  # [S * A, 2]
    index = torch.cartesian_prod(*[torch.arange(len(pairs))] * horizon)
    state, action = pairs[index.reshape(-1, horizon)].unbind(-1)  # [K, T]

    prob = mdp.initial[state[:, 0]] * policy[state, action].prod(-1)  # [K]
    moves = mdp.transition[state[:, :-1], action[:, :-1], state[:, 1:]]  # [K, T - 1]
    prob = prob * moves.prod(-1)
    possible = prob > 0
    state, action = state[possible], action[possible]
    return Trajectories(
        prob=prob[possible],
        state=state,
        action=action,
        reward=mdp.reward[state, action],
        log_prob=policy[state, action].log(),
    )
