"""A node with subscriptions, and a patient who matches them."""

import asyncio
import json
from dataclasses import replace
from functools import partial

import orjson
import pytest

from rehearsal.model import Variant
from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.alerts.alert_store import FILE_NAME, AlertStore
from rehearsal.node.alerts.endpoints import SubscriptionEndpoints
from rehearsal.node.alerts.patient_import import NewPatient
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.web.app import Api

from ..conftest import call

DATASET = "GDI-FI-REHEARSAL-1"
AUDIENCE = "https://network.rehearsal.example"
CARE = "DUO:0000043"
TLR7 = Variant("chrX", 12_886_152, "C", "T")  # beside one that is common here
COMMON = Variant("chrX", 12_886_151, "A", "G")
SEVERE, MILD = "HP:0033141", "HP:0001945"
PROFILE = {
    "sex": "male",
    "age": {"from": 18, "to": 40},
    "terms": [SEVERE],
    "gene": "TLR7",
    "maximumFrequency": 0.01,
}
PATIENT = NewPatient("FI-A1", "male", 29, frozenset({SEVERE}), frozenset({TLR7}), (CARE,))


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("issuer") / "mine")


@pytest.fixture(scope="module")
def tokens(issuer):
    who = {
        "pablo": create_person("clinician", "ES", [DATASET]),
        "other": create_person("clinician", "SE", [DATASET]),
        "registered": create_person("researcher", "SE"),
    }
    return {name: sign_tokens(issuer, one, AUDIENCE).passport for name, one in who.items()}


class Node:
    """A node that can be restarted on the same folder."""

    def __init__(self, node_data, issuer, tokens, folder):
        self.folder, self.tokens = folder, tokens
        self.access = AccessSettings(audience=(AUDIENCE,), issuers=(issuer.trusted(),))
        settings = replace(NodeSettings.for_country("FI", "Finland"), access=self.access)
        self.settings = replace(settings, genes=node_data.settings.genes)
        self.settings.write(folder)
        self.variants, self.people = node_data.variants, node_data.people
        self.start()

    def start(self, clock=None, **access):
        settings = replace(self.settings, access=replace(self.access, **access))
        node_data = NodeData(settings, self.variants, self.people)
        authorizer = Authorizer(
            node_data.settings,
            node_data.people,
            self.folder,
            audit=AuditLog(self.folder / "audit.jsonl"),
        )
        store = AlertStore(self.folder / FILE_NAME)
        extra = {} if clock is None else {"clock": clock}
        self.monitor = SubscriptionMatcher(node_data, authorizer, store, self.folder, **extra)
        api = Api(partial(envelope.error, "org.rehearsal.fi"), "node")
        SubscriptionEndpoints(node_data, self.monitor).add_to(api)
        self.app = AccessMiddleware(api, authorizer)

    async def asks(self, path, body=None, who="pablo", method=None, purpose=CARE, parameters=""):
        headers = [(b"x-rehearsal-purpose", purpose.encode())] if purpose else []
        if who is not None:
            headers.append((b"authorization", f"Bearer {self.tokens[who]}".encode()))
        body = None if body is None else orjson.dumps(body)
        status, _, told = await call(self.app, path, body, parameters, method, headers)
        told = orjson.loads(told)
        return status, told.get("response") or told["error"]["errorMessage"]

    def ask(self, *arguments, **options):
        return asyncio.run(self.asks(*arguments, **options))

    def subscribe(self, **change):
        status, said = self.ask("/subscriptions", {"profile": PROFILE | change})
        assert status == 200, said
        return said["subscription"]

    def alerts(self, who="pablo"):
        return self.ask("/alerts", who=who)[1]["alerts"]

    def log(self):
        return [json.loads(line) for line in (self.folder / "audit.jsonl").open()]


@pytest.fixture
def node(node_data, issuer, tokens, tmp_path):
    return Node(node_data, issuer, tokens, tmp_path)


def packet(**change):
    return {
        "id": "p1",
        "subject": {
            "id": "FI-A1",
            "sex": "MALE",
            "timeAtLastEncounter": {"age": {"iso8601duration": "P29Y"}},
        },
        "phenotypicFeatures": [
            {"type": {"id": SEVERE, "label": "severe"}},
            {"type": {"id": MILD, "label": "fever"}, "excluded": True},
        ],
        "interpretations": [
            {
                "diagnosis": {
                    "genomicInterpretations": [
                        {
                            "variantInterpretation": {
                                "variationDescriptor": {
                                    "vcfRecord": {
                                        "genomeAssembly": "GRCh38",
                                        "chrom": "X",
                                        "pos": "12886153",
                                        "ref": "C",
                                        "alt": "T",
                                    }
                                }
                            }
                        }
                    ]
                }
            }
        ],
        **change,
    }


@pytest.fixture
def phenopacket(tmp_path):
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(packet()))
    return path
