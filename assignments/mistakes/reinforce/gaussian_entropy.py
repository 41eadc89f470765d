"""Solutions of `gaussian_entropy` as students write them."""

import math

import torch


def wrong_no_sum(log_std):
    """The entropy of each dimension, not of the policy.

    Message: sum over its dimensions
    """
    return log_std + 0.5 * math.log(2 * math.pi * math.e)


def wrong_no_e(log_std):
    """The constant of the log-density, which has no e.

    Message: the e is missing
    """
    return (log_std + 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_sign(log_std):
    """The expected log-density, without the minus.

    Message: wider is more entropy
    """
    return -(log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def wrong_mean(log_std):
    """The dimensions are averaged.

    Message: 1.4189 + 2.1121
    """
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).mean(-1)


def wrong_sigma(log_std):
    """Adds sigma itself, not its logarithm.

    Message: 1.4189 + 2.1121
    """
    return (log_std.exp() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def wrong_constant_once(log_std):
    """The constant stands once, outside of the sum.

    Message: 1.4189 + 2.1121
    """
    return log_std.sum(-1) + 0.5 * math.log(2 * math.pi * math.e)


def wrong_never_negative(log_std):
    """An entropy cannot be negative, so it is cut off at zero.

    Message: gaussian_entropy: the result is not what the equation gives
    """
    entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    return entropy.clamp(min=0)


def correct_distribution(log_std):
    """With the distributions of torch."""
    return torch.distributions.Normal(0.0, log_std.exp()).entropy().sum(-1)


def correct_determinant(log_std):
    """The formula with the logarithm of the covariance's determinant."""
    num_dims = log_std.shape[-1]
    log_det = (2 * log_std).sum(dim=-1)
    return 0.5 * num_dims * (1 + math.log(2 * math.pi)) + 0.5 * log_det


def correct_in_place_on_a_copy(log_std):
    """In-place arithmetic on a copy."""
    entropy = log_std.clone()
    entropy += 0.5
    entropy += math.log(math.sqrt(2 * math.pi))
    return torch.sum(entropy, -1)
