"""Solutions of `a2c_loss` as students write them."""

import torch
from torch import nn


def wrong_sign(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The objective of the policy, which an optimiser would make smaller.

    Message: The policy moves away from good actions
    """
    advantage = (target - value).detach()
    policy_loss = (advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_advantage_sign(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The advantage as value minus target.

    Message: The policy moves away from good actions
    """
    error = value - target.detach()
    policy_loss = -(error.detach() * log_prob).mean()
    value_loss = 0.5 * error.pow(2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_entropy_sign(log_prob, entropy, value, target, value_coef, entropy_coef):
    """All three terms are added.

    Message: The entropy is a bonus
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss + entropy_coef * entropy.mean()


def wrong_no_entropy(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The entropy is forgotten.

    Message: The entropy is missing
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss


def wrong_no_half(log_prob, entropy, value, target, value_coef, entropy_coef):
    """`mse_loss` has no one half.

    Message: The one half of the squared error is missing
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = nn.functional.mse_loss(value, target.detach())
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_no_value_coef(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The weight of the value error is forgotten.

    Message: The squared error is not multiplied by value_coef
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_loss - entropy_coef * entropy.mean()


def wrong_no_entropy_coef(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The weight of the entropy is forgotten.

    Message: The entropy is not multiplied by entropy_coef
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy.mean()


def wrong_swapped_coefs(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The two weights are swapped.

    Message: value_coef and entropy_coef are swapped
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + entropy_coef * value_loss - value_coef * entropy.mean()


def wrong_sum(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The sum over the steps.

    Message: This is the sum over the steps
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).sum()
    value_loss = 0.5 * ((target.detach() - value) ** 2).sum()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.sum()


def wrong_sum_over_time(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Summed over time, averaged over environments, as in REINFORCE.

    Message: This is the sum over the steps
    """
    advantage = (target - value).detach()
    loss = -advantage * log_prob + 0.5 * value_coef * (target.detach() - value) ** 2
    loss = loss - entropy_coef * entropy
    return loss.sum(0).mean()


def wrong_value_error_summed(
    log_prob, entropy, value, target, value_coef, entropy_coef
):
    """The squared error is summed, the others averaged.

    Message: The squared error is summed: take its mean
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).sum()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_weight_is_target(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The log-density is weighted by the return, as without a baseline.

    Message: The weight is the advantage y - V, not the target
    """
    policy_loss = -(target.detach() * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_advantage_not_detached(
    log_prob, entropy, value, target, value_coef, entropy_coef
):
    """The target is a constant, the advantage is not.

    Message: through the policy's term: was the advantage detached?
    """
    error = target.detach() - value
    policy_loss = -(error * log_prob).mean()
    value_loss = 0.5 * error.square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_nothing_detached(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Nothing is detached.

    Message: through the policy's term: was the advantage detached?
    """
    error = target - value
    policy_loss = -(error * log_prob).mean()
    value_loss = 0.5 * error.square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_target_not_detached(
    log_prob, entropy, value, target, value_coef, entropy_coef
):
    """The advantage is a constant, the target is not.

    Message: The gradient reaches the target: was it detached?
    """
    error = target - value
    policy_loss = -(error.detach() * log_prob).mean()
    value_loss = 0.5 * error.square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_value_detached_in_weight(
    log_prob, entropy, value, target, value_coef, entropy_coef
):
    """In the weight only the value is detached.

    Message: The gradient reaches the target: was it detached?
    """
    policy_loss = -((target - value.detach()) * log_prob).mean()
    value_loss = 0.5 * (target.detach() - value).square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_value_detached(log_prob, entropy, value, target, value_coef, entropy_coef):
    """One detached error in both terms.

    Message: No gradient reaches the value: the critic cannot learn
    """
    error = (target - value).detach()
    policy_loss = -(error * log_prob).mean()
    value_loss = 0.5 * error.square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_value_error_detached_wrong_side(
    log_prob, entropy, value, target, value_coef, entropy_coef
):
    """In the squared error the value is detached instead of the target.

    Message: No gradient reaches the value: the critic cannot learn
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * (target - value.detach()).square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_log_prob_detached(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The whole product of the policy's term is detached.

    Message: No gradient reaches log_prob
    """
    policy_loss = -((target - value) * log_prob).detach().mean()
    value_loss = 0.5 * (target.detach() - value).square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_entropy_item(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The mean entropy as a Python number.

    Message: No gradient reaches the entropy
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean().item()


def wrong_no_grad(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Everything under `no_grad`.

    Message: The loss carries no gradient
    """
    with torch.no_grad():
        error = target - value
        policy_loss = -(error * log_prob).mean()
        value_loss = 0.5 * error.square().mean()
        return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_normalised(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Normalised advantages, as many published programs have them.

    Message: Compare each term with the table
    """
    advantage = (target - value).detach()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_smooth_l1(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Another error than the square.

    Message: Compare each term with the table
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = nn.functional.smooth_l1_loss(value, target.detach())
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_product_of_means(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The mean of a product as a product of means.

    Message: Compare each term with the table
    """
    advantage = (target - value).detach()
    policy_loss = -advantage.mean() * log_prob.mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_square_of_mean(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The square of the mean error.

    Message: Compare each term with the table
    """
    error = target.detach() - value
    policy_loss = -(error.detach() * log_prob).mean()
    value_loss = 0.5 * error.mean() ** 2
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_table_of_differences(
    log_prob, entropy, value, target, value_coef, entropy_coef
):
    """A trailing axis on one side: all targets against all values.

    Message: Each value has its own target
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    error = target.detach().unsqueeze(-1) - value.unsqueeze(-2)
    value_loss = 0.5 * error.square().mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def wrong_three_losses(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Returns the three terms.

    Message: Return one tensor
    """
    advantage = (target - value).detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = value_coef * 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss, value_loss, -entropy_coef * entropy.mean()


def wrong_no_mean(log_prob, entropy, value, target, value_coef, entropy_coef):
    """A loss for each step.

    Message: A loss is one number
    """
    advantage = (target - value).detach()
    value_loss = 0.5 * (target.detach() - value) ** 2
    return -advantage * log_prob + value_coef * value_loss - entropy_coef * entropy


def wrong_in_place(log_prob, entropy, value, target, value_coef, entropy_coef):
    """`detach` is taken for a copy: the advantage is written over the target.

    Message: target was changed in place
    """
    advantage = target.detach()
    advantage -= value.detach()
    policy_loss = -(advantage * log_prob).mean()
    value_loss = 0.5 * ((target.detach() - value) ** 2).mean()
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def correct_no_grad_weight(log_prob, entropy, value, target, value_coef, entropy_coef):
    """The weights under `no_grad`, `mse_loss` for the square."""
    with torch.no_grad():
        advantage = target - value
    policy_loss = -torch.mean(advantage * log_prob)
    value_loss = nn.functional.mse_loss(value, target.detach()) / 2
    return policy_loss + value_coef * value_loss - entropy_coef * entropy.mean()


def correct_one_mean(log_prob, entropy, value, target, value_coef, entropy_coef):
    """One mean over the sum of the terms, with output left from debugging."""
    error = value - target.detach()
    print("mean error", error.mean().item())
    per_step = error.detach() * log_prob
    per_step = per_step + value_coef * error * error / 2 - entropy_coef * entropy
    return per_step.mean()


def correct_loop(log_prob, entropy, value, target, value_coef, entropy_coef):
    """A loop over the steps with plain numbers as weights."""
    loss = torch.zeros((), dtype=value.dtype)
    n = value.numel()
    columns = [x.flatten() for x in (log_prob, entropy, value, target)]
    for p, h, v, y in zip(*columns):
        y = y.item()
        loss = loss - (y - v.item()) * p / n
        loss = loss + value_coef * 0.5 * (v - y) ** 2 / n - entropy_coef * h / n
    return loss


def correct_surrogate(log_prob, entropy, value, target, value_coef, entropy_coef):
    """Dot products of flat tensors."""
    y, v = target.detach().reshape(-1), value.reshape(-1)
    weight = (y - v).data
    total = -weight @ log_prob.reshape(-1) + 0.5 * value_coef * (y - v) @ (y - v)
    return (total - entropy_coef * entropy.sum()) / len(y)


def correct_class(log_prob, entropy, value, target, value_coef, entropy_coef):
    """A module of its own for the critic's error, and in-place sums."""

    class HalfSquare(nn.Module):
        def forward(self, value, target):
            return nn.MSELoss(reduction="mean")(value, target).mul(0.5)

    total = entropy.mean().mul(-entropy_coef)
    total += HalfSquare()(value, target.clone().detach()).mul(value_coef)
    total -= torch.mul(target.detach() - value.detach(), log_prob).mean()
    return total
