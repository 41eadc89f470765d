"""What students write: the graded functions of each assignment."""

CONTRACT: dict[str, tuple[str, ...]] = {
    "reinforce": (
        "chula_rl.returns:rewards_to_go",
        "chula_rl.losses:gaussian_log_prob",
        "chula_rl.losses:gaussian_entropy",
        "chula_rl.losses:bounded_action",
        "chula_rl.losses:reinforce_loss",
        "chula_rl.algorithms.reinforce:reinforce_update",
    ),
}
