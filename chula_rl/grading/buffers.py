"""What a replay buffer does, told by its behaviour alone.

How it keeps its steps and how it draws is for the student to choose, so there is no
number to compare with the reference: whatever holds the last steps and draws them with
even chances is right. Samples are so large that no right buffer fails by chance.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from chula_rl.grading.compare import Draw
from chula_rl.grading.outcomes import UnfitError
from chula_rl.types import Transition

Make = Callable[[int, int, int, int], Any]  # of capacity, obs_dim, action_dim, seed
Row = tuple[Any, ...]  # one step in plain numbers, in the order of a Transition

DRAWS = 400  # for each step held
MARGIN = 0.35  # of a step's share of the draws: seven standard deviations
BATCHES = 12  # as large as the buffer; in one of them some step has to come twice
LARGE = 7  # steps held, from which on a batch without one twice is no accident


def steps(draw: Draw, size: int, obs_dim: int, action_dim: int) -> Transition:
    """One random step of each of ``size`` environments, as ``add`` takes them."""

    def normal(*shape: int) -> Tensor:
        return draw.normal(size, *shape, dtype=torch.float32)

    return Transition(
        obs=normal(obs_dim),
        action=normal(action_dim),
        reward=normal(),
        terminated=normal() > 0,
        truncated=normal() > 0,
        next_obs=normal(obs_dim),
    )


def check(make: Make, capacity: int, added: Sequence[Transition], seed: int) -> None:
    """Fill buffers of a class and look at what they give.

    Args:
        make: the class.
        capacity: of the buffers.
        added: what is added, call by call.
        seed: of the buffers.

    Raises:
        UnfitError: one does something else than a replay buffer should.
    """
    sizes = added[0].obs.shape[1], added[0].action.shape[1]
    like = added[0]

    def filled(seed: int) -> Any:
        buffer = make(capacity, *sizes, seed)
        if len(buffer):
            raise UnfitError(
                "a new buffer is not empty: is its memory a class attribute or a "
                "default argument, shared by all buffers?"
            )
        for calls in range(1, len(added) + 1):
            buffer.add(*added[calls - 1])
            count = sum(len(batch.reward) for batch in added[:calls])
            _check_length(len(buffer), count, calls, capacity)
        return buffer

    rows = [row for batch in added for row in _rows(batch)]
    held = rows[-capacity:]
    buffer, other = filled(seed), make(capacity, *sizes, seed)
    foreign = like._replace(reward=like.reward + 100)
    other.add(*foreign)
    if len(held) >= LARGE:
        _check_batches(buffer, held, like)
    drawn = _rows(_sample(buffer, DRAWS * len(held), like))
    if set(drawn) & set(_rows(foreign)):
        raise UnfitError(
            "a step that was added to another buffer comes up: the two share memory."
        )
    _check_content(set(drawn), rows, held, [_rows(batch)[0] for batch in added])
    if any(abs(n - DRAWS) > MARGIN * DRAWS for n in Counter(drawn).values()):
        raise UnfitError("some steps are drawn more often than others.")
    if len(held) >= LARGE:
        _check_seeds(filled(seed), filled(seed + 1), filled(seed), like)


def _check_length(length: int, count: int, calls: int, capacity: int) -> None:
    """After so many steps in so many calls."""
    if length == min(count, capacity):
        return
    if length > capacity:
        raise UnfitError("it holds more than its capacity: the oldest have to go.")
    if length == capacity:
        raise UnfitError("its length is the number of steps held, not the capacity.")
    if length == calls:
        raise UnfitError("its length counts calls: each row is a step of its own.")
    raise UnfitError("its length is not the number of steps held.")


def _sample(buffer: Any, n: int, like: Transition) -> Transition:
    """Draw n steps; their shapes and dtypes have to be as added."""
    found = buffer.sample(n)
    if not isinstance(found, Transition):
        raise UnfitError("sample does not return a Transition.")
    for name, column, example in zip(Transition._fields, found, like, strict=True):
        if not isinstance(column, Tensor):
            raise UnfitError(f"{name} of a sample is not a tensor.")
        shape = (n, *example.shape[1:])
        if column.ndim and len(column) < n and column.shape[1:] == shape[1:]:
            raise UnfitError("a sample of n has fewer steps: draw with replacement.")
        if column.shape != shape:
            shapes = f"{tuple(column.shape)}; expected {shape}"
            raise UnfitError(f"{name} of a sample has shape {shapes}.")
        if column.dtype != example.dtype:
            dtypes = f"{column.dtype}; expected {example.dtype}, as it was added"
            raise UnfitError(f"{name} of a sample has dtype {dtypes}.")
    return found


def _check_batches(buffer: Any, held: Sequence[Row], like: Transition) -> None:
    """Each draw of a batch is made anew, from all steps."""
    drawn = [_sample(buffer, len(held), like) for _ in range(BATCHES)]
    if len(buffer) != len(held):
        raise UnfitError("a sample takes steps out of the buffer: they stay.")
    batches = [batch.reward.tolist() for batch in drawn]
    if any(len(set(batch)) < len(batch) for batch in batches):
        return
    order = [row[2] for row in held]
    next_of = dict(zip(order, [*order[1:], order[0]], strict=True))
    pairs = [pair for batch in batches for pair in itertools.pairwise(batch)]
    if sum(next_of.get(one) == after for one, after in pairs) > len(pairs) / 2:
        raise UnfitError("the steps of a batch follow one another: draw each anew.")
    raise UnfitError("no batch has a step twice: draw with replacement.")


def _check_content(
    seen: set[Row], rows: Sequence[Row], held: Sequence[Row], firsts: Sequence[Row]
) -> None:
    """Exactly the steps that it should hold are drawn, of all that were added."""
    unknown = seen - set(rows)
    if unknown:
        raise UnfitError(_unknown(unknown, rows))
    if seen - set(held):
        raise UnfitError("steps come up that had to make room for newer ones.")
    missing = set(held) - seen
    if missing and seen <= set(firsts):
        raise UnfitError("only the first of the B steps of a call is kept.")
    if missing == {held[-1]}:
        raise UnfitError("the newest step is never drawn.")
    if missing == {held[0]}:
        raise UnfitError("the oldest step that is held is never drawn.")
    if missing:
        raise UnfitError("steps that it should hold are gone, or never drawn.")


def _unknown(unknown: Collection[Row], rows: Sequence[Row]) -> str:
    """What is the matter with steps that were never added."""
    if any(not any(row[0]) and not row[2] for row in unknown):
        return "steps come up that were never added: draw from the first len(self)."
    by_reward = {row[2]: row for row in rows}
    pairs = [(row, by_reward.get(row[2])) for row in unknown]
    wrong = {
        name
        for row, own in pairs
        for i, name in enumerate(Transition._fields)
        if (own is None and name == "reward") or (own and own[i] != row[i])
    }
    if wrong <= {"terminated", "truncated"}:
        if all(own and row[3:5] == own[4:2:-1] for row, own in pairs):
            return "terminated and truncated are swapped."
        return f"{' and '.join(sorted(wrong))}: keep each flag as it was added."
    columns = [set(column) for column in zip(*rows, strict=True)]
    if all(row[i] in columns[i] for row in unknown for i in (0, 1, 2, 5)):
        return "columns of different steps are mixed: one index for all six."
    return f"{', '.join(sorted(wrong))} of a step is not what was added with it."


def _check_seeds(one: Any, another: Any, same: Any, like: Transition) -> None:
    """Samples depend on the buffer's own seed and history alone."""

    def two_samples(buffer: Any) -> list[list[float]]:
        return [_sample(buffer, 2 * LARGE, like).reward.tolist() for _ in range(2)]

    first, others, again = map(two_samples, (one, another, same))
    if first[0] == first[1]:
        raise UnfitError("each sample is the same: make the generator in __init__.")
    if first != again:
        raise UnfitError(
            "two buffers with the same seed, filled alike, give other samples: draw "
            "from a generator of the buffer's own, made with the seed."
        )
    if first == others:
        raise UnfitError("another seed gives the same samples.")


def _rows(columns: Transition) -> list[Row]:
    """Each step as one tuple of plain numbers, so that a mixed-up one shows."""
    plain = [column.tolist() for column in columns]
    return [
        (tuple(obs), tuple(action), reward, terminated, truncated, tuple(next_obs))
        for obs, action, reward, terminated, truncated, next_obs in zip(
            *plain, strict=True
        )
    ]
