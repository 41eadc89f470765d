"""The networks: shapes, scales, their start, and an independent forward pass."""

import numpy as np
import pytest
import torch

from chula_rl.networks import GaussianPolicy, ValueNetwork

LEADING_DIMS = [(), (1,), (7,), (5, 3)]
SCALE = np.array([0.5, 2.0, 10.0], dtype=np.float32)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def policy(seed=0, **kwargs):
    return GaussianPolicy(3, 2, generator=generator(seed), **kwargs)


def value_fn(seed=0, **kwargs):
    return ValueNetwork(3, generator=generator(seed), **kwargs)


def same_parameters(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def in_numpy(layers, obs):
    """The network ``layers`` of one observation: tanh after all but the last layer."""
    weights = [p.detach().double().numpy() for p in layers.parameters()]
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        obs = np.tanh(weight @ obs + bias)
    return weights[-2] @ obs + weights[-1]


@pytest.mark.parametrize("leading", LEADING_DIMS)
def test_leading_dimensions_pass_through(leading):
    obs = torch.randn(*leading, 3, generator=generator())
    mean, log_std = policy()(obs)
    assert mean.shape == log_std.shape == (*leading, 2)
    assert value_fn()(obs).shape == leading


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


def test_log_std_is_one_trainable_number_for_each_dimension():
    network = policy(log_std=-0.5)
    _, log_std = network(torch.randn(4, 3, generator=generator()))
    assert log_std.tolist() == [[-0.5, -0.5]] * 4
    log_std.sum().backward()
    assert network.log_std.grad.tolist() == [4.0, 4.0]


@pytest.mark.parametrize("make", [policy, value_fn])
def test_the_generator_decides_the_weights_and_nothing_else_does(make):
    torch.manual_seed(0)
    one = make(seed=1)
    torch.manual_seed(1)
    assert same_parameters(one, make(seed=1))
    assert not same_parameters(one, make(seed=2))


@pytest.mark.parametrize("make", [policy, value_fn])
def test_hidden_weights_start_orthogonal_and_biases_at_zero(make):
    layers = [m for m in make(hidden=(5, 5)).modules() if hasattr(m, "weight")]
    gram = layers[1].weight @ layers[1].weight.T
    torch.testing.assert_close(gram, 2 * torch.eye(5), rtol=0, atol=1e-5)
    assert all(not layer.bias.any() for layer in layers)
