"""A withdrawal and a veto reach every service of two processes of one folder within 5 s."""

import gzip
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pandas as pd
import pytest
import yaml

from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.network.issuer import CENTRAL_COMMITTEE, make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.matchmaker.index import FILE_NAME as MATCHMAKER
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.phenotypes.trait_types import Disease
from rehearsal.stores.ontology import HumanPhenotypeOntology

from .starting import told_when_ready
from .test_access import SLOW_MACHINE_S, rehearsal, running
from .test_htsget import PEOPLE, make_node

pytestmark = pytest.mark.system

WITHIN_S = 5.0  # as promised in docs/operate/security.md
NAMES = [f"FI-{number + 1:06d}" for number in range(PEOPLE)]
GONE, SEIZURE = NAMES[7], "HP:0001250"
CARE = "DUO:0000043"
MATCHED = {
    "patient": {
        "id": "mine",
        "contact": {"name": "Dr Byrne", "href": "mailto:byrne@hospital.example.ie"},
        "features": [{"id": SEIZURE}],
        "genomicFeatures": [{"gene": {"id": "PHGDH"}}],
        "_consent": [CARE],
    }
}
SUBSCRIBED = {"profile": {"terms": [SEIZURE]}}
BINS = {"from": -4, "to": 4, "width": 0.5}
STREAM = Path(__file__).parent / "streaming_service.py"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("run") / "issuer")


@pytest.fixture
def folder(tmp_path, issuer):
    """A node with all services; two people match the patient of :data:`MATCHED`."""
    folder = tmp_path / "FI"
    make_node(folder, issuer)
    tables = {
        "features": pd.DataFrame({"individual": [GONE, NAMES[8]], "code": SEIZURE}),
        "candidate_genes": pd.DataFrame({"individual": [GONE, NAMES[8]], "gene": "PHGDH"}),
    }
    build_matchmaker_index(NAMES, tables, folder / MATCHMAKER, HumanPhenotypeOntology())
    effects = pd.DataFrame(
        [("x", "chr22", 20_100_000, "A", "C", 0.5, 0.3)],
        columns=["trait", "contig", "start", "ref", "alt", "effect", "frequency"],
    )
    disease = Disease("x", "ICD10:I25.1", "X", "MONDO:0005010", "x", {}, None, {}, (), ())
    (folder / "scores").mkdir()
    write_scoring_file(effects, disease, folder / "scores" / "x.txt.gz")
    return folder


@pytest.fixture
def token(issuer):
    """A clinician of the node's country, whom a committee granted the records."""
    return sign_tokens(issuer, create_person("clinician", "FI", [CENTRAL_COMMITTEE])).passport


@pytest.fixture
def nodes(folder, token, tmp_path):
    """Two processes of the folder."""
    with ExitStack() as stack:
        urls = [
            stack.enter_context(running(tmp_path / f"{i}.json", "node", "serve", folder))
            for i in range(2)
        ]
        yield [SimpleNamespace(url=url, token=token) for url in urls]


def ask(node, path, body=None):
    """(status, body in bytes). The status is 0 when the node stopped the answer."""
    connection = http.client.HTTPConnection(urlsplit(node.url).netloc, timeout=SLOW_MACHINE_S)
    headers = {"Authorization": f"Bearer {node.token}", "X-Rehearsal-Purpose": CARE}
    body = None if body is None else json.dumps(body)
    headers |= {} if body is None else {"Content-Type": "application/json"}
    connection.request("GET" if body is None else "POST", path, body, headers)
    response = connection.getresponse()
    try:
        return response.status, response.read()
    except http.client.IncompleteRead:
        return 0, b""
    finally:
        connection.close()


def in_beacon(node):
    return GONE.encode() in ask(node, f"/individuals/{GONE}")[1]


def in_htsget(node):
    status, answer = ask(node, "/htsget/data/GDI-FI-REHEARSAL-1/header.vcf.gz")
    return status == 200 and GONE.encode() in gzip.decompress(answer)


def matches(node):
    status, answer = ask(node, "/match", MATCHED)
    return len(json.loads(answer)["results"]) if status == 200 else 0


def scoring_file(node):
    (file,) = json.loads(ask(node, "/scores")[1])["response"]["scoringFiles"]
    return file["scoringFile"]


def scored(node):
    asked = {"scoringFile": scoring_file(node), "bins": BINS}
    status, answer = ask(node, "/scores", asked)
    return json.loads(answer)["response"]["people"] if status == 200 else 0


def own_score(node):
    return ask(node, f"/scores/{scoring_file(node)}/individuals/{GONE}")[0] == 200


def drug_flags(node):
    return ask(node, f"/drug_flags/{GONE}")[0] == 200


def alerts(node):
    status, answer = ask(node, "/alerts")
    return len(json.loads(answer)["response"]["alerts"]) if status == 200 else 0


SERVICES = (in_beacon, in_htsget, matches, scored, own_score, drug_flags, alerts)


def told(nodes):
    return [[service(node) for service in SERVICES] for node in nodes]


def wait_for(nodes, expected, within_s=WITHIN_S):
    until = time.monotonic() + within_s
    while (found := told(nodes)) != [expected, expected]:
        assert time.monotonic() < until, found


