"""Intervals over seeds, against closed forms, known distributions and SciPy."""

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy

from chula_rl.errors import ConfigError
from chula_rl.statistics import (
    Interval,
    interquartile_mean,
    learning_curve,
    median_interval,
    ratio_interval,
)

INF = math.inf


class TestLearningCurve:
    """The interquartile mean over seeds and its bootstrap interval."""

    @pytest.mark.parametrize(
        ("values", "mean"),
        [
            ([7.0], 7.0),
            ([1.0, 2.0, 6.0], 3.0),
            ([100.0, 2.0, 4.0, -100.0], 3.0),
            ([0.0, 9.0, 1.0, 2.0, 3.0, -8.0, 50.0, 2.0], 2.0),
        ],
    )
    def test_the_interquartile_mean_drops_a_quarter_at_each_end(self, values, mean):
        assert interquartile_mean(np.array(values)) == mean

    def test_it_is_taken_along_the_axis_given(self):
        values = np.array([[0.0, 1.0, 2.0, 90.0], [-90.0, 3.0, 4.0, 5.0]])
        assert interquartile_mean(values, axis=1).tolist() == [1.5, 3.5]
        assert interquartile_mean(values, axis=0).tolist() == [-45.0, 2.0, 3.0, 47.5]

    def test_the_interval_covers_the_truth_as_often_as_it_says(self):
        points, true_mean = 400, 3.0
        rng = np.random.default_rng(0)
        for confidence in (0.5, 0.9):
            scores = rng.normal(true_mean, 1.0, size=(24, points))
            curve = learning_curve(np.arange(points), scores, confidence, 400)
            covered = ((curve.low < true_mean) & (true_mean < curve.high)).mean()
            assert covered == pytest.approx(confidence, abs=0.08)

    def test_the_centre_is_inside_and_equal_seeds_have_no_interval(self):
        steps = np.array([10, 20])
        scores = np.random.default_rng(1).normal(size=(12, 2))
        curve = learning_curve(steps, scores)
        assert curve.steps.tolist() == [10, 20]
        assert curve.centre.tolist() == interquartile_mean(scores).tolist()
        assert ((curve.low < curve.centre) & (curve.centre < curve.high)).all()
        flat = learning_curve(steps, np.tile([1.0, 2.0], (5, 1)))
        assert flat.low.tolist() == flat.high.tolist() == [1.0, 2.0]

    def test_seeds_are_resampled_whole(self):
        scores = np.random.default_rng(2).normal(size=(12, 1))
        curve = learning_curve(np.arange(2), np.hstack([scores, scores + 5]))
        assert (curve.high - curve.low)[0] == pytest.approx((curve.high - curve.low)[1])
        assert curve.low[1] == pytest.approx(curve.low[0] + 5)

    def test_its_own_seed_decides(self):
        steps = np.arange(3)
        scores = np.random.default_rng(3).normal(size=(8, 3))
        one, again, other = (learning_curve(steps, scores, seed=s) for s in (1, 1, 2))
        assert one.low.tolist() == again.low.tolist()
        assert one.low.tolist() != other.low.tolist()

    @pytest.mark.parametrize("shape", [(3,), (2, 4)])
    def test_scores_of_another_shape_are_refused(self, shape):
        with pytest.raises(ConfigError, match=r"expected \(num_seeds, 3\)"):
            learning_curve(np.arange(3), np.zeros(shape))

    def test_a_single_seed_has_no_interval(self):
        curve = learning_curve(np.arange(2), np.array([[3.0, 7.0]]))
        for values in (curve.centre, curve.low, curve.high):
            assert values.tolist() == [3.0, 7.0]

    def test_the_interval_is_of_the_exact_bootstrap_distribution(self):
        # three seeds: the interquartile mean is the mean, and 27 resamples are all
        seeds = np.array([0.0, 1.0, 5.0])
        exact = np.sort([(a + b + c) / 3 for a in seeds for b in seeds for c in seeds])
        curve = learning_curve(np.arange(1), seeds[:, None], 0.8, num_resamples=20_000)
        assert curve.low[0] == pytest.approx(exact[math.ceil(0.1 * 27) - 1])
        assert curve.high[0] == pytest.approx(exact[math.ceil(0.9 * 27) - 1])

    @pytest.mark.parametrize("bad", [np.nan, INF])
    def test_a_score_that_is_no_number_is_refused_where_it_is(self, bad):
        scores = np.ones((5, 3))
        scores[3, 1] = bad
        with pytest.raises(ConfigError, match=rf"row 3 at 2,000 steps is {bad}"):
            learning_curve(np.array([1000, 2000, 3000]), scores)

    def test_no_seeds_are_refused(self):
        with pytest.raises(ConfigError, match=r"shape \(0, 3\)"):
            learning_curve(np.arange(3), np.zeros((0, 3)))


