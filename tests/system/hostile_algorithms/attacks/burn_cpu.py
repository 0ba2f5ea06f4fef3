"""Use CPU, in children that live for a moment each."""

import os
import sys
import time
from pathlib import Path

end = time.process_time() + float(sys.argv[1])
spent = 0.0
while spent < float(sys.argv[1]):
    if os.fork() == 0:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        os._exit(0)
    os.wait()
    spent += 0.2
Path("outputs/loot").write_text(str(spent))
