"""The sandbox's first process: imports torch once, then forks for every submission.

It is trusted, and never runs a line of a student's. On its control socket, whose
descriptor is its argument, arrive for each submission a message and two sockets: one
for the student's process, which it watches, and one for the report of how that ended.
"""

import contextlib
import gc
import json
import os
import select
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import jail, student
from .warm import warm_up

_FIRST = 3  # descriptor after those of the standard streams
_PARTS = 65_536


def main() -> None:
    """Serve until the grader hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    shell = student.make_shell()
    warm_up()
    gc.collect()
    gc.freeze()  # so that a child's collector does not copy every page
    control.sendall(b"ready")
    ended = ""
    while ended != "failed":  # then all that is left of it ends with this process
        message, descriptors, _, _ = socket.recv_fds(control, _PARTS, 2)
        if not message:
            return
        talk, report = (socket.socket(fileno=number) for number in descriptors)
        with talk, report:
            result = _run(json.loads(message), talk, report, shell)
            ended = result["ended"]
            with contextlib.suppress(OSError):
                report.sendall(json.dumps(result).encode())


def _run(
    request: dict[str, Any], talk: socket.socket, report: socket.socket, shell: Any
) -> dict[str, Any]:
    """Start the student's process in a jail, and watch it; how it ended."""
    jailed = request["jailed"]
    others = {int(process.name) for process in Path("/proc").glob("[0-9]*")}

    def hung_up(seconds: float) -> bool:
        return bool(select.select([report], [], [], seconds)[0])

    try:
        child = jail.fork() if jailed else os.fork()
        if child == 0:
            _student(request, talk, shell)
        talk.close()
        counted = others.__contains__ if jailed else child.__ne__
        return jail.watch(child, hung_up, request["limits"], counted)
    except OSError as error:
        return {"ended": "failed", "error": str(error)}


def _student(request: dict[str, Any], talk: socket.socket, shell: Any) -> NoReturn:
    code = 1
    try:
        sock = socket.socket(fileno=os.dup2(talk.fileno(), _FIRST))
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


if __name__ == "__main__":
    main()
