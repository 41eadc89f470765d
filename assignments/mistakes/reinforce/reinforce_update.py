"""Solutions of `reinforce_update` as students write them."""

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from chula_rl.types import Episode


def wrong_no_zero_grad(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Gradients are never cleared.

    Message: old gradients are still there: zero_grad() comes before backward()
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_policy_zero_grad(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Only the baseline's gradients are cleared.

    Message: the policy's old gradients are still there
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_baseline_after_step(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The baseline is trained first, then used.

    Message: the baseline is taken after its own step
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()

    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()
    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()


def wrong_not_clipped(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The gradients are not clipped.

    Message: the gradients are not clipped
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()


def wrong_clip_after_step(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The policy's gradient is clipped when the step is done.

    Message: the policy's gradients are not clipped before its step
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    policy_optimizer.step()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_no_entropy(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The entropy bonus is forgotten.

    Message: the entropy bonus is missing
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_entropy_sign(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The entropy is added to the loss, so it is punished.

    Message: the sign of the entropy
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss + config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_always_gamma_t(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The option for gamma**t is ignored.

    Message: gamma**t is always there
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    loss = reinforce_loss(
        log_prob, return_, baseline, timestep, len(episodes), config.gamma
    )
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_never_gamma_t(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """gamma**t is always left out.

    Message: gamma**t is always left out
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), 1.0)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_joined_episodes(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The returns are computed over all rewards in one row.

    Message: the returns run on into the next episode
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = rewards_to_go(torch.cat([e.reward for e in episodes]), config.gamma)
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_joined_time(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """t counts the steps of the whole batch.

    Message: t counts on from one episode to the next
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.arange(len(obs))
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_number_of_steps(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The number of steps goes in as the number of episodes.

    Message: num_episodes is the number of episodes
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(obs), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_full_square(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The value error is the mean square, without the half.

    Message: the half is missing
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_no_baseline(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The baseline is trained and not used.

    Message: the baseline is not subtracted
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        pass

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_needs_baseline(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Assumes that there always is a value function.

    Message: it stops with TypeError. (Case: no baseline.)
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_normalised(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Normalised advantages, as many published programs have them.

    Message: the advantages are normalised
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()
    advantage = return_ - baseline
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(
        log_prob, advantage, torch.zeros(len(obs)), timestep, len(episodes), gamma
    )
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_no_step(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The optimiser's step is forgotten.

    Message: the policy is left as it was
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_shifts_rewards(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Rewards of the episodes are changed in place.

    Message: it changes one of its arguments
    """
    for episode in episodes:
        episode.reward.mul_(1.01)
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_value_zero_grad(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The policy's gradients are cleared, the baseline's are not.

    Message: the baseline's old gradients are still there
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_cleared_at_the_end(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Gradients are cleared after each step, for the next update.

    Message: the gradients are cleared at the end
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()
    policy_optimizer.zero_grad()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()
        value_optimizer.zero_grad()


def wrong_cleared_before_step(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Gradients are cleared just before the step, after they were computed.

    Message: neither network changes
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.zero_grad()
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.zero_grad()
        value_optimizer.step()


def wrong_no_value_step(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The baseline is used and never trained.

    Message: the baseline is never trained
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()


def wrong_policy_steps_for_the_baseline(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The lines for the baseline are copied, and still have the policy's optimiser.

    Message: the policy takes the baseline's step as well
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        policy_optimizer.step()


def wrong_sign(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
    """One more minus, for the loss already has its own.

    Message: the sign: the policy moves away from good actions
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = -reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_no_mean_of_value_error(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The squared errors of the baseline are summed.

    Message: the value error is summed over the steps
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).sum()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_every_value_every_return(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The values are a column and the returns a row.

    Message: each value meets each return
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs).unsqueeze(1) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_value_of_rewards(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The baseline is fitted to the rewards.

    Message: the baseline is fitted to the rewards
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        reward = torch.cat([e.reward for e in episodes])
        value_loss = 0.5 * ((value_fn(obs) - reward) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_weighted_value_error(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The error of the baseline has the factor gamma**t too.

    Message: value_fn after one update is not what the equation gives
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        error = gamma**timestep * (value_fn(obs) - return_) ** 2
        value_loss = 0.5 * error.mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_huber(policy, value_fn, policy_optimizer, value_optimizer, episodes, config):
    """A robust loss for the baseline.

    Message: the value error is the square
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = nn.functional.smooth_l1_loss(value_fn(obs), return_)
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_several_value_steps(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Ten steps of the baseline, so that it is fitted well.

    Message: value_fn after one update is not what the equation gives
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        for _ in range(10):
            value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
            value_optimizer.zero_grad()
            value_loss.backward()
            clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
            value_optimizer.step()


def wrong_value_error_detached(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The detached baseline is used for its own error.

    Message: it stops with RuntimeError. (Case: a learned baseline.)
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((baseline - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_no_grad(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The policy is evaluated without gradients.

    Message: the policy is left as it was
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    with torch.no_grad():
        mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_leaks_into_the_baseline(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """One loss, in which the values of the policy part are not detached.

    Message: the policy's loss moves the baseline
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    value = torch.zeros_like(return_) if value_fn is None else value_fn(obs)
    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = -(gamma**timestep * (return_ - value) * log_prob).sum() / len(episodes)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    if value_fn is not None:
        loss = loss + 0.5 * (value - return_).square().mean()
        value_optimizer.zero_grad()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()
    if value_fn is not None:
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_clipped_together(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """One norm for the gradients of both networks.

    Message: both networks are clipped together
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    value = torch.zeros_like(return_) if value_fn is None else value_fn(obs)
    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    baseline = value.detach()
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    parameters = list(policy.parameters())
    policy_optimizer.zero_grad()
    if value_fn is not None:
        parameters += list(value_fn.parameters())
        value_optimizer.zero_grad()
        loss = loss + 0.5 * (value - return_).square().mean()
    loss.backward()
    clip_grad_norm_(parameters, config.max_grad_norm)
    policy_optimizer.step()
    if value_fn is not None:
        value_optimizer.step()


def wrong_each_parameter_clipped(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The norm of each parameter is clipped by itself.

    Message: each parameter is clipped by itself
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    for parameter in policy.parameters():
        clip_grad_norm_(parameter, config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        for parameter in value_fn.parameters():
            clip_grad_norm_(parameter, config.max_grad_norm)
        value_optimizer.step()


def wrong_numbers_clipped(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Each number of the gradients is clipped.

    Message: each number of the gradients is cut off
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        nn.utils.clip_grad_value_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_baseline_not_clipped(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Only the policy's gradients are clipped.

    Message: the baseline's gradients are not clipped
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()


def wrong_clipped_before_backward(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The gradients are clipped before they are computed.

    Message: the gradients are not clipped
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    loss.backward()
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_loss.backward()
        value_optimizer.step()


def wrong_entropy_summed(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The entropy is summed over the steps.

    Message: the entropy is summed over the steps
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).sum()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_own_entropy_coef(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The weight of the entropy is 0.01, as in the paper.

    Message: the weight of the entropy is config.entropy_coef
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - 0.01 * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_returns_lose_their_discount(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Without gamma**t the returns are not discounted either.

    Message: discount the returns
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    gamma = config.gamma if config.discount_state_distribution else 1.0
    return_ = torch.cat([rewards_to_go(e.reward, gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_flag_inverted(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The flag is taken for its opposite.

    Message: when discount_state_distribution is true
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = 1.0 if config.discount_state_distribution else config.gamma
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_gamma_t_twice(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The factor multiplies returns and baseline, and comes again in the loss.

    Message: gamma**t is there twice
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    discount = gamma**timestep
    loss = reinforce_loss(
        log_prob,
        discount * return_,
        discount * baseline,
        timestep,
        len(episodes),
        gamma,
    )
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_time_from_one(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Steps are counted from 1.

    Message: t starts at 0, not at 1
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) + 1 for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_a_step_for_each_episode(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Each episode is an update of its own.

    Message: it takes a step for each episode
    """
    for episode in episodes:
        return_ = rewards_to_go(episode.reward, config.gamma)
        timestep = torch.arange(len(return_))
        value = torch.zeros(len(return_))
        if value_fn is not None:
            value = value_fn(episode.obs)
        mean, log_std = policy(episode.obs)
        log_prob = gaussian_log_prob(mean, log_std, episode.action)
        gamma = config.gamma if config.discount_state_distribution else 1.0
        loss = reinforce_loss(log_prob, return_, value.detach(), timestep, 1, gamma)
        loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
        policy_optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(policy.parameters(), config.max_grad_norm)
        policy_optimizer.step()
        if value_fn is not None:
            value_loss = 0.5 * ((value - return_) ** 2).mean()
            value_optimizer.zero_grad()
            value_loss.backward()
            clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
            value_optimizer.step()


def wrong_first_episode(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Only the first episode is used.

    Message: only the first episode counts
    """
    episodes = episodes[:1]
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_mean_return_as_baseline(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Without a value function the mean return is the baseline.

    Message: without value_fn the baseline is zero
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = return_.mean() * torch.ones(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_only_terminated_episodes(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Truncated episodes are left out: their returns are not complete.

    Message: truncated episodes are left out
    """
    episodes = [e for e in episodes if e.terminated]
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_bootstraps(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The value of the last observation follows a truncated episode.

    Message: a value is added at the end of truncated episodes
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    returns = []
    for e in episodes:
        reward = e.reward.clone()
        if e.truncated and value_fn is not None:
            reward[-1] += config.gamma * value_fn(e.obs)[-1].detach()
        returns.append(rewards_to_go(reward, config.gamma))
    return_ = torch.cat(returns)
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_scores_the_clipped_action(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The action that was played is scored.

    Message: the clipped action is scored
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action.clamp(-1, 1))
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_log_std_detached(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Sigma is taken for a setting.

    Message: log_std is never trained
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std.detach(), action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_normalised_returns(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Returns with mean 0 and deviation 1, for policy and baseline.

    Message: the returns are normalised
    """
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    return_ = (return_ - return_.mean()) / (return_.std() + 1e-8)
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_double_precision(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Observations are made 64-bit floats, whatever the network has.

    Message: it stops with RuntimeError. (Case: 32-bit floats.)
    """
    obs = torch.cat([episode.obs for episode in episodes]).double()
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_scales_observations(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Observations are scaled in place.

    Message: it changes one of its arguments
    """
    for episode in episodes:
        episode.obs.div_(10.0)
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def wrong_drops_last_steps(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The last step of each episode is left out, for it has no next state.

    Message: policy after one update
    """
    episodes = [
        Episode(e.obs[:-1], e.action[:-1], e.reward[:-1], e.terminated, e.truncated)
        for e in episodes
    ]
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def correct_separate_losses(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Episode by episode, gradients added up before the step."""
    gamma = config.gamma if config.discount_state_distribution else 1.0
    num_steps = sum(len(e.reward) for e in episodes)
    policy_optimizer.zero_grad()
    if value_fn is not None:
        value_optimizer.zero_grad()
    for e in episodes:
        steps = torch.arange(len(e.reward))
        return_ = rewards_to_go(e.reward, config.gamma)
        value = torch.zeros_like(return_) if value_fn is None else value_fn(e.obs)
        mean, log_std = policy(e.obs)
        log_prob = gaussian_log_prob(mean, log_std, e.action)
        loss = reinforce_loss(
            log_prob, return_, value.detach(), steps, len(episodes), gamma
        )
        bonus = config.entropy_coef * gaussian_entropy(log_std).sum() / num_steps
        (loss - bonus).backward()
        if value_fn is not None:
            (0.5 * (value - return_).square().sum() / num_steps).backward()
    networks = [(policy, policy_optimizer), (value_fn, value_optimizer)]
    for network, optimizer in networks:
        if network is not None:
            clip_grad_norm_(network.parameters(), config.max_grad_norm)
            optimizer.step()


def correct_one_backward(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """One backward through the sum of both losses, with a helper and output."""

    def step(network, optimizer):
        clip_grad_norm_(network.parameters(), config.max_grad_norm)
        optimizer.step()

    obs, action, rewards, _, _ = zip(*episodes)
    obs, action = torch.cat(obs), torch.cat(action)
    return_ = torch.cat([rewards_to_go(r, config.gamma) for r in rewards])
    timestep = torch.cat([torch.arange(len(r)) for r in rewards])
    value = value_fn(obs) if value_fn else 0 * return_
    mean, log_std = policy(obs)
    loss = reinforce_loss(
        gaussian_log_prob(mean, log_std, action),
        return_,
        value,
        timestep,
        len(episodes),
        config.gamma if config.discount_state_distribution else 1,
    )
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    print("loss", loss.item())
    policy.zero_grad()
    if value_fn:
        value_fn.zero_grad()
        loss = loss + nn.functional.mse_loss(value, return_) / 2
    loss.backward()
    step(policy, policy_optimizer)
    if value_fn:
        step(value_fn, value_optimizer)
    return {"loss": loss.item()}


def correct_plain(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The steps of the text, one after the other, with a value pass of its own."""
    obs = torch.cat([episode.obs for episode in episodes])
    action = torch.cat([episode.action for episode in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    baseline = torch.zeros(len(obs))
    if value_fn is not None:
        baseline = value_fn(obs).detach()

    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    loss = loss - config.entropy_coef * gaussian_entropy(log_std).mean()
    policy_optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()

    if value_fn is not None:
        value_loss = 0.5 * ((value_fn(obs) - return_) ** 2).mean()
        value_optimizer.zero_grad()
        value_loss.backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()


def correct_value_first(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """The baseline is evaluated, then trained; the policy comes last."""
    obs = torch.cat([e.obs for e in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    baseline = torch.zeros_like(return_)
    if value_fn is not None:
        value = value_fn(obs)
        baseline = value.detach().clone()
        value_optimizer.zero_grad(set_to_none=False)
        nn.functional.mse_loss(value, return_).mul(0.5).backward()
        clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()
    mean, log_std = policy(obs)
    action = torch.cat([e.action for e in episodes])
    log_prob = gaussian_log_prob(mean, log_std, action)
    timestep = torch.tensor([t for e in episodes for t in range(len(e.reward))])
    gamma = config.gamma if config.discount_state_distribution else 1
    loss = reinforce_loss(log_prob, return_, baseline, timestep, len(episodes), gamma)
    policy_optimizer.zero_grad(set_to_none=False)
    (loss - config.entropy_coef * gaussian_entropy(log_std).mean()).backward()
    clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()


def correct_own_gradients(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """`torch.autograd.grad`, and the clipping by hand."""

    def step(network, optimizer, loss):
        parameters = list(network.parameters())
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        gradients = [
            torch.zeros_like(p) if g is None else g
            for p, g in zip(parameters, gradients)
        ]
        norm = sum((g**2).sum() for g in gradients) ** 0.5
        scale = min(1.0, config.max_grad_norm / (float(norm) + 1e-12))
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = scale * gradient
        optimizer.step()

    obs = torch.cat([e.obs for e in episodes])
    action = torch.cat([e.action for e in episodes])
    return_ = torch.cat([rewards_to_go(e.reward, config.gamma) for e in episodes])
    timestep = torch.cat([torch.arange(len(e.reward)) for e in episodes])
    value = value_fn(obs) if value_fn is not None else torch.zeros(len(obs))
    mean, log_std = policy(obs)
    log_prob = gaussian_log_prob(mean, log_std, action)
    gamma = config.gamma if config.discount_state_distribution else 1.0
    loss = reinforce_loss(
        log_prob, return_, value.detach(), timestep, len(episodes), gamma
    )
    entropy = gaussian_entropy(log_std).mean()
    step(policy, policy_optimizer, loss - config.entropy_coef * entropy)
    if value_fn is not None:
        step(value_fn, value_optimizer, (value - return_).pow(2).mean() / 2)


def correct_without_helpers(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """All in one function, with the distributions of torch."""
    from tqdm import tqdm

    num_steps = sum(len(e.reward) for e in episodes)
    policy_loss, value_loss = 0.0, 0.0
    for e in tqdm(episodes):
        following, returns = 0.0, []
        for r in reversed(e.reward.tolist()):
            following = r + config.gamma * following
            returns.insert(0, following)
        return_ = torch.tensor(returns, dtype=e.reward.dtype)
        mean, log_std = policy(e.obs)
        normal = torch.distributions.Normal(mean, log_std.exp())
        advantage = return_
        if value_fn is not None:
            value = value_fn(e.obs)
            value_loss = value_loss + (value - return_).square().sum() / (2 * num_steps)
            advantage = return_ - value.detach()
        if config.discount_state_distribution:
            advantage = advantage * config.gamma ** torch.arange(len(return_))
        score = (advantage * normal.log_prob(e.action).sum(-1)).sum()
        bonus = config.entropy_coef * normal.entropy().sum() / num_steps
        policy_loss = policy_loss - score / len(episodes) - bonus
    policy_optimizer.zero_grad()
    policy_loss.backward()
    nn.utils.clip_grad_norm_(policy.parameters(), config.max_grad_norm)
    policy_optimizer.step()
    if value_fn is not None:
        value_optimizer.zero_grad()
        value_loss.backward()
        nn.utils.clip_grad_norm_(value_fn.parameters(), config.max_grad_norm)
        value_optimizer.step()
