"""The mathematics of DDPG by hand, by finite differences and in closed form."""

import math

import pytest
import torch
from torch import nn
from toys import normal

from chula_rl.errors import ShapeError
from chula_rl.losses import actor_loss, critic_loss, exploratory_action
from chula_rl.returns import td_target

DTYPES = [torch.float32, torch.float64]
LOW, HIGH = torch.tensor([-1.0, 0.0]), torch.tensor([2.0, 0.5])


def parameter(*shape, seed=0):
    return normal(*shape, seed=seed).requires_grad_()


def central_differences(function, at, step=1e-6):
    """The gradient of a scalar function, one coordinate at a time."""
    gradient = torch.zeros_like(at)
    for index in range(at.numel()):
        shift = torch.zeros_like(at)
        shift.view(-1)[index] = step
        rise = function(at + shift) - function(at - shift)
        gradient.view(-1)[index] = rise / (2 * step)
    return gradient


class TestExploratoryAction:
    """Noise, then the bounds of each dimension."""

    def test_by_hand(self):
        action = torch.tensor([[0.5, 0.25], [1.5, 0.25], [-0.5, 0.25], [0.0, 0.4]])
        noise = torch.tensor([[0.25, -0.125], [1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]])
        bounded = exploratory_action(action, noise, LOW, HIGH)
        expected = torch.tensor([[0.75, 0.125], [2.0, 0.5], [-1.0, 0.0], [0.0, 0.4]])
        assert torch.equal(bounded, expected)

    def test_the_sum_is_clipped_and_not_the_action_alone(self):
        action, noise = torch.tensor([[3.0, 9.0]]), torch.tensor([[-2.5, -8.75]])
        assert exploratory_action(action, noise, LOW, HIGH).tolist() == [[0.5, 0.25]]

    def test_it_leaves_its_inputs_alone(self):
        action, noise = torch.full((3, 2), 5.0), torch.ones(3, 2)
        exploratory_action(action, noise, LOW, HIGH)
        assert action.eq(5).all()
        assert noise.eq(1).all()

    def test_other_shapes_of_noise_are_refused(self):
        with pytest.raises(ShapeError, match=r"action \(3, 2\), noise \(2,\)"):
            exploratory_action(torch.zeros(3, 2), torch.zeros(2), LOW, HIGH)


class TestTdTarget:
    """What the critic is told."""

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_by_hand(self, dtype):
        reward = torch.tensor([1.0, 1.0, -2.0], dtype=dtype)
        next_q = torch.tensor([10.0, 10.0, -4.0], dtype=dtype)
        terminated = torch.tensor([False, True, False])
        target = td_target(reward, terminated, next_q, 0.75)
        assert (target.dtype, target.tolist()) == (dtype, [8.5, 1.0, -5.0])

    def test_gamma_0_is_the_reward_alone(self):
        reward, flags = normal(9), torch.zeros(9, dtype=torch.bool)
        assert torch.equal(td_target(reward, flags, normal(9, seed=1), 0.0), reward)

    def test_a_constant_reward_has_the_geometric_sum_as_fixed_point(self):
        value, flags = torch.full((2,), 1 / (1 - 0.9)), torch.tensor([False, False])
        target = td_target(torch.ones(2), flags, value, 0.9)
        torch.testing.assert_close(target, value)

    def test_it_carries_no_gradient_and_leaves_its_inputs_alone(self):
        reward, next_q = parameter(4), parameter(4, seed=1)
        before = reward.tolist(), next_q.tolist()
        target = td_target(reward, torch.zeros(4, dtype=torch.bool), next_q, 0.9)
        assert not target.requires_grad
        assert (reward.tolist(), next_q.tolist()) == before

    @pytest.mark.parametrize("shape", [(4, 1), (1,), ()])
    def test_other_shapes_are_refused(self, shape):
        flags = torch.zeros(4, dtype=torch.bool)
        with pytest.raises(ShapeError, match="next_q"):
            td_target(torch.zeros(4), flags, torch.zeros(shape), 0.9)


