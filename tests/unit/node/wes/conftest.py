"""A node that runs small algorithms, asked without a socket."""

import asyncio
import json
import time
from base64 import b64encode
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest

from rehearsal.masked_sums.signed_messages import AddressedRun, state_message
from rehearsal.masked_sums.signing_keys import public_text
from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.settings import AccessSettings, Veto
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.settings.analysis_settings import AnalysisSettings
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import algorithm_digest
from rehearsal.node.wes.endpoints import WesEndpoints
from rehearsal.node.wes.sandbox import why_no_sandbox
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people
from rehearsal.web.app import Api

from ...node_algorithms import write_algorithm
from ...signing_keys import COORDINATOR, public_keys, signing_key, write_key
from ..conftest import NAMES, call, individuals, phenotypes

DATASET = "GDI-FI-REHEARSAL-1"
HMB = "DUO:0000006"
AUDIENCE = "https://network.rehearsal.example"
BASE = "/ga4gh/wes/v1"
WITHDRAWN, NOT_FOR_HEALTH = 6, 7
K = 3
DEFAULTS = {
    "smallest_count": K,
    "memory_mb": 500,
    "modes": ("clear", "masked"),
    "partners": public_keys("EE", "SE"),
    "coordinators": (public_text(signing_key(COORDINATOR)),),
}
CONSENT = pd.DataFrame(
    [
        (
            name,
            "consent",
            "DUO:0000011" if i == NOT_FOR_HEALTH else "DUO:0000004",
            i == WITHDRAWN,
        )
        for i, name in enumerate(NAMES)
    ],
    columns=["individual", "basis", "uses", "withdrawn"],
)
FORM = {"workflow_type": "SMK", "workflow_type_version": "1.0"}
ROUNDS = """
save("round-0", {"total": ([float(number)], "sum", {})}, folder="outbox", round=0)
state = wait_for("round-0")
save("round-1", {"total": (state["total"] * 2.0, "sum", {})}, folder="outbox", round=1)
wait_for("round-1")
"""


@pytest.fixture(scope="session")
def sandboxes():
    if reason := why_no_sandbox():
        pytest.skip(reason)


@pytest.fixture
def quick(monkeypatch, sandboxes):
    """Runs call the script of the algorithm without Snakemake, which takes a second."""
    import sys

    monkeypatch.setattr(
        "rehearsal.node.wes.sandbox.snakemake", lambda: [sys.executable, "/algorithm/main.py"]
    )


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("issuer") / "mine")


@pytest.fixture(scope="module")
def tokens(issuer):
    who = {
        "granted": create_person("researcher", "SE", [DATASET]),
        "other": create_person("researcher", "DE", [DATASET]),
        "vetoed": create_person("researcher", "FR", [DATASET], name="vetoed"),
        "registered": create_person("researcher", "FI"),
    }
    return {name: sign_tokens(issuer, one, AUDIENCE).passport for name, one in who.items()}


class Client:
    """Asks one node."""

    def __init__(self, app, tokens, folder, endpoints, digests):
        self._app, self._tokens, self.folder = app, tokens, folder
        self.endpoints, self.digests = endpoints, digests

    def send(self, path, body=None, who="granted", purpose=HMB, headers=(), method=None, **query):
        """Status and body, which is read if it is JSON."""
        sent = [(b"x-rehearsal-purpose", purpose.encode()), *headers]
        if who is not None:
            sent.append((b"authorization", f"Bearer {self._tokens[who]}".encode()))
        parameters = "&".join(f"{key}={value}" for key, value in query.items())
        status, head, told = asyncio.run(
            call(self._app, BASE + path, body, parameters, method, headers=sent)
        )
        if head.get(b"content-type") == b"application/json":
            return status, orjson.loads(told)
        return status, told

    def run(self, who="granted", purpose=HMB, **form):
        """Send a request to run a workflow."""
        content, kind = multipart({**FORM, **form})
        headers = [(b"content-type", kind)]
        return self.send("/runs", content, who, purpose, headers)

    def run_to_end(self, within_s=60.0, **form):
        """Run a workflow, and wait until it has ended: its run log."""
        status, told = self.run(**form)
        assert status == 200, told
        return self.ended(told["run_id"], within_s)

    def ended(self, run, within_s=60.0, states=("COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR")):
        until = time.monotonic() + within_s
        while True:
            status, log = self.send(f"/runs/{run}")
            assert status == 200, log
            if log["state"] in states:
                return log
            assert time.monotonic() < until, log
            time.sleep(0.05)


def sign(message, who=COORDINATOR):
    """A signature as it is sent."""
    return b64encode(signing_key(who).sign(message)).decode()


def of_coordinator(path, content, who=COORDINATOR, node="FI"):
    """The header with the signature of a state that is sent to the path of a round."""
    _, _, run, _, number = path.split("/")
    message = state_message(AddressedRun(node, run), int(number), content)
    return [(b"x-rehearsal-signature", sign(message, who).encode())]


def multipart(form):
    """A form as clients send it: content and content type. Values of dict become JSON."""
    parts = []
    for name, value in form.items():
        file = ""
        if isinstance(value, tuple):
            file, value = f'; filename="{value[0]}"', value[1]
        text = value if isinstance(value, str) else json.dumps(value)
        head = f'Content-Disposition: form-data; name="{name}"{file}'
        parts.append(f"--here\r\n{head}\r\n\r\n{text}\r\n")
    content = "".join(parts) + "--here--\r\n"
    return content.encode(), b"multipart/form-data; boundary=here"


@pytest.fixture
def node(tmp_path, tokens, issuer, node_data):
    """Start a node with algorithms: ``node(counting=write_algorithm arguments, ...)``."""
    opened = []

    def start(algorithms=None, approved=None, vetoes=(), **limits):
        folder = tmp_path / "node"
        folder.mkdir()
        for name, arguments in (algorithms or {"counting": {}}).items():
            write_algorithm(folder / "algorithms" / name, **arguments)
        digests = {
            path.name: algorithm_digest(path) for path in sorted((folder / "algorithms").iterdir())
        }
        build_people(
            individuals(), {**phenotypes(), "consent": CONSENT}, folder / "people.sqlite", 2025
        )
        write_key(folder / "keys/identity.pem", "FI")
        link = folder / "variants.sqlite"
        link.symlink_to(Path(node_data.variants._path))
        access = AccessSettings(audience=(AUDIENCE,), issuers=(issuer.trusted(),), vetoes=vetoes)
        settings = replace(
            NodeSettings.for_country("FI", "Finland", reference_year=2025),
            access=access,
            algorithms=tuple(digests.values() if approved is None else approved),
            analyses=AnalysisSettings(**DEFAULTS | limits),
        )
        people = PeopleStore.open(folder / "people.sqlite")
        mine = NodeData(settings, node_data.variants, people)
        audit = AuditLog(folder / "audit.jsonl")
        authorizer = Authorizer(settings, people, folder, audit)
        endpoints = WesEndpoints(mine, authorizer, folder)
        api = Api(partial(envelope.error, "org.rehearsal.fi"), "node")
        endpoints.add_to(api)
        opened.extend([endpoints, authorizer, people])
        return Client(AccessMiddleware(api, authorizer), tokens, folder, endpoints, digests)

    yield start
    for one in opened:
        one.close()


def numbers(content):
    """The arrays of an NPZ file."""
    import io

    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name].tolist() for name in file.files}


__all__ = ["Veto", "numbers"]
