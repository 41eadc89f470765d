"""Solutions of `reinforce_loss` as students write them."""

import math

import torch


def wrong_sign(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The objective itself, which an optimiser would make smaller.

    Message: put a minus in front
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return (weight * log_prob).sum() / num_episodes


def wrong_mean_over_steps(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The mean over all steps.

    Message: Divide by the number of episodes, not of steps
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -(weight * log_prob).mean()


def wrong_sum_over_episodes(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The sum over all episodes.

    Message: Divide by the number of episodes.
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -(weight * log_prob).sum()


def wrong_no_gamma_t(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The returns are discounted already.

    Message: The factor gamma**t is missing
    """
    weight = (return_ - baseline).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_no_baseline(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The baseline is not used.

    Message: The baseline is not subtracted
    """
    weight = (gamma**timestep * return_).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_not_detached(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The weights carry gradients.

    Message: The baseline gets a gradient
    """
    weight = gamma**timestep * (return_ - baseline)
    return -(weight * log_prob).sum() / num_episodes


def wrong_all_detached(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """Everything under `no_grad`.

    Message: No gradient reaches log_prob
    """
    with torch.no_grad():
        weight = gamma**timestep * (return_ - baseline)
        return -(weight * log_prob).sum() / num_episodes


def wrong_return_not_detached(
    log_prob, return_, baseline, timestep, num_episodes, gamma
):
    """Only the baseline is detached, as in the visible test.

    Message: a gradient flows into return_
    """
    weight = gamma**timestep * (return_ - baseline.detach())
    return -(weight * log_prob).sum() / num_episodes


def wrong_gamma_on_return_only(
    log_prob, return_, baseline, timestep, num_episodes, gamma
):
    """The factor multiplies the return and not the baseline.

    Message: the table above
    """
    weight = (gamma**timestep * return_ - baseline).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_global_time(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The exponent is the position in the batch.

    Message: the table above
    """
    weight = (gamma ** torch.arange(len(log_prob)) * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_mean_of_each_episode(
    log_prob, return_, baseline, timestep, num_episodes, gamma
):
    """Each episode is averaged over its own steps.

    Message: the table above
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    starts = (timestep == 0).nonzero().flatten().tolist() + [len(timestep)]
    total = 0
    for start, end in zip(starts, starts[1:]):
        total = total + (weight[start:end] * log_prob[start:end]).mean()
    return -total / num_episodes


def wrong_gamma_times_t(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The factor grows with t, for gamma is not raised to it.

    Message: the table above
    """
    weight = (gamma * timestep * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_time_from_one(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The first step has the factor gamma.

    Message: the table above
    """
    weight = (gamma ** (timestep + 1) * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_gamma_t_twice(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The factor multiplies the return and then the weight again.

    Message: the table above
    """
    discount = gamma**timestep
    weight = (discount * (discount * return_ - discount * baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_baseline_added(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The baseline is added.

    Message: the table above
    """
    weight = (gamma**timestep * (return_ + baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_squared(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The square of the advantage, as in the error of a value function.

    Message: the table above
    """
    weight = (gamma**timestep * (return_ - baseline) ** 2).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_density(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The probability of the action takes the place of its logarithm.

    Message: the table above
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -(weight * log_prob.exp()).sum() / num_episodes


def wrong_only_good_actions(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """Weights below zero are cut off: learn from good actions only.

    Message: Weights below zero count too
    """
    advantage = (return_ - baseline).clamp(min=0)
    weight = (gamma**timestep * advantage).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_normalised(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """Normalised weights, as many published programs have them.

    Message: the table above
    """
    advantage = return_ - baseline
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    weight = (gamma**timestep * advantage).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_centred(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The mean of the weights is subtracted as well.

    Message: the table above
    """
    advantage = return_ - baseline
    weight = (gamma**timestep * (advantage - advantage.mean())).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_every_pair(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """A column of log-densities times a row of weights makes a matrix.

    Message: the table above
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -(log_prob.unsqueeze(1) * weight).sum() / num_episodes


def wrong_no_sum(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The loss of each step.

    Message: A loss is one number
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -weight * log_prob / num_episodes


def wrong_one_element(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The loss as a row with one entry.

    Message: A loss is one number
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -(weight * log_prob).sum().reshape(1) / num_episodes


def wrong_number(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """A plain number, which no optimiser can use.

    Message: A loss is a tensor
    """
    total = 0.0
    for n in range(len(log_prob)):
        advantage = (return_[n] - baseline[n]).item()
        total += gamma ** timestep[n].item() * advantage * log_prob[n].item()
    return -total / num_episodes


def wrong_log_prob_detached(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The wrong factor is detached.

    Message: No gradient reaches log_prob
    """
    weight = gamma**timestep * (return_ - baseline)
    return -(weight * log_prob.detach()).sum() / num_episodes


def wrong_return_changed(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """The baseline is subtracted in place.

    Message: return_ was changed in place
    """
    return_ -= baseline.detach()
    weight = gamma**timestep * return_
    return -(weight * log_prob).sum() / num_episodes


def wrong_by_logarithms(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """gamma**t by way of log(gamma), which 0 does not have.

    Message: it stops with ValueError. (Case: gamma = 0.)
    """
    discount = torch.exp(timestep * math.log(gamma))
    weight = (discount * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_cumulative_product(
    log_prob, return_, baseline, timestep, num_episodes, gamma
):
    """The factors are products along the whole batch.

    Message: the table above
    """
    factors = torch.full_like(return_, gamma)
    factors[0] = 1.0
    weight = (factors.cumprod(0) * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / num_episodes


def wrong_longest_episode(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """Divides by the steps of the longest episode.

    Message: the table above
    """
    weight = (gamma**timestep * (return_ - baseline)).detach()
    return -(weight * log_prob).sum() / (num_episodes * (timestep.max() + 1))


def correct_dot(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """A dot product, weights computed without gradients."""
    with torch.no_grad():
        weight = torch.pow(gamma, timestep.to(log_prob.dtype)) * (return_ - baseline)
    return -torch.dot(weight.to(log_prob.dtype), log_prob) / num_episodes


def correct_loop(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """A loop over the steps with plain numbers as weights, and some output."""
    loss = torch.zeros(())
    for n in range(len(log_prob)):
        advantage = return_[n].item() - baseline[n].item()
        loss = loss - gamma ** int(timestep[n]) * advantage * log_prob[n]
        print(n, loss.item())
    return loss / num_episodes


def correct_in_place(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """In-place arithmetic on a detached copy."""
    weight = return_.detach().clone()
    weight -= baseline.detach()
    weight *= gamma**timestep
    return torch.mul(weight, log_prob).sum().div(num_episodes).neg()


def correct_episode_by_episode(
    log_prob, return_, baseline, timestep, num_episodes, gamma
):
    """Splits the row where a new episode begins, and averages the sums."""
    weight = gamma**timestep * (return_.detach() - baseline.detach())
    ends = [*(timestep == 0).nonzero().flatten().tolist()[1:], len(timestep)]
    totals, start = [], 0
    for end in ends:
        totals.append((weight[start:end] * log_prob[start:end]).sum())
        start = end
    return -torch.stack(totals).mean()


def correct_einsum(log_prob, return_, baseline, timestep, num_episodes, gamma):
    """An einsum, with the minus and the division in the weights."""
    advantage = (return_ - baseline).data
    weight = -(gamma ** timestep.double()) * advantage / num_episodes
    return torch.einsum("n,n->", weight.to(log_prob.dtype), log_prob)
