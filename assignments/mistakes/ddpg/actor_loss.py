"""Solutions of `actor_loss` as students write them."""

import torch


def wrong_sign(actor, critic, obs):
    """The value is to be made large.

    Message: put a minus in front
    """
    return critic(obs, actor(obs)).mean()


def wrong_sum(actor, critic, obs):
    """The values are summed.

    Message: not the sum
    """
    return -critic(obs, actor(obs)).sum()


def wrong_not_reduced(actor, critic, obs):
    """One loss for each state.

    Message: A scalar tensor
    """
    return -critic(obs, actor(obs))


def wrong_detached_action(actor, critic, obs):
    """The action is a constant for the critic.

    Message: is the action detached?
    """
    return -critic(obs, actor(obs).detach()).mean()


def wrong_action_without_grad(actor, critic, obs):
    """The action is computed within `torch.no_grad()`.

    Message: is the action detached?
    """
    with torch.no_grad():
        action = actor(obs)
    return -critic(obs, action).mean()


def wrong_no_grad(actor, critic, obs):
    """All is computed within `torch.no_grad()`.

    Message: is it cut on the way?
    """
    with torch.no_grad():
        return -critic(obs, actor(obs)).mean()


def wrong_critic_without_grad(actor, critic, obs):
    """The critic is to stay fixed, so it is asked without a gradient.

    Message: is it cut on the way?
    """
    action = actor(obs)
    with torch.no_grad():
        value = critic(obs, action)
    return -value.mean()


def wrong_number(actor, critic, obs):
    """A number of Python's.

    Message: A scalar tensor
    """
    return -critic(obs, actor(obs)).mean().item()


def wrong_fresh_tensor(actor, critic, obs):
    """A new tensor that asks for a gradient.

    Message: is the action detached?
    """
    return torch.tensor(-critic(obs, actor(obs)).mean().item(), requires_grad=True)


def wrong_argument_order(actor, critic, obs):
    """The action comes first.

    Message: the observation comes first
    """
    return -critic(actor(obs), obs).mean()


def wrong_squared(actor, critic, obs):
    """A loss is a square.

    Message: Compare with the table above
    """
    return -(critic(obs, actor(obs)) ** 2).mean()


def wrong_half(actor, critic, obs):
    """The usual factor one half.

    Message: Compare with the table above
    """
    return -0.5 * critic(obs, actor(obs)).mean()


def wrong_best_state(actor, critic, obs):
    """The largest value.

    Message: Compare with the table above
    """
    return -critic(obs, actor(obs)).max()


def wrong_first_state(actor, critic, obs):
    """Only the first state.

    Message: Compare with the table above
    """
    return -critic(obs, actor(obs))[0]


def wrong_score_function(actor, critic, obs):
    """As in REINFORCE, the value is a weight.

    Message: Compare with the table above
    """
    action = actor(obs)
    value = critic(obs, action).detach()
    return -(value * action.sum(-1)).mean()


def wrong_weighted_action(actor, critic, obs):
    """The right number, with the gradient of value times action.

    Message: Compare the gradient for w
    """
    action = actor(obs)
    value = critic(obs, action).detach()
    surrogate = -(value * action.sum(-1)).mean()
    return surrogate - surrogate.detach() - value.mean()


def wrong_clamped(actor, critic, obs):
    """The action is clipped to [-1, 1] to be safe.

    Message: it clips the action to [-1, 1]
    """
    return -critic(obs, actor(obs).clamp(-1, 1)).mean()


def wrong_squashed_twice(actor, critic, obs):
    """A tanh keeps the action within its bounds.

    Message: squashed twice
    """
    return -critic(obs, torch.tanh(actor(obs))).mean()


def wrong_action_penalty(actor, critic, obs):
    """Large actions are punished.

    Message: large actions are punished
    """
    action = actor(obs)
    return -critic(obs, action).mean() + 1e-3 * (action**2).mean()


