"""Send a question to a name server."""

import socket
import sys
from pathlib import Path

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(3)
    asking.sendto(b"secret.example", ("127.0.0.1", int(sys.argv[1])))
    Path("outputs/loot").write_bytes(asking.recv(100))
