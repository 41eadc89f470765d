"""Solutions of `soft_update` as students write them."""

import copy

import torch
from torch import nn


def wrong_swapped(target, online, tau):
    """tau is the share that the target keeps.

    Message: tau and 1 - tau are swapped
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.copy_(tau * slow + (1 - tau) * fast)


def wrong_copy(target, online, tau):
    """The target becomes a copy.

    Message: tau has no effect
    """
    target.load_state_dict(online.state_dict())


def wrong_rebinds(target, online, tau):
    """The name of the loop gets a new tensor.

    Message: write into its parameters
    """
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow = (1 - tau) * slow + tau * fast


def wrong_returns_new(target, online, tau):
    """A new network is returned.

    Message: write into its parameters
    """
    result = copy.deepcopy(target)
    with torch.no_grad():
        for new, fast in zip(result.parameters(), online.parameters()):
            new.mul_(1 - tau).add_(tau * fast)
    return result


def wrong_state_dict_copy(target, online, tau):
    """A dictionary of new tensors that is never loaded.

    Message: write into its parameters
    """
    state = target.state_dict()
    for name, fast in online.state_dict().items():
        state[name] = (1 - tau) * state[name] + tau * fast


def wrong_leaf(target, online, tau):
    """In place while gradients are recorded.

    Message: RuntimeError
    """
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.mul_(1 - tau).add_(tau * fast)


def wrong_moves_online(target, online, tau):
    """The networks are taken for one another.

    Message: The online network has to stay
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            fast.copy_((1 - tau) * fast + tau * slow)


def wrong_moves_both(target, online, tau):
    """Each moves towards the other.

    Message: The online network has to stay
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            before = slow.clone()
            slow.lerp_(fast, tau)
            fast.lerp_(before, tau)


def wrong_scales_online(target, online, tau):
    """The share of the online network is computed in its own memory.

    Message: The online network has to stay
    """
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.data.mul_(1 - tau)
        slow.data.add_(fast.data.mul_(tau))


def wrong_weights_only(target, online, tau):
    """Only matrices are moved.

    Message: The biases have to move
    """
    for slow, fast in zip(target.parameters(), online.parameters()):
        if slow.dim() > 1:
            slow.data = (1 - tau) * slow.data + tau * fast.data


def wrong_linear_layers_only(target, online, tau):
    """Linear layers are moved, normalised ones are forgotten.

    Message: (Case: a critic with normalised layers.)
    """
    for slow, fast in zip(target.modules(), online.modules()):
        if isinstance(slow, nn.Linear):
            slow.weight.data.lerp_(fast.weight.data, tau)
            slow.bias.data.lerp_(fast.bias.data, tau)


def wrong_first_parameter(target, online, tau):
    """The function returns within the loop.

    Message: The biases have to move
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.copy_((1 - tau) * slow + tau * fast)
            return target


def wrong_all_but_last(target, online, tau):
    """The last parameter is left out.

    Message: The biases have to move
    """
    pairs = list(zip(target.parameters(), online.parameters()))
    for slow, fast in pairs[:-1]:
        slow.data.copy_((1 - tau) * slow.data + tau * fast.data)


def wrong_last_layer(target, online, tau):
    """Only the last layer follows.

    Message: the first layer stays behind
    """
    pairs = list(zip(target.parameters(), online.parameters()))
    with torch.no_grad():
        for slow, fast in pairs[2:] if len(pairs) > 2 else pairs:
            slow.copy_((1 - tau) * slow + tau * fast)


def wrong_own_share_missing(target, online, tau):
    """The target is not scaled.

    Message: Compare with the table above
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.add_(tau * fast)


def wrong_target_share_missing(target, online, tau):
    """Only the online network counts.

    Message: Compare with the table above
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.copy_(tau * fast)


def wrong_online_share_missing(target, online, tau):
    """Only the target counts.

    Message: Compare with the table above
    """
    with torch.no_grad():
        for slow in target.parameters():
            slow.mul_(1 - tau)


def wrong_sign(target, online, tau):
    """A step along target minus online.

    Message: Compare with the table above
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow += tau * (slow - fast)


def wrong_mean(target, online, tau):
    """The mean of the two.

    Message: Compare with the table above
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.copy_((slow + fast) / 2)


def wrong_gradients(target, online, tau):
    """The gradients are mixed.

    Message: write into its parameters
    """
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.grad = tau * fast.detach() - tau * slow.detach()


def wrong_fixed_tau(target, online, tau=0.005):
    """tau is the one of the paper.

    Message: Compare with the table above
    """
    tau = 0.005
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.data.copy_((1 - tau) * slow.data + tau * fast.data)


def wrong_after_scaling(target, online, tau):
    """The target is scaled first, and then moved from there.

    Message: Compare with the table above
    """
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.mul_(1 - tau)
            slow.add_(tau * (fast - slow))


def wrong_no_jump(target, online, tau):
    """tau = 1 would be a mistake, so it is ignored.

    Message: With tau = 1 it is a copy
    """
    if tau >= 1:
        return
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.lerp_(fast, tau)


def correct_data(target, online, tau):
    """The usual loop over `.data`."""
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.data.copy_((1.0 - tau) * slow.data + tau * fast.data)


@torch.no_grad()
def correct_lerp(target, online, tau):
    """With `lerp_`, and a decorator."""
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.lerp_(fast, tau)


def correct_mul_add(target, online, tau):
    """In place in two operations."""
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.mul_(1 - tau).add_(fast, alpha=tau)
    return target


def correct_state_dict(target, online, tau):
    """With dictionaries."""
    new, fast = target.state_dict(), online.state_dict()
    for key in new:
        new[key] = (1 - tau) * new[key] + tau * fast[key]
    target.load_state_dict(new)


def correct_new_data(target, online, tau):
    """New memory for each parameter."""
    for slow, fast in zip(target.parameters(), online.parameters()):
        slow.data = tau * fast.data.clone() + (1 - tau) * slow.data


def correct_named(target, online, tau):
    """By name, and towards the online network."""
    partners = dict(online.named_parameters())
    with torch.no_grad():
        for name, parameter in target.named_parameters():
            parameter += tau * (partners[name] - parameter)


def correct_recursive(target, online, tau):
    """Module by module."""
    for (name, slow), fast in zip(target.named_children(), online.children()):
        soft_update(slow, fast, tau)
    with torch.no_grad():
        for slow, fast in zip(
            target.parameters(recurse=False), online.parameters(recurse=False)
        ):
            slow.copy_(slow * (1 - tau) + fast * tau)


def correct_vector(target, online, tau):
    """All parameters in one vector."""
    from torch.nn.utils import parameters_to_vector, vector_to_parameters

    slow = parameters_to_vector(target.parameters()).detach()
    fast = parameters_to_vector(online.parameters()).detach()
    vector_to_parameters((1 - tau) * slow + tau * fast, target.parameters())
