"""Solutions of `n_step_returns` as students write them."""

import numpy as np
import torch


def wrong_merged_flags(reward, terminated, truncated, next_value, gamma):
    """One flag `done` for both kinds of ends.

    Message: Truncation is no termination
    """
    done = terminated | truncated
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following * ~done[t]
        return_[t] = following
    return return_


def wrong_bootstraps_terminal(reward, terminated, truncated, next_value, gamma):
    """The critic is asked at every end.

    Message: After a termination nothing follows, no value either
    """
    done = terminated | truncated
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(done[t], next_value[t], following)
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_ignores_terminated(reward, terminated, truncated, next_value, gamma):
    """Terminations are forgotten.

    Message: The sum runs over a termination into the next episode
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_ignores_truncated(reward, terminated, truncated, next_value, gamma):
    """Truncations are forgotten.

    Message: The sum runs over a truncation into the next episode
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_no_bootstrap(reward, terminated, truncated, next_value, gamma):
    """The sum starts from zero at the end of the rollout.

    Message: The data end after the last step, the episode does not
    """
    return_ = torch.zeros_like(reward)
    following = torch.zeros_like(reward[0])
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_no_discount(reward, terminated, truncated, next_value, gamma):
    """Gamma is forgotten.

    Message: Nothing is discounted
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_value_undiscounted(reward, terminated, truncated, next_value, gamma):
    """The rewards are discounted and the value is not.

    Message: The value that is left is discounted too
    """
    return_ = torch.zeros_like(reward)
    for t in reversed(range(len(reward))):
        if t == len(reward) - 1:
            following = next_value[t]
        else:
            following = torch.where(truncated[t], next_value[t], gamma * return_[t + 1])
        return_[t] = reward[t] + following * ~terminated[t]
    return return_


def wrong_one_step(reward, terminated, truncated, next_value, gamma):
    """The one-step target, with the value after every reward.

    Message: Each step takes only its own reward
    """
    return reward + gamma * next_value * ~terminated


def wrong_forwards(reward, terminated, truncated, next_value, gamma):
    """The sweep goes forwards.

    Message: Compute from the last step back
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in range(len(reward)):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_reverse_order(reward, terminated, truncated, next_value, gamma):
    """A list from the back that nobody turned round.

    Message: keep the rows in order of time
    """
    returns = []
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        returns.append(following)
    return torch.stack(returns)


def wrong_last_value_at_truncation(reward, terminated, truncated, next_value, gamma):
    """At a truncation the value after the rollout is taken.

    Message: At a truncation take the next_value of that same step
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[-1], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_both_flags(reward, terminated, truncated, next_value, gamma):
    """The truncation is looked at last, so it wins over the termination.

    Message: With both flags set, the state is terminal
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = following * ~terminated[t]
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_flags_of_next_row(reward, terminated, truncated, next_value, gamma):
    """Flags are read as those of the state, as in programs that store `dones` so.

    Message: The flags are read one row off
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        if t < len(reward) - 1:
            following = torch.where(truncated[t + 1], next_value[t], following)
            following = following * ~terminated[t + 1]
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_flags_shifted(reward, terminated, truncated, next_value, gamma):
    """The flags are off by one row.

    Message: The flags are read one row off
    """
    terminated = torch.cat([terminated[1:], terminated[-1:]])
    truncated = torch.cat([truncated[1:], truncated[-1:]])
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_any_environment(reward, terminated, truncated, next_value, gamma):
    """A Python `if` on the flags of all environments.

    Message: each column has its own flags
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        if truncated[t].any():
            following = next_value[t]
        if terminated[t].any():
            following = torch.zeros_like(following)
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_axes(reward, terminated, truncated, next_value, gamma):
    """Environments first, time last.

    Message: Time is the first axis
    """
    return_ = torch.zeros_like(reward)
    for b in range(len(reward)):
        following = next_value[b, -1]
        for t in reversed(range(reward.shape[1])):
            if terminated[b, t]:
                following = 0.0
            elif truncated[b, t]:
                following = next_value[b, t]
            following = reward[b, t] + gamma * following
            return_[b, t] = following
    return return_


