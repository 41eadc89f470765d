"""Operators on calls: one that is missing or another one, its arguments, its result."""

import ast
import itertools
from collections.abc import Iterator
from typing import Any

import torch

from chula_rl.grading.mutants.scope import CUT, Operator, Scope, change, expression

_PAIRS = (
    ("mean", "sum"),
    ("square", "abs"),
    ("minimum", "maximum"),
    ("min", "max"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("exp", "log"),
    ("cat", "stack"),
    ("logical_or", "logical_and"),
)
_OTHER_CALLS = dict(_PAIRS) | {second: first for first, second in _PAIRS}
_MODULES = ("torch", "math", "np", "nn", "F", "losses", "returns")
_NO_GRADIENT = (  # how the names of such functions end
    *("len", "range", "reversed", "zip", "enumerate", "min", "max", "_", "Transition"),
    *("rewards_to_go", "n_step_returns", "gae", "td_target", "successor_obs"),
)
_IN_PLACE: dict[type[ast.operator], str] = {
    ast.Add: "add_",
    ast.Sub: "sub_",
    ast.Mult: "mul_",
    ast.Div: "div_",
}


def other_calls(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """Sum for mean and the like; a variance for a deviation; an axis kept."""
    match node:
        case ast.Call(ast.Attribute(value, name), args, keywords):
            if name in _OTHER_CALLS:
                other = ast.Attribute(value, _OTHER_CALLS[name])
                yield ast.Call(other, args, keywords)
            if name in ("mean", "sum") and (args or keywords):
                kept = ast.keyword("keepdim", ast.Constant(True))
                yield ast.Call(node.func, args, [*keywords, kept])
            if name == "exp" and not args:
                yield change(value, "(2 * {}).exp()")
                yield change(value, "({} / 2).exp()")


def dropped_calls(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """A call that is missing: detach, clone, clamp, exp, sum, reversed, ..."""
    match node:
        case ast.Call(ast.Attribute(ast.Name(module), _), args) if module in _MODULES:
            yield from (arg for arg in args if not isinstance(arg, ast.Starred))
        case ast.Call(ast.Attribute(value, _)):
            yield value
        case ast.Call(ast.Name("reversed" | "abs" | "list"), [arg]):
            yield arg


def arguments(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """Two arguments swapped, or one that is not given."""
    if not isinstance(node, ast.Call):
        return
    for args in _swapped(node.args):
        yield ast.Call(node.func, args, node.keywords)
    for i, keyword in enumerate(node.keywords):
        rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
        yield ast.Call(node.func, node.args, rest)
        if keyword.arg in ("dim", "axis"):
            for axis in (0, 1, -1):
                other = ast.keyword(keyword.arg, expression(f"{axis}"))
                yield ast.Call(node.func, node.args, [other, *rest])


def sequences(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """Results in the other order, or one of a list that is missing."""
    if isinstance(node, ast.Tuple | ast.List):
        kind: Any = type(node)
        for elements in _swapped(node.elts):
            yield kind(elements, node.ctx)
        if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
            for i in range(len(node.elts)):
                yield kind([*node.elts[:i], *node.elts[i + 1 :]], node.ctx)


def cut_gradients(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A detach that does not belong there."""
    match node:
        case ast.Name(name, ast.Load()) if scope.may_have_gradient(name):
            yield change(node, "{}.detach()")
        case ast.Call(ast.Name(name)) if not name.endswith(_NO_GRADIENT):
            yield change(node, "{}.detach()")
        case ast.Call(ast.Attribute(ast.Name("agent"), _)):
            yield change(node, "{}.detach()")


def in_place(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """An argument that is changed in place."""
    match node:
        case ast.BinOp(ast.Name(name) as left, op, right):
            if scope.arguments.get(name) == "Tensor" and type(op) in _IN_PLACE:
                method = ast.Attribute(left, _IN_PLACE[type(op)])
                yield ast.Call(method, [right], [])
        case ast.Call(ast.Attribute(ast.Name(module) as value, name), args, keywords):
            owner = torch.Tensor
            if module not in _MODULES and hasattr(owner, f"{name}_"):
                yield ast.Call(ast.Attribute(value, f"{name}_"), args, keywords)


def shapes(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """``[N, 1]`` against ``[N]``; a deviation for its logarithm."""
    match node:
        case ast.BinOp(left, op, right):
            for x in (left, right):
                if isinstance(x, ast.Name) and scope.is_tensor(x.id):
                    wide = change(x, "{}.unsqueeze(-1)")
                    pair = (wide, right) if x is left else (left, wide)
                    yield ast.BinOp(pair[0], op, pair[1])
        case ast.Name("log_std", ast.Load()):
            for text in ("{}.exp()", "{} / 2", "2 * {}"):
                yield change(node, text)


def _swapped(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """Any two of a few items swapped; neighbours only, if there are many."""
    for i, j in itertools.combinations(range(len(items)), 2):
        starred = isinstance(items[i], ast.Starred) or isinstance(items[j], ast.Starred)
        if not starred and (len(items) <= 4 or j == i + 1):
            others = list(items)
            others[i], others[j] = items[j], items[i]
            yield others


CALLS: dict[str, Operator] = {
    "other call": other_calls,
    "dropped call": dropped_calls,
    "arguments": arguments,
    "sequence": sequences,
    CUT: cut_gradients,
    "in place": in_place,
    "shape": shapes,
}
