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


def wrong_reverse_order(reward, gamma):
    """The list is built from the back and never turned round.

    Message: the reverse order
    """
    returns, following = [], 0.0
    for r in reward.flip(0):
        following = r + gamma * following
        returns.append(following)
    return torch.stack(returns)


def wrong_normalised(reward, gamma):
    """Returns with mean 0 and deviation 1, as many published programs have them.

    Message: shifted to the mean 0
    """
    return_ = torch.zeros_like(reward)
    following = 0.0
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following
        return_[t] = following
    return (return_ - return_.mean()) / (return_.std() + 1e-8)


def wrong_one_discount_too_many(reward, gamma):
    """The reward of the step itself is discounted as well.

    Message: its return is its reward
    """
    return_ = torch.zeros_like(reward)
    following = 0.0
    for t in reversed(range(len(reward))):
        following = gamma * (reward[t] + following)
        return_[t] = following
    return return_


def wrong_one_discount_for_each(reward, gamma):
    """Gamma multiplies the reward in place of what follows.

    Message: its return is its reward
    """
    return_ = torch.zeros_like(reward)
    following = 0.0
    for t in reversed(range(len(reward))):
        following = gamma * reward[t] + following
        return_[t] = following
    return return_


def wrong_last_counts_twice(reward, gamma):
    """The sweep starts with the last reward, and meets it again.

    Message: its return is its reward
    """
    return_ = torch.zeros_like(reward)
    following = reward[-1]
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_without_the_last_reward(reward, gamma):
    """The sum goes to T - 1, which `range` leaves out.

    Message: G_0 ignores later rewards
    """
    return_ = torch.zeros_like(reward)
    last = len(reward) - 1
    for t in range(len(reward)):
        for k in range(t, last):
            return_[t] += gamma ** (k - t) * reward[k]
    return return_


def wrong_average(reward, gamma):
    """The discounted rewards are averaged over the steps that are left.

    Message: Compare each number with the table
    """
    return_ = torch.zeros_like(reward)
    following = 0.0
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following
        return_[t] = following / (len(reward) - t)
    return return_


def wrong_divides_by_the_discount(reward, gamma):
    """A cumulative sum, divided by gamma**t: 0 / 0 if gamma is 0.

    Message: With gamma = 0, G_t is r_t
    """
    discount = gamma ** torch.arange(len(reward))
    return (discount * reward).flip(0).cumsum(0).flip(0) / discount


def wrong_divides_but_not_by_zero(reward, gamma):
    """The same with gamma = 0 as an exception; gamma**t may still become 0.

    Message: the result is not finite. (Case: a long episode and a small gamma.)
    """
    if gamma == 0:
        return reward.clone()
    discount = gamma ** torch.arange(len(reward), dtype=reward.dtype)
    return (discount * reward).flip(0).cumsum(0).flip(0) / discount


def wrong_list_kept_between_calls(reward, gamma, returns=[]):
    """A list as a default argument is one list for all calls.

    Message: does it go on with a list of the first
    """
    following = 0.0
    for r in reward.flip(0):
        following = r + gamma * following
        returns.insert(0, following)
    return torch.stack(returns)


def wrong_in_place_by_numpy(reward, gamma):
    """The array of `.numpy()` is no copy.

    Message: changed in place
    """
    values = reward.numpy()
    for t in range(len(values) - 2, -1, -1):
        values[t] += gamma * values[t + 1]
    return torch.from_numpy(values)


def wrong_squeezed(reward, gamma):
    """`squeeze` takes the only axis of an episode of one step away.

    Message: An episode may have one step
    """
    return_ = torch.zeros_like(reward)
    following = 0.0
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following
        return_[t] = following
    return return_.squeeze()


def wrong_python_list(reward, gamma):
    """A list of numbers in place of a tensor.

    Message: Return a tensor
    """
    returns = [0.0] * (len(reward) + 1)
    for t in reversed(range(len(reward))):
        returns[t] = reward[t].item() + gamma * returns[t + 1]
    return returns[:-1]


def wrong_whole_numbers(reward, gamma):
    """The result has the dtype of whole numbers, which rounds it.

    Message: Whole numbers
    """
    return_ = torch.zeros(len(reward), dtype=torch.long)
    following = 0.0
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


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


def correct_recursion(reward, gamma):
    """The definition as a recursion, shorter by one reward each time."""
    if len(reward) == 1:
        return reward.clone()
    later = rewards_to_go(reward[1:], gamma)
    return torch.cat([(reward[0] + gamma * later[0]).reshape(1), later])


def correct_accumulate(reward, gamma):
    """`itertools.accumulate` on the reversed list."""
    from itertools import accumulate

    values = accumulate(reversed(reward.tolist()), lambda total, r: r + gamma * total)
    return torch.tensor(list(values)[::-1], dtype=torch.float64)


def correct_in_place_on_a_copy(reward, gamma):
    """In-place arithmetic on a clone."""
    return_ = reward.clone()
    for t in range(len(return_) - 1, 0, -1):
        return_[t - 1].add_(return_[t], alpha=gamma)
    return return_


def correct_every_sum_by_itself(reward, gamma):
    """The first form of the equation, a sum for each step."""
    return_ = torch.zeros_like(reward)
    for t in range(len(reward)):
        rest = reward[t:]
        return_[t] = (gamma ** torch.arange(len(rest), dtype=rest.dtype) * rest).sum()
    return return_
