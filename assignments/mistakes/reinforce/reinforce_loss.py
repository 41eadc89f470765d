"""Solutions of `reinforce_loss` as students write them."""

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

    Message: does not require grad
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
