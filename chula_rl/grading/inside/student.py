"""The student's side: runs cells, and functions that the referee calls."""

import ast
import base64
import contextlib
import io
import os
import socket
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from .endpoint import Endpoint
from .functions import rebound

SHOWN = ("text/plain", "image/png")
_VALUES = (torch.Tensor, np.ndarray, int, float, str, tuple, list, dict)


class _DisplayHook(DisplayHook):
    """Keeps the value of a cell's last line instead of printing it."""

    def write_output_prompt(self) -> None:
        """Nothing: a page numbers its cells itself."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Keep the value."""
        shell: Any = self.shell
        shell.shown.append(_display(format_dict))

    def finish_displayhook(self) -> None:
        """Nothing: the base class ends a line."""


class _DisplayPublisher(DisplayPublisher):
    """Keeps what a cell displays."""

    def publish(self, data: Any, *args: Any, **rest: Any) -> None:
        """Keep it."""
        shell: Any = self.shell
        shell.shown.append(_display(data))


class Shell(InteractiveShell):
    """A shell for the cells: no terminal, no history, and what is shown is kept.

    Attributes:
        shown: by the cell that runs, as outputs of a notebook.
    """

    shown: list[dict[str, Any]]
    displayhook_class = Type(_DisplayHook)
    display_pub_class = Type(_DisplayPublisher)

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """Nothing: IPython would keep all that is ever printed."""
        yield

    def transform_cell(self, raw_cell: str) -> str:
        """Plain Python as it is: IPython would take it apart to look for magics."""
        try:
            ast.parse(raw_cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            transformed: str = super().transform_cell(  # type: ignore[no-untyped-call]
                raw_cell
            )
            return transformed
        return raw_cell

    def enable_gui(self, gui: str | None = None) -> None:
        """Nothing: there is no window."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        name, text = getattr(etype, "__name__", "Error"), _text(evalue)
        self.shown.append(
            {"output_type": "error", "ename": name, "evalue": text, "traceback": stb}
        )


def make_shell() -> Shell:
    """The shell in which a student's cells run."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=config)
    display: Any = shell.display_formatter
    for kind, formatter in display.formatters.items():
        formatter.enabled = kind in SHOWN
    shell.shown = []
    return shell


def serve(sock: socket.socket, limit: int, output: int, shell: Shell) -> None:
    """Do what the referee asks for until it hangs up.

    Args:
        sock: the connection.
        limit: bytes of a message.
        output: characters that a cell may show.
        shell: where the cells run.
    """
    student = _Student(shell, output)
    endpoint = Endpoint(sock, limit, student.find, student.may_export, forget=False)
    student.endpoint = endpoint
    sys.stdout = sys.stderr = _Capped(0)  # what is printed in a call is dropped
    torch.manual_seed(0)
    np.random.seed(0)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            endpoint.receive_and_serve()


class _Student:
    """Finds what the referee calls."""

    def __init__(self, shell: Shell, output: int) -> None:
        self.shell, self.output = shell, output
        self.endpoint: Endpoint | None = None

    def find(self, target: dict[str, Any]) -> Callable[..., Any]:
        """The function that a target means."""
        if target == {"service": "run"}:
            return self.run
        if "value" in target:
            value = self._resolve(target["value"])
            return lambda: value
        function: Callable[..., Any] = self._resolve(target)
        return function

    def may_export(self, value: Any) -> bool:
        """Objects of the student's own classes, and functions; no disguised values."""
        own = type(value).__module__ == "__main__"
        return callable(value) or (own and not isinstance(value, _VALUES))

    def run(self, code: str) -> list[dict[str, Any]]:
        """Run a cell; give what it showed, as outputs of a notebook."""
        self.shell.shown = []
        with _captured(self.output) as streams:
            run_cell: Any = self.shell.run_cell
            run_cell(code, store_history=False)
        printed = [
            {"output_type": "stream", "name": name, "text": stream.getvalue()}
            for name, stream in streams.items()
            if stream.getvalue()
        ]
        return [*printed, *self.shell.shown]

    def _resolve(self, target: dict[str, Any]) -> Any:
        if "attribute" in target:
            return getattr(self._resolve(target["of"]), target["attribute"])
        if "export" in target:
            assert self.endpoint is not None
            return self.endpoint.exported[target["export"]]
        name = target["name"]
        if name not in self.shell.user_ns:
            raise NameError(f"name '{name}' is not defined")
        found, names = self.shell.user_ns[name], target.get("globals")
        if names and isinstance(found, types.FunctionType):
            return rebound(found, names)
        return found


class _Capped(io.StringIO):
    """Keeps the first characters that are written."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        """Take a text, whole or in part."""
        super().write(text[: self._left])
        self._left -= min(len(text), self._left)
        return len(text)


@contextlib.contextmanager
def _captured(limit: int) -> Iterator[dict[str, _Capped]]:
    streams = {"stdout": _Capped(limit), "stderr": _Capped(limit)}
    with (
        contextlib.redirect_stdout(streams["stdout"]),
        contextlib.redirect_stderr(streams["stderr"]),
    ):
        yield streams


def _display(data: dict[str, Any]) -> dict[str, Any]:
    shown = {kind: data[kind] for kind in SHOWN if kind in data}
    picture = shown.get("image/png")
    if isinstance(picture, bytes):
        shown["image/png"] = base64.b64encode(picture).decode()
    return {"output_type": "display_data", "data": shown, "metadata": {}}


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the text of a student's own error class
        return ""


def null_streams() -> None:
    """Point standard input, output and error to nothing."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
