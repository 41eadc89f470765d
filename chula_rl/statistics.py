"""Centres and intervals of results over seeds, by resampling the seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # scipy.stats, which takes a second to load, is loaded when it is used

from chula_rl.errors import ConfigError
from chula_rl.types import FloatArray


class Curve(NamedTuple):
    """A learning curve over seeds: centre and interval at each point, ``[K]``."""

    steps: FloatArray
    centre: FloatArray
    low: FloatArray
    high: FloatArray


class Interval(NamedTuple):
    """A centre and the interval around it; any of them may be infinite."""

    centre: float
    low: float
    high: float


def learning_curve(
    steps: FloatArray,
    scores: FloatArray,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Curve:
    """Interquartile mean over seeds with a percentile bootstrap interval.

    The interquartile mean is the mean of the middle half of the seeds: less moved by
    one lucky or unlucky seed than the mean, and less wasteful than the median. The
    interval is the percentile bootstrap's, since the bias-corrected one (BCa) is
    undefined where all seeds but one have the same score, as at the highest return,
    and covers no better for 5 to 20 seeds. A single seed has no interval:
    ``low = high = centre``.

    Args:
        steps: ``[K]``, environment steps at which each seed was evaluated.
        scores: ``[num_seeds, K]``, finite.
        confidence: of the interval, in (0, 1).
        num_resamples: bootstrap resamples of the seeds.
        seed: of the resampling.

    Returns:
        The curve.

    Raises:
        ConfigError: another shape, a score that is not finite, or a confidence outside
            (0, 1).

    Source: Agarwal et al. (2021), section 4.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] != len(steps) or not scores.size:
        raise ConfigError(
            f"scores has shape {scores.shape}; expected (num_seeds, {len(steps)})."
        )
    if not np.isfinite(scores).all():
        row, column = np.argwhere(~np.isfinite(scores))[0]
        raise ConfigError(
            f"the score of row {row} at {steps[column]:,} steps is "
            f"{scores[row, column]}; expected finite scores. Leave that seed out."
        )
    _check_confidence(confidence)
    centre = interquartile_mean(scores)
    low = high = centre
    if len(scores) > 1:
        low, high = scipy.stats.bootstrap(
            (scores,),
            interquartile_mean,
            axis=0,
            vectorized=True,
            confidence_level=confidence,
            n_resamples=num_resamples,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    return Curve(np.asarray(steps), centre, low, high)


def interquartile_mean(values: FloatArray, axis: int = 0) -> FloatArray:
    """Mean of the middle half of ``values`` along an axis (25% cut at each end)."""
    return np.asarray(scipy.stats.trim_mean(values, 0.25, axis=axis))


def median_interval(
    values: Sequence[float] | FloatArray,
    confidence: float = 0.95,
    num_resamples: int = 9999,
    seed: int = 0,
) -> Interval:
    """Median of a small sample with a percentile bootstrap interval.

    Meant for the steps or seconds until a task was solved. A run that never solved it
    counts as infinity; the median stays what it is as long as half of the runs did.

    Args:
        values: ``[num_seeds]``; ``inf`` is allowed.
        confidence: of the interval, in (0, 1).
        num_resamples: bootstrap resamples of the seeds.
        seed: of the resampling.

    Returns:
        ``(median, low, high)``; one value alone is its own interval.

    Raises:
        ConfigError: no values, NaN, or a confidence outside (0, 1).

    Source: Efron and Tibshirani (1993), section 13.3.

    Example:
        >>> median_interval([4.0, 6.0, 5.0, float("inf"), 5.5])
        Interval(centre=5.5, low=4.0, high=inf)
    """
    sample = _checked_sample(values, "values")
    _check_confidence(confidence)
    medians = _resampled_medians(sample, num_resamples, np.random.default_rng(seed))
    tail = (1 - confidence) / 2
    return Interval(
        float(np.median(sample)),
        float(np.quantile(medians, tail, method="lower")),
        float(np.quantile(medians, 1 - tail, method="higher")),
    )


def ratio_interval(
    a: Sequence[float] | FloatArray,
    b: Sequence[float] | FloatArray,
    confidence: float = 0.95,
    num_resamples: int = 9999,
    seed: int = 0,
) -> Interval:
    """Ratio of the medians of two independent samples, with a bootstrap interval.

    Both samples are resampled. Where both medians are infinite the ratio is unknown:
    the centre is NaN, and such resamples count as 0 for the lower end and as infinity
    for the upper end of the interval.

    Args:
        a: ``[num_a]``, positive; ``inf`` for a run that never got there.
        b: ``[num_b]``, likewise.
        confidence: of the interval, in (0, 1).
        num_resamples: bootstrap resamples.
        seed: of the resampling.

    Returns:
        ``(median(a) / median(b), low, high)``.

    Raises:
        ConfigError: no values, NaN, values that are not positive, or a confidence
            outside (0, 1).

    Source: Efron and Tibshirani (1993), sections 8.3 and 13.3.
    """
    samples = [_checked_sample(a, "a"), _checked_sample(b, "b")]
    for name, sample in zip("ab", samples, strict=True):
        if (sample <= 0).any():
            raise ConfigError(
                f"the least value of {name} is {sample.min()}; expected positive "
                "values, such as times, of which a ratio has a meaning."
            )
    _check_confidence(confidence)
    rng = np.random.default_rng(seed)
    over, under = (_resampled_medians(s, num_resamples, rng) for s in samples)
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):  # inf / inf
        centre = np.median(samples[0]) / np.median(samples[1])
        ratios = over / under
    least, most = (np.where(np.isnan(ratios), r, ratios) for r in (0, np.inf))
    return Interval(
        float(centre),
        float(np.quantile(least, tail, method="lower")),
        float(np.quantile(most, 1 - tail, method="higher")),
    )


def _resampled_medians(
    sample: FloatArray, num_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Medians of resamples, in NumPy: SciPy's interval makes NaN out of infinity."""
    resamples = rng.choice(sample, (num_resamples, len(sample)))
    return np.asarray(np.median(resamples, axis=1))  # [num_resamples]


def _checked_sample(values: Sequence[float] | FloatArray, name: str) -> FloatArray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample) or np.isnan(sample).any():
        raise ConfigError(
            f"{name} is {values}; expected one or more numbers without NaN. "
            "Write inf for a run that never got there."
        )
    return sample


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}; expected one in (0, 1).")
