"""Networks and optimisers on the wire: taken apart, put together, and their changes.

A network arrives as a copy of exactly the course's own classes. What a call did to it
goes back as the numbers of its tensors, and the side that sent it puts them into its
own network, which thus never changes its structure.
"""

import importlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from .arrays import WireError, gradient, tensor_of, tensor_parts
from .wire import Values

_NETWORKS = "chula_rl.networks"
_MODULES: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (nn.Sequential, nn.Linear, nn.Tanh, nn.ReLU, nn.LayerNorm)
}
_OWN = ("GaussianPolicy", "DeterministicPolicy", "ValueNetwork", "QNetwork")
_OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__: kind for kind in (SGD, Adam, AdamW, RMSprop)
}
_PLAIN = (bool, int, float, str, tuple, list, type(None))


def encode(value: Any) -> list[Any] | None:
    """The parts of a network or optimiser of a known class; None for anything else."""
    kind = type(value)
    if isinstance(value, nn.Module) and _module_class(kind.__name__) is kind:
        return ["module", *_module_parts(value)]
    if _OPTIMIZERS.get(kind.__name__) is kind:
        return ["optimizer", *_optimizer_parts(value)]
    return None


def decode(kind: str, *parts: Any) -> nn.Module | Optimizer:
    """The inverse of ``encode``, for whatever arrives.

    Raises:
        WireError: they are no parts of a known class.
    """
    if kind == "module":
        return _module_of(*parts)
    if kind == "optimizer":
        return _optimizer_of(*parts)
    raise WireError("an object of an unknown kind")


def changes(values: Values, optimizers: list[Optimizer]) -> dict[str, Any]:
    """What has changed since a message came: tensors, gradients, optimisers' states."""
    tensors, gradients = [], []
    for number, (tensor, data, grad) in enumerate(values.tensors):
        parts = tensor_parts(tensor)
        if parts[2] != data:
            tensors.append([number, parts])
        now = gradient(tensor)
        if (now and now[2]) != grad:
            gradients.append([number, now])
    states = [
        [[values.number(p), dict(state)] for p, state in optimizer.state.items()]
        for optimizer in optimizers
    ]
    return {"tensors": tensors, "gradients": gradients, "states": states}


def apply(
    values: Values,
    optimizers: list[Optimizer],
    tensors: list[Any],
    gradients: list[Any],
    states: list[Any],
) -> None:
    """Make the changes that the other side made to what it was sent.

    Raises:
        WireError: they do not fit what was sent.
    """
    for number, parts in tensors:
        tensor, new = values.tensors[number].tensor, tensor_of(*parts)
        _check_like(new, tensor)
        tensor.data.copy_(new)
    for number, parts in gradients:
        tensor = values.tensors[number].tensor
        new_grad = None if parts is None else tensor_of(*parts)
        if new_grad is not None:
            _check_like(new_grad, tensor)
        tensor.grad = new_grad
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.state.clear()
        for number, entries in state:
            parameter = values.tensors[number].tensor
            optimizer.state[parameter] = _checked_state(entries, parameter)


def _check_like(new: Tensor, old: Tensor) -> None:
    if new.shape != old.shape or new.dtype != old.dtype:
        raise WireError(
            f"a tensor {tuple(old.shape)} was replaced by one {tuple(new.shape)}"
        )


def _checked_state(entries: Any, parameter: Tensor) -> dict[str, Any]:
    for value in entries.values():
        if isinstance(value, Tensor) and value.shape not in ((), parameter.shape):
            raise WireError("an optimiser's state has another shape than its parameter")
    return dict(entries)


def _module_class(name: str) -> type[nn.Module] | None:
    if name in _OWN:
        kind: type[nn.Module] = getattr(importlib.import_module(_NETWORKS), name)
        return kind
    return _MODULES.get(name)


def _module_parts(module: nn.Module) -> list[Any]:
    plain = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, _PLAIN)
    }
    return [
        type(module).__name__,
        plain,
        dict(module._parameters),
        dict(module._buffers),
        dict(module._modules),
    ]


def _module_of(
    name: str,
    plain: dict[str, Any],
    parameters: dict[str, Any],
    buffers: dict[str, Any],
    children: dict[str, Any],
) -> nn.Module:
    kind = _module_class(name)
    if kind is None:
        raise WireError("a network of an unknown class")
    module = kind.__new__(kind)
    nn.Module.__init__(module)
    for key, value in plain.items():
        if hasattr(kind, key) and key != "training":
            raise WireError("a network with a method replaced")
        setattr(module, key, value)
    for key, parameter in parameters.items():
        module.register_parameter(key, parameter)
    for key, buffer in buffers.items():
        module.register_buffer(key, buffer)
    for key, child in children.items():
        module.add_module(key, child)
    return module


def _optimizer_parts(optimizer: Optimizer) -> list[Any]:
    state = [[p, dict(entries)] for p, entries in optimizer.state.items()]
    return [type(optimizer).__name__, optimizer.param_groups, state]


def _optimizer_of(
    name: str, groups: list[dict[str, Any]], state: list[Any]
) -> Optimizer:
    if name not in _OPTIMIZERS:
        raise WireError("an optimiser of an unknown class")
    make: Any = _OPTIMIZERS[name]
    optimizer: Optimizer = make(groups)
    for parameter, entries in state:
        optimizer.state[parameter] = {
            key: value.clone() if isinstance(value, torch.Tensor) else value
            for key, value in entries.items()
        }
    return optimizer
