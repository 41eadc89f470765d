"""Solutions of `bounded_action` as students write them."""

import numpy as np
import torch


def wrong_clipped_twice(mean, log_std, noise, low, high):
    """The clipped action was played, so it is the one to store.

    Message: Return the raw action as well
    """
    action = mean + log_std.exp() * noise
    action = torch.minimum(torch.maximum(action, low), high)
    return action, action


def wrong_order(mean, log_std, noise, low, high):
    """The raw action first.

    Message: The environment's action is first
    """
    action = mean + log_std.exp() * noise
    return action, torch.minimum(torch.maximum(action, low), high)


def wrong_no_exp(mean, log_std, noise, low, high):
    """The noise is multiplied by log_std.

    Message: sigma is its exp
    """
    action = mean + log_std * noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_unit_bounds(mean, log_std, noise, low, high):
    """Clips to [-1, 1], the bounds of the cart-pole.

    Message: use low and high of each dimension
    """
    action = mean + log_std.exp() * noise
    return action.clamp(-1.0, 1.0), action


def wrong_only_above(mean, log_std, noise, low, high):
    """Clips at the upper bound only.

    Message: Clip at both ends
    """
    action = mean + log_std.exp() * noise
    return torch.minimum(action, high), action


def wrong_variance(mean, log_std, noise, low, high):
    """The noise is multiplied by the variance.

    Message: a = 0.5 +
    """
    action = mean + (2 * log_std).exp() * noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_clipped_in_place(mean, log_std, noise, low, high):
    """`clamp_` changes the raw action too, for both names mean one tensor.

    Message: Return the raw action as well
    """
    action = mean + log_std.exp() * noise
    env_action = action.clamp_(low, high)
    return env_action, action


def wrong_first_bound_for_all(mean, log_std, noise, low, high):
    """Takes the bounds of the first dimension for all of them.

    Message: use low and high of each dimension
    """
    action = mean + log_std.exp() * noise
    return action.clamp(low[0].item(), high[0].item()), action


def wrong_no_sigma(mean, log_std, noise, low, high):
    """The noise is added as it is.

    Message: The noise is not multiplied by sigma
    """
    action = mean + noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_log_variance(mean, log_std, noise, low, high):
    """`log_std` is taken for the logarithm of the variance.

    Message: a = 0.5 +
    """
    action = mean + torch.exp(0.5 * log_std) * noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_softplus(mean, log_std, noise, low, high):
    """A softplus makes the deviation positive, as in other programs.

    Message: a = 0.5 +
    """
    action = mean + torch.nn.functional.softplus(log_std) * noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_own_noise(mean, log_std, noise, low, high):
    """Draws new noise from torch's global generator.

    Message: use noise and draw none of your own
    """
    action = torch.distributions.Normal(mean, log_std.exp()).sample()
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_clips_mean(mean, log_std, noise, low, high):
    """The mean is clipped, and the noise added afterwards.

    Message: The environment's action is not clipped
    """
    std = log_std.exp()
    return mean.clamp(low, high) + std * noise, mean + std * noise


def wrong_clips_noise(mean, log_std, noise, low, high):
    """The noise is clipped, and the sum is not.

    Message: The environment's action is not clipped
    """
    action = mean + log_std.exp() * noise.clamp(low, high)
    return action, action.clone()


def wrong_squashed(mean, log_std, noise, low, high):
    """A tanh brings the action into the bounds.

    Message: is above its bound
    """
    action = mean + log_std.exp() * noise
    return low + (high - low) * (torch.tanh(action) + 1) / 2, action


def wrong_bounds_swapped(mean, log_std, noise, low, high):
    """`clamp` with its two bounds in the wrong order.

    Message: is above its bound
    """
    action = mean + log_std.exp() * noise
    return torch.clamp(action, high, low), action


def wrong_only_below(mean, log_std, noise, low, high):
    """Clips at the lower bound only.

    Message: The environment's action is not clipped
    """
    action = mean + log_std.exp() * noise
    return torch.maximum(action, low), action


