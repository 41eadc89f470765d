"""Solutions of `critic_loss` as students write them."""

import torch
import torch.nn.functional as F
from torch import nn


def wrong_half(q, target):
    """The usual factor one half.

    Message: no factor one half
    """
    return 0.5 * (q - target.detach()).pow(2).mean()


def wrong_sum(q, target):
    """The squares are summed.

    Message: not the sum
    """
    return ((q - target.detach()) ** 2).sum()


def wrong_not_reduced(q, target):
    """One loss for each step.

    Message: A scalar tensor
    """
    return (q - target.detach()) ** 2


def wrong_absolute(q, target):
    """The size of the error.

    Message: The errors are squared
    """
    return (q - target.detach()).abs().mean()


def wrong_root(q, target):
    """The root of the mean square.

    Message: Compare with the table above
    """
    return ((q - target.detach()) ** 2).mean().sqrt()


def wrong_huber(q, target):
    """Smooth L1, as in other papers.

    Message: Compare with the table above
    """
    return F.smooth_l1_loss(q, target.detach())


def wrong_square_of_mean(q, target):
    """The mean error, squared.

    Message: Square each error
    """
    return (q - target.detach()).mean() ** 2


def wrong_column(q, target):
    """A column against a row.

    Message: Compare with the table above
    """
    return ((q.unsqueeze(1) - target.detach()) ** 2).mean()


def wrong_attached(q, target):
    """The target is not detached.

    Message: was it detached?
    """
    return F.mse_loss(q, target)


def wrong_detaches_q(q, target):
    """The wrong one is detached.

    Message: No gradient reaches q
    """
    return ((target - q.detach()) ** 2).mean()


def wrong_detaches_both(q, target):
    """Everything is a constant.

    Message: No gradient reaches q
    """
    with torch.no_grad():
        return ((target - q) ** 2).mean()


def wrong_number(q, target):
    """A number of Python's.

    Message: A scalar tensor
    """
    return ((target - q) ** 2).mean().item()


def wrong_fresh_tensor(q, target):
    """A new tensor that asks for a gradient.

    Message: No gradient reaches q
    """
    return torch.tensor(float(((target - q) ** 2).mean()), requires_grad=True)


def wrong_sign(q, target):
    """The loss is to be made large.

    Message: Compare with the table above
    """
    return -((q - target.detach()) ** 2).mean()


def wrong_twice_divided(q, target):
    """The mean, divided by the number of steps.

    Message: Compare with the table above
    """
    return ((q - target.detach()) ** 2).mean() / len(q)


def wrong_unbiased(q, target):
    """Divided by N - 1, as a variance.

    Message: Compare with the table above
    """
    return ((q - target.detach()) ** 2).sum() / max(len(q) - 1, 1)


def wrong_variance(q, target):
    """The variance of the errors.

    Message: Compare with the table above
    """
    return (q - target.detach()).var(correction=0)


def wrong_largest(q, target):
    """The largest error.

    Message: Compare with the table above
    """
    return ((q - target.detach()) ** 2).max()


def wrong_clipped_error(q, target):
    """Errors are clipped to [-1, 1] first.

    Message: Compare with the table above
    """
    return (q - target.detach()).clamp(-1, 1).pow(2).mean()


def wrong_not_squared(q, target):
    """The mean of the errors.

    Message: Compare with the table above
    """
    return (target.detach() - q).mean()


def wrong_large_errors(q, target):
    """Squares of errors beyond ten grow linearly, to be safe.

    Message: (Case: large errors.)
    """
    return F.huber_loss(q, target.detach(), delta=10.0) * 2


def correct_mse(q, target):
    """The function of PyTorch."""
    return F.mse_loss(q, target.detach())


def correct_module(q, target):
    """The module of PyTorch."""
    return nn.MSELoss()(input=q, target=target.detach())


def correct_loop(q, target):
    """A loop over the steps."""
    total = 0.0
    for value, wanted in zip(q, target.detach()):
        total = total + (wanted - value) ** 2
    return total / len(q)


def correct_dot(q, target):
    """A scalar product."""
    error = target.detach() - q
    return torch.dot(error, error) / error.numel()


def correct_copied_target(q, target):
    """The target is copied without its graph."""
    constant = target.clone().detach()
    loss = torch.square(q - constant).sum() / q.shape[0]
    print("critic", loss.item())
    return loss


def correct_no_grad(q, target):
    """The constant is made within `torch.no_grad()`."""
    with torch.no_grad():
        constant = 1.0 * target
    return (q - constant).norm() ** 2 / len(q)
