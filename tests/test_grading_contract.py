"""Every graded function, run in the sandbox: the reference there as the reference here.

The assignments' tests can only be as good as the proxies: whatever a graded function
takes, gives, changes or differentiates has to cross the wire.
"""

import copy
import importlib

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from chula_rl.algorithms import a2c, ddpg, reinforce
from chula_rl.grading import sample
from chula_rl.grading.contract import CONTRACT
from chula_rl.grading.course import Course
from chula_rl.grading.edition import PACKAGE
from chula_rl.grading.limits import Limits
from chula_rl.grading.sandbox import Sandbox
from chula_rl.grading.session import Session
from chula_rl.networks import (
    DeterministicPolicy,
    GaussianPolicy,
    QNetwork,
    ValueNetwork,
)
from chula_rl.types import Episode, Rollout, Transition

TARGETS = {
    target.split(":")[1]: (name, target.split(":")[0])
    for name, targets in CONTRACT.items()
    for target in targets
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def sessions(sandbox):
    """Gives the session of an assignment, with the reference's text as a student's."""
    now = {}

    def session(name):
        if name not in now:  # a sandbox has one at a time
            for other in [*now]:
                now.pop(other).close()
            now[name] = _loaded(name, Session(sandbox, Limits()))
        return now[name]

    yield session
    for last in now.values():
        last.close()


def _loaded(name, session):
    solutions = {}
    for earlier in CONTRACT:  # a later one uses functions of the earlier ones
        solutions |= sample.solutions(Course(PACKAGE.parent), earlier)
        if earlier == name:
            break
    modules = sorted({TARGETS[function][1] for function in solutions})
    code = [
        *("import builtins, importlib", f"for name in {modules}:"),
        "    globals().update(vars(importlib.import_module(name)))",
        "__builtins__, __name__ = builtins, '__main__'",
    ]
    for cell in ("\n".join(code), *solutions.values()):
        assert session.run(cell) == []
    return session


class Draw:
    """Random arguments; the same for the same name."""

    def __init__(self, name):
        self.generator = torch.Generator().manual_seed(sum(map(ord, name)))

    def __call__(self, *shape, grad=False):
        tensor = torch.randn(shape, generator=self.generator)
        return tensor.requires_grad_(grad)

    def flags(self, *shape):
        return torch.rand(shape, generator=self.generator) < 0.3


def cases(name):
    """The arguments of a call."""
    n = Draw(name)
    flags = n.flags(4, 3), n.flags(4, 3)
    networks = (
        GaussianPolicy(3, 2, (4,), -0.3, None, n.generator),
        ValueNetwork(3, (4,), None, 5.0, n.generator),
    )
    policy_optimizer = torch.optim.Adam(networks[0].parameters(), 0.01)
    both = torch.optim.Adam([{"params": [*net.parameters()]} for net in networks], 0.01)
    low, high = -torch.ones(2), torch.tensor([1.0, 2.0])
    actor = DeterministicPolicy(3, low, high, (4,), None, n.generator)
    critic = QNetwork(3, 2, (4,), None, None, 2.0, True, n.generator)
    agent = ddpg.Agent(
        *(actor, critic, copy.deepcopy(actor), copy.deepcopy(critic)),
        torch.optim.Adam(actor.parameters(), 0.01),
        torch.optim.Adam(critic.parameters(), 0.1, weight_decay=0.1),
    )
    episode = Episode(n(5, 3), n(5, 2), n(5), True, False)
    rollout = Rollout(n(4, 3, 3), n(4, 3, 2), n(4, 3), *flags, n(4, 3, 3))
    batch = Transition(n(6, 3), n(6, 2), n(6), n.flags(6), n.flags(6), n(6, 3))
    steps = torch.arange(6)
    return {
        "rewards_to_go": (n(6), 0.9),
        "gaussian_log_prob": (n(5, 2, grad=True), n(5, 2, grad=True), n(5, 2)),
        "gaussian_entropy": (n(5, 2, grad=True),),
        "bounded_action": (n(5, 2), n(5, 2), n(5, 2), low, high),
        "reinforce_loss": (n(6, grad=True), n(6), n(6), steps, 2, 0.9),
        "reinforce_update": (
            *networks,
            policy_optimizer,
            torch.optim.SGD(networks[1].parameters(), 0.1),
            [episode, episode],
            reinforce.Config(),
        ),
        "successor_obs": (n(5, 3), n(5, 3), n.flags(5), n.flags(5)),
        "n_step_returns": (n(4, 3), *flags, n(4, 3), 0.9),
        "gae": (n(4, 3), *flags, n(4, 3), n(4, 3), 0.9, 0.8),
        "a2c_loss": (*(n(4, grad=True) for _ in range(3)), n(4), 0.5, 0.1),
        "a2c_update": (*networks, both, rollout, a2c.Config(entropy_coef=0.1)),
        "exploratory_action": (n(5, 2), n(5, 2), low, high),
        "td_target": (n(6), n.flags(6), n(6), 0.9),
        "critic_loss": (n(6, grad=True), n(6)),
        "actor_loss": (actor, critic, n(6, 3)),
        "soft_update": (networks[1], ValueNetwork(3, (4,), None, 5, n.generator), 0.3),
        "ddpg_update": (agent, batch, ddpg.Config()),
    }[name]


def leaves(value):
    """All tensors in a value, with the parameters of networks."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, torch.nn.Module):
        return [*value.parameters()]
    if isinstance(value, ddpg.Agent):
        return leaves([*vars(value).values()])
    if isinstance(value, dict):
        return leaves([*value.values()])
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return []


def called(function, args):
    """Result, changed arguments and all gradients of two calls in a row."""
    found = []
    for _ in range(2):
        result = function(*args)
        outputs = [t for t in leaves(result) if t.requires_grad]
        if outputs:
            sum((t * t).sum() for t in outputs).backward()
        found += [float(v) for v in result.values()] if type(result) is dict else []
        found += [t.detach().clone() for t in leaves(result) + leaves(args)]
        found += [None if t.grad is None else t.grad.clone() for t in leaves(args)]
    return found


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "ReplayBuffer"])
def test_a_graded_function_does_there_what_it_does_here(name, sessions):
    assignment, module = TARGETS[name]
    session = sessions(assignment)
    session.begin_cell()
    here = called(getattr(importlib.import_module(module), name), cases(name))
    there = called(session.function(name), cases(name))
    assert len(here) == len(there) > 0
    for expected, got in zip(here, there, strict=True):
        if isinstance(expected, torch.Tensor):
            assert torch.allclose(expected.float(), got.float(), atol=1e-6)
            assert expected.dtype == got.dtype
        else:
            assert expected == pytest.approx(got)


def test_the_replay_buffer_is_an_object_there(sessions):
    session = sessions("ddpg")
    session.begin_cell()
    samples = []
    for make in (ddpg.ReplayBuffer, session.function("ReplayBuffer")):
        draw, buffer = Draw("buffer"), make(5, 3, 2, seed=4)
        for _ in range(3):  # of two environments at a time: it wraps around
            flags = draw.flags(2), draw.flags(2)
            buffer.add(draw(2, 3), draw(2, 2), draw(2), *flags, draw(2, 3))
        assert len(buffer) == 5
        samples.append([*buffer.sample(4), *buffer.sample(2)])
    for expected, got in zip(*samples, strict=True):
        assert torch.equal(expected, got)


def test_training_of_every_algorithm_with_functions_from_there(sessions):
    """The training loops of the referee, on the student's functions."""
    size = {"total_steps": 600}
    runs = {
        "reinforce": (reinforce, {"num_episodes": 4}, ("bounded_action",)),
        "a2c": (a2c, {"num_envs": 4}, ("successor_obs",)),
        "ddpg": (
            ddpg,
            {"num_envs": 4, "random_steps": 100, "batch_size": 32},
            ("exploratory_action",),
        ),
    }
    for name, (algorithm, settings, functions) in runs.items():
        session = sessions(name)
        session.begin_cell()
        own = {function: session.function(function) for function in functions}
        own["update"] = session.function(f"{name}_update")
        results = []
        for options in ({}, own):
            state = algorithm.init(algorithm.Config(**size, **settings), seed=1)
            for _ in algorithm.train(state, **options):
                pass
            results.append(parameters_to_vector(state.policy.parameters()))
        assert torch.allclose(*results, atol=1e-6), name
