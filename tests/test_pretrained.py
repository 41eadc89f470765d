"""Files of trained policies: they play as before, and a damaged one is refused."""

import json
import pickle
from importlib import resources

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from chula_rl import pretrained
from chula_rl.algorithms import a2c, ddpg, reinforce
from chula_rl.checkpoint import save_checkpoint
from chula_rl.envs import ENV_ID
from chula_rl.errors import CheckpointError
from chula_rl.evaluation import evaluate
from chula_rl.networks import DeterministicPolicy
from chula_rl.pretrained import load_policy, save_policy

ALGORITHMS = {"reinforce": reinforce, "a2c": a2c, "ddpg": ddpg}
PENDULUM = "Pendulum-v1"
CONFIG = {"hidden": (6, 5), "gamma": 0.95}


def some_policy(algorithm, env_id=ENV_ID):
    """A policy with random parameters, and what would make it."""
    module = ALGORITHMS[algorithm]
    policy = module.init(module.Config(**CONFIG), env_id=env_id).policy
    generator = torch.Generator().manual_seed(3)
    for parameter in policy.parameters():
        nn.init.normal_(parameter, generator=generator)
    made_by = {"algorithm": algorithm, "env_id": env_id, "seed": 7, "config": CONFIG}
    return policy, made_by


@pytest.fixture
def path(tmp_path):
    """A sound file of a policy of DDPG."""
    save_policy(tmp_path / "p.safetensors", *some_policy("ddpg"))
    return tmp_path / "p.safetensors"


@pytest.mark.parametrize("env_id", [ENV_ID, PENDULUM])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_policy_plays_as_it_did_before_it_was_saved(tmp_path, algorithm, env_id):
    policy, made_by = some_policy(algorithm, env_id)
    save_policy(tmp_path / "p", policy, made_by)
    loaded = load_policy(tmp_path / "p")
    assert type(loaded.policy) is type(policy)
    obs = torch.randn(50, 4 if env_id == ENV_ID else 3)
    torch.testing.assert_close(loaded.policy(obs), policy(obs), rtol=0, atol=0)
    before, after = (
        evaluate(p, env_id, num_episodes=3, seed=5) for p in (policy, loaded.policy)
    )
    assert after.return_.tolist() == before.return_.tolist()


def test_what_made_it_comes_back_as_json_has_it(path):
    policy, made_by = some_policy("ddpg")
    save_policy(path, policy, {**made_by, "mean_return": 487.5, "note": "ไทย"})
    loaded = load_policy(str(path)).made_by
    assert loaded == json.loads(json.dumps(made_by)) | {
        "mean_return": 487.5,
        "note": "ไทย",
    }


def test_the_weights_are_all_that_is_in_the_file(path):
    policy, _ = some_policy("ddpg")
    tensors = load_file(path)
    assert tensors.keys() == policy.state_dict().keys()
    assert sum(tensor.nbytes for tensor in tensors.values()) < path.stat().st_size


def test_two_loads_share_no_memory(path):
    one, other = load_policy(path).policy, load_policy(path).policy
    nn.init.zeros_(next(one.parameters()))
    assert next(other.parameters()).any()


def test_nothing_in_a_file_is_executed(path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("unpickled")

    monkeypatch.setattr(pickle, "Unpickler", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    load_policy(path)
    assert not hasattr(pretrained, "pickle")


def put_header(**changes):
    def damage(path):
        _, made_by = some_policy("ddpg")
        header = {"made_by": json.dumps({**made_by, **changes})}
        save_file(load_file(path), path, header)

    damage.__name__ = ",".join(f"{key}={value}" for key, value in changes.items())
    return damage


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def put_folder(path):
    path.unlink()
    path.mkdir()


def put_pickle(path):
    path.write_bytes(pickle.dumps({"action.0.weight": [1.0]}))


def put_no_header(path):
    save_file(load_file(path), path)


def put_a_list_as_header(path):
    save_file(load_file(path), path, {"made_by": "[]"})


def put_no_json(path):
    save_file(load_file(path), path, {"made_by": "{"})


def put_checkpoint(path):
    state = ddpg.init(ddpg.Config(**CONFIG, capacity=10))
    save_checkpoint(path, state, {"algorithm": "ddpg"})


def leave_one_out(path):
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    del tensors["action.0.bias"]
    save_file(tensors, path, header)


def put_scalars(path):
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    save_file({key: torch.zeros(()) for key in tensors}, path, header)


def put_other_tensors(path):
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    save_file({"other": torch.zeros(2)}, path, header)


@pytest.mark.parametrize(
    "damage",
    [
        put_pickle,
        put_no_header,
        put_a_list_as_header,
        put_no_json,
        put_checkpoint,
        put_other_tensors,
        put_scalars,
        leave_one_out,
        put_header(config=["hidden"]),
        put_header(config={}),
        put_header(config={"hidden": [9]}),
        put_header(config={"hidden": [6, -5]}),
        put_header(config={"hidden": 6}),
        put_header(config={"hidden": "wide"}),
        empty,
        remove,
        put_folder,
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_advice(path, damage):
    damage(path)
    with pytest.raises(CheckpointError, match=r"chula-rl export") as refusal:
        load_policy(path)
    assert str(path) in str(refusal.value)


def test_a_file_cut_at_any_length_is_refused(path):
    data = path.read_bytes()
    for length in {*range(0, len(data), 37), *range(20), len(data) - 1}:
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError):
            load_policy(path)


def test_a_name_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(CheckpointError, match="reinforce, a2c, ddpg"):
        load_policy("ppo")


def test_a_policy_can_be_read_where_its_environment_is_unknown(tmp_path):
    policy, made_by = some_policy("a2c", PENDULUM)
    save_policy(tmp_path / "p", policy, {**made_by, "env_id": "nobody/Knows-v0"})
    obs = torch.randn(9, 3)
    for one, other in zip(
        policy(obs), load_policy(tmp_path / "p").policy(obs), strict=True
    ):
        assert torch.equal(one, other)


def test_bounds_that_are_not_symmetric_come_back(tmp_path):
    low, high = torch.tensor([-1.0, 3.0]), torch.tensor([7.0, 3.5])
    generator = torch.Generator().manual_seed(0)
    scale = torch.arange(1.0, 5.0).numpy()
    policy = DeterministicPolicy(4, low, high, (32,), scale, generator)
    nn.init.normal_(policy.action[-1].weight, std=99.0, generator=generator)
    save_policy(tmp_path / "p", policy, {"config": {"hidden": [32]}})
    obs = 9 * torch.randn(500, 4, generator=generator)
    action = load_policy(tmp_path / "p").policy(obs)
    assert torch.equal(action, policy(obs))
    assert torch.equal(action.amin(0), low)
    assert torch.equal(action.amax(0), high)


@pytest.mark.parametrize("name", ALGORITHMS)
class TestThoseOfThePackage:
    """The policies that come with it."""

    def test_it_solves_the_environment(self, name):
        loaded = load_policy(name)
        assert loaded.made_by["algorithm"] == name
        assert loaded.made_by["env_id"] == ENV_ID
        assert evaluate(loaded.policy, ENV_ID, seed=123).solved
        assert loaded.made_by["mean_return"] >= 475

    def test_its_file_is_small(self, name):
        file = resources.files("chula_rl") / "data" / f"{name}.safetensors"
        assert 0 < len(file.read_bytes()) < 20_000
