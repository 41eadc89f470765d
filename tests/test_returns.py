"""Rewards-to-go against its definition, hand values and identities."""

import pytest
import torch

from chula_rl.errors import ShapeError
from chula_rl.returns import rewards_to_go


@pytest.fixture
def reward():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(40, dtype=torch.float64, generator=generator)


def definition(reward, gamma):
    """The double sum, one power at a time."""
    steps = range(len(reward))
    return [sum(gamma ** (k - t) * reward[k].item() for k in steps[t:]) for t in steps]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1.0])
def test_it_is_the_double_sum(reward, gamma):
    assert rewards_to_go(reward, gamma).tolist() == pytest.approx(
        definition(reward, gamma), rel=1e-12
    )


def test_by_hand():
    reward = torch.tensor([1.0, -2.0, 4.0])
    assert rewards_to_go(reward, 0.5).tolist() == [1.0, 0.0, 4.0]


def test_constant_rewards_give_the_geometric_sum():
    gamma = 0.9
    return_ = rewards_to_go(torch.ones(30, dtype=torch.float64), gamma)
    to_go = range(30, 0, -1)
    closed = [(1 - gamma**n) / (1 - gamma) for n in to_go]
    assert return_.tolist() == pytest.approx(closed, rel=1e-12)


def test_no_step_sees_an_earlier_reward(reward):
    changed = reward.clone()
    changed[10] += 1.0
    difference = rewards_to_go(changed, 0.5) - rewards_to_go(reward, 0.5)
    assert difference[11:].tolist() == [0.0] * 29
    discounts = [0.5**n for n in range(10, -1, -1)]
    assert difference[:11].tolist() == pytest.approx(discounts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype_stay_and_the_rewards_are_not_touched(reward, dtype):
    reward = reward.to(dtype)
    before = reward.clone()
    return_ = rewards_to_go(reward, 0.9)
    assert (return_.shape, return_.dtype) == (reward.shape, dtype)
    assert torch.equal(reward, before)


def test_no_steps_have_no_returns():
    assert rewards_to_go(torch.zeros(0), 0.9).shape == (0,)


@pytest.mark.parametrize("shape", [(), (3, 1), (2, 3)])
def test_more_or_less_than_one_episode_is_refused(shape):
    with pytest.raises(ShapeError, match=r"expected \[T\]"):
        rewards_to_go(torch.zeros(shape), 0.9)
