"""One end of the wire: calls functions of the other side, and serves calls to its own.

Calls are differentiable: the side that ran a function keeps its graph, and the other
asks for vector-Jacobian products when it comes to the backward pass.
"""

import builtins
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from chula_rl import errors

from . import objects, wire
from .arrays import WireError
from .remote import Remote, depend
from .wire import Opaque, Values

MAX_TEXT = 2_000  # characters of an error's message
MAX_DEPTH = 20  # of calls back and forth
_OUR_ERRORS = ("StoppedError", "SandboxError")


class Endpoint:
    """One end of a connection.

    Args:
        sock: the connection; its timeout limits the wait for each part of a message.
        limit: bytes of a message.
        find: gives the function that a call of the other side means by its target.
        may_export: whether a value that is of no kind of the wire may be called by the
            other side through a proxy.
        forget: whether what was exported is closed to the other side again when the
            call that carried it has returned.
        served: bytes of a message that asks for something of this side.
    """

    def __init__(
        self,
        sock: socket.socket,
        limit: int,
        find: Callable[[dict[str, Any]], Callable[..., Any]],
        may_export: Callable[[Any], bool],
        forget: bool,
        served: int | None = None,
    ) -> None:
        self._sock, self._limit = sock, limit
        self._served = limit if served is None else served
        self._find, self._may_export, self._forget = find, may_export, forget
        self.exported: dict[int, Any] = {}
        self._graphs: dict[int, tuple[list[Tensor], list[Tensor]]] = {}
        self._freed: list[int] = []
        self._count = self._depth = 0

    def call(self, target: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the other side.

        What it does to tensors, networks and optimisers among the arguments is done to
        the caller's own. The result is part of the graph where gradients are enabled.

        Raises:
            Exception: what the function raised, as the nearest class known here.
            WireError: an argument or the result cannot be sent.
            EOFError: the other side is gone.
        """
        grad = torch.is_grad_enabled()
        values, optimizers = self._values()
        message = {"op": "call", "target": target, "args": args, "kwargs": kwargs}
        reply, tensors = self.request({**message, "grad": grad}, values)
        try:
            objects.apply(values, optimizers, **reply["changes"])
            outputs = [tensor for tensor in tensors if tensor.requires_grad]
            if outputs:
                leaves = [kept.tensor for kept in values.tensors]
                leaves = [leaf for leaf in leaves if leaf.requires_grad]
                for output in outputs:
                    output.requires_grad_(False)
                depend(self, int(reply["graph"]), outputs, leaves)
            return reply["value"]
        except Exception as error:  # the other side may send whatever it likes
            raise WireError("the reply makes no sense") from error

    def request(
        self, message: dict[str, Any], values: Values
    ) -> tuple[dict[str, Any], list[Tensor]]:
        """Send a message, serve what is asked meanwhile; give reply and its tensors."""
        freed, self._freed = self._freed, []
        self._depth += 1
        try:
            self._send(values.pack({**message, "freed": freed}))
            while True:
                answer, received, optimizers = self._receive()
                if answer.get("op") == "reply":
                    return answer, [kept.tensor for kept in received.tensors]
                if answer.get("op") == "error":
                    raise _known_error(answer.get("kinds"), answer.get("message"))
                if self._depth > MAX_DEPTH:
                    raise WireError("calls back and forth, nested too deeply")
                self.serve(answer, received, optimizers)
        finally:
            self._depth -= 1
            if self._forget and not self._depth:
                self.exported.clear()

    def receive_and_serve(self) -> None:
        """Serve the next message."""
        self.serve(*self._receive())

    def serve(
        self, message: dict[str, Any], values: Values, optimizers: list[Optimizer]
    ) -> None:
        """Do what a message asks for, and reply."""
        try:
            for graph in message["freed"]:
                self._graphs.pop(graph, None)
            if values.size > self._served:
                raise WireError(f"a call with {values.size:,} bytes is too large")
            if message["op"] == "vjp":
                reply = self._vjp(message["graph"], message["gradients"])
            else:
                reply = self._served_call(message, values, optimizers)
            data = self._reply(reply)
            if len(data) > self._limit:
                raise WireError(f"a result of {len(data):,} bytes is too large")
        except BaseException as error:  # of whatever runs here: the other side decides
            kinds = [kind.__name__ for kind in type(error).__mro__]
            text = _text(error)[:MAX_TEXT]
            data = self._values()[0].pack(
                {"op": "error", "kinds": kinds, "message": text}
            )
        self._send(data)

    def vjp(self, graph: int, gradients: list[Tensor | None]) -> list[Tensor | None]:
        """The vector-Jacobian product of a graph that the other side keeps."""
        message = {"op": "vjp", "graph": graph, "gradients": gradients}
        reply, _ = self.request(message, self._values()[0])
        found: list[Tensor | None] = reply["value"]
        return found

    def free(self, graph: int) -> None:
        """Let the other side forget a graph, with the next message."""
        self._freed.append(graph)

    def _served_call(
        self, message: dict[str, Any], values: Values, optimizers: list[Optimizer]
    ) -> dict[str, Any]:
        function = self._find(message["target"])
        with torch.set_grad_enabled(message["grad"] is True):
            value = function(*message["args"], **message["kwargs"])
        leaves = [t for t, _, _ in values.tensors if t.requires_grad]
        return {
            "value": value,
            "changes": objects.changes(values, optimizers),
            "leaves": leaves,
        }

    def _reply(self, reply: dict[str, Any]) -> bytes:
        leaves = reply.pop("leaves", None)
        values, _ = self._values()
        value = values.pack({"value": reply.pop("value", None)})
        outputs = [t for t, _, _ in values.tensors if t.requires_grad]
        if leaves is not None and outputs:
            self._count += 1
            self._graphs[self._count] = (leaves, outputs)
            reply["graph"] = self._count
            kept = [t for pair in self._graphs.values() for ts in pair for t in ts]
            if sum(tensor.nbytes for tensor in kept) > self._limit:
                raise WireError("graphs that take more memory than a message may")
        return self._values()[0].pack({"op": "reply", **reply, "packed": value})

    def _vjp(self, graph: int, gradients: list[Tensor | None]) -> dict[str, Any]:
        leaves, outputs = self._graphs[graph]
        given = [
            (output, gradient)
            for output, gradient in zip(outputs, gradients, strict=True)
            if gradient is not None
        ]
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        found = torch.autograd.grad(
            [output for output, _ in given],
            wanted,
            [gradient for _, gradient in given],
            retain_graph=True,
            allow_unused=True,
        )
        return {"value": [None if g is None else g.detach() for g in found]}

    def _values(self) -> tuple[Values, list[Optimizer]]:
        """A codec for one message, and the optimisers that it will meet."""
        optimizers: list[Optimizer] = []

        def encode(value: Any, values: Values) -> list[Any]:
            parts = objects.encode(value)
            if parts is not None:
                if isinstance(value, Optimizer):
                    optimizers.append(value)
                return parts
            if isinstance(value, Remote) and value._endpoint is self:
                return ["yours", value._target]
            if self._may_export(value):
                self._count += 1
                self.exported[self._count] = value
                return ["mine", self._count]
            return ["opaque", type(value).__name__]

        def decode(parts: list[Any], values: Values) -> Any:
            if parts[0] == "mine":
                return Remote(self, {"export": int(parts[1])})
            if parts[0] == "yours":
                return self._find(parts[1])
            if parts[0] == "opaque":
                return Opaque(str(parts[1])[:80])
            found = objects.decode(*parts)
            if isinstance(found, Optimizer):
                optimizers.append(found)
            return found

        return Values(encode, decode), optimizers

    def _send(self, data: bytes) -> None:
        if len(data) > self._limit:
            raise WireError(
                f"a message of {len(data):,} bytes; at most {self._limit:,} are sent"
            )
        wire.send(self._sock, data)

    def _receive(self) -> tuple[dict[str, Any], Values, list[Optimizer]]:
        data = wire.receive(self._sock, self._limit)
        values, optimizers = self._values()
        message = _mapping(values.unpack(data))
        if "packed" in message:  # the value is packed by itself: its tensors are apart
            values, optimizers = self._values()
            message |= _mapping(values.unpack(message.pop("packed")))
        values.size = len(data)
        return message, values, optimizers


def _mapping(message: Any) -> dict[str, Any]:
    if type(message) is not dict:
        raise WireError("a message that is no mapping")
    return message


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # a message that a stranger's code makes may fail as well
        return ""


def _known_error(kinds: Any, message: Any) -> Exception:
    """The nearest error class that is known here, with the text of the other side.

    It has an attribute ``remote``, so that its text can be told from one of this side.
    """
    error: Exception = RuntimeError(str(message))
    for name in kinds if type(kinds) is list else []:
        kind = getattr(builtins, str(name), None) or getattr(errors, str(name), None)
        if name in _OUR_ERRORS:  # they say how the grader fared
            continue
        if isinstance(kind, type) and issubclass(kind, Exception):
            with contextlib.suppress(TypeError):  # it wants more than a text
                error = kind(str(message))
            break
    error.remote = True  # type: ignore[attr-defined]
    return error
