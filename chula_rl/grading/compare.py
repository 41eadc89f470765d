"""Comparing a student's functions with the reference: the logic of the hidden tests.

Only values count: arguments go in, results and gradients come out, so the student's
function may as well run in another process. A failure is an ``AssertionError`` that
names the situation and, where the result is what a known misconception gives, that
misconception. It never shows inputs, expected numbers or the reference.
"""

import dataclasses
import inspect
import itertools
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from chula_rl.evaluation import EVALUATION_SEED, evaluate
from chula_rl.grading import outcomes
from chula_rl.grading.inside.functions import rebound
from chula_rl.grading.inside.remote import Remote
from chula_rl.grading.outcomes import Case, Function, Outcome, Values

Cases = Callable[["Draw"], Iterable[Case]]

SEED_VARIABLE = "CHULA_RL_TEST_SEED"  # environment variable; 0 if it is not set
NUM_DRAWS = 1  # rounds of cases: each costs every submission its time
NUM_REPEATED = 3  # cases of an update, the last ones, in which another one follows
NUM_RUNS = 3  # seeds of the training run: one of them may be unlucky
NUM_EVALUATIONS = 4  # of one run: it ends as soon as the return is enough
_NONE: Mapping[str, Function] = types.MappingProxyType({})


class Draw:
    """Random arguments for one round of cases.

    Args:
        seed: of the round.
    """

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Standard normal numbers of a shape."""
        return torch.randn(shape, generator=self.generator, dtype=dtype)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number between two others."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def integer(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def flags(self, *shape: int, chance: float = 0.3) -> Tensor:
        """Booleans of a shape, each of them true with the same chance."""
        return torch.rand(shape, generator=self.generator) < chance


def base_seed() -> int:
    """The seed of all random arguments and runs: the one place where it comes in."""
    return int(os.environ.get(SEED_VARIABLE, "0"))


def function(
    student: Function,
    reference: Function,
    cases: Cases,
    hints: Mapping[str, Function],
    outputs: Sequence[str] = ("the result",),
    gradient: Sequence[str] = (),
) -> None:
    """Compare a pure function with the reference: values, gradients, arguments kept.

    Args:
        student: the function under test.
        reference: the right one.
        cases: gives the situations and arguments of one round.
        hints: wrong functions by the misconception that leads to them.
        outputs: what to call the results, one for each.
        gradient: the arguments with respect to which gradients are compared; of a
            network, those of its parameters.

    Raises:
        AssertionError: they differ.
    """
    names = list(inspect.signature(reference).parameters)

    def outcome(function: Function, args: tuple[Any, ...]) -> Values:
        wanted = {n: args[names.index(n)] for n in gradient}
        parameters = {
            f"the {n}'s {key}": parameter
            for n, network in _networks(wanted)
            for key, parameter in network.named_parameters()
        }
        leaves = {
            n: arg.detach().clone().requires_grad_()
            for n, arg in wanted.items()
            if isinstance(arg, Tensor)
        }
        given = [leaves.get(n, arg) for n, arg in zip(names, args, strict=True)]
        values = outcomes.results(function(*given), outputs)
        for n, leaf in leaves.items():
            wanted[n].copy_(leaf.detach())  # the same, unless the function changed it
        if gradient:
            values |= outcomes.gradients(values.values(), leaves | parameters)
        return values

    _judge(reference.__name__, [(student, reference)], cases, hints, outcome)


def update(
    student: Function,
    reference: types.FunctionType,
    helpers: Mapping[str, Function],
    cases: Cases,
    hints: Mapping[str, Function],
) -> Function:
    """Compare an update with the reference: the parameters of all networks.

    The networks come with old gradients, as from another run. In the last few cases
    another update follows, on what the first one has left.

    A mistake in a helper does not count again. The update is right if it equals the
    reference, or the reference on the student's helpers, or if it equals the reference
    once it has the reference's helpers itself.

    Args:
        student: the function under test; among its arguments are the networks, or an
            agent that holds them.
        reference: the right one.
        helpers: the student's functions that an update may call, by name.
        cases: gives the situations and arguments of one round.
        hints: wrong updates by the misconception that leads to them.

    Returns:
        The student's update if it is right as it is; else the reference, which it would
        equal with right helpers.

    Raises:
        AssertionError: it is right in none of the three readings.
    """
    names = list(inspect.signature(reference).parameters)

    def counted(draw: Draw) -> Iterator[Case]:
        drawn = list(cases(draw))
        for i, (situation, args) in enumerate(drawn):
            yield situation, (1 if i < len(drawn) - NUM_REPEATED else 2, args)

    def outcome(function: Function, counted_args: tuple[Any, ...]) -> Values:
        number, args = counted_args
        values: Values = {}
        networks = list(_networks(dict(zip(names, args, strict=True))))
        for _, network in networks:
            for parameter in network.parameters():
                parameter.grad = torch.ones_like(parameter)  # an old one, to be cleared
        for count in ("one update", "two updates")[:number]:
            function(*args)
            for name, network in networks:
                parameters = parameters_to_vector(network.parameters()).detach()
                values[f"{name} after {count}"] = parameters
        return values

    pairs: list[tuple[Function, Function]] = [
        (student, reference),
        (student, rebind(reference, **helpers)),
        (rebind(student, **_originals(reference, helpers)), reference),
    ]
    first = _judge(reference.__name__, pairs, counted, hints, outcome)
    return student if first == 0 else reference


def objects(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Cases,
    check: Callable[..., None],
) -> None:
    """See whether the objects of a class do what they should.

    Args:
        student: the class under test.
        reference: the right one, which has to pass as well.
        cases: gives the situations and further arguments of one round.
        check: makes objects of a class, given with the further arguments, and raises
            ``UnfitError`` if they do something else.

    Raises:
        AssertionError: they do something else.
    """

    def outcome(make: Function, args: tuple[Any, ...]) -> Values:
        check(make, *args)
        return {}

    _judge(reference.__name__, [(student, reference)], cases, {}, outcome)


def trained_return(
    algorithm: types.ModuleType,
    update: Function,
    helpers: Mapping[str, Function],
    total_steps: int,
    enough: float,
    rollout: Mapping[str, Function] = _NONE,
    init: Mapping[str, Function] = _NONE,
) -> float:
    """Best mean return of a few training runs with the student's functions.

    A run ends as soon as its return is enough. A mistake that has cost its points does
    not count again: a run that falls short is repeated with the reference's update on
    the student's other functions, and with the student's update on the reference's
    other functions; then comes the next seed.

    Args:
        algorithm: the module with ``Config``, ``init``, ``train`` and the reference.
        update: the student's.
        helpers: the student's functions that an update may call, by name.
        total_steps: environment steps of a run.
        enough: the return with which no further run is needed.
        rollout: the student's functions that ``train`` takes, by argument.
        init: the student's functions that ``init`` takes, by argument.

    Raises:
        AssertionError: a function is still blank, so that there is nothing to train.
    """
    reference = inspect.signature(algorithm.train).parameters["update"].default
    readings = [
        (update, init, rollout),
        (rebind(reference, **helpers), init, rollout),
        (rebind(update, **_originals(reference, helpers)), _NONE, _NONE),
    ]
    config = algorithm.Config(total_steps=total_steps)
    best = 0.0
    for seed, (run, for_init, for_train) in itertools.product(
        range(NUM_RUNS), readings
    ):
        try:
            state = algorithm.init(config, base_seed() + seed, **for_init)
            updates = algorithm.train(state, run, **for_train)
            for mean_return in _evaluated(updates, state):
                best = max(best, mean_return)
                if best >= enough:
                    return best
        except NotImplementedError:
            message = "an exercise is still blank, so there is nothing to train."
            raise AssertionError(message) from None
        except (Exception, SystemExit):  # of the student's: this run earns nothing
            continue
    return best


def _evaluated(updates: Iterator[Any], state: Any) -> Iterator[float]:
    """Train to the end; the mean return of the policy a few times on the way."""
    every = state.config.total_steps / NUM_EVALUATIONS
    reached = every
    for _ in updates:
        if state.steps >= reached:
            reached = state.steps + every
            yield evaluate(state.policy, seed=EVALUATION_SEED).mean_return
    yield evaluate(state.policy, seed=EVALUATION_SEED).mean_return


def _networks(values: Mapping[str, Any]) -> Iterator[tuple[str, nn.Module]]:
    """The networks among named values, and in an agent among them."""
    for name, value in values.items():
        if isinstance(value, nn.Module):
            yield name, value
        elif dataclasses.is_dataclass(value):
            yield from _networks(vars(value))


def rebind(function: Function, **names: Any) -> Function:
    """The same code with some of the global names that it uses bound otherwise.

    What is not a plain Python function is returned as it is.
    """
    if isinstance(function, Remote):
        return function.with_globals(**names)
    if not isinstance(function, types.FunctionType):
        return function
    return rebound(function, names)


def _originals(reference: types.FunctionType, names: Iterable[str]) -> dict[str, Any]:
    """The reference's own functions of these names."""
    return {name: reference.__globals__[name] for name in names}


def _judge(
    name: str,
    pairs: Sequence[tuple[Function, Function]],
    cases: Cases,
    hints: Mapping[str, Function],
    outcome: Outcome,
) -> int:
    """The first pair whose two functions are equal in every case; fail without one."""
    rounds = [list(cases(Draw(base_seed() + i))) for i in range(NUM_DRAWS)]
    drawn = [case for round_ in rounds for case in round_]
    problems = []
    for i, (student, reference) in enumerate(pairs):
        problems.append(outcomes.problem(student, reference, drawn, outcome))
        if problems[-1] is None:
            return i
    student, _ = pairs[0]
    telling = drawn[::-1]  # later cases have more in them: they refute a hint sooner
    known: dict[int, Values] = {}
    for misconception, wrong in hints.items():
        if outcomes.problem(student, wrong, telling, outcome, known) is None:
            raise AssertionError(f"{name}: {misconception}")
    raise AssertionError(f"{name}: {problems[0]}")
