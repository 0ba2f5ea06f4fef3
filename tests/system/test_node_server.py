"""A node as a real process on a real port: start, answers, bad callers, shutdown."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.process_lifetime import LAUNCHED
from rehearsal.stores.people_store_writer import build_people
from rehearsal.web.server import answering, listening

from .openapi_checks import fuzz
from .starting import told_when_ready

pytestmark = pytest.mark.system

NAMES = ["FI-000001", "FI-000002", "FI-000003"]
VCF = """##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="">
#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT FI-000001 FI-000002 FI-000003
chr22 20000001 . A G . . . GT 0/1 1/1 0/0
""".replace(" ", "\t").replace("\t\n", "\n")
LOOK_UP = {
    "meta": {"apiVersion": "v2.0"},
    "query": {
        "requestedGranularity": "record",
        "requestParameters": {
            "assemblyId": "GRCh38",
            "referenceName": "22",
            "start": [20_000_000],
            "referenceBases": "A",
            "alternateBases": "G",
        },
    },
}
SLOW_MACHINE_S = 30.0
CONTINUE = "Expect: 100-continue"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("nodes") / "FI"
    folder.mkdir()
    people = pd.DataFrame({"id": NAMES, "sex": ["female", "male", "female"], "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    vcf = folder / "all.vcf"
    vcf.write_text(VCF)
    NodeSettings.for_country("FI", "Finland").opened().write(folder)
    build_from_vcf([vcf], people, folder / "variants.sqlite")
    build_people(people, {}, folder / "people.sqlite")
    return folder


def command(folder: Path, endpoint: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "rehearsal", "node", "serve", str(folder)),
        *("--endpoint-file", str(endpoint), *options),
    ]


@contextmanager
def running(folder: Path, endpoint: Path, *options: str):
    process = subprocess.Popen(command(folder, endpoint, *options), stderr=subprocess.PIPE)
    try:
        yield process, told_when_ready(process, endpoint, SLOW_MACHINE_S)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def node(folder, tmp_path_factory):
    """(host, port) of a node that runs for all tests of this module."""
    endpoint = tmp_path_factory.mktemp("run") / "FI.json"
    with running(folder, endpoint) as (process, told):
        yield urlsplit(told["url"]).netloc.split(":")
        assert process.poll() is None, "the node died of a test"


def ask(node, path="/g_variants", body=LOOK_UP):
    connection = http.client.HTTPConnection(*node, timeout=SLOW_MACHINE_S)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_a_node_writes_its_address_and_answers_there(folder, tmp_path):
    endpoint = tmp_path / "FI.json"
    with running(folder, endpoint) as (process, told):
        assert told["country"] == "FI"
        assert told["pid"] == process.pid
        status, body = ask(urlsplit(told["url"]).netloc.split(":"))
        assert status == 200
        record = body["response"]["resultSets"][0]["results"][0]
        everybody = record["frequencyInPopulations"][0]["frequencies"][0]
        assert (everybody["alleleCount"], everybody["alleleNumber"]) == (3, 6)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_node_with_idle_connections(folder, tmp_path, number):
    """Without the signal, the node would keep the second connection longer than this test waits,
    and answer the first with its time limit."""
    endpoint = tmp_path / "FI.json"
    with running(folder, endpoint) as (process, told):
        place = urlsplit(told["url"]).netloc.split(":")
        silent = socket.create_connection(place, timeout=SLOW_MACHINE_S)
        kept = http.client.HTTPConnection(*place, timeout=SLOW_MACHINE_S)
        kept.request("GET", "/info")
        assert kept.getresponse().read()
        process.send_signal(number)
        assert process.wait(timeout=SLOW_MACHINE_S) == 0
        assert not endpoint.exists()
        assert silent.recv(1) == b""
        silent.close()
        kept.close()


def test_a_node_ends_with_its_launcher(folder, tmp_path):
    endpoint = tmp_path / "FI.json"
    program = (
        "import subprocess, sys, time;"
        f"subprocess.Popen({command(folder, endpoint)!r}); time.sleep(600)"
    )
    launched = os.environ | {LAUNCHED: "1"}
    parent = subprocess.Popen([sys.executable, "-c", program], env=launched)
    try:
        told = told_when_ready(parent, endpoint, SLOW_MACHINE_S)
    finally:
        parent.kill()
        parent.wait()
    until = time.monotonic() + SLOW_MACHINE_S
    while is_alive(told["pid"]):
        assert time.monotonic() < until, "the node outlived its launcher"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        # a zombie process is not alive
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_a_node_survives_the_end_of_a_thread_of_its_launcher(folder, tmp_path):
    endpoint, thread_is_gone = tmp_path / "FI.json", tmp_path / "thread-is-gone.json"
    program = f"""
