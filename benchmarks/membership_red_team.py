"""Attack real node processes over HTTP: 10,000 questions per attack about a few targets.

    python benchmarks/membership_red_team.py results/nodes --targets 2

Each target has two nodes, copies of one folder: in one the target has withdrawn the consent, in the
other another person has. Every attack asks both nodes the same questions, each from an address of
its own, the most telling first, and begins with a full budget. In the middle the nodes restart, and
what was paid is asked again. Every free answer and refusal must be the same in both nodes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from measuring import footer, header
from pyroaring import BitMap

from rehearsal.attack.attacked_node import AttackedNode, Bounds, read_attacked_node
from rehearsal.attack.attacks import ATTACKS, Attack, aim_at
from rehearsal.attack.best_questions import most_informative
from rehearsal.attack.door_trials import ASKED_IN_TRIALS
from rehearsal.attack.questions import MOST_QUESTIONS
from rehearsal.attack.secrets import memberships
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.variant_queries import RangeQuery
from rehearsal.stores.store_checksum import write_checksum

SEED = 7
PAID = "noisy count"
FOUGHT = (
    "counts of alleles",
    "frequencies of common alleles",
    "form of answers to ranges",
    "filters beside near-fixed alleles",
    "differences between purposes",
)
Request = tuple[str, dict[str, str]]


class ServedNode:
    """A node process on a copy of a folder.

    Args:
        folder: The copy.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._connection = HTTPConnection("127.0.0.1")

    def start(self) -> None:
        endpoint = self.folder / "endpoint.json"
        endpoint.unlink(missing_ok=True)
        command = [sys.executable, "-m", "rehearsal", "node", "serve", str(self.folder)]
        command += ["--requests-per-s", "0", "--trusted-proxy", "127.0.0.1"]
        command += ["--endpoint-file", str(endpoint)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not endpoint.exists():
            if self._process.poll() is not None:
                raise SystemExit("the node did not start")
            time.sleep(0.05)
        url = json.loads(endpoint.read_text())
        address = (url if isinstance(url, str) else url["url"]).split("//")[1].split("/")[0]
        self._connection = HTTPConnection(address, timeout=60)

    def stop(self) -> None:
        if self._process is not None:
            self._connection.close()
            self._process.terminate()
            self._process.wait()
            self._process = None

    def fresh(self) -> None:
        """Begin a new life with a full budget and other noise."""
        self.stop()
        for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "privacy.key"):
            (self.folder / name).unlink(missing_ok=True)
        self.start()

    def ask(self, request: Request, number: int) -> tuple[Any, ...]:
        """Ask one question from an address of its own. Returns what the answer shows."""
        path, headers = request
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        self._connection.request("GET", path, headers={**headers, "X-Forwarded-For": address})
        response = self._connection.getresponse()
        body = json.loads(response.read())
        privacy = (body.get("info") or {}).get("privacy") or {}
        bases = tuple(sorted({str(one.get("basis", "refused")) for one in privacy.values()}))
        shown = body.get("responseSummary") or {}
        error = (body.get("error") or {}).get("errorMessage")
        granularity = (body.get("meta") or {}).get("returnedGranularity")
        told = shown.get("exists"), shown.get("numTotalResults")
        return response.status, granularity, *told, error, bases


def neighbours(node: AttackedNode, source: Path, target: int, folder: Path) -> list[ServedNode]:
    """Copy a node twice: without the consent of the stand-in, and without that of the target."""
    served = []
    for name, left_out in (("inside", node.stand_ins[target]), ("outside", target)):
        copy = folder / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        withdraw(copy / "people.sqlite", left_out)
        served.append(ServedNode(copy))
    return served


def withdraw(path: Path, person: int) -> None:
    """Let a person withdraw the consent."""
    with closing(sqlite3.connect(path)) as store:
        rows = store.execute("SELECT basis, uses, people FROM consent WHERE withdrawn = 0")
        for basis, uses, data in rows.fetchall():
            people = BitMap.deserialize(data)
            if person in people:
                people.remove(person)
                key = "WHERE withdrawn = 0 AND basis = ? AND uses = ?"
                store.execute(
                    f"UPDATE consent SET people = ? {key}", (people.serialize(), basis, uses)
                )
                alone = BitMap([person]).serialize()
                store.execute(
                    "INSERT INTO consent VALUES (?, ?, 1, ?)",
                    (basis, f"{uses}, DUO:0000043", alone),
                )
        store.commit()
    write_checksum(path)


