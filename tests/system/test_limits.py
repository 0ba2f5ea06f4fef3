"""A node with few files and few requests per caller still serves whoever behaves."""

import json
import resource
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from .starting import told_when_ready
from .test_node_server import ask, folder

__all__ = ["folder"]
pytestmark = [pytest.mark.system, pytest.mark.skipif(shutil.which("curl") is None, reason="curl")]

FILES = 256
SLOW_MACHINE_S = 30


@contextmanager
def running(folder, endpoint, *options, files=None):
    """Address of a node that may open so many files."""

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    command = [sys.executable, "-m", "rehearsal", "node", "serve", str(folder)]
    process = subprocess.Popen(
        [*command, "--endpoint-file", str(endpoint), *options],
        preexec_fn=limit if files else None,
    )
    try:
        place = urlsplit(told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"])
        yield place.hostname, place.port
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def curl(node, *options):
    """Status and seconds of one request by curl."""
    command = ["curl", "-sS", "-m", str(SLOW_MACHINE_S), "-o", "/dev/null"]
    url = f"http://{node[0]}:{node[1]}/service-info"
    done = subprocess.run(
        [*command, "-w", "%{http_code} %{time_total}", *options, url],
        capture_output=True,
        text=True,
        check=True,
    )
    status, seconds = done.stdout.split()
    return int(status), float(seconds)


HEAD = b"POST /g_variants HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"


@pytest.mark.parametrize(
    "sent", [b"", b"POST /g_var", HEAD + b"\r\n{"], ids=["nothing", "half a head", "half a body"]
)
def test_more_connections_than_files_lock_nobody_out(folder, tmp_path, sent):
    with running(folder, tmp_path / "FI.json", files=FILES) as node, ExitStack() as stack:
        for number in range(FILES + 50):
            source = (f"127.0.0.{2 + number % 4}", 0)  # from several addresses
            connection = stack.enter_context(socket.create_connection(node, 5, source))
            with suppress(OSError):
                connection.sendall(sent)
        for _ in range(3):
            status, seconds = curl(node)
            assert status == 200
            assert seconds < 5  # the time limits of slow callers are longer


def test_one_address_has_half_of_the_connections(folder, tmp_path):
    with running(folder, tmp_path / "FI.json", files=FILES) as node, ExitStack() as stack:
        other = socket.create_connection(node, SLOW_MACHINE_S, ("127.0.0.9", 0))
        stack.enter_context(other)
        for _ in range(FILES):
            stack.enter_context(socket.create_connection(node, 5))
        other.sendall(b"GET /service-info HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.recv(12) == b"HTTP/1.1 200"


def test_a_caller_who_asks_too_often_is_told_when_to_come_back(folder, tmp_path):
    with running(folder, tmp_path / "FI.json", "--requests-per-s", "0.1") as node:
        command = ["curl", "-sS", "-D", "-", f"http://{node[0]}:{node[1]}/info"]
        said = [subprocess.run(command, capture_output=True, text=True).stdout for _ in range(3)]
        head, _, body = said[-1].partition("\n\n")
        assert head.startswith("HTTP/1.1 429 Too Many Requests")
        wait_s = int(head.lower().split("retry-after: ")[1].split()[0])
        assert 1 <= wait_s <= 10
        assert json.loads(body)["error"]["errorCode"] == 429
        assert curl(node, "--interface", "127.0.0.5")[0] == 200
        refused = subprocess.run(
            [*command[:-1], f"{command[-1].removesuffix('info')}htsget/variants/x"],
            capture_output=True,
            text=True,
        ).stdout
        assert json.loads(refused.partition("\n\n")[2])["htsget"]["error"] == "InvalidInput"


def test_the_callers_of_a_network_do_not_share_one_limit_at_a_node(folder, tmp_path):
    """With curl as two callers behind a proxy that the network trusts."""
    trust = ("--trusted-proxy", "127.0.0.1")
    nodes, service = tmp_path / "nodes", tmp_path / "network.json"
    nodes.mkdir()
    with running(folder, nodes / "FI.json", "--requests-per-s", "0.1", *trust):
        command = [sys.executable, "-m", "rehearsal", "network", "serve", "--nodes", str(nodes)]
        command += ["--requests-per-s", "0", *trust, "--endpoint-file", str(service)]
        process = subprocess.Popen(command)
        try:
            url = told_when_ready(process, service, SLOW_MACHINE_S)["url"]

            def reason(caller):
                curl = ["curl", "-sS", "-H", f"X-Forwarded-For: {caller}", f"{url}/g_variants"]
                said = json.loads(subprocess.run(curl, capture_output=True, check=True).stdout)
                return said["info"]["nodes"][0].get("reason", "")

            for _ in range(5):
                first = reason("203.0.113.1")
            assert "HTTP 429" in first
            assert "HTTP 429" not in reason("203.0.113.2")
        finally:
            process.kill()
            process.wait()


def test_pipelined_requests_have_a_limit(folder, tmp_path):
    with running(folder, tmp_path / "FI.json") as node:
        with suppress(OSError), socket.create_connection(node, SLOW_MACHINE_S) as connection:
            connection.sendall(b"GET /info HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000)
            while connection.recv(1 << 16):
                pass
        assert ask(node, body=None)[0] == 200


def answered(sent):
    """All that a server in this process says, whose answers are the sizes of the bodies read."""
    import asyncio

    from .test_node_server import connected

    async def answer(scope, receive, send):
        size = 0
        while scope["method"] == "POST" and (message := await receive()):
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        body = str(size).encode()
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})

    async def ask():
        async with connected(answer) as (reader, writer):
            said = b""
            with suppress(OSError):
                writer.write(sent)
                await asyncio.wait_for(writer.drain(), SLOW_MACHINE_S)
                while part := await asyncio.wait_for(reader.read(1000), SLOW_MACHINE_S):
                    said += part
            writer.close()
            return said

    return asyncio.run(ask())


LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def chunked(method, chunk, number):
    head = b"%s / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % method
    return head + chunk * number + b"0\r\n\r\n" + LAST


def test_a_long_body_in_chunks_of_a_kilobyte_is_read():
    said = answered(chunked(b"POST", b"400\r\n" + b" " * 1024 + b"\r\n", 1000))
    assert b"\r\n\r\n1024000HTTP/1.1 200" in said
    assert said.endswith(b"0")


@pytest.mark.parametrize("method", [b"POST", b"GET"])  # a GET is answered without its body
@pytest.mark.parametrize(
    ("chunk", "number"),
    [(b"1\r\n \r\n", 20_000), (b"1;" + b"a" * 50_000 + b"\r\n \r\n", 200)],
    ids=["tiny chunks", "long chunk extensions"],
)
def test_a_body_of_mostly_framing_closes_the_connection(method, chunk, number):
    assert answered(chunked(method, chunk, number)).count(b"HTTP/1.1 200") < 2


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n", b"400"),  # RFC 9112, 3.2
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n", b"200"),
        (b"GET / HTTP/1.0\r\n", b"200"),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", b"400"),
    ],
)
def test_a_request_has_one_host(head, status):
    said = answered(head + b"\r\n")
    assert said.startswith(b"HTTP/1.1 " + status)
    if status == b"400":
        assert b"Host: expected one header, found " in said


