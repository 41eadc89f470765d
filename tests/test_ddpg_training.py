"""Training with DDPG: states, seeds, checkpoints, environments, settings."""

import copy
import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn
from toys import SMALL_DDPG as SMALL

from chula_rl.algorithms.ddpg import Config, init, train
from chula_rl.checkpoint import load_checkpoint, save_checkpoint
from chula_rl.errors import ConfigError, UnsupportedEnvError

METRICS = ("critic_loss", "actor_loss", "q")  # of an update
PENDULUM = "Pendulum-v1"


def config_of(**settings):
    return dataclasses.replace(SMALL, **settings)


def parameters(state):
    names = ("actor", "critic", "target_actor", "target_critic")
    modules = nn.ModuleList(getattr(state, name) for name in names)
    return torch.cat([p.detach().flatten() for p in modules.parameters()])


def all_of(state):
    """Everything that decides how it goes on."""
    return parameters(state), state.noise, state.stream.obs, *state.buffer.columns


def same(state, other):
    return all(map(torch.equal, all_of(state), all_of(other)))


class TestStates:
    """Equal states go on equally."""

    def test_a_state_goes_on_equally_however_often_it_is_interrupted(self):
        whole = init(SMALL, seed=3)
        metrics = list(train(whole))
        parts, resumed = init(SMALL, seed=3), []
        while parts.steps < SMALL.total_steps:
            torch.manual_seed(parts.steps)
            parts = copy.deepcopy(parts)
            resumed.append(next(train(parts)))
        np.testing.assert_equal(resumed, metrics)  # for it NaN is NaN
        assert len(metrics) == whole.updates == SMALL.total_steps / SMALL.num_envs
        assert same(parts, whole)

    @pytest.mark.parametrize("interrupted", [8, 80, 160])
    def test_a_checkpoint_goes_on_equally(self, tmp_path, interrupted):
        whole, first, second = (init(SMALL, seed=3) for _ in range(3))
        metrics = list(train(whole))
        for _ in train(first):
            if first.steps == interrupted:
                break
        save_checkpoint(tmp_path / "c", first, {})
        load_checkpoint(tmp_path / "c", second, {})
        rest = list(train(second))
        np.testing.assert_equal(rest, metrics[-len(rest) :])
        assert same(second, whole)

    def test_the_seed_decides_the_run(self):
        states = [init(SMALL, seed) for seed in (1, 1, 2)]
        starts = [parameters(state) for state in states]
        assert torch.equal(starts[0], starts[1])
        assert not torch.equal(starts[0], starts[2])
        runs = [list(train(state)) for state in states]
        np.testing.assert_equal(runs[0], runs[1])
        assert same(states[0], states[1])
        assert runs[0] != runs[2]
        assert not torch.equal(parameters(states[0]), starts[0])

    def test_the_seed_decides_the_noise(self):
        noise = []
        for seed in (1, 1, 2):
            state = init(SMALL, seed)
            next(train(state))
            noise.append(state.noise.flatten().tolist())
        assert noise[0] == noise[1]
        assert not set(noise[0]) & set(noise[2])

    def test_the_seed_decides_which_steps_are_remembered(self):
        drawn = []
        for seed in (1, 1, 2):
            buffer = init(SMALL, seed).buffer
            zeros, flags = torch.zeros(50, 4), torch.zeros(50, dtype=torch.bool)
            number = torch.arange(50.0)
            buffer.add(zeros, zeros[:, :1], number, flags, flags, zeros)
            drawn.append(buffer.sample(20).reward.tolist())
        assert drawn[0] == drawn[1] != drawn[2]

    def test_the_targets_start_as_copies_of_their_own(self):
        state = init(SMALL)
        pairs = [("actor", "target_actor"), ("critic", "target_critic")]
        for online, target in pairs:
            one, other = getattr(state, online), getattr(state, target)
            for p, q in zip(one.parameters(), other.parameters(), strict=True):
                assert torch.equal(p, q)
                assert p.data_ptr() != q.data_ptr()
        assert state.policy is state.actor

    def test_the_networks_and_optimisers_fit_the_config(self):
        state = init(
            config_of(
                hidden=(5, 7),
                value_scale=3.0,
                weight_decay=0.1,
                layer_norm=True,
                scale_obs=True,
            ),
            env_id=PENDULUM,
        )
        for network, n_in, n_out in [(state.actor, 3, 1), (state.critic, 4, 1)]:
            shapes = [tuple(p.shape) for p in network.parameters() if p.ndim == 2]
            assert shapes == [(5, n_in), (7, 5), (n_out, 7)]
        assert state.actor.obs_scale.tolist() == [1, 1, 8]
        assert state.critic.scale.tolist() == [1, 1, 8, 2]
        assert state.critic.value_scale == 3.0
        norms = [m for m in state.critic.modules() if isinstance(m, nn.LayerNorm)]
        assert len(norms) == 2
        assert state.critic_optimizer.param_groups[0]["weight_decay"] == 0.1
        assert state.actor_optimizer.param_groups[0]["weight_decay"] == 0.0

    def test_departures_can_be_switched_off(self):
        plain = config_of(layer_norm=False, scale_obs=False)
        state = init(plain, env_id=PENDULUM)
        assert state.actor.obs_scale.tolist() == [1, 1, 1]
        assert state.critic.scale.tolist() == [1, 1, 1, 1]
        assert not any(isinstance(m, nn.LayerNorm) for m in state.critic.modules())


class TestEnvironments:
    """Those that it takes, and those that it refuses."""

    @pytest.mark.parametrize("published", [False, True])
    def test_pendulum_has_torques_of_up_to_2(self, published):
        config = SMALL
        if published:  # at the size of a test
            names = ("total_steps", "num_envs", "capacity", "hidden")
            small = {name: getattr(SMALL, name) for name in names}
            config = dataclasses.replace(Config.published(), **small)
        state = init(config, env_id=PENDULUM)
        before = parameters(state)
        *_, last = train(state)
        assert all(math.isfinite(last[name]) for name in METRICS)
        assert not torch.equal(parameters(state), before)
        strongest = state.buffer.columns.action.abs().max()
        assert strongest <= 2
        assert strongest == 2 or published

    def test_discrete_actions_are_refused(self):
        with pytest.raises(UnsupportedEnvError, match="continuous actions"):
            init(env_id="CartPole-v1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", 1.1),
        ("tau", -0.1),
        ("noise_theta", 1.5),
        ("noise_std", -1.0),
        ("random_steps", -1),
        ("capacity", 0),
        ("batch_size", 0),
        ("critic_lr", 0.0),
        ("actor_lr", math.nan),
        ("hidden", (32, 0)),
    ],
)
def test_a_setting_out_of_its_range_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name} is "):
        Config(**{name: value})
