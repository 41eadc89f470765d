"""Solutions of `ddpg_update` as students write them."""

import copy

import torch
import torch.nn.functional as F
from torch import nn


def wrong_no_zero_grad(agent, batch, config):
    """Gradients are never cleared.

    Message: old gradients are still there: zero_grad() comes before backward()
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_critic_no_zero_grad(agent, batch, config):
    """Only the actor's gradients are cleared.

    Message: the critic's old gradients are still there
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_no_zero_grad(agent, batch, config):
    """Only the critic's gradients are cleared.

    Message: the actor's old gradients are still there
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_clears_critic_twice(agent, batch, config):
    """The critic's gradients are cleared before both steps, the actor's never.

    Message: the actor's old gradients are still there
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.critic_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_critic_cleared_after(agent, batch, config):
    """The critic's gradients are cleared after its step.

    Message: the actor's loss leaves a gradient in the critic, and the next update adds it
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.step()
    agent.critic_optimizer.zero_grad()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_both_cleared_after(agent, batch, config):
    """Gradients are cleared after each step.

    Message: both are cleared after their steps
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.step()
    agent.critic_optimizer.zero_grad()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    loss.backward()
    agent.actor_optimizer.step()
    agent.actor_optimizer.zero_grad()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_cleared_after(agent, batch, config):
    """The actor's gradients are cleared after its step.

    Message: the actor's gradients are cleared after its step
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    loss.backward()
    agent.actor_optimizer.step()
    agent.actor_optimizer.zero_grad()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_cleared_at_the_end(agent, batch, config):
    """All gradients are cleared at the end.

    Message: gradients are cleared after the steps; old ones may be there before
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    agent.critic_optimizer.zero_grad()
    agent.actor_optimizer.zero_grad()
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_cleared_before_the_step(agent, batch, config):
    """The critic's gradients are cleared between `backward()` and `step()`.

    Message: the critic is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.zero_grad()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_no_critic_step(agent, batch, config):
    """The critic's optimiser makes no step.

    Message: the critic is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_no_actor_step(agent, batch, config):
    """The actor's optimiser makes no step.

    Message: the actor is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_no_steps(agent, batch, config):
    """Only the copies follow.

    Message: actor and critic are left as they were
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_on_a_copy(agent, batch, config):
    """The update works on a copy of the agent.

    Message: nothing changes
    """
    agent = copy.deepcopy(agent)
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_first(agent, batch, config):
    """The actor makes its step before the critic.

    Message: the actor's step comes after the critic's
    """
    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_joint_loss(agent, batch, config):
    """The two losses are added, for one backward pass.

    Message: one loss for both
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.critic_optimizer.zero_grad()
    agent.actor_optimizer.zero_grad()
    (q_loss + loss).backward()
    agent.critic_optimizer.step()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_both_backward_first(agent, batch, config):
    """Both backward passes come before both steps.

    Message: one loss for both
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.critic_optimizer.zero_grad()
    agent.actor_optimizer.zero_grad()
    q_loss.backward()
    loss.backward()
    agent.critic_optimizer.step()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_old_graph(agent, batch, config):
    """The actor's loss is computed before the critic's step, its gradient after.

    Message: it stops with RuntimeError
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_critic_follows_actor(agent, batch, config):
    """The critic's optimiser steps again, on the actor's loss.

    Message: the critic makes a second step
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    agent.critic_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()
    agent.critic_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_all_step_twice(agent, batch, config):
    """Both optimisers step after each backward pass.

    Message: the critic makes a second step
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()
    agent.critic_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_optimizers_swapped(agent, batch, config):
    """Each loss has the optimiser of the other network.

    Message: the optimisers are swapped
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.actor_optimizer.zero_grad()
    q_loss.backward()
    agent.actor_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.critic_optimizer.zero_grad()
    loss.backward()
    agent.critic_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_sign(agent, batch, config):
    """The actor's loss gets a second minus.

    Message: the sign: the actor moves away from good actions
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = -actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_asks_target_critic(agent, batch, config):
    """The actor follows the slow critic.

    Message: the actor's loss asks the target critic
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.target_critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_at_next_obs(agent, batch, config):
    """The actor is improved at the next observations.

    Message: the actor's loss is taken at next_obs
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.next_obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_with_stored_action(agent, batch, config):
    """The actor's loss is the value of the stored actions.

    Message: the actor is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = -agent.critic(batch.obs, batch.action).mean()
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_actor_detached(agent, batch, config):
    """The actor's action is computed without a gradient.

    Message: the actor is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    with torch.no_grad():
        action = agent.actor(batch.obs)
    loss = -agent.critic(batch.obs, action).mean()
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_target_actor_in_the_loss(agent, batch, config):
    """The slow actor is to be improved.

    Message: the actor is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.target_actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_online_critic(agent, batch, config):
    """The trained critic gives the target.

    Message: the target comes from the trained critic
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_online_actor(agent, batch, config):
    """The trained actor gives the next action.

    Message: the next action comes from the trained actor
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_online_networks(agent, batch, config):
    """No slow copies in the target.

    Message: the target comes from the trained networks
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.actor(batch.next_obs)
        next_q = agent.critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_stored_next_action(agent, batch, config):
    """The next action is the stored one.

    Message: the next action is the stored one
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = batch.action
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_value_at_obs(agent, batch, config):
    """The value of the successor is taken at obs.

    Message: the value of the successor is taken at obs
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.obs)
        next_q = agent.target_critic(batch.obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_mixed_observations(agent, batch, config):
    """The state is obs, the action that of next_obs.

    Message: take both at next_obs
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_action_of_obs(agent, batch, config):
    """The state is next_obs, the action that of obs.

    Message: the next action is that of obs
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_critic_at_own_action(agent, batch, config):
    """The critic is fitted at the action of the actor.

    Message: the critic is fitted at the actor's action
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, agent.actor(batch.obs))
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_no_terminal_states(agent, batch, config):
    """No step is terminal.

    Message: terminal states are given a value
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    never = torch.zeros_like(terminated)
    target = td_target(batch.reward, never, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_always_bootstraps(agent, batch, config):
    """The setting for truncation is ignored.

    Message: truncated steps always bootstrap
    """
    terminated = batch.terminated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_never_bootstraps(agent, batch, config):
    """The episode is done if either flag is set.

    Message: truncated steps never bootstrap
    """
    terminated = batch.terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_setting_upside_down(agent, batch, config):
    """The setting for truncation is read the wrong way.

    Message: bootstrap_at_truncation is upside down
    """
    terminated = batch.terminated
    if config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_truncated_for_terminated(agent, batch, config):
    """The flags are taken for one another.

    Message: truncated stands where terminated should
    """
    terminated = batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_swapped_flags(agent, batch, config):
    """The flags are unpacked in the wrong order.

    Message: terminated and truncated are swapped
    """
    terminated, truncated = batch.truncated, batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_both_flags(agent, batch, config):
    """Both flags have to be set.

    Message: only if both flags are set
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated & batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_flag_in_place(agent, batch, config):
    """The flag of the batch is overwritten.

    Message: it changes one of its arguments
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated |= batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_reward_in_place(agent, batch, config):
    """The targets are written into the rewards of the batch.

    Message: it changes one of its arguments
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    batch.reward.copy_(target)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_fixed_gamma(agent, batch, config):
    """gamma is written as a number.

    Message: use config.gamma
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, 0.99)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_fixed_tau(agent, batch, config):
    """tau is the usual one of other papers.

    Message: use config.tau
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, 0.005)
    soft_update(agent.target_critic, agent.critic, 0.005)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_default_tau(agent, batch, config):
    """tau is the default of the course.

    Message: use config.tau
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, 0.1)
    soft_update(agent.target_critic, agent.critic, 0.1)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_no_copies(agent, batch, config):
    """The copies never move.

    Message: the copies are left as they were
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_only_critic_copy(agent, batch, config):
    """Only the critic has a slow copy that moves.

    Message: the target actor is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_only_actor_copy(agent, batch, config):
    """Only the actor has a slow copy that moves.

    Message: the target critic is left as it was
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_hard_copies(agent, batch, config):
    """The copies are made anew each time.

    Message: the copies jump
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    agent.target_actor.load_state_dict(agent.actor.state_dict())
    agent.target_critic.load_state_dict(agent.critic.state_dict())
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_complement_of_tau(agent, batch, config):
    """tau is the share that stays.

    Message: tau and 1 - tau are swapped
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, 1 - config.tau)
    soft_update(agent.target_critic, agent.critic, 1 - config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_copies_swapped(agent, batch, config):
    """The trained networks follow the copies.

    Message: the trained networks move
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.actor, agent.target_actor, config.tau)
    soft_update(agent.critic, agent.target_critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_copies_first(agent, batch, config):
    """The copies follow at the beginning.

    Message: the copies follow before the steps
    """
    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)

    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_copies_after_critic(agent, batch, config):
    """The copies follow after the critic's step.

    Message: the target actor follows before the actor's step
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()
    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_copies_twice(agent, batch, config):
    """The copies follow after each of the two steps.

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()
    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_copies_twice_at_the_end(agent, batch, config):
    """The copies follow twice.

    Message: the copies follow twice
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_arguments_of_the_loss(agent, batch, config):
    """The target is the first argument of the loss.

    Message: it stops with RuntimeError
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(target, q)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_clipped_gradients(agent, batch, config):
    """Gradients are clipped, as elsewhere.

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    nn.utils.clip_grad_norm_(agent.critic.parameters(), 0.5)
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(agent.actor.parameters(), 0.5)
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_half_error(agent, batch, config):
    """The usual factor one half.

    Message: there is no factor one half in the critic's loss
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = 0.5 * F.mse_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_summed_error(agent, batch, config):
    """The errors of the batch are summed.

    Message: the critic's loss is a mean over the batch
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = ((q - target) ** 2).sum()
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_summed_values(agent, batch, config):
    """The values of the batch are summed.

    Message: the actor's loss is a mean over the batch
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = -agent.critic(batch.obs, agent.actor(batch.obs)).sum()
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_smoothed_target(agent, batch, config):
    """Noise on the next action, as in a later algorithm.

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_action = next_action + 0.2 * torch.randn_like(next_action)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_clipped_next_action(agent, batch, config):
    """The next action is clipped to [-1, 1].

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_action = next_action.clamp(-1, 1)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_clipped_reward(agent, batch, config):
    """Rewards are clipped to [-1, 1].

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward.clamp(-1, 1), terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_smaller_of_both(agent, batch, config):
    """The smaller of slow and trained critic, as in a later algorithm.

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
        now = agent.critic(batch.next_obs, next_action)
        next_q = torch.minimum(next_q, now)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_column(agent, batch, config):
    """Targets are a column, so every q is compared with all of them.

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = ((q - target.unsqueeze(1)) ** 2).mean()
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_two_critic_steps(agent, batch, config):
    """The critic makes two steps on the batch.

    Message: after one update is not what the equation gives
    """
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()
    q_loss = critic_loss(agent.critic(batch.obs, batch.action), target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def wrong_gradient_through_target(agent, batch, config):
    """The trained networks give the target, and a gradient flows through it.

    Message: a gradient flows through the target
    """
    done = batch.terminated
    if not config.bootstrap_at_truncation:
        done = done | batch.truncated
    next_q = agent.critic(batch.next_obs, agent.actor(batch.next_obs))
    target = batch.reward + config.gamma * next_q * ~done
    loss = F.mse_loss(agent.critic(batch.obs, batch.action), target)
    agent.critic_optimizer.zero_grad()
    loss.backward()
    agent.critic_optimizer.step()

    agent.actor_optimizer.zero_grad()
    (-agent.critic(batch.obs, agent.actor(batch.obs)).mean()).backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)


def correct_unpacked(agent, batch, config):
    """The columns are unpacked, and metrics printed."""
    obs, action, reward, terminated, truncated, next_obs = batch
    if not config.bootstrap_at_truncation:
        terminated = torch.logical_or(terminated, truncated)

    with torch.no_grad():
        next_action = agent.target_actor(next_obs)
        next_q = agent.target_critic(next_obs, next_action)
    target = td_target(reward, terminated, next_q, config.gamma)
    q = agent.critic(obs, action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    print("critic", q_loss.item())
    loss = actor_loss(agent.actor, agent.critic, obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def correct_clears_all_first(agent, batch, config):
    """All gradients are cleared at the beginning."""
    for optimizer in (agent.actor_optimizer, agent.critic_optimizer):
        optimizer.zero_grad()
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def correct_clears_again(agent, batch, config):
    """The critic is cleared once more at the end, and nothing is returned."""
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    agent.critic_optimizer.zero_grad()


def correct_inputs(agent, batch, config):
    """The backward pass of the actor is limited to its parameters."""
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward(inputs=list(agent.actor.parameters()))
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def correct_copy_of_critic(agent, batch, config):
    """The actor asks a copy of the updated critic."""
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    judge = copy.deepcopy(agent.critic)
    loss = actor_loss(agent.actor, judge, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def correct_frozen_critic(agent, batch, config):
    """The critic is frozen during the actor's step."""
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()

    for parameter in agent.critic.parameters():
        parameter.requires_grad_(False)
    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()
    for parameter in agent.critic.parameters():
        parameter.requires_grad_(True)

    soft_update(agent.target_actor, agent.actor, config.tau)
    soft_update(agent.target_critic, agent.critic, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def correct_critic_copy_early(agent, batch, config):
    """The critic's copy follows right after the critic's step."""
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = terminated | batch.truncated

    with torch.no_grad():
        next_action = agent.target_actor(batch.next_obs)
        next_q = agent.target_critic(batch.next_obs, next_action)
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    q = agent.critic(batch.obs, batch.action)
    q_loss = critic_loss(q, target)
    agent.critic_optimizer.zero_grad()
    q_loss.backward()
    agent.critic_optimizer.step()
    soft_update(agent.target_critic, agent.critic, config.tau)

    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    agent.actor_optimizer.zero_grad()
    loss.backward()
    agent.actor_optimizer.step()

    soft_update(agent.target_actor, agent.actor, config.tau)
    return {"critic_loss": q_loss.item(), "actor_loss": loss.item()}


def correct_inline(agent, batch, config):
    """All formulas are written out, without the helpers."""
    done = batch.terminated.float()
    if not config.bootstrap_at_truncation:
        done = torch.maximum(done, batch.truncated.float())
    next_q = agent.target_critic(batch.next_obs, agent.target_actor(batch.next_obs))
    target = batch.reward + config.gamma * (1 - done) * next_q
    error = agent.critic(batch.obs, batch.action) - target.detach()
    agent.critic_optimizer.zero_grad(set_to_none=False)
    error.pow(2).mean().backward()
    agent.critic_optimizer.step()

    objective = agent.critic(batch.obs, agent.actor(batch.obs)).mean()
    agent.actor_optimizer.zero_grad(set_to_none=False)
    objective.neg().backward()
    agent.actor_optimizer.step()

    pairs = [
        (agent.target_actor, agent.actor),
        (agent.target_critic, agent.critic),
    ]
    for slow, fast in pairs:
        for p, q in zip(slow.parameters(), fast.parameters()):
            p.data.copy_(config.tau * q.data + (1 - config.tau) * p.data)


def correct_autograd(agent, batch, config):
    """Gradients are asked for, and put in their places."""
    ends = batch.terminated
    if not config.bootstrap_at_truncation:
        ends = ends + batch.truncated
    with torch.no_grad():
        following = agent.target_critic(
            batch.next_obs, agent.target_actor(batch.next_obs)
        )
    target = td_target(batch.reward, ends, following, config.gamma)

    def step(network, optimizer, loss):
        parameters = list(network.parameters())
        for parameter, gradient in zip(
            parameters, torch.autograd.grad(loss, parameters)
        ):
            parameter.grad = gradient
        optimizer.step()

    loss = critic_loss(agent.critic(batch.obs, batch.action), target)
    step(agent.critic, agent.critic_optimizer, loss)
    loss = actor_loss(agent.actor, agent.critic, batch.obs)
    step(agent.actor, agent.actor_optimizer, loss)
    for name in ("actor", "critic"):
        slow, fast = getattr(agent, f"target_{name}"), getattr(agent, name)
        soft_update(slow, fast, config.tau)


def correct_chain_rule(agent, batch, config):
    """The slope of the critic is handed to the actor by hand."""
    terminated = batch.terminated
    if not config.bootstrap_at_truncation:
        terminated = torch.where(batch.truncated, True, terminated)
    with torch.no_grad():
        next_q = agent.target_critic(batch.next_obs, agent.target_actor(batch.next_obs))
    target = td_target(batch.reward, terminated, next_q, config.gamma)
    agent.critic_optimizer.zero_grad()
    critic_loss(agent.critic(batch.obs, batch.action), target).backward()
    agent.critic_optimizer.step()

    action = agent.actor(batch.obs)
    tried = action.detach().requires_grad_()
    (slope,) = torch.autograd.grad(agent.critic(batch.obs, tried).mean(), tried)
    agent.actor_optimizer.zero_grad()
    action.backward(gradient=-slope)
    agent.actor_optimizer.step()

    soft_update(agent.target_critic, agent.critic, config.tau)
    soft_update(agent.target_actor, agent.actor, config.tau)