def exact_median_tail(sample, confidence):
    """Interval of the bootstrap median of an odd sample, in closed form.

    The median of a resample is at most the k-th value if at least half of the draws
    are: a binomial tail (Efron 1979, section 3).
    """
    n = len(sample)
    k = np.arange(1, n + 1)
    at_most = scipy.stats.binom.sf((n - 1) // 2, n, k / n)  # P(draws > (n - 1) / 2)
    tail = (1 - confidence) / 2
    ordered = np.sort(sample)
    low, high = (np.searchsorted(at_most, q) for q in (tail, 1 - tail))
    return ordered[low], ordered[high]


class TestMedianInterval:
    """The median of a few seeds, some of which may never have got there."""

    @pytest.mark.parametrize("n", [3, 5, 9, 19])
    @pytest.mark.parametrize("confidence", [0.6, 0.95])
    def test_it_is_of_the_exact_bootstrap_distribution(self, n, confidence):
        sample = np.random.default_rng(n).exponential(size=n)
        result = median_interval(sample, confidence)
        assert result.centre == np.median(sample)
        assert (result.low, result.high) == exact_median_tail(sample, confidence)

    @pytest.mark.parametrize("num_infinite", [1, 5, 6, 11])
    def test_infinity_is_only_larger_than_every_other_value(self, num_infinite):
        finite = np.arange(1.0, 12.0)
        infinite = np.where(finite > 11 - num_infinite, INF, finite)
        of_finite, of_infinite = median_interval(finite), median_interval(infinite)
        for value, same in zip(of_finite, of_infinite, strict=True):
            assert same == (INF if value > 11 - num_infinite else value)

    def test_an_even_sample_has_the_mean_of_its_middle_as_its_median(self):
        assert median_interval([1.0, 2.0, 4.0, INF]).centre == 3.0
        assert median_interval([1.0, 2.0, INF, INF]).centre == INF

    def test_it_covers_the_truth_as_often_as_it_says(self):
        rng = np.random.default_rng(0)
        samples = rng.lognormal(1.0, 1.0, size=(300, 15))
        intervals = [median_interval(s, 0.9, num_resamples=500) for s in samples]
        covered = np.mean([i.low <= math.exp(1.0) <= i.high for i in intervals])
        assert covered == pytest.approx(0.9, abs=0.06)

    def test_one_value_and_equal_values_are_their_own_interval(self):
        assert median_interval([7.0]) == Interval(7.0, 7.0, 7.0)
        assert median_interval([7.0] * 6) == Interval(7.0, 7.0, 7.0)
        assert median_interval([INF, INF]) == Interval(INF, INF, INF)

    @pytest.mark.parametrize("values", [[], [1.0, math.nan], [[1.0, 2.0]]])
    def test_what_is_no_sample_is_refused(self, values):
        with pytest.raises(ConfigError, match="one or more numbers without NaN"):
            median_interval(values)


class TestRatioInterval:
    """How many times as much one algorithm needs as another."""

    def test_it_agrees_with_scipy(self):
        rng = np.random.default_rng(1)
        a, b = rng.gamma(9.0, size=21), rng.gamma(16.0, size=14)
        theirs = scipy.stats.bootstrap(
            (a, b),
            lambda a, b, axis: np.median(a, axis) / np.median(b, axis),
            method="percentile",
            confidence_level=0.9,
            rng=2,
        ).confidence_interval
        ours = ratio_interval(a, b, 0.9)
        assert ours.centre == np.median(a) / np.median(b)
        assert (ours.low, ours.high) == pytest.approx(theirs, rel=0.05)

    def test_a_sample_of_equal_values_only_scales(self):
        a = np.random.default_rng(3).exponential(size=9)
        over, under = ratio_interval(a, [4.0]), ratio_interval([4.0] * 5, a)
        low, high = exact_median_tail(a, 0.95)
        assert over == pytest.approx((np.median(a) / 4, low / 4, high / 4))
        assert under == pytest.approx((4 / np.median(a), 4 / high, 4 / low))

    def test_it_covers_the_truth_as_often_as_it_says(self):
        rng = np.random.default_rng(4)
        intervals = [
            ratio_interval(a, b, 0.9, num_resamples=500)
            for a, b in zip(
                3.0 * rng.lognormal(size=(300, 15)),
                rng.lognormal(size=(300, 10)),
                strict=True,
            )
        ]
        covered = np.mean([i.low <= 3.0 <= i.high for i in intervals])
        assert covered == pytest.approx(0.9, abs=0.06)

    def test_the_samples_are_resampled_independently(self):
        # the same draws for both would give 1 each time
        a = np.random.default_rng(5).exponential(size=9)
        result = ratio_interval(a, a)
        assert result.centre == 1
        assert result.low < 0.9 < 1.1 < result.high

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ([2.0], [4.0], (0.5, 0.5, 0.5)),
            ([INF], [4.0], (INF, INF, INF)),
            ([4.0], [INF], (0.0, 0.0, 0.0)),
            ([INF], [INF, INF], (math.nan, 0.0, INF)),  # nothing is known
            ([1.0, 2.0, INF], [1.0], (2.0, 1.0, INF)),
            ([1.0, INF, INF], [INF, INF], (math.nan, 0.0, INF)),
        ],
    )
    def test_runs_that_never_got_there(self, a, b, expected):
        assert ratio_interval(a, b) == pytest.approx(expected, nan_ok=True)

    @pytest.mark.parametrize(("a", "b"), [([1.0, 0.0], [1.0]), ([1.0], [-2.0])])
    def test_values_that_are_not_positive_are_refused(self, a, b):
        with pytest.raises(ConfigError, match="expected positive"):
            ratio_interval(a, b)

    @pytest.mark.parametrize(("a", "b", "name"), [([], [1.0], "a"), ([1.0], [], "b")])
    def test_an_empty_sample_is_named(self, a, b, name):
        with pytest.raises(ConfigError, match=rf"^{name} is \[\]"):
            ratio_interval(a, b)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, math.nan])
def test_a_confidence_that_is_none_is_refused(confidence):
    for call in (
        lambda: learning_curve(np.arange(2), np.ones((3, 2)), confidence),
        lambda: median_interval([1.0], confidence),
        lambda: ratio_interval([1.0], [1.0], confidence),
    ):
        with pytest.raises(ConfigError, match="expected one in"):
            call()


def test_the_package_starts_without_loading_all_of_scipy():
    code = "import sys, chula_rl.statistics; print('scipy.stats' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout == "False\n"
