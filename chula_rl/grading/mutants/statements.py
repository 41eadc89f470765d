"""Operators on statements, and on two neighbours: missing, twice, in another order."""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from chula_rl.grading.mutants.scope import CUT, Scope, change, expression

Statements = list[ast.stmt]

_IDEMPOTENT = ("zero_grad", "clip_grad_norm_", "train", "eval")


def deleted(_: ast.stmt, __: Scope) -> Iterator[Statements]:
    """The statement is missing."""
    yield []


def repeated(statement: ast.stmt, _: Scope) -> Iterator[Statements]:
    """It is there twice, unless that makes no difference."""
    idempotent = any(f"{name}(" in ast.unparse(statement) for name in _IDEMPOTENT)
    if isinstance(statement, ast.Expr | ast.AugAssign) and not idempotent:
        yield [statement, statement]


def branches(statement: ast.stmt, _: Scope) -> Iterator[Statements]:
    """A condition that is missing, or negated; a loop that stops after one round."""
    match statement:
        case ast.If(test, body, orelse):
            yield body
            yield orelse
            yield [_with(statement, test=ast.UnaryOp(ast.Not(), test))]
        case ast.For(_, iterated, body):
            yield [_with(statement, body=[*body, ast.Break()])]
            for part in ("[:-1]", "[1:]", "[::-1]"):
                yield [_with(statement, iter=change(iterated, "list({})" + part))]


def gradients(statement: ast.stmt, _: Scope) -> Iterator[Statements]:
    """The block without gradients is missing."""
    if isinstance(statement, ast.With):
        yield statement.body


def cut_gradients(statement: ast.stmt, scope: Scope) -> Iterator[Statements]:
    """The statement is in a block without gradients."""
    bound = _used(statement, ast.Store)
    constant = bound and not any(scope.may_have_gradient(name) for name in bound)
    if constant or ast.unparse(statement).endswith(".detach()"):
        return
    simple = _only_computes(statement) or isinstance(statement, ast.Return)
    if simple and any(isinstance(n, ast.Call | ast.BinOp) for n in ast.walk(statement)):
        block = ast.parse("with torch.no_grad():\n    pass").body[0]
        yield [_with(block, body=[statement])]


def values(statement: ast.stmt, _: Scope) -> Iterator[Statements]:
    """The sign of a whole value, or axes of size one that are lost."""
    text = ast.unparse(statement)
    if "_like(" not in text:  # zeros, or nothing yet
        yield from _with_value(statement, "-{}")
    if "loss = " not in text and not text.endswith(".mean()"):  # scalars
        yield from _with_value(statement, "{}.squeeze()")


def precision(statement: ast.stmt, _: Scope) -> Iterator[Statements]:
    """A result that is rounded to 32 bits."""
    yield from _with_value(statement, "{}.float()")


def assignments(statement: ast.stmt, _: Scope) -> Iterator[Statements]:
    """The sign of ``+=``, or no sum at all; an attribute that all objects share."""
    match statement:
        case ast.AugAssign(target, op, value):
            other = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield [_with(statement, op=other)]
            yield [ast.Assign([target], value, lineno=statement.lineno)]
        case ast.Assign([ast.Attribute(ast.Name("self"), name)], _):
            yield [_with(statement, targets=[expression(f"type(self).{name}")])]


def swapped(block: Statements, i: int) -> Iterator[Statements]:
    """Two neighbours in the other order, if it can matter."""
    if i + 1 == len(block):
        return
    first, second = block[i : i + 2]
    bound = _used(first, ast.Store), _used(second, ast.Store)
    read = _used(first, ast.Load), _used(second, ast.Load)
    related = bound[0] & (bound[1] | read[1]) or read[0] & bound[1]
    harmless = all(_only_computes(s) or _clears(s) for s in (first, second))
    if related or not harmless:
        yield [*block[:i], second, first, *block[i + 2 :]]


def moved(block: Statements, i: int) -> Iterator[Statements]:
    """A call for its effect, much too early or much too late."""
    if isinstance(block[i], ast.Expr):
        others = [*block[:i], *block[i + 1 :]]
        yield [block[i], *others]
        end = [others.pop()] if others and isinstance(others[-1], ast.Return) else []
        yield [*others, block[i], *end]


def indentation(block: Statements, i: int) -> Iterator[Statements]:
    """A statement that slipped into the block before it, or out of it."""
    outer, inside = block[i], getattr(block[i], "body", [])
    before, after = block[:i], block[i + 1 :]
    if after and isinstance(outer, ast.If | ast.For | ast.With):
        yield [*before, _with(outer, body=[*inside, after[0]]), *after[1:]]
        if len(inside) > 1:
            yield [*before, _with(outer, body=inside[:-1]), inside[-1], *after]


def _with(statement: ast.stmt, **fields: Any) -> ast.stmt:
    """The statement with some of its parts replaced."""
    other = copy.copy(statement)
    for field, value in fields.items():
        setattr(other, field, value)
    return other


def _with_value(statement: ast.stmt, text: str) -> Iterator[Statements]:
    """The statement with another value; ``{}`` is the old one."""
    if isinstance(statement, ast.Return) or _only_computes(statement):
        value = statement.value
        if value and not isinstance(value, ast.Tuple | ast.List | ast.Constant):
            yield [_with(statement, value=change(value, text))]


def _only_computes(statement: ast.stmt) -> TypeGuard[ast.Assign]:
    """Whether all that a statement does is to bind names, as far as can be seen."""
    return isinstance(statement, ast.Assign) and "_(" not in ast.unparse(statement)


def _clears(statement: ast.stmt) -> bool:
    return ast.unparse(statement).endswith(".zero_grad()")


def _used(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    """Names that a statement reads or binds; binding a part of it binds a name.

    Those of a comprehension are its own.
    """
    nodes = list(ast.walk(statement))
    inner = {
        name.id
        for node in nodes
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }
    used = {
        name.id
        for node in nodes
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        if isinstance(node.ctx, context)
        for name in ast.walk(node)
        if isinstance(name, ast.Name)
    }
    return used - inner


STATEMENTS: dict[str, Callable[[ast.stmt, Scope], Iterator[Statements]]] = {
    "deleted": deleted,
    "repeated": repeated,
    "branch": branches,
    "no_grad removed": gradients,
    CUT: cut_gradients,
    "value": values,
    "32-bit floats": precision,
    "assignment": assignments,
}
BLOCKS: dict[str, Callable[[Statements, int], Iterator[Statements]]] = {
    "order": swapped,
    "moved": moved,
    "indentation": indentation,
}
