"""Tries a mutant against the test cell of its exercise, in this process."""

import contextlib
import copy
import functools
import hashlib
import io
import time
import types
import unittest.mock
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from chula_rl.grading import compare, outcomes

SURVIVED, KILLED, BROKEN = "survived", "killed", "broken"


@dataclass(frozen=True)
class Exercise:
    """A graded function and what its test cell needs.

    Attributes:
        function: its name, and that of the solution cell.
        cells: name and text of each cell before the test cell, but for other tests.
        test: the text of the test cell.
    """

    function: str
    cells: tuple[tuple[str, str], ...]
    test: str

    @property
    def solution(self) -> str:
        """The reference's text of the solution cell."""
        return dict(self.cells)[self.function]

    def key(self, source: str) -> str:
        """Hash of all that decides what becomes of a mutant."""
        parts = [source, *self.cells, self.test, _comparing(), compare.base_seed()]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@functools.cache
def _comparing() -> list[str]:
    """The text of what the tests are written with."""
    return [Path(m.__file__ or "").read_text("utf-8") for m in (compare, outcomes)]


class Verdict(NamedTuple):
    """What became of a mutant.

    Attributes:
        outcome: survived, killed, or broken: every call stops with an error.
        message: what the test found; the student may read a hint instead.
        seconds: what it took.
    """

    outcome: str
    message: str = ""
    seconds: float = 0.0


def judge(exercise: Exercise, source: str) -> Verdict:
    """Try a mutant.

    Args:
        exercise: the function and its tests.
        source: the text of the solution cell.
    """
    start = time.monotonic()
    with _quick_and_quiet():
        outcome, message = _judge(exercise, source)
    return Verdict(outcome, message, time.monotonic() - start)


def _judge(exercise: Exercise, source: str) -> tuple[str, str]:
    try:
        namespace = _namespace(exercise, source)
        function = namespace[exercise.function]
    except (Exception, SystemExit) as error:
        return BROKEN, f"{type(error).__name__}: {error}"
    try:
        exec(compile(exercise.test, "test", "exec"), namespace)
    except (Exception, SystemExit) as error:
        outcome = BROKEN if _always_stops(exercise, function) else KILLED
        return outcome, f"{type(error).__name__}: {error}"
    return SURVIVED, ""


@contextlib.contextmanager
def _quick_and_quiet() -> Iterator[None]:
    """Show nothing, and try no hints: they choose the message, and take long."""
    output, judge_with = io.StringIO(), compare._judge

    def without_hints(name: str, pairs: Any, cases: Any, _: Any, outcome: Any) -> int:
        return judge_with(name, pairs, cases, {}, outcome)

    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        unittest.mock.patch.object(compare, "_judge", without_hints),
    ):
        warnings.simplefilter("ignore")
        yield


def _namespace(exercise: Exercise, source: str) -> dict[str, Any]:
    """What the cells before the tests define."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for name, text in exercise.cells:
        text = source if name == exercise.function else text
        exec(compile(text, name, "exec"), namespace)
    return namespace


class _WorksError(BaseException):
    """The mutant stands a call: it is not broken."""


def _always_stops(exercise: Exercise, mutant: Any) -> bool:
    """Whether a function, or a method of a class, stops with an error in every call.

    The tests run with the reference; each call of it is tried with the mutant first.
    """
    namespace = _namespace(exercise, exercise.solution)
    reference = namespace[exercise.function]
    calls: dict[str, list[bool]] = {}

    def attempt(name: str, function: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        try:
            args, kw = copy.deepcopy((args, kw))
        except (RuntimeError, TypeError):  # a tensor with a graph, say
            return None
        worked = calls.setdefault(name, [])
        try:
            result = function(*args, **kw)
        except (Exception, SystemExit):
            worked.append(False)
            return None
        worked.append(True)
        if name == exercise.function:
            raise _WorksError
        return result

    namespace[exercise.function] = _shadow(reference, mutant, attempt)
    with contextlib.suppress(_WorksError, Exception, SystemExit):
        exec(compile(exercise.test, "test", "exec"), namespace)
    return any(not any(worked) for worked in calls.values())


def _shadow(reference: Any, mutant: Any, attempt: Callable[..., Any]) -> Any:
    """The reference, but each call is tried with the mutant as well."""
    if isinstance(reference, types.FunctionType):

        @functools.wraps(reference)
        def function(*args: Any, **kwargs: Any) -> Any:
            attempt(reference.__name__, mutant, *args, **kwargs)
            return reference(*args, **kwargs)

        return function

    def both(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            if name == "__init__":
                self._twin = attempt(name, mutant, *args, **kwargs)
            elif self._twin is not None:
                bound = functools.partial(getattr(mutant, name), self._twin)
                attempt(name, bound, *args, **kwargs)
            return original(self, *args, **kwargs)

        return method

    methods = vars(reference).items()
    functions = {n: both(n, f) for n, f in methods if isinstance(f, types.FunctionType)}
    return type(reference.__name__, (reference,), functions)
