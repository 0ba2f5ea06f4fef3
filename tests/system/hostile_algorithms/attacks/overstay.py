"""Do nothing for longer than allowed."""

import sys
import time
from pathlib import Path

time.sleep(float(sys.argv[1]))
Path("outputs/loot").write_text("still here")
