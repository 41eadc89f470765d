"""The referee: runs the tests itself, and the student's cells in the sandbox.

Tests are plain Python. In them the names that students define stand for the functions
in the sandbox; only values cross, and score, inputs and messages never leave here.
"""

import ast
import contextlib
import functools
import io
import json
import os
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from nbformat import NotebookNode

from chula_rl.errors import SandboxError, StoppedError
from chula_rl.grading import markers
from chula_rl.grading.cells import cell_kind
from chula_rl.grading.compare import SEED_VARIABLE
from chula_rl.grading.graft import SKIP
from chula_rl.grading.limits import Limits
from chula_rl.grading.records import CellResult
from chula_rl.grading.sandbox import Sandbox
from chula_rl.grading.sanitize import clean_outputs
from chula_rl.grading.session import Session
from chula_rl.grading.texts import shown

MAX_MESSAGE = 1_000  # characters


@dataclass
class Verdict:
    """What running one notebook gave.

    Attributes:
        results: of each test cell.
        outputs: what each of the student's cells showed, by cell id.
        ends: why its processes ended before their time; see ``sandbox.Ended``.
        cpu_seconds: of the student's processes.
    """

    results: list[CellResult] = field(default_factory=list)
    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0


def run(
    notebook: NotebookNode,
    names: dict[str, set[str]],
    sandbox: Sandbox,
    limits: Limits,
    seed: int,
) -> Verdict:
    """Run a grafted notebook from top to bottom.

    Args:
        notebook: as ``graft`` makes it: its tests are ours, its solutions are not.
        names: what each solution cell has to define, by cell id.
        sandbox: where the student's cells run.
        limits: of this submission.
        seed: of the random inputs of the tests.

    Raises:
        SandboxError: the sandbox has failed; not the student's fault.
    """
    verdict = Verdict()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    defined: set[str] = set()
    shown = False
    with quiet(seed), _session(sandbox, limits, verdict) as session:
        for cell in _code_cells(notebook):
            kind = cell_kind(cell, cell.id)
            if kind == "test":
                result = _test(cell, session, namespace, defined, seed)
                verdict.results.append(result)
                continue
            if kind == "text":  # ours: both sides import the same names
                _execute(cell, namespace)
            defined |= names.get(cell.id, set())
            shown = bool(_show(cell, session, limits.output)) or shown
    if shown:
        verdict.outputs = _outputs(notebook, sandbox, limits)
    return verdict


def _outputs(
    notebook: NotebookNode, sandbox: Sandbox, limits: Limits
) -> dict[str, list[dict[str, Any]]]:
    """What the student's cells show in a process that no test has called.

    In the other one, a function may have kept the inputs of hidden tests.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    left = limits.output
    with _session(sandbox, limits, Verdict()) as session:
        for cell in _code_cells(notebook):
            if cell_kind(cell, cell.id) != "test":
                found[cell.id] = _show(cell, session, left)
                left -= len(json.dumps(found[cell.id]))
    return found


@contextlib.contextmanager
def _session(sandbox: Sandbox, limits: Limits, verdict: Verdict) -> Iterator[Session]:
    """A connection; how it fared is added to the verdict."""
    session = Session(sandbox, limits)
    try:
        yield session
    finally:
        session.close()
        verdict.ends += session.ends
        verdict.cpu_seconds += session.cpu_seconds
    if session.failed:  # the tests took it for an error of the student's
        raise SandboxError(session.failed)


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that the grader runs."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and SKIP not in cell.metadata.get("tags", ())
    ]


def _show(cell: NotebookNode, session: Session, limit: int) -> list[dict[str, Any]]:
    """Run a cell in the sandbox; give what it showed, made harmless."""
    try:
        outputs = session.run(cell.source)
    except SandboxError:  # of the machine, not of the student
        raise
    except StoppedError as error:
        return [error_output(f"StoppedError: {error}")]
    except Exception as error:  # a reply that makes no sense
        return [error_output(f"{type(error).__name__}: {shown(error, 200)}")]
    return clean_outputs(outputs, max(limit, 0))


def _test(
    cell: NotebookNode,
    session: Session,
    namespace: dict[str, Any],
    names: set[str],
    seed: int,
) -> CellResult:
    """Run one test cell here, with the student's names bound to the sandbox."""
    data = cell.metadata.nbgrader
    most = float(data["points"])
    message = ""
    points = most
    torch.manual_seed(seed)
    try:
        session.begin_cell()
        namespace |= {name: session.function(name) for name in names}
        value = _execute(cell, namespace)
        if type(value) in (int, float):  # partial credit
            points = min(max(0.0, float(value)), most)  # 0 for NaN
    except SandboxError:  # of the machine, not of the student
        raise
    except StoppedError as error:
        points, message = 0.0, f"StoppedError: {error}"
    except Exception as error:  # of the tests, or of what they got from the student
        points, message = 0.0, _message(error, cell)
    return CellResult(data["grade_id"], points, most, message)


