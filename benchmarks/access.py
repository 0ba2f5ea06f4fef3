"""Measure the cost of access: token, consent on counts, audit log, first verification.

Serves one node of 100 people for allele queries and one of 100,000 for counts. Each runs open, and
with tokens, consent and log. They are asked in turn. The client is a bare socket, and every answer
is checked once before the clock starts.

    python benchmarks/access.py
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pandas as pd
from measuring import footer, header, served_node
from node import START, STEP, make_node

from rehearsal.network.issuer import TRUSTED, Issuer, make_issuer, rehearsal_access
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.tokens import TokenVerifier
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.phenotypes.consent import draw_consent, read_consent
from rehearsal.stores.people_store_writer import build_people

CONSENT = Path(__file__).resolve().parents[1] / "config" / "consent.yaml"


def guard(folder: Path, issuer: Issuer, with_consent: bool) -> None:
    """Give an open node the access rules of a rehearsal.

    Args:
        folder: The node's folder.
        issuer: Issuer of tokens that the node trusts.
        with_consent: Whether its people get consent records.
    """
    settings = NodeSettings.read(folder)
    access = replace(
        rehearsal_access("FI"), without_consent="exclude" if with_consent else "include"
    )
    replace(settings, access=access).write(folder)
    (folder / TRUSTED).write_text(json.dumps(issuer.jwks()))
    if not with_consent:
        return
    old = folder / "people.sqlite"
    people, tables = people_of(folder)
    consent = draw_consent(people.assign(country="FI"), read_consent(CONSENT), 1)
    old.unlink()
    build_people(people, {**tables, "consent": consent}, old)


def people_of(folder: Path) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Read back the tables from which a node's people store was built.

    Args:
        folder: The node's folder.

    Returns:
        The people, and their diseases and measurements by name.
    """
    import sqlite3

    rows = sqlite3.connect(folder / "people.sqlite").execute(
        "SELECT record FROM individuals ORDER BY position"
    )
    records = [json.loads(row[0]) for row in rows]
    tables = {}
    for name in ("diseases", "measurements"):
        kept = [{"individual": one["id"], **row} for one in records for row in one[name]]
        tables[name] = pd.DataFrame(kept)
    people = pd.DataFrame([{k: v for k, v in r.items() if k not in tables} for r in records])
    return people.drop(columns="features"), tables


