"""Solutions of `reinforce_update` as students write them."""

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


def wrong_no_zero_grad(
    policy, value_fn, policy_optimizer, value_optimizer, episodes, config
):
    """Gradients are never cleared.

    Message: old gradients are still there in the second update: zero_grad()
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

    Message: policy after one update is not what the equation gives. (Case: clipped gradients.)
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
