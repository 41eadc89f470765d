"""Solutions of `exploratory_action` as students write them."""

import numpy as np
import torch


def wrong_not_clipped(action, noise, low, high):
    """The environment will clip it anyway.

    Message: not clipped to the bounds
    """
    return action + noise


def wrong_unit_bounds(action, noise, low, high):
    """Actions are always in [-1, 1].

    Message: use low and high
    """
    return torch.clamp(action + noise, -1.0, 1.0)


def wrong_first_bounds(action, noise, low, high):
    """One pair of bounds for all dimensions, the first.

    Message: Each dimension has its own bounds
    """
    return torch.clamp(action + noise, float(low[0]), float(high[0]))


def wrong_widest_bounds(action, noise, low, high):
    """One pair of bounds for all dimensions, the widest.

    Message: Each dimension has its own bounds
    """
    return (action + noise).clamp(low.min().item(), high.max().item())


def wrong_narrowest_bounds(action, noise, low, high):
    """One pair of bounds for all dimensions, the narrowest.

    Message: Each dimension has its own bounds
    """
    return (action + noise).clamp(low.max().item(), high.min().item())


def wrong_clips_noise(action, noise, low, high):
    """The noise is clipped, and then added.

    Message: not clipped to the bounds
    """
    return action + torch.minimum(torch.maximum(noise, low), high)


def wrong_clips_first(action, noise, low, high):
    """The action is clipped before the noise is added.

    Message: not clipped to the bounds
    """
    return torch.minimum(torch.maximum(action, low), high) + noise


def wrong_no_noise(action, noise, low, high):
    """The noise is forgotten.

    Message: The noise has no effect
    """
    return torch.minimum(torch.maximum(action, low), high)


def wrong_only_upper(action, noise, low, high):
    """Only the upper bound is kept.

    Message: Clip at both ends
    """
    return torch.minimum(action + noise, high)


def wrong_only_lower(action, noise, low, high):
    """Only the lower bound is kept.

    Message: not clipped to the bounds
    """
    return torch.maximum(action + noise, low)


def wrong_bounds_swapped(action, noise, low, high):
    """Maximum and minimum are applied to the wrong bounds.

    Message: Compare with the table above
    """
    return torch.maximum(torch.minimum(action + noise, low), high)


def wrong_scaled_again(action, noise, low, high):
    """The noise is multiplied by half the range of the action.

    Message: Compare with the table above
    """
    scaled = noise * (high - low) / 2
    return torch.minimum(torch.maximum(action + scaled, low), high)


def wrong_own_noise(action, noise, low, high):
    """Fresh noise of its own, with the size of that given.

    Message: Compare with the table above
    """
    drawn = noise.std() * torch.randn_like(action)
    return torch.minimum(torch.maximum(action + drawn, low), high)


def wrong_subtracts(action, noise, low, high):
    """Noise has no sign, so it is subtracted.

    Message: Compare with the table above
    """
    return torch.minimum(torch.maximum(action - noise, low), high)


def wrong_multiplies(action, noise, low, high):
    """Noise relative to the action.

    Message: Compare with the table above
    """
    return torch.minimum(torch.maximum(action * (1 + noise), low), high)


def wrong_in_place(action, noise, low, high):
    """The noise is added into the action that was given.

    Message: changed in place
    """
    action += noise
    return torch.minimum(torch.maximum(action, low), high)


def wrong_clamps_in_place(action, noise, low, high):
    """A view of the noise is changed.

    Message: changed in place
    """
    noise += action
    return noise.clamp(low, high)


def wrong_pair(action, noise, low, high):
    """The raw action is returned as well, as in REINFORCE.

    Message: Return one tensor
    """
    raw = action + noise
    return torch.minimum(torch.maximum(raw, low), high), raw


def wrong_first_row(action, noise, low, high):
    """All environments get the noise of the first.

    Message: Compare with the table above
    """
    return torch.minimum(torch.maximum(action + noise[0], low), high)


def wrong_first_dimension(action, noise, low, high):
    """All action dimensions get the noise of the first.

    Message: Compare with the table above
    """
    return torch.minimum(torch.maximum(action + noise[:, :1], low), high)


def wrong_one_environment(action, noise, low, high):
    """Only the first environment is returned.

    Message: One action for each environment
    """
    return torch.minimum(torch.maximum(action[0] + noise[0], low), high)


def wrong_put_back(action, noise, low, high):
    """Where the sum is out of bounds, the action without noise.

    Message: Compare with the table above
    """
    total = action + noise
    outside = (total < low) | (total > high)
    return torch.where(outside, action, total)


def wrong_squashed(action, noise, low, high):
    """A tanh keeps the bounds.

    Message: Compare with the table above
    """
    return low + (high - low) * (torch.tanh(action + noise) + 1) / 2


def wrong_reflects(action, noise, low, high):
    """What is beyond a bound is reflected at it.

    Message: Compare with the table above
    """
    total = action + noise
    total = torch.where(total > high, 2 * high - total, total)
    return torch.where(total < low, 2 * low - total, total)


def wrong_half_noise_at_the_bound(action, noise, low, high):
    """Clipped to a hair within the bounds.

    Message: Compare with the table above
    """
    margin = 0.01 * (high - low)
    return torch.minimum(torch.maximum(action + noise, low + margin), high - margin)


def wrong_symmetric(action, noise, low, high):
    """The lower bound is minus the upper one.

    Message: Clip at both ends
    """
    return torch.minimum(torch.maximum(action + noise, -high), high)


def correct_clamp(action, noise, low, high):
    """With `torch.clamp`."""
    return torch.clamp(action + noise, min=low, max=high)


def correct_numpy(action, noise, low, high):
    """With NumPy."""
    total = (action + noise).detach().numpy()
    return torch.from_numpy(np.clip(total, low.numpy(), high.numpy()))


def correct_where(action, noise, low, high):
    """With `torch.where`, one bound after the other."""
    noisy = action + noise
    noisy = torch.where(noisy < low, low, noisy)
    return torch.where(noisy > high, high, noisy)


def correct_loop(action, noise, low, high):
    """A loop over rows and dimensions."""
    result = action.clone()
    for n in range(action.shape[0]):
        for i in range(action.shape[1]):
            value = float(action[n, i] + noise[n, i])
            result[n, i] = max(float(low[i]), min(float(high[i]), value))
    return result


def correct_in_place_on_a_clone(action, noise, low, high):
    """In place, on a copy."""
    noisy = action.clone()
    noisy += noise
    torch.maximum(noisy, low, out=noisy)
    torch.minimum(noisy, high, out=noisy)
    return noisy


def correct_room_for_noise(action, noise, low, high):
    """The noise is clipped to the room that is left."""
    room = torch.minimum(torch.maximum(noise, low - action), high - action)
    print("largest noise", room.abs().max())
    return action + room
