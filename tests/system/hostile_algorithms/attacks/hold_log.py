"""End, with a pipe in place of the log and a process that goes on."""

import os
import sys
from pathlib import Path

Path("log").unlink()
os.mkfifo("log")
if os.fork() == 0:
    os.setsid()
    os.execv("/bin/sleep", ["sleep", sys.argv[1]])
Path("outputs/loot").write_text("left a process")
