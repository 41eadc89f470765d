"""Solutions of `a2c_update` as students write them."""

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from chula_rl.algorithms.a2c import Config
from chula_rl.diagnostics import explained_variance


def wrong_no_zero_grad(policy, value_fn, optimizer, rollout, config):
    """Gradients are never cleared.

    Message: old gradients are still there: zero_grad() before backward()
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_zero_grad_after_backward(policy, value_fn, optimizer, rollout, config):
    """Gradients are cleared between backward and step.

    Message: nothing changes: where are backward() and step()
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    loss.backward()
    optimizer.zero_grad()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_policy_zero_grad(policy, value_fn, optimizer, rollout, config):
    """Only the policy's gradients are cleared.

    Message: the critic's old gradients are still there
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    policy.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_critic_zero_grad(policy, value_fn, optimizer, rollout, config):
    """Only the critic's gradients are cleared.

    Message: the policy's old gradients are still there
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    value_fn.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_zero_grad_at_the_end(policy, value_fn, optimizer, rollout, config):
    """Gradients are cleared after the step, for the next time.

    Message: the networks may come with old ones
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()
    optimizer.zero_grad()


def wrong_no_step(policy, value_fn, optimizer, rollout, config):
    """The optimiser's step is forgotten.

    Message: nothing changes: where are backward() and step()
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)


def wrong_no_backward(policy, value_fn, optimizer, rollout, config):
    """The backward pass is forgotten.

    Message: nothing changes: where are backward() and step()
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_not_clipped(policy, value_fn, optimizer, rollout, config):
    """The gradients are not clipped.

    Message: the gradients are not clipped, or only after the step
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def wrong_clip_after_step(policy, value_fn, optimizer, rollout, config):
    """The gradients are clipped when the step is done.

    Message: the gradients are not clipped, or only after the step
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)


def wrong_clip_before_backward(policy, value_fn, optimizer, rollout, config):
    """The gradients are clipped before there are any.

    Message: the gradients are not clipped, or only after the step
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    loss.backward()
    optimizer.step()


def wrong_clip_apart(policy, value_fn, optimizer, rollout, config):
    """Each network's gradient is clipped by itself.

    Message: each network's gradient is clipped by itself
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
    optimizer.step()


def wrong_clip_policy(policy, value_fn, optimizer, rollout, config):
    """Only the policy's gradient is clipped.

    Message: only the policy's gradient is clipped
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    optimizer.step()


def wrong_clip_first_group(policy, value_fn, optimizer, rollout, config):
    """The parameters are taken from the optimiser's first group.

    Message: only the policy's gradient is clipped
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = optimizer.param_groups[0]["params"]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_clip_critic(policy, value_fn, optimizer, rollout, config):
    """Only the critic's gradient is clipped.

    Message: only the critic's gradient is clipped
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
    optimizer.step()


def wrong_clip_values(policy, value_fn, optimizer, rollout, config):
    """Each number of the gradient is clipped.

    Message: the gradient is clipped number by number
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    torch.nn.utils.clip_grad_value_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_two_steps(policy, value_fn, optimizer, rollout, config):
    """Two losses and two steps, one for each network.

    Message: each network's gradient is clipped by itself
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    with torch.no_grad():
        value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    policy_loss = -(advantage * log_prob).mean() - config.entropy_coef * entropy.mean()
    optimizer.zero_grad()
    policy_loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    optimizer.step()

    error = value_fn(rollout.obs) - (advantage + value)
    optimizer.zero_grad()
    (config.value_coef * 0.5 * error.square().mean()).backward()
    clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
    optimizer.step()


