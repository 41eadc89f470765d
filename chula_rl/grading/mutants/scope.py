"""What names mean in a solution, so that a mutant confuses what a student would."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

CUT, MERGED = "cut gradient", "merged flags"  # operators that are not used everywhere
_ROLES = (  # what is easily taken for one another, beyond arguments of one type
    {"reward", "return_", "value", "next_value", "target", "advantage", "delta"},
    {"baseline", "value", "return_", "following"},
    {"q", "next_q", "target", "reward"},
    {"obs", "next_obs", "final_obs"},
    {"terminated", "truncated", "ended", "goes_on"},
    {"mean", "log_std", "action", "noise", "standardised", "env_action"},
    {"log_prob", "entropy"},
    {"policy_loss", "value_loss", "q_loss", "loss"},
    {"actor", "critic", "target_actor", "target_critic", "online", "target"},
    {"actor_optimizer", "critic_optimizer", "policy_optimizer", "value_optimizer"},
    {"gamma", "lambda_", "tau", "decay"},
    {"value_coef", "entropy_coef", "max_grad_norm"},
    {"capacity", "added", "size", "index", "position"},
)
_NO_GRADIENT = {  # data: nothing that is learnt has a part in it
    *("obs", "next_obs", "final_obs", "action", "reward", "terminated", "truncated"),
    *("return_", "timestep", "discount", "weight", "noise", "low", "high", "index"),
    *("ended", "goes_on", "shape"),
}


@dataclass(frozen=True)
class Scope:
    """The names of a function.

    Attributes:
        arguments: the annotation of each, without ``| None``.
        locals_: the line in which each name is first bound.
        loops: names that a loop binds.
        attributes: those that the function uses, by the text before the dot.
    """

    arguments: dict[str, str]
    locals_: dict[str, int]
    loops: set[str]
    attributes: dict[str, set[str]]

    @classmethod
    def of(cls, function: ast.FunctionDef) -> Self:
        """The scope of a function."""
        a = function.args
        arguments = {
            arg.arg: ast.unparse(arg.annotation).removesuffix(" | None")
            for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)
            if arg.annotation
        }
        locals_: dict[str, int] = {}
        loops: set[str] = set()
        attributes: dict[str, set[str]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                locals_[node.id] = min(node.lineno, locals_.get(node.id, node.lineno))
            elif isinstance(node, ast.Attribute):
                attributes.setdefault(ast.unparse(node.value), set()).add(node.attr)
            elif isinstance(node, ast.For | ast.comprehension):
                loops |= {
                    n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)
                }
        return cls(arguments, locals_, loops, attributes)

    def alike(self, name: str, line: int) -> list[str]:
        """Other names bound before a line that a student may take for this one."""
        kind = self.arguments.get(name)
        bound = {n for n, first in self.locals_.items() if first < line}
        same = {n for n, other in self.arguments.items() if other == kind}
        same |= _same_role(name) & (bound | set(self.arguments))
        return sorted(same - {name})

    def alike_attributes(self, base: str, name: str) -> list[str]:
        """Other attributes of the same object that a student may take for this one."""
        return sorted(_same_role(name) & self.attributes.get(base, set()) - {name})

    def is_tensor(self, name: str) -> bool:
        """Whether a name may stand for a tensor."""
        kind = "Tensor" if name in self.locals_ and name not in self.loops else ""
        return self.arguments.get(name, kind) == "Tensor"

    def may_have_gradient(self, name: str) -> bool:
        """Whether a name may stand for a tensor with a gradient."""
        return self.is_tensor(name) and name not in _NO_GRADIENT


def _same_role(name: str) -> set[str]:
    return {other for role in _ROLES if name in role for other in role}


Operator = Callable[[ast.AST, Scope], Iterator[ast.AST]]  # what may be in its place


def expression(text: str) -> ast.expr:
    """The node of a text."""
    return ast.parse(text, mode="eval").body


def change(node: ast.AST, text: str) -> ast.expr:
    """An expression with ``{}`` for the old one."""
    return expression(text.format(f"({ast.unparse(node)})"))
