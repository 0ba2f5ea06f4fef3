"""A node with a scoring file, and everybody's true scores."""

import asyncio
from dataclasses import replace
from functools import partial

import numpy as np
import orjson
import pandas as pd
import pytest

from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.alerts.alert_store import AlertStore
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.drug_genes import COLUMNS
from rehearsal.node.server import extensions
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.endpoints import WesEndpoints
from rehearsal.phenotypes.trait_types import Disease
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people
from rehearsal.web.app import Api

from ..conftest import GENOTYPES, NAMES, PEOPLE, call, individuals, phenotypes

DATASET = "GDI-FI-REHEARSAL-1"
HEART = "ICD10:I25.1"
HMB, CARE = "DUO:0000006", "DUO:0000043"
AUDIENCE = "https://network.rehearsal.example"
DISEASE = Disease("heart", HEART, "Heart", "MONDO:0005010", "heart", {}, None, {}, (), ())
WEIGHTED = [allele for allele in GENOTYPES if allele[0] == "chr22"]
WEIGHTS = np.linspace(-0.3, 0.5, len(WEIGHTED))
WITHDRAWN = 6
CONSENT = pd.DataFrame(
    [(n, "consent", "DUO:0000004", i == WITHDRAWN) for i, n in enumerate(NAMES)],
    columns=["individual", "basis", "uses", "withdrawn"],
)
BINS = {"from": -4, "to": 4, "width": 0.5}


def truth():
    """Everybody's score by hand, from the genotypes."""
    total = np.zeros(PEOPLE)
    for allele, weight in zip(WEIGHTED, WEIGHTS, strict=True):
        for carrier, copies in GENOTYPES[allele].items():
            total[carrier] += weight * copies
    return total - sum(2 * 0.3 * WEIGHTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    effects = pd.DataFrame(
        [("heart", *allele, weight, 0.3) for allele, weight in zip(WEIGHTED, WEIGHTS, strict=True)],
        columns=["trait", "contig", "start", "ref", "alt", "effect", "frequency"],
    )
    (folder / "scores").mkdir()
    write_scoring_file(effects, DISEASE, folder / "scores" / "heart.txt.gz")
    rule = ["ATC:X", "statin", "BRCA1", "c.1", "chr17", "43044301", "A", "G", "2", "none", "(m)"]
    (folder / "drug_genes.tsv").write_text("\t".join(COLUMNS) + "\n" + "\t".join(rule) + "\n")
    build_people(
        individuals(), {**phenotypes(), "consent": CONSENT}, folder / "people.sqlite", 2025
    )
    return folder


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("issuer") / "mine")


@pytest.fixture(scope="module")
def tokens(issuer):
    who = {
        "registered": create_person("researcher", "FI"),
        "controlled": create_person("researcher", "SE", [DATASET]),
        "clinician": create_person("clinician", "FI", [DATASET]),
        "abroad": create_person("clinician", "SE", [DATASET]),
        "ungranted": create_person("clinician", "FI", name="ungranted"),
    }
    return {name: sign_tokens(issuer, one, AUDIENCE).passport for name, one in who.items()}


@pytest.fixture(scope="module")
def ask(node_data, folder, issuer, tokens):
    settings = replace(
        NodeSettings.for_country("FI", "Finland"),
        access=AccessSettings(audience=(AUDIENCE,), issuers=(issuer.trusted(),)),
        genes=node_data.settings.genes,
    )
    people = PeopleStore.open(folder / "people.sqlite")
    mine = NodeData(settings, node_data.variants, people)
    api = Api(partial(envelope.error, "org.rehearsal.fi"), "node")
    authorizer = Authorizer(mine.settings, mine.people, audit=AuditLog(folder / "audit.jsonl"))
    monitor = SubscriptionMatcher(mine, authorizer, AlertStore(None), folder)
    for extension in extensions(mine, monitor, folder, WesEndpoints(mine, authorizer, folder)):
        extension.add_to(api)
    app = AccessMiddleware(api, authorizer)

    def send(path, body=None, who="controlled", purpose=HMB, parameters=""):
        headers = [(b"x-rehearsal-purpose", purpose.encode())]
        if who is not None:
            headers.append((b"authorization", f"Bearer {tokens[who]}".encode()))
        body = None if body is None else orjson.dumps(body)
        status, _, told = asyncio.run(call(app, path, body, parameters, headers=headers))
        told = orjson.loads(told)
        return status, told.get("response") or told["error"]["errorMessage"]

    yield send
    people.close()


@pytest.fixture(scope="module")
def digest(ask):
    status, said = ask("/scores", who=None)
    assert status == 200
    (file,) = said["scoringFiles"]
    assert (file["trait"], file["variants"]) == ("Heart", len(WEIGHTED))
    return file["scoringFile"]
