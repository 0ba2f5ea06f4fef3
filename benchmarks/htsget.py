"""Measure how fast a node streams genomes on loopback, plain and encrypted, and Crypt4GH itself.

Builds two nodes in a temporary folder. One has random genotypes, which hardly compress. The other
has the allele frequencies of a population of constant size (a density of 1/x), which compress like
real genotypes. The client reads into one buffer and discards the bytes. Rates are given for bytes
on the wire, for content (the unpacked file), and per CPU second of the node, because a busy machine
distorts the other two. Each has a bare control: the same bytes from one process to another without
HTTP or files.

    python benchmarks/htsget.py
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import crypt4gh.keys
import crypt4gh.lib
import numpy as np
import pandas as pd
from measuring import cpu_seconds_of, footer, header, memory_mb, served_node
from numpy.typing import NDArray

from rehearsal.formats.bcf_header import GT_KEY, Header, header_text
from rehearsal.formats.bgzf import BgzfWriter
from rehearsal.formats.crypt4gh import SUFFIX, decrypt_file, encrypt_at_rest, encrypt_file
from rehearsal.formats.csi import RecordOffsets, write_csi
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store_writer import build_people

STEP = 100  # bases between records
START = 20_000_000
CHUNK = 1 << 20
BEARER = "Authorization: Bearer bench"
# only reading is measured, so access is always granted
OPEN = (
    "import sys; from rehearsal import cli; from rehearsal.node.htsget import app;"
    "app.may_read = lambda request, dataset: range(int(request.headers.get('left-out', 0)));"
    "sys.exit(cli.main(['node', 'serve', *sys.argv[1:]]))"
)


# --- a node -------------------------------------------------------------------------------------


def make_node(folder: Path, people: int, megabytes: int, seed: int, sparse: bool) -> None:
    """Make a node with a small file on chr1 and a large one on chr22.

    Args:
        folder: The node's folder.
        people: Number of people.
        megabytes: Uncompressed size of the genotypes.
        seed: Seed of the genotypes.
        sparse: Whether frequencies are like real ones, or genotypes are random.
    """
    rng = np.random.default_rng(seed)
    names = [f"FI-{i + 1:06d}" for i in range(people)]
    records = megabytes * 1_000_000 // (2 * people)
    for contig, number in (("chr1", 10), ("chr22", records)):
        block = Block(contig, START, START + STEP * number)
        path = folder / "genomes" / f"{block.id}.bcf"
        write_bcf(path, block, names, genotypes(number, people, rng, sparse))
    individuals = pd.DataFrame({"id": names, "sex": "female", "birth_year": 1970})
    individuals = individuals.assign(family=None, father=None, mother=None)
    NodeSettings.for_country("FI", "Finland").opened().write(folder)
    small = next((folder / "genomes").glob("chr1-*.bcf"))
    build_from_vcf([small], individuals, folder / "variants.sqlite")
    build_people(individuals, {}, folder / "people.sqlite")


def genotypes(
    number: int, people: int, rng: np.random.Generator, sparse: bool
) -> Iterator[NDArray[np.uint8]]:
    """Yield the calls of each record, two phased calls per person, coded as in BCF.

    Args:
        number: Number of records.
        people: Number of people.
        rng: Source of the genotypes.
        sparse: Whether frequencies are like real ones, or genotypes are random.
    """
    for _ in range(number):
        if not sparse:
            yield rng.integers(2, 6, 2 * people, np.uint8)
            continue
        calls = np.tile(np.array([2, 3], np.uint8), people)
        frequency = 0.5 * (1 / people) ** rng.random()
        copies = max(1, rng.binomial(2 * people, frequency))
        calls[rng.choice(2 * people, copies, replace=False)] += 2
        yield calls


def write_bcf(
    path: Path, block: Block, names: list[str], records: Iterator[NDArray[np.uint8]]
) -> None:
    """Write a BCF with its index.

    Args:
        path: The ``.bcf`` file.
        block: The block; records start at its start.
        names: Names of the samples.
        records: Calls of each record.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    alleles = b"\x07\x17A\x17C\x00"  # no id, A, C, no filter
    shared = struct.pack("<iiIIII", 0, 0, 1, 0x7F800001, 2 << 16, 1 << 24 | len(names)) + alleles
    lengths = struct.pack("<II", len(shared), 3 + 2 * len(names))
    contig = list(CONTIG_LENGTHS).index(block.contig)
    offsets = []
    with BgzfWriter(path) as file:
        text = header_text(Header(CONTIG_LENGTHS, names, ASSEMBLY)).encode() + b"\0"
        file.write(b"BCF\2\2" + struct.pack("<I", len(text)) + text)
        for i, calls in enumerate(records):
            offsets.append(file.length)
            place = struct.pack("<ii", contig, block.start + STEP * i)
            fixed = lengths + place + shared[8:] + bytes((0x11, GT_KEY, 0x21))
            file.write(fixed + calls.tobytes())
        offsets.append(file.length)
    start = block.start + STEP * np.arange(len(offsets) - 1, dtype=np.int64)
    virtual = file.virtual_offsets(np.array(offsets, np.int64))
    csi = path.with_name(path.name + ".csi")
    write_csi(csi, CONTIG_LENGTHS, contig, RecordOffsets(start, start + 1, virtual))


