"""What a call gives, and in words how two of them differ."""

import builtins
import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chula_rl import errors

Function = Callable[..., Any]
Case = tuple[str, tuple[Any, ...]]  # the situation in words, the arguments
Values = dict[str, Tensor]  # what a call gave, by what it is called in messages
Outcome = Callable[[Function, tuple[Any, ...]], Values]

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-5}  # relative and absolute
_KNOWN = [Tensor, np.ndarray, *vars(builtins).values(), *vars(errors).values()]


class UnfitError(Exception):
    """Why a call has no values that could be compared."""


def problem(
    student: Function,
    reference: Function,
    cases: Iterable[Case],
    outcome: Outcome,
    known: dict[int, Values] | None = None,
) -> str | None:
    """The first case in which two functions differ.

    Args:
        student: the function under test.
        reference: the right one, or one that calls functions of the student's.
        cases: situations and arguments.
        outcome: calls a function and collects what is compared.
        known: what the student's function gave, by case; kept for a next time with the
            same function and cases.

    Returns:
        A sentence on the difference, without inputs or expected numbers; None if there
        is no difference.
    """
    known = {} if known is None else known
    for i, (situation, args) in enumerate(cases):
        try:
            expected = _values(reference, args, outcome)
        except (Exception, SystemExit):
            return "a function that it calls fails."
        try:
            actual = known[i] if i in known else _values(student, args, outcome)
        except NotImplementedError:
            return "it is still blank, or calls a function that is."
        except errors.StoppedError as error:
            return f"{error} (Case: {situation}.)"
        except UnfitError as error:
            return f"{error} (Case: {situation}.)"
        except (Exception, SystemExit) as error:
            return f"it stops with {_known_name(type(error))}. (Case: {situation}.)"
        known[i] = actual
        for what, value in expected.items():
            found = difference(what, actual[what], value)
            if found:
                return f"{found} (Case: {situation}.)"
    return None


def difference(what: str, actual: Tensor, expected: Tensor) -> str | None:
    """How a tensor differs from the expected one, in words; None if it does not.

    The tolerance is that of the dtype of ``expected``; any dtype of ``actual`` will do.
    """
    if actual.shape != expected.shape:
        shapes = f"{tuple(actual.shape)}; expected {tuple(expected.shape)}"
        return f"{what} has shape {shapes}."
    tolerance = TOLERANCE[expected.dtype]
    got, wanted = actual.detach().double(), expected.detach().double()
    if torch.allclose(got, wanted, tolerance, tolerance, equal_nan=True):
        return None
    if not got.isfinite().all():
        return f"{what} is not finite."
    if "gradient" in what and not got.any():
        return f"{what} is zero: is it cut by .item(), .detach() or NumPy?"
    if "gradient" in what and not wanted.any():
        return f"{what} should be zero: detach what is a constant."
    return f"{what} is not what the equation gives."


def results(result: Any, outputs: Sequence[str]) -> Values:
    """The tensors that a function returned, by the names of its outputs.

    Raises:
        UnfitError: it returned something else.
    """
    found = tuple(result) if isinstance(result, tuple | list) else (result,)
    if len(found) != len(outputs) or not all(isinstance(r, Tensor) for r in found):
        kinds = ", ".join(_known_name(type(r)) for r in found)
        expected = "a tensor" if len(outputs) == 1 else "a tuple of tensors"
        raise UnfitError(
            f"it returns {kinds}; expected {expected}: {', '.join(outputs)}."
        )
    return dict(zip(outputs, found, strict=True))


def gradients(outputs: Iterable[Tensor], leaves: Values) -> Values:
    """The gradient of a fixed random combination of the outputs; zeros for none."""
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros(())
    for output in outputs:
        weight = torch.randn(output.shape, generator=generator, dtype=output.dtype)
        total = total + (output * weight).sum()
    found: Sequence[Tensor | None] = [None] * len(leaves)
    if total.requires_grad:
        inputs = list(leaves.values())
        found = torch.autograd.grad(total, inputs, allow_unused=True)
    return {
        f"the gradient with respect to {name}": (
            torch.zeros_like(leaf) if gradient is None else gradient
        )
        for (name, leaf), gradient in zip(leaves.items(), found, strict=True)
    }


def _values(function: Function, args: tuple[Any, ...], outcome: Outcome) -> Values:
    """What a function gives for a copy of the arguments, which it has to keep."""
    given = copy.deepcopy(args)
    values = outcome(function, given)
    before, after = list(_tensors(args)), list(_tensors(given))
    if len(before) != len(after) or not all(map(torch.equal, before, after)):
        raise UnfitError("it changes one of its arguments: work on a copy.")
    return values


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples and lists; networks and optimisers are left out."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _tensors(item)


def _known_name(kind: type) -> str:
    """The name of the nearest class that the student did not name."""
    return next(c.__name__ for c in kind.__mro__ if c in _KNOWN)
