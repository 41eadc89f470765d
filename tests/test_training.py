"""Seeds and learning rates that all training loops share."""

import pytest
import torch
from scipy import stats
from torch import nn
from torch.optim import SGD

from chula_rl.training import seeded_generator, set_lr

PAIRS = [(seed, iteration) for seed in range(40) for iteration in range(40)]


def draw(seed, iteration, size=1):
    generator = seeded_generator(seed, iteration)
    return torch.rand(size, generator=generator, dtype=torch.float64)


class TestSeededGenerator:
    """Equal pairs give equal streams; others have nothing in common."""

    @pytest.mark.parametrize("pair", [(0, 0), (3, 1_000_000), (2**40, 7)])
    def test_the_same_pair_gives_the_same_numbers(self, pair):
        assert torch.equal(draw(*pair, size=100), draw(*pair, size=100))

    def test_different_pairs_give_different_numbers(self):
        seeds = {seeded_generator(*pair).initial_seed() for pair in PAIRS}
        assert len(seeds) == len({draw(*pair).item() for pair in PAIRS}) == len(PAIRS)

    def test_first_numbers_of_neighbours_are_uniform_and_uncorrelated(self):
        first = torch.cat([draw(*pair) for pair in PAIRS]).view(40, 40)
        assert stats.kstest(first.flatten().numpy(), "uniform").pvalue > 0.001
        for neighbour in (first[1:, :], first[:, 1:].T):
            own = first[:-1, :] if neighbour.shape[1] == 40 else first[:, :-1].T
            correlation = stats.pearsonr(own.flatten(), neighbour.flatten())
            assert correlation.pvalue > 0.001

    def test_torchs_own_generator_is_left_alone(self):
        before = torch.get_rng_state()
        draw(1, 2)
        assert torch.equal(torch.get_rng_state(), before)


class TestSetLr:
    """The rates with which the next step is taken."""

    def optimizer(self):
        parameters = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
        groups = [{"params": [parameter]} for parameter in parameters]
        for parameter in parameters:
            parameter.grad = torch.ones(1)
        return SGD(groups, lr=9.0), parameters

    def test_each_group_steps_with_its_own_rate(self):
        optimizer, parameters = self.optimizer()
        set_lr(optimizer, 0.5, 0.25)
        optimizer.step()
        assert [parameter.item() for parameter in parameters] == [-0.5, -0.25]

    @pytest.mark.parametrize("rates", [(), (0.1,), (0.1, 0.2, 0.3)])
    def test_as_many_rates_as_groups_are_needed(self, rates):
        with pytest.raises(ValueError, match="zip"):
            set_lr(self.optimizer()[0], *rates)