# --- measuring ----------------------------------------------------------------------------------


def ask(address: str, left_out: int = 0) -> tuple[socket.socket, bytes]:
    """Open a connection and return it with the first bytes of its answer. The status must be 200.

    Args:
        address: URL to read.
        left_out: Number of people that the node leaves out.
    """
    url = urlsplit(address)
    connection = socket.create_connection((url.hostname, url.port))
    target = f"{url.path}?{url.query}"
    fields = (f"Host: {url.netloc}", BEARER, f"left-out: {left_out}", "Connection: close")
    head = "\r\n".join((f"GET {target} HTTP/1.1", *fields, "", ""))
    connection.sendall(head.encode())
    first = connection.recv(CHUNK)
    if not first.startswith(b"HTTP/1.1 200"):
        sys.exit(f"wrong answer: {first[:500]!r}")
    return connection, first


def drain(connection: socket.socket) -> int:
    """Read a connection to its end and return the number of bytes.

    Args:
        connection: The connection.
    """
    buffer, size = bytearray(CHUNK), 0
    with connection:
        while n := connection.recv_into(buffer):
            size += n
    return size


def body(address: str, left_out: int = 0) -> bytes:
    """Return the body of an answer.

    Args:
        address: URL to read.
        left_out: Number of people that the node leaves out.
    """
    connection, answer = ask(address, left_out)
    with connection:
        pieces = [answer]
        while piece := connection.recv(CHUNK):
            pieces.append(piece)
    head, _, content = b"".join(pieces).partition(b"\r\n\r\n")
    return unchunked(content) if b"transfer-encoding: chunked" in head.lower() else content


