"""Exact solutions against hand values, brute force, finite differences, sampling."""

import math

import pytest
import torch
from torch import Tensor

from chula_rl.errors import ConfigError
from chula_rl.tabular import (
    TabularMDP,
    action_values,
    chain_mdp,
    discounted_state_distribution,
    enumerate_trajectories,
    objective,
    objective_gradient,
    random_mdp,
    softmax_policy,
    state_values,
)

GAMMA = 0.8


@pytest.fixture
def mdp() -> TabularMDP:
    return random_mdp(num_states=3, num_actions=2, gamma=GAMMA, seed=5)


@pytest.fixture
def theta() -> Tensor:
    generator = torch.Generator().manual_seed(6)
    return torch.randn(3, 2, dtype=torch.float64, generator=generator)


def tensor(*values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def transition_of(mdp: TabularMDP, policy: Tensor) -> Tensor:
    rows = [
        sum(policy[s, a] * mdp.transition[s, a] for a in range(mdp.num_actions))
        for s in range(mdp.num_states)
    ]
    return torch.stack(rows)


def test_random_mdp_is_a_distribution_everywhere(mdp: TabularMDP) -> None:
    assert mdp.transition.shape == (3, 2, 3)
    assert mdp.reward.shape == (3, 2)
    for prob in (mdp.transition, mdp.initial):
        assert prob.dtype == torch.float64
        assert (prob > 0).all()
        torch.testing.assert_close(prob.sum(-1), torch.ones_like(prob.sum(-1)))


def test_random_mdp_depends_on_the_seed_only() -> None:
    first, same, other = (random_mdp(seed=seed) for seed in (1, 1, 2))
    for a, b, c in zip(first[:3], same[:3], other[:3], strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_softmax_policy_by_hand() -> None:
    policy = softmax_policy(tensor([0.0, math.log(3.0)], [5.0, 5.0]))
    torch.testing.assert_close(policy, tensor([0.25, 0.75], [0.5, 0.5]))


def test_chain_solved_by_hand() -> None:
    mdp = chain_mdp(length=3, gamma=GAMMA)
    advance = tensor(*[[0, 1]] * 4)
    torch.testing.assert_close(
        state_values(mdp, advance), tensor(GAMMA**2, GAMMA, 1.0, 0.0)
    )
    torch.testing.assert_close(
        action_values(mdp, advance),
        tensor([GAMMA**3, GAMMA**2], [GAMMA**2, GAMMA], [GAMMA, 1.0], [0.0, 0.0]),
    )
    torch.testing.assert_close(
        discounted_state_distribution(mdp, advance),
        tensor(1.0, GAMMA, GAMMA**2, GAMMA**3 / (1 - GAMMA)),
    )
    assert objective(mdp, advance).item() == pytest.approx(GAMMA**2)


def test_staying_in_the_chain_earns_nothing() -> None:
    mdp = chain_mdp(length=2, gamma=GAMMA)
    stay = tensor(*[[1, 0]] * 3)
    assert objective(mdp, stay).item() == 0.0
    torch.testing.assert_close(
        discounted_state_distribution(mdp, stay), tensor(1 / (1 - GAMMA), 0.0, 0.0)
    )


def test_values_and_visits_are_sums_over_time(mdp: TabularMDP, theta: Tensor) -> None:
    policy = softmax_policy(theta)
    move = transition_of(mdp, policy)
    reward = (policy * mdp.reward).sum(-1)
    values, visits = torch.zeros(3).double(), torch.zeros(3).double()
    ahead, behind = reward, mdp.initial  # P^t r and p_0 P^t
    for t in range(200):
        values += GAMMA**t * ahead
        visits += GAMMA**t * behind
        ahead, behind = move @ ahead, behind @ move
    torch.testing.assert_close(state_values(mdp, policy), values)
    torch.testing.assert_close(discounted_state_distribution(mdp, policy), visits)
    assert visits.sum().item() == pytest.approx(1 / (1 - GAMMA))


def test_action_values_average_to_state_values(mdp: TabularMDP, theta: Tensor) -> None:
    policy = softmax_policy(theta)
    average = (policy * action_values(mdp, policy)).sum(-1)
    torch.testing.assert_close(average, state_values(mdp, policy))


def test_gradient_equals_finite_differences(mdp: TabularMDP, theta: Tensor) -> None:
    step = 1e-5
    expected = torch.zeros_like(theta)
    for index in range(theta.numel()):
        shift = torch.zeros_like(theta)
        shift.view(-1)[index] = step
        up, down = (
            objective(mdp, softmax_policy(theta + sign * shift)) for sign in (1, -1)
        )
        expected.view(-1)[index] = (up - down) / (2 * step)
    gradient = objective_gradient(mdp, theta)
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-9)
    assert not theta.requires_grad


def test_trajectories_of_the_chain_by_hand() -> None:
    mdp = chain_mdp(length=2)
    policy = tensor([0.25, 0.75], [0.5, 0.5], [0.5, 0.5])
    paths = enumerate_trajectories(mdp, policy, horizon=2)
    found = {
        (*state, *action): (prob, *reward)
        for state, action, prob, reward in zip(
            paths.state.tolist(),
            paths.action.tolist(),
            paths.prob.tolist(),
            paths.reward.tolist(),
            strict=True,
        )
    }
    assert found == {  # (s_0, s_1, a_0, a_1): (probability, r_0, r_1)
        (0, 0, 0, 0): (0.0625, 0.0, 0.0),
        (0, 0, 0, 1): (0.1875, 0.0, 0.0),
        (0, 1, 1, 0): (0.375, 0.0, 0.0),
        (0, 1, 1, 1): (0.375, 0.0, 1.0),
    }
    torch.testing.assert_close(paths.log_prob.exp()[0], tensor(0.25, 0.25))


def test_trajectories_agree_with_the_linear_solve(
    mdp: TabularMDP, theta: Tensor
) -> None:
    mdp = mdp._replace(gamma=0.05)  # seven steps leave out 0.05**7 = 8e-10
    policy = softmax_policy(theta)
    paths = enumerate_trajectories(mdp, policy, horizon=7)
    assert paths.prob.sum().item() == pytest.approx(1.0)
    discount = 0.05 ** torch.arange(7).double()
    mean_return = paths.prob @ (paths.reward @ discount)
    torch.testing.assert_close(mean_return, objective(mdp, policy), rtol=0, atol=1e-8)


def test_trajectories_are_differentiable(mdp: TabularMDP, theta: Tensor) -> None:
    theta.requires_grad_()
    paths = enumerate_trajectories(mdp, softmax_policy(theta), horizon=3)
    (of_prob,) = torch.autograd.grad(paths.prob[7].log(), theta, retain_graph=True)
    (of_policy,) = torch.autograd.grad(paths.log_prob[7].sum(), theta)
    assert of_prob.abs().max() > 0.01
    torch.testing.assert_close(of_prob, of_policy)


def test_sampled_episodes_agree(mdp: TabularMDP, theta: Tensor) -> None:
    policy = softmax_policy(theta)
    generator = torch.Generator().manual_seed(0)
    count = 20_000

    def draw(prob: Tensor) -> Tensor:
        return torch.multinomial(prob, 1, generator=generator).squeeze(-1)

    return_, visits = torch.zeros(count).double(), torch.zeros(count, 3).double()
    state = draw(mdp.initial.expand(count, -1))
    for t in range(60):  # 0.8**60 = 2e-6
        visits[torch.arange(count), state] += GAMMA**t
        action = draw(policy[state])
        return_ += GAMMA**t * mdp.reward[state, action]
        state = draw(mdp.transition[state, action])

    def z_score(sample: Tensor, exact: Tensor) -> Tensor:
        return (sample.mean(0) - exact) / (sample.std(0) / count**0.5)

    assert abs(z_score(return_, objective(mdp, policy))) < 4
    exact = discounted_state_distribution(mdp, policy)
    assert (z_score(visits, exact).abs() < 4).all()


def test_horizon_must_be_positive(mdp: TabularMDP, theta: Tensor) -> None:
    with pytest.raises(ConfigError, match="horizon is 0"):
        enumerate_trajectories(mdp, softmax_policy(theta), horizon=0)


def test_too_many_trajectories_are_refused(mdp: TabularMDP, theta: Tensor) -> None:
    with pytest.raises(ConfigError, match="smaller MDP or horizon"):
        enumerate_trajectories(mdp, softmax_policy(theta), horizon=9)
