"""How fast a node streams genomes over loopback, plain and encrypted at rest, and Crypt4GH itself.

Builds a node of random genotypes (badly compressible, so that bytes and not records are measured)
in a temporary folder. The client reads into one buffer and throws the bytes away. Beside each
rate stands a bare control: the same bytes from one process to another without HTTP or files.

    python bench/htsget.py
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import crypt4gh.keys
import crypt4gh.lib
import numpy as np
import pandas as pd

from rehearsal.export.bcf import GT_KEY, header_text
from rehearsal.export.bgzf import BgzfWriter
from rehearsal.export.crypt4gh import SUFFIX, decrypt_file, encrypt_at_rest, encrypt_file
from rehearsal.export.csi import Records, write_csi
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.node.build import build_from_vcf
from rehearsal.node.people import build_people
from rehearsal.node.settings import NodeSettings

STEP = 100  # bases between records
START = 20_000_000
CHUNK = 1 << 20
BEARER = "Authorization: Bearer bench"
# what is measured is reading, not who may read
OPEN = (
    "import sys; from rehearsal.node import server; from rehearsal.node.htsget import app;"
    "app.may_read = lambda request, dataset: range(int(request.headers.get('left-out', 0)));"
    "sys.exit(server.main(sys.argv[1:]))"
)


# --- a node -------------------------------------------------------------------------------------


def make_node(folder: Path, people: int, megabytes: int, seed: int) -> None:
    """A node with a file on chr1 (few records) and a large one on chr22."""
    rng = np.random.default_rng(seed)
    names = [f"FI-{i + 1:06d}" for i in range(people)]
    records = megabytes * 1_000_000 // (2 * people)
    for contig, number in (("chr1", 10), ("chr22", records)):
        block = Block(contig, START, START + STEP * number)
        write_bcf(folder / "genomes" / f"{block.id}.bcf", block, names, number, rng)
    individuals = pd.DataFrame({"id": names, "sex": "female", "birth_year": 1970})
    individuals = individuals.assign(family=None, father=None, mother=None)
    NodeSettings.for_country("FI", "Finland").opened().write(folder)
    small = next((folder / "genomes").glob("chr1-*.bcf"))
    build_from_vcf([small], individuals, folder / "variants.sqlite")
    build_people(individuals, {}, folder / "people.sqlite")


def write_bcf(path: Path, block: Block, names: list[str], number: int, rng) -> None:  # noqa: ANN001
    path.parent.mkdir(parents=True, exist_ok=True)
    alleles = b"\x07\x17A\x17C\x00"  # no id, A, C, no filter
    shared = struct.pack("<iiIIII", 0, 0, 1, 0x7F800001, 2 << 16, 1 << 24 | len(names)) + alleles
    lengths = struct.pack("<II", len(shared), 3 + 2 * len(names))
    contig = list(CONTIG_LENGTHS).index(block.contig)
    offsets = []
    with BgzfWriter(path) as file:
        text = header_text(CONTIG_LENGTHS, names).encode() + b"\0"
        file.write(b"BCF\2\2" + struct.pack("<I", len(text)) + text)
        for i in range(number):
            offsets.append(file.length)
            place = struct.pack("<ii", contig, block.start + STEP * i)
            genotypes = rng.integers(2, 6, 2 * len(names), np.uint8).tobytes()
            file.write(lengths + place + shared[8:] + bytes((0x11, GT_KEY, 0x21)) + genotypes)
        offsets.append(file.length)
    start = block.start + STEP * np.arange(number, dtype=np.int64)
    virtual = file.virtual_offsets(np.array(offsets, np.int64))
    csi = path.with_name(path.name + ".csi")
    write_csi(csi, CONTIG_LENGTHS, contig, Records(start, start + 1, virtual))


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, int]]:
    """(address, process) of a served node."""
    endpoint = folder / "endpoint.json"
    command = [sys.executable, "-c", OPEN, folder, "--endpoint-file", endpoint]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not endpoint.exists():
            if process.poll() is not None:
                sys.exit(f"the node ended with exit code {process.returncode}")
            time.sleep(0.005)
        yield json.loads(endpoint.read_text())["url"], process.pid
    finally:
        process.terminate()
        process.wait()


# --- measuring ----------------------------------------------------------------------------------


def ask(address: str, left_out: int = 0) -> tuple[socket.socket, bytes]:
    """An open connection and the first bytes of its answer, whose status must be 200."""
    url = urlsplit(address)
    connection = socket.create_connection((url.hostname, url.port))
    target = f"{url.path}?{url.query}"
    fields = (f"Host: {url.netloc}", BEARER, f"left-out: {left_out}", "Connection: close")
    head = "\r\n".join((f"GET {target} HTTP/1.1", *fields, "", ""))
    connection.sendall(head.encode())
    first = connection.recv(CHUNK)
    if not first.startswith(b"HTTP/1.1 200"):
        sys.exit(f"an answer is wrong: {first[:500]!r}")
    return connection, first


def drain(connection: socket.socket) -> int:
    buffer, size = bytearray(CHUNK), 0
    with connection:
        while n := connection.recv_into(buffer):
            size += n
    return size


def body(address: str) -> bytes:
    connection, answer = ask(address)
    with connection:
        while piece := connection.recv(CHUNK):
            answer += piece
    return answer.partition(b"\r\n\r\n")[2]


def streamed(urls: list[dict], left_out: int = 0) -> tuple[float, float]:
    """(megabytes, seconds) of fetching all URLs of a ticket one after the other, the first
    people left out."""
    size, started = 0, time.perf_counter()
    for one in urls:
        if not one["url"].startswith("data:"):
            connection, first = ask(one["url"], left_out)
            size += len(first) + drain(connection)
    return size / 1e6, time.perf_counter() - started


def bare(megabytes: float) -> float:
    """Seconds for the same number of bytes over a loopback socket, out of memory."""
    chunk = bytes(CHUNK)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def give() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(int(megabytes * 1e6 / CHUNK)):
                    connection.sendall(chunk)

        giver = threading.Thread(target=give)
        giver.start()
        started = time.perf_counter()
        drain(socket.create_connection(server.getsockname()))
        took = time.perf_counter() - started
        giver.join()
    return took


def ticket(base: str, parameters: str) -> list[dict]:
    return json.loads(body(f"{base}/htsget/variants/GDI-FI-REHEARSAL-1?{parameters}"))["htsget"][
        "urls"
    ]


def rss_mb(pid: int) -> tuple[float, float]:
    """(now, at most)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return tuple(int(status.split(f"{key}:")[1].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


def show(name: str, runs: list[tuple[float, float]]) -> None:
    rates = [megabytes / took for megabytes, took in runs]
    megabytes = max(runs[0][0], 50)
    control = megabytes / bare(megabytes)
    print(f"{name:44} {runs[0][0]:7.1f} MB, {statistics.median(rates):6.0f} MB/s", end="")
    print(f"   (bare socket {control:6.0f} MB/s)", flush=True)


def measure_node(folder: Path, megabytes: int, repeats: int, kind: str) -> None:
    genome = next((folder / "genomes").glob("chr22-*.bcf*"))
    block = Block.from_id(genome.name.split(".")[0])
    middle = f"referenceName=chr22&start={block.start + block.length // 10}&end={block.end - 5000}"
    small = f"referenceName=chr22&start={block.start + 5000}&end={block.start + 5100}"
    with running(folder) as (base, pid):
        before = rss_mb(pid)[0]
        times = []
        for _ in range(200):
            started = time.perf_counter()
            ticket(base, f"format=BCF&{middle}")
            times.append(1000 * (time.perf_counter() - started))
        print(f"{kind}: ticket p50 {statistics.median(times):.2f} ms, with its connection")
        cut = [streamed(ticket(base, f"format=BCF&{small}")) for _ in range(20)]
        print(f"{kind}: one record p50 {1000 * statistics.median(t for _, t in cut):.1f} ms")
        for name, parameters in (("a region as BCF", middle), ("everything as BCF", "")):
            urls = ticket(base, f"format=BCF&{parameters}")
            if not parameters:
                name += " (chr22 renumbered)"
            runs = [streamed(urls) for _ in range(repeats if parameters else 1)]
            show(f"{kind}: {name}", runs)
        urls = ticket(base, f"format=BCF&{middle}")
        show(f"{kind}: the region without one person", [streamed(urls, 1)])
        part = f"referenceName=chr22&start={block.start}&end={block.start + block.length // 10}"
        show(f"{kind}: a tenth as VCF", [streamed(ticket(base, part))])
        now, most = rss_mb(pid)
        print(f"{kind}: memory {before:.0f} MB idle, {now:.0f} MB after, {most:.0f} MB at most")


def measure_crypt4gh(folder: Path, repeats: int) -> None:
    """Ours against the library's own functions, file to file."""
    keys = folder / "keys"
    secret = crypt4gh.keys.get_private_key(keys / "c4gh.sec", None)
    public = crypt4gh.keys.get_public_key(keys / "c4gh.pub")
    encrypted = next((folder / "genomes").glob(f"chr22-*.bcf{SUFFIX}"))
    plain, again = folder / "plain", folder / "again"
    size = encrypted.stat().st_size / 1e6

    def theirs(encrypting: bool) -> None:
        source, target = (plain, again) if encrypting else (encrypted, plain)
        with source.open("rb") as reading, target.open("wb") as writing:
            if encrypting:
                crypt4gh.lib.encrypt([(0, os.urandom(32), public)], reading, writing)
            else:
                crypt4gh.lib.decrypt([(0, secret, None)], reading, writing)

    steps = {
        "crypt4gh's own decrypt": lambda: theirs(False),
        "decrypt_file": lambda: decrypt_file(encrypted, plain, keys / "c4gh.sec"),
        "crypt4gh's own encrypt": lambda: theirs(True),
        "encrypt_file": lambda: encrypt_file(plain, again, keys / "c4gh.pub"),
    }
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():  # by turns, so that a busy machine is busy for all
            started, cpu = time.perf_counter(), time.process_time()
            step()
            cpu = time.process_time() - cpu
            runs[name].append((time.perf_counter() - started, cpu))
    for name, times in runs.items():
        took, cpu = (size / statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:44} {size:7.1f} MB, {took:6.0f} MB/s, {cpu:6.0f} MB per CPU second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--megabytes", type=int, default=600, help="of genotypes, uncompressed")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{datetime.now():%Y-%m-%d %H:%M}  {platform.machine()}, {os.cpu_count()} CPUs", end="; ")
    print(f"Python {platform.python_version()}; load average {os.getloadavg()[0]:.2f} before")
    with tempfile.TemporaryDirectory() as scratch:
        plain, encrypted = Path(scratch, "plain"), Path(scratch, "encrypted")
        make_node(plain, options.people, options.megabytes, options.seed)
        measure_node(plain, options.megabytes, options.repeats, "plain")
        shutil.move(plain, encrypted)
        encrypt_at_rest(encrypted)
        measure_node(encrypted, options.megabytes, options.repeats, "encrypted")
        measure_crypt4gh(encrypted, options.repeats)
    print(f"load average {os.getloadavg()[0]:.2f} after")


if __name__ == "__main__":
    main()
