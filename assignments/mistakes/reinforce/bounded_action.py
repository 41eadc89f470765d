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

    Message: it clips to [-1, 1]; use low and high
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

    Message: a = 0.5 + 2 * 1 = 2.5
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

    Message: bounded_action: env_action is not what the equation gives
    """
    action = mean + log_std.exp() * noise
    return action.clamp(low[0].item(), high[0].item()), action


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