def test_bodies_that_never_end_take_no_more_than_their_memory(folder, tmp_path):
    """1,200 bodies of 60 kB: twice of what may be kept. An honest one is read all the same."""
    with running(folder, tmp_path / "FI.json") as node, ExitStack() as stack:
        head = b"POST /individuals HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"
        stalled = []
        for number in range(1200):
            one = socket.create_connection(node, 5, (f"127.0.0.{2 + number % 4}", 0))
            stalled.append(stack.enter_context(one))
            with suppress(OSError):
                one.sendall(head + b" " * 59_000)
        assert ask(node, body=b"{}", path="/individuals")[0] == 200
        stalled[0].settimeout(SLOW_MACHINE_S)
        with suppress(ConnectionResetError):
            assert stalled[0].recv(1) == b""  # dropped: it waited longest


def test_an_answer_that_nobody_reads_is_given_up(monkeypatch):
    import asyncio

    from .test_node_server import connected, large_answer

    monkeypatch.setattr("rehearsal.web.connections.READ_TIMEOUT_S", 0.2)

    async def ask_and_never_read():
        lost = asyncio.Event()

        async def answer(scope, receive, send):
            await large_answer(scope, receive, send)
            while (await receive())["type"] != "http.disconnect":
                pass
            lost.set()

        async with connected(answer) as (reader, writer):
            reader._transport.pause_reading()
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            started = time.monotonic()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError, TimeoutError)):
                await asyncio.sleep(1.0)
                reader._transport.resume_reading()
                await asyncio.wait_for(reader.readexactly(20_000_000), SLOW_MACHINE_S)
            assert time.monotonic() - started < SLOW_MACHINE_S
            writer.close()

    asyncio.run(ask_and_never_read())


def test_a_connection_that_its_caller_resets_leaves_nothing_in_memory():
    """A timer of uvicorn kept such a connection for as long as an idle one may last."""
    import asyncio
    import gc
    import struct

    from rehearsal.web.connections import _Connection

    from .test_node_server import connected

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    def still_there():
        gc.collect()
        return sum(isinstance(one, _Connection) for one in gc.get_objects())

    async def ask_and_reset(sent):
        async with connected(answer) as (_reader, writer):
            before = still_there()
            for _ in range(20):
                at = writer.get_extra_info("peername")
                other_reader, other = await asyncio.open_connection(*at)
                other.write(sent)
                await other_reader.read(12)
                reset = struct.pack("ii", 1, 0)  # close without a farewell
                other.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, reset
                )
                other.transport.abort()
            await asyncio.sleep(0.2)
            left = still_there() - before
            writer.close()
            return left

    assert asyncio.run(ask_and_reset(LAST.replace(b"close", b"keep-alive"))) == 0
    assert asyncio.run(ask_and_reset(HEAD + b"\r\n{")) == 0
