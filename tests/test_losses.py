"""Densities against torch.distributions; losses against loops and exact gradients."""

import math
from types import MappingProxyType

import pytest
import torch
from torch.distributions import Independent, Normal
from toys import normal

from chula_rl.errors import ShapeError
from chula_rl.losses import (
    a2c_loss,
    bounded_action,
    gaussian_entropy,
    gaussian_log_prob,
    reinforce_loss,
)

DTYPES = [(torch.float32, 1e-5), (torch.float64, 1e-12)]
LEADING_DIMS = [(), (7,), (5, 3)]


def gaussian_inputs(leading=(), dtype=torch.float64):
    """Mean, log_std and action of three dimensions."""
    return tuple(normal(*leading, 3, seed=seed, dtype=dtype) for seed in (1, 2, 3))


class TestGaussian:
    """Log-density and entropy."""

    @pytest.mark.parametrize("leading", LEADING_DIMS)
    @pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
    def test_they_are_those_of_torch_distributions(self, leading, dtype, tolerance):
        mean, log_std, action = gaussian_inputs(leading, dtype)
        expected = Independent(Normal(mean, log_std.exp()), 1)
        for ours, theirs in [
            (gaussian_log_prob(mean, log_std, action), expected.log_prob(action)),
            (gaussian_entropy(log_std), expected.entropy()),
        ]:
            assert (ours.shape, ours.dtype) == (leading, dtype)
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)

    def test_the_density_integrates_to_one(self):
        action = torch.linspace(-20, 20, 20_001, dtype=torch.float64)[:, None]
        mean, log_std = torch.full_like(action, 0.7), torch.full_like(action, 0.3)
        density = gaussian_log_prob(mean, log_std, action).exp()
        assert torch.trapezoid(density, action[:, 0]).item() == pytest.approx(1)

    def test_the_entropy_is_minus_the_mean_log_density(self):
        log_std = torch.tensor([0.4, -1.0], dtype=torch.float64).expand(200_000, 2)
        mean = torch.zeros_like(log_std)
        action = log_std.exp() * normal(200_000, 2)
        log_prob = gaussian_log_prob(mean, log_std, action)
        standard_error = (log_prob.std() / math.sqrt(len(log_prob))).item()
        assert gaussian_entropy(log_std)[0].item() == pytest.approx(
            -log_prob.mean().item(), abs=4 * standard_error
        )

    def test_gradients_agree_with_finite_differences(self):
        inputs = [tensor.requires_grad_() for tensor in gaussian_inputs((4,))]
        assert torch.autograd.gradcheck(gaussian_log_prob, inputs)
        assert torch.autograd.gradcheck(gaussian_entropy, inputs[1:2])

    def test_the_score_moves_the_mean_to_the_action(self):
        mean = torch.zeros(1, requires_grad=True)
        gaussian_log_prob(mean, torch.zeros(1), torch.tensor([2.0])).backward()
        assert mean.grad.item() == 2.0  # (a - mu) / sigma^2

    @pytest.mark.parametrize("wrong", [0, 1, 2])
    def test_tensors_of_other_shapes_are_refused(self, wrong):
        shapes = [(4, 1)] * 3
        shapes[wrong] = (4,)
        with pytest.raises(ShapeError, match=r"\(4, 1\)"):
            gaussian_log_prob(*map(torch.zeros, shapes))