def wrong_in_place(reward, terminated, truncated, next_value, gamma):
    """The returns are written over the rewards.

    Message: The rewards were changed in place
    """
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        reward[t] += gamma * following * ~terminated[t]
        following = reward[t]
    return reward


def wrong_zeroes_next_value(reward, terminated, truncated, next_value, gamma):
    """The values of terminal states are set to zero in the caller's tensor.

    Message: next_value was changed in place
    """
    next_value[terminated] = 0.0
    ended = terminated | truncated
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(ended[t], next_value[t], following)
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_flags_in_place(reward, terminated, truncated, next_value, gamma):
    """The flags are cleaned up in the caller's tensor.

    Message: it changes one of its arguments
    """
    truncated &= ~terminated
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_


def wrong_state_between_environments(reward, terminated, truncated, next_value, gamma):
    """The loop over environments goes on with the last one's numbers.

    Message: Compare with the column of the termination
    """
    num_steps, num_envs = reward.shape
    return_ = torch.zeros_like(reward)
    following = next_value[-1, 0]
    for b in range(num_envs):
        for t in reversed(range(num_steps)):
            if terminated[t, b]:
                following = 0.0
            elif truncated[t, b]:
                following = next_value[t, b]
            following = reward[t, b] + gamma * following
            return_[t, b] = following
    return return_


def wrong_terminal_last_step(reward, terminated, truncated, next_value, gamma):
    """The last row is bootstrapped before the loop, whatever its flags.

    Message: The last step of a rollout may terminate
    """
    return_ = torch.zeros_like(reward)
    return_[-1] = reward[-1] + gamma * next_value[-1]
    for t in reversed(range(len(reward) - 1)):
        following = torch.where(truncated[t], next_value[t], return_[t + 1])
        return_[t] = reward[t] + gamma * following * ~terminated[t]
    return return_


def wrong_truncated_last_step(reward, terminated, truncated, next_value, gamma):
    """No value follows an end in the last row, of whichever kind.

    Message: in the last row, too, truncation is no termination
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1] * ~(terminated | truncated)[-1]
    for t in reversed(range(len(reward))):
        if t < len(reward) - 1:
            following = torch.where(truncated[t], next_value[t], following)
            following = following * ~terminated[t]
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_drops_last_reward(reward, terminated, truncated, next_value, gamma):
    """A termination cancels the reward of its own step.

    Message: The reward of the last step counts
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = (reward[t] + gamma * following) * ~terminated[t]
        return_[t] = following
    return return_


def wrong_power_of_rollout(reward, terminated, truncated, next_value, gamma):
    """The value is discounted by gamma**T at each step, as for the first one.

    Message: T - t rewards come before the value of the rest
    """
    num_steps = len(reward)
    return_ = torch.zeros_like(reward)
    for t in range(num_steps):
        going = torch.ones_like(reward[0])
        for k in range(t, num_steps):
            return_[t] += gamma ** (k - t) * reward[k] * going
            cut = truncated[k] & ~terminated[k]
            if k == num_steps - 1:
                cut = ~terminated[k]
            return_[t] += gamma**num_steps * next_value[k] * going * cut
            going = going * ~(terminated[k] | truncated[k])
    return return_


