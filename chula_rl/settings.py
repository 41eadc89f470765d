"""Settings of an algorithm: each says what it is, and what the paper has instead.

One line for each setting is the source of the command line's help, of the book's tables
of departures, of ``Config.published()`` and of the checks.
"""

import dataclasses
import inspect
import itertools
import math
from typing import Any, Self, TypeVar, dataclass_transform

from chula_rl.errors import ConfigError

T = TypeVar("T")
ConfigT = TypeVar("ConfigT")

FRACTIONS = {"gamma", "lambda_", "tau", "noise_theta"}
AT_LEAST_ZERO = {"entropy_coef", "noise_std", "random_steps", "value_coef"} | {
    "weight_decay"
}
ANY_NUMBER = {"log_std"}
_NUMBER = (int | float, "a number")


def setting(default: T, about: str, paper: T | None = None) -> Any:
    """A field of a ``Config``.

    Args:
        default: its value here.
        about: what it is, in one phrase.
        paper: its value in the published algorithm; None if it has the default there,
            or if the paper leaves it open.
    """
    metadata = {"about": about, "paper": paper}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True)
def settings(cls: type[ConfigT]) -> type[ConfigT]:
    """Make a frozen dataclass of ``setting`` fields, documented and checked."""
    cls.__post_init__ = _check  # type: ignore[attr-defined]
    config = dataclasses.dataclass(frozen=True)(cls)
    lines = [f"    {name}: {about}." for name, about in abouts(config).items()]
    config.__doc__ = "\n".join([inspect.getdoc(cls) or "", "", "Attributes:", *lines])
    return config


def abouts(config: type[Any]) -> dict[str, str]:
    """What each setting of a ``Config`` is, the paper's value included."""
    return {
        field.name: field.metadata.get("about", "") + _told(field)
        for field in dataclasses.fields(config)
    }


class Published:
    """What every ``Config`` can do."""

    @classmethod
    def published(cls) -> Self:
        """The settings of the paper, and the default where it has none."""
        values = {
            field.name: field.metadata["paper"]
            for field in dataclasses.fields(cls)  # type: ignore[arg-type]
            if field.metadata["paper"] is not None
        }
        return cls(**values)


def _told(field: Any) -> str:
    value = field.metadata.get("paper")
    shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return "" if value is None else f" (published: {shown})"


def _check(config: Any) -> None:
    """Refuse settings that cannot train: the ``__post_init__`` of every ``Config``."""
    for field in dataclasses.fields(config):
        value, usual = getattr(config, field.name), field.default
        if isinstance(usual, tuple) and not isinstance(value, tuple):
            raise ConfigError(f"{field.name} is {value!r}; expected a tuple.")
        for one, like in zip(_each(value), itertools.cycle(_each(usual)), strict=False):
            expected = _unsound(field.name, one, like)
            if expected:
                raise ConfigError(f"{field.name} is {value!r}; expected {expected}.")


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _unsound(name: str, value: Any, usual: Any) -> str | None:
    """What was expected instead of a value; None if it is sound."""
    if isinstance(usual, bool):
        return None if isinstance(value, bool) else "True or False"
    kind, said = (int, "a whole number") if isinstance(usual, int) else _NUMBER
    if not isinstance(value, kind) or isinstance(value, bool):
        return said
    if name in FRACTIONS:
        return None if 0 <= value <= 1 else "a number in [0, 1]"
    if name in AT_LEAST_ZERO:
        return None if value >= 0 else "0 or more"
    if name in ANY_NUMBER:
        return None if math.isfinite(value) else "a finite number"
    return None if value > 0 else "more than 0"
