"""Returns and advantages against their definitions, hand values and identities."""

import math

import pytest
import torch

from chula_rl.errors import ShapeError
from chula_rl.returns import (
    gae,
    n_step_returns,
    rewards_to_go,
    successor_obs,
    td_target,
)


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


T, B = 7, 6
NO, YES = False, True


def rollout(dtype=torch.float64):
    """Reward, flags, value and next value ``[T, B]``; all combinations of flags."""
    generator = torch.Generator().manual_seed(4)
    reward, value, next_value = torch.randn(3, T, B, dtype=dtype, generator=generator)
    terminated, truncated = torch.rand(2, T, B, generator=generator) < 0.3
    assert len((terminated + 2 * truncated).unique()) == 4
    going_on = ~(terminated | truncated)[:-1]  # where the next state is the next row's
    next_value[:-1][going_on] = value[1:][going_on]
    return reward, terminated, truncated, value, next_value


def n_step_return(inputs, t, b, n, gamma):
    """n rewards from step t on, then the value of what follows; no recursion."""
    reward, terminated, _, _, next_value = inputs
    last = t + n - 1
    total = sum(gamma**k * reward[t + k, b].item() for k in range(n))
    if terminated[last, b]:
        return total
    return total + gamma**n * next_value[last, b].item()


def steps_left(inputs, t, b):
    """Steps from t until the episode or the rollout ends, the last one included."""
    _, terminated, truncated, *_ = inputs
    ends = (k for k in range(t, T) if terminated[k, b] or truncated[k, b])
    return next(ends, T - 1) - t + 1


def table(function):
    """``[T, B]`` of ``function(t, b)``."""
    rows = [[function(t, b) for b in range(B)] for t in range(T)]
    return torch.tensor(rows, dtype=torch.float64)


def column(*numbers):
    """``[T, 1]``."""
    return torch.tensor(numbers)[:, None]


class TestSuccessorObs:
    """The final observation where an episode ended, by either flag or both."""

    next_obs = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    terminated = torch.tensor([NO, YES, NO, YES])
    truncated = torch.tensor([NO, NO, YES, YES])

    def test_by_hand(self):
        final_obs = -self.next_obs
        before = self.next_obs.clone()
        successor = successor_obs(
            self.next_obs, final_obs, self.terminated, self.truncated
        )
        expected = [[1.0, 2.0], [-3.0, -4.0], [-5.0, -6.0], [-7.0, -8.0]]
        assert successor.tolist() == expected
        assert torch.equal(self.next_obs, before)

    def test_as_many_environments_as_variables_are_not_mixed_up(self):
        square = torch.ones(4, 4)
        successor = successor_obs(square, -square, self.terminated, self.truncated)
        assert successor[:, 0].tolist() == [1, -1, -1, -1]
        assert (successor == successor[:, :1]).all()

    def test_rubbish_where_no_episode_ended_stays_out(self):
        final_obs = torch.full_like(self.next_obs, math.nan)
        going_on = torch.zeros(4, dtype=torch.bool)
        successor = successor_obs(self.next_obs, final_obs, going_on, going_on)
        assert torch.equal(successor, self.next_obs)

    def test_other_shapes_are_refused(self):
        flags = self.terminated, self.truncated
        with pytest.raises(ShapeError, match=r"final_obs \(4, 1\)"):
            successor_obs(self.next_obs, self.next_obs[:, :1], *flags)
        with pytest.raises(ShapeError, match=r"truncated \(4, 1\)"):
            successor_obs(*[self.next_obs] * 2, flags[0], flags[1][:, None])


class TestNStepReturns:
    """Sums that stop at the end of the episode or of the rollout."""

    def call(self, inputs, gamma):
        reward, terminated, truncated, _, next_value = inputs
        return n_step_returns(reward, terminated, truncated, next_value, gamma)

    @pytest.mark.parametrize(
        ("terminated", "truncated", "expected"),
        [
            (NO, NO, [4.5, 7.0, 10.0]),  # 4 + 12/2; 2 + 10/2; 1 + 7/2
            (YES, NO, [2.0, 2.0, 10.0]),  # nothing after the 2
            (NO, YES, [4.0, 6.0, 10.0]),  # 8/2 after the 2
            (YES, YES, [2.0, 2.0, 10.0]),  # termination is what counts
        ],
    )
    def test_by_hand(self, terminated, truncated, expected):
        return_ = n_step_returns(
            reward=column(1.0, 2.0, 4.0),
            terminated=column(NO, terminated, NO),
            truncated=column(NO, truncated, NO),
            next_value=column(100.0, 8.0, 12.0),
            gamma=0.5,
        )
        assert return_[:, 0].tolist() == expected

    @pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
    def test_it_is_the_sum_of_the_definition(self, gamma):
        inputs = rollout()
        expected = table(
            lambda t, b: n_step_return(inputs, t, b, steps_left(inputs, t, b), gamma)
        )
        torch.testing.assert_close(
            self.call(inputs, gamma), expected, rtol=1e-12, atol=1e-12
        )

    def test_a_rollout_that_ends_by_termination_has_the_rewards_to_go(self):
        reward, *_ = rollout()
        last = torch.zeros(T, B, dtype=torch.bool)
        last[-1] = True
        return_ = n_step_returns(reward, last, ~last & last, reward + 9, 0.9)
        for b in range(B):
            torch.testing.assert_close(return_[:, b], rewards_to_go(reward[:, b], 0.9))


class TestGae:
    """The advantage as an average of n-step advantages; its two ends; its signs."""

    @pytest.mark.parametrize(
        ("terminated", "truncated", "expected"),
        [  # the errors are 1 + 4/2 - 2 = 1, then 2 (+ 8/2) - 3, then 4 + 12/2 - 6 = 4
            (NO, NO, [2.0, 4.0, 4.0]),
            (YES, NO, [0.75, -1.0, 4.0]),
            (NO, YES, [1.75, 3.0, 4.0]),
            (YES, YES, [0.75, -1.0, 4.0]),
        ],
    )
    def test_by_hand(self, terminated, truncated, expected):
        advantage = gae(
            reward=column(1.0, 2.0, 4.0),
            terminated=column(NO, terminated, NO),
            truncated=column(NO, truncated, NO),
            value=column(2.0, 3.0, 6.0),
            next_value=column(4.0, 8.0, 12.0),
            gamma=0.5,
            lambda_=0.5,
        )
        assert advantage[:, 0].tolist() == expected

    @pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
    @pytest.mark.parametrize("lambda_", [0.0, 0.6, 1.0])
    def test_it_is_the_lambda_weighted_sum_of_n_step_advantages(self, gamma, lambda_):
        inputs = rollout()

        def average(t, b):
            left = steps_left(inputs, t, b)
            weights = [(1 - lambda_) * lambda_ ** (n - 1) for n in range(1, left)]
            weights.append(lambda_ ** (left - 1))
            returns = [
                n_step_return(inputs, t, b, n, gamma) for n in range(1, left + 1)
            ]
            pairs = zip(weights, returns, strict=True)
            return sum(w * r for w, r in pairs) - inputs[3][t, b].item()

        torch.testing.assert_close(
            gae(*inputs, gamma, lambda_), table(average), rtol=1e-6, atol=1e-6
        )

    def test_at_lambda_one_it_is_the_n_step_return_minus_the_value(self):
        reward, terminated, truncated, value, next_value = inputs = rollout()
        return_ = n_step_returns(reward, terminated, truncated, next_value, 0.9)
        torch.testing.assert_close(gae(*inputs, 0.9, 1.0), return_ - value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_stays_and_no_input_is_touched(dtype):
    inputs = rollout(dtype)
    before = [tensor.clone() for tensor in inputs]
    results = [
        gae(*inputs, 0.9, 0.8),
        n_step_returns(*inputs[:3], inputs[4], 0.9),
        td_target(inputs[0], inputs[1], inputs[4], 0.9),
    ]
    for result in results:
        assert (result.dtype, result.shape) == (dtype, (T, B))
    assert all(map(torch.equal, inputs, before))


def test_td_target_by_hand_and_without_a_gradient():
    next_q = torch.tensor([4.0, 8.0], requires_grad=True)
    target = td_target(
        torch.tensor([1.0, 2.0]), torch.tensor([NO, YES]), next_q, gamma=0.5
    )
    assert target.tolist() == [3.0, 2.0]
    assert not target.requires_grad


@pytest.mark.parametrize(
    ("function", "columns", "numbers"),
    [
        (n_step_returns, [0, 1, 2, 4], [0.9]),
        (gae, [0, 1, 2, 3, 4], [0.9, 0.8]),
        (td_target, [0, 1, 4], [0.9]),
    ],
)
def test_a_column_among_the_rows_is_refused(function, columns, numbers):
    rows = [rollout()[i][:, 0] for i in columns]
    for wrong in range(len(rows)):
        tensors = list(rows)
        tensors[wrong] = tensors[wrong][:, None]
        with pytest.raises(ShapeError, match=r"\(7, 1\)"):
            function(*tensors, *numbers)
