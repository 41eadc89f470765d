"""Small MDPs that are solved exactly, against which the book checks its theorems.

Everything is in float64 and differentiable with respect to the policy's parameters, so
that automatic differentiation of the objective is an independent witness of each
gradient formula. States end an episode by being absorbing with reward 0.
"""

from chula_rl.tabular.mdp import TabularMDP, chain_mdp, random_mdp
from chula_rl.tabular.solve import (
    action_values,
    discounted_state_distribution,
    objective,
    objective_gradient,
    softmax_policy,
    state_values,
)
from chula_rl.tabular.trajectories import Trajectories, enumerate_trajectories

__all__ = [
    "TabularMDP",
    "Trajectories",
    "action_values",
    "chain_mdp",
    "discounted_state_distribution",
    "enumerate_trajectories",
    "objective",
    "objective_gradient",
    "random_mdp",
    "softmax_policy",
    "state_values",
]
