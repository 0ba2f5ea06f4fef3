"""Access over real sockets: issuer and node as processes, tokens, refusals, the audit log."""

import http.client
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pandas as pd
import pytest

from rehearsal.network.issuer import URL, make_issuer
from rehearsal.node.access.settings import AccessSettings, IssuerSettings
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store_writer import build_people

from .starting import told_when_ready

pytestmark = pytest.mark.system

NAMES = ["FI-000001", "FI-000002", "FI-000003"]
VCF = """##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="">
#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT FI-000001 FI-000002 FI-000003
chr22 20000001 . A G . . . GT 0/1 1/1 0/0
""".replace(" ", "\t").replace("\t\n", "\n")
SLOW_MACHINE_S = 30.0
HMB = "DUO:0000006"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
PASSPORT_TOKEN = "urn:ga4gh:params:oauth:token-type:passport"


def rehearsal(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "rehearsal", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SLOW_MACHINE_S)


@contextmanager
def running(endpoint: Path, *arguments: object):
    """Run a command of this project as a process and yield its URL."""
    command = [sys.executable, "-m", "rehearsal", *map(str, arguments)]
    process = subprocess.Popen([*command, "--endpoint-file", str(endpoint)])
    try:
        yield told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


class Trap:
    """A server that must never be called."""

    def __init__(self) -> None:
        self._callers: queue.Queue = queue.Queue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/jwks"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, caller = self._listener.accept()
            except OSError:
                return
            self._callers.put(caller)
            connection.close()

    def calls_before_ours(self) -> int:
        """Count connections. They are accepted in order, so one of our own ends the count."""
        with socket.create_connection(self._listener.getsockname()) as ours:
            address, calls = ours.getsockname(), 0
            while self._callers.get(timeout=SLOW_MACHINE_S) != address:
                calls += 1
        return calls

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("run") / "issuer")


