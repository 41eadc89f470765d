"""The student edition: the package without solutions and without the grader."""

import ast
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from build import ProjectBuilder

from chula_rl.errors import MarkerError
from chula_rl.grading import markers
from chula_rl.grading.contract import CONTRACT

PACKAGE = Path(__file__).parents[1]
_EPOCH = "315532800"  # 1980-01-01, the first date that a zip archive knows
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def write_student_edition(directory: Path, package: Path = PACKAGE) -> Path:
    """Write ``directory/chula_rl``; files that need no change are left alone.

    Args:
        directory: where the edition goes.
        package: the reference package.

    Returns:
        The edition's package folder.

    Raises:
        MarkerError: markers are not sound, or not exactly the functions of the contract
            are marked as solutions.
    """
    target = directory / "chula_rl"
    written = set()
    marked: set[str] = set()
    for source in package_files(package):
        relative = source.relative_to(package)
        if source.suffix != ".py":
            written.add(_write(target / relative, source.read_bytes()))
            continue
        text, names = strip_solutions(source.read_text("utf-8"), str(source))
        module = ".".join(["chula_rl", *relative.with_suffix("").parts])
        marked |= {f"{module}:{name.split('.')[0]}" for name in names}
        if relative == Path("_version.py"):
            text = re.sub(r'(?m)^(__version__ = "[^"+]*)"$', r'\1+student"', text)
        written.add(_write(target / relative, text.encode()))
    _check_contract(marked)
    for stale in set(target.rglob("*")) - written:
        if stale.is_file():
            stale.unlink()
    return target


def package_files(package: Path = PACKAGE) -> list[Path]:
    """The files of the package that students get, solutions still in them.

    The benchmarks stay at home: they hold another author's way to write DDPG.
    """
    return [
        path
        for path in sorted(package.rglob("*"))
        if path.suffix in (".py", ".safetensors") or path.name == "py.typed"
        if path.relative_to(package).parts[0] not in ("grading", "benchmarks")
    ]


def strip_solutions(text: str, where: str) -> tuple[str, list[str]]:
    """Replace every solution of a module by ``raise NotImplementedError``.

    Args:
        text: the module.
        where: its name, for messages.

    Returns:
        The stripped module, and the qualified names of the functions stripped.

    Raises:
        MarkerError: a solution is not the whole body of one function.
    """
    blocks = markers.parse(text, where)
    if not blocks:
        return text, []
    functions = _functions(ast.parse(text))
    lines = text.split("\n")
    names = []
    for block in reversed(blocks):
        name = _owner(block, functions, where)
        indent = lines[block.begin].removesuffix("### BEGIN SOLUTION")
        stub = f'raise NotImplementedError("{name}: write it in the assignment")'
        lines[block.begin : block.end + 1] = [indent + stub]
        names.append(name)
    return "\n".join(lines), names[::-1]


def build_wheel(directory: Path, root: Path, readme: str) -> Path:
    """Build the wheel of the student edition: offline, the same bytes every time.

    Args:
        directory: where the wheel goes.
        root: the project, with ``pyproject.toml`` and ``LICENSE``.
        readme: the text shown as the wheel's description.

    Returns:
        The wheel.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        write_student_edition(project, root / "chula_rl")
        shutil.copy(root / "pyproject.toml", project)
        shutil.copy(root / "LICENSE", project)
        (project / "README.md").write_text(readme, "utf-8")
        builder = ProjectBuilder(project, runner=_run_build_hook)
        return Path(builder.build("wheel", directory))


def _run_build_hook(
    cmd: Sequence[str],
    cwd: str | None = None,
    extra_environ: Mapping[str, str] | None = None,
) -> None:
    env = {**os.environ, **(extra_environ or {}), "SOURCE_DATE_EPOCH": _EPOCH}
    subprocess.run(cmd, cwd=cwd, env=env, check=True, capture_output=True)


def _functions(module: ast.Module) -> dict[str, _Function]:
    """Functions and methods by qualified name."""
    found: dict[str, _Function] = {}
    for node in module.body:
        if isinstance(node, _Function):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, _Function):
                    found[f"{node.name}.{method.name}"] = method
    return found


def _owner(block: markers.Block, functions: Mapping[str, _Function], where: str) -> str:
    """The function whose body, but for its docstring, is exactly this block."""
    for name, function in functions.items():
        body = function.body[1:] if ast.get_docstring(function) else function.body
        start, end = function.lineno, function.end_lineno or function.lineno
        if not start <= block.begin + 1 <= end:
            continue
        outside = [
            statement.lineno
            for statement in body
            if not block.begin + 1 < statement.lineno <= block.end
        ]
        if block.kind == "SOLUTION" and body and not outside:
            return name
        raise MarkerError(
            f"{where}, line {(outside or [block.begin + 1])[0]}: the body of {name} "
            "must be one SOLUTION and nothing else after the docstring."
        )
    raise MarkerError(
        f"{where}, line {block.begin + 1}: {block.kind} outside of any function."
    )


def _check_contract(marked: set[str]) -> None:
    expected = {name for functions in CONTRACT.values() for name in functions}
    if marked != expected:
        raise MarkerError(
            f"marked as solution but in no assignment: {sorted(marked - expected)}; "
            f"in an assignment but not marked: {sorted(expected - marked)}. The "
            "functions of chula_rl/grading/contract.py, and no others, need markers."
        )


def _write(path: Path, data: bytes) -> Path:
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path
