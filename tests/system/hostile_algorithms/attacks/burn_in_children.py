"""Uses CPU time in children of 50 milliseconds that nobody waits for, so that no process counts it.

SIGCHLD is ignored, or has the flag SA_NOCLDWAIT: then the kernel forgets children that end.
"""

import ctypes
import os
import sys
import time
from pathlib import Path

SIGCHLD, SIG_DFL, SIG_IGN, SA_NOCLDWAIT = 17, 0, 1, 2


class Action(ctypes.Structure):
    """``struct sigaction`` of 64-bit Linux with the GNU C library."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_byte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


how, seconds = sys.argv[1], float(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
handler, flags = (SIG_IGN, 0) if how == "ignore" else (SIG_DFL, SA_NOCLDWAIT)
if libc.sigaction(SIGCHLD, ctypes.byref(Action(handler, flags=flags)), None):
    print("the signal cannot be ignored:", os.strerror(ctypes.get_errno()), flush=True)
until = time.monotonic() + seconds
while time.monotonic() < until:
    if os.fork() == 0:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        os._exit(0)
    time.sleep(0.05)
Path("outputs/loot").write_text("burned")
