"""Solutions of `gaussian_log_prob` as students write them."""

import math

import numpy as np
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


def wrong_sign(mean, log_std, action):
    """Minus the log-density, as a loss would have it.

    Message: The sign: this is minus the log-density
    """
    z = (action - mean) / log_std.exp()
    return (0.5 * z**2 + log_std + 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_no_half(mean, log_std, action):
    """The square without its factor of one half.

    Message: the table above
    """
    z = (action - mean) / log_std.exp()
    return (-(z**2) - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_no_square(mean, log_std, action):
    """The square is forgotten.

    Message: the table above
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_divided_by_variance(mean, log_std, action):
    """The error is divided by the variance before it is squared.

    Message: the table above
    """
    z = (action - mean) / log_std.exp() ** 2
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_sign_of_log_sigma(mean, log_std, action):
    """Plus log(sigma): a wide Gaussian would have a high density.

    Message: the table above
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 + log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_density(mean, log_std, action):
    """The density itself, a product over the dimensions.

    Message: This is the density; its logarithm is asked for
    """
    std = log_std.exp()
    z = (action - mean) / std
    return (torch.exp(-0.5 * z**2) / (std * math.sqrt(2 * math.pi))).prod(-1)


def wrong_log_of_summed_densities(mean, log_std, action):
    """The densities of the dimensions are added before the logarithm.

    Message: the table above
    """
    normal = torch.distributions.Normal(mean, log_std.exp())
    return normal.log_prob(action).exp().sum(-1).log()


def wrong_whole_constant(mean, log_std, action):
    """The constant without its factor of one half.

    Message: the table above
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - math.log(2 * math.pi)).sum(-1)


def wrong_log10(mean, log_std, action):
    """The constant has the logarithm to base 10.

    Message: the table above
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log10(2 * math.pi)).sum(-1)


def wrong_sigma_itself(mean, log_std, action):
    """`log_std` is handed to torch as the standard deviation.

    Message: ValueError
    """
    return torch.distributions.Normal(mean, log_std).log_prob(action).sum(-1)


def wrong_covariance(mean, log_std, action):
    """The standard deviations stand where the covariance has variances.

    Message: the table above
    """
    covariance = torch.diag_embed(log_std.exp())
    normal = torch.distributions.MultivariateNormal(mean, covariance)
    return normal.log_prob(action)


def wrong_sigma_in_z_detached(mean, log_std, action):
    """Sigma is a constant in z, and trained by its logarithm alone.

    Message: With respect to log_std it is z^2 - 1
    """
    z = (action - mean) / log_std.exp().detach()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_mean_detached(mean, log_std, action):
    """The error is taken for data.

    Message: No gradient reaches the mean
    """
    with torch.no_grad():
        error = action - mean
    z = error / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_numpy(mean, log_std, action):
    """NumPy cuts all gradients.

    Message: No gradient reaches the arguments
    """
    m, s, a = (x.detach().numpy() for x in (mean, log_std, action))
    z = (a - m) / np.exp(s)
    return torch.tensor((-0.5 * z**2 - s - 0.5 * np.log(2 * np.pi)).sum(-1))


def wrong_float(mean, log_std, action):
    """Plain numbers of Python, and a float in the end.

    Message: Return a tensor
    """
    total = 0.0
    for m, s, a in zip(mean.flatten(), log_std.flatten(), action.flatten()):
        z = (a.item() - m.item()) / math.exp(s.item())
        total += -0.5 * z**2 - s.item() - 0.5 * math.log(2 * math.pi)
    return total


def wrong_clipped_action(mean, log_std, action):
    """The action that was played is scored, not the one that was drawn.

    Message: the table above
    """
    z = (action.clamp(-1, 1) - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_clamped_log_std(mean, log_std, action):
    """`log_std` is kept within [-20, 2], as in programs for other algorithms.

    Message: log_std is clipped
    """
    log_std = log_std.clamp(-20, 2)
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_one_row_of_log_std(mean, log_std, action):
    """Sigma is one parameter for all states, so the first row will do.

    Message: one row of log_std is used for all rows
    """
    log_std = log_std.reshape(-1, log_std.shape[-1])[0]
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_first_axis(mean, log_std, action):
    """Sums over the first axis: right as long as there is no batch.

    Message: Sum over the last axis only
    """
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(0)


def wrong_keepdim(mean, log_std, action):
    """The axis of the action dimensions stays, with length 1.

    Message: sum over its dimensions
    """
    z = (action - mean) / log_std.exp()
    log_density = -0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)
    return log_density.sum(-1, keepdim=True)


def wrong_squeezed(mean, log_std, action):
    """`squeeze` takes the axis of a batch of one away.

    Message: the result has shape (); expected (1,)
    """
    z = (action - mean) / log_std.exp()
    log_density = -0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)
    return log_density.sum(-1).squeeze()


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


def correct_multivariate(mean, log_std, action):
    """The multivariate Gaussian of torch, from the triangular root."""
    root = torch.diag_embed(log_std.exp())
    normal = torch.distributions.MultivariateNormal(mean, scale_tril=root)
    return normal.log_prob(action)


def correct_nll_loss(mean, log_std, action):
    """Minus the loss that torch has for it."""
    variance = torch.exp(2 * log_std)
    loss = torch.nn.functional.gaussian_nll_loss(
        mean, action, variance, full=True, reduction="none"
    )
    return -loss.sum(-1)


def correct_with_epsilon(mean, log_std, action):
    """A tiny number against a division by zero, and the constant in front."""
    num_dims = mean.shape[-1]
    z = (action - mean).div(log_std.exp() + 1e-8)
    constant = -0.5 * num_dims * np.log(2 * np.pi)
    return constant - z.pow(2).sum(-1) / 2 - log_std.sum(-1)
