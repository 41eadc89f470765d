"""Results of the training benchmark in a file, one JSON object a line."""

import dataclasses
import json
import math
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chula_rl.benchmarks.training import Learner, Protocol, Result
from chula_rl.errors import ConfigError


def read_results(
    path: Path, learners: Iterable[Learner] | None = None, protocol: Any = None
) -> list[Result]:
    """The results in a file; an unfinished last line is cut off.

    Args:
        path: of the file, which need not exist.
        learners: whose results are asked for; None for all.
        protocol: by which they must have been measured; None for any.

    Returns:
        The results in the order of the file.

    Raises:
        ConfigError: a line cannot be read, or a result is of other settings or of
            another protocol than what is asked for.
    """
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:  # the program was killed while it wrote
        path.write_text(whole, "utf-8")
    asked = None if learners is None else {x.name: x.settings for x in learners}
    results = []
    for number, line in enumerate(whole.splitlines(), 1):
        row, result = _parse(line, f"{path}, line {number}")
        if asked is not None and result.learner not in asked:
            continue
        expected = (
            row["settings"] if asked is None else asked[result.learner],
            row["protocol"] if protocol is None else dataclasses.asdict(protocol),
        )
        if (row["settings"], row["protocol"]) != expected:
            raise ConfigError(
                f"{path}, line {number}: {result.learner} was measured with "
                f"{row['settings']} and {row['protocol']}; expected {expected[0]} and "
                f"{expected[1]}. One file holds what is compared: take another --out."
            )
        results.append(result)
    return results


def append_result(
    path: Path, result: Result, learner: Learner, protocol: Protocol
) -> None:
    """Add a line to the file.

    Args:
        path: of the file; its folder is made.
        result: what came of the run.
        learner: who trained.
        protocol: how it was measured.
    """
    row = {
        **{name: _finite(value) for name, value in result._asdict().items()},
        "settings": learner.settings,
        "protocol": dataclasses.asdict(protocol),
        "versions": {name: version(name) for name in _packages(learner)},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def _packages(learner: Learner) -> list[str]:
    peers = [learner.package] if learner.package.isidentifier() else []
    return ["torch", "numpy", "gymnasium", *peers]


def _finite(value: Any) -> Any:
    """JSON knows no infinity and no NaN: null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parse(line: str, where: str) -> tuple[dict[str, Any], Result]:
    try:
        row = json.loads(line)
        values = {name: row[name] for name in Result._fields}
        for name in ("solved_steps", "solved_seconds"):
            values[name] = math.inf if values[name] is None else float(values[name])
        if values["final_return"] is None:
            values["final_return"] = math.nan
        row = {"settings": row["settings"], "protocol": row["protocol"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{where} is no result ({error!r}); expected a line of `chula-rl bench "
            "train --out`. Delete the line, or choose another --out."
        ) from error
    return row, Result(**values)
