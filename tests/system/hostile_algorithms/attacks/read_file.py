"""Read a file."""

import shutil
import sys

shutil.copyfile(sys.argv[1], "outputs/loot")