def _execute(cell: NotebookNode, namespace: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line if that is an expression."""
    body, last = _compiled(cell.source, f"<{cell.id}>")
    exec(body, namespace)
    return eval(last, namespace)


@functools.lru_cache  # the same tests for everybody
def _compiled(source: str, name: str) -> tuple[types.CodeType, types.CodeType]:
    """The code of a cell, and of its last line if that is an expression, else None."""
    body = ast.parse(source).body
    last: ast.expr = ast.Constant(None, lineno=1, col_offset=0)
    if body and isinstance(body[-1], ast.Expr):
        last = body[-1].value
        del body[-1]
    module, value = ast.Module(body, []), ast.Expression(last)
    return compile(module, name, "exec"), compile(value, name, "eval")


def _message(error: Exception, cell: NotebookNode) -> str:
    """What the student may read: of a hidden test's error nothing but its kind.

    Nor the text of an error of theirs, which may hold what earlier hidden tests gave.
    """
    kind = type(error).__name__
    if getattr(error, "remote", False):
        if isinstance(error, NameError):
            return "NameError: the function is not there: does its cell run?"
        return f"{kind}: your code raises it; run the tests in your notebook."
    if isinstance(error, AssertionError) or not is_hidden(error, cell):
        return shown(f"{kind}: {error}", MAX_MESSAGE)
    return f"AssertionError: the tests on random inputs stop with {kind}."


def is_hidden(error: Exception, cell: NotebookNode) -> bool:
    """Whether the line of the cell that failed is in its hidden part."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == f"<{cell.id}>":
            line = trace.tb_lineno - 1
        trace = trace.tb_next
    blocks = markers.parse(cell.source, cell.id)
    return any(block.begin <= line <= block.end for block in blocks)


def defined_names(trusted: NotebookNode) -> dict[str, set[str]]:
    """The functions and classes that each solution cell of an assignment defines."""
    return {
        cell.id: {
            node.name
            for node in ast.parse(cell.source).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        for cell in trusted.cells
        if cell_kind(cell, cell.id) == "solution"
    }


def error_output(message: str) -> dict[str, Any]:
    """An error as an output of a notebook.

    Args:
        message: ``kind: text``.
    """
    kind, _, text = message.partition(": ")
    return {
        "output_type": "error",
        "ename": kind,
        "evalue": text,
        "traceback": [message],
    }


@contextlib.contextmanager
def quiet(seed: int) -> Iterator[None]:
    """No output of tests, and their seed where they look for it."""
    before = os.environ.get(SEED_VARIABLE)
    os.environ[SEED_VARIABLE] = str(seed)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(action="ignore"),
        ):
            yield
    finally:
        if before is None:
            del os.environ[SEED_VARIABLE]
        else:
            os.environ[SEED_VARIABLE] = before
