"""Diagnostics against NumPy and numbers by hand."""

import math

import numpy as np
import pytest
import torch
from toys import normal

from chula_rl.diagnostics import clip_fraction, explained_variance, update_norm


class TestExplainedVariance:
    """Perfect, useless, worse, and undefined."""

    def test_it_is_one_minus_the_ratio_of_variances(self):
        value, return_ = normal(5, 4, seed=1), 3 * normal(5, 4, seed=2)
        residual = return_.numpy() - value.numpy()
        expected = 1 - np.var(residual) / np.var(return_.numpy())
        assert explained_variance(value, return_) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ([1.0, 2.0, 6.0], 1.0),
            ([8.0, 9.0, 13.0], 1.0),  # an offset is no variance
            ([7.0, 7.0, 7.0], 0.0),
            ([-1.0, -2.0, -6.0], -3.0),  # the residual is twice the return
        ],
    )
    def test_by_hand(self, value, expected):
        return_ = torch.tensor([1.0, 2.0, 6.0])
        assert explained_variance(torch.tensor(value), return_) == pytest.approx(
            expected
        )

    def test_equal_returns_have_no_variance_to_explain(self):
        assert math.isnan(explained_variance(torch.ones(3), torch.full((3,), 2.0)))


class TestClipFraction:
    """Components, not actions; each with its own bounds."""

    low, high = torch.tensor([-1.0, -2.0]), torch.tensor([1.0, 0.5])

    def test_by_hand(self):
        action = torch.tensor([[0.0, 0.0], [3.0, -9.0], [0.9, 0.6], [-1.5, -1.9]])
        assert clip_fraction(action, self.low, self.high) == 4 / 8

    def test_an_action_at_its_bound_counts(self):
        bounds = torch.stack([self.low, self.high])
        assert clip_fraction(bounds, self.low, self.high) == 1.0

    def test_it_is_the_share_that_clipping_changes_in_any_shape(self):
        action = 2 * normal(7, 5, 2).float()
        raw = action.numpy()
        changed = np.clip(raw, self.low.numpy(), self.high.numpy()) != raw
        expected = changed.mean()
        assert 0.2 < expected < 0.8
        assert clip_fraction(action, self.low, self.high) == pytest.approx(expected)

    def test_no_action_is_clipped_where_there_are_no_bounds(self):
        infinite = torch.full((2,), math.inf)
        assert clip_fraction(normal(4, 2), -infinite, infinite) == 0.0


class TestUpdateNorm:
    """Relative to the parameters before, of all tensors together."""

    def test_by_hand(self):
        before = [torch.tensor([[3.0], [0.0]]), torch.tensor([4.0])]
        after = [torch.tensor([[3.0], [1.5]], requires_grad=True), torch.tensor([6.0])]
        assert update_norm(before, after) == pytest.approx(2.5 / 5)

    def test_it_is_relative_to_where_the_step_started(self):
        one, three = [torch.ones(4)], [torch.full((4,), 3.0)]
        assert update_norm(one, three) == pytest.approx(2)
        assert update_norm(three, one) == pytest.approx(2 / 3)
        assert update_norm(one, one) == 0
