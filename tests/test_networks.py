"""The networks: shapes, scales, their start, and an independent forward pass."""

import numpy as np
import pytest
import torch

from chula_rl.networks import (
    DeterministicPolicy,
    GaussianPolicy,
    QNetwork,
    ValueNetwork,
    soft_update,
)

LEADING_DIMS = [(), (1,), (7,), (5, 3)]
SCALE = np.array([0.5, 2.0, 10.0], dtype=np.float32)
ACTION_SCALE = np.array([0.25, 4.0], dtype=np.float32)
LOW, HIGH = torch.tensor([-1.0, 0.5]), torch.tensor([3.0, 8.0])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def policy(seed=0, **kwargs):
    return GaussianPolicy(3, 2, generator=generator(seed), **kwargs)


def value_fn(seed=0, **kwargs):
    return ValueNetwork(3, generator=generator(seed), **kwargs)


def actor(seed=0, **kwargs):
    return DeterministicPolicy(3, LOW, HIGH, generator=generator(seed), **kwargs)


def q_network(seed=0, **kwargs):
    return QNetwork(3, 2, generator=generator(seed), **kwargs)


def randomised(network, seed=9, size=0.7):
    """The network with random parameters, biases and gains of a norm included."""
    source = generator(seed)
    with torch.no_grad():
        for p in network.parameters():
            p.copy_(size * torch.randn(p.shape, generator=source))
    return network


