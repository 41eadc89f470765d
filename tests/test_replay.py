"""The replay buffer against a deque of tuples; its samples against the uniform law."""

from collections import Counter, deque

import pytest
import torch
from scipy.stats import chi2

from chula_rl.errors import ConfigError
from chula_rl.replay import ReplayBuffer

OBS_DIM, ACTION_DIM = 3, 2


def random_steps(size, generator):
    """B steps of random numbers, as ``add`` takes them."""
    return (
        torch.randn(size, OBS_DIM, generator=generator),
        torch.randn(size, ACTION_DIM, generator=generator),
        torch.randn(size, generator=generator),
        torch.rand(size, generator=generator) < 0.5,
        torch.rand(size, generator=generator) < 0.5,
        torch.randn(size, OBS_DIM, generator=generator),
    )


def rows(columns):
    """Each step as one tuple of plain numbers, so that a mixed-up row shows."""
    values = [column.tolist() for column in columns]
    return [
        (*obs, *action, reward, terminated, truncated, *next_obs)
        for obs, action, reward, terminated, truncated, next_obs in zip(
            *values, strict=True
        )
    ]


def content(buffer):
    """What it holds: so many draws miss one of a few dozen steps never."""
    return set(rows(buffer.sample(200 * len(buffer))))


def buffer_of(size, capacity=None, seed=0):
    """A buffer of ``size`` random steps, one reward for each: its number."""
    buffer = ReplayBuffer(capacity or size, OBS_DIM, ACTION_DIM, seed)
    obs, action, _, *rest = random_steps(size, torch.Generator().manual_seed(1))
    buffer.add(obs, action, torch.arange(float(size)), *rest)
    return buffer


@pytest.mark.parametrize("capacity", [7, 12])
@pytest.mark.parametrize("sizes", [[1] * 20, [4] * 9, [3, 7, 1, 2, 7, 5, 7], [7] * 4])
def test_it_holds_what_a_deque_holds(capacity, sizes):
    generator = torch.Generator().manual_seed(0)
    buffer = ReplayBuffer(capacity, OBS_DIM, ACTION_DIM)
    expected = deque(maxlen=capacity)
    assert len(buffer) == 0
    for size in sizes:
        steps = random_steps(size, generator)
        buffer.add(*steps)
        expected.extend(rows(steps))
        assert len(buffer) == len(expected)
        assert content(buffer) == set(expected)


def test_samples_have_the_types_and_shapes_of_a_transition():
    sample = buffer_of(5).sample(8)
    assert sample._fields == (
        *("obs", "action", "reward", "terminated", "truncated", "next_obs"),
    )
    shapes = [tuple(column.shape) for column in sample]
    assert shapes == [(8, OBS_DIM), (8, ACTION_DIM), (8,), (8,), (8,), (8, OBS_DIM)]
    expected = [torch.float32] * 3 + [torch.bool] * 2 + [torch.float32]
    assert [column.dtype for column in sample] == expected
    assert not any(column.requires_grad for column in sample)


def test_samples_are_uniform_and_not_more_uniform_than_chance():
    buffer, size, draws = buffer_of(13), 13, 13 * 2_000
    counts = Counter(buffer.sample(draws).reward.tolist())
    assert len(counts) == size
    expected = draws / size
    statistic = sum((n - expected) ** 2 / expected for n in counts.values())
    assert chi2.ppf(0.001, size - 1) < statistic < chi2.ppf(0.999, size - 1)


def test_a_buffer_that_is_not_full_gives_only_what_was_added():
    buffer = buffer_of(4, capacity=1_000)
    counts = Counter(buffer.sample(4_000).reward.tolist())
    assert sorted(counts) == [0, 1, 2, 3]
    assert min(counts.values()) > 850


def test_samples_are_drawn_with_replacement():
    buffer, size = buffer_of(6), 6
    assert len(buffer.sample(50).reward) == 50
    distinct = [len(set(buffer.sample(size).reward.tolist())) for _ in range(2_000)]
    expected = size * (1 - (1 - 1 / size) ** size)  # 3.99 of 6
    assert sum(distinct) / len(distinct) == pytest.approx(expected, abs=0.1)


def test_the_seed_alone_decides_the_samples():
    def draws(seed, global_seed):
        torch.manual_seed(global_seed)
        buffer = buffer_of(50, seed=seed)
        state = torch.get_rng_state()
        drawn = [buffer.sample(9).reward.tolist() for _ in range(3)]
        assert torch.equal(torch.get_rng_state(), state)
        return drawn

    assert draws(3, global_seed=0) == draws(3, global_seed=1)
    assert draws(3, global_seed=0) != draws(4, global_seed=0)
    assert draws(3, global_seed=0)[0] != draws(3, global_seed=0)[1]


def test_it_shares_no_memory_with_what_goes_in_or_comes_out():
    buffer = ReplayBuffer(5, OBS_DIM, ACTION_DIM)
    steps = random_steps(5, torch.Generator().manual_seed(0))
    expected = set(rows(steps))
    buffer.add(*steps)
    for column in (*steps, *buffer.sample(40)):
        column.zero_()
    assert content(buffer) == expected
    sample = buffer.sample(40)
    before = rows(sample)
    buffer.add(*random_steps(5, torch.Generator().manual_seed(1)))
    assert rows(sample) == before


@pytest.mark.parametrize("added", [0, 3, 8, 13])
def test_a_restored_buffer_goes_on_equally(added):
    generator = torch.Generator().manual_seed(0)
    buffer = ReplayBuffer(8, OBS_DIM, ACTION_DIM, seed=1)
    for _ in range(added):
        buffer.add(*random_steps(1, generator))
    if added:
        buffer.sample(5)
    restored = ReplayBuffer(8, OBS_DIM, ACTION_DIM, seed=2)
    restored.load_state_dict({k: v.clone() for k, v in buffer.state_dict().items()})
    for size in (3, 4, 6):
        steps = random_steps(size, generator)
        for one in (buffer, restored):
            one.add(*steps)
        assert len(restored) == len(buffer)
        assert rows(restored.sample(30)) == rows(buffer.sample(30))


def test_the_state_has_no_rows_that_are_still_empty():
    state = buffer_of(4, capacity=10_000).state_dict()
    assert state["obs"].shape == (4, OBS_DIM)
    assert sum(tensor.nbytes for tensor in state.values()) < 10_000


def test_more_steps_than_its_capacity_are_refused_and_it_stays_as_it_was():
    buffer = buffer_of(4)
    before = content(buffer)
    with pytest.raises(ConfigError, match=r"5 steps arrived .* capacity, 4"):
        buffer.add(*random_steps(5, torch.Generator().manual_seed(0)))
    assert content(buffer) == before
    buffer.add(*random_steps(4, torch.Generator().manual_seed(0)))
    assert not content(buffer) & before


@pytest.mark.parametrize("capacity", [0, -3])
def test_a_buffer_without_room_is_refused(capacity):
    with pytest.raises(ConfigError, match=f"capacity is {capacity}"):
        ReplayBuffer(capacity, OBS_DIM, ACTION_DIM)
