"""Makes the mutants of a solution cell.

Arguments are checked, and diagnostics returned, as a student likes: what only serves
these is left as it is.
"""

import ast
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from chula_rl.grading import markers
from chula_rl.grading.mutants.calls import CALLS
from chula_rl.grading.mutants.expressions import EXPRESSIONS
from chula_rl.grading.mutants.scope import CUT, MERGED, Scope
from chula_rl.grading.mutants.statements import BLOCKS, STATEMENTS

_BOUNDARIES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_Place = tuple[ast.AST, Callable[[ast.AST], None]]  # a node, and what replaces it


@dataclass(frozen=True)
class Mutant:
    """A solution with one mistake.

    Attributes:
        operator: the kind of mistake.
        source: the text of the solution cell.
        change: the lines that differ, ``-`` and ``+`` before them, without indentation.
        diff: the same with the lines around them.
    """

    operator: str
    source: str
    change: str
    diff: str


def make(cell: str, where: str) -> list[Mutant]:
    """All mutants of a solution cell.

    Args:
        cell: its text, with solution markers.
        where: its name, for messages.

    Raises:
        MarkerError: the markers are not sound.
    """
    tree = ast.parse(cell)
    normal = ast.unparse(tree)
    made: dict[str, Mutant] = {}
    for function in _solved(tree, cell, where):
        for operator in _mutations(function):
            text = ast.unparse(tree)
            if text != normal and text not in made:
                made[text] = Mutant(operator, text, *_difference(normal, text))
    return list(made.values())


def plain(cell: str) -> str:
    """A solution cell in the form of its mutants: without comments."""
    return ast.unparse(ast.parse(cell))


def _solved(tree: ast.Module, cell: str, where: str) -> list[ast.FunctionDef]:
    """The functions and methods whose body is a solution."""
    blocks = markers.parse(cell, where)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        if any(node.lineno <= b.begin < (node.end_lineno or 0) for b in blocks)
    ]


def _mutations(function: ast.FunctionDef) -> Iterator[str]:
    """Change the function, yield the operator's name, and change it back."""
    scope = Scope.of(function)
    kept = _ungraded(function)
    if ast.get_docstring(function) is not None:
        kept.add(function.body[0])
    yield from _in_block(function.body, scope, kept)
    for statement in function.body:
        yield from _in_node(statement, scope, kept)


def _in_node(
    node: ast.AST,
    scope: Scope,
    kept: set[ast.AST],
    without: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Mutations of what is in a node, without operators that would change nothing."""
    if node in kept or _is_size(node):
        return
    if isinstance(node, ast.stmt) and _is_guard(node):
        yield from _in_guard(node)
        return
    without |= _useless(node)
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if isinstance(block, list) and block:
            yield from _in_block(block, scope, kept, without)
    for child, replace in _places(node):
        for name, operator in (EXPRESSIONS | CALLS).items():
            for other in () if name in without else operator(child, scope):
                replace(other)
                yield name
                replace(child)
        yield from _in_node(child, scope, kept, without)


def _in_block(
    block: list[ast.stmt],
    scope: Scope,
    kept: set[ast.AST],
    without: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Mutations of a list of statements, and of the statements in it as such."""
    before = list(block)
    free = [i for i, s in enumerate(before) if s not in kept and not _is_guard(s)]
    for i in free:
        for name, change in STATEMENTS.items():
            for others in () if name in without else change(before[i], scope):
                block[i : i + 1] = others or [ast.Pass()]
                yield name
                block[:] = before
    start, end = (free[0], free[-1] + 1) if free else (0, 0)
    for i in free:
        for name, rearrange in BLOCKS.items():
            for others in rearrange(before[start:end], i - start):
                block[start:end] = others
                yield name
                block[:] = before


def _in_guard(guard: ast.stmt) -> Iterator[str]:
    """A check of arguments may be missing, but it must not refuse what is right."""
    for node in ast.walk(guard):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _BOUNDARIES:
            before = list(node.ops)
            node.ops[0] = _BOUNDARIES[type(before[0])]()
            yield "guard"
            node.ops = before


def _places(node: ast.AST) -> Iterator[_Place]:
    """The nodes below a node that operators may replace."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "format_spec"):
            continue
        if isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield item, partial(value.__setitem__, i)
        elif isinstance(value, ast.AST):
            yield value, partial(setattr, node, field)


def _is_guard(statement: ast.stmt) -> bool:
    """Whether a statement does nothing but refuse arguments."""
    if isinstance(statement, ast.Raise | ast.Assert):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return ast.unparse(statement.value.func).startswith("check_")
    if isinstance(statement, ast.If | ast.For) and not statement.orelse:
        names = ast.Assign, ast.AnnAssign
        work = [s for s in statement.body if not isinstance(s, names)]
        return bool(work) and all(_is_guard(s) for s in work)
    return False


def _is_size(node: ast.AST) -> bool:
    """Whether all that counts of an expression is a size or a type."""
    match node:
        case ast.Attribute(_, "shape" | "ndim" | "dtype" | "device"):
            return True
        case ast.Call(ast.Name("len")) | ast.Call(ast.Attribute(_, "empty_like")):
            return True
        case ast.Call(ast.Attribute(_, "zeros_like" | "ones_like")):
            return True
    return False


def _useless(node: ast.AST) -> frozenset[str]:
    """Operators that would change nothing in a node."""
    match node:
        case ast.Call(ast.Attribute(_, "detach")):
            return frozenset({CUT})
        case ast.With([ast.withitem(context)]) if "no_grad" in ast.unparse(context):
            return frozenset({CUT})
        case ast.BinOp(ast.Name("terminated"), _, ast.Name("truncated")):
            return frozenset({MERGED})
    return frozenset()


def _ungraded(function: ast.FunctionDef) -> set[ast.AST]:
    """Statements that only make the diagnostics which an update returns.

    A call whose result is not used may have an effect, so it stays in.
    """
    if function.returns is None or not ast.unparse(function.returns).startswith("dict"):
        return set()
    kept: set[ast.AST] = {s for s in function.body if isinstance(s, ast.Return)}
    for statement in reversed(function.body):
        if isinstance(statement, ast.Assign) and not isinstance(
            statement.value, ast.Call
        ):
            made = {n for target in statement.targets for n in _names(target)}
            others = [s for s in function.body if s not in kept and s is not statement]
            if not any(made & _names(s) for s in others):
                kept.add(statement)
    return kept


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _difference(before: str, after: str) -> tuple[str, str]:
    lines = list(
        difflib.unified_diff(before.split("\n"), after.split("\n"), n=2, lineterm="")
    )[2:]
    changed = [line[0] + line[1:].strip() for line in lines if line[0] in "+-"]
    return "\n".join(changed), "\n".join(lines)