class TestCriticLoss:
    """A mean square, not half of one."""

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_by_hand(self, dtype):
        q = torch.tensor([1.0, 2.0, -1.0], dtype=dtype)
        target = torch.tensor([3.0, 2.0, 0.0], dtype=dtype)
        loss = critic_loss(q, target)
        assert (loss.shape, loss.dtype) == ((), dtype)
        assert loss.item() == pytest.approx((4 + 0 + 1) / 3)

    def test_the_gradient_is_that_of_finite_differences(self):
        q, target = parameter(6), normal(6, seed=1)
        (gradient,) = torch.autograd.grad(critic_loss(q, target), q)
        expected = central_differences(lambda x: critic_loss(x, target), q.detach())
        torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-8)

    def test_no_gradient_flows_into_the_target(self):
        q, target = parameter(5), parameter(5, seed=1)
        critic_loss(q, target).backward()
        assert target.grad is None
        # downhill is towards the target
        assert torch.equal(q.grad.sign(), (q - target).detach().sign())

    @pytest.mark.parametrize("shape", [(4, 1), (1,), ()])
    def test_other_shapes_are_refused(self, shape):
        with pytest.raises(ShapeError, match=r"q \(4,\), target"):
            critic_loss(torch.zeros(4), torch.zeros(shape))


class TestActorLoss:
    """The deterministic policy gradient of Silver et al. (2014), theorem 1."""

    obs = normal(5, 3, seed=2)
    gain = normal(2, 3, seed=3)

    def quadratic(self, obs, action):
        """``Q = -|a - K s|^2``: the best action is known, and every gradient."""
        return -(action - obs @ self.gain.T).square().sum(-1)

    def test_by_hand(self):
        obs = torch.tensor([[1.0], [3.0]])
        loss = actor_loss(lambda s: 2 * s, lambda s, a: (s * a).squeeze(-1), obs)
        assert (loss.shape, loss.item()) == ((), -(2 + 18) / 2)

    def test_on_a_quadratic_critic_it_is_the_closed_form(self):
        weight = parameter(2, 3, seed=4)
        actor_loss(lambda s: s @ weight.T, self.quadratic, self.obs).backward()
        expected = [[0.0] * 3 for _ in range(2)]
        difference = (weight - self.gain).tolist()
        for s in self.obs.tolist():  # d/dW |W s - K s|^2 = 2 (W - K) s s^T
            for i in range(2):
                error = sum(d * x for d, x in zip(difference[i], s, strict=True))
                for j in range(3):
                    expected[i][j] += 2 * error * s[j] / len(self.obs)
        assert weight.grad.tolist() == [pytest.approx(row) for row in expected]

    def test_downhill_leads_to_the_best_action(self):
        weight = parameter(2, 3, seed=4)
        for _ in range(2_000):
            loss = actor_loss(lambda s: s @ weight.T, self.quadratic, self.obs)
            (gradient,) = torch.autograd.grad(loss, weight)
            weight.data -= 0.1 * gradient
        torch.testing.assert_close(weight.detach(), self.gain, rtol=1e-4, atol=1e-4)

    def test_it_is_the_chain_rule_through_the_action_alone(self):
        weight = parameter(2, 3, seed=4)
        torch.manual_seed(0)
        critic = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).double()

        def q(obs, action):
            return critic(torch.cat([obs, action], dim=-1)).squeeze(-1)

        def loss(weight):
            return actor_loss(lambda s: torch.tanh(s @ weight.T), q, self.obs)

        (gradient,) = torch.autograd.grad(loss(weight), weight)
        expected = torch.zeros(2, 3, dtype=torch.float64)
        for s in self.obs:  # - grad_a Q(s, a) at mu(s), times d mu / d W, on paper
            mu = torch.tanh(weight.detach() @ s)
            slope = central_differences(lambda a, s=s: q(s, a).detach(), mu)
            expected -= torch.outer(slope * (1 - mu**2), s) / len(self.obs)
        torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-8)
        numeric = central_differences(lambda w: loss(w).detach(), weight.detach())
        torch.testing.assert_close(gradient, numeric, rtol=1e-6, atol=1e-8)

    def test_where_the_value_ignores_the_action_there_is_nothing_to_learn(self):
        weight = parameter(2, 3, seed=4)
        loss = actor_loss(
            lambda s: s @ weight.T, lambda s, a: s.sum(-1) + 0 * a.sum(-1), self.obs
        )
        (gradient,) = torch.autograd.grad(loss, weight)
        assert math.isfinite(loss.item())
        assert not gradient.any()
