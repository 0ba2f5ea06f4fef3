"""Read the command line of a process of the machine."""

import shutil
import sys

shutil.copyfile(f"/proc/{sys.argv[1]}/cmdline", "outputs/loot")
