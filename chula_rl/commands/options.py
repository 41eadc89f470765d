"""Options of the command line that are made from an algorithm's ``Config``."""

import argparse
import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

from chula_rl.settings import abouts

# Keeps apart what was typed and what was not: only the first must agree with a record.
UNSET: Any = argparse.SUPPRESS


def add_settings(parser: argparse.ArgumentParser, config: type[Any]) -> None:
    """Add an option for each setting, and ``--published`` where that is something else.

    Args:
        parser: of the command that trains the algorithm.
        config: the ``Config`` of the algorithm.
    """
    group = parser.add_argument_group("settings of the algorithm")
    if hasattr(config, "published"):
        group.add_argument(
            "--published", action="store_true", help=_published_help(config)
        )
    for option, arguments in _options(config):
        group.add_argument(option, default=UNSET, **arguments)


def typed_settings(args: argparse.Namespace, config: type[Any]) -> dict[str, Any]:
    """The settings that were asked for, by ``--published`` and by their own options.

    Args:
        args: the options that were typed.
        config: the ``Config`` of the algorithm.

    Returns:
        Settings by name; those of ``--published`` where no option says otherwise.
    """
    typed = {
        field.name: getattr(args, field.name)
        for field in dataclasses.fields(config)
        if hasattr(args, field.name)
    }
    typed = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in typed.items()
    }
    if getattr(args, "published", False):
        return dataclasses.asdict(config.published()) | typed
    return typed


def _published_help(config: type[Any]) -> str:
    default, published = config(), config.published()
    names = [field.name for field in dataclasses.fields(config)]
    told = ", ".join(
        f"{name} {_shown(getattr(published, name))}"
        for name in names
        if getattr(published, name) != getattr(default, name)
    )
    return _escaped(
        "start from the settings of the publication, not from the defaults: "
        f"{told or 'they are the same'}; options that are typed come before both"
    )


def _options(config: type[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """An option for each setting, with what it is as help."""
    about = abouts(config)
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        help_ = (
            f"{about[field.name].replace('`', '')} (default: {_shown(field.default)})"
        )
        # some names end in _ because Python has taken the word
        option = f"--{field.name.rstrip('_').replace('_', '-')}"
        arguments = {"dest": field.name, "help": _escaped(help_)}
        yield option, arguments | _kind(hints[field.name])


def _kind(hint: Any) -> dict[str, Any]:
    """What argparse needs to know of the type of a setting."""
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if typing.get_origin(hint) is tuple:
        return {"type": typing.get_args(hint)[0], "nargs": "+", "metavar": "X"}
    return {"type": hint, "metavar": "X"}


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _escaped(help_: str) -> str:
    return help_.replace("%", "%%")
