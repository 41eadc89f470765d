"""Ctrl-C: the first asks to save and stop, the second stops at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

INTERRUPTED = 130  # exit status after Ctrl-C, as in shells


@contextlib.contextmanager
def interrupt_flag() -> Iterator[threading.Event]:
    """A flag that the first Ctrl-C sets; the second one interrupts at once."""
    flag = threading.Event()

    def on_interrupt(_signal: int, _frame: object) -> None:
        flag.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # not print(): the signal may have interrupted one
        os.write(2, b"\nSaving after this update; Ctrl-C again stops at once.\n")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)