@pytest.fixture(scope="module")
def issuer_url(issuer, tmp_path_factory):
    endpoint = tmp_path_factory.mktemp("endpoints") / "issuer.json"
    with running(endpoint, "issuer", "serve", issuer.folder) as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory, issuer_url) -> Path:
    """A node that fetches the keys and visas of its one trusted issuer."""
    folder = tmp_path_factory.mktemp("nodes") / "FI"
    folder.mkdir()
    people = pd.DataFrame({"id": NAMES, "sex": ["female", "male", "female"], "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    consent = pd.DataFrame({"individual": NAMES, "basis": "consent", "uses": "DUO:0000042"})
    consent["withdrawn"] = [False, True, False]
    (folder / "all.vcf").write_text(VCF)
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    build_people(people, {"consent": consent}, folder / "people.sqlite")
    trusted = IssuerSettings(
        URL,
        jwks_url=f"{issuer_url}/jwks",
        jku=f"{URL}/jwks",
        userinfo_url=f"{issuer_url}/userinfo",
    )
    access = AccessSettings(issuers=(trusted,))
    replace(NodeSettings.for_country("FI", "Finland"), access=access).write(folder)
    return folder


@pytest.fixture(scope="module")
def node(folder, tmp_path_factory):
    endpoint = tmp_path_factory.mktemp("endpoints") / "FI.json"
    with running(endpoint, "node", "serve", folder) as url:
        yield url


def ask(url, path, token=None, purpose=HMB, body=None, form=None):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SLOW_MACHINE_S)
    headers = {} if purpose is None else {"X-Rehearsal-Purpose": purpose}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if form is not None:
        body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
    connection.request("GET" if body is None else "POST", path, body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def token(issuer, *options):
    done = rehearsal("token", issuer.folder, "--country", "FI", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


GRANT = ("--grant", "GDI-FI-REHEARSAL-1", "--audience", "org.rehearsal.fi")


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("kind", [(), ("--access",)], ids=["passport", "access token"])
def test_a_token_of_the_command_opens_records(issuer, node, algorithm, kind):
    given = token(issuer, *GRANT, "--algorithm", algorithm, *kind)
    status, body = ask(node, "/individuals/FI-000001", given)
    assert status == 200
    assert body["response"]["resultSets"][0]["results"][0]["id"] == "FI-000001"


def test_without_a_token_or_grant_there_are_no_records(issuer, node):
    assert ask(node, "/individuals/FI-000001")[0] == 401
    bare = token(issuer, "--audience", "org.rehearsal.fi")
    assert ask(node, "/individuals/FI-000001", bare)[0] == 403
    status, body = ask(node, "/individuals", body='{"query": {"requestedGranularity": "record"}}')
    assert (status, body["meta"]["returnedGranularity"]) == (200, "boolean")  # of so few people
    assert body["responseSummary"] == {"exists": False}


def test_a_person_who_withdrew_consent_looks_unknown(issuer, node):
    status, body = ask(node, "/individuals/FI-000002", token(issuer, *GRANT))
    assert (status, body["responseSummary"]["exists"]) == (200, False)


def test_an_access_token_is_exchanged_for_a_passport(issuer, issuer_url, node):
    known = ask(issuer_url, "/.well-known/openid-configuration")[1]
    assert known["issuer"] == URL
    form = {
        "grant_type": EXCHANGE,
        "requested_token_type": PASSPORT_TOKEN,
        "subject_token": token(issuer, *GRANT, "--access"),
    }
    status, body = ask(issuer_url, urlsplit(known["token_endpoint"]).path, form=form)
    assert status == 200
    assert ask(node, "/individuals/FI-000001", body["access_token"])[0] == 200
    form["subject_token"] = "nonsense"
    assert ask(issuer_url, "/token", form=form) == (400, {"error": "invalid_grant"})
    assert ask(issuer_url, "/userinfo", "nonsense")[0] == 401


def test_a_foreign_key_is_never_fetched(issuer, node, tmp_path):
    """The trap listens on this machine, where the node could reach it."""
    trap = Trap()
    evil = make_issuer(tmp_path / "evil", trap.url.removesuffix("/jwks"))
    try:
        for options in ((), ("--access",)):
            assert ask(node, "/individuals", token(evil, *GRANT, *options))[0] == 401
        ask(node, "/individuals")  # anything that the node started after its refusals has begun
        assert trap.calls_before_ours() == 0
    finally:
        trap.close()


def test_the_log_verifies_and_a_changed_copy_does_not(folder, node, tmp_path):
    ask(node, "/individuals")
    log = folder / "audit.jsonl"
    done = rehearsal("audit", "verify", log)
    assert done.returncode == 0
    assert " lines, head " in done.stdout
    for name in ("audit.jsonl", "audit.jsonl.head"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    copy = tmp_path / "audit.jsonl"
    copy.write_text(copy.read_text().replace('"status":200', '"status":404', 1))
    done = rehearsal("audit", "verify", copy)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"{copy}: line " in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_a_node_with_a_full_disk_answers_503(folder, issuer, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    settings = NodeSettings.read(folder)
    access = replace(settings.access, state=str(state))
    copy = tmp_path / "FI"
    copy.mkdir()
    for name in ("variants.sqlite", "people.sqlite"):
        (copy / name).write_bytes((folder / name).read_bytes())
    replace(settings, access=access).write(copy)
    (state / "audit.jsonl").symlink_to("/dev/full")
    with running(tmp_path / "e.json", "node", "serve", copy) as url:
        status, body = ask(url, "/individuals/FI-000001", token(issuer, *GRANT))
        assert status == 503
        assert "FI-000001" not in str(body)
        assert ask(url, "/info")[0] == 200


def test_a_command_makes_tokens_for_anybody(tmp_path):
    folder = tmp_path / "issuer"
    assert rehearsal("issuer", "init", folder, "--url", "https://my.example").returncode == 0
    for role in ("researcher", "clinician", "committee"):
        done = rehearsal("token", folder, "--role", role, "--country", "MT")
        assert done.stdout.count(".") == 2
    done = rehearsal("token", folder, "--country", "Malta")
    assert done.returncode == 2
    assert "--country" in done.stderr
    done = rehearsal("token", tmp_path / "nothing", "--country", "MT")
    assert done.returncode == 2
    assert "rehearsal issuer init" in done.stderr