def admit(folder, person):
    packet = {
        "subject": {"id": person},
        "phenotypicFeatures": [{"type": {"id": SEIZURE, "label": "seizure"}}],
    }
    path = folder.parent / f"{person}.json"
    path.write_text(json.dumps(packet))
    done = rehearsal("node", "admit", folder, path, "--consent", CARE)
    assert done.returncode == 0, done.stderr


def test_a_withdrawal_reaches_all_services(folder, nodes):
    assert ask(nodes[0], "/subscriptions", SUBSCRIBED)[0] == 200
    for person in ("FI-A1", "FI-A2"):
        admit(folder, person)
    wait_for(nodes, [True, True, 2, PEOPLE, True, True, 2], SLOW_MACHINE_S)
    done = rehearsal("node", "withdraw", folder, GONE, "FI-A1")
    assert (done.returncode, done.stderr) == (0, "")
    wait_for(nodes, [False, False, 1, PEOPLE - 1, False, False, 1])


def test_a_veto_reaches_all_services(folder, nodes):
    assert ask(nodes[0], "/subscriptions", SUBSCRIBED)[0] == 200
    admit(folder, "FI-A1")
    wait_for(nodes, [True, True, 2, PEOPLE, True, True, 1], SLOW_MACHINE_S)
    settings = yaml.safe_load((folder / "node.yaml").read_text())
    settings["access"]["vetoes"] = [{"name": "left the hospital", "subject": "clinician-fi"}]
    (folder / "node.yaml").write_text(yaml.safe_dump(settings))
    wait_for(nodes, [False, False, 0, 0, False, False, 0])


def test_a_stream_to_a_slow_caller_ends_with_the_withdrawal(folder, tmp_path, token, issuer):
    """The caller reads nothing for a while. What it can read later is what had left before."""
    endpoint = tmp_path / "stream.json"
    process = subprocess.Popen([sys.executable, STREAM, folder, endpoint])
    try:
        url = urlsplit(told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"])
        received = {}
        for case in ("reading", "withdrawn"):
            with socket.socket() as caller:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                caller.connect((url.hostname, url.port))
                head = f"GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                caller.sendall(f"{head}X-Rehearsal-Purpose: {CARE}\r\n\r\n".encode())
                first = caller.recv(100)
                assert first.startswith(b"HTTP/1.1 200")
                if case == "withdrawn":
                    done = rehearsal("node", "withdraw", folder, GONE)
                    assert done.returncode == 0
                    time.sleep(WITHIN_S)
                received[case] = len(first) + _read_to_end(caller)
        assert received["reading"] > 64 << 20
        assert received["withdrawn"] < 16 << 20  # what the operating system had taken before
    finally:
        process.terminate()
        process.wait()


def _read_to_end(caller):
    total = 0
    caller.settimeout(SLOW_MACHINE_S)
    try:
        while part := caller.recv(1 << 20):
            total += len(part)
            if part.endswith(b"0\r\n\r\n"):
                break
    except ConnectionResetError:
        pass
    return total


def test_files_that_a_node_writes_are_for_its_owner_only(folder, token, tmp_path):
    """Also those that others could read before it was started."""
    before, built = os.umask(0), set(folder.rglob("*"))
    try:
        (folder / "arrivals" / "taken").mkdir(parents=True)
        (folder / "arrivals" / "taken" / "FI-A0.json").write_text("{}")
        with running(tmp_path / "first.json", "node", "serve", folder):
            pass
        for name in ("alerts.sqlite", "audit.jsonl", "audit.jsonl.head", "ledger.sqlite"):
            (folder / name).chmod(0o644)
        with running(tmp_path / "FI.json", "node", "serve", folder) as url:
            node = SimpleNamespace(url=url, token=token)
            assert ask(node, "/subscriptions", SUBSCRIBED)[0] == 200
            admit(folder, "FI-A1")
            (folder / "arrivals" / "broken.json").write_text("{}")
            assert rehearsal("node", "withdraw", folder, GONE).returncode == 0
            until = time.monotonic() + SLOW_MACHINE_S
            while alerts(node) != 1 or not list(folder.glob("arrivals/refused/*.reason")):
                assert time.monotonic() < until
            written = [path for path in folder.rglob("*") if path not in built]
            modes = {str(path): oct(path.stat().st_mode & 0o777) for path in written}
    finally:
        os.umask(before)
    assert {path.name for path in written} >= {
        *("alerts.sqlite", "audit.jsonl", "audit.jsonl.head", "ledger.sqlite", "privacy.key"),
        *("arrivals", "taken", "refused", "FI-A0.json", "FI-A1.json", "broken.json"),
        *("broken.json.reason", "withdrawals.jsonl"),
    }
    wide = {path: mode for path, mode in modes.items() if mode not in ("0o600", "0o700")}
    assert wide == {}


def test_a_withdrawal_is_in_force_after_a_restart(folder, tmp_path, token):
    assert rehearsal("node", "withdraw", folder, GONE).returncode == 0
    shutil.copytree(folder, tmp_path / "backup")
    with running(tmp_path / "again.json", "node", "serve", folder) as url:
        node = SimpleNamespace(url=url, token=token)
        assert not in_beacon(node)
        assert not in_htsget(node)
