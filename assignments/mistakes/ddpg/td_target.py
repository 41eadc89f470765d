"""Solutions of `td_target` as students write them."""

import numpy as np
import torch


def wrong_no_flag(reward, terminated, next_q, gamma):
    """Every step has a successor.

    Message: Nothing follows a terminal state
    """
    return (reward + gamma * next_q).detach()


def wrong_flag_upside_down(reward, terminated, next_q, gamma):
    """The flag multiplies as it is.

    Message: upside down
    """
    return (reward + gamma * next_q * terminated).detach()


def wrong_reward_masked(reward, terminated, next_q, gamma):
    """A terminal step gives nothing at all.

    Message: The reward of the last step counts
    """
    return ((reward + gamma * next_q) * ~terminated).detach()


def wrong_no_discount(reward, terminated, next_q, gamma):
    """The value of the successor is not discounted.

    Message: The value of the successor is not discounted
    """
    return (reward + next_q * ~terminated).detach()


def wrong_discounts_reward(reward, terminated, next_q, gamma):
    """The reward is discounted as well.

    Message: The reward itself is not discounted
    """
    return (gamma * (reward + next_q * ~terminated)).detach()


def wrong_squared_discount(reward, terminated, next_q, gamma):
    """The value is two steps away.

    Message: Compare each row with the table above
    """
    return (reward + gamma**2 * next_q * ~terminated).detach()


def wrong_no_reward(reward, terminated, next_q, gamma):
    """The value of the successor alone.

    Message: The reward is missing
    """
    return (gamma * next_q * ~terminated).detach()


def wrong_no_value(reward, terminated, next_q, gamma):
    """The reward alone.

    Message: Compare each row with the table above
    """
    return reward.clone()


def wrong_sign(reward, terminated, next_q, gamma):
    """The value is subtracted, as in an error.

    Message: Compare each row with the table above
    """
    return (reward - gamma * next_q * ~terminated).detach()


def wrong_attached(reward, terminated, next_q, gamma):
    """Nothing is detached.

    Message: was it detached?
    """
    return reward + gamma * next_q * ~terminated


def wrong_detaches_reward(reward, terminated, next_q, gamma):
    """The reward is the constant.

    Message: was it detached?
    """
    return reward.detach() + gamma * next_q * ~terminated


def wrong_detaches_value_only(reward, terminated, next_q, gamma):
    """Only the value is detached.

    Message: the gradient reaches reward: detach the whole target
    """
    return reward + gamma * next_q.detach() * ~terminated


def wrong_detached_too_late(reward, terminated, next_q, gamma):
    """The detached tensor is not the one that is returned.

    Message: was it detached?
    """
    target = reward + gamma * next_q * ~terminated
    target.detach()
    return target


def wrong_zeroes_in_place(reward, terminated, next_q, gamma):
    """The values of terminal states are overwritten.

    Message: changed in place
    """
    next_q = next_q.detach()
    next_q[terminated] = 0.0
    return reward + gamma * next_q


def wrong_adds_in_place(reward, terminated, next_q, gamma):
    """The value is added into the rewards.

    Message: changed in place
    """
    reward += gamma * next_q.detach() * ~terminated
    return reward


def wrong_column(reward, terminated, next_q, gamma):
    """The rewards are a column, so all pairs are added.

    Message: shape [N]
    """
    return (reward.unsqueeze(1) + gamma * next_q * ~terminated).detach()


def wrong_keeps_column(reward, terminated, next_q, gamma):
    """The result has a second axis.

    Message: shape [N]
    """
    return (reward + gamma * next_q * ~terminated).detach().unsqueeze(-1)


def wrong_mean(reward, terminated, next_q, gamma):
    """The targets are averaged.

    Message: shape [N]
    """
    return (reward + gamma * next_q * ~terminated).mean().detach()


def wrong_any(reward, terminated, next_q, gamma):
    """One flag for the whole batch.

    Message: Compare each row with the table above
    """
    if terminated.any():
        return reward.clone()
    return (reward + gamma * next_q).detach()


def wrong_last_flag(reward, terminated, next_q, gamma):
    """Only the last step of a batch can be terminal.

    Message: Nothing follows a terminal state
    """
    target = (reward + gamma * next_q).detach()
    if terminated[-1]:
        target[-1] = reward[-1]
    return target


def wrong_integer_minus(reward, terminated, next_q, gamma):
    """One minus a boolean.

    Message: RuntimeError
    """
    return (reward + gamma * next_q * (1 - terminated)).detach()


def wrong_no_negative_values(reward, terminated, next_q, gamma):
    """A value is never negative.

    Message: Compare each row with the table above
    """
    return (reward + gamma * next_q.clamp(min=0) * ~terminated).detach()


def wrong_next_row(reward, terminated, next_q, gamma):
    """The rows are taken for steps in order, and the targets for returns.

    Message: Compare each row with the table above
    """
    target = torch.zeros_like(reward)
    following = next_q[-1].detach()
    for n in reversed(range(len(reward))):
        following = reward[n] + gamma * following * ~terminated[n]
        target[n] = following
    return target.detach()


def wrong_list(reward, terminated, next_q, gamma):
    """A list of numbers.

    Message: Return a tensor
    """
    return [
        float(r) + gamma * float(q) * (not d)
        for r, d, q in zip(reward, terminated, next_q)
    ]


def wrong_squeezed(reward, terminated, next_q, gamma):
    """Axes of length one are removed, to be safe.

    Message: has shape (); expected (1,). (Case: one step.)
    """
    return (reward + gamma * next_q * ~terminated).squeeze().detach()


def correct_where(reward, terminated, next_q, gamma):
    """With `torch.where`."""
    following = torch.where(terminated, torch.zeros_like(next_q), next_q)
    return (reward + gamma * following).detach()


def correct_no_grad(reward, terminated, next_q, gamma):
    """Within `torch.no_grad()`."""
    with torch.no_grad():
        not_done = 1.0 - terminated.float()
        return reward + gamma * not_done * next_q


@torch.no_grad()
def correct_decorated(reward, terminated, next_q, gamma):
    """A decorator keeps the gradient out."""
    return reward + gamma * terminated.logical_not() * next_q


def correct_loop(reward, terminated, next_q, gamma):
    """A loop over the steps."""
    target = reward.detach().clone()
    for n in range(len(target)):
        if not terminated[n]:
            target[n] += gamma * next_q[n].item()
    return target


def correct_index(reward, terminated, next_q, gamma):
    """Terminal values are set to zero in a copy."""
    following = next_q.detach().clone()
    following[terminated] = 0
    print(following.mean())
    return reward.detach() + gamma * following


def correct_numpy(reward, terminated, next_q, gamma):
    """With NumPy."""
    reward, next_q = reward.detach().numpy(), next_q.detach().numpy()
    target = reward + gamma * np.where(terminated.numpy(), 0.0, next_q)
    return torch.as_tensor(target)


def correct_masked_fill(reward, terminated, next_q, gamma):
    """With `masked_fill`."""
    return reward.detach() + gamma * next_q.detach().masked_fill(terminated, 0.0)
