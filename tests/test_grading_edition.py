import ast
import inspect
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chula_rl.errors import MarkerError
from chula_rl.grading import edition
from chula_rl.grading.contract import CONTRACT

ROOT = Path(__file__).parents[1]
GRADED = [target for targets in CONTRACT.values() for target in targets]
BUFFER = "ReplayBuffer"
EXPECTED_METHODS = {  # of a class; the others are ours
    "chula_rl.replay:ReplayBuffer": [
        f"{BUFFER}.{name}" for name in ("__init__", "add", "sample", "__len__")
    ]
}


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    return edition.write_student_edition(tmp_path_factory.mktemp("edition"))


@pytest.fixture
def package(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__", "grading")
    return Path(
        shutil.copytree(ROOT / "chula_rl", tmp_path / "chula_rl", ignore=ignore)
    )


# the editable install of this repository would find chula_rl.grading for any chula_rl
NO_EDITABLE = (
    "import sys; "
    "sys.meta_path[:] = [f for f in sys.meta_path if 'ditable' not in repr(f)]; "
)


def run(student, code):
    env = {**os.environ, "PYTHONPATH": str(student.parent)}
    return subprocess.run(
        [sys.executable, "-c", NO_EDITABLE + code],
        env=env,
        cwd=student.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def functions(package, target):
    """A graded function by its name, or the methods of a graded class by theirs."""
    module, name = target.split(":")
    path = package.parent / (module.replace(".", "/") + ".py")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return {name: node}
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {f"{name}.{method.name}": method for method in node.body[1:]}
    raise AssertionError(f"no {target}")


@pytest.mark.parametrize("target", GRADED)
def test_graded_functions_keep_signature_and_docstring_only(student, target):
    ours, theirs = functions(ROOT / "chula_rl", target), functions(student, target)
    assert list(ours) == list(theirs)
    written = []
    for name, function in theirs.items():
        assert ast.unparse(function.args) == ast.unparse(ours[name].args)
        assert ast.get_docstring(function) == ast.get_docstring(ours[name])
        if ast.unparse(function) == ast.unparse(ours[name]):
            continue
        written.append(name)
        stub = f"raise NotImplementedError('{name}: write it in the assignment')"
        body = function.body[1:] if ast.get_docstring(function) else function.body
        assert [ast.unparse(line) for line in body] == [stub]
    assert written == EXPECTED_METHODS.get(target, list(ours))


def test_calling_a_graded_function_names_the_exercise(student):
    result = run(
        student, "from chula_rl.returns import rewards_to_go; rewards_to_go(None, 1)"
    )
    assert "NotImplementedError: rewards_to_go: write it" in result.stderr


def test_all_else_is_the_same_text(student):
    changed = {
        str(path.relative_to(student))
        for path in student.rglob("*.py")
        if path.read_text()
        != (ROOT / "chula_rl" / path.relative_to(student)).read_text()
    }
    modules = {t.split(":")[0].removeprefix("chula_rl.") for t in GRADED}
    expected = {module.replace(".", "/") + ".py" for module in modules}
    assert changed == expected | {"_version.py"}


def test_the_command_line_works_without_the_grader(student):
    assert not (student / "grading").exists()
    code = "from chula_rl.cli import main; sys.exit(main(['--help']))"
    result = run(student, code)
    assert result.returncode == 0, result.stderr
    assert "train" in result.stdout
    assert "grade" not in result.stdout


def test_writing_twice_leaves_files_alone_and_removes_stale_ones(package, tmp_path):
    target = edition.write_student_edition(tmp_path / "out", package)
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*.py")}
    (target / "old.py").write_text("old")
    edition.write_student_edition(tmp_path / "out", package)
    after = {path: path.stat().st_mtime_ns for path in target.rglob("*.py")}
    assert after == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    ### BEGIN SOLUTION\n", "", "no BEGIN SOLUTION"),
        ("### BEGIN SOLUTION", "### BEGIN SOLUTON", "resembles a marker"),
        ("    ### END SOLUTION\n", "    ### END SOLUTION\n    x = 1\n", "body of"),
        ("    ### BEGIN SOLUTION\n", "    x = 1\n    ### BEGIN SOLUTION\n", "body of"),
        ("SOLUTION\n", "HIDDEN TESTS\n", "must be one SOLUTION"),
    ],
)
def test_a_solution_not_wholly_marked_is_refused(package, old, new, message, tmp_path):
    path = package / "returns.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(MarkerError, match=message):
        edition.write_student_edition(tmp_path / "out", package)


def test_a_graded_function_without_markers_is_refused(package, tmp_path):
    path = package / "returns.py"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "### " not in line))
    with pytest.raises(MarkerError, match=r"not marked.*rewards_to_go"):
        edition.write_student_edition(tmp_path / "out", package)


def test_a_marked_function_of_no_assignment_is_refused(package, tmp_path):
    path = package / "types.py"
    extra = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    path.write_text(path.read_text() + "\n\n" + extra)
    with pytest.raises(MarkerError, match=r"in no assignment: \['chula_rl.types:f'\]"):
        edition.write_student_edition(tmp_path / "out", package)


def test_methods_are_stripped_one_by_one():
    text = inspect.cleandoc(
        '''
        class Buffer:
            """Kept."""

            def add(self, step):
                """Kept too."""
                ### BEGIN SOLUTION
                self.steps.append(step)
                ### END SOLUTION

            def __len__(self):
                return len(self.steps)
        '''
    )
    stripped, names = edition.strip_solutions(text, "replay.py")
    assert names == ["Buffer.add"]
    assert "append" not in stripped
    assert 'NotImplementedError("Buffer.add: ' in stripped
    assert "return len(self.steps)" in stripped


def test_the_wheel_is_reproducible_and_has_the_edition_only(student, tmp_path):
    first = edition.build_wheel(tmp_path / "1", ROOT, "For students.\n")
    second = edition.build_wheel(tmp_path / "2", ROOT, "For students.\n")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as wheel:
        modules = {n for n in wheel.namelist() if ".dist-info/" not in n}
        for name in modules:
            assert wheel.read(name) == (student.parent / name).read_bytes()
        metadata = next(n for n in wheel.namelist() if n.endswith("METADATA"))
        assert "+student" in wheel.read(metadata).decode()
    assert modules == {
        str(path.relative_to(student.parent))
        for path in student.rglob("*")
        if path.suffix in (".py", ".safetensors")
    }
    assert any(name.endswith("a2c.safetensors") for name in modules)
