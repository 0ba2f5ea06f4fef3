"""Measure the speed of one node on loopback, its memory when idle, and its start.

Builds two nodes in a temporary folder: one of 100 people with many variants for allele queries, one
of 100,000 people for filters. The client is a bare socket that neither builds requests nor parses
answers while the clock runs. Every kind of answer is checked once before it is measured.

    python benchmarks/node.py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import cpu_seconds_of, footer, header, memory_mb, served_node

from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store_writer import build_people

START, STEP = 20_000_000, 200  # first variant on chr22, distance between variants
Address = tuple[str, int]


# --- nodes --------------------------------------------------------------------------------------


def make_node(folder: Path, people: int, variants: int, seed: int) -> Path:
    """Make a node's folder with random genotypes, diseases and LDL.

    Args:
        folder: The new folder.
        people: Number of people.
        variants: Number of variants.
        seed: Seed of all draws.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    names = [f"FI-{i + 1:06d}" for i in range(people)]
    individuals = pd.DataFrame({"id": names, "sex": rng.choice(["female", "male"], people)})
    individuals["birth_year"] = rng.integers(1930, 2010, people)
    individuals = individuals.assign(family=None, father=None, mother=None)
    ill = rng.choice(people, people // 10, replace=False)
    diseases = pd.DataFrame({"individual": [names[i] for i in ill], "code": "ICD10:I25.1"})
    diseases = diseases.assign(label="heart", mondo="MONDO:0005010", age_of_onset=60.0)
    measured = pd.DataFrame({"individual": names, "value": rng.normal(3.5, 1, people).round(2)})
    measured = measured.assign(code="LOINC:22748-8", label="LDL cholesterol", unit="mmol/L", age=50)
    NodeSettings.for_country("FI", "Finland").opened().write(folder)
    tables = {"diseases": diseases, "measurements": measured}
    build_people(individuals, tables, folder / "people.sqlite")
    write_vcf(folder / "all.vcf", names, variants, rng)
    build_from_vcf([folder / "all.vcf"], individuals, folder / "variants.sqlite")
    return folder


def write_vcf(path: Path, names: list[str], variants: int, rng: np.random.Generator) -> None:
    """Write a VCF of random genotypes.

    Args:
        path: The file.
        names: Names of the samples.
        variants: Number of variants.
        rng: Source of the genotypes.
    """
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    calls = np.array(["0/0", "0/1", "1/1"])
    with path.open("w") as out:
        out.write("##fileformat=VCFv4.3\n##contig=<ID=chr22,length=50818468>\n")
        out.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n')
        out.write("\t".join([*fixed, *names]) + "\n")
        for i in range(variants):
            frequency = min(0.5, 1 / len(names) + rng.beta(0.2, 2))
            genotypes = rng.binomial(2, frequency, len(names))
            genotypes[0] = max(genotypes[0], 1)
            row = ["chr22", str(START + STEP * i + 1), ".", "A", "G", ".", ".", ".", "GT"]
            out.write("\t".join([*row, *calls[genotypes]]) + "\n")


# --- requests -----------------------------------------------------------------------------------


def post(path: str, query: dict) -> bytes:
    """Build a POST request.

    Args:
        path: Path of the request.
        query: The Beacon query.
    """
    body = json.dumps({"meta": {"apiVersion": "v2.0"}, "query": query}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def look_up(i: int, granularity: str = "record") -> bytes:
    """Build a request for one allele.

    Args:
        i: Number of the variant.
        granularity: Requested granularity.
    """
    place = {"assemblyId": "GRCh38", "referenceName": "22", "start": [START + STEP * i]}
    asked = {**place, "referenceBases": "A", "alternateBases": "G"}
    return post("/g_variants", {"requestedGranularity": granularity, "requestParameters": asked})


def frequency_only(i: int) -> bytes:
    """Build a request for one allele's frequency, without individuals.

    Args:
        i: Number of the variant.
    """
    return look_up(i).replace(b"POST /g_variants", b"POST /datasets/GOE-FI-REHEARSAL-1/g_variants")


def in_range(i: int) -> bytes:
    """Build a request for the variants of 10 kb.

    Args:
        i: Number of the first variant.
    """
    start = START + STEP * i
    asked = {"referenceName": "22", "start": [start], "end": [start + 10_000]}
    return post("/g_variants", {"requestedGranularity": "record", "requestParameters": asked})


def two_terms(_: int) -> bytes:
    """Build a request for individuals with two filter terms.

    Args:
        _: Not used.
    """
    filters = [{"id": "NCIT:C16576"}, {"id": "ICD10:I25.1"}]
    return post("/individuals", {"requestedGranularity": "count", "filters": filters})


def term_and_number(i: int) -> bytes:
    """Build a request for individuals with a term and a measurement.

    Args:
        i: Number of the request, which varies the value.
    """
    ldl = {"id": "LDL", "operator": ">=", "value": f"{2.5 + i % 200 / 100:.2f}"}
    filters = [{"id": "NCIT:C16576"}, ldl]
    return post("/individuals", {"requestedGranularity": "count", "filters": filters})


def two_numbers(i: int) -> bytes:
    """Build a request for individuals with a measurement and an age.

    Args:
        i: Number of the request, which varies the values.
    """
    ldl = {"id": "LDL", "operator": ">=", "value": f"{2.5 + i % 200 / 100:.2f}"}
    age = {"id": "age", "operator": "<", "value": f"{30 + i % 40}"}
    return post("/individuals", {"requestedGranularity": "count", "filters": [ldl, age]})


# --- measuring ----------------------------------------------------------------------------------


def receive(connection: socket.socket) -> bytes:
    """Read one whole answer.

    Args:
        connection: The connection.
    """
    data = connection.recv(1 << 16)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += connection.recv(1 << 16)
    at = data.index(b"content-length: ") + 16
    size = end + 4 + int(data[at : data.index(b"\r\n", at)])
    while len(data) < size:
        data += connection.recv(1 << 20)
    return data


def latencies_ms(address: Address, requests: list[bytes]) -> list[float]:
    """Return the latencies of consecutive requests over one kept-alive connection, in milliseconds.

    Args:
        address: Address of the node.
        requests: The requests.
    """
    times = []
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(requests[0])
        first = receive(connection)
        if not first.startswith(b"HTTP/1.1 200") or b'"exists":true' not in first:
            sys.exit(f"wrong answer: {first[:2000]!r}")
        for request in requests:
            started = time.perf_counter()
            connection.sendall(request)
            receive(connection)
            times.append((time.perf_counter() - started) * 1000)
    return times


class Caller(asyncio.Protocol):
    """Sends the next request as soon as an answer is complete.

    Args:
        requests: The requests.
        done: Set when all are answered.
    """

    def __init__(self, requests: list[bytes], done: asyncio.Future[None]) -> None:
        self._requests, self._done, self._data = iter(requests), done, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request.

        Args:
            transport: The connection's transport.
        """
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self._done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect the answer and send the next request.

        Args:
            data: A part of the answer.
        """
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._data.index(b"content-length: ") + 16
        if len(self._data) >= end + 4 + int(self._data[at : self._data.index(b"\r\n", at)]):
            self._data = b""
            self._next()


def throughput(address: Address, requests: list[bytes], connections: int, pid: int) -> str:
    """Describe the requests per second over kept-alive connections, and the node's CPU time.

    Args:
        address: Address of the node.
        requests: The requests.
        connections: Number of connections.
        pid: The node's process.
    """

    async def call() -> None:
        loop = asyncio.get_running_loop()
        waiting = []
        for i in range(connections):
            done = loop.create_future()
            share = requests[i::connections]
            await loop.create_connection(lambda s=share, d=done: Caller(s, d), *address)
            waiting.append(done)
        await asyncio.gather(*waiting)

    cpu, started = cpu_seconds_of(pid), time.perf_counter()
    asyncio.run(call())
    took, cpu = time.perf_counter() - started, cpu_seconds_of(pid) - cpu
    rate, each = len(requests) / took, cpu / len(requests)
    return (
        f"{rate:8.0f} requests/s, {each * 1e6:5.0f} us CPU of the node each ({1 / each:.0f}/core)"
    )


def show(name: str, times: list[float]) -> None:
    """Print percentiles.

    Args:
        name: Name of the measurement.
        times: Latencies in milliseconds.
    """
    cuts = statistics.quantiles(times, n=100)
    print(f"{name:42} p50 {cuts[49]:6.3f}  p95 {cuts[94]:6.3f}  p99 {cuts[98]:6.3f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000, help="requests of each kind")
    parser.add_argument("--variants", type=int, default=5000, help="variants of the small node")
    parser.add_argument("--people", type=int, default=100_000, help="people in the large node")
    parser.add_argument("--connections", type=int, default=16, help="concurrent connections")
    parser.add_argument("--seed", type=int, default=1, help="seed of all draws")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(header())
    with tempfile.TemporaryDirectory() as scratch:
        small = make_node(Path(scratch) / "small", 100, options.variants, options.seed)
        large = make_node(Path(scratch) / "large", options.people, 20, options.seed)
        some = [chance.randrange(options.variants - 100) for _ in range(options.requests)]
        with served_node(small) as node:
            address, pid, took = node.address, node.pid, node.start_s
            print(f"100 people, {options.variants} variants: answers after {took:.2f} s")
            time.sleep(1)
            print(f"idle: {memory_mb(pid)[0]:.0f} MB")
            for kind in (frequency_only, look_up, in_range):
                show(f"{kind.__name__}, record", latencies_ms(address, [*map(kind, some)]))
            boolean = [look_up(i, "boolean") for i in some]
            show("look_up, boolean", latencies_ms(address, boolean))
            for kind in (frequency_only, look_up):
                asked = [*map(kind, some)] * 2
                print(f"{kind.__name__:20}", throughput(address, asked, options.connections, pid))
            print(f"after that: {memory_mb(pid)[0]:.0f} MB")
        with served_node(large) as node:
            address, pid, took = node.address, node.pid, node.start_s
            print(f"{options.people} people: answers after {took:.2f} s")
            time.sleep(1)
            print(f"idle: {memory_mb(pid)[0]:.0f} MB")
            for kind in (two_terms, term_and_number, two_numbers):
                show(f"individuals, {kind.__name__}", latencies_ms(address, [*map(kind, some)]))
            print(f"after that: {memory_mb(pid)[0]:.0f} MB")
    print(footer())


if __name__ == "__main__":
    main()
