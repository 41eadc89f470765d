"""From what was typed after ``chula-rl train`` to the run that it asks for."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from chula_rl.commands.options import typed_settings
from chula_rl.envs import ENV_ID
from chula_rl.errors import ConfigError
from chula_rl.runs import ALGORITHMS, Run

_EVALUATION = ("eval_every", "eval_episodes")


def new_run(args: argparse.Namespace, path: Path, seed: int) -> Run:
    """The run that was asked for.

    Args:
        args: the options that were typed.
        path: of the run's folder.
        seed: of everything random.

    Returns:
        The run; its folder may not exist.
    """
    config = ALGORITHMS[args.algorithm].Config
    settings = config(**typed_settings(args, config))
    env_id = getattr(args, "env_id", ENV_ID)
    return Run(
        path, args.algorithm, env_id, seed, settings, **_typed(args, _EVALUATION)
    )


def check_agrees(args: argparse.Namespace, run: Run, seed: int) -> None:
    """Refuse options that say otherwise than the record of a run to go on with.

    Args:
        args: the options that were typed.
        run: what the record says.
        seed: what was typed, or what the record says.

    Raises:
        ConfigError: an option that was typed says otherwise.
    """
    recorded = run.settings()
    recorded |= recorded.pop("config")
    typed = {"algorithm": args.algorithm, "seed": seed}
    typed |= _typed(args, ("env_id", *_EVALUATION))
    typed |= typed_settings(args, ALGORITHMS[args.algorithm].Config)
    for name, value in typed.items():
        if recorded.get(name, value) != value:
            raise ConfigError(
                f"{run.path} was started with {name} {recorded[name]}, not {value}, "
                "and goes on with that. Leave the option out, or train another run "
                "with another --out."
            )


def moved(run: Run, path: Path, seed: int) -> Run:
    """The same run with another seed in another folder."""
    return dataclasses.replace(run, path=path, seed=seed)


def _typed(args: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(args, name) for name in names if hasattr(args, name)}
