"""Make a socket of every family that the kernel has, but local ones."""

import contextlib
import socket
from pathlib import Path

made = []
for family in range(46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        with contextlib.suppress(OSError), socket.socket(family, kind):
            made.append(family)
others = sorted(set(made) - {socket.AF_UNIX})
if others:
    Path("outputs/loot").write_text(str(others))
