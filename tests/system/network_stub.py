"""A tiny node for tests, sound or faulty: python network_stub.py FOLDER ENDPOINT_FILE.

Its manner is the name of the folder. The country is the part of the endpoint file's name before
the first dot.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

ANSWER = {
    "meta": {"returnedGranularity": "count"},
    "responseSummary": {"exists": True, "numTotalResults": 3},
}


def stub_command(launch) -> list[str]:
    """Build the command line of this node, for ``running_nodes``."""
    return [sys.executable, __file__, str(launch.folder), str(launch.endpoint)]


def answer(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def read_request(reader: asyncio.StreamReader) -> str:
    """Read the head of a request, in lower case."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    for line in head.splitlines():
        if line.startswith("content-length:"):
            await reader.readexactly(int(line.split(":")[1]))
    return head


WHOLE = answer(json.dumps(ANSWER).encode())


def error(status: str, message: str) -> bytes:
    body = {"error": {"errorCode": int(status[:3]), "errorMessage": message}}
    return answer(json.dumps(body).encode(), status)


SAID = {
    "error500": error("500 Internal Server Error", "the disk is full"),
    "refusing": error("400 Bad Request", "start is negative"),
    "redirect": answer(b"", "302 Found", "Location: http://127.0.0.1:9/elsewhere\r\n"),
    "garbage": answer(b"<html>It works!</html>"),
    "no-summary": answer(b"{}"),
    "half": WHOLE[:-20],
    "post-refused": error("405 Method Not Allowed", "only GET"),
}
BOOLEAN = {"meta": {"returnedGranularity": "boolean"}, "responseSummary": {"exists": True}}
SAID["boolean"] = answer(json.dumps(BOOLEAN).encode())
CLOSING = ("half", "closing")  # close the connection unannounced
# (head, bytes sent repeatedly, pause in seconds)
NEVER_ENDING = {
    "trickle": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ", 0.05),
    "endless": (b"HTTP/1.1 200 OK\r\n\r\n", b"[" * 65536, 0),
}


async def serve_one(manner: str, head: str, switch: Path, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; False: close the connection. ``switch``: a file that says "hang"."""
    if manner == "hung" or (manner == "switched" and switch.exists()):
        await asyncio.sleep(3600)
    while manner == "busy" and "/g_variants" in head and switch.exists():  # it answers probes
        await asyncio.sleep(0.01)
    if manner == "slow":
        await asyncio.sleep(0.3)
    if manner == "get-only" and head.startswith("post"):
        manner = "post-refused"
    if manner == "token":
        said = [line for line in head.splitlines() if line.startswith("authorization:")]
        writer.write(error("403 Forbidden", said[0] if said else "no token"))
        return True
    if manner in NEVER_ENDING:
        head, piece, pause_s = NEVER_ENDING[manner]
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
    writer.write(SAID.get(manner, WHOLE))
    await writer.drain()
    return manner not in CLOSING


async def main(manner: str, endpoint: Path) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await read_request(reader)
            while await serve_one(manner, head, endpoint.parent / "hang", writer):
                head = await read_request(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if manner == "nobody":  # the port is free again: connections are refused
        server.close()
    if manner == "with-child":  # a process that is reachable through the process group only
        child = subprocess.Popen(["sleep", "3600"])
        (endpoint.parent / "child.pid").write_text(str(child.pid))
    said = {
        "country": endpoint.name.split(".")[0],
        "url": f"http://127.0.0.1:{port}/api/",
        "pid": os.getpid(),
    }
    aside = endpoint.with_suffix(".part")
    aside.write_text(json.dumps(said))
    aside.rename(endpoint)
    await asyncio.sleep(3600)


if __name__ == "__main__":
    folder, endpoint_file = Path(sys.argv[1]), Path(sys.argv[2])
    if folder.name == "broken":
        print("Traceback (most recent call last):")
        sys.exit("variants.sqlite: not a database")
    if folder.name == "silent":
        import time

        print("loading ...", flush=True)
        time.sleep(3600)
    if folder.name == "stubborn":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asyncio.run(main(folder.name, endpoint_file))
