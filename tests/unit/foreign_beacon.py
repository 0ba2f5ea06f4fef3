"""A Beacon of somebody else on a real socket. It knows right answers, and gives them in its way."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from rehearsal.model import GRANULARITIES, Query
from rehearsal.network.request_forms import as_get_parameters
from rehearsal.truth.expected_answers import ExpectedAnswer

EVERYTHING = {"": "FI", "_F": "FI_F", "_M": "FI_M"}
FIELDS = {  # of a frequency: how each is computed from counts of people
    "alleleFrequency": lambda one: one.ac / one.an,
    "alleleCount": lambda one: one.ac,
    "alleleNumber": lambda one: one.an,
    "alleleCountHomozygous": lambda one: 2 * one.hom,
    "alleleCountHeterozygous": lambda one: one.het,
    "alleleCountHemizygous": lambda one: one.hemi,
    "genotypeHomozygous": lambda one: one.hom,
    "genotypeHeterozygous": lambda one: one.het,
    "genotypeHemizygous": lambda one: one.hemi,
}
STANDARD = tuple(FIELDS)[:6]


@dataclass
class Manners:
    """How the Beacon answers; by default as ours does."""

    methods: tuple[str, ...] = ("GET", "POST")
    serves: tuple[str, ...] = ("g_variants", "individuals")
    granularity: str = "record"  # the finest that it gives
    populations: Mapping[str, str] = field(default_factory=lambda: EVERYTHING)  # names by group
    fields: tuple[str, ...] = STANDARD  # of a frequency, beside its population
    key: str = "frequencies"
    shift: int = 0  # of positions in records
    missed: int = 0  # left out of every count of alleles
    datasets: int = 1  # that hold the same entries; each has pages of its own
    counts_datasets: bool = False  # in numTotalResults
    refuses: frozenset[str] = frozenset()  # ids of queries


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, known: Iterable[tuple[Query, ExpectedAnswer]], manners: Manners) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.manners, self.asked = manners, []
        self.known = {question(q.entry_type, q.request): (q, right) for q, right in known}


def question(entry_type: str, request: dict) -> tuple:
    """Identify a query, whether it is sent by GET or by POST."""
    return entry_type, frozenset(as_get_parameters(request).items())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urlsplit(self.path)
        self.answer((path.path.strip("/"), frozenset(parse_qsl(path.query))))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(question(urlsplit(self.path).path.strip("/"), json.loads(body)))

    def answer(self, key):
        self.server.asked.append((self.command, key[0]))
        manners = self.server.manners
        if key[0] not in manners.serves:
            self.reply(404, refusal(404, "no such entries"))
        elif self.command not in manners.methods:
            self.reply(405, refusal(405, "another method"))
        elif key not in self.server.known:
            self.reply(400, refusal(400, "a query that this Beacon does not know"))
        elif self.server.known[key][0].id in manners.refuses:
            self.reply(403, refusal(403, "only for members"))
        else:
            self.reply(200, content(*self.server.known[key], manners))

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def refusal(status, message):
    return {"error": {"errorCode": status, "errorMessage": message}}


def content(query: Query, right: ExpectedAnswer, manners: Manners) -> dict:
    """Build the body of an answer."""
    given = min(query.granularity, manners.granularity, key=GRANULARITIES.index)
    body = {"meta": {"returnedGranularity": given}, "responseSummary": {"exists": right.exists}}
    if given != "boolean":
        body["responseSummary"]["numTotalResults"] = right.count
    if manners.counts_datasets and given != "boolean":
        body["responseSummary"]["numTotalResults"] = manners.datasets * right.exists
    if given == "record" and right.exists:
        limit = query.request["query"]["pagination"]["limit"]
        results = list(records(query, right, manners))[:limit]
        one = {"setType": "dataset", "exists": True, "resultsCount": right.count}
        sets = [{"id": f"D{n}", **one, "results": results} for n in range(manners.datasets)]
        body["response"] = {"resultSets": sets}
    return body


def records(query: Query, right: ExpectedAnswer, manners: Manners) -> Iterator[dict]:
    """Build the records of an answer."""
    if query.entry_type == "individuals":
        yield from ({"id": name} for name in right.individuals)
        return
    for one, groups in right.alleles.items():
        start, end = one.start + manners.shift, one.start + manners.shift + len(one.ref)
        interval = {"start": {"value": start}, "end": {"value": end}}
        variation = {"location": {"interval": interval}, "referenceBases": one.ref}
        entries = [
            {"population": name} | {key: FIELDS[key](groups[group]) for key in manners.fields}
            for group, name in manners.populations.items()
            if groups[group].an
        ]
        for entry in entries:
            if "alleleCount" in entry:
                entry["alleleCount"] -= manners.missed
        yield {
            "variation": variation | {"alternateBases": one.alt},
            "frequencyInPopulations": [{manners.key: entries}] if entries else [],
        }


@contextmanager
def foreign_beacon(known: Iterable[tuple[Query, ExpectedAnswer]], **manners) -> Iterator[Server]:
    """Serve a Beacon while the block runs; ``url`` is its address, ``asked`` what came.

    Args:
        known: Queries with the right answers of its place.
        **manners: Fields of :class:`Manners`.
    """
    with Server(known, Manners(**manners)) as server:
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
