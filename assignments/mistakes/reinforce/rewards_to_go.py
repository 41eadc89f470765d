"""Solutions of `rewards_to_go` as students write them."""

import numpy as np
import torch


def wrong_single_reward(reward, gamma):
    """The return of a step is its reward.

    Message: G_0 ignores later rewards
    """
    return reward.clone()


def wrong_whole_episode(reward, gamma):
    """Every step is credited with the return of the whole episode.

    Message: Every step got G_0
    """
    discount = gamma ** torch.arange(len(reward))
    return (discount * reward).sum() * torch.ones_like(reward)


def wrong_no_discount(reward, gamma):
    """The sum of later rewards, gamma forgotten.

    Message: not discounted
    """
    return reward.flip(0).cumsum(0).flip(0)


def wrong_absolute_discount(reward, gamma):
    """The exponent of gamma is k, counted from the start of the episode.

    Message: The exponent of gamma is k - t
    """
    discounted = gamma ** torch.arange(len(reward)) * reward
    return discounted.flip(0).cumsum(0).flip(0)


def wrong_past(reward, gamma):
    """The sweep goes forwards, so it sums the past.

    Message: G_0 ignores later rewards
    """
    return_ = torch.zeros_like(reward)
    total = 0.0
    for t in range(len(reward)):
        total = reward[t] + gamma * total
        return_[t] = total
    return return_


def wrong_leaves_out_own_reward(reward, gamma):
    """The sum starts at the next step.

    Message: its return is its reward
    """
    return_ = torch.zeros_like(reward)
    for t in reversed(range(len(reward) - 1)):
        return_[t] = gamma * (reward[t + 1] + return_[t + 1])
    return return_


def wrong_in_place(reward, gamma):
    """The returns are written over the rewards.

    Message: changed in place
    """
    for t in reversed(range(len(reward) - 1)):
        reward[t] += gamma * reward[t + 1]
    return reward


def wrong_one_reward_too_few(reward, gamma):
    """The loop stops one step before the first, off by one in `range`.

    Message: the shape stays [T]
    """
    returns = []
    following = 0.0
    for t in range(len(reward) - 1, 0, -1):
        following = reward[t] + gamma * following
        returns.insert(0, following)
    return torch.stack(returns) if returns else reward[:0]


def wrong_only_three_steps(reward, gamma):
    """Fitted to the visible test: looks two steps ahead and no further.

    Message: rewards_to_go: the result is not what the equation gives
    """
    padded = torch.cat([reward, torch.zeros(2, dtype=reward.dtype)])
    return padded[:-2] + gamma * padded[1:-1] + gamma**2 * padded[2:]


def correct_matrix(reward, gamma):
    """One product with the matrix of discounts."""
    t = torch.arange(len(reward))
    exponent = (t[None, :] - t[:, None]).clamp(min=0)
    return torch.triu(gamma ** exponent.to(reward.dtype)) @ reward


def correct_numpy(reward, gamma):
    """NumPy inside, a torch tensor outside."""
    values = np.zeros(len(reward) + 1)
    for t in range(len(reward) - 1, -1, -1):
        values[t] = reward[t].item() + gamma * values[t + 1]
    return torch.tensor(values[:-1], dtype=reward.dtype)


def correct_list_with_prints(reward, gamma):
    """A list built from the back, with output left from debugging."""
    import sys
    import warnings

    print("rewards:", reward)
    print("gamma:", gamma, file=sys.stderr)
    warnings.warn("still debugging")
    returns = []
    following = 0
    for r in reward.tolist()[::-1]:
        following = r + gamma * following
        returns = [following, *returns]
    return torch.tensor(returns)
