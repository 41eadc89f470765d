"""The two files of the bug gallery: the runs for students, the key for the grader."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from safetensors.numpy import save

from chula_rl import gallery
from chula_rl.checkpoint import write_whole
from chula_rl.grading.course import Course
from chula_rl.grading.gallery_key import KEY, WHY
from chula_rl.grading.gallery_mistakes import Mistake, read
from chula_rl.grading.gallery_record import (
    ALGORITHMS,
    Columns,
    Contradictions,
    contradictions,
    record,
)

EXAMPLE = "example"


def shuffled(found: Sequence[Mistake], seed: int) -> dict[str, str]:
    """A letter for each case: first those of A2C, then those of DDPG, in no order.

    Args:
        found: the mistakes.
        seed: of the order.
    """
    letters: Iterator[str] = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    draw = random.Random(seed)
    key: dict[str, str] = {}
    for algorithm in ALGORITHMS:
        names = [m.name for m in found if (m.algorithm, m.role) == (algorithm, "case")]
        draw.shuffle(names)
        key |= {next(letters): name for name in names}
    return key


def write(
    course: Course,
    key: Mapping[str, str],
    runs: Mapping[str, Columns],
    why: Contradictions,
) -> None:
    """Write what students get, and what the grader keeps.

    Args:
        course: the course.
        key: the mistake of each letter.
        runs: the columns of the healthy code, of the example, and of each letter.
        why: what contradicts each wrong diagnosis.
    """
    found = {mistake.name: mistake for mistake in read(course)}
    (example,) = (m for m in found.values() if m.role == "example")
    named = {EXAMPLE: example} | {letter: found[name] for letter, name in key.items()}
    about = {
        name: {
            "algorithm": named[name].algorithm if name in named else name,
            "hints": list(named[name].hints) if name in named else [],
        }
        for name in runs
    }
    choices: dict[str, dict[str, str]] = {algorithm: {} for algorithm in ALGORITHMS}
    for name, mistake in sorted(found.items()):
        choices[mistake.algorithm][name] = mistake.about
    metadata = {"about": json.dumps(about), "mistakes": json.dumps(choices)}
    tensors = {
        f"{name}/{column}": np.ascontiguousarray(values, dtype=np.float32)
        for name, columns in runs.items()
        for column, values in columns.items()
    }
    data = course.package / "data" / "gallery.safetensors"
    write_whole(data, save(tensors, metadata))
    path = course.package / "grading" / "gallery_key.py"
    path.write_text(_key_text(key, why), "utf-8")


def _key_text(key: Mapping[str, str], why: Contradictions) -> str:
    lines = [
        '"""Which mistake is behind which case: by `chula-rl assignments gallery`."""',
        "",
        "KEY = {",
        *(f'    "{letter}": "{name}",' for letter, name in key.items()),
        "}",
        "",
        "# What contradicts a wrong diagnosis of a case, and what the healthy runs: a",
        "# column, a third, where it lies with that mistake, and where it does here.",
        "WHY = {",
    ]
    for case, others in sorted(why.items()):
        lines.append(f'    "{case}": {{')
        for name, found in others.items():
            quoted = ", ".join(f'"{text}"' for text in found)
            lines.append(f'        "{name}": ({quoted}),')
        lines.append("    },")
    return "\n".join([*lines, "}", ""])


def remake(course: Course, seed: int, jobs: int | None = None) -> dict[str, str]:
    """Train all runs anew, and write both files.

    Args:
        course: the course.
        seed: of the letters.
        jobs: runs at a time; None for one on each core.

    Returns:
        The key: the mistake of each letter.

    Raises:
        AssignmentError: as for ``read``, or a mistake cannot be told from another one.
    """
    found, runs = read(course), record(course, jobs)
    healthy = {name: runs[name] for name in ALGORITHMS}
    why = contradictions(found, runs)
    key = shuffled(found, seed)
    (example,) = (m.name for m in found if m.role == "example")
    cases = {letter: runs[name] for letter, name in key.items()}
    write(course, key, {**healthy, EXAMPLE: runs[example], **cases}, why)
    return key


def reshuffle(course: Course, seed: int) -> dict[str, str]:
    """Give the recorded cases other letters, and write both files.

    Args:
        course: the course.
        seed: of the letters.

    Returns:
        The key.
    """
    runs = {name: found.columns for name, found in gallery.recorded().items()}
    named = {name: runs.pop(letter) for letter, name in KEY.items()}
    key = shuffled(read(course), seed)
    cases = {letter: named[name] for letter, name in key.items()}
    write(course, key, {**runs, **cases}, WHY)
    return key