def unchunked(content: bytes) -> bytes:
    """Join the chunks of a body in chunked transfer encoding.

    Args:
        content: The body.
    """
    at, pieces = 0, []
    while True:
        line = content.index(b"\r\n", at)
        size = int(content[at:line], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(content[line + 2 : line + 2 + size])
        at = line + 4 + size


class Fetched(NamedTuple):
    """The cost of fetching all URLs of a ticket: megabytes, seconds, the node's CPU seconds."""

    wire: float
    content: float
    seconds: float
    cpu: float


def streamed(urls: list[dict], pid: int, left_out: int = 0) -> Fetched:
    """Fetch all URLs of a ticket one after the other, twice.

    The first time is measured, and the bytes are discarded. The second time the unpacked size is
    counted.

    Args:
        urls: URLs of a ticket.
        pid: The node's process.
        left_out: Number of people that the node leaves out.
    """
    real = [one["url"] for one in urls if not one["url"].startswith("data:")]
    size, started, cpu = 0, time.perf_counter(), cpu_seconds_of(pid)
    for url in real:
        connection, first = ask(url, left_out)
        size += len(first) + drain(connection)
    took, cpu = time.perf_counter() - started, cpu_seconds_of(pid) - cpu
    content = sum(unpacked_size(body(url, left_out)) for url in real)
    return Fetched(size / 1e6, content / 1e6, took, cpu)


def unpacked_size(packed: bytes) -> int:
    """Return the unpacked size that the BGZF blocks state.

    Args:
        packed: BGZF data.
    """
    at = total = 0
    while at < len(packed):
        size = struct.unpack_from("<H", packed, at + 16)[0] + 1
        total += struct.unpack_from("<I", packed, at + size - 4)[0]
        at += size
    return total


def bare(megabytes: float) -> float:
    """Return the seconds to send bytes from memory through a loopback socket.

    Args:
        megabytes: Number of megabytes.
    """
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
    """Return the URLs of a ticket.

    Args:
        base: URL of the node.
        parameters: Query string of the request.
    """
    return json.loads(body(f"{base}/htsget/variants/GDI-FI-REHEARSAL-1?{parameters}"))["htsget"][
        "urls"
    ]


def show(name: str, runs: list[Fetched]) -> None:
    """Print the best of several runs, because other work disturbed the rest.

    Args:
        name: Name of the case.
        runs: The runs.
    """
    best = min(runs, key=lambda one: one.seconds)
    least = min(one.cpu for one in runs)
    control = best.wire / bare(best.wire) if best.wire > 1 else 0
    print(
        f"{name:44} {best.content:6.0f} MB in {best.wire:5.0f} on the wire:"
        f" content {best.content / best.seconds:5.0f} MB/s, wire {best.wire / best.seconds:5.0f};"
        f" content {best.content / max(least, 0.01):5.0f} MB per CPU s of the node"
        f"   (bare socket {control:5.0f} MB/s)",
        flush=True,
    )


def measure_node(folder: Path, repeats: int, kind: str) -> None:
    """Print the figures of one node.

    Args:
        folder: The node's folder.
        repeats: Runs of each case.
        kind: Name of the node's kind of genotypes.
    """
    genome = next((folder / "genomes").glob("chr22-*.bcf*"))
    block = Block.from_id(genome.name.split(".")[0])
    middle = f"referenceName=chr22&start={block.start + block.length // 10}&end={block.end - 5000}"
    small = f"referenceName=chr22&start={block.start + 5000}&end={block.start + 5100}"
    with served_node(folder, ("-c", OPEN)) as (base, pid, _):
        before = memory_mb(pid)[0]
        times = []
        for _ in range(200):
            started = time.perf_counter()
            ticket(base, f"format=BCF&{middle}")
            times.append(1000 * (time.perf_counter() - started))
        print(f"{kind}: ticket p50 {statistics.median(times):.2f} ms, with its connection")
        cut = [streamed(ticket(base, f"format=BCF&{small}"), pid) for _ in range(20)]
        print(f"{kind}: one record p50 {1000 * statistics.median(t.seconds for t in cut):.1f} ms")
        for name, parameters, left_out in (
            ("a region as BCF", f"format=BCF&{middle}", 0),
            ("the region without one person", f"format=BCF&{middle}", 1),
            ("the region without a fifth", f"format=BCF&{middle}", 1000),
            ("the whole genome as BCF", "format=BCF", 0),
            ("the region as VCF", f"format=VCF&{middle}", 0),
            ("the region as VCF without one person", f"format=VCF&{middle}", 1),
        ):
            urls = ticket(base, parameters)
            streamed(urls, pid, left_out)  # loads code and file into memory
            show(f"{kind}: {name}", [streamed(urls, pid, left_out) for _ in range(repeats)])
        now, most = memory_mb(pid)
        print(f"{kind}: memory {before:.0f} MB idle, {now:.0f} MB after, {most:.0f} MB at most")


def measure_crypt4gh(folder: Path, repeats: int) -> None:
    """Compare our Crypt4GH with the standard command and its functions, from file to file.

    Args:
        folder: Folder of an encrypted node.
        repeats: Runs of each case.
    """
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

    def command(encrypting: bool) -> None:
        source, target = (plain, again) if encrypting else (encrypted, plain)
        tool = Path(sys.executable).with_name("crypt4gh")
        arguments = ["encrypt", "--recipient_pk", keys / "c4gh.pub"] if encrypting else ["decrypt"]
        with source.open("rb") as reading, target.open("wb") as writing:
            subprocess.run(
                [tool, *arguments, "--sk", keys / "c4gh.sec"],
                stdin=reading, stdout=writing, stderr=subprocess.DEVNULL, check=True,
            )  # fmt: skip

    steps = {
        "the crypt4gh command, decrypt": lambda: command(False),
        "the crypt4gh command, encrypt": lambda: command(True),
        "crypt4gh's own decrypt": lambda: theirs(False),
        "decrypt_file": lambda: decrypt_file(encrypted, plain, keys / "c4gh.sec"),
        "crypt4gh's own encrypt": lambda: theirs(True),
        "encrypt_file": lambda: encrypt_file(plain, again, keys / "c4gh.pub"),
    }
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():  # in turn, so that other work disturbs all alike
            started, cpu = time.perf_counter(), sum(os.times()[:4])
            step()
            cpu = sum(os.times()[:4]) - cpu
            runs[name].append((time.perf_counter() - started, cpu))
    for name, times in runs.items():
        took, cpu = (size / statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:44} {size:7.1f} MB, {took:6.0f} MB/s, {cpu:6.0f} MB per CPU second")
    for ours, its, command_name in (
        ("decrypt_file", "crypt4gh's own decrypt", "the crypt4gh command, decrypt"),
        ("encrypt_file", "crypt4gh's own encrypt", "the crypt4gh command, encrypt"),
    ):
        ratios = [
            statistics.median(a[1] / b[1] for a, b in zip(runs[its], runs[ours], strict=True))
            for its in (its, command_name)
        ]
        print(f"{ours}: {ratios[0]:.2f} of the library's speed, {ratios[1]:.2f} of the command's")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=5000, help="people in a node")
    parser.add_argument("--megabytes", type=int, default=600, help="uncompressed genotypes")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each case")
    parser.add_argument("--seed", type=int, default=1, help="seed of the genotypes")
    options = parser.parse_args()
    print(header())
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("as simulated", "random"):
            folder = Path(scratch, kind)
            sparse = kind == "as simulated"
            make_node(folder, options.people, options.megabytes, options.seed, sparse)
            measure_node(folder, options.repeats, kind)
        encrypt_at_rest(folder)
        measure_node(folder, options.repeats, f"{kind}, encrypted")
        measure_crypt4gh(folder, options.repeats)
    print(footer())


if __name__ == "__main__":
    main()
