"""Fill the disk: with one file, or with empty ones."""

import sys
import time
from pathlib import Path

how, number = sys.argv[1], int(sys.argv[2])
if how == "bytes":
    with Path("tmp/full").open("wb") as file:
        for _ in range(number):
            file.write(bytes(1 << 20))
else:
    for i in range(number):
        Path(f"tmp/{i}").touch()
    time.sleep(0.5)
Path("outputs/loot").write_text(str(number))