def wrong_first_environment(reward, terminated, truncated, next_value, gamma):
    """Written for one environment: its flags are used for all.

    Message: The sum runs over a termination into the next episode
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        if terminated[t][0]:
            following = torch.zeros_like(following)
        elif truncated[t][0]:
            following = next_value[t]
        following = reward[t] + gamma * following
        return_[t] = following
    return return_


def wrong_flat(reward, terminated, truncated, next_value, gamma):
    """The mean over the environments.

    Message: One return for each step
    """
    return_ = torch.zeros_like(reward)
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        return_[t] = following
    return return_.mean(1)


def wrong_default_list(reward, terminated, truncated, next_value, gamma, rows=[]):
    """A list as a default argument: it is made once, and kept between calls.

    Message: does it go on with a list of the first?
    """
    following = next_value[-1]
    for t in reversed(range(len(reward))):
        following = torch.where(truncated[t], next_value[t], following)
        following = reward[t] + gamma * following * ~terminated[t]
        rows.insert(0, following)
    return torch.stack(rows)


def correct_loops(reward, terminated, truncated, next_value, gamma):
    """Two loops over plain numbers."""
    num_steps, num_envs = reward.shape
    return_ = torch.zeros(num_steps, num_envs, dtype=reward.dtype)
    for b in range(num_envs):
        following = next_value[-1, b].item()
        for t in range(num_steps - 1, -1, -1):
            if terminated[t, b]:
                following = 0.0
            elif truncated[t, b]:
                following = next_value[t, b].item()
            following = reward[t, b].item() + gamma * following
            return_[t, b] = following
    return return_


def correct_definition(reward, terminated, truncated, next_value, gamma):
    """The definition, looking ahead anew from each step."""
    return_ = torch.zeros_like(reward)
    ended = terminated | truncated
    last = torch.zeros_like(ended)
    last[-1] = True
    for t in range(len(reward)):
        going = torch.ones_like(reward[0])
        for n in range(len(reward) - t):
            k = t + n
            return_[t] += going * gamma**n * reward[k]
            asks = (truncated[k] | last[k]) & ~terminated[k]
            return_[t] += going * gamma ** (n + 1) * next_value[k] * asks
            going = going * ~ended[k]
    return return_


def correct_list(reward, terminated, truncated, next_value, gamma):
    """Values of terminal states set to zero in a copy, and a list from the back."""
    left = next_value.clone()
    left[terminated] = 0
    ended = terminated | truncated
    rows = [left[-1]]
    for r, end, v in zip(reward.flip(0), ended.flip(0), left.flip(0)):
        print("row", len(rows))
        rows.append(r + gamma * torch.where(end, v, rows[-1]))
    return torch.stack(rows[:0:-1])


def correct_numpy(reward, terminated, truncated, next_value, gamma):
    """NumPy inside, with masks as numbers."""
    r, v = reward.numpy(), next_value.numpy()
    te, tr = terminated.numpy().astype(float), truncated.numpy().astype(float)
    tr = tr.copy()
    tr[-1] = 1.0
    out = np.zeros_like(r)
    nxt = np.zeros(r.shape[1])
    for t in range(len(r))[::-1]:
        nxt = r[t] + gamma * (1 - te[t]) * (tr[t] * v[t] + (1 - tr[t]) * nxt)
        out[t] = nxt
    return torch.as_tensor(out)


def correct_system(reward, terminated, truncated, next_value, gamma):
    """One linear system for each environment: R = c + D R."""
    num_steps, num_envs = reward.shape
    goes_on = (~(terminated | truncated)).double()
    goes_on[-1] = 0
    asks = (1 - goes_on) * (~terminated).double()
    columns = []
    for b in range(num_envs):
        c = reward[:, b].double() + gamma * asks[:, b] * next_value[:, b].double()
        follows = torch.diag(gamma * goes_on[:-1, b], 1)
        columns.append(torch.linalg.solve(torch.eye(num_steps).double() - follows, c))
    return torch.stack(columns, dim=1).to(reward.dtype)


def correct_recursive(reward, terminated, truncated, next_value, gamma):
    """The rest of the rollout first, by a call of itself."""
    left, rest = next_value[0], reward[1:]
    if len(rest):
        rest = n_step_returns(
            rest, terminated[1:], truncated[1:], next_value[1:], gamma
        )
        left = torch.where(truncated[0], left, rest[0])
    first = reward[0] + gamma * left.masked_fill(terminated[0], 0)
    return torch.cat([first[None], rest])
