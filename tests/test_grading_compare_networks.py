"""Hidden tests of functions that take networks, or an agent that holds them."""

import copy

import pytest
import torch
from torch import nn
from torch.optim import SGD

from chula_rl.algorithms.ddpg import Agent
from chula_rl.grading import compare
from chula_rl.networks import DeterministicPolicy


def actor_of(draw):
    actor = DeterministicPolicy(2, -torch.ones(1), torch.ones(1), hidden=(3,))
    for parameter in actor.parameters():
        parameter.data = draw.normal(*parameter.shape, dtype=torch.float32)
    return actor


def loss(actor, obs):
    return actor(obs).mean()


def losses(draw):
    yield "some states", (actor_of(draw), draw.normal(4, 2, dtype=torch.float32))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda actor, obs: actor(obs).detach().mean(),
            r"loss: the gradient with respect to the actor's action\.0\.weight is zero",
        ),
        (lambda actor, obs: 2 * loss(actor, obs), "loss: the sum, not the mean"),
        (
            lambda actor, obs: loss(actor, obs) + 1,
            r"the result is not what the equation gives",
        ),
    ],
)
def test_the_gradient_of_a_network_is_that_of_its_parameters(wrong, message):
    def judge(student):
        hints = {"the sum, not the mean.": lambda actor, obs: 2 * loss(actor, obs)}
        compare.function(student, loss, losses, hints, gradient=("actor",))

    judge(lambda actor, obs: (actor(obs) / len(obs)).sum())
    with pytest.raises(AssertionError, match=message):
        judge(wrong)


def update(agent, step):
    with torch.no_grad():
        for network in (agent.actor, agent.target_actor):
            for parameter in network.parameters():
                parameter += step


def agents(draw):
    actor = actor_of(draw)
    critic = nn.Linear(2, 1)
    networks = actor, critic, copy.deepcopy(actor), copy.deepcopy(critic)
    optimizers = SGD(actor.parameters(), 0.1), SGD(critic.parameters(), 0.1)
    yield "an agent", (Agent(*networks, *optimizers), 0.5)


def test_all_networks_of_an_agent_are_compared():
    def forgets_the_copy(agent, step):
        with torch.no_grad():
            for parameter in agent.actor.parameters():
                parameter += step

    assert compare.update(update, update, {}, agents, {}) is update
    message = "update: target_actor after one update is not what the equation gives"
    with pytest.raises(AssertionError, match=message):
        compare.update(forgets_the_copy, update, {}, agents, {})
