"""Start as many processes as possible, up to a number that harms nobody."""

import os
import signal
import sys
import time
from pathlib import Path

children = []
for _ in range(int(sys.argv[1])):
    try:
        child = os.fork()
    except OSError:
        break
    if child == 0:
        time.sleep(10)
        os._exit(0)
    children.append(child)
for child in children:
    os.kill(child, signal.SIGKILL)
Path("outputs/loot").write_text(str(len(children)))
