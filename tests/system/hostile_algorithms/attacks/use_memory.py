"""Take memory: in one process, in several, in a file of memory that no process maps, or shared."""

import mmap
import os
import sys
import time
from pathlib import Path

how, megabytes = sys.argv[1], int(sys.argv[2])
block = os.urandom(1 << 20)
if how == "file":
    for i in range(megabytes):
        if i % 10 == 0:  # a single file has a limit
            file = os.memfd_create("hidden")
        os.write(file, block)
elif how == "shared":
    held = mmap.mmap(-1, megabytes << 20)
    for i in range(megabytes):
        held[i << 20 : (i + 1) << 20] = block
    held.madvise(mmap.MADV_DONTNEED)  # no process has it any longer, but the machine does
else:
    parts = 4 if how == "processes" else 1
    if parts > 1:
        for _ in range(parts - 1):
            if os.fork() == 0:
                break
    held = [bytearray(block) for _ in range(megabytes // parts)]
time.sleep(1)
Path("outputs/loot").write_text(str(megabytes))
