"""Settings: defaults, the paper's values, documentation, and what is refused."""

import dataclasses
import inspect
import math

import pytest

from chula_rl.algorithms import a2c, ddpg
from chula_rl.errors import ConfigError
from chula_rl.settings import Published, abouts, setting, settings

CONFIGS = [a2c.Config, ddpg.Config]


@settings
class Toy(Published):
    """Settings of a toy.

    Of two paragraphs.
    """

    gamma: float = setting(0.9, "discount factor", 1.0)
    entropy_coef: float = setting(0.0, "weight of the entropy")
    num_envs: int = setting(4, "environments side by side", 1)
    adam: bool = setting(True, "Adam instead of RMSProp", False)
    hidden: tuple[int, ...] = setting((32,), "widths", (400, 300))
    log_std: float = setting(-0.5, "initial logarithm", 0.0)

    @property
    def doubled(self):
        return 2 * self.num_envs


def test_defaults_arguments_and_methods_are_those_of_a_dataclass():
    assert dataclasses.astuple(Toy()) == (0.9, 0.0, 4, True, (32,), -0.5)
    assert Toy(gamma=0.5) == dataclasses.replace(Toy(), gamma=0.5) != Toy()
    assert hash(Toy()) == hash(Toy())
    assert Toy(num_envs=3).doubled == 6
    with pytest.raises(dataclasses.FrozenInstanceError):
        Toy().gamma = 0.5


def test_published_has_the_papers_value_wherever_there_is_one():
    """Zero and False are values, too."""
    expected = Toy(1.0, 0.0, 1, False, (400, 300), 0.0)
    assert Toy.published() == expected
    assert type(Toy.published()) is Toy


def test_abouts_name_the_papers_value_where_it_is_another():
    assert abouts(Toy) == {
        "gamma": "discount factor (published: 1.0)",
        "entropy_coef": "weight of the entropy",
        "num_envs": "environments side by side (published: 1)",
        "adam": "Adam instead of RMSProp (published: False)",
        "hidden": "widths (published: 400 300)",
        "log_std": "initial logarithm (published: 0.0)",
    }


def test_the_docstring_lists_every_setting():
    assert inspect.getdoc(Toy).splitlines() == [
        "Settings of a toy.",
        "",
        "Of two paragraphs.",
        "",
        "Attributes:",
        "    gamma: discount factor (published: 1.0).",
        "    entropy_coef: weight of the entropy.",
        "    num_envs: environments side by side (published: 1).",
        "    adam: Adam instead of RMSProp (published: False).",
        "    hidden: widths (published: 400 300).",
        "    log_std: initial logarithm (published: 0.0).",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("gamma", -0.1, r"a number in \[0, 1\]"),
        ("gamma", 1.1, r"a number in \[0, 1\]"),
        ("gamma", math.nan, r"a number in \[0, 1\]"),
        ("entropy_coef", -1e-9, "0 or more"),
        ("entropy_coef", math.nan, "0 or more"),
        ("num_envs", 0, "more than 0"),
        ("num_envs", -3, "more than 0"),
        ("num_envs", math.nan, "a whole number"),
        ("hidden", (32, 0), "more than 0"),
        ("hidden", [32], "a tuple"),
        ("hidden", 32, "a tuple"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(name, value, expected):
    message = f"{name} is .*; expected {expected}"
    with pytest.raises(ConfigError, match=message):
        Toy(**{name: value})
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(Toy(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", 0.0),
        ("gamma", 1.0),
        ("entropy_coef", 0.0),
        ("num_envs", 1),
        ("adam", False),
        ("hidden", ()),
        ("log_std", -3.0),
    ],
)
def test_the_edges_of_the_ranges_are_accepted(name, value):
    assert getattr(Toy(**{name: value}), name) == value


@pytest.mark.parametrize("config", CONFIGS)
def test_each_setting_of_the_algorithms_is_a_phrase_in_its_docstring(config):
    for name, about in abouts(config).items():
        assert f"    {name}: {about}." in inspect.getdoc(config)
        assert about == about.strip().removesuffix(".")


A2C_PAPER = {  # Mnih et al. (2016), sections 4, 5.1 and 8
    "lambda_": 1.0,
    "max_grad_norm": math.inf,
    "entropy_coef": 1e-4,
    "adam": False,
    "bootstrap_at_truncation": False,
    "scale_obs": False,
    "value_scale": 1.0,
}
DDPG_PAPER = {  # Lillicrap et al. (2015), section 7
    "actor_lr": 1e-4,
    "critic_lr": 1e-3,
    "weight_decay": 1e-2,
    "gamma": 0.99,
    "tau": 0.001,
    "batch_size": 64,
    "capacity": 1_000_000,
    "noise_theta": 0.15,
    "noise_std": 0.2,
    "hidden": (400, 300),
    "bootstrap_at_truncation": False,
    "scale_obs": False,
    "value_scale": 1.0,
    "layer_norm": False,
    "anneal_lr": False,
}


@pytest.mark.parametrize(
    ("config", "paper"), [(a2c.Config, A2C_PAPER), (ddpg.Config, DDPG_PAPER)]
)
def test_the_published_settings_are_those_of_the_papers(config, paper):
    settings = config.published()
    assert type(settings) is config
    assert {name: getattr(settings, name) for name in paper} == paper
