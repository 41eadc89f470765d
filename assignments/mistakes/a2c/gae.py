"""Solutions of `gae` as students write them."""

import numpy as np
import torch


def wrong_merged_flags(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """One flag `done` for both kinds of ends.

    Message: Truncation is no termination
    """
    goes_on = 1.0 - (terminated | truncated).to(reward.dtype)
    delta = reward + gamma * next_value * goes_on - value
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_runs_over_truncation(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """A truncation is no termination, so it is left out everywhere.

    Message: The sum runs over a truncation into the next episode
    """
    goes_on = 1.0 - terminated.to(reward.dtype)
    delta = reward + gamma * next_value * goes_on - value
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_runs_over_termination(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """Terminated is used in delta, truncated in the sum.

    Message: The sum runs over a termination into the next episode
    """
    delta = reward + gamma * next_value * ~terminated - value
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * ~truncated[t] * last
        advantage[t] = last
    return advantage


def wrong_no_mask_in_sum(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The sum has no flags at all.

    Message: The sum runs over a termination into the next episode
    """
    delta = reward + gamma * next_value * ~terminated - value
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * last
        advantage[t] = last
    return advantage


def wrong_bootstraps_terminal(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The flags stop the sum, and delta has none.

    Message: After a termination nothing follows, no value either
    """
    delta = reward + gamma * next_value - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_no_flags(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """The formula of an endless episode.

    Message: terminated has no effect
    """
    delta = reward + gamma * next_value - value
    advantage = torch.zeros_like(delta)
    last = 0
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * last
        advantage[t] = last
    return advantage


def wrong_both_flags(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """A truncated step bootstraps, also where it is terminal.

    Message: With both flags set, the state is terminal
    """
    bootstraps = ~terminated | truncated
    delta = reward + gamma * next_value * bootstraps - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_next_row_of_values(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The next value is that of the next row, as in many published programs.

    Message: value[t + 1] belongs to the next episode here
    """
    following = torch.cat([value[1:], next_value[-1:]])
    delta = reward + gamma * following * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_flags_of_next_row(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """Flags are read as those of the state, as in programs that store `dones` so.

    Message: The flags are read one row off
    """
    num_steps = len(reward)
    advantage = torch.zeros_like(reward)
    last = torch.zeros_like(reward[0])
    for t in reversed(range(num_steps)):
        i = min(t + 1, num_steps - 1)
        delta = reward[t] + gamma * next_value[t] * ~terminated[i] - value[t]
        last = delta + gamma * lambda_ * ~(terminated[i] | truncated[i]) * last
        advantage[t] = last
    return advantage


def wrong_no_baseline(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """The value of the state is not subtracted.

    Message: V(s_t) is not subtracted
    """
    delta = reward + gamma * next_value * ~terminated
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_target(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Returns the target of the critic.

    Message: This is the advantage plus the value
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage + value


def wrong_no_lambda(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """The errors are discounted by gamma alone.

    Message: lambda is missing in the sum
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_no_gamma_in_sum(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The errors are weighted by lambda alone.

    Message: gamma is missing in the sum of errors
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_no_gamma_in_delta(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The error as r + V(s') - V(s).

    Message: In delta, gamma multiplies the next value
    """
    delta = reward + next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_delta_only(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """The error of one step, not summed.

    Message: The errors are not summed
    """
    return reward + gamma * next_value * ~terminated - value


def wrong_starts_from_value(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The sum starts from the last value, as returns do.

    Message: The sum starts from 0, not from a value
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = next_value[-1]
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_forwards(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """The sweep goes forwards.

    Message: Go from the last step to the first
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in range(len(delta)):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_reverse_order(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """A list from the back that nobody turned round.

    Message: The rows are in reverse order
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = []
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage.append(last)
    return torch.stack(advantage)


def wrong_any_environment(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """A Python `if` on the flags of all environments.

    Message: each column has its own flags
    """
    delta = reward + gamma * next_value * ~terminated - value
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        if (terminated[t] | truncated[t]).any():
            last = torch.zeros_like(last)
        last = delta[t] + gamma * lambda_ * last
        advantage[t] = last
    return advantage


def wrong_axes(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Environments first, time last.

    Message: Time is the first axis
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[:, 0])
    for t in reversed(range(delta.shape[1])):
        last = delta[:, t] + gamma * lambda_ * goes_on[:, t] * last
        advantage[:, t] = last
    return advantage


def wrong_state_between_environments(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The loop over environments goes on with the last one's sum.

    Message: Compare with the part of the termination
    """
    num_steps, num_envs = reward.shape
    advantage = torch.zeros_like(reward)
    last = 0.0
    for b in range(num_envs):
        for t in reversed(range(num_steps)):
            follows = 0.0 if terminated[t, b] else next_value[t, b]
            delta = reward[t, b] + gamma * follows - value[t, b]
            ended = terminated[t, b] or truncated[t, b]
            last = delta + (0.0 if ended else gamma * lambda_ * last)
            advantage[t, b] = last
    return advantage


def wrong_zeroes_next_value(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The values of terminal states are set to zero in the caller's tensor.

    Message: next_value was changed in place
    """
    next_value[terminated] = 0.0
    delta = reward + gamma * next_value - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_in_place_reward(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """Delta is another name of the rewards.

    Message: The rewards were changed in place
    """
    delta = reward
    delta += gamma * next_value * ~terminated
    delta -= value
    goes_on = ~(terminated | truncated)
    for t in reversed(range(len(delta) - 1)):
        delta[t] += gamma * lambda_ * goes_on[t] * delta[t + 1]
    return delta


def wrong_normalised(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Normalised, as many published programs have it.

    Message: normalised
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return (advantage - advantage.mean()) / (advantage.std() + 1e-8)


def wrong_weights_twice(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The factor (1 - lambda) of the weighted mean, which is in the recursion.

    Message: no factor 1 - lambda
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return (1 - lambda_) * advantage


def wrong_last_row_unmasked(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The last row is computed before the loop, without its flags.

    Message: a termination in the last step is overlooked
    """
    advantage = torch.zeros_like(reward)
    advantage[-1] = reward[-1] + gamma * next_value[-1] - value[-1]
    for t in reversed(range(len(reward) - 1)):
        delta = reward[t] + gamma * next_value[t] * ~terminated[t] - value[t]
        goes_on = ~(terminated[t] | truncated[t])
        advantage[t] = delta + gamma * lambda_ * goes_on * advantage[t + 1]
    return advantage


def wrong_one_step_too_few(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The loop stops before the first step, off by one in `range`.

    Message: The first step has an advantage, too
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in range(len(delta) - 1, 0, -1):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        advantage[t] = last
    return advantage


def wrong_zero_where_ended(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The step with which an episode ends gets no advantage at all.

    Message: The step that ends an episode has an advantage
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    advantage = torch.zeros_like(delta)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = (delta[t] + gamma * lambda_ * last) * goes_on[t]
        advantage[t] = last
    return advantage


def wrong_four_terms(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Looks three errors ahead and no further: enough for the visible test.

    Message: gae: the result
    """
    delta = reward + gamma * next_value * ~terminated - value
    decay = gamma * lambda_ * ~(terminated | truncated)
    nothing = torch.zeros_like(delta[:1])
    advantage = delta
    for _ in range(2):
        advantage = delta + decay * torch.cat([advantage[1:], nothing])
    return advantage


def wrong_default_list(
    reward, terminated, truncated, value, next_value, gamma, lambda_, rows=[]
):
    """A list as a default argument: it is made once, and kept between calls.

    Message: does it go on with a list of the first?
    """
    delta = reward + gamma * next_value * ~terminated - value
    goes_on = ~(terminated | truncated)
    last = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        last = delta[t] + gamma * lambda_ * goes_on[t] * last
        rows.insert(0, last)
    return torch.stack(rows)


def correct_loops(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Two loops over plain numbers."""
    num_steps, num_envs = reward.shape
    rows = [[0.0] * num_envs for _ in range(num_steps)]
    for b in range(num_envs):
        last = 0.0
        for t in range(num_steps - 1, -1, -1):
            delta = reward[t, b].item() - value[t, b].item()
            if not terminated[t, b]:
                delta += gamma * next_value[t, b].item()
            if terminated[t, b] or truncated[t, b]:
                last = 0.0
            last = delta + gamma * lambda_ * last
            rows[t][b] = last
    return torch.tensor(rows, dtype=reward.dtype)


def correct_where(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Delta inside the loop, `torch.where` for flags, a list, some output."""
    rows = []
    last = torch.zeros(reward.shape[1])
    for r, te, tr, v, nv in zip(
        *(x.flip(0) for x in (reward, terminated, truncated, value, next_value))
    ):
        left = torch.where(te, torch.zeros_like(nv), nv)
        last = torch.where(te | tr, torch.zeros_like(last), last)
        last = r + gamma * left - v + gamma * lambda_ * last
        rows.append(last)
        print(last.mean())
    return torch.stack(rows).flip(0)


def correct_matrix(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """Each environment's weights as a triangular matrix."""
    num_steps = len(reward)
    delta = (reward + gamma * next_value * ~terminated - value).double()
    goes_on = ~(terminated | truncated)
    weight = torch.zeros(reward.shape[1], num_steps, num_steps).double()
    for t in range(num_steps):
        weight[:, t, t] = 1
        for k in range(t + 1, num_steps):
            weight[:, t, k] = weight[:, t, k - 1] * gamma * lambda_ * goes_on[k - 1]
    return torch.einsum("btk,kb->tb", weight, delta).to(reward.dtype)


def correct_next_row_inside(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """value[t + 1] within an episode, next_value only where one ends."""
    ended = terminated | truncated
    following = next_value.clone()
    inside = ~ended[:-1]
    following[:-1][inside] = value[1:][inside]
    following[terminated] = 0
    advantage = reward + gamma * following - value
    for t in range(len(reward) - 2, -1, -1):
        advantage[t] += gamma * lambda_ * advantage[t + 1] * inside[t]
    return advantage


def correct_numpy(reward, terminated, truncated, value, next_value, gamma, lambda_):
    """NumPy inside, a torch tensor outside."""
    r, v, nv = (x.detach().numpy() for x in (reward, value, next_value))
    te, done = terminated.numpy(), (terminated | truncated).numpy()
    adv = np.zeros_like(r)
    gae_t = 0
    for t in reversed(range(r.shape[0])):
        delta = r[t] + gamma * nv[t] * (1 - te[t]) - v[t]
        gae_t = delta + gamma * lambda_ * (1 - done[t]) * gae_t
        adv[t] = gae_t
    return torch.from_numpy(adv)


def correct_mean_of_returns(
    reward, terminated, truncated, value, next_value, gamma, lambda_
):
    """The recursion of lambda returns, and the value subtracted at the end."""
    ended = terminated | truncated
    left = next_value * ~terminated
    return_ = torch.zeros_like(reward)
    following = left[-1]
    for t in reversed(range(len(reward))):
        mixed = (1 - lambda_) * left[t] + lambda_ * following
        following = reward[t] + gamma * torch.where(ended[t], left[t], mixed)
        return_[t] = following
    return return_ - value
