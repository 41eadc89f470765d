"""System calls that a student's program has no use for, and an attacker has.

A filter of the kernel refuses them with EPERM: new namespaces and mounts, tracing and
memory of other processes, keys, kernel modules and the like, and files in memory that
no limit counts. See seccomp(2).
"""

import ctypes
import errno
import os
import struct

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # instructions of the classic packet filter
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_CLONE_NEW = 0x7E020000  # every flag of clone(2) that asks for a namespace
_ANY_BIT = 0x45
_X32 = 0x40000000
_AT_LEAST = 0x35
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_UNIX, _IP, _IPV6 = 1, 2, 10  # families of sockets

# name: number on x86-64, number on arm64
_REFUSED = {
    "ptrace": (101, 117),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "syslog": (103, 116),
    "acct": (163, 89),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "perf_event_open": (298, 241),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "memfd_create": (319, 279),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
# the column above, the architecture, clone and socket
_MACHINES = {
    "x86_64": (0, 0xC000003E, 56, 41),
    "aarch64": (1, 0xC00000B7, 220, 198),
}
_CLONE3 = 435


def refuse_system_calls() -> None:
    """Install the filter for this process and all that it starts, for good.

    Raises:
        OSError: the machine is of an unknown kind, or the kernel will not.
    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOTSUP, f"no filter of system calls for {machine}")
    program = _program(*_MACHINES[machine])
    buffer = ctypes.create_string_buffer(b"".join(program))

    class _Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    pointer = _Program(len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _FILTER, ctypes.byref(pointer), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def _program(column: int, architecture: int, clone: int, socket: int) -> list[bytes]:
    """The filter: refuse a list, allow the rest, kill what runs as another machine.

    Of the sockets remain those that a network namespace shuts in: one of AF_VSOCK
    reaches the host of a virtual machine from any namespace.
    """
    refused = sorted(numbers[column] for numbers in _REFUSED.values())
    refuse, not_there = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    lines = [
        _line(_LOAD, 4),  # the architecture
        _line(_EQUAL, architecture, 1, 0),
        _line(_RETURN, _KILL),
        _line(_LOAD, 0),  # the number of the call
        _line(_AT_LEAST, _X32, 0, 1),
        _line(_RETURN, refuse),
        _line(_EQUAL, _CLONE3, 0, 1),  # its flags are in memory; libc falls back
        _line(_RETURN, not_there),
    ]
    for number in refused:
        lines += [_line(_EQUAL, number, 0, 1), _line(_RETURN, refuse)]
    return [
        *lines,
        _line(_EQUAL, socket, 0, 6),
        _line(_LOAD, 16),  # its first argument, the family
        _line(_EQUAL, _UNIX, 3, 0),
        _line(_EQUAL, _IP, 2, 0),
        _line(_EQUAL, _IPV6, 1, 0),
        _line(_RETURN, refuse),
        _line(_RETURN, _ALLOW),
        _line(_EQUAL, clone, 0, 3),
        _line(_LOAD, 16),  # its first argument, the flags
        _line(_ANY_BIT, _CLONE_NEW, 0, 1),
        _line(_RETURN, refuse),
        _line(_RETURN, _ALLOW),
    ]


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