def wrong_normalised(actor, critic, obs):
    """The values are brought to one size.

    Message: Compare with the table above
    """
    value = critic(obs, actor(obs))
    return -(value / value.abs().mean().detach()).mean()


def wrong_mean_action(actor, critic, obs):
    """One action for all states.

    Message: all states get one action
    """
    action = actor(obs).mean(0, keepdim=True).expand(len(obs), -1)
    return -critic(obs, action).mean()


def wrong_noise(actor, critic, obs):
    """Exploration while learning.

    Message: Compare with the table above
    """
    action = actor(obs)
    noisy = action + 0.2 * torch.randn_like(action)
    return -critic(obs, noisy).mean()


def wrong_median(actor, critic, obs):
    """The median of the values.

    Message: Compare with the table above
    """
    return -critic(obs, actor(obs)).median()


def wrong_slope_only(actor, critic, obs):
    """The slope of the critic times the action: a right gradient, another number.

    Message: Compare with the table above
    """
    action = actor(obs)
    fixed = action.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(obs, fixed).sum(), fixed)
    return -(slope * action).sum(-1).mean()


def wrong_sign_of_slope(actor, critic, obs):
    """Only the direction of the slope counts.

    Message: Compare the gradient for w
    """
    action = actor(obs)
    fixed = action.detach().requires_grad_()
    value = critic(obs, fixed)
    (slope,) = torch.autograd.grad(value.sum(), fixed)
    surrogate = -(slope.sign() * action).sum(-1).mean()
    return surrogate - surrogate.detach() - value.mean().detach()


def wrong_one_dimension(actor, critic, obs):
    """Only the first action dimension carries a gradient.

    Message: (Case: three action dimensions.)
    """
    action = actor(obs)
    mixed = torch.cat([action[:, :1], action[:, 1:].detach()], dim=1)
    return -critic(obs, mixed).mean()


def wrong_moves_actor(actor, critic, obs):
    """The last layer of the actor alone carries a gradient.

    Message: the gradient with respect to the actor's action.0
    """
    layers = list(actor.action)
    with torch.no_grad():
        hidden = obs / actor.obs_scale
        for layer in layers[:-1]:
            hidden = layer(hidden)
    action = actor.centre + actor.half_range * torch.tanh(layers[-1](hidden))
    return -critic(obs, action).mean()


def correct_two_lines(actor, critic, obs):
    """The action has a name."""
    action = actor(obs)
    return -torch.mean(critic(obs, action))


def correct_loop(actor, critic, obs):
    """A loop over the states."""
    total = 0.0
    for n in range(len(obs)):
        state = obs[n : n + 1]
        total = total - critic(state, actor(state)).squeeze()
    return total / len(obs)


def correct_frozen_critic(actor, critic, obs):
    """The critic is frozen for the time being."""
    for parameter in critic.parameters():
        parameter.requires_grad_(False)
    loss = critic(obs, actor(obs)).neg().mean()
    for parameter in critic.parameters():
        parameter.requires_grad_(True)
    return loss


def correct_slope(actor, critic, obs):
    """The chain rule by hand, with the right number added."""
    action = actor(obs)
    fixed = action.detach().requires_grad_()
    value = critic(obs, fixed)
    (slope,) = torch.autograd.grad(value.sum(), fixed)
    surrogate = -(slope * action).sum(-1).mean()
    return surrogate - surrogate.detach() - value.detach().mean()


def correct_keywords(actor, critic, obs):
    """Keyword arguments, and a print."""
    value = critic(obs=obs, action=actor(obs))
    print("mean value", value.mean().item())
    return (-1.0 * value).sum() / value.shape[0]


def correct_helper(actor, critic, obs):
    """A helper function, and the gradient switched on."""

    def value_of(states):
        return critic(states, actor(states))

    with torch.enable_grad():
        return torch.zeros((), dtype=obs.dtype) - value_of(obs).mean()
