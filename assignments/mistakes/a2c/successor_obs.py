"""Solutions of `successor_obs` as students write them."""

import numpy as np
import torch


def wrong_terminated_only(next_obs, final_obs, terminated, truncated):
    """Only a termination ends an episode.

    Message: A truncated episode has ended as well
    """
    return torch.where(terminated.unsqueeze(-1), final_obs, next_obs)


def wrong_truncated_only(next_obs, final_obs, terminated, truncated):
    """After a termination the observation does not matter.

    Message: A terminated episode has ended: final_obs
    """
    return torch.where(truncated.unsqueeze(-1), final_obs, next_obs)


def wrong_both_needed(next_obs, final_obs, terminated, truncated):
    """`and` for `or`.

    Message: Where an episode ended, next_obs belongs to the next one
    """
    ended = terminated & truncated
    return torch.where(ended[:, None], final_obs, next_obs)


def wrong_exactly_one(next_obs, final_obs, terminated, truncated):
    """The exclusive or: wrong only where both flags are set.

    Message: an episode has ended where both flags are set, too
    """
    ended = terminated ^ truncated
    return torch.where(ended[:, None], final_obs, next_obs)


def wrong_sum_is_one(next_obs, final_obs, terminated, truncated):
    """Flags added up as numbers: two of them are not one.

    Message: an episode has ended where both flags are set, too
    """
    ended = terminated.int() + truncated.int() == 1
    return torch.where(ended[:, None], final_obs, next_obs)


def wrong_next(next_obs, final_obs, terminated, truncated):
    """What `step` returned is the successor.

    Message: Where an episode ended, next_obs belongs to the next one
    """
    return next_obs.clone()


def wrong_final(next_obs, final_obs, terminated, truncated):
    """The final observation, whether there is one or not.

    Message: Nothing ended in row 0
    """
    return final_obs.clone()


def wrong_swapped(next_obs, final_obs, terminated, truncated):
    """The branches of `torch.where` the wrong way round.

    Message: It is the wrong way round
    """
    ended = terminated | truncated
    return torch.where(ended.unsqueeze(-1), next_obs, final_obs)


def wrong_axis(next_obs, final_obs, terminated, truncated):
    """The flags are spread along the variables: no error for three of each.

    Message: A flag belongs to a row
    """
    return torch.where(terminated | truncated, final_obs, next_obs)


def wrong_axis_expanded(next_obs, final_obs, terminated, truncated):
    """An axis in front instead of behind.

    Message: A flag belongs to a row
    """
    ended = (terminated | truncated).unsqueeze(0)
    return ended * final_obs + ~ended * next_obs


def wrong_in_place(next_obs, final_obs, terminated, truncated):
    """The final observations are written over the next ones.

    Message: next_obs was changed in place
    """
    ended = terminated | truncated
    next_obs[ended] = final_obs[ended]
    return next_obs


def wrong_in_place_on_view(next_obs, final_obs, terminated, truncated):
    """A view is taken for a copy.

    Message: final_obs was changed in place
    """
    successor = final_obs.view(final_obs.shape)
    goes_on = ~(terminated | truncated)
    successor[goes_on] = next_obs[goes_on]
    return successor


def wrong_any(next_obs, final_obs, terminated, truncated):
    """One end decides for all environments.

    Message: Nothing ended in row 0
    """
    if terminated.any() or truncated.any():
        return final_obs
    return next_obs


def wrong_all(next_obs, final_obs, terminated, truncated):
    """Only an end of all environments counts.

    Message: Where an episode ended, next_obs belongs to the next one
    """
    if (terminated | truncated).all():
        return final_obs
    return next_obs


def wrong_first_flag(next_obs, final_obs, terminated, truncated):
    """Written for one environment.

    Message: Where an episode ended, next_obs belongs to the next one
    """
    if terminated[0] or truncated[0]:
        return final_obs
    return next_obs


def wrong_python_or(next_obs, final_obs, terminated, truncated):
    """Python's `or` of two tensors.

    Message: RuntimeError
    """
    ended = terminated or truncated
    return torch.where(ended.unsqueeze(-1), final_obs, next_obs)


def wrong_zero_after_termination(next_obs, final_obs, terminated, truncated):
    """After a termination there is nothing, so zeros.

    Message: A terminal state is an observation too
    """
    successor = next_obs.clone()
    successor[truncated] = final_obs[truncated]
    successor[terminated] = 0.0
    return successor


def wrong_rows_that_ended(next_obs, final_obs, terminated, truncated):
    """Returns the final observations alone.

    Message: One row for each environment
    """
    return final_obs[terminated | truncated]


def wrong_extra_axis(next_obs, final_obs, terminated, truncated):
    """One axis too many: every environment with every flag.

    Message: One row for each environment
    """
    ended = (terminated | truncated)[:, None, None]
    return torch.where(ended, final_obs, next_obs)


def wrong_elif_skips(next_obs, final_obs, terminated, truncated):
    """A loop that leaves out the rows with both flags.

    Message: an episode has ended where both flags are set, too
    """
    successor = next_obs.clone()
    for b in range(len(successor)):
        if terminated[b] and not truncated[b]:
            successor[b] = final_obs[b]
        elif truncated[b] and not terminated[b]:
            successor[b] = final_obs[b]
    return successor


def wrong_three_environments(next_obs, final_obs, terminated, truncated):
    """Fitted to the three rows of the visible test.

    Message: successor_obs: the result
    """
    return torch.stack([next_obs[0], final_obs[1], final_obs[2 % len(final_obs)]])


def correct_mask(next_obs, final_obs, terminated, truncated):
    """Rows assigned in a copy."""
    successor = next_obs.clone()
    ended = torch.logical_or(terminated, truncated)
    successor[ended] = final_obs[ended]
    return successor


def correct_loop(next_obs, final_obs, terminated, truncated):
    """Row by row, with output left from debugging."""
    rows = []
    for b in range(next_obs.shape[0]):
        print(b, bool(terminated[b]), bool(truncated[b]))
        if terminated[b] or truncated[b]:
            rows.append(final_obs[b])
        else:
            rows.append(next_obs[b])
    return torch.stack(rows)


def correct_arithmetic(next_obs, final_obs, terminated, truncated):
    """A weight of one or zero for each row."""
    ended = (terminated | truncated).to(next_obs.dtype)[:, None]
    return ended * final_obs + (1 - ended) * next_obs


def correct_numpy(next_obs, final_obs, terminated, truncated):
    """NumPy inside, a torch tensor outside."""
    ended = np.logical_or(terminated.numpy(), truncated.numpy())
    rows = np.where(ended[:, np.newaxis], final_obs.numpy(), next_obs.numpy())
    return torch.from_numpy(rows)


def correct_expanded(next_obs, final_obs, terminated, truncated):
    """The flags spread over the rows, and two `where`, one for each flag."""

    def spread(flags):
        return flags.view(-1, 1).expand_as(next_obs)

    successor = torch.where(spread(terminated), final_obs, next_obs)
    return torch.where(spread(truncated), final_obs, successor)


def correct_transposed(next_obs, final_obs, terminated, truncated):
    """Broadcasting with the environments as the last axis."""
    goes_on = ~terminated & ~truncated
    return torch.where(goes_on, next_obs.T, final_obs.T).T
