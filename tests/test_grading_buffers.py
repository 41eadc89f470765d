"""The check of a replay buffer's behaviour: the reference, and small slips of it."""

import pytest
import torch

from chula_rl.grading import buffers, compare
from chula_rl.grading.outcomes import UnfitError
from chula_rl.replay import ReplayBuffer

SIZES = (3, 4, 1, 5, 4)  # 17 steps, of which a capacity of 10 holds the last


def added(sizes=SIZES, seed=0):
    draw = compare.Draw(seed)
    return [buffers.steps(draw, size, 3, 2) for size in sizes]


class Repeated(ReplayBuffer):
    def sample(self, n):
        self.generator.manual_seed(0)
        return super().sample(n)


class Sorted(ReplayBuffer):
    def sample(self, n):
        found = super().sample(n)
        return found._replace(**{k: v[found.reward.argsort()] for k, v in parts(found)})


class Mixed(ReplayBuffer):
    def sample(self, n):
        return super().sample(n)._replace(action=super().sample(n).action)


class Doubled(ReplayBuffer):
    def __len__(self):
        return 2 * super().__len__()


class FirstRow(ReplayBuffer):
    def add(self, *columns):
        super().add(*(column[:1] for column in columns))


def parts(sample):
    return sample._asdict().items()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("capacity", [5, 10, 100])
def test_the_reference_passes_whatever_the_seed(seed, capacity):
    buffers.check(ReplayBuffer, capacity, added(seed=seed), seed)


def test_sorted_samples_pass():
    buffers.check(Sorted, 10, added(), 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Repeated, "each sample is the same"),
        (Mixed, "mixed"),
        (Doubled, "length"),
        (FirstRow, "each row is a step of its own"),
    ],
)
def test_a_slip_is_found_and_named(wrong, message):
    with pytest.raises(UnfitError, match=message):
        buffers.check(wrong, 10, added(), 0)


def test_buffers_are_compared_as_other_solutions_are():
    def cases(draw):
        yield "full", (10, [buffers.steps(draw, 5, 3, 2) for _ in range(3)], 1)

    compare.objects(ReplayBuffer, ReplayBuffer, cases, buffers.check)
    expected = r"ReplayBuffer: .* mixed: one index for all six\. \(Case: full\.\)"
    with pytest.raises(AssertionError, match=expected):
        compare.objects(Mixed, ReplayBuffer, cases, buffers.check)


def test_blank_buffers_and_crashes_are_told_apart():
    def cases(draw):
        yield "full", (2, [buffers.steps(draw, 2, 1, 1)], 1)

    class Blank(ReplayBuffer):
        def add(self, *columns):
            raise NotImplementedError

    class Crash(ReplayBuffer):
        def sample(self, n):
            return torch.zeros(2)[[5]]

    for wrong, message in [(Blank, "still blank"), (Crash, "stops with IndexError")]:
        with pytest.raises(AssertionError, match=message):
            compare.objects(wrong, ReplayBuffer, cases, buffers.check)