def request_of(question: Question) -> Request:
    """Write a query as a GET request."""
    sent: list[tuple[str, Any]] = [("requestedGranularity", question.granularity)]
    sent += [("filters", one.id) for one in question.request.filters]
    place = question.request.variants
    if isinstance(place, RangeQuery):
        sent += [("start", place.start), ("end", place.end), ("referenceName", place.contig)]
    elif place is not None:
        sent += [("start", place.start), ("referenceName", place.contig)]
        sent += [("referenceBases", place.ref), ("alternateBases", place.alt)]
    sent += [("assemblyId", "GRCh38")] if place is not None else []
    headers = {"X-Rehearsal-Purpose": str(question.rights.purpose)}
    return f"/individuals?{urlencode(sent)}", headers


def fight(served: list[ServedNode], requests: list[Request], best: int) -> list[list[Any]]:
    """Ask both nodes all questions, with a restart in the middle.

    Returns:
        What each node showed.
    """
    seen: list[list[Any]] = [[], []]

    def ask(side: int) -> None:
        node = served[side]
        node.fresh()
        for number, request in enumerate(requests):
            if number == len(requests) // 2:
                node.stop()
                node.start()
                again = [node.ask(one, 2**20 + i) for i, one in enumerate(requests[:best])]
                if again != seen[side][:best]:
                    seen[side].append("another answer after the restart")
            seen[side].append(node.ask(request, number))

    threads = [threading.Thread(target=ask, args=(side,)) for side in (0, 1)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return seen


def attack(node: AttackedNode, target: int, one: Attack, served: list[ServedNode]) -> str:
    """Mount one attack on one target.

    Returns:
        A line of figures.
    """
    secret = next(found for found in memberships(node) if found.target == target)
    aim = aim_at(secret, SEED)
    questions = one.build(aim)
    best = most_informative(aim, "everybody else", questions, ASKED_IN_TRIALS)
    requests = [request_of(best.beacon(i)) for i in range(len(best))]
    others = (request_of(questions.beacon(i)) for i in range(len(questions)))
    requests = list(dict.fromkeys((path, tuple(h.items())) for path, h in (*requests, *others)))
    asked = [(path, dict(items)) for path, items in requests][:MOST_QUESTIONS]
    started = time.monotonic()
    seen = fight(served, asked, len(best))
    seconds = time.monotonic() - started
    pairs = list(zip(*seen, strict=True))
    paid = [pair for pair in pairs if any(PAID in told[-1] for told in pair)]
    free = sum(pair[0][0] == 200 for pair in pairs if pair not in paid)
    unequal = sum(pair[0] != pair[1] for pair in pairs if pair not in paid)
    return (
        f"{one.name:34} {len(pairs):6,} questions, {len(paid)} paid, {free:5,} free, "
        f"{len(pairs) - len(paid) - free:5,} refused, {unequal} unequal, {seconds:.0f} s; paid: "
        f"{' '.join(f'{a[3]}/{b[3]}' for a, b in paid)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nodes", type=Path, help="folder that has one folder per node")
    parser.add_argument("--targets", type=int, default=2, help="number of targets (default: 2)")
    arguments = parser.parse_args()
    source = min(path for path in arguments.nodes.iterdir() if path.is_dir())
    node = read_attacked_node(source.name, source, Bounds())
    print(header())
    random = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        for target in random.choice(node.targets, arguments.targets, replace=False).tolist():
            served = neighbours(node, source, target, Path(folder))
            try:
                for one in ATTACKS["membership"]:
                    if one.name in FOUGHT:
                        print(f"target {target:3} {attack(node, target, one, served)}", flush=True)
            finally:
                for one_node in served:
                    one_node.stop()
    print(footer())


if __name__ == "__main__":
    main()
