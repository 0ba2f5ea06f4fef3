"""Leave something for the next run, in a folder that it reads too."""

import sys
from pathlib import Path

mark = Path(sys.argv[1]) / "left_behind"
mark.write_text("left behind")
Path("outputs/loot").write_text(mark.read_text())
