"""Leave a process behind that belongs to nobody."""

import os
import sys
import time
from pathlib import Path

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/bin/sleep", ["sleep", sys.argv[1]])
    os._exit(0)
os.wait()
time.sleep(0.3)
Path("outputs/loot").write_text("left a process")
