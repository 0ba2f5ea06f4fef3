"""Tell another run something by a file that both see: by a lock, or by opening it."""

import ctypes
import fcntl
import sys
from pathlib import Path

how, who, shared = sys.argv[1:]
with Path(shared).open("rb") as file:
    if how == "lock":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif how == "read lock":
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    else:
        libc = ctypes.CDLL(None)
        if libc.inotify_add_watch(libc.inotify_init(), shared.encode(), 0x20) < 0:
            sys.exit("no watch")
    Path("outputs/loot").write_text(who)
