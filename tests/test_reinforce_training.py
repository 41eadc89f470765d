"""Training with REINFORCE: its states, its seeds, its settings."""

import copy
import dataclasses
import math

import gymnasium as gym
import pytest
import torch
from gymnasium.envs.registration import EnvSpec

from chula_rl import rollout
from chula_rl.algorithms.reinforce import Config, init, reinforce_update, train
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
        assert {name: metric[name] for name in expected} == pytest.approx(expected)
        assert metric["update_norm"] == 0  # the spy leaves the policy as it is
    assert state.steps == played >= SMALL.total_steps > played - sum(batches[-1])


def test_rates_stay_where_they_are_not_annealed():
    config = dataclasses.replace(SMALL, anneal_lr=False, policy_lr=0.25, value_lr=0.5)
    rates = []

    def spy(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
        optimizers = (policy_optimizer, value_optimizer)
        rates.append([o.param_groups[0]["lr"] for o in optimizers])

    for _ in train(init(config), update=spy):
        pass
    assert rates == len(rates) * [[0.25, 0.5]]
    assert len(rates) > 3


@pytest.mark.parametrize(("adam", "step"), [(True, 0.001), (False, 0.0005)])
def test_the_first_step_is_that_of_the_optimiser_asked_for(adam, step):
    """With a gradient of 0.5: a plain step is half the rate, Adam's first the rate."""
    config = dataclasses.replace(SMALL, adam=adam, policy_lr=0.001, value_lr=0.001)
    state = init(config)
    before = parameters(state)

    def spy(policy, value_fn, policy_optimizer, value_optimizer, *_):
        for p in (*policy.parameters(), *value_fn.parameters()):
            p.grad = torch.full_like(p, 0.5)
        policy_optimizer.step()
        value_optimizer.step()

    next(train(state, update=spy))
    moved = before - parameters(state)
    torch.testing.assert_close(moved, torch.full_like(moved, step), rtol=0, atol=1e-6)


def test_how_far_an_update_moved_the_policy():
    def spy(policy, *_):
        with torch.no_grad():
            for p in policy.parameters():
                p *= 1.25

    metrics = next(train(init(SMALL), update=spy))
    assert metrics["update_norm"] == pytest.approx(0.25)


def test_the_share_of_clipped_actions():
    def spy(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
        actions = [a for episode in episodes for a in episode.action.flatten().tolist()]
        clipped = sum(abs(a) >= 1 for a in actions)  # a force of at most 1
        return {"expected": clipped / len(actions)}

    for metric in train(init(SMALL), update=spy):
        assert metric["clip_fraction"] == pytest.approx(metric["expected"])
        assert 0 < metric["clip_fraction"] < 0.5


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


def test_observations_are_left_as_they_are_where_that_is_asked_for():
    state = init(Config(scale_obs=False))
    for network in (state.policy, state.value_fn):
        assert network.obs_scale.tolist() == [1, 1, 1, 1]


def test_every_departure_from_the_published_algorithm_can_be_taken_back():
    published = Config.published()
    assert published == Config(
        learned_baseline=False,
        num_episodes=1,
        adam=False,
        anneal_lr=False,
        max_grad_norm=math.inf,
        scale_obs=False,
        value_scale=1.0,
        total_steps=published.total_steps,
        policy_lr=published.policy_lr,
        value_lr=published.value_lr,
    )


def test_an_update_of_the_published_algorithm_is_a_plain_gradient_step():
    config, played = dataclasses.replace(Config.published(), policy_lr=1e-4), []

    def spy(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
        played.extend(episodes)
        args = (policy, value_fn, policy_optimizer, value_optimizer, episodes, config)
        return reinforce_update(*args)

    state = init(config, seed=4)
    before = parameters(state).double()
    old = copy.deepcopy(state.policy).double()
    next(train(state, update=spy))
    (episode,) = played
    rewards, objective = episode.reward.tolist(), 0.0
    mean, log_std = old(episode.obs.double())
    log_prob = torch.distributions.Normal(mean, log_std.exp()).log_prob(episode.action)
    for t, score in enumerate(log_prob.sum(-1)):
        late = sum(config.gamma**k * r for k, r in enumerate(rewards) if k >= t)
        objective = objective + late * score  # gamma**t G_t
    gradient = torch.autograd.grad(objective, [*old.parameters()])
    moved = parameters(state).double() - before
    expected = config.policy_lr * torch.cat([g.flatten() for g in gradient])
    torch.testing.assert_close(moved, expected, rtol=1e-3, atol=3e-7)


def test_an_environment_without_a_time_limit_is_refused(monkeypatch):
    monkeypatch.setattr(rollout, "MAX_EPISODE_STEPS", 20)
    env_id = "EndlessPendulum-v0"
    spec = EnvSpec(env_id, gym.spec("Pendulum-v1").entry_point)
    monkeypatch.setitem(gym.registry, env_id, spec)
    state = init(SMALL, env_id=env_id)
    with pytest.raises(UnsupportedEnvError, match=r"not ended after 21 .*max_episode"):
        next(train(state))


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
