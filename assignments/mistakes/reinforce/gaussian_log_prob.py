"""Solutions of `gaussian_log_prob` as students write them."""

import math

import torch


def wrong_no_sum(mean, log_std, action):
    """The log-density of each dimension, not of the action.

    Message: sum over its dimensions
    """
    z = (action - mean) / log_std.exp()
    return -0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)


def wrong_mean(mean, log_std, action):
    """The dimensions are averaged.

    Message: the sum, not the mean
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).mean(-1)


def wrong_first_dimension(mean, log_std, action):
    """`[..., 0]` in place of the sum: right as long as there is one dimension.

    Message: The second action dimension counts
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi))[..., 0]


def wrong_sum_of_everything(mean, log_std, action):
    """`.sum()` without an axis sums over the batch as well.

    Message: Sum over the last axis only
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum()


def wrong_no_log_sigma(mean, log_std, action):
    """The normalisation by sigma is forgotten.

    Message: -log(sigma) is missing
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_no_constant(mean, log_std, action):
    """The constant does not change the gradient, so it is left out.

    Message: The constant -log(2 pi) / 2 is missing
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1)


def wrong_log_variance(mean, log_std, action):
    """`log_std` is the logarithm of the variance.

    Message: the table above
    """
    variance = log_std.exp()
    square = (action - mean) ** 2 / variance
    return -0.5 * (square + log_std + math.log(2 * math.pi)).sum(-1)


def wrong_detached(mean, log_std, action):
    """The deviation is turned into a constant.

    Message: No gradient reaches log_std
    """
    std = log_std.exp().detach()
    z = (action - mean) / std
    return (-0.5 * z**2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_constant_once(mean, log_std, action):
    """The constant stands once, outside of the sum.

    Message: the table above
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1) - 0.5 * math.log(2 * math.pi)


def wrong_two_axes(mean, log_std, action):
    """All axes but the first are summed: right for a plain batch `[N, A]`.

    Message: Sum over the last axis only
    """
    z = (action - mean) / log_std.exp()
    density = -0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)
    return density.sum() if density.ndim == 1 else density.flatten(1).sum(1)


def correct_distribution(mean, log_std, action):
    """With the distributions of torch."""
    normal = torch.distributions.Normal(mean, log_std.exp())
    return torch.distributions.Independent(normal, 1).log_prob(action)


def correct_product_of_densities(mean, log_std, action):
    """The quadratic form and the normalisation as two sums."""
    num_dims = action.shape[-1]
    precision = torch.exp(-2 * log_std)
    square = torch.einsum("...i,...i->...", precision, (action - mean) ** 2)
    log_det = 2 * torch.einsum("...i->...", log_std)
    return -0.5 * (square + log_det + num_dims * math.log(2 * math.pi))


def correct_loop(mean, log_std, action):
    """A loop over the dimensions, adding up."""
    total = torch.zeros_like(mean[..., 0])
    for i in range(mean.shape[-1]):
        z = (action[..., i] - mean[..., i]) / torch.exp(log_std[..., i])
        total = total - z * z / 2 - log_std[..., i] - math.log(2 * math.pi) / 2
        print("after dimension", i, total)
    return total
