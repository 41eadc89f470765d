"""One update of DDPG: by hand on one weight each, and against CleanRL's way."""

import copy
import itertools
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from chula_rl.algorithms.ddpg import Agent, Config, ddpg_update
from chula_rl.benchmarks import cleanrl_ddpg
from chula_rl.networks import DeterministicPolicy, QNetwork
from chula_rl.types import Transition

GAMMA, TAU, ACTOR_LR, CRITIC_LR = 0.9, 0.25, 0.5, 0.1
CONFIG = Config(gamma=GAMMA, tau=TAU, bootstrap_at_truncation=True)
NETWORKS = ("actor", "critic", "target_actor", "target_critic")
OPTIMIZERS = ("actor_optimizer", "critic_optimizer")


def batch_of(size, obs_dim=1, action_dim=1, seed=0):
    """Random steps; a third terminate and, of the others, a third is truncated."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.arange(size)
    return Transition(
        obs=torch.randn(size, obs_dim, generator=generator),
        action=torch.randn(size, action_dim, generator=generator),
        reward=torch.randn(size, generator=generator),
        terminated=steps % 3 == 0,
        truncated=steps % 3 == 1,
        next_obs=torch.randn(size, obs_dim, generator=generator),
    )


def double(batch):
    return Transition(*(x.double() if x.is_floating_point() else x for x in batch))


class LinearActor(nn.Module):
    """Action ``w s`` of one observation variable."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))

    def forward(self, obs):
        return self.w * obs


class LinearCritic(nn.Module):
    """Value ``u s + v a s``: how good an action is depends on the state."""

    def __init__(self, u, v):
        super().__init__()
        self.u = nn.Parameter(torch.tensor(u, dtype=torch.float64))
        self.v = nn.Parameter(torch.tensor(v, dtype=torch.float64))

    def forward(self, obs, action):
        return (self.u * obs + self.v * action * obs).squeeze(-1)


def linear_agent():
    actor, critic = LinearActor(0.8), LinearCritic(-0.5, 1.5)
    return Agent(
        *(actor, critic, LinearActor(0.3), LinearCritic(0.2, -0.7)),
        SGD(actor.parameters(), ACTOR_LR),
        SGD(critic.parameters(), CRITIC_LR),
    )


def numbers(agent):
    """All parameters of the four networks."""
    modules = [getattr(agent, name) for name in NETWORKS]
    return [p.item() for module in modules for p in module.parameters()]


class ByHand(NamedTuple):
    """What one update of ``linear_agent`` gives: parameters, then diagnostics."""

    numbers: list[float]
    metrics: dict[str, float]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def by_hand(batch, bootstrap=True, order=("critic", "actor", "targets")):
    """The update in plain floats, its gradients derived on paper, in any order."""
    columns = (column.flatten().tolist() for column in batch)
    steps = list(zip(*columns, strict=True))
    w, u, v, w_target, u_target, v_target = numbers(linear_agent())
    said = {}
    for part in order:
        if part == "critic":
            q = [(u + v * a) * s for s, a, *_ in steps]
            error = []
            for (_, _, r, terminated, truncated, after), value in zip(
                steps, q, strict=True
            ):
                goes_on = not terminated and (bootstrap or not truncated)
                next_q = (u_target + v_target * w_target * after) * after
                error.append(value - r - (GAMMA * next_q if goes_on else 0))
            said["critic_loss"], said["q"] = mean(e * e for e in error), mean(q)
            pairs = list(zip(error, steps, strict=True))
            u -= CRITIC_LR * mean(2 * e * s for e, (s, *_) in pairs)
            v -= CRITIC_LR * mean(2 * e * a * s for e, (s, a, *_) in pairs)
        elif part == "actor":
            said["actor_loss"] = -mean((u + v * w * s) * s for s, *_ in steps)
            w += ACTOR_LR * mean(v * s * s for s, *_ in steps)
        else:
            w_target += TAU * (w - w_target)
            u_target += TAU * (u - u_target)
            v_target += TAU * (v - v_target)
    return ByHand([w, u, v, w_target, u_target, v_target], said)


