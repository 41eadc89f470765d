"""The sandbox's first process: imports torch once, then forks for every submission.

It is trusted, and never runs a line of a student's. On its control socket, whose
descriptor is its argument, arrive for each submission a message and two sockets: one
for the student's process, and one on which the process that watches it reports how it
ended.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import gymnasium
import matplotlib.pyplot as plt
import torch

from chula_rl.envs import ENV_ID

from . import jail, student

_FIRST = 3  # descriptor after those of the standard streams
_PARTS = 65_536
_ALGORITHMS = ("reinforce", "a2c", "ddpg")


def main() -> None:
    """Serve until the grader hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    shell = student.make_shell()
    _warm_up()
    gc.collect()
    gc.freeze()  # so that a child's collector does not copy every page
    signal.signal(signal.SIGCHLD, _reap)
    control.sendall(b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _PARTS, 2)
        if not message:
            return
        request = json.loads(message)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            talk, report = descriptors
            _guard(request, talk, report, shell)
        for descriptor in descriptors:
            os.close(descriptor)


def _reap(_signal: int, _frame: object) -> None:
    """Let no process that has ended stand in the table of processes."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _guard(request: dict[str, Any], talk: int, report: int, shell: Any) -> None:
    """Start the student's process in a jail, watch it, report how it ended."""
    status = socket.socket(fileno=report)
    try:
        jailed = request["jailed"]
        others = {int(process.name) for process in Path("/proc").glob("[0-9]*")}
        if jailed:
            jail.new_processes()
        child = os.fork()
        if child == 0:
            status.close()
            _student(request, talk, shell)
        os.close(talk)

        def hung_up(seconds: float) -> bool:
            return bool(select.select([status], [], [], seconds)[0])

        counted = others.__contains__ if jailed else child.__ne__
        result = jail.watch(child, hung_up, request["limits"], counted)
    except OSError as error:
        result = {"ended": "failed", "error": str(error)}
    with contextlib.suppress(OSError):
        status.sendall(json.dumps(result).encode())
    os._exit(0)


def _student(request: dict[str, Any], talk: int, shell: Any) -> None:
    code = 1
    try:
        sock = socket.socket(fileno=os.dup2(talk, _FIRST))
        os.closerange(_FIRST + 1, 4096)
        os.setsid()  # a signal to its process group would reach this process's parents
        student.null_streams()
        limits = request["limits"]
        if request["jailed"]:
            jail.enter(limits, request["user"])
        sock.sendall(b"ready")
        student.serve(sock, limits["message_size"], limits["output"], shell)
        code = 0
    finally:
        os._exit(code)


def _warm_up() -> None:
    """Import what assignments use, and let libraries make what they make once."""
    for name in ("tqdm", *(f"chula_rl.algorithms.{name}" for name in _ALGORITHMS)):
        importlib.import_module(name)

    torch.set_num_threads(1)
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.randn(3, 2)).sum().backward()
    optimizer.step()
    gymnasium.make_vec(ENV_ID, num_envs=2).reset(seed=0)
    plt.close(plt.figure())


if __name__ == "__main__":
    main()