class TestBoundedAction:
    """Sampling, and clipping a copy for the environment."""

    low, high = torch.tensor([-1.0, -2.0]), torch.tensor([1.0, 0.5])

    def sample(self, mean, noise, log_std=0.0):
        mean, noise = torch.tensor(mean), torch.tensor(noise)
        log_std = torch.full_like(mean, log_std)
        return bounded_action(mean, log_std, noise, self.low, self.high)

    def test_inside_the_bounds_both_are_the_sample(self):
        env_action, action = self.sample([0.5, -1.0], [0.2, 1.0], math.log(2))
        assert action.tolist() == pytest.approx([0.9, 1.0])
        assert env_action.tolist() == pytest.approx([0.9, 0.5])

    def test_each_dimension_has_its_own_bounds(self):
        env_action, action = self.sample([[9.0, 9.0], [-9.0, -9.0]], [[0.0, 0.0]] * 2)
        assert env_action.tolist() == [[1.0, 0.5], [-1.0, -2.0]]
        assert action.tolist() == [[9.0, 9.0], [-9.0, -9.0]]

    def test_the_raw_action_is_gaussian(self):
        mean, log_std = torch.full((100_000, 2), 3.0), torch.full((100_000, 2), -0.7)
        noise = normal(100_000, 2, dtype=torch.float32)
        _, action = bounded_action(mean, log_std, noise, self.low, self.high)
        std = math.exp(-0.7)
        error = 4 * std / math.sqrt(len(action))
        assert action.mean(0).tolist() == pytest.approx([3.0, 3.0], abs=error)
        assert action.std(0).tolist() == pytest.approx([std, std], abs=error)

    def test_tensors_of_other_shapes_are_refused(self):
        column, row = torch.zeros(4, 1), torch.zeros(4)
        with pytest.raises(ShapeError, match="noise"):
            bounded_action(column, column, row, self.low, self.high)


class TestReinforceLoss:
    """The surrogate, its gradient, and what it must not differentiate."""

    def inputs(self, dtype=torch.float64):
        """Two episodes, of three and two steps."""
        log_prob, return_, baseline = gaussian_inputs((5,), dtype)
        timestep = torch.tensor([0, 1, 2, 0, 1])
        return log_prob[:, 0], return_[:, 0], baseline[:, 0], timestep

    def weights(self, gamma, dtype=torch.float64):
        """What multiplies each log-density in the mean over the two episodes."""
        _, return_, baseline, timestep = (x.tolist() for x in self.inputs(dtype))
        rows = zip(return_, baseline, timestep, strict=True)
        return [gamma**t * (g - b) / 2 for g, b, t in rows]

    @pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
    @pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
    def test_it_is_the_sum_of_the_definition(self, gamma, dtype, tolerance):
        log_prob, *others = self.inputs(dtype)
        loss = reinforce_loss(log_prob, *others, num_episodes=2, gamma=gamma)
        pairs = zip(self.weights(gamma, dtype), log_prob.tolist(), strict=True)
        expected = -sum(weight * log for weight, log in pairs)
        assert (loss.shape, loss.dtype) == ((), dtype)
        assert loss.item() == pytest.approx(expected, rel=tolerance)

    def test_its_gradient_is_minus_the_weight_of_each_score(self):
        log_prob, *others = self.inputs()
        log_prob.requires_grad_()
        reinforce_loss(log_prob, *others, num_episodes=2, gamma=0.9).backward()
        expected = [-weight for weight in self.weights(0.9)]
        assert log_prob.grad.tolist() == pytest.approx(expected, rel=1e-12)

    def test_descent_makes_good_actions_likelier_and_bad_ones_less(self):
        log_prob = torch.zeros(2, requires_grad=True)
        return_, baseline = torch.tensor([3.0, 1.0]), torch.tensor([2.0, 2.0])
        timestep = torch.tensor([0, 0])
        reinforce_loss(log_prob, return_, baseline, timestep, 2, 1.0).backward()
        assert (-log_prob.grad).tolist() == [0.5, -0.5]

    def test_no_gradient_reaches_return_or_baseline(self):
        log_prob, return_, baseline, timestep = self.inputs()
        for tensor in (log_prob, return_, baseline):
            tensor.requires_grad_()
        reinforce_loss(log_prob, return_, baseline, timestep, 2, 0.9).backward()
        assert log_prob.grad is not None
        assert return_.grad is None
        assert baseline.grad is None

    @pytest.mark.parametrize("wrong", range(4))
    def test_a_column_among_the_rows_is_refused(self, wrong):
        tensors = list(self.inputs())
        tensors[wrong] = tensors[wrong][:, None]
        with pytest.raises(ShapeError, match=r"\(5, 1\)"):
            reinforce_loss(*tensors, num_episodes=2, gamma=0.9)

    def test_columns_throughout_are_refused_too(self):
        tensors = [tensor[:, None] for tensor in self.inputs()]
        with pytest.raises(ShapeError, match="action dimensions"):
            reinforce_loss(*tensors, num_episodes=2, gamma=0.9)


