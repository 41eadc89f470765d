"""The leak gate: nothing released shows a solution or a hidden test.

Every file of the release is opened, archives inside archives too, and searched for the
lines of every solution and hidden test, whatever their indentation. What cannot be read
as text, and what is not on the list of files to expect, is refused. Independently, each
graded function of the release must have no body, but for those that the notebook gives
(``contract.GIVEN``).

Out of scope: an answer put in other words, or encoded on purpose (base64, say). The
gate is for accidents of a build, not for an author who wants to leak.
"""

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from chula_rl.errors import LeakError
from chula_rl.grading.contract import GIVEN
from chula_rl.grading.secret import Secrets, squeeze

_WHEEL = re.compile(r"chula_rl-[\w.+]+-py3-none-any\.whl")
_DIST_INFO = re.compile(
    r"chula_rl-[\w.+]+\.dist-info/"
    r"(METADATA|WHEEL|RECORD|top_level\.txt|entry_points\.txt|licenses/LICENSE)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKER = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS)|# include: \w")
_MAGIC = re.compile(r"(?m)^(\s*)[%!].*$")


def check_release(folder: Path, archive: Path, name: str, secrets: Secrets) -> None:
    """Search the released folder and its archive.

    Args:
        folder: ``assignments/release/<name>``.
        archive: the same as a zip archive, below one folder ``<name>/``.
        name: the assignment.
        secrets: from ``secret.collect``.

    Raises:
        LeakError: something secret, unreadable or unexpected is in there.
    """
    files = {path for path in folder.rglob("*") if path.is_symlink() or path.is_file()}
    for path in sorted(files):
        if path.is_symlink():
            raise LeakError(f"{path} is a link; a release has plain files only.")
        member = f"{name}/{path.relative_to(folder).as_posix()}"
        _check_member(member, path.read_bytes(), str(path), name, secrets)
    for member, data in _members(archive.read_bytes(), str(archive), secrets):
        _check_member(member, data, f"{archive}!{member}", name, secrets)


def _check_member(
    member: str, data: bytes, where: str, name: str, secrets: Secrets
) -> None:
    """One file of the release."""
    if member == f"{name}/{name}.ipynb":
        graded = secrets.graded - set(GIVEN.get(name, ()))
        _check_text(data, where, replace(secrets, graded=graded))
    elif member == f"{name}/README.md":
        _check_text(data, where, secrets)
    elif member.startswith(f"{name}/") and _WHEEL.fullmatch(member[len(name) + 1 :]):
        for inner, content in _members(data, where, secrets):
            if secrets.data.get(inner) == content:
                continue
            if inner not in secrets.modules and not _DIST_INFO.fullmatch(inner):
                raise LeakError(f"{where}!{inner} is not a file of the edition.")
            _check_text(content, f"{where}!{inner}", secrets)
    else:
        raise LeakError(f"{where} is not a file that a release may have.")


def _members(data: bytes, where: str, secrets: Secrets) -> list[tuple[str, bytes]]:
    """The files in a zip archive; its comments are searched on the way."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            members = [(info.filename, archive.read(info)) for info in infos]
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise LeakError(f"{where} cannot be read: {error}") from error
    _search([data.decode("latin-1")], where, secrets)  # comments, names, loose bytes
    return members


def _check_text(data: bytes, where: str, secrets: Secrets) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LeakError(f"{where} is not UTF-8, so it cannot be searched.") from error
    if _CONTROL.search(text):
        raise LeakError(f"{where} has control characters, so it cannot be searched.")
    texts, modules = [text], [text] if where.endswith(".py") else []
    if where.endswith(".ipynb"):
        try:
            notebook = json.loads(text)
            modules = _code_cells(notebook, where)
        except (ValueError, KeyError, TypeError) as error:
            raise LeakError(f"{where} is no notebook: {error}") from error
        texts += _strings(notebook)
    _search(texts, where, secrets)
    for module in modules:
        _check_bodies(module, where, secrets)


def _code_cells(notebook: dict[str, Any], where: str) -> list[str]:
    """The code cells, which must have no output: images cannot be searched."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if any(cell["outputs"] for cell in cells):
        raise LeakError(f"{where} has outputs; a release has none.")
    return [_MAGIC.sub(r"\1pass", "".join(cell["source"])) for cell in cells]


def _strings(node: Any) -> Iterator[str]:
    """Every string in a JSON document, and the text of each list of lines."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _strings(value)
    elif isinstance(node, list):
        yield "".join(item for item in node if isinstance(item, str))
        for item in node:
            yield from _strings(item)


def _search(texts: list[str], where: str, secrets: Secrets) -> None:
    for text in texts:
        marker = _MARKER.search(text)
        if marker:
            raise LeakError(f"{where} still has a marker: '{marker.group()}'.")
        squeezed = squeeze(text)
        for secret, origin in secrets.texts.items():
            if secret in squeezed:
                raise LeakError(f"{where} shows a line of the {origin}.")


def _check_bodies(module: str, where: str, secrets: Secrets) -> None:
    """A graded function has a docstring at most, and raises NotImplementedError."""
    try:
        tree = ast.parse(module)
    except SyntaxError as error:
        raise LeakError(f"{where} is not Python, so it cannot be read.") from error
    for name, function in _functions(tree):
        if name in secrets.graded:
            body = function.body[1:] if ast.get_docstring(function) else function.body
            if len(body) != 1 or not _is_stub(body[0]):
                raise LeakError(f"{where}: {name} has a body; it is for students.")


def _functions(
    node: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """All functions, wherever they are defined, by qualified name in their class."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        inner = f"{child.name}." if isinstance(child, ast.ClassDef) else ""
        yield from _functions(child, inner)


def _is_stub(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Raise)
        and isinstance(statement.exc, ast.Call)
        and isinstance(statement.exc.func, ast.Name)
        and statement.exc.func.id == "NotImplementedError"
    )
