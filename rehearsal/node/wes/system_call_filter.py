"""The filter of system calls of a sandbox, as a program of the Linux packet filter (seccomp).

A network namespace does not cover every family of sockets (AF_VSOCK reaches the host of a virtual
machine), and io_uring makes sockets without the call ``socket``. The filter allows local sockets
only. It also refuses new namespaces, mounts, tracing, memory that no limit counts (memfd, shared
memory of System V or without a file), changes of the priority and limits of other processes, which
would slow down the process that watches the limits, and what tells one run of another: locks and
uses of the files that all see. It refuses to change what SIGCHLD does: the kernel adds the CPU time
of an ended child to that of its parent only if somebody waits for it, and nobody can wait for the
children of a process that ignores the signal. Numbers of calls:
``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` of Linux.
"""

from __future__ import annotations

import errno
import platform
import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT, _ARGUMENT = 0, 4, 16, 8  # in struct seccomp_data
_OTHER_ABI = 0x40000000  # x32, whose numbers would pass a filter of x86-64
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEW* of clone
_LOCAL = 1  # AF_UNIX
_SHARED_WITHOUT_FILE = 0x21  # MAP_SHARED and MAP_ANONYMOUS of mmap
_CHILD_ENDED = 17  # SIGCHLD
_LOCKS = (6, 7, 37, 38, 1024)  # F_SETLK, F_SETLKW, their forms for open files, F_SETLEASE
_CALLS = {  # by call: the number on x86-64 and on 64-bit ARM
    "add_key": (248, 217),
    "acct": (163, 89),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "fanotify_init": (300, 262),
    "inotify_add_watch": (254, 27),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "ioprio_set": (251, 30),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "mincore": (27, 232),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "request_key": (249, 218),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semget": (64, 190),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
_MACHINES = {  # place in pairs; AUDIT_ARCH; numbers of the calls below
    "x86_64": (0, 0xC000003E, (56, 435, 41, 9, 302, 73, 72, 13)),
    "aarch64": (1, 0xC00000B7, (220, 435, 198, 222, 261, 32, 25, 134)),
}


def filter_program(machine: str | None = None) -> bytes | None:
    """Build the filter.

    Args:
        machine: Name of the architecture as ``uname -m`` gives it. None: that of this machine.

    Returns:
        An array of ``struct sock_filter``. None: the numbers of this architecture's calls are not
        known here.
    """
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return None
    column, audit_name, numbers = known
    clone, clone3, socket, mmap, prlimit, flock, fcntl, sigaction = numbers
    program = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, audit_name, if_true=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_AT_LEAST, _OTHER_ABI, if_false=1),
        _step(_RETURN, _KILL),
    ]
    allowed, refused = _step(_RETURN, _ALLOW), _refused(errno.EPERM)
    for places in _CALLS.values():
        program += _case(places[column], refused)
    # the C library then falls back to clone, whose flags the filter can read
    program += _case(clone3, _refused(errno.ENOSYS))
    flags = _step(_ANY_BIT, _NEW_NAMESPACES, if_false=1)
    program += _case(clone, _argument(0), flags, refused, allowed)
    local = _step(_EQUAL, _LOCAL, if_true=1)
    program += _case(socket, _argument(0), local, _refused(errno.EAFNOSUPPORT), allowed)
    shared = _step(_EQUAL, _SHARED_WITHOUT_FILE, if_false=1)
    masked = _step(_AND, _SHARED_WITHOUT_FILE)
    program += _case(mmap, _argument(3), masked, shared, refused, allowed)
    own = _step(_EQUAL, 0, if_true=1)  # limits of the process itself
    program += _case(prlimit, _argument(0), own, refused, allowed)
    program += _case(sigaction, *_no_change_of_child_signal(refused, allowed))
    # programs that lock their files go on, but no run sees a lock of another one
    locked = _refused(0)
    program += _case(flock, locked)
    locks = [_step(_EQUAL, one, if_true=len(_LOCKS) - row) for row, one in enumerate(_LOCKS)]
    program += _case(fcntl, _argument(1), *locks, allowed, locked)
    program.append(allowed)
    return b"".join(program)


def _no_change_of_child_signal(refused: bytes, allowed: bytes) -> list[bytes]:
    """Allow ``rt_sigaction`` of other signals, and without a new action: a question."""
    return [
        _argument(0),
        _step(_EQUAL, _CHILD_ENDED, if_false=5),
        _argument(1),
        _step(_EQUAL, 0, if_false=2),
        _step(_LOAD, _FIRST_ARGUMENT_AT + _ARGUMENT + _ARGUMENT // 2),  # its upper half
        _step(_EQUAL, 0, if_true=1),
        refused,
        allowed,
    ]


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _case(call: int, *steps: bytes) -> list[bytes]:
    """Take steps for one call; after them, those of the next case."""
    return [_step(_EQUAL, call, if_false=len(steps)), *steps]


def _argument(number: int) -> bytes:
    """Load the lower half of an argument."""
    return _step(_LOAD, _FIRST_ARGUMENT_AT + number * _ARGUMENT)


def _refused(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)
