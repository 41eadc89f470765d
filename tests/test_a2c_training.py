"""Training with A2C: its states, its seeds, and its loop."""

import copy
import itertools
import math

import pytest
import torch
from torch.optim import Adam, RMSprop

from chula_rl.algorithms.a2c import Config, a2c_update, init, train
from chula_rl.losses import bounded_action
from chula_rl.returns import successor_obs


def settings(**changes):
    """Small, and no default decides what a test sees."""
    small = {"total_steps": 240, "num_envs": 3, "num_steps": 8, "hidden": (8,)}
    rates = {"policy_lr": 0.01, "value_lr": 0.02, "gamma": 0.9, "lambda_": 0.8}
    more = {"max_grad_norm": 1.0, "bootstrap_at_truncation": True, "log_std": 0.0}
    return Config(**{**small, **rates, **more, **changes})


def parameters(state):
    modules = state.policy, state.value_fn
    return torch.cat([p.detach().flatten() for m in modules for p in m.parameters()])


def exactly(metrics):
    """Floats as text, so that NaN equals itself and nothing is rounded."""
    return [{name: repr(value) for name, value in row.items()} for row in metrics]


class TestSeeds:
    """What decides a run."""

    def test_the_same_seed_gives_the_same_run_whatever_torchs_own_generator(self):
        runs = []
        for global_seed in (0, 1):
            torch.manual_seed(global_seed)
            state = init(settings(), seed=5)
            runs.append((exactly(train(state)), parameters(state)))
        assert runs[0][0] == runs[1][0]
        assert torch.equal(runs[0][1], runs[1][1])

    def test_another_seed_starts_and_goes_on_otherwise(self):
        states = [init(settings(), seed) for seed in (1, 2)]
        assert not torch.equal(*map(parameters, states))
        assert not torch.equal(*(state.stream.obs for state in states))
        first = [next(train(state)) for state in states]
        assert first[0]["loss"] != first[1]["loss"]

    def test_a_state_goes_on_equally_however_often_it_is_interrupted(self):
        whole, parts, resumed = init(settings(), 3), init(settings(), 3), []
        metrics = list(train(whole))
        while parts.steps < 240:
            torch.manual_seed(parts.steps)
            parts = copy.deepcopy(parts)
            resumed.append(next(train(parts)))
        assert exactly(resumed) == exactly(metrics)
        assert len(metrics) == whole.updates == 10
        assert torch.equal(parameters(parts), parameters(whole))
        assert list(train(whole)) == []

    def test_each_update_has_noise_of_its_own(self):
        seen = []

        def spy(policy, value_fn, optimizer, rollout, config):
            seen.append((rollout.action - policy(rollout.obs)[0]).flatten().tolist())

        list(train(init(settings()), update=spy))
        assert len({round(noise, 6) for row in seen for noise in row}) == 240


class TestLoop:
    """What the loop gives to the update, and what it tells."""

    def test_rollouts_follow_each_other_and_rates_fall(self):
        config, batches, rates = settings(total_steps=230), [], []
        state = init(config)

        def spy(policy, value_fn, optimizer, rollout, its_config):
            assert (policy, value_fn) == (state.policy, state.value_fn)
            assert its_config is config
            batches.append(rollout)
            rates.append([group["lr"] for group in optimizer.param_groups])
            return {"seen": 1.0}

        metrics = list(train(state, update=spy))
        assert [row["steps"] for row in metrics] == list(range(24, 241, 24))
        assert state.steps == 240
        left = [1 - 24 * k / 230 for k in range(10)]
        assert rates == [pytest.approx([0.01 * x, 0.02 * x]) for x in left]
        for one, following in itertools.pairwise(batches):
            assert one.reward.shape == (8, 3)
            ended = (one.terminated | one.truncated)[-1]
            assert torch.equal(one.next_obs[-1][~ended], following.obs[0][~ended])
        assert {row["seen"] for row in metrics} == {1.0}
        assert {row["update_norm"] for row in metrics} == {0.0}

    def test_the_optimiser_holds_both_networks_and_is_the_one_of_the_config(self):
        for adam, kind in (True, Adam), (False, RMSprop):
            state = init(settings(adam=adam))
            assert type(state.optimizer) is kind
            held = [p for g in state.optimizer.param_groups for p in g["params"]]
            networks = [*state.policy.parameters(), *state.value_fn.parameters()]
            assert list(map(id, held)) == list(map(id, networks))

    def test_the_networks_fit_the_environment_and_the_config(self):
        config = settings(hidden=(5, 7), log_std=-1.0, value_scale=3.0, scale_obs=True)
        state = init(config)
        scale = [2.4, 2.0, math.radians(12), 2.0]
        for network in (state.policy, state.value_fn):
            assert network.obs_scale.tolist() == pytest.approx(scale)
            shapes = [tuple(p.shape) for p in network.parameters() if p.ndim == 2]
            assert shapes == [(5, 4), (7, 5), (1, 7)]
        assert state.policy.log_std.tolist() == [-1.0]
        assert state.value_fn.value_scale == 3.0
        unscaled = init(settings(scale_obs=False))
        assert unscaled.value_fn.obs_scale.tolist() == [1.0] * 4

    def test_students_functions_are_used_and_metrics_may_be_missing(self):
        called = set()

        def still(mean, log_std, noise, low, high):
            called.add("bounded_action")
            return bounded_action(mean, log_std, 0 * noise, low, high)

        def successor(*arguments):
            called.add("successor_obs")
            return successor_obs(*arguments)

        def update(policy, value_fn, optimizer, rollout, config):
            torch.testing.assert_close(
                rollout.action, policy(rollout.obs)[0].detach(), rtol=1e-5, atol=1e-6
            )

        for metrics in train(init(settings()), update, still, successor):
            assert "loss" not in metrics
        assert called == {"bounded_action", "successor_obs"}

    def test_the_step_of_the_policy_and_the_share_of_clipped_actions_are_told(self):
        state, rollouts = init(settings(log_std=1.0)), []

        def spy(*arguments):
            rollouts.append(arguments[3])
            return a2c_update(*arguments)

        before = torch.nn.utils.parameters_to_vector(state.policy.parameters())
        metrics = next(train(state, update=spy))
        after = torch.nn.utils.parameters_to_vector(state.policy.parameters())
        relative = (after - before).norm() / before.norm()
        assert metrics["update_norm"] == pytest.approx(relative.item())
        clipped = (rollouts[0].action.abs() >= 1).float().mean()
        assert metrics["clip_fraction"] == pytest.approx(clipped.item())
        assert 0 < metrics["clip_fraction"] < 1
