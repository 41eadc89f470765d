"""Solutions of `gaussian_entropy` as students write them."""

import math

import numpy as np
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

    Message: Compare with 1.4189
    """
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).mean(-1)


def wrong_sigma(log_std):
    """Adds sigma itself, not its logarithm.

    Message: Compare with 1.4189
    """
    return (log_std.exp() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def wrong_constant_once(log_std):
    """The constant stands once, outside of the sum.

    Message: Compare with 1.4189
    """
    return log_std.sum(-1) + 0.5 * math.log(2 * math.pi * math.e)


def wrong_never_negative(log_std):
    """An entropy cannot be negative, so it is cut off at zero.

    Message: it cuts off at 0
    """
    entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    return entropy.clamp(min=0)


def wrong_no_constant(log_std):
    """The constant has no gradient, so it is left out.

    Message: Compare with 1.4189
    """
    return log_std.sum(-1)


def wrong_log_variance(log_std):
    """`log_std` is taken for the logarithm of the variance.

    Message: Compare with 1.4189
    """
    return (0.5 * log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def wrong_twice_log_sigma(log_std):
    """The logarithm of the variance without its factor of one half.

    Message: Compare with 1.4189
    """
    variance = log_std.exp() ** 2
    return (variance.log() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def wrong_whole_constant(log_std):
    """The constant without its factor of one half.

    Message: Compare with 1.4189
    """
    return (log_std + math.log(2 * math.pi * math.e)).sum(-1)


def wrong_bits(log_std):
    """Logarithms to base 2, as in information theory.

    Message: Compare with 1.4189
    """
    nats = log_std + 0.5 * math.log(2 * math.pi * math.e)
    return nats.sum(-1) / math.log(2)


def wrong_sigma_log_sigma(log_std):
    """Minus p log p, with sigma for p.

    Message: Compare with 1.4189
    """
    return -(log_std.exp() * log_std).sum(-1)


def wrong_first_dimension(log_std):
    """`[..., 0]` in place of the sum: right as long as there is one dimension.

    Message: Compare with 1.4189
    """
    return (log_std + 0.5 * math.log(2 * math.pi * math.e))[..., 0]


def wrong_sum_of_everything(log_std):
    """`.sum()` without an axis sums over the batch as well.

    Message: Other axes stay
    """
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum()


def wrong_mean_over_batch(log_std):
    """The loss takes the mean anyway, so it is taken here.

    Message: Other axes stay
    """
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1).mean()


def wrong_numpy(log_std):
    """NumPy cuts the gradient.

    Message: No gradient reaches log_std
    """
    width = log_std.detach().numpy()
    entropy = (width + 0.5 * np.log(2 * np.pi * np.e)).sum(-1)
    return torch.tensor(entropy)


def wrong_constant_for_each_row(log_std):
    """The constant is multiplied by the length of the first axis.

    Message: the constant counts once for each row
    """
    constant = 0.5 * len(log_std) * math.log(2 * math.pi * math.e)
    return log_std.sum(-1) + constant


def wrong_clamped_log_std(log_std):
    """`log_std` is kept within [-20, 2], as in programs for other algorithms.

    Message: log_std is clipped
    """
    log_std = log_std.clamp(-20, 2)
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def wrong_absolute_value(log_std):
    """An entropy cannot be negative, so its sign is dropped.

    Message: the sign is dropped
    """
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1).abs()


def wrong_squeezed(log_std):
    """`squeeze` takes the axis of a batch of one away.

    Message: the result has shape (); expected (1,)
    """
    entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    return entropy.squeeze()


def wrong_in_place(log_std):
    """The constant is added to the parameter itself.

    Message: RuntimeError
    """
    log_std += 0.5 * math.log(2 * math.pi * math.e)
    return log_std.sum(-1)


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


def correct_multivariate(log_std):
    """With the multivariate Gaussian of torch."""
    covariance = torch.diag_embed(torch.exp(2 * log_std))
    normal = torch.distributions.MultivariateNormal(
        torch.zeros_like(log_std), covariance
    )
    return normal.entropy()


def correct_loop(log_std):
    """A loop over the dimensions, with some output."""
    total = 0
    for i in range(log_std.shape[-1]):
        std = torch.exp(log_std[..., i])
        total = total + 0.5 * torch.log(2 * torch.pi * math.e * std**2)
        print("so far", total)
    return total
