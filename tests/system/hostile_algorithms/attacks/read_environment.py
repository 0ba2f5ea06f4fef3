"""Read a variable of the node's environment, as its child."""

import os
from pathlib import Path

Path("outputs/loot").write_text(os.environ["NODE_SECRET"])
