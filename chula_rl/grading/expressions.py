"""Constants in the text of an assignment, as expressions of Jinja.

``<< r[0] + gamma * r[1] >>`` stands for a number, ``<% set gamma = 0.5 %>`` names one,
and ``<# ... #>`` is a note for authors. Jinja's own delimiters are braces, which LaTeX
and Python's f-strings are full of. These are on every keyboard, and mean nothing to
LaTeX or MyST; Python's shift operators cannot be used in an assignment's code.

A number is shown as Python shows it, without the noise of its last digits. Functions
for other forms: ``short(x)`` has at most four decimals and no ``.0``, ``fixed(x)`` has
four always, ``sign(x)`` is ``+`` or ``-``, ``third(x)`` is ``x / 3``. Functions of
Python: ``math`` (the module), ``abs``, ``max``, ``min`` and ``sum``.
"""

import math
import traceback
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateError, meta

from chula_rl.errors import AssignmentError

_DIGITS = 10


def render(text: str, constants: Mapping[str, Any], where: str) -> str:
    """Put numbers in the place of the expressions.

    Args:
        text: with expressions, or without any.
        constants: by name; the entries of a table are its attributes.
        where: what the text is, for messages.

    Raises:
        AssignmentError: an expression is not sound; the message has its line.
    """
    names = {name: _attributes(value) for name, value in constants.items()}
    try:
        return _environment().from_string(text).render(names)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as e:
        line = getattr(e, "lineno", None) or _line(e)
        shown = text.split("\n")[line - 1].strip()
        known = ", ".join(sorted(names)) or "none"
        raise AssignmentError(
            f"{where}, line {line}: {e} In '{shown}'. Expected an expression of the "
            f"constants in variants.toml ({known}), or of what the text has set."
        ) from e


def used(text: str) -> set[str]:
    """The names that a sound text takes from outside."""
    environment = _environment()
    names = meta.find_undeclared_variables(environment.parse(text))
    return names - environment.globals.keys()


def short(value: Any) -> str:
    """A number with at most four decimals, ``2`` for 2.0; or a list of such."""
    if isinstance(value, list):
        return f"[{', '.join(map(short, value))}]"
    return f"{round(value, 4) + 0.0:.4f}".rstrip("0").rstrip(".")


def _environment() -> Environment:
    environment = Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_shown,
        autoescape=False,
    )
    forms = {"short": short, "fixed": _fixed, "sign": _sign, "third": _third}
    python = {"math": math, "abs": abs, "max": max, "min": min, "sum": sum}
    environment.globals = {**forms, **python}
    return environment


def _attributes(value: Any) -> Any:
    """Tables as objects: ``case.items`` is an entry then, and no method."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _attributes(x) for key, x in value.items()})
    return value


def _shown(value: Any) -> Any:
    """How an expression's value stands in the text."""
    if isinstance(value, float):
        return repr(round(value, _DIGITS) + 0.0)  # never -0.0
    if isinstance(value, list):
        return f"[{', '.join(str(_shown(x)) for x in value)}]"
    return value


def _fixed(value: float) -> str:
    return f"{round(value, _DIGITS):.4f}"


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"


def _third(value: float) -> str:
    """A third, as a whole number if it is one."""
    return short(value / 3) if value % 3 == 0 else f"{short(value)} / 3"


def _line(error: BaseException) -> int:
    """The line of the text in which an error arose: Jinja adds it to the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<template>"]
    return lines[-1] or 1 if lines else 1
