"""Leave something for the next run in shared memory of System V, or find it."""

import ctypes
import sys
from pathlib import Path

libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
create = 0o1000 if sys.argv[1] == "leave" else 0
memory = libc.shmat(libc.shmget(int(sys.argv[2]), 4096, create | 0o666), None, 0)
if memory not in (None, ctypes.c_void_p(-1).value):
    if create:
        ctypes.memmove(memory, b"left behind\0", 12)
    Path("outputs/loot").write_bytes(ctypes.string_at(memory))
