"""A node with patients to match, and a patient to find matches for."""

import asyncio
import json
from dataclasses import replace

import orjson
import pandas as pd
import pytest

from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.matchmaker.index import FILE_NAME
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people

from ..access.test_access import CARE, CONSENT, PEOPLE
from ..conftest import NAMES, call, individuals, phenotypes
from ..hostile_tokens import AUDIENCE, Forge

MICROCEPHALY, PRIMARY = "HP:0000252", "HP:0011451"
SMALL_FACE, DELAY, SEIZURE, HYPOSERINEMIA = "HP:0000274", "HP:0001263", "HP:0001250", "HP:0012279"
MARTIN = (MICROCEPHALY, SMALL_FACE, DELAY, SEIZURE, HYPOSERINEMIA)
VARIANT = ("chr17", 50_000_000, "G", "C")  # 11 has it twice, 10 once
# 11 is very similar, 4 has the candidate gene, 5 has the same phenotypes without the gene, 6 has
# little in common, seizures were excluded in 7, 1 withdrew consent, 3 has no consent record
FEATURES = {
    11: (PRIMARY, DELAY, SEIZURE, HYPOSERINEMIA),
    1: MARTIN,
    3: MARTIN,
    4: (MICROCEPHALY, DELAY),
    5: MARTIN,
    6: ("HP:0003002",),
    7: (MICROCEPHALY, DELAY),
}
CANDIDATES = (1, 3, 4, 6, 7)  # of PHGDH


@pytest.fixture(scope="module")
def ontology():
    return HumanPhenotypeOntology()


def tables():
    return {
        "features": pd.DataFrame(
            [(NAMES[i], code) for i, codes in FEATURES.items() for code in codes],
            columns=["individual", "code"],
        ),
        "excluded_features": pd.DataFrame({"individual": [NAMES[7]], "code": [SEIZURE]}),
        "candidate_genes": pd.DataFrame(
            {"individual": [NAMES[i] for i in CANDIDATES], "gene": "PHGDH"}
        ),
    }


class Node:
    """An app for the twelve people, with an index for matching."""

    def __init__(self, node_data, folder, ontology, access):
        build_people(individuals(), phenotypes() | {"consent": CONSENT}, folder / "people.sqlite")
        build_matchmaker_index(NAMES, tables(), folder / FILE_NAME, ontology)
        settings = replace(NodeSettings.for_country("FI", "Finland"), access=access)
        settings = replace(settings, genes=node_data.settings.genes)
        settings.write(folder)
        people = PeopleStore.open(folder / "people.sqlite")
        self.node_data = NodeData(settings, node_data.variants, people)
        self.log = folder / "audit.jsonl"
        self.app = beacon_app(
            self.node_data,
            Authorizer(
                self.node_data.settings, self.node_data.people, folder, audit=AuditLog(self.log)
            ),
        )

    def post(self, body, token=None, purpose=CARE, headers=()):
        """(status, body as JSON, headers)."""
        told = dict(headers)
        if token is not None:
            told["authorization"] = f"Bearer {token}"
        if purpose is not None:
            told["x-rehearsal-purpose"] = purpose
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        pairs = [(name.encode(), value.encode()) for name, value in told.items()]
        status, sent, answer = asyncio.run(call(self.app, "/match", raw, headers=pairs))
        return status, orjson.loads(answer), sent

    def logged(self):
        return [json.loads(line) for line in self.log.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuers")
    mine = make_issuer(folder / "mine")
    return Forge(mine, make_issuer(folder / "evil", "https://evil.example"))


@pytest.fixture(scope="module")
def make_node(node_data, ontology, forge, tmp_path_factory):
    def make(**settings):
        settings = {"issuers": (forge.mine.trusted(),)} | settings
        return Node(
            node_data, tmp_path_factory.mktemp("match"), ontology, AccessSettings(**settings)
        )

    return make


@pytest.fixture(scope="module")
def node(make_node):
    return make_node()


@pytest.fixture(scope="module")
def clinician(forge):
    return sign_tokens(forge.mine, create_person("clinician", "IE", [PEOPLE]), AUDIENCE).passport


def patient(terms=MARTIN, genes=("PHGDH",), variants=(VARIANT,), absent=(), **changes):
    """The body of a request for Martin."""
    genomic = [{"gene": {"id": gene}} for gene in genes]
    for contig, start, ref, alt in variants:
        place = {"assembly": "GRCh38", "referenceName": contig.removeprefix("chr"), "start": start}
        bases = {"referenceBases": ref, "alternateBases": alt}
        genomic.append({"variant": place | bases, "zygosity": 2})
        genomic[-1] |= {"gene": {"id": genes[0]}} if genes else {}
    asked = {
        "id": "martin",
        "contact": {"name": "Dr Byrne", "href": "mailto:byrne@hospital.example.ie"},
        "features": [
            *({"id": term, "observed": "yes"} for term in terms),
            *({"id": term, "observed": "no"} for term in absent),
        ],
        "genomicFeatures": genomic,
        "_consent": [CARE],
    }
    return {"patient": {key: one for key, one in (asked | changes).items() if one is not ...}}
