"""Steps of a stream of environments, against a second stream stepped by hand."""

import numpy as np
import torch
from torch import nn

from chula_rl.env_stream import EnvStream
from chula_rl.envs import ENV_ID
from chula_rl.losses import bounded_action
from chula_rl.rollout import collect_rollout, noisy_step


class Careless(nn.Module):
    """Its actions leave the bounds now and then, and depend on the observation."""

    def forward(self, obs):
        mean = obs[..., :1] + 3 * obs[..., 2:3]
        return mean, torch.full_like(mean, 0.2)


class TestCollectRollout:
    """T steps of a stream, against a second stream stepped by hand."""

    num_steps = 40

    def collect(self, stream=None, seed=0, **functions):
        stream = stream or EnvStream(ENV_ID, 3, seed=1)
        generator = torch.Generator().manual_seed(seed)
        return collect_rollout(
            stream, Careless(), self.num_steps, generator, **functions
        )

    def test_it_is_what_the_stream_gives_for_the_clipped_actions(self):
        rollout, by_hand = self.collect(), EnvStream(ENV_ID, 3, seed=1)
        ended = 0
        for t in range(self.num_steps):
            obs, action, *flags_and_reward, next_obs = (column[t] for column in rollout)
            assert torch.equal(obs, by_hand.obs)
            step = by_hand.step(action.clamp(-1, 1))
            expected = step.reward, step.terminated, step.truncated
            for ours, theirs in zip(flags_and_reward, expected, strict=True):
                np.testing.assert_array_equal(ours, theirs)
            assert torch.equal(next_obs, torch.as_tensor(step.final_obs))
            ended += step.terminated.sum()
            assert torch.equal(next_obs, by_hand.obs) == (not step.terminated.any())
        assert ended > 2
        assert (rollout.action.abs() > 1).any()

    def test_the_raw_action_is_stored_and_the_clipped_one_is_played(self):
        stream = EnvStream(ENV_ID, 3, seed=1)
        raw = self.collect(stream).action
        played = stream.state_dict()["actions"]
        assert torch.equal(played, raw.clamp(-1, 1))
        assert not torch.equal(played, raw)

    def test_shapes_and_types(self):
        rollout = self.collect()
        wide, narrow = (self.num_steps, 3, 4), (self.num_steps, 3)
        shapes = [wide, (*narrow, 1), narrow, narrow, narrow, wide]
        assert [tensor.shape for tensor in rollout] == shapes
        real, flag = torch.float32, torch.bool
        assert [x.dtype for x in rollout] == [real, real, real, flag, flag, real]
        assert not any(tensor.requires_grad for tensor in rollout)

    def test_the_second_rollout_goes_on_where_the_first_ended(self):
        stream, whole = EnvStream(ENV_ID, 3, seed=1), EnvStream(ENV_ID, 3, seed=1)
        parts = [self.collect(stream, seed) for seed in (0, 1)]
        for rollout in parts:
            assert torch.equal(rollout.obs[0], whole.obs)
            for action in rollout.action:
                whole.step(action.clamp(-1, 1))
        assert not torch.equal(parts[0].action, parts[1].action)

    def test_the_functions_given_sample_and_see_through_resets(self):
        noises, calls = [], []

        def sample(mean, log_std, noise, low, high):
            noises.append(noise)
            assert (low.tolist(), high.tolist()) == ([-1.0], [1.0])
            return bounded_action(mean, log_std, noise, low, high)

        def blind(next_obs, final_obs, terminated, truncated):
            assert next_obs.shape == final_obs.shape == (self.num_steps * 3, 4)
            calls.append((terminated, truncated))
            return next_obs

        rollout = self.collect(bounded_action=sample, successor_obs=blind)
        mean, log_std = Careless()(rollout.obs)
        expected = mean + log_std.exp() * torch.stack(noises)
        torch.testing.assert_close(rollout.action, expected)
        ended = rollout.terminated
        for seen, flags in zip(calls[0], rollout[3:5], strict=True):
            assert torch.equal(seen, flags.flatten())
        assert (rollout.next_obs[ended].abs() <= 0.05).all()  # the start of the next
        seeing = self.collect().next_obs
        assert (seeing[ended].abs() > 0.2).any(-1).all()
        assert torch.equal(seeing[~ended], rollout.next_obs[~ended])

    def test_the_generator_decides_the_noise_and_torchs_own_is_left_alone(self):
        before = torch.get_rng_state()
        rollouts = [self.collect(seed=seed) for seed in (3, 3, 4)]
        assert torch.equal(torch.get_rng_state(), before)
        assert all(map(torch.equal, rollouts[0], rollouts[1]))
        assert not torch.equal(rollouts[0].action, rollouts[2].action)


def test_a_noisy_step_by_hand():
    stream, by_hand = (EnvStream("Pendulum-v1", 3, seed=1) for _ in range(2))
    noise = torch.tensor([[0.5], [-0.25], [3.0]])  # in half ranges: of 2

    def actor(obs):
        return obs[:, :1]  # a cosine, so that only the last action is clipped

    transition = noisy_step(stream, actor, noise)
    action = torch.stack(
        [
            by_hand.obs[0, :1] + 1.0,
            by_hand.obs[1, :1] - 0.5,
            torch.tensor([2.0]),
        ]
    )
    torch.testing.assert_close(transition.action, action)
    assert torch.equal(transition.obs, by_hand.obs)
    step = by_hand.step(transition.action)
    np.testing.assert_allclose(transition.reward, step.reward, rtol=1e-6)
    assert torch.equal(transition.next_obs, torch.as_tensor(step.final_obs))
    assert torch.equal(stream.obs, by_hand.obs)
    assert (
        transition.terminated.tolist() == transition.truncated.tolist() == [False] * 3
    )