import os, subprocess, threading, time
from pathlib import Path

def start():
    subprocess.Popen({command(folder, endpoint)!r})
    while not Path({str(endpoint)!r}).exists():
        time.sleep(0.02)

thread = threading.Thread(target=start)
thread.start()
thread.join()
while len(os.listdir("/proc/self/task")) > 1:
    time.sleep(0.02)
Path({str(thread_is_gone)!r}).write_text("true")
time.sleep(600)
"""
    launched = os.environ | {LAUNCHED: "1"}
    parent = subprocess.Popen([sys.executable, "-c", program], env=launched)
    try:
        told = told_when_ready(parent, endpoint, SLOW_MACHINE_S)
        assert told_when_ready(parent, thread_is_gone, SLOW_MACHINE_S)
        for _ in range(20):  # a node that is shutting down accepts no connections
            assert ask(urlsplit(told["url"]).netloc.split(":"))[0] == 200
        assert is_alive(told["pid"])
    finally:
        parent.kill()
        parent.wait()


def test_emulated_distance_delays_answers(folder, tmp_path):
    options = ("--delay-ms", "40", "--bandwidth-mbps", "100")
    with running(folder, tmp_path / "FI.json", *options) as (_, told):
        connection = http.client.HTTPConnection(urlsplit(told["url"]).netloc)
        connection.request("GET", "/info")
        started = time.perf_counter()
        response = connection.getresponse()
        body = response.read()
        waited_ms = (time.perf_counter() - started) * 1000
        told_ms = float(response.headers["X-Rehearsal-Delay-Ms"])
        connection.close()
    assert told_ms == pytest.approx(40 + 8 * len(body) / 100_000, abs=0.001)
    assert waited_ms >= 39  # the answer may be on its way when the clock starts


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("header", ["Expect:", CONTINUE, "Transfer-Encoding: chunked"])
def test_a_body_of_ten_megabytes_is_refused_before_it_is_sent(node, tmp_path, header):
    sent, said = tmp_path / "sent", tmp_path / "said"
    sent.write_bytes(b" " * 10_000_000)
    url = f"http://{node[0]}:{node[1]}/g_variants"
    wanted = "%{http_code} %{size_upload}"
    curl = ["curl", "-sS", "-H", header, "--data-binary", f"@{sent}", "-o", str(said), "-w", wanted]
    done = subprocess.run([*curl, url], capture_output=True, text=True, timeout=SLOW_MACHINE_S)
    status, uploaded = done.stdout.split()
    assert status == "413"
    assert "expected at most" in json.loads(said.read_bytes())["error"]["errorMessage"]
    if header == CONTINUE:  # RFC 9110, 10.1.1
        assert int(uploaded) == 0


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"",
        b"GET /g_var",
        b"POST /g_variants HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
        b"POST /g_variants HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x00\x01\x02 nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["nothing", "half a line", "half a body", "bad chunk", "binary", "headers", "long line"],
)
def test_a_dropped_connection_does_no_harm(node, bytes_sent):
    # the node may close the connection first
    with suppress(OSError), socket.create_connection(node) as connection:
        connection.sendall(bytes_sent)
    assert ask(node)[0] == 200


def last_words(connection: socket.socket) -> bytes:
    """Return what a service sends before it closes; empty when it closed while sending."""
    words = b""
    with suppress(ConnectionError):
        while more := connection.recv(1 << 16):
            words += more
    return words


def test_a_head_without_an_end_is_refused(node):
    with socket.create_connection(node, timeout=SLOW_MACHINE_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with suppress(OSError):
            for _ in range(1000):
                connection.sendall(b"X-Padding: " + b"a" * 1000 + b"\r\n")
        said = last_words(connection)
        assert said[:12] in (b"HTTP/1.1 431", b"")
        assert not said or said.endswith(b"at most 98304 bytes, found more")
    assert ask(node)[0] == 200


@asynccontextmanager
async def connected(app):
    """A connection to an application that is served in this process, until the block ends."""
    with listening("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        async with answering(app, listener):
            yield await asyncio.open_connection(*address)


async def large_answer(scope, receive, send):
    """An application that answers 20 MB to everything."""
    body = bytes(20_000_000)
    length = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("begun", [b"", b"GET /service-info HTTP/1.1\r\nHost"])
def test_waiting_for_a_request_head_is_limited(monkeypatch, begun):
    monkeypatch.setattr("rehearsal.web.connections.HEAD_TIMEOUT_S", 0.2)

    async def answer(scope, receive, send):
        raise AssertionError("there is no request")

    async def ask_slowly() -> bytes:
        async with connected(answer) as (reader, writer):
            writer.write(begun)
            said = await reader.read()
            writer.close()
        return said

    assert asyncio.run(ask_slowly()).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_bytes_without_a_request_do_not_keep_a_connection_open(monkeypatch):
    monkeypatch.setattr("rehearsal.web.connections.HEAD_TIMEOUT_S", 0.2)

    async def ask_and_dawdle() -> bytes:
        async with connected(large_answer) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(20_000_000)
            writer.write(b"\r\n")
            said = await asyncio.wait_for(reader.read(), SLOW_MACHINE_S)
            writer.close()
        return said

    assert asyncio.run(ask_and_dawdle()).startswith(b"HTTP/1.1 408 ")


def test_an_answer_in_progress_at_shutdown_is_completed():
    async def ask_and_end() -> int:
        async with connected(large_answer) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            whole = asyncio.ensure_future(reader.read())
        received = len(await whole)
        writer.close()
        return received

    assert asyncio.run(ask_and_end()) == 20_000_000


def test_other_callers_are_served_while_slow_ones_wait(node):
    slow = [socket.create_connection(node) for _ in range(300)]
    try:
        for connection in slow:
            connection.sendall(
                b"POST /g_variants HTTP/1.1\r\nContent-Length: 9\r\nHost: x\r\n\r\n{"
            )
        assert ask(node)[0] == 200
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "variants.sqlite").unlink(),
        lambda folder: (folder / "people.sqlite").unlink(),
        lambda folder: (folder / "node.yaml").unlink(),
        lambda folder: cut_short(folder / "variants.sqlite"),
        lambda folder: cut_short(folder / "people.sqlite"),
        lambda folder: flip_a_bit(folder / "variants.sqlite"),
        lambda folder: flip_a_bit(folder / "people.sqlite"),
        lambda folder: (folder / "variants.sqlite").write_bytes(b"nonsense" * 1000),
        lambda folder: (folder / "node.yaml").write_text("country_code: NO\n"),
    ],
    ids=[
        *("no variants", "no people", "no settings", "variants cut", "people cut"),
        *("variants flipped", "people flipped", "bytes", "yaml"),
    ],
)
def test_a_folder_that_cannot_be_served_is_one_line_and_exit_2(folder, tmp_path, damage):
    copy = tmp_path / "FI"
    copy.mkdir()
    for name in ("variants.sqlite", "people.sqlite", "node.yaml"):
        (copy / name).write_bytes((folder / name).read_bytes())
    damage(copy)
    done = subprocess.run(
        command(copy, tmp_path / "e.json"), capture_output=True, text=True, timeout=SLOW_MACHINE_S
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(copy) in done.stderr
    assert not (tmp_path / "e.json").exists()


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_used_port_is_one_line_and_exit_2(folder, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command(folder, tmp_path / "e.json", "--port", port), capture_output=True, text=True
        )
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr


def test_a_fuzzer_finds_no_server_error_and_no_answer_that_breaks_its_schema(node, tmp_path):
    fuzz(f"http://{node[0]}:{node[1]}", tmp_path)
