"""What students write in each assignment, and what it hands them."""

CONTRACT: dict[str, tuple[str, ...]] = {
    "reinforce": (
        "chula_rl.returns:rewards_to_go",
        "chula_rl.losses:gaussian_log_prob",
        "chula_rl.losses:gaussian_entropy",
        "chula_rl.losses:bounded_action",
        "chula_rl.losses:reinforce_loss",
        "chula_rl.algorithms.reinforce:reinforce_update",
    ),
    "a2c": (
        "chula_rl.returns:successor_obs",
        "chula_rl.returns:n_step_returns",
        "chula_rl.returns:gae",
        "chula_rl.losses:a2c_loss",
        "chula_rl.algorithms.a2c:a2c_update",
    ),
    "ddpg": (
        "chula_rl.losses:exploratory_action",
        "chula_rl.replay:ReplayBuffer",
        "chula_rl.returns:td_target",
        "chula_rl.losses:critic_loss",
        "chula_rl.losses:actor_loss",
        "chula_rl.networks:soft_update",
        "chula_rl.algorithms.ddpg:ddpg_update",
    ),
}

# What students write where the answers are findings, not functions of the package.
CASES: dict[str, tuple[str, ...]] = {
    "gallery": tuple(f"gallery:case_{letter}" for letter in "abcdefghij"),
}

# Functions of another assignment that a notebook gives, so that it stands on its own.
# The leak gate lets them have a body there, but no line of the reference.
GIVEN: dict[str, tuple[str, ...]] = {
    "a2c": ("gaussian_log_prob", "gaussian_entropy", "bounded_action"),
}