class TestA2CLoss:
    """Three terms: their signs, and what each of them moves."""

    coefs = MappingProxyType({"value_coef": 0.7, "entropy_coef": 0.1})

    def inputs(self, dtype=torch.float64):
        """Log-density, entropy, value and target, ``[3, 2]``."""
        return [normal(3, 2, seed=seed, dtype=dtype) for seed in (4, 5, 6, 7)]

    def gradients(self, inputs, **coefs):
        inputs = [tensor.clone().requires_grad_() for tensor in inputs]
        a2c_loss(*inputs, **(coefs or self.coefs)).backward()
        return [tensor.grad for tensor in inputs]

    def test_by_hand(self):
        rows = [[-1.0, -3.0], [0.5, 0.7], [1.0, 4.0], [2.0, 2.0]]
        loss = a2c_loss(*map(torch.tensor, rows), **self.coefs)
        policy = -(1 * -1 + -2 * -3) / 2  # the errors are 1 and -2
        value = (1 + 4) / 2 / 2
        assert loss.shape == ()
        assert loss.item() == pytest.approx(policy + 0.7 * value - 0.1 * 0.6)

    def test_descent_does_what_each_term_is_for(self):
        rows = [[-1.0, -3.0], [0.5, 0.7], [1.0, 4.0], [2.0, 2.0]]
        log_prob, entropy, value, target = self.gradients(map(torch.tensor, rows))
        assert (-log_prob).tolist() == [0.5, -1.0]  # what was good becomes likelier
        assert (-entropy).tolist() == pytest.approx([0.05, 0.05])
        assert (-value).tolist() == pytest.approx([0.35, -0.7])  # to its target
        assert target is None

    def test_gradients_agree_with_finite_differences(self):
        log_prob, entropy, value, target = self.inputs()

        def policy_side(log_prob, entropy):
            return a2c_loss(log_prob, entropy, value, target, **self.coefs)

        def value_side(value):  # no log-density, so that no advantage is held constant
            return a2c_loss(0 * log_prob, entropy, value, target, **self.coefs)

        for function, *inputs in (policy_side, log_prob, entropy), (value_side, value):
            inputs = [tensor.clone().requires_grad_() for tensor in inputs]
            assert torch.autograd.gradcheck(function, inputs)

    def test_the_advantage_is_a_constant_of_the_policy(self):
        log_prob, *others = self.inputs()
        for scale in (0.0, 50.0):
            gradient = self.gradients([scale * log_prob, *others])[2]
            torch.testing.assert_close(gradient, self.gradients([log_prob, *others])[2])
        without_value = self.gradients(
            [log_prob, *others], value_coef=0.0, entropy_coef=0.1
        )
        assert without_value[2].abs().max() == 0

    @pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
    def test_dtype_stays_and_axes_do_not_matter(self, dtype, tolerance):
        inputs = self.inputs(dtype)
        loss = a2c_loss(*inputs, **self.coefs)
        flat = a2c_loss(*[tensor.flatten() for tensor in inputs], **self.coefs)
        assert loss.dtype == dtype
        torch.testing.assert_close(loss, flat, rtol=tolerance, atol=tolerance)

    @pytest.mark.parametrize("wrong", range(4))
    def test_a_column_among_the_rows_is_refused(self, wrong):
        tensors = [tensor[:, 0] for tensor in self.inputs()]
        tensors[wrong] = tensors[wrong][:, None]
        with pytest.raises(ShapeError, match=r"\(3, 1\)"):
            a2c_loss(*tensors, **self.coefs)
