"""Speed measured fairly: of the environments, of an update, and of learning."""

from chula_rl.benchmarks.env import env_speed_table

__all__ = ["env_speed_table"]
