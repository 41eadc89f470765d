"""The import rule, and the examples in the docstrings of every module."""

import doctest
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chula_rl

ROOT = Path(__file__).parent.parent
MODULES = [m.name for m in pkgutil.walk_packages(chula_rl.__path__, "chula_rl.")]


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the package and of the rule, in which to break it."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(
        ROOT / "chula_rl",
        root / "chula_rl",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return root


def lint_imports(root):
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )


def test_the_package_keeps_the_rule(copied):
    result = lint_imports(copied)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("returns", "gymnasium"),
        ("losses", "gymnasium"),
        ("tabular/mdp", "gymnasium"),
        ("errors", "chula_rl.losses"),
        ("envs", "chula_rl.rollout"),
        ("rollout", "chula_rl.algorithms.reinforce"),
        ("algorithms/reinforce", "chula_rl.evaluation"),
        ("evaluation", "chula_rl.cli"),
        ("evaluation", "chula_rl.grading"),
        ("grading/__init__", "chula_rl.cli"),
    ],
)
def test_a_planted_import_against_the_rule_is_found(copied, module, forbidden):
    path = copied / "chula_rl" / f"{module}.py"
    source = path.read_text()
    path.write_text(f"{source}\nimport {forbidden}\n")
    try:
        result = lint_imports(copied)
    finally:
        path.write_text(source)
    assert result.returncode == 1
    importer = "chula_rl." + module.removesuffix("/__init__").replace("/", ".")
    assert f"{importer} -> {forbidden}" in result.stdout


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", ["chula_rl.envs", "chula_rl.algorithms.reinforce"])
def test_there_are_examples_where_readers_begin(name):
    assert doctest.testmod(importlib.import_module(name)).attempted > 0


@pytest.mark.parametrize("name", chula_rl.__all__)
def test_the_public_names_are_there(name):
    assert hasattr(chula_rl, name)
