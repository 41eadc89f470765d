"""Functions whose global names mean something else."""

import types
from typing import Any


def rebound(function: types.FunctionType, names: dict[str, Any]) -> types.FunctionType:
    """The same code with some of the global names that it uses bound otherwise."""
    copy = types.FunctionType(
        function.__code__,
        {**function.__globals__, **names},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy
