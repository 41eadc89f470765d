"""Operators on numbers, names and conditions: what a student may have written instead.

An operator gets a node and the scope, and yields other nodes for its place. They may
share parts with it, since only their text is used.
"""

import ast
from collections.abc import Iterator

from chula_rl.grading.mutants.scope import MERGED, Operator, Scope, change, expression

_OTHER_OPERATIONS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.FloorDiv: (ast.Mod,),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
    ast.BitAnd: (ast.BitOr,),
}
_NOT_COMMUTATIVE = (ast.Sub, ast.Div, ast.Pow, ast.Mod, ast.FloorDiv, ast.MatMult)
_COMPARISONS: tuple[tuple[type[ast.cmpop], ...], ...] = (
    (ast.Lt, ast.LtE, ast.Gt, ast.GtE),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
)


def operations(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """Signs, another arithmetic operation, operands in the other order."""
    match node:
        case ast.UnaryOp(ast.USub(), operand):
            yield operand
        case ast.BinOp(left, op, right):
            for other in _OTHER_OPERATIONS.get(type(op), ()):
                yield ast.BinOp(left, other(), right)
            if isinstance(op, _NOT_COMMUTATIVE):
                yield ast.BinOp(right, op, left)


def dropped_operands(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """A term, a factor or a condition is missing."""
    match node:
        case ast.BinOp(left, _, right):
            yield left
            yield right
        case ast.BoolOp(op, values):
            yield from values
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)


def constants(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """A number that is another one, a flag that is set otherwise."""
    match node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            for number in (value + 1, value - 1, 0):
                yield expression(f"{number}")
        case ast.Constant(float(value)):
            for real in (1.0, 0.0, 2 * value, value / 2):
                yield ast.Constant(real)


def conditions(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """Comparisons, and conditions that are negated or missing."""
    match node:
        case ast.Compare(left, [op], comparators):
            family = next(f for f in _COMPARISONS if type(op) in f)
            for other in family:
                yield ast.Compare(left, [other()], comparators)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
            yield body
            yield orelse
        case ast.UnaryOp(ast.Invert() | ast.Not(), operand):
            yield operand


def flags(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The two ways for an episode to end, taken for one."""
    both = {"terminated", "truncated"}
    match node:
        case ast.Name(("terminated" | "truncated") as name, ast.Load()):
            if both <= {*scope.arguments, *scope.locals_}:
                yield expression("terminated | truncated")
                yield expression("terminated & truncated")
                other = (both - {name}).pop()
                yield expression(f"{name} & ~{other}")
            yield expression(f"torch.zeros_like({name})")


def names(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another name of the same sort."""
    match node:
        case ast.Name(name, ast.Load()):
            for other in scope.alike(name, node.lineno):
                yield ast.Name(other)
        case ast.Attribute(base, name):
            for other in scope.alike_attributes(ast.unparse(base), name):
                yield ast.Attribute(base, other)


def settings(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A setting that is ignored, or taken for one minus itself; a count off by one."""
    texts: tuple[str, ...] = ()
    match node:
        case ast.Name(name, ast.Load()) if scope.arguments.get(name) == "float":
            texts = ("1.0", "0.0", "1 - {}", "{} ** 2")
        case ast.Attribute(ast.Name("config"), _):
            texts = ("1.0", "0.0", "1 - {}")
        case ast.Name(name, ast.Load()) if scope.arguments.get(name) == "int":
            texts = ("{} + 1", "{} - 1", "0", "1")
        case ast.Call(ast.Name("len"), _):
            texts = ("{} + 1", "{} - 1", "1")
    for text in texts:
        yield change(node, text)


def indices(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """An index or the end of a slice off by one, or missing."""
    match node:
        case ast.Subscript(value, ast.Slice(lower, upper, step)):
            yield value
            slices = [(None, upper, step), (lower, None, step), (lower, upper, None)]
            for shift in ("{} + 1", "{} - 1"):
                if lower:
                    slices.append((change(lower, shift), upper, step))
                if upper:
                    slices.append((lower, change(upper, shift), step))
            yield from (ast.Subscript(value, ast.Slice(*other)) for other in slices)
        case ast.Subscript(value, (ast.Name() | ast.UnaryOp()) as index, context):
            for shift in ("{} + 1", "{} - 1", "0", "-1"):
                yield ast.Subscript(value, change(index, shift))
            if isinstance(context, ast.Load):
                yield value


def loops(node: ast.AST, _: Scope) -> Iterator[ast.AST]:
    """A loop that leaves out its first or last round, or has only one."""
    if isinstance(node, ast.comprehension):
        for part in ("[:-1]", "[1:]", "[:1]", "[::-1]"):
            yield ast.comprehension(
                node.target, change(node.iter, "list({})" + part), node.ifs, 0
            )


EXPRESSIONS: dict[str, Operator] = {
    "operation": operations,
    "dropped operand": dropped_operands,
    "constant": constants,
    "condition": conditions,
    MERGED: flags,
    "other name": names,
    "setting": settings,
    "index": indices,
    "loop": loops,
}
