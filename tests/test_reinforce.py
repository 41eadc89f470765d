"""REINFORCE: its gradient by exact enumeration, its update by closed forms."""

import copy
import math
from statistics import variance
from typing import NamedTuple

import pytest
import torch
from torch.optim import SGD
from toys import LinearPolicy, LinearValue, normal

from chula_rl.algorithms.reinforce import Config, reinforce_update
from chula_rl.losses import reinforce_loss
from chula_rl.returns import rewards_to_go
from chula_rl.tabular import enumerate_trajectories, random_mdp, softmax_policy
from chula_rl.types import Episode


class TestGradientOnATabularMDP:
    """The mean of the loss's gradient over every trajectory there is."""

    horizon = 4
    mdp = random_mdp(num_states=3, num_actions=2, gamma=0.8, seed=1)
    theta = normal(3, 2)

    def exact_gradient(self):
        """Differentiate the finite-horizon return by backward induction."""
        theta = self.theta.clone().requires_grad_()
        policy, value = softmax_policy(theta), torch.zeros(3, dtype=torch.float64)
        for _ in range(self.horizon):
            following = self.mdp.transition @ value  # [S, A]
            value = (policy * (self.mdp.reward + self.mdp.gamma * following)).sum(-1)
        return torch.autograd.grad(self.mdp.initial @ value, theta)[0]

    def expected_gradient(self, baseline, gamma_of_loss):
        """Minus the gradient of the loss, weighted by the trajectories' probability.

        ``baseline`` is ``[S, horizon]``: it may depend on the time as well.
        """
        theta = self.theta.clone().requires_grad_()
        policy = softmax_policy(theta)
        trajectories = enumerate_trajectories(self.mdp, policy, self.horizon)
        timestep = torch.arange(self.horizon)
        total = torch.zeros((), dtype=torch.float64)
        for prob, state, _, reward, log_prob in zip(*trajectories, strict=True):
            return_ = rewards_to_go(reward, self.mdp.gamma)
            total = total + prob.detach() * reinforce_loss(
                log_prob, return_, baseline[state, timestep], timestep, 1, gamma_of_loss
            )
        return -torch.autograd.grad(total, theta)[0]

    @pytest.mark.parametrize("scale", [0.0, 5.0])
    def test_it_is_the_gradient_of_the_return_whatever_the_baseline(self, scale):
        baseline = scale * normal(3, self.horizon, seed=2)
        torch.testing.assert_close(
            self.expected_gradient(baseline, self.mdp.gamma),
            self.exact_gradient(),
            rtol=1e-12,
            atol=1e-12,
        )

    def test_without_gamma_to_the_t_it_is_another_vector(self):
        baseline = torch.zeros(3, self.horizon, dtype=torch.float64)
        exact = self.exact_gradient()
        dropped = self.expected_gradient(baseline, 1.0)
        assert (dropped - exact).norm() > 0.05 * exact.norm()


class Step(NamedTuple):
    """One step of the batch, in plain floats."""

    obs: list[float]
    action: float
    return_: float
    timestep: int


GAMMA = 0.9
LENGTHS = [4, 2]
EPISODES = [
    Episode(
        obs=normal(n, 2, seed=20 + n),
        action=normal(n, 1, seed=30 + n),
        reward=normal(n, seed=40 + n),
        terminated=True,
        truncated=False,
    )
    for n in LENGTHS
]


def steps_of_batch():
    for episode in EPISODES:
        reward = episode.reward.tolist()
        for t, (obs, action) in enumerate(zip(*episode[:2], strict=True)):
            return_ = sum(GAMMA ** (k - t) * r for k, r in enumerate(reward) if k >= t)
            yield Step(obs.tolist(), action.item(), return_, t)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


class ClosedForm:
    """The gradients of one update, from the derivatives of the Gaussian on paper."""

    def __init__(self, policy, value_fn, discount=True, entropy_coef=0.0):
        weight = policy.weight[:, 0].tolist()
        std = policy.log_std.exp().item()
        value_weight = [0.0, 0.0] if value_fn is None else value_fn.weight.tolist()
        self.policy = [0.0, 0.0, entropy_coef]  # the entropy is log_std + constant
        self.value = [0.0, 0.0]
        for obs, action, return_, t in steps_of_batch():
            z = (action - dot(weight, obs)) / std
            error = return_ - dot(value_weight, obs)
            scale = (GAMMA**t if discount else 1.0) * error / len(LENGTHS)
            score = [z / std * obs[0], z / std * obs[1], z**2 - 1]
            for i in range(3):
                self.policy[i] += scale * score[i]
            for i in range(2):
                self.value[i] += error * obs[i] / sum(LENGTHS)