def same_parameters(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def relu(x):
    return np.where(x > 0, x, 0)


def in_numpy(layers, x, activation=np.tanh, layer_norm=False):
    """The network ``layers`` of one input: no activation after the last layer."""
    weights = [p.detach().double().numpy() for p in layers.parameters()]
    while len(weights) > 2:
        weight, bias, *weights = weights
        x = weight @ x + bias
        if layer_norm:
            gain, shift, *weights = weights
            x = (x - x.mean()) / np.sqrt(np.square(x - x.mean()).mean() + 1e-5)
            x = gain * x + shift
        x = activation(x)
    weight, bias = weights
    return weight @ x + bias


@pytest.mark.parametrize("leading", LEADING_DIMS)
def test_leading_dimensions_pass_through(leading):
    obs = torch.randn(*leading, 3, generator=generator())
    mean, log_std = policy()(obs)
    assert mean.shape == log_std.shape == (*leading, 2)
    assert value_fn()(obs).shape == leading
    assert actor()(obs).shape == (*leading, 2)
    for layer_norm in (False, True):
        assert q_network(layer_norm=layer_norm)(obs, mean).shape == leading


@pytest.mark.parametrize("hidden", [(), (8,), (8, 4)])
def test_outputs_are_those_of_the_layers_written_out(hidden):
    obs = torch.randn(3, generator=generator(1))
    actor = policy(hidden=hidden, obs_scale=SCALE)
    critic = value_fn(hidden=hidden, obs_scale=SCALE, value_scale=50.0)
    scaled = obs.double().numpy() / SCALE
    np.testing.assert_allclose(
        actor(obs)[0].detach(), in_numpy(actor.mean, scaled), rtol=1e-5, atol=1e-8
    )
    np.testing.assert_allclose(
        critic(obs).item(), 50 * in_numpy(critic.value, scaled)[0], rtol=1e-5
    )


def test_the_scales_are_saved_but_not_trained():
    network = policy(obs_scale=SCALE)
    assert network.state_dict()["obs_scale"].tolist() == SCALE.tolist()
    assert "obs_scale" not in dict(network.named_parameters())


def test_the_mean_starts_near_zero_but_not_at_it():
    obs = 3 * torch.randn(200, 3, generator=generator())
    mean, _ = policy()(obs)
    assert 0 < mean.abs().max() < 0.05


@pytest.mark.parametrize("initial", [-0.5, 1])  # 1: a whole number is a number too
def test_log_std_is_one_trainable_number_for_each_dimension(initial):
    network = policy(log_std=initial)
    _, log_std = network(torch.randn(4, 3, generator=generator()))
    assert log_std.tolist() == [[initial, initial]] * 4
    log_std.sum().backward()
    assert network.log_std.grad.tolist() == [4.0, 4.0]


@pytest.mark.parametrize("make", [policy, value_fn, actor, q_network])
def test_the_generator_decides_the_weights_and_nothing_else_does(make):
    torch.manual_seed(0)
    one = make(seed=1)
    torch.manual_seed(1)
    assert same_parameters(one, make(seed=1))
    assert not same_parameters(one, make(seed=2))


@pytest.mark.parametrize("make", [policy, value_fn, actor, q_network])
def test_hidden_weights_start_orthogonal_and_biases_at_zero(make):
    layers = [m for m in make(hidden=(5, 5)).modules() if hasattr(m, "weight")]
    gram = layers[1].weight @ layers[1].weight.T
    torch.testing.assert_close(gram, 2 * torch.eye(5), rtol=0, atol=1e-5)
    assert all(not layer.bias.any() for layer in layers)


class TestDeterministicPolicy:
    """Actions within bounds, by a tanh."""

    @pytest.mark.parametrize("hidden", [(), (8,), (8, 4)])
    def test_actions_are_those_of_the_layers_written_out(self, hidden):
        network = randomised(actor(hidden=hidden, obs_scale=SCALE))
        obs = torch.randn(3, generator=generator(1))
        output = in_numpy(network.action, obs.double().numpy() / SCALE, relu)
        share = (1 + np.tanh(output)) / 2  # of the way from low to high
        expected = LOW.numpy() + share * (HIGH - LOW).numpy()
        np.testing.assert_allclose(network(obs).detach(), expected, rtol=1e-5)

    def test_actions_stay_within_the_bounds_and_reach_both(self):
        network = randomised(actor(), size=3.0)
        action = network(10 * torch.randn(500, 3, generator=generator()))
        assert torch.equal(action.amin(0), LOW)
        assert torch.equal(action.amax(0), HIGH)

    def test_actions_start_near_the_middle_but_not_at_it(self):
        action = actor()(3 * torch.randn(200, 3, generator=generator()))
        away = (action - torch.tensor([1.0, 4.25])).abs() / torch.tensor([2.0, 3.75])
        assert 0 < away.max() < 0.05

    def test_scales_and_bounds_are_saved_but_not_trained(self):
        state = actor(obs_scale=SCALE).state_dict()
        assert state["obs_scale"].tolist() == SCALE.tolist()
        assert state["centre"].tolist() == [1.0, 4.25]
        assert state["half_range"].tolist() == [2.0, 3.75]
        trained = dict(actor().named_parameters())
        assert trained
        assert not trained.keys() & {"obs_scale", "centre", "half_range"}


class TestQNetwork:
    """Values of actions."""

    @pytest.mark.parametrize("layer_norm", [False, True])
    @pytest.mark.parametrize("hidden", [(), (8,), (8, 4)])
    def test_values_are_those_of_the_layers_written_out(self, hidden, layer_norm):
        scales = {"obs_scale": SCALE, "action_scale": ACTION_SCALE, "value_scale": 50.0}
        network = randomised(q_network(hidden=hidden, layer_norm=layer_norm, **scales))
        obs = torch.randn(3, generator=generator(1))
        action = torch.randn(2, generator=generator(2))
        both = [obs.double().numpy() / SCALE, action.double().numpy() / ACTION_SCALE]
        (expected,) = in_numpy(network.value, np.concatenate(both), relu, layer_norm)
        value = network(obs, action).item()
        assert value == pytest.approx(50 * expected, rel=1e-4)

    def test_a_normalised_layer_forgets_the_size_of_its_inputs(self):
        obs, action = torch.ones(3), torch.ones(2)
        for layer_norm, forgets in [(False, False), (True, True)]:
            network = q_network(layer_norm=layer_norm)
            small, large = (network(k * obs, k * action).item() for k in (50, 100))
            assert (small == pytest.approx(large, rel=1e-3)) == forgets

    def test_the_scales_are_saved_but_not_trained(self):
        network = q_network(obs_scale=SCALE, action_scale=ACTION_SCALE)
        saved = network.state_dict()["scale"].tolist()
        assert saved == [*SCALE.tolist(), *ACTION_SCALE.tolist()]
        assert "scale" not in dict(network.named_parameters())

    def test_values_start_near_zero_but_not_at_it(self):
        obs, action = torch.ones(4, 3), torch.randn(4, 2, generator=generator())
        assert 0 < q_network()(obs, action).abs().max() < 0.1

    @pytest.mark.parametrize("layer_norm", [False, True])
    def test_gradients_are_those_of_finite_differences(self, layer_norm):
        network = q_network(layer_norm=layer_norm, action_scale=ACTION_SCALE).double()
        obs = torch.randn(3, generator=generator(1), dtype=torch.float64)
        action = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
        network(obs, action).backward()
        for parameter in network.parameters():
            assert parameter.grad.any()
        with torch.no_grad():
            for index in range(2):
                step = torch.zeros(2, dtype=torch.float64)
                step[index] = 1e-6
                rise = network(obs, action + step) - network(obs, action - step)
                slope = action.grad[index].item()
                assert slope == pytest.approx(rise.item() / 2e-6, rel=1e-5)
                assert slope != 0


class TestSoftUpdate:
    """Targets that follow slowly."""

    def test_after_k_updates_it_is_the_closed_form(self):
        target, online = (randomised(actor(), seed).double() for seed in (1, 2))
        start = [p.detach().clone() for p in target.parameters()]
        for k in range(1, 6):
            soft_update(target, online, 0.1)
            share = 1 - 0.9**k  # of the way that is behind it
            for now, then, goal in zip(
                target.parameters(), start, online.parameters(), strict=True
            ):
                expected = then + share * (goal - then)
                torch.testing.assert_close(now, expected, rtol=1e-6, atol=1e-8)

    def test_by_hand(self):
        target, online = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
        for network, value in ((target, 8.0), (online, 4.0)):
            for p in network.parameters():
                torch.nn.init.constant_(p, value)
        soft_update(target, online, 0.25)
        assert [p.item() for p in target.parameters()] == [7.0, 7.0]

    def test_it_works_in_place_and_leaves_the_online_network_alone(self):
        target, online = randomised(actor(), 1), randomised(actor(), 2)
        untouched = randomised(actor(), 2)
        memory = [p.data_ptr() for p in target.parameters()]
        soft_update(target, online, 0.5)
        assert [p.data_ptr() for p in target.parameters()] == memory
        assert same_parameters(online, untouched)
        assert not same_parameters(target, online)
        for p in (*target.parameters(), *online.parameters()):
            assert p.is_leaf
            assert p.requires_grad
            assert p.grad is None

    def test_tau_1_copies_and_does_not_share(self):
        target, online = randomised(q_network(), 1), randomised(q_network(), 2)
        soft_update(target, online, 1.0)
        assert same_parameters(target, online)
        randomised(online, 3)
        assert same_parameters(target, randomised(q_network(), 2))
