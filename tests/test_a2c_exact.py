"""Expectations of A2C's estimates: every trajectory enumerated, or by quadrature."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import SGD

from chula_rl.algorithms.a2c import Config, a2c_update
from chula_rl.returns import gae
from chula_rl.tabular import (
    action_values,
    enumerate_trajectories,
    random_mdp,
    softmax_policy,
    state_values,
)
from chula_rl.types import Rollout

LAMBDAS = [0.0, 0.5, 1.0]


class TestAdvantageOnATabularMDP:
    """The mean of ``gae`` over every trajectory there is, of three steps."""

    mdp = random_mdp(num_states=3, num_actions=2, gamma=0.8, seed=1)
    policy = softmax_policy(
        torch.tensor([[0.3, -0.5], [1.0, 0.2], [-0.7, 0.4]], dtype=torch.float64)
    )
    steps = enumerate_trajectories(mdp, policy, horizon=4)  # the last one: its state

    def advantage(self, lambda_, value):
        """``[3, K]``, of K trajectories with a value of each state."""
        value = value[self.steps.state].T  # [4, K]
        going_on = torch.zeros(3, len(self.steps.prob), dtype=torch.bool)
        flags = going_on, going_on
        reward = self.steps.reward.T[:3]
        return gae(reward, *flags, value[:3], value[1:], self.mdp.gamma, lambda_)

    def means(self, advantage):
        """``[3, S, A]``, the mean given the step, its state and its action."""
        weight = self.steps.prob * advantage
        means = torch.zeros(3, 3, 2, dtype=torch.float64)
        for t, s, a in np.ndindex(3, 3, 2):
            here = (self.steps.state[:, t] == s) & (self.steps.action[:, t] == a)
            means[t, s, a] = weight[t, here].sum() / self.steps.prob[here].sum()
        return means

    @pytest.mark.parametrize("lambda_", LAMBDAS)
    def test_with_the_exact_value_it_is_unbiased_for_every_lambda(self, lambda_):
        value = state_values(self.mdp, self.policy)
        exact = action_values(self.mdp, self.policy) - value[:, None]  # [S, A]
        advantage = self.advantage(lambda_, value)
        torch.testing.assert_close(
            self.means(advantage), exact.expand(3, 3, 2), rtol=1e-6, atol=1e-6
        )
        mean = (advantage @ self.steps.prob).tolist()  # of each step, over all actions
        assert mean == pytest.approx([0.0] * 3, abs=1e-6)
        assert exact.abs().min() > 0.01

    def test_with_another_value_lambda_decides_the_bias(self):
        exact = state_values(self.mdp, self.policy)
        value = exact + torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)
        target = action_values(self.mdp, self.policy) - value[:, None]
        bias = [
            (self.means(self.advantage(lambda_, value))[0] - target).abs().max().item()
            for lambda_ in LAMBDAS
        ]
        assert bias[0] > 1.5 * bias[1] > 3 * bias[2]
        assert bias[2] == pytest.approx(self.remaining_bias(value - exact))

    def remaining_bias(self, error):
        """At lambda 1: gamma^3 of the value's error three steps on, at the worst."""
        transition = torch.einsum("sa,sat->st", self.policy, self.mdp.transition)
        later = transition @ transition @ error
        return self.mdp.gamma**3 * (self.mdp.transition @ later).abs().max().item()


NODES, WEIGHTS = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(6))
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # exact for polynomials of degree 11


class LinearPolicy(nn.Module):
    """Mean ``w . obs``, one action dimension, in float64."""

    def __init__(self):
        super().__init__()
        weight = torch.tensor([[0.2], [-0.6]], dtype=torch.float64)
        self.weight = nn.Parameter(weight)
        self.log_std = nn.Parameter(torch.tensor([-0.4], dtype=torch.float64))

    def forward(self, obs):
        mean = obs @ self.weight
        return mean, self.log_std.expand_as(mean)


def actions(policy, obs):
    """``[..., 6]``, the actions at the nodes; differentiable in the policy."""
    mean, log_std = policy(obs)
    return mean + log_std.exp() * NODES


def play(policy):
    """Each pair of nodes as a rollout of two steps, and their probabilities.

    Rewards ``a (1 - a)``, then ``s' a' - a'^2`` where ``s' = a - a^2 / 4``, then the
    end. An observation is (1, 0), then (1, s').
    """
    first = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    action = actions(policy, first)[0]  # [6]
    second = torch.stack([torch.ones_like(action), action - action**2 / 4], -1)
    next_action = actions(policy, second)  # [6, 6]
    action = action[:, None].expand(6, 6)
    next_reward = second[:, 1:] * next_action - next_action**2
    obs = torch.stack([first.expand(36, 2), second.repeat_interleave(6, 0)])
    last = torch.tensor([[False], [True]]).expand(2, 36)
    rollout = Rollout(
        obs,
        torch.stack([action, next_action]).view(2, 36, 1),
        torch.stack([action * (1 - action), next_reward]).view(2, 36),
        terminated=last,
        truncated=torch.zeros_like(last),
        next_obs=obs[[1, 1]],
    )
    return rollout, torch.outer(WEIGHTS, WEIGHTS).flatten()


def expected_return(policy):
    """Differentiable through the actions: no policy gradient theorem in it."""
    rollout, prob = play(policy)
    return rollout.reward.sum(0) @ prob


class ExactValue(nn.Module):
    """The value of a policy by quadrature, plus an error at the second step."""

    def __init__(self, policy, error=0.0):
        super().__init__()
        self.policy, self.error = policy, error

    def parameters(self, recurse=True):
        return iter(())

    def forward(self, obs):
        action, state = actions(self.policy, obs), obs[..., 1:]
        second = (state * action - action**2) @ WEIGHTS + self.error * state[..., 0]
        first = expected_return(self.policy)
        return torch.where(state[..., 0] == 0, first, second).detach()


def expected_move(lambda_, error=0.0):
    """How far one update moves the policy on average, times the two steps."""
    config = Config(
        gamma=1.0,
        lambda_=lambda_,
        value_coef=0.0,
        entropy_coef=0.0,
        max_grad_norm=math.inf,
    )
    value_fn = ExactValue(LinearPolicy(), error)
    rollout, prob = play(LinearPolicy())
    total = torch.zeros(3, dtype=torch.float64)
    for k, weight in enumerate(prob):
        policy = LinearPolicy()
        pair = Rollout(*(column[:, k : k + 1].detach() for column in rollout))
        optimizer = SGD(policy.parameters(), lr=1.0)
        before = nn.utils.parameters_to_vector(policy.parameters()).detach().clone()
        a2c_update(policy, value_fn, optimizer, pair, config)
        after = nn.utils.parameters_to_vector(policy.parameters()).detach()
        total += 2 * weight * (after - before)
    return total


def exact_gradient():
    policy = LinearPolicy()
    gradient = torch.autograd.grad(expected_return(policy), [*policy.parameters()])
    return torch.cat([g.flatten() for g in gradient])


@pytest.mark.parametrize("lambda_", LAMBDAS)
def test_with_the_exact_value_the_expected_update_is_the_policy_gradient(lambda_):
    torch.testing.assert_close(
        expected_move(lambda_), exact_gradient(), rtol=1e-6, atol=1e-6
    )


def test_with_another_value_only_lambda_one_still_is():
    exact = exact_gradient()
    torch.testing.assert_close(expected_move(1.0, 0.5), exact, rtol=1e-6, atol=1e-6)
    assert (expected_move(0.0, 0.5) - exact).norm() > 0.05 * exact.norm()