def wrong_symmetric(mean, log_std, noise, low, high):
    """Takes the bounds for symmetric, so that `high` is enough.

    Message: Clip at both ends, each dimension at its own
    """
    action = mean + log_std.exp() * noise
    return action.clamp(-high, high), action


def wrong_widest_bounds(mean, log_std, noise, low, high):
    """One interval that holds the bounds of all dimensions.

    Message: The environment's action is not clipped
    """
    action = mean + log_std.exp() * noise
    return action.clamp(low.min().item(), high.max().item()), action


def wrong_mean_changed(mean, log_std, noise, low, high):
    """The noise is added to the mean in place.

    Message: changed in place
    """
    action = mean.add_(log_std.exp() * noise)
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_log_std_changed(mean, log_std, noise, low, high):
    """`exp_` turns log_std into sigma for whoever holds it.

    Message: changed in place
    """
    action = mean + log_std.exp_() * noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_noise_changed(mean, log_std, noise, low, high):
    """The noise is scaled in place.

    Message: changed in place
    """
    noise *= log_std.exp()
    action = mean + noise
    return torch.minimum(torch.maximum(action, low), high), action


def wrong_numpy_out(mean, log_std, noise, low, high):
    """Arrays come out, as environments take them.

    Message: Return two tensors
    """
    action = (mean + log_std.exp() * noise).numpy()
    return action.clip(low.numpy(), high.numpy()), action


def wrong_env_action_only(mean, log_std, noise, low, high):
    """Only the action that is played comes back.

    Message: ValueError
    """
    return (mean + log_std.exp() * noise).clamp(low, high)


def wrong_second_axis(mean, log_std, noise, low, high):
    """The dimensions are taken to be axis 1, as in a batch `[B, A]`.

    Message: (Case: one action without a batch.)
    """
    action = mean + log_std.exp() * noise
    columns = [
        action[:, i].clamp(low[i].item(), high[i].item()) for i in range(len(low))
    ]
    return torch.stack(columns, dim=1), action


def wrong_squeezed(mean, log_std, noise, low, high):
    """`squeeze` takes the axis of a batch of one away.

    Message: One action for each row of the batch
    """
    action = (mean + log_std.exp() * noise).squeeze()
    return torch.minimum(torch.maximum(action, low), high), action


def correct_clamp(mean, log_std, noise, low, high):
    """`clamp` takes tensors as bounds."""
    action = torch.addcmul(mean, torch.exp(log_std), noise)
    return action.clamp(low, high), action


def correct_numpy(mean, log_std, noise, low, high):
    """NumPy inside, torch tensors outside."""
    action = mean.numpy() + np.exp(log_std.numpy()) * noise.numpy()
    env_action = np.clip(action, low.numpy(), high.numpy())
    return torch.from_numpy(env_action), torch.from_numpy(action)


def correct_where(mean, log_std, noise, low, high):
    """Two `where`, without gradients, and a copy changed in place."""
    with torch.no_grad():
        action = torch.exp(log_std).mul(noise).add(mean)
        env_action = action.clone()
        env_action[:] = torch.where(env_action < low, low, env_action)
        env_action[:] = torch.where(env_action > high, high, env_action)
    return env_action, action


def correct_loop_over_dimensions(mean, log_std, noise, low, high):
    """Each dimension by itself, whatever axes stand before it."""
    action = mean + log_std.exp() * noise
    clipped = []
    for i in range(action.shape[-1]):
        clipped.append(action[..., i].clamp(low[i].item(), high[i].item()))
    return torch.stack(clipped, dim=-1), action


def correct_list(mean, log_std, noise, low, high):
    """The two results in a list, and the clipped one as a median."""
    action = mean + noise / torch.exp(-log_std)
    three = torch.stack([low.expand_as(action), action, high.expand_as(action)])
    return [three.median(dim=0).values, action]


def correct_rectified(mean, log_std, noise, low, high):
    """Clipping as a difference of two rectified linear units."""
    relu = torch.nn.functional.relu
    action = torch.exp(log_std) * noise + mean
    env_action = low + relu(action - low) - relu(action - high)
    print("clipped", int((env_action != action).sum()), "of", action.numel())
    return env_action, action
