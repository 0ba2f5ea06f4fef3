"""Send many malformed and costly requests to two nodes, a network and an issuer.

Requests are random changes of sound ones: of the path, of parameters, headers, JSON and bytes. One
request is sent after another, so the CPU time and the memory of the process that answers belong to
it. A request that costs too much is sent again twice; the lowest cost counts. The exit status is 1
after an answer with a status from 500 on that is not documented, a process that ended, an answer
that cost too much, or memory that grows.

    python benchmarks/fuzz.py --requests 100000
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import jwt
from measuring import footer, header, memory_mb
from node import START, make_node

from rehearsal.network.issuer import TRUSTED, Issuer, make_issuer, rehearsal_access
from rehearsal.node.settings.node_settings import NodeSettings

MOST_CPU_S = 0.020  # for one request
MOST_GROWTH_MB = 24.0  # over the last three quarters of all requests; pages of caches fill first
PEOPLE, VARIANTS = 100, 20_000
TIMEOUT_S = 15.0
# the network has these statuses if no node answers, or none in time
DOCUMENTED = {"network": {502, 503, 504}}

NASTY: list[Any] = [
    *(0, -1, 1, 2**31, 2**63, 2**64, 10**30, -(10**30), 1e308, -1e308, 1e-308, 0.5, True, None),
    *("", " ", "0", "-0", "+1", "1e308", "NaN", "Infinity", "null", "true", "9" * 5000, "\x00"),
    *("a" * 300, "a" * 9000, "\u202e\u0000\ud7ff", "é" * 100, "'; DROP TABLE x", "../" * 50),
    *("%", "%00", "%2f%2e%2e", "{}", "[]", "a,b,,c", "," * 3000, "N" * 4000, ":" * 200),
    *([], {}, [[]], [None], [1] * 3000, ["a"] * 500, {"a": {"b": {"c": []}}}, {"": ""}),
]
PARAMETERS: dict[str, list[Any]] = {
    "referenceName": ["22", "chr22", "NC_000022.11", "X"],
    "start": [START, [START], [START, START + 5000], 0],
    "end": [START + 1, [START + 1000, START + 9000], 50_818_468],
    "referenceBases": ["A", "N", ""],
    "alternateBases": ["G", "N", ""],
    "assemblyId": ["GRCh38", "GRCh37"],
    "variantType": ["SNP", "INS", "CNV"],
    "variantMinLength": [1, 1000, 10**9],
    "variantMaxLength": [1, 10**6],
    "geneId": ["BRCA1", "TTN"],
    "aminoacidChange": ["V600E"],
    "genomicAlleleShortForm": [f"NC_000022.11:g.{START + 1}A>G"],
    "requestedGranularity": ["boolean", "count", "record"],
    "includeResultsetResponses": ["ALL", "HIT", "MISS", "NONE"],
    "testMode": ["true", "false"],
    "filters": ["ICD10:I25.1", "NCIT:C16576", "LOINC:22748-8>3", "NCIT:C16576,ICD10:I25.1"],
    "limit": [0, 10, 1000],
    "skip": [0, 1, 10**9],
    "datasets": ["GOE-FI-REHEARSAL-1"],
    "deadlineS": [0.001, 1, 60],
    "partial": ["true"],
    "trace": ["true"],
}
PATIENT = {
    "patient": {
        "id": "P1",
        "contact": {"name": "A", "href": "mailto:a@example.org"},
        "features": [{"id": "HP:0001250"}, {"id": "HP:0001249"}],
        "genomicFeatures": [{"gene": {"id": "BRCA1"}}],
    }
}


@dataclass(slots=True)
class Service:
    """A running service, and what its answers cost."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    targets: list[tuple[str, str]] = field(default_factory=list)  # method and path
    connection: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        place = urlsplit(self.url)
        return place.hostname or "", place.port or 0

    def cpu_s(self) -> float:
        """CPU time of the process so far, in seconds, by its clock (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def send(self, raw: bytes) -> tuple[int, bytes]:
        """Send bytes and read an answer: its status (0: none) and its body."""
        for _ in range(2):  # the service may have closed a kept connection
            if self.connection is None:
                self.connection = socket.create_connection(self.address, TIMEOUT_S)
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):
                self.connection.sendall(raw)
            status, body, keep = read_answer(self.connection, raw.startswith(b"HEAD"))
            if not keep:
                self.connection.close()
                self.connection = None
            if status:
                return status, body
        return 0, b""


def read_answer(connection: socket.socket, is_head: bool) -> tuple[int, bytes, bool]:
    """Read one answer: its status, its body, and whether the connection may be used again."""
    got = b""
    with suppress(OSError):
        while b"\r\n\r\n" not in got:
            more = connection.recv(1 << 16)
            if not more:
                break
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 "):
            return 0, b"", False
        status, fields = int(head[9:12]), head.lower()
        if status == 100:
            return 100, b"", False
        length = fields.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        wanted = 0 if is_head or status in (204, 304) else int(length or -1)
        while wanted < 0 or len(body) < wanted:
            more = connection.recv(1 << 16)
            if not more or (wanted < 0 and body.endswith(b"0\r\n\r\n")):
                break
            body += more
        return status, body, wanted >= 0 and b"connection: close" not in fields
    return 0, b"", False


# --- services ---


@contextmanager
def services(top: Path) -> Iterator[tuple[list[Service], Issuer]]:
    """Serve an open node, a protected one, a network of both and an issuer, without rate limits.

    Args:
        top: A new folder.

    Yields:
        The services, and the issuer whose tokens the protected node trusts.
    """
    issuer = make_issuer(top / "issuer")
    node = make_node(top / "FI", PEOPLE, VARIANTS, 1)
    other = make_node(top / "SE", PEOPLE, 1000, 2)
    (other / TRUSTED).write_text((issuer.folder / "jwks.json").read_text())
    NodeSettings.for_country("SE", "Sweden", access=rehearsal_access("SE")).write(other)
    nodes, others = top / "nodes", top / "others"
    nodes.mkdir()
    others.mkdir()
    running: list[Service] = []

    def start(name: str, *arguments: object) -> None:
        place = nodes if arguments[0] == "node" else others  # the first is the registry
        file, log = place / f"{name}.json", (top / f"{name}.log").open("wb")
        command = [sys.executable, "-m", "rehearsal", *map(str, arguments)]
        command += ["--endpoint-file", str(file), "--requests-per-s", "0"]
        process = subprocess.Popen(command, stderr=log)
        until = time.monotonic() + 120
        while not file.exists():
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{name} did not start: {(top / f'{name}.log').read_text()[-2000:]}")
            time.sleep(0.02)
        running.append(Service(name, json.loads(file.read_text())["url"], process))

    try:
        start("FI", "node", "serve", node)
        start("SE", "node", "serve", other)
        start("network", "network", "serve", "--nodes", nodes, "--deadline-s", "5")
        start("issuer", "issuer", "serve", issuer.folder)
        for one in running:
            one.targets = find_targets(one)
        yield running, issuer
    finally:
        for one in running:
            one.process.terminate()
        for one in running:
            one.process.wait()


def find_targets(service: Service) -> list[tuple[str, str]]:
    """List method and path of everything that a service describes."""
    if service.name == "issuer":
        paths = ("/.well-known/openid-configuration", "/jwks", "/userinfo", "/service-info")
        return [("GET", one) for one in paths] + [("POST", "/token"), ("POST", "/userinfo")]
    status, body = service.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
    if status != 200:
        sys.exit(f"{service.name}: no OpenAPI description")
    # long polling is left out: its answers take time, not CPU
    places = {path: one for path, one in json.loads(body)["paths"].items() if path != "/alerts"}
    found = [(method.upper(), path) for path, one in places.items() for method in one]
    return [(method, path) for method, path in found if method in ("GET", "POST", "DELETE")]


# --- requests ---


class Fuzzer:
    """Makes requests, the same ones for the same seed.

    Args:
        seed: The seed.
        issuer: The issuer that signs some of the tokens.
    """

    def __init__(self, seed: int, issuer: Issuer) -> None:
        self._random = random.Random(seed)
        self._tokens = list(hostile_tokens(issuer))

    def request(self, service: Service) -> bytes:
        """Make one request to a service.

        Args:
            service: The service.

        Returns:
            The bytes to send.
        """
        rng = self._random
        method, path = rng.choice(service.targets)
        path = self._path(path)
        body = b""
        headers = [b"Host: x", *self._headers()]
        if method == "POST":
            body = self._body(path, service.name == "issuer")
            headers.append(b"Content-Length: %d" % len(body))
        elif rng.random() < 0.8:
            path += "?" + "&".join(self._parameters())
        if rng.random() < 0.02:
            method = rng.choice(["PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "GET"])
        target = path.encode("utf-8", "surrogatepass")
        line = method.encode() + b" " + target + b" HTTP/1.1"
        return b"\r\n".join([line, *headers, b"", body])

    def broken(self, raw: bytes) -> bytes:
        """Change single bytes of a request, or cut it off.

        Args:
            raw: The request.

        Returns:
            Other bytes.
        """
        rng, changed = self._random, bytearray(raw[: self._random.randrange(1, len(raw) + 1)])
        for _ in range(rng.randrange(6)):
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(2)] = rng.randbytes(rng.randrange(3))
            changed = changed or bytearray(b"\0")
        return bytes(changed)

    def _path(self, path: str) -> str:
        rng = self._random
        known = {"{id}": f"chr22-{START + 1}-A-G", "{digest}": "0" * 64}
        for name, value in known.items():
            odd = rng.random() < 0.5
            path = path.replace(name, quote(str(rng.choice(NASTY)), safe="") if odd else value)
        kind = rng.random()
        if kind < 0.03:
            path = "/" * rng.choice([2, 100, 7000, 30_000, 60_000]) + path
        elif kind < 0.06:
            path += rng.choice(["/", "//", "/..", "/%2e%2e/", "/a" * 3000, "%", "%zz", "#", "?"])
        elif kind < 0.08:
            path = "/" + quote(rng.randbytes(rng.randrange(200)))
        return path

    def _parameters(self) -> Iterator[str]:
        rng = self._random
        for name in rng.sample(list(PARAMETERS), rng.randrange(1, 7)):
            value = rng.choice(NASTY if rng.random() < 0.3 else PARAMETERS[name])
            if isinstance(value, list) and rng.random() < 0.7:
                value = ",".join(map(str, value))
            yield f"{name}={quote(str(value), safe=',:')}"

    def _headers(self) -> Iterator[bytes]:
        rng = self._random
        if rng.random() < 0.15:
            yield b"Authorization: Bearer " + rng.choice(self._tokens)
        if rng.random() < 0.2:
            purposes = ("DUO:0000006", f"DUO:0000007 MONDO:{rng.randrange(10**7):07}", "x" * 5000)
            yield b"X-Rehearsal-Purpose: " + rng.choice(purposes).encode()
        if rng.random() < 0.05:
            yield b"X-Padding: " + b"a" * rng.choice([100, 9000, 70_000])
        if rng.random() < 0.05:
            yield rng.choice(
                [
                    *(b"Range: bytes=0-", b"Range: bytes=-1,5-2", b"Content-Encoding: gzip"),
                    *(b"Accept: text/html", b"Accept: \xff", b"X-Forwarded-For: " + b"1," * 3000),
                    *(b"Connection: close", b"Upgrade: websocket", b"Expect: 100-continue"),
                ]
            )

    def _body(self, path: str, is_form: bool) -> bytes:
        rng = self._random
        if is_form:
            names = ("grant_type", "requested_token_type", "subject_token", "resource", "")
            values = ("urn:ietf:params:oauth:grant-type:token-exchange", "x" * 5000, "")
            fields = [
                f"{rng.choice(names)}={rng.choice(values)}" for _ in range(rng.choice([5, 500]))
            ]
            return "&".join(fields).encode()
        document = self._document(path)
        for _ in range(rng.choice([0, 1, 1, 2, 5])):
            document = self._changed(document)
        body = json.dumps(document).encode()
        kind = rng.random()
        if kind < 0.03:
            depth = rng.choice([30, 300, 1000, 100_000])
            body = body.replace(b"{", b'{"$schema":' + b"[" * depth + b"]" * depth + b",", 1)
        elif kind < 0.06:
            body = body[: rng.randrange(len(body) + 1)]
        elif kind < 0.08:
            body = rng.choice(
                [b"1" * 5000, b"[" + b"1," * 100_000, b'"' + b"\\u0000" * 40_000 + b'"']
            )
        return body

    def _document(self, path: str) -> Any:
        rng = self._random
        if path.startswith("/match"):
            return json.loads(json.dumps(PATIENT))
        asked = {
            name: rng.choice(PARAMETERS[name]) for name in rng.sample(list(PARAMETERS)[:12], 4)
        }
        query: dict[str, Any] = {"requestParameters": asked}
        if rng.random() < 0.5:
            query["requestedGranularity"] = rng.choice(["boolean", "count", "record"])
        if rng.random() < 0.5:
            query["filters"] = [{"id": one} for one in rng.sample(PARAMETERS["filters"], 2)]
        if rng.random() < 0.3:
            query["pagination"] = {"skip": rng.choice([0, 10**6]), "limit": rng.choice([10, 1000])}
        return {"meta": {"apiVersion": "v2.0"}, "query": query}

    def _changed(self, value: Any) -> Any:
        """Replace one part of a document, repeat it or leave it out."""
        rng = self._random
        if isinstance(value, dict) and value and rng.random() < 0.85:
            key = rng.choice(list(value))
            if rng.random() < 0.1:
                return {name: one for name, one in value.items() if name != key}
            if rng.random() < 0.1:
                return value | {str(rng.choice(NASTY))[:2000]: rng.choice(NASTY)}
            return value | {key: self._changed(value[key])}
        if isinstance(value, list) and value and rng.random() < 0.7:
            at = rng.randrange(len(value))
            return [*value[:at], self._changed(value[at]), *value[at : at + rng.choice([1, 1, 50])]]
        return rng.choice(NASTY)


def hostile_tokens(issuer: Issuer) -> Iterator[bytes]:
    """Make tokens that no service may fail on, most of them signed by a trusted key."""
    kid, key = issuer.keys["ES256"]
    now = int(time.time())
    times: list[Any] = [
        10**400,
        -(10**400),
        float("inf"),
        float("nan"),
        -1,
        "soon",
        None,
        [],
        1e308,
    ]
    for name in ("exp", "iat", "nbf"):
        for value in times:
            claims = {
                "iss": issuer.url,
                "sub": "x",
                "iat": now,
                "exp": now + 3600,
                "scope": "openid",
            }
            claims |= {"aud": "org.rehearsal.se", name: value}
            with suppress(ValueError, TypeError, OverflowError):  # PyJWT refuses to sign some
                text = json.dumps(claims).encode()
                signed = jwt.api_jws.encode(text, key, "ES256", {"typ": "at+jwt", "kid": kid})
                yield signed.encode()
    yield from (b"", b"x", b"a.b.c", b"." * 5000, b"\xff" * 100, b"e30." + b"W1tb" * 5000 + b".x")


# --- the run ---


@dataclass(slots=True)
class Findings:
    """What a run found."""

    statuses: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, bytes] = field(default_factory=dict)
    dearest: dict[str, tuple[float, bytes]] = field(default_factory=dict)  # by service

    def fault(self, what: str, raw: bytes) -> None:
        """Note a fault, with its first request."""
        self.faults[what] += 1
        self.examples.setdefault(what, raw)


def judge(service: Service, raw: bytes, findings: Findings) -> None:
    """Send a request and note what is wrong with the answer."""

    def once() -> tuple[float, int, bytes]:
        before = service.cpu_s()
        status, body = service.send(raw)
        return service.cpu_s() - before, status, body

    cpu_s, status, body = once()
    for _ in range(2):
        if cpu_s > MOST_CPU_S:  # the first of a kind may import or compile something
            again_s, _, _ = once()
            cpu_s = min(cpu_s, again_s)
    findings.statuses[f"{service.name} {status}"] += 1
    if cpu_s > findings.dearest.get(service.name, (0.0, b""))[0]:
        findings.dearest[service.name] = cpu_s, raw
    if cpu_s > MOST_CPU_S:
        findings.fault(f"{service.name}: {raw.split()[0].decode()} costs too much", raw)
    allowed = DOCUMENTED.get(service.name, {503})
    if status >= 500 and status not in allowed:
        findings.fault(f"{service.name}: status {status} {body[:200]!r}", raw)
    if service.process.poll() is not None:
        findings.fault(f"{service.name}: the process ended", raw)
        sys.exit(report(findings))


def send_broken(service: Service, raw: bytes) -> None:
    """Send bytes that need be no request over a connection of their own."""
    with suppress(OSError), socket.create_connection(service.address, TIMEOUT_S) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass


def report(findings: Findings) -> int:
    """Print what a run found, and return its exit status."""
    for name, number in sorted(findings.statuses.items()):
        print(f"{name:20} {number:8}")
    for name, (cpu_s, raw) in sorted(findings.dearest.items()):
        print(f"{name:10} dearest answer {cpu_s * 1000:6.1f} ms of CPU: {raw[:160]!r}")
    for what, number in findings.faults.items():
        print(f"FAULT {number} x {what}\n      {findings.examples[what][:600]!r}")
    print(f"faults: {sum(findings.faults.values())}; {footer()}")
    return 1 if findings.faults else 0


def run(number: int, seed: int, top: Path, tell: Callable[[str], None] = print) -> int:
    """Send requests, and return the exit status.

    Args:
        number: Number of requests.
        seed: Seed of the requests.
        top: A new folder.
        tell: Prints a line.

    Returns:
        0 without a fault, else 1.
    """
    with services(top) as (running, issuer):
        fuzzer, findings = Fuzzer(seed, issuer), Findings()
        order, memory = random.Random(seed), {}
        started = time.monotonic()
        for count in range(number):
            service = order.choice(running)
            raw = fuzzer.request(service)
            if order.random() < 0.1:
                send_broken(service, fuzzer.broken(raw))
            else:
                judge(service, raw, findings)
            if count == number // 4:
                memory = {one.name: memory_mb(one.process.pid)[0] for one in running}
            if count % 10_000 == 9_999:
                tell(f"{count + 1} requests in {time.monotonic() - started:.0f} s")
        judge_growth(running, memory, findings)
        return report(findings)


def judge_growth(
    running: Iterable[Service], before: Mapping[str, float], findings: Findings
) -> None:
    """Print the memory of services, and note a fault where it grew too much.

    Args:
        running: The services.
        before: Their memory before, in MB, by name.
        findings: What was found.
    """
    for one in running:
        now, peak = memory_mb(one.process.pid)
        grown = now - before.get(one.name, now)
        print(f"{one.name:10} memory {now:.0f} MB, grown by {grown:+.1f} MB, peak {peak:.0f} MB")
        if grown > MOST_GROWTH_MB:
            findings.fault(f"{one.name}: memory grows", b"")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--requests", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    options = parser.parse_args()
    print(header(), flush=True)
    with tempfile.TemporaryDirectory() as top:
        sys.exit(run(options.requests, options.seed, Path(top)))


if __name__ == "__main__":
    main()