class TestByHand:
    """Linear networks and plain gradient steps."""

    @pytest.mark.parametrize("bootstrap", [True, False])
    def test_parameters_and_diagnostics(self, bootstrap):
        agent, batch = linear_agent(), double(batch_of(7))
        config = Config(gamma=GAMMA, tau=TAU, bootstrap_at_truncation=bootstrap)
        metrics = ddpg_update(agent, batch, config)
        expected = by_hand(batch, bootstrap)
        assert numbers(agent) == pytest.approx(expected.numbers, rel=1e-6)
        assert metrics == pytest.approx(expected.metrics, rel=1e-6)

    def test_any_other_order_would_show(self):
        agent, batch = linear_agent(), double(batch_of(7))
        ddpg_update(agent, batch, CONFIG)
        ordered, *others = itertools.permutations(["critic", "actor", "targets"])
        assert numbers(agent) == pytest.approx(by_hand(batch, order=ordered).numbers)
        for order in others:
            wrong = by_hand(batch, order=order).numbers
            assert numbers(agent) != pytest.approx(wrong, rel=1e-3)

    def test_gradients_left_over_are_cleared(self):
        agent, batch = linear_agent(), double(batch_of(7))
        for name in NETWORKS:
            for parameter in getattr(agent, name).parameters():
                parameter.grad = torch.full_like(parameter, 1e3)
        ddpg_update(agent, batch, CONFIG)
        assert numbers(agent) == pytest.approx(by_hand(batch).numbers, rel=1e-6)

    def test_the_actor_leaves_the_gradient_of_the_critic_alone(self):
        agent, batch = linear_agent(), double(batch_of(7))
        before = numbers(agent)
        ddpg_update(agent, batch, CONFIG)
        moved = [new - old for new, old in zip(numbers(agent), before, strict=True)]
        left = [-CRITIC_LR * p.grad.item() for p in agent.critic.parameters()]
        assert left == pytest.approx(moved[1:3], rel=1e-6)

    def test_no_gradient_reaches_the_targets(self):
        agent = linear_agent()
        ddpg_update(agent, double(batch_of(7)), CONFIG)
        for module in (agent.target_actor, agent.target_critic):
            assert all(p.grad is None for p in module.parameters())

    def test_each_optimiser_steps_once_and_the_batch_stays_as_it_was(self):
        agent, batch = linear_agent(), double(batch_of(7))
        before, stepped = copy.deepcopy(batch), []
        for name in OPTIMIZERS:
            getattr(agent, name).register_step_post_hook(
                lambda *_, name=name: stepped.append(name)
            )
        ddpg_update(agent, batch, CONFIG)
        assert stepped == ["critic_optimizer", "actor_optimizer"]
        assert all(map(torch.equal, batch, before))


def agent_of(networks, optimizer):
    networks = copy.deepcopy(networks)
    return (
        *networks,
        optimizer(networks[0].parameters(), lr=1e-2),
        optimizer(networks[1].parameters(), lr=2e-2),
    )


@pytest.mark.parametrize("optimizer", [Adam, SGD])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_three_updates_are_those_of_cleanrl(optimizer, layer_norm):
    low, high = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 5.0])
    generator = torch.Generator().manual_seed(0)
    networks = []
    for _ in range(2):  # targets that are not copies: mixing them up would show
        actor = DeterministicPolicy(4, low, high, (16, 8), generator=generator)
        critic = QNetwork(*(4, 2, (16, 8)), layer_norm=layer_norm, generator=generator)
        networks += [actor.double(), critic.double()]
    for parameter in nn.ModuleList(networks).parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    ours = Agent(*agent_of(networks, optimizer))
    theirs = cleanrl_ddpg.Networks(*agent_of(networks, optimizer))
    for seed in range(3):
        batch = double(batch_of(32, obs_dim=4, action_dim=2, seed=seed))
        ddpg_update(ours, batch, CONFIG)
        kept = (*batch[:4], batch.next_obs)  # it knows nothing of truncation
        cleanrl_ddpg.update(theirs, kept, GAMMA, TAU)
    for name, start in zip(NETWORKS, networks, strict=True):
        pairs = zip(
            getattr(ours, name).parameters(),
            getattr(theirs, name).parameters(),
            start.parameters(),
            strict=True,
        )
        for own, other, then in pairs:
            torch.testing.assert_close(own, other, rtol=0, atol=1e-7)
            assert (own - then).abs().max() > 1e-6


class OneValue(nn.Module):
    """The same value for every action."""

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))

    def forward(self, obs, action):
        return self.value + 0 * (obs + action).sum(-1)


@pytest.mark.parametrize(
    ("end", "bootstrap", "value"),
    [
        ("truncated", True, 1 / (1 - GAMMA)),
        ("truncated", False, 1.0),
        ("terminated", True, 1.0),
        ("terminated", False, 1.0),
        (None, False, 1 / (1 - GAMMA)),
    ],
)
def test_the_value_of_a_reward_of_1_for_ever_or_until_the_end(end, bootstrap, value):
    size = 5
    flags = {name: torch.full((size,), name == end) for name in Transition._fields[3:5]}
    obs = torch.ones(size, 1)
    batch = Transition(obs, obs, torch.ones(size), next_obs=obs, **flags)
    actor, critic = nn.Linear(1, 1), OneValue()
    agent = Agent(
        *(actor, critic, *copy.deepcopy((actor, critic))),
        SGD(actor.parameters(), 0.1),
        SGD(critic.parameters(), 0.5),  # goes to the target at once
    )
    config = Config(gamma=GAMMA, tau=1.0, bootstrap_at_truncation=bootstrap)
    for _ in range(150):
        ddpg_update(agent, batch, config)
    assert critic.value.item() == pytest.approx(value, rel=1e-4)
    assert agent.target_critic.value.item() == pytest.approx(value, rel=1e-4)