def update(policy, value_fn=None, lr=1.0, **settings):
    """One update by plain gradient steps; how far each network's parameters moved."""
    networks = [network for network in (policy, value_fn) if network is not None]
    before = copy.deepcopy([list(network.parameters()) for network in networks])
    settings = {"gamma": GAMMA, "max_grad_norm": 1e9, **settings}
    metrics = reinforce_update(
        policy,
        value_fn,
        SGD(policy.parameters(), lr),
        SGD(value_fn.parameters(), lr) if value_fn is not None else None,
        EPISODES,
        Config(**settings),
    )
    moved = [
        [
            difference
            for p, q in zip(network.parameters(), old, strict=True)
            for difference in (p - q).flatten().tolist()
        ]
        for network, old in zip(networks, before, strict=True)
    ]
    return metrics, *moved


class TestUpdate:
    """One update of linear networks by plain gradient steps of rate 1."""

    @pytest.mark.parametrize("discount", [True, False])
    @pytest.mark.parametrize("entropy_coef", [0.0, 0.3])
    def test_without_a_baseline(self, discount, entropy_coef):
        policy = LinearPolicy()
        expected = ClosedForm(policy, None, discount, entropy_coef)
        _, moved = update(
            policy, discount_state_distribution=discount, entropy_coef=entropy_coef
        )
        assert moved == pytest.approx(expected.policy, rel=1e-9)

    def test_with_a_baseline_as_it_was_before_its_own_step(self):
        policy, value_fn = LinearPolicy(), LinearValue()
        expected = ClosedForm(policy, value_fn)
        _, policy_moved, value_moved = update(policy, value_fn)
        assert policy_moved == pytest.approx(expected.policy, rel=1e-9)
        assert value_moved == pytest.approx(expected.value, rel=1e-9)

    def test_each_gradient_is_clipped_by_its_own_norm(self):
        policy, value_fn = LinearPolicy(), LinearValue()
        expected = ClosedForm(policy, value_fn)
        _, *moved = update(policy, value_fn, max_grad_norm=0.01)
        for change, gradient in zip(
            moved, (expected.policy, expected.value), strict=True
        ):
            norm = math.hypot(*gradient)
            assert norm > 0.01
            clipped = [0.01 * g / norm for g in gradient]
            assert change == pytest.approx(clipped, rel=1e-4)

    def test_gradients_left_over_are_cleared(self):
        policy, value_fn = LinearPolicy(), LinearValue()
        _, *expected = update(copy.deepcopy(policy), copy.deepcopy(value_fn))
        for parameter in (*policy.parameters(), *value_fn.parameters()):
            parameter.grad = torch.full_like(parameter, 1e3)
        _, *moved = update(policy, value_fn)
        assert moved == expected

    def test_the_episodes_are_left_as_they_were(self):
        before = copy.deepcopy(EPISODES)
        update(LinearPolicy(), LinearValue())
        for episode, old in zip(EPISODES, before, strict=True):
            assert all(map(torch.equal, episode[:3], old[:3]))

    def test_diagnostics_by_hand(self):
        policy, value_fn = LinearPolicy(), LinearValue()
        expected = ClosedForm(policy, value_fn)
        weight = value_fn.weight.tolist()
        errors = [s.return_ - dot(weight, s.obs) for s in steps_of_batch()]
        returns = [s.return_ for s in steps_of_batch()]
        metrics, *_ = update(policy, value_fn, max_grad_norm=0.01)
        assert metrics["policy_grad_norm"] == pytest.approx(
            math.hypot(*expected.policy)
        )
        assert metrics["value_loss"] == pytest.approx(dot(errors, errors) / 2 / 6)
        assert metrics["explained_variance"] == pytest.approx(
            1 - variance(errors) / variance(returns)
        )
        assert metrics["entropy"] == pytest.approx(
            0.5 * math.log(2 * math.pi * math.e) - 0.4
        )

    def test_a_perfect_baseline_explains_all_variance_and_stops_the_policy(self):
        class Oracle(LinearValue):
            def forward(self, obs):
                returns = [step.return_ for step in steps_of_batch()]
                return torch.tensor(returns).to(obs) + 0 * (obs @ self.weight)

        metrics, policy_moved, _ = update(LinearPolicy(), Oracle())
        assert metrics["explained_variance"] == pytest.approx(1)
        assert metrics["value_loss"] == pytest.approx(0, abs=1e-12)
        assert policy_moved == pytest.approx([0, 0, 0], abs=1e-5)
