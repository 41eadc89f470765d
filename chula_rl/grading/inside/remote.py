"""Stand-ins for what is on the other side of the wire: objects and graphs."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Caller(Protocol):
    """What a stand-in needs of its ``Endpoint``."""

    def call(self, target: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the other side."""

    def vjp(self, graph: int, gradients: list[Tensor | None]) -> list[Tensor | None]:
        """The vector-Jacobian product of a graph that the other side keeps."""

    def free(self, graph: int) -> None:
        """Let the other side forget a graph."""


class Remote:
    """Stands for an object of the other side.

    Args:
        endpoint: the connection.
        target: how the other side finds it.
    """

    def __init__(self, endpoint: Caller, target: dict[str, Any]) -> None:
        self._endpoint, self._target = endpoint, target

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._endpoint.call(self._target, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """A method or an attribute of it."""
        if name.startswith("__"):  # of the protocols of Python, only what is below
            raise AttributeError(name)
        target = {"attribute": name, "of": self._target}
        return self._endpoint.call({"value": target})

    def __len__(self) -> int:
        return int(self._endpoint.call({"attribute": "__len__", "of": self._target}))

    def with_globals(self, **names: Any) -> "Remote":
        """The same function with some of the global names that it uses bound otherwise.

        Functions that are bound to names run on this side, when the other calls them.
        """
        return Remote(self._endpoint, {**self._target, "globals": names})

    def __deepcopy__(self, memo: dict[int, Any]) -> "Remote":
        return self


class _Graph:
    """Frees a graph of the other side when nobody here needs it any more."""

    def __init__(self, endpoint: Caller, number: int) -> None:
        self.endpoint, self.number = endpoint, number

    def __del__(self) -> None:
        self.endpoint.free(self.number)


class _Call(torch.autograd.Function):
    """Makes results that came over the wire depend on the leaves that went."""

    @staticmethod
    def forward(ctx: Any, graph: _Graph, count: int, *tensors: Tensor) -> Any:
        ctx.graph, ctx.count = graph, count
        ctx.set_materialize_grads(False)
        ctx.mark_dirty(*tensors[:count])
        return tensors[:count]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        found = ctx.graph.endpoint.vjp(ctx.graph.number, list(gradients))
        return (None, None, *[None] * ctx.count, *found)


def depend(
    caller: Caller, graph: int, outputs: Sequence[Tensor], leaves: Sequence[Tensor]
) -> None:
    """Make outputs depend on leaves, by a graph that the other side keeps; in place."""
    apply: Any = _Call.apply
    apply(_Graph(caller, graph), len(outputs), *outputs, *leaves)
