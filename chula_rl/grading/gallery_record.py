"""Training runs for the bug gallery, and what tells each case from the others."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save
from tqdm import tqdm

from chula_rl import gallery
from chula_rl.checkpoint import write_whole
from chula_rl.errors import AssignmentError
from chula_rl.grading import gallery_runs
from chula_rl.grading.course import Course
from chula_rl.grading.edition import package_files
from chula_rl.grading.gallery_mistakes import Mistake, functions, read, texts
from chula_rl.types import FloatArray

ALGORITHMS = ("a2c", "ddpg")
HEALTHY_SEEDS = range(10)
SEEDS = range(10, 15)  # of each mistake
CLEAR = 1.0  # ranges of the healthy runs, by which two mistakes differ in some column

Columns = dict[str, FloatArray]  # each [num_seeds, K]
# A column, a third, where it lies with a mistake that is named, and where it does here.
Contradiction = tuple[str, str, str, str]
Contradictions = Mapping[
    str, Mapping[str, Contradiction]
]  # by case and by that mistake


def record(course: Course, jobs: int | None = None) -> dict[str, Columns]:
    """Train all runs, under a bar.

    Args:
        course: the course.
        jobs: runs at a time; None for one on each core.

    Returns:
        The columns of each mistake, by name, and of the healthy code, by algorithm.
    """
    found = read(course)
    tasks = [
        *((m.name, m.algorithm, texts(m), seed) for m in found for seed in SEEDS),
        *((a, a, {}, seed) for a in ALGORITHMS for seed in HEALTHY_SEEDS),
    ]
    runs: dict[str, list[Columns]] = {}
    with ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
        futures = [(t[0], pool.submit(_run, course, *t[1:])) for t in tasks]
        for name, future in tqdm(futures, unit="run"):
            runs.setdefault(name, []).append(future.result())
    return {name: _stacked(columns) for name, columns in runs.items()}


def _run(
    course: Course, algorithm: str, written: Mapping[str, str], seed: int
) -> Columns:
    """One run, in a process of its own, unless the same code has been recorded."""
    path = course.build / "gallery" / f"{_hash(course, algorithm, written, seed)}.run"
    if path.exists():
        return load_file(path)
    torch.set_num_threads(1)
    train = {"a2c": gallery_runs.record_a2c, "ddpg": gallery_runs.record_ddpg}
    with contextlib.redirect_stdout(io.StringIO()):  # students print
        run = train[algorithm](functions(course, algorithm, written), seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, save(run))
    return run


def _hash(course: Course, algorithm: str, written: Mapping[str, str], seed: int) -> str:
    """Of all that decides a run: the functions, the package, the instruments."""
    asked = json.dumps([algorithm, dict(written), seed])
    digest = hashlib.sha256(asked.encode())
    for path in (*package_files(course.package), Path(gallery_runs.__file__)):
        if path.suffix == ".py" and path != Path(gallery.__file__):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _stacked(runs: list[Columns]) -> Columns:
    return {name: np.stack([run[name] for run in runs]) for name in runs[0]}


def contradictions(
    found: Sequence[Mistake], runs: Mapping[str, Columns]
) -> dict[str, dict[str, Contradiction]]:
    """What tells each case from the healthy runs and from all other mistakes.

    Args:
        found: the mistakes.
        runs: of each by name, and the healthy ones by their algorithm.

    Raises:
        AssignmentError: of a case there is nothing.
    """
    why: dict[str, dict[str, Contradiction]] = {}
    for case in (m for m in found if m.role != "other"):
        others = [m.name for m in found if m.algorithm == case.algorithm and m != case]
        healthy, ours = runs[case.algorithm], runs[case.name]
        for name in (case.algorithm, *others):
            clear, contradiction = max(_apart(runs[name], ours, healthy))
            if clear < CLEAR:
                raise AssignmentError(
                    f"'{case.name}' cannot be told from '{name}': no column is apart "
                    f"by {CLEAR} ranges of the healthy runs."
                )
            why.setdefault(case.name, {})[name] = contradiction
    return why


def _apart(
    named: Columns, ours: Columns, healthy: Columns
) -> Iterator[tuple[float, Contradiction]]:
    """How far all seeds of a mistake are from all of a case, where these lie elsewhere.

    In ranges of the healthy runs, which may all agree.
    """
    yield 0.0, ("", "", "", "")
    for column in set(ours) - {"steps"}:
        for third in gallery.THIRDS:
            normal = healthy[column]
            places = [gallery.place_of(r[column], normal, third) for r in (named, ours)]
            theirs, here = (gallery.means(r[column], third) for r in (named, ours))
            usual = gallery.means(normal, third)
            unit = usual.max() - usual.min() + 0.05 * abs(usual.mean())
            gap = max(theirs.min() - here.max(), here.min() - theirs.max())
            if places[0] != places[1]:
                where = [place.replace("within", "among") for place in places]
                yield float(gap / unit), (column, third, where[0], where[1])
