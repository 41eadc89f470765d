"""Training with REINFORCE: its states, its seeds, its settings."""

import copy
import math

import pytest
import torch

from chula_rl.algorithms.reinforce import Config, init, train
from chula_rl.errors import ConfigError, UnsupportedEnvError
from chula_rl.losses import bounded_action

SMALL = Config(total_steps=1_000, num_episodes=3, hidden=(8,))


def parameters(state):
    modules = [m for m in (state.policy, state.value_fn) if m is not None]
    return torch.cat([p.detach().flatten() for m in modules for p in m.parameters()])


def first_observations(state):
    """The first observation of each batch of a run whose policy stays as it is."""
    batches = []
    for _ in train(state, update=lambda *args: batches.append(args[4])):
        pass
    return [tuple(episodes[0].obs[0].tolist()) for episodes in batches]


def test_a_state_goes_on_equally_however_often_it_is_interrupted():
    whole = init(SMALL, seed=3)
    metrics = list(train(whole))
    parts, resumed = init(SMALL, seed=3), []
    while parts.steps < SMALL.total_steps:
        torch.manual_seed(parts.steps)
        parts = copy.deepcopy(parts)
        resumed.append(next(train(parts)))
    assert resumed == metrics
    assert len(metrics) == whole.updates > 3
    assert torch.equal(parameters(parts), parameters(whole))


def test_the_seed_decides_the_start_and_the_run():
    states = [init(SMALL, seed) for seed in (1, 1, 2)]
    assert torch.equal(parameters(states[0]), parameters(states[1]))
    assert not torch.equal(parameters(states[0]), parameters(states[2]))
    starts = [first_observations(state) for state in states]
    assert starts[0] == starts[1]
    assert not set(starts[0]) & set(starts[2])


def test_updates_get_the_episodes_that_the_metrics_count():
    state, batches, rates = init(SMALL, seed=0), [], []

    def spy(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
        assert (policy, value_fn, config) == (state.policy, state.value_fn, SMALL)
        batches.append([len(episode.reward) for episode in episodes])
        optimizers = (policy_optimizer, value_optimizer)
        rates.append([o.param_groups[0]["lr"] for o in optimizers])

    metrics = list(train(state, update=spy))
    played = 0
    for batch, rate, metric in zip(batches, rates, metrics, strict=True):
        left = 1 - played / SMALL.total_steps
        assert rate == pytest.approx([SMALL.policy_lr * left, SMALL.value_lr * left])
        played += sum(batch)
        mean = sum(batch) / SMALL.num_episodes  # a reward of 1 for each step
        expected = {"steps": played, "return": mean, "length": mean}
        assert metric == pytest.approx(expected)
    assert state.steps == played >= SMALL.total_steps > played - sum(batches[-1])


def test_batches_are_new_even_where_the_policy_stays():
    starts = first_observations(init(SMALL))
    assert len(set(starts)) == len(starts) > 3


def test_actions_are_sampled_by_the_function_given():
    def still(mean, log_std, noise, low, high):
        return bounded_action(mean, log_std, 0 * noise, low, high)

    def spy(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
        for episode in episodes:
            mean = policy(episode.obs)[0].detach()
            torch.testing.assert_close(episode.action, mean)
        return {"seen": 1.0}

    metrics = list(train(init(SMALL), update=spy, bounded_action=still))
    assert all(metric["seen"] == 1.0 for metric in metrics)


def test_without_a_baseline_there_is_no_value_function():
    config = Config(total_steps=300, num_episodes=2, learned_baseline=False)
    state = init(config)
    before = parameters(state)
    assert state.value_fn is state.value_optimizer is None
    assert all(math.isfinite(m["policy_loss"]) for m in train(state))
    assert not torch.equal(parameters(state), before)


def test_the_networks_fit_the_environment_and_the_config():
    state = init(Config(hidden=(5, 7), log_std=-1.0, value_scale=3.0))
    scale = [2.4, 2.0, math.radians(12), 2.0]
    for network in (state.policy, state.value_fn):
        assert network.obs_scale.tolist() == pytest.approx(scale)
        shapes = [tuple(p.shape) for p in network.parameters() if p.ndim == 2]
        assert shapes == [(5, 4), (7, 5), (1, 7)]
    assert state.policy.log_std.tolist() == [-1.0]
    assert state.value_fn.value_scale == 3.0


def test_discrete_actions_are_refused():
    with pytest.raises(UnsupportedEnvError, match="continuous actions"):
        init(env_id="CartPole-v1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", -0.1),
        ("gamma", 1.1),
        ("gamma", math.nan),
        ("num_episodes", 0),
        ("total_steps", 0),
        ("policy_lr", 0.0),
        ("value_lr", -1.0),
        ("max_grad_norm", -0.5),
        ("value_scale", 0.0),
    ],
)
def test_a_setting_out_of_its_range_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name} is {value}"):
        Config(**{name: value})