def wrong_target_is_advantage(policy, value_fn, optimizer, rollout, config):
    """The advantage is handed over as the target.

    Message: the critic's target is the advantage plus the value
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, advantage, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_value_without_gradient(policy, value_fn, optimizer, rollout, config):
    """All values under `no_grad`, so that the critic never learns.

    Message: the critic is never trained
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    with torch.no_grad():
        value = value_fn(rollout.obs)
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_value_detached_in_loss(policy, value_fn, optimizer, rollout, config):
    """The value is detached once too often.

    Message: the critic is never trained
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob,
        entropy,
        value.detach(),
        target,
        config.value_coef,
        config.entropy_coef,
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_policy_without_gradient(policy, value_fn, optimizer, rollout, config):
    """The policy's outputs under `no_grad`, so that it never learns.

    Message: the policy is never trained
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    with torch.no_grad():
        mean, log_std = policy(rollout.obs)
        log_prob = gaussian_log_prob(mean, log_std, rollout.action)
        entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_maximises(policy, value_fn, optimizer, rollout, config):
    """The loss is taken for an objective.

    Message: the loss is made larger
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    (-loss).backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_no_entropy(policy, value_fn, optimizer, rollout, config):
    """The entropy bonus is forgotten.

    Message: the entropy bonus is missing
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(log_prob, entropy, value, target, config.value_coef, 0.0)
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_entropy_sign(policy, value_fn, optimizer, rollout, config):
    """The entropy is subtracted twice, so added.

    Message: the sign of the entropy
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, -config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_entropy_of_std(policy, value_fn, optimizer, rollout, config):
    """The given entropy takes a logarithm, and gets the deviation.

    Message: policy after one update is not what the equation gives. (Case: an entropy bonus.)
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std.exp())
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_value_coef_one(policy, value_fn, optimizer, rollout, config):
    """The weight of the value error is forgotten.

    Message: config.value_coef is not used
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(log_prob, entropy, value, target, 1.0, config.entropy_coef)
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_value_coef_default(policy, value_fn, optimizer, rollout, config):
    """The usual weight of the value error, written as a number.

    Message: config.value_coef is not used
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(log_prob, entropy, value, target, 0.5, config.entropy_coef)
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_swapped_coefs(policy, value_fn, optimizer, rollout, config):
    """The two weights are swapped.

    Message: value_coef and entropy_coef are swapped
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.entropy_coef, config.value_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_n_step(policy, value_fn, optimizer, rollout, config):
    """The returns of exercise 2 as targets.

    Message: config.lambda_ is not used: this is lambda = 1
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    target = torch.zeros_like(rollout.reward)
    following = next_value[-1]
    for t in reversed(range(len(target))):
        following = torch.where(rollout.truncated[t], next_value[t], following)
        following = rollout.reward[t] + config.gamma * following * ~terminated[t]
        target[t] = following

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_one_step_target(policy, value_fn, optimizer, rollout, config):
    """The one-step target in place of `gae`.

    Message: config.lambda_ is not used: this is lambda = 0
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    target = rollout.reward + config.gamma * next_value * ~terminated

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_lambda_is_gamma(policy, value_fn, optimizer, rollout, config):
    """Gamma twice.

    Message: the last argument of gae is config.lambda_
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.gamma,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_gamma_and_lambda_swapped(policy, value_fn, optimizer, rollout, config):
    """Gamma and lambda are swapped.

    Message: gamma and lambda are swapped
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.lambda_,
        config.gamma,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_gamma_of_habit(policy, value_fn, optimizer, rollout, config):
    """The usual discount factor, written as a number.

    Message: config.gamma is not used
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        0.99,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_default_config(policy, value_fn, optimizer, rollout, config):
    """The settings are taken from a new `Config()`.

    Message: the settings are those of Config(), not of config
    """
    config = Config()
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_always_bootstraps(policy, value_fn, optimizer, rollout, config):
    """The setting `bootstrap_at_truncation` is overlooked.

    Message: a truncation never counts as a termination
    """
    terminated = rollout.terminated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_never_bootstraps(policy, value_fn, optimizer, rollout, config):
    """Merged flags, whatever the setting.

    Message: a truncation always counts as a termination
    """
    terminated = rollout.terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_setting_inverted(policy, value_fn, optimizer, rollout, config):
    """The setting the wrong way round.

    Message: bootstrap_at_truncation is taken the wrong way round
    """
    terminated = rollout.terminated
    if config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_merges_in_place(policy, value_fn, optimizer, rollout, config):
    """The flags are merged in the rollout itself.

    Message: it changes one of its arguments
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated |= rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_and_for_or(policy, value_fn, optimizer, rollout, config):
    """The merged flag is the `and` of both.

    Message: (Case: truncation counts as termination.)
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated & rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_truncation_dropped(policy, value_fn, optimizer, rollout, config):
    """Without the bootstrap the truncation is no end at all.

    Message: (Case: truncation counts as termination.)
    """
    terminated, truncated = rollout.terminated, rollout.truncated
    if not config.bootstrap_at_truncation:
        truncated = torch.zeros_like(truncated)
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_flags_swapped(policy, value_fn, optimizer, rollout, config):
    """The flags in the wrong order.

    Message: terminated and truncated are swapped.
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        rollout.truncated,
        terminated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_fields_swapped(policy, value_fn, optimizer, rollout, config):
    """The fields of the rollout in the wrong order.

    Message: terminated and truncated are swapped: see the order of the fields
    """
    _, _, reward, truncated, terminated, _ = rollout
    if not config.bootstrap_at_truncation:
        terminated = terminated | truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        reward,
        terminated,
        truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_next_row(policy, value_fn, optimizer, rollout, config):
    """The next row of values, and the successor of the last step only.

    Message: the next row of obs belongs to the next episode
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        last = value_fn(rollout.next_obs[-1:])
    next_value = torch.cat([value[1:].detach(), last])
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_next_row_then_zero(policy, value_fn, optimizer, rollout, config):
    """The next row of values, and nothing after the last.

    Message: zero after the last row
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    next_value = torch.cat([value[1:], torch.zeros_like(value[:1])]).detach()
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_own_obs(policy, value_fn, optimizer, rollout, config):
    """The critic is asked about the same observation twice.

    Message: the next value is that of the successor, not of obs
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_last_successor(policy, value_fn, optimizer, rollout, config):
    """One value after the rollout, for all steps.

    Message: each step has its own successor
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs[-1]).expand_as(value)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_values_swapped(policy, value_fn, optimizer, rollout, config):
    """Value and next value in the wrong order.

    Message: value and next_value are swapped
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        next_value,
        value.detach(),
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_clipped_action(policy, value_fn, optimizer, rollout, config):
    """The action is clipped before it is scored.

    Message: the action is clipped before it is scored
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action.clamp(-1, 1))
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_normalised(policy, value_fn, optimizer, rollout, config):
    """Normalised advantages, as many published programs have them.

    Message: the advantages are normalised, which the text does not ask for
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = -(advantage * log_prob).mean() - config.entropy_coef * entropy.mean()
    loss = loss + config.value_coef * 0.5 * (value - target).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_normalised_target(policy, value_fn, optimizer, rollout, config):
    """The advantages are normalised, and the targets made of them.

    Message: the advantages are normalised, and the targets made of them
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_gamma_t(policy, value_fn, optimizer, rollout, config):
    """The factor gamma**t of REINFORCE, counted in the rollout.

    Message: there is no gamma**t here
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()
    weight = config.gamma ** torch.arange(len(value))[:, None] * advantage

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = -(weight * log_prob).mean() - config.entropy_coef * entropy.mean()
    loss = loss + config.value_coef * 0.5 * (value - target).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_nothing_detached(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, with gradients everywhere.

    Message: the gradient reaches advantage and target: were they detached?
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = -(advantage * log_prob).mean() - config.entropy_coef * entropy.mean()
    loss = loss + config.value_coef * 0.5 * (value - target).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_target_not_detached(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, whose target moves with the critic.

    Message: the gradient reaches the target: was it detached?
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = (
        -(advantage.detach() * log_prob).mean() - config.entropy_coef * entropy.mean()
    )
    loss = loss + config.value_coef * 0.5 * (value - target).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_advantage_not_detached(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, whose advantage is no constant.

    Message: the gradient reaches the critic through the advantage: was it detached?
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = -(advantage * log_prob).mean() - config.entropy_coef * entropy.mean()
    loss = loss + config.value_coef * 0.5 * (value - target.detach()).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_difference_not_detached(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, with target minus value for the advantage.

    Message: the gradient reaches the value through the policy's term
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = (
        -((target.detach() - value) * log_prob).mean()
        - config.entropy_coef * entropy.mean()
    )
    loss = loss + config.value_coef * 0.5 * (value - target.detach()).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_no_half(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, without the one half.

    Message: the one half of the squared error is missing
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = (
        -(advantage.detach() * log_prob).mean() - config.entropy_coef * entropy.mean()
    )
    loss = loss + config.value_coef * (value - target.detach()).square().mean()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_sum(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, summed over the steps.

    Message: the loss is the sum over all steps
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value, next_value = value_fn(rollout.obs), value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value,
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = -(advantage.detach() * log_prob).sum() - config.entropy_coef * entropy.sum()
    loss = loss + config.value_coef * 0.5 * (value - target.detach()).square().sum()
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_order_of_rows(policy, value_fn, optimizer, rollout, config):
    """The targets are flattened environment by environment, the rest step by step.

    Message: is not what the equation gives. (Case:
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    target = target.T.reshape(-1)
    log_prob, entropy, value = log_prob.view(-1), entropy.view(-1), value.view(-1)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_epochs(policy, value_fn, optimizer, rollout, config):
    """Two passes over the same rollout, as in PPO.

    Message: more than one step is taken on the same rollout
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    for _ in range(2):
        value = value_fn(rollout.obs)
        with torch.no_grad():
            next_value = value_fn(rollout.next_obs)
        advantage = gae(
            rollout.reward,
            terminated,
            rollout.truncated,
            value.detach(),
            next_value,
            config.gamma,
            config.lambda_,
        )
        target = advantage + value.detach()
        mean, log_std = policy(rollout.obs)
        log_prob = gaussian_log_prob(mean, log_std, rollout.action)
        entropy = gaussian_entropy(log_std)
        loss = a2c_loss(
            log_prob, entropy, value, target, config.value_coef, config.entropy_coef
        )
        optimizer.zero_grad()
        loss.backward()
        parameters = [*policy.parameters(), *value_fn.parameters()]
        clip_grad_norm_(parameters, config.max_grad_norm)
        optimizer.step()


def wrong_step_for_each_environment(policy, value_fn, optimizer, rollout, config):
    """One step for each environment instead of one for all.

    Message: is not what the equation gives. (Case: one step of several environments.)
    """
    for b in range(rollout.reward.shape[1]):
        obs, action, reward, terminated, truncated, next_obs = (
            x[:, b : b + 1] for x in rollout
        )
        if not config.bootstrap_at_truncation:
            terminated = terminated | truncated
        value = value_fn(obs)
        with torch.no_grad():
            values = value.detach(), value_fn(next_obs)
        advantage = gae(
            reward, terminated, truncated, *values, config.gamma, config.lambda_
        )
        mean, log_std = policy(obs)
        loss = a2c_loss(
            gaussian_log_prob(mean, log_std, action),
            gaussian_entropy(log_std),
            value,
            advantage + value.detach(),
            config.value_coef,
            config.entropy_coef,
        )
        optimizer.zero_grad()
        loss.backward()
        parameters = [*policy.parameters(), *value_fn.parameters()]
        clip_grad_norm_(parameters, config.max_grad_norm)
        optimizer.step()


def wrong_own_optimizer(policy, value_fn, optimizer, rollout, config):
    """A new optimiser in each update.

    Message: is not what the equation gives. (Case:
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer = Adam([*policy.parameters(), *value_fn.parameters()], lr=0.01)
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_rewards_in_place(policy, value_fn, optimizer, rollout, config):
    """The value of a truncated step is added to the rollout's own reward.

    Message: it changes one of its arguments
    """
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    cut = rollout.truncated & ~terminated
    rollout.reward[cut] += config.gamma * next_value[cut]
    terminated = terminated | cut
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def wrong_squeezed(policy, value_fn, optimizer, rollout, config):
    """Axes of length one are squeezed away, of a rollout of one step time itself.

    Message: it stops with IndexError. (Case: one step of one environment.)
    """
    obs, action, reward, terminated, truncated, next_obs = (
        x.squeeze() for x in rollout
    )
    action = rollout.action.view(*reward.shape, -1)
    if not config.bootstrap_at_truncation:
        terminated = terminated | truncated
    value = value_fn(obs)
    with torch.no_grad():
        next_value = value_fn(next_obs)
    flags = terminated, truncated
    values = value.detach(), next_value
    target = gae(reward, *flags, *values, config.gamma, config.lambda_) + values[0]
    mean, log_std = policy(obs)
    loss = a2c_loss(
        gaussian_log_prob(mean, log_std, action),
        gaussian_entropy(log_std),
        value,
        target,
        config.value_coef,
        config.entropy_coef,
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def correct_plain(policy, value_fn, optimizer, rollout, config):
    """The steps of the text, one after the other."""
    terminated = rollout.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | rollout.truncated
    value = value_fn(rollout.obs)
    with torch.no_grad():
        next_value = value_fn(rollout.next_obs)
    advantage = gae(
        rollout.reward,
        terminated,
        rollout.truncated,
        value.detach(),
        next_value,
        config.gamma,
        config.lambda_,
    )
    target = advantage + value.detach()

    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    entropy = gaussian_entropy(log_std)
    loss = a2c_loss(
        log_prob, entropy, value, target, config.value_coef, config.entropy_coef
    )
    optimizer.zero_grad()
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def correct_flat(policy, value_fn, optimizer, rollout, config):
    """The networks see one row of N steps; `gae` sees [T, B]."""
    num_steps, num_envs = rollout.reward.shape
    obs = rollout.obs.reshape(num_steps * num_envs, -1)
    next_obs = rollout.next_obs.reshape(num_steps * num_envs, -1)
    action = rollout.action.reshape(num_steps * num_envs, -1)
    value = value_fn(obs)
    old_value = value.detach().view(num_steps, num_envs)
    next_value = value_fn(next_obs).detach().view(num_steps, num_envs)
    if config.bootstrap_at_truncation:
        terminated = rollout.terminated
    else:
        terminated = torch.logical_or(rollout.terminated, rollout.truncated)
    adv = gae(
        reward=rollout.reward,
        terminated=terminated,
        truncated=rollout.truncated,
        value=old_value,
        next_value=next_value,
        gamma=config.gamma,
        lambda_=config.lambda_,
    )
    mean, log_std = policy(obs)
    loss = a2c_loss(
        log_prob=gaussian_log_prob(mean, log_std, action),
        entropy=gaussian_entropy(log_std),
        value=value,
        target=(adv + old_value).flatten(),
        value_coef=config.value_coef,
        entropy_coef=config.entropy_coef,
    )
    policy.zero_grad()
    value_fn.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(
        [p for group in optimizer.param_groups for p in group["params"]],
        config.max_grad_norm,
    )
    optimizer.step()
    return {"loss": float(loss)}


def correct_own_loss(policy, value_fn, optimizer, rollout, config):
    """A loss of one's own, two backward passes, a norm by hand, and some output."""

    def scale_down(parameters, largest):
        norm = sum(p.grad.square().sum() for p in parameters).sqrt()
        if norm > largest:
            for p in parameters:
                p.grad *= largest / norm
        print("norm", norm.item())

    obs, action, reward, terminated, truncated, next_obs = rollout
    if not config.bootstrap_at_truncation:
        terminated, truncated = terminated | truncated, truncated & False
    with torch.no_grad():
        v, nv = value_fn(obs), value_fn(next_obs)
        advantage = gae(
            reward, terminated, truncated, v, nv, config.gamma, config.lambda_
        )
    optimizer.zero_grad()
    mean, log_std = policy(obs)
    bonus = config.entropy_coef * gaussian_entropy(log_std).mean()
    (-(advantage * gaussian_log_prob(mean, log_std, action)).mean() - bonus).backward()
    critic_loss = nn.functional.mse_loss(value_fn(obs), advantage + v) / 2
    (config.value_coef * critic_loss).backward()
    scale_down([*policy.parameters(), *value_fn.parameters()], config.max_grad_norm)
    optimizer.step()


def correct_values_into_rewards(policy, value_fn, optimizer, rollout, config):
    """The value after a truncation is added to a copy of the reward, then one flag."""
    obs, action, reward, terminated, truncated, next_obs = rollout
    done = terminated | truncated
    value = value_fn(obs)
    next_value = value_fn(next_obs).detach()
    if config.bootstrap_at_truncation:
        left = torch.where(truncated & ~terminated, next_value, 0.0)
        reward = reward + config.gamma * left
    advantage = gae(
        reward, done, done, value.detach(), next_value, config.gamma, config.lambda_
    )
    mean, log_std = policy(obs)
    loss = a2c_loss(
        gaussian_log_prob(mean, log_std, action),
        gaussian_entropy(log_std),
        value,
        (advantage + value).detach(),
        config.value_coef,
        config.entropy_coef,
    )
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()


def correct_next_row_inside(policy, value_fn, optimizer, rollout, config):
    """The next row of values within an episode, the critic again where one ends."""
    ended = rollout.terminated | rollout.truncated
    ended[-1] = True
    value = value_fn(rollout.obs)
    next_value = torch.zeros_like(value)
    with torch.no_grad():
        next_value[:-1] = value[1:]
        next_value[ended] = value_fn(rollout.next_obs[ended])
        terminal = rollout.terminated
        if not config.bootstrap_at_truncation:
            terminal = terminal | rollout.truncated
        settings = config.gamma, config.lambda_
        advantage = gae(
            rollout.reward,
            terminal,
            rollout.truncated,
            value.data,
            next_value,
            *settings,
        )
        target = advantage + value
    mean, log_std = policy(rollout.obs)
    log_prob = gaussian_log_prob(mean, log_std, rollout.action)
    weights = config.value_coef, config.entropy_coef
    loss = a2c_loss(log_prob, gaussian_entropy(log_std), value, target, *weights)
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(
        list(policy.parameters()) + list(value_fn.parameters()), config.max_grad_norm
    )
    optimizer.step()
    return {"explained_variance": explained_variance(value.detach(), target)}


def correct_each_environment(policy, value_fn, optimizer, rollout, config):
    """Environment by environment, gradients added up before one step."""
    num_envs = rollout.reward.shape[1]
    optimizer.zero_grad()
    for b in range(num_envs):
        one = type(rollout)(*(x[:, b : b + 1] for x in rollout))
        terminated = one.terminated
        if not config.bootstrap_at_truncation:
            terminated = terminated | one.truncated
        value, next_value = value_fn(one.obs), value_fn(one.next_obs)
        values = value.detach(), next_value.detach()
        advantage = gae(
            one.reward, terminated, one.truncated, *values, config.gamma, config.lambda_
        )
        mean, log_std = policy(one.obs)
        loss = a2c_loss(
            gaussian_log_prob(mean, log_std, one.action),
            gaussian_entropy(log_std),
            value,
            advantage + values[0],
            config.value_coef,
            config.entropy_coef,
        )
        (loss / num_envs).backward()
    parameters = [*policy.parameters(), *value_fn.parameters()]
    clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()