def post(path: str, query: dict, token: str | None) -> bytes:
    """Build a POST request.

    Args:
        path: Path of the request.
        query: The Beacon query.
        token: The passport. None asks anonymously.
    """
    body = json.dumps({"meta": {"apiVersion": "v2.0"}, "query": query}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: node\r\nContent-Length: {len(body)}\r\n"
    if token is not None:
        head += f"Authorization: Bearer {token}\r\nX-Rehearsal-Purpose: DUO:0000006\r\n"
    return f"{head}\r\n".encode() + body


def look_up(i: int, granularity: str = "record") -> dict:
    """Build the query for one allele.

    Args:
        i: Number of the node's variant.
        granularity: Requested granularity.
    """
    place = {"assemblyId": "GRCh38", "referenceName": "22", "start": [START + STEP * i]}
    allele = {"referenceBases": "A", "alternateBases": "G"}
    return {"requestedGranularity": granularity, "requestParameters": {**place, **allele}}


def ask(connection: socket.socket, request: bytes, statuses: tuple[int, ...] = (200,)) -> bytes:
    """Send a request and return the body of its answer. Exits at any other status.

    Args:
        connection: An open connection.
        request: The request.
        statuses: The statuses that are right.
    """
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(1 << 16)
    if int(head.split(b" ", 2)[1]) not in statuses:
        sys.exit(f"{head!r} {body[:300]!r}")
    return body


def in_turn(cases: dict[str, tuple[tuple[str, int], list[bytes]]], rounds: int) -> None:
    """Print the median and the 99th percentile of each case, asked in turn.

    Args:
        cases: Address and requests by name.
        rounds: Measured requests per case.
    """
    times: dict[str, list[float]] = {name: [] for name in cases}
    with ExitStack() as stack:
        lines = {
            name: stack.enter_context(socket.create_connection(address))
            for name, (address, _) in cases.items()
        }
        for number in range(-20, rounds):
            for name, (_, requests) in cases.items():
                request = requests[number % len(requests)]
                started = time.perf_counter()
                ask(lines[name], request)
                if number >= 0:
                    times[name].append((time.perf_counter() - started) * 1000)
    first = None
    for name, found in times.items():
        p50 = statistics.median(found)
        p99 = sorted(found)[int(len(found) * 0.99)]
        first = first or p50
        print(f"  {name:52} p50 {p50:7.3f} ms  p99 {p99:7.3f} ms  {p50 / first:5.2f} x")


def verification(issuer: Issuer, audience: str) -> None:
    """Print the time to verify a passport, and to verify it again.

    Args:
        issuer: Issuer of the passport.
        audience: Audience that the passport must name.
    """
    passport = tokens_by_tier(issuer.folder, "BE")["controlled"]
    rounds, first, again = 200, [], []
    loop = asyncio.new_event_loop()
    for _ in range(rounds):
        verifier = TokenVerifier([issuer.trusted()], [audience])
        started = time.perf_counter()
        loop.run_until_complete(verifier.verify(passport))
        middle = time.perf_counter()
        verifier.cached(passport)
        first.append(middle - started)
        again.append(time.perf_counter() - middle)
    loop.close()
    print(f"  a passport of 4 visas, ES256, verified {statistics.median(first) * 1e6:34.0f} us")
    print(f"  the same again {statistics.median(again) * 1e6:58.1f} us")


def audit(folder: Path) -> None:
    """Print the time to write one line of the audit log.

    Args:
        folder: Where to write the log.
    """
    log = AuditLog(folder / "audit.jsonl")
    decision = {"route": "/g_variants", "status": 200, "rules": {"GDI-FI-REHEARSAL-1": "x" * 80}}
    started = time.perf_counter()
    for _ in range(5000):
        log.append(decision)
    print(f"  a line of the audit log {(time.perf_counter() - started) / 5000 * 1e6:49.1f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000, help="requests per case")
    parser.add_argument("--people", type=int, default=100_000, help="people in the large node")
    options = parser.parse_args()
    print(header())
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        here = Path(temporary)
        issuer = make_issuer(here / "issuer")
        token = tokens_by_tier(issuer.folder, "BE", 24 * 3600 - 1)["controlled"]
        addresses = {}
        for size, people, variants in (("small", 100, 2000), ("large", options.people, 12)):
            for kind in ("open", "known", "guarded"):
                folder = make_node(here / size / kind, people, variants, 1)
                if kind != "open":
                    guard(folder, issuer, with_consent=kind == "guarded")
                addresses[size, kind] = stack.enter_context(served_node(folder)).address
        print("frequency of one allele, 100 people")
        some = range(0, 2000, 7)
        in_turn(
            {
                "open node, no token": (
                    addresses["small", "open"],
                    [post("/g_variants", look_up(i), None) for i in some],
                ),
                "token, audit log": (
                    addresses["small", "known"],
                    [post("/g_variants", look_up(i), token) for i in some],
                ),
                "token, audit log, consent": (
                    addresses["small", "guarded"],
                    [post("/g_variants", look_up(i), token) for i in some],
                ),
            },
            options.rounds,
        )
        counted = {"requestedGranularity": "count"}
        ldl = {"id": "LDL", "operator": ">=", "value": "3.5"}
        questions = {
            "count of individuals, two filters": (
                "/individuals",
                {**counted, "filters": [{"id": "NCIT:C16576"}, ldl]},
            ),
            "count of carriers": ("/individuals", look_up(3, "count")),
            "count of individuals": ("/individuals", counted),
            "frequency of a common allele": ("/g_variants", look_up(3)),
        }
        for name, (path, query) in questions.items():
            print(f"{name}, {options.people:,} people")
            in_turn(
                {
                    "open node, no token": (
                        addresses["large", "open"],
                        [post(path, query, None)],
                    ),
                    "token, audit log": (
                        addresses["large", "known"],
                        [post(path, query, token)],
                    ),
                    "token, audit log, consent": (
                        addresses["large", "guarded"],
                        [post(path, query, token)],
                    ),
                },
                options.rounds // 2,
            )
        print("parts")
        verification(issuer, "https://network.rehearsal.example")
        audit(here)
    print(footer())


if __name__ == "__main__":
    main()
