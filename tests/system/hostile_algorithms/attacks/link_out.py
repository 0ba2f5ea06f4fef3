"""Give a link to a file of the machine instead of a result."""

import sys
from pathlib import Path

Path("outputs/loot").symlink_to(sys.argv[1])
