"""Exact values, state distribution, objective and its gradient, by linear algebra.

All of them need gamma < 1 (or episodes that surely end: see ``trajectories`` for that).
"""

import torch
from torch import Tensor

from chula_rl.tabular.mdp import TabularMDP


def softmax_policy(theta: Tensor) -> Tensor:
    r"""Softmax policy :math:`\pi_\theta(a|s) \propto e^{\theta_{sa}}`.

    Args:
        theta: ``[S, A]``.

    Returns:
        ``[S, A]``, rows summing to 1.
    """
    return torch.softmax(theta, dim=-1)


def state_values(mdp: TabularMDP, policy: Tensor) -> Tensor:
    r"""Solve the Bellman equation :math:`V = r_\pi + \gamma P_\pi V`.

    Args:
        mdp: with gamma < 1.
        policy: ``[S, A]``.

    Returns:
        ``[S]``, :math:`V^\pi`.
    """
    reward = (policy * mdp.reward).sum(-1)  # [S]
    values: Tensor = torch.linalg.solve(_resolvent_inverse(mdp, policy), reward)
    return values


def action_values(mdp: TabularMDP, policy: Tensor) -> Tensor:
    r"""Action values :math:`Q^\pi(s,a) = r(s,a) + \gamma\sum_{s'}p(s'|s,a)V^\pi(s')`.

    Args:
        mdp: with gamma < 1.
        policy: ``[S, A]``.

    Returns:
        ``[S, A]``.
    """
    return mdp.reward + mdp.gamma * mdp.transition @ state_values(mdp, policy)


def discounted_state_distribution(mdp: TabularMDP, policy: Tensor) -> Tensor:
    r"""Discounted visits :math:`d^\pi(s) = \sum_t \gamma^t \Pr(s_t = s)`.

    Args:
        mdp: with gamma < 1.
        policy: ``[S, A]``.

    Returns:
        ``[S]``, unnormalised: it sums to ``1 / (1 - gamma)``.
    """
    visits: Tensor = torch.linalg.solve(_resolvent_inverse(mdp, policy).T, mdp.initial)
    return visits


def objective(mdp: TabularMDP, policy: Tensor) -> Tensor:
    r"""Expected discounted return :math:`J = \sum_s p_0(s) V^\pi(s)`, a scalar."""
    return mdp.initial @ state_values(mdp, policy)


def objective_gradient(mdp: TabularMDP, theta: Tensor) -> Tensor:
    r"""Gradient of J for the softmax policy, by automatic differentiation.

    No policy gradient theorem is used: the linear solve for V is differentiated.

    Args:
        mdp: with gamma < 1.
        theta: ``[S, A]``.

    Returns:
        ``[S, A]``, :math:`\nabla_\theta J`.
    """
    theta = theta.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(mdp, softmax_policy(theta)), theta)
    return gradient


def _resolvent_inverse(mdp: TabularMDP, policy: Tensor) -> Tensor:
    """``I - gamma P_pi``, ``[S, S]``."""
    transition = torch.einsum("sa,sat->st", policy, mdp.transition)
    return torch.eye(mdp.num_states, dtype=policy.dtype) - mdp.gamma * transition
