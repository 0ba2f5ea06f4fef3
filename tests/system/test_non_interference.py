"""Two nodes that differ in one person answer the same over HTTP, but for what their ledgers pay."""

import http.client
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from rehearsal.node.privacy.ledger import LEDGER_FILE
from rehearsal.node.privacy.protection import Protection

from ..unit.node.privacy.callers import make_forge, tokens_of
from ..unit.node.privacy.generated_requests import fixed_requests, requests
from ..unit.node.privacy.neighbouring_nodes import another_person, write_neighbours
from .starting import told_when_ready

pytestmark = pytest.mark.system

SLOW_MACHINE_S = 60.0
GENERATED = 200
SOON_SPENT = Protection(threshold=5, rounding=1, noise=0.3, budget=4, caller_share=0.5)
OPERATORS = "/metrics"  # what only this machine sees, such as durations
CHARGED = "SELECT release, tier, question, caller, nats FROM charges ORDER BY tier, question"


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    return make_forge(tmp_path_factory.mktemp("issuers"))


@pytest.fixture(scope="module")
def tokens(forge):
    return tokens_of(forge)


@contextmanager
def served(folder, endpoint):
    """Serve a node as a process and yield a connection to it."""
    command = [sys.executable, "-m", "rehearsal", "node", "serve", folder, "--requests-per-s", "0"]
    process = subprocess.Popen([*command, "--endpoint-file", endpoint], stderr=subprocess.PIPE)
    try:
        url = told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SLOW_MACHINE_S)
        connection.request("GET", "/health")
        connection.getresponse().read()
        yield connection
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def answer(connection, one, tokens):
    """Status, headers but for the date, and body of an answer."""
    headers = {"Host": "node.example", "Accept": one.accept, "Accept-Encoding": "identity"}
    if one.purpose:
        headers["X-Rehearsal-Purpose"] = one.purpose
    if one.token:
        headers["Authorization"] = f"Bearer {tokens[one.token]}"
    if one.key:
        headers["X-Auth-Token"] = one.key.decode()
    path = one.path + (f"?{one.parameters}" if one.parameters else "")
    connection.request(one.method, path, one.body or None, headers)
    response = connection.getresponse()
    told = [pair for pair in response.getheaders() if pair[0].lower() != "date"]
    return response.status, told, response.read()


def pay_as(paying, other):
    """Give what one node told for a price to the other node's ledger."""
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("ATTACH ? AS paying", (str(paying),))
        connection.execute("INSERT OR IGNORE INTO charges SELECT * FROM paying.charges")
        connection.execute("INSERT OR REPLACE INTO spent SELECT * FROM paying.spent")
        connection.commit()


def charged(ledger):
    with closing(sqlite3.connect(ledger)) as connection:
        return connection.execute(CHARGED).fetchall()


def test_neighbours_send_the_same_bytes(forge, tokens, tmp_path):
    """The nodes take turns to be asked first, and so to pay."""
    changes = {"another person": another_person}
    folders = write_neighbours(
        tmp_path / "nodes", [forge.mine.trusted()], SOON_SPENT, changes
    ).values()
    ledgers = [folder / LEDGER_FILE for folder in folders]
    statuses, unpaid = Counter(), []

    with ExitStack() as serving:
        nodes = [
            (serving.enter_context(served(folder, tmp_path / f"{folder.name}.json")), ledger)
            for folder, ledger in zip(folders, ledgers, strict=True)
        ]

        def compare(one):
            if one.path == OPERATORS:
                return
            (first, paying), (second, other) = nodes
            told = answer(first, one, tokens)
            pay_as(paying, other)
            told_by_other = answer(second, one, tokens)
            if told != told_by_other:
                unpaid.append((one, told, told_by_other))
            statuses[told[0]] += 1
            nodes.reverse()

        @hypothesis.seed(14)
        @hypothesis.settings(
            max_examples=GENERATED,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(requests())
        def compare_generated(one):
            compare(replace(one, address=""))

        for one in fixed_requests():
            compare(one)
        compare_generated()
        rows = [charged(ledger) for ledger in ledgers]
    assert unpaid == []
    assert rows[0] == rows[1]
    assert len(rows[0]) > 10
    assert statuses.keys() >= {200, 400, 401, 403, 404}
