"""The docstring of the errors module is the hierarchy of the errors."""

import inspect
import re

import pytest

from chula_rl import errors
from chula_rl.errors import ChulaRLError, ConfigError, ShapeError


def drawn_tree():
    """``{child: parent}`` as drawn, by the column in which each name starts."""
    parents, ancestors = {}, []
    for match in re.finditer(r"^( *[│├└─ ]*)(\w+)", errors.__doc__, re.MULTILINE):
        column, name = len(match[1]), match[2]
        if not hasattr(errors, name):
            continue
        ancestors = [a for a in ancestors if a[0] < column]
        if ancestors:
            parents[name] = ancestors[-1][1]
        ancestors.append((column, name))
    return parents


def test_the_tree_in_the_docstring_is_that_of_the_classes():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    actual = {c.__name__: c.__base__.__name__ for c in classes if c is not ChulaRLError}
    assert drawn_tree() == actual
    assert len(actual) > 3


@pytest.mark.parametrize("error", [ShapeError, ConfigError])
def test_a_wrong_value_is_a_value_error_too(error):
    with pytest.raises(ValueError, match="wrong"):
        raise error("wrong")
