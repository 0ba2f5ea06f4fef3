"""Polygenic scores at a node: histograms and sums for many, one score for one's own clinician."""

import asyncio
import json
from dataclasses import replace
from functools import partial

import numpy as np
import orjson
import pandas as pd
import pytest

from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.model import InputError
from rehearsal.network.issuer import issue, make_issuer, person
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.drug_genes import COLUMNS, DrugFlags
from rehearsal.node.scoring.cox import derivatives
from rehearsal.node.scoring.endpoints import ScoreEndpoints
from rehearsal.node.scoring.scorer import Scorer
from rehearsal.node.settings import NodeSettings
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
        "registered": person("researcher", "FI"),
        "controlled": person("researcher", "SE", [DATASET]),
        "clinician": person("clinician", "FI", [DATASET]),
        "abroad": person("clinician", "SE", [DATASET]),
        "ungranted": person("clinician", "FI", name="ungranted"),
    }
    return {name: issue(issuer, one, AUDIENCE).passport for name, one in who.items()}


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
    ScoreEndpoints(mine, folder).add_to(api)
    DrugFlags(mine, folder).add_to(api)
    app = AccessMiddleware(
        api, Authorizer(mine.settings, mine.people, audit=AuditLog(folder / "audit.jsonl"))
    )

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


def test_everybody_is_scored_as_the_genotypes_say(node_data, folder, digest):
    np.testing.assert_allclose(Scorer(node_data, folder).scores(digest), truth(), atol=1e-12)


def test_a_histogram_counts_those_who_permit_it(ask, digest):
    status, said = ask("/scores", {"scoringFile": digest, "bins": BINS})
    assert (status, said["people"]) == (200, PEOPLE - 1)
    (group,) = said["groups"]
    scores = np.delete(truth(), WITHDRAWN)
    expected, _ = np.histogram(scores, np.arange(-4, 4.5, 0.5))
    assert group["counts"] == expected.tolist()
    assert (group["below"], group["above"]) == ((scores < -4).sum(), (scores >= 4).sum())


def test_groups_by_sex_and_disease_add_up_to_everybody(ask, digest):
    asked = {"scoringFile": digest, "bins": BINS}
    _, whole = ask("/scores", asked)
    _, parts = ask("/scores", asked | {"bySex": True, "cases": "ICD10:I25"})
    assert [(one["sex"], one["case"]) for one in parts["groups"]] == [
        ("female", True),
        ("female", False),
        ("male", True),
        ("male", False),
    ]
    added = np.sum([one["counts"] for one in parts["groups"]], axis=0)
    assert added.tolist() == whole["groups"][0]["counts"]
    sizes = [sum(g["counts"]) + g["below"] + g["above"] for g in parts["groups"]]
    assert sizes == [1, 4, 2, 4]


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("registered", 403)])
@pytest.mark.parametrize("path", ["/scores", "/scores/hazard"])
def test_sums_are_for_controlled_access(ask, digest, who, status, path):
    asked = {"scoringFile": digest, "bins": BINS}
    assert ask(path, asked, who)[0] == status


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"bins": {"from": -4, "to": 4, "width": 0.01}},
            "bins: width a multiple of 0.05, not 0.01",
        ),
        ({"bins": {"from": -4, "to": 4, "width": 0}}, "bins.width: a number above 0"),
        (
            {"bins": {"from": -4, "to": 4, "width": 0.15}},
            "bins: whole bins between from and to, not width 0.15",
        ),
        ({"bins": {"from": 4, "to": -4, "width": 0.5}}, "bins: from below to, not 4 and -4"),
        ({"bins": {"from": -400, "to": 4, "width": 0.5}}, "bins.from: a number of at least -10"),
        ({"bins": [1, 2]}, "bins: an object, not [1, 2]"),
        ({"bySex": "yes"}, "bySex: true or false, not 'yes'"),
        ({"cases": 5}, "cases: text, not 5"),
        ({"names": True}, "the body: unknown 'names'; known are scoringFile, bins, bySex, cases"),
    ],
)
def test_what_is_not_understood_is_refused(ask, digest, change, complaint):
    status, said = ask("/scores", {"scoringFile": digest, "bins": BINS} | change)
    assert status == 400
    assert said.startswith(complaint), said


def test_an_unknown_scoring_file_is_not_found(ask):
    assert ask("/scores", {"scoringFile": "0" * 64, "bins": BINS})[0] == 404


def test_a_file_whose_effect_allele_is_the_reference_is_refused(node_data, tmp_path):
    contig, start, ref, alt = WEIGHTED[0]
    exchanged = pd.DataFrame(
        [("heart", contig, start, alt, ref, 0.5, 0.5)],
        columns=["trait", "contig", "start", "ref", "alt", "effect", "frequency"],
    )
    (tmp_path / "scores").mkdir()
    write_scoring_file(exchanged, DISEASE, tmp_path / "scores" / "heart.txt.gz")
    with pytest.raises(InputError, match=r"heart.txt.gz: 22 2100\d+: the alternate allele"):
        Scorer(node_data, tmp_path)


# --- one patient ---


def test_a_clinician_is_told_the_score_of_a_patient_of_her_own(ask, digest):
    path = f"/scores/{digest}/individuals/{NAMES[3]}"
    status, said = ask(path, who="clinician", purpose=CARE)
    assert status == 200
    assert said["score"] == pytest.approx(truth()[3])


@pytest.mark.parametrize(
    ("who", "purpose", "status"),
    [
        (None, HMB, 401),
        ("controlled", HMB, 403),  # exact histograms, but no clinician
        ("clinician", HMB, 403),  # her patient, but not for care
        ("abroad", CARE, 403),  # a clinician, but not of this country
        ("ungranted", CARE, 403),  # a clinician of this country without a grant
    ],
)
@pytest.mark.parametrize("name", [NAMES[3], "FI-nobody"])
def test_nobody_else_is_told_whoever_is_asked_about(ask, digest, who, purpose, status, name):
    assert ask(f"/scores/{digest}/individuals/{name}", who=who, purpose=purpose)[0] == status
    assert ask(f"/drug_flags/{name}", who=who, purpose=purpose)[0] == status


def test_who_withdrew_looks_like_nobody(ask, digest):
    asked = f"/scores/{digest}/individuals/"
    gone = ask(asked + NAMES[WITHDRAWN], who="clinician", purpose=CARE)
    assert gone == ask(asked + "FI-nobody", who="clinician", purpose=CARE)
    assert gone[0] == 404


def test_the_log_has_the_decision_and_not_the_person(ask, digest, folder):
    ask(f"/scores/{digest}/individuals/{NAMES[3]}", who="clinician", purpose=CARE)
    line = json.loads((folder / "audit.jsonl").read_text().splitlines()[-1])
    assert line["route"] == "/scores/{digest}/individuals/{id}"
    assert (line["subject"], line["status"]) == ("clinician-fi", 200)


@pytest.mark.parametrize(("patient", "flagged"), [(3, True), (1, False), (5, False)])
def test_a_drug_is_flagged_from_so_many_copies_on(ask, patient, flagged):
    status, said = ask(
        f"/drug_flags/{NAMES[patient]}",
        who="clinician",
        purpose=CARE,
        parameters="drugs=ATC:X,ATC:Y",
    )
    assert status == 200
    x, y = said["drugs"]
    assert (x["drug"], x["flagged"], x["rules"]) == ("ATC:X", flagged, 1)
    assert y == {"drug": "ATC:Y", "flagged": False, "rules": 0, "reasons": []}
    if flagged:
        assert (x["reasons"][0]["gene"], x["reasons"][0]["copies"]) == ("BRCA1", 2)


# --- Cox ---


def test_derivatives_are_those_of_the_partial_likelihood():
    """Against numeric derivatives of Efron's likelihood, written out."""
    random = np.random.default_rng(3)
    score = random.normal(size=60)
    left = random.integers(40, 50, 60)
    ill = random.random(60) < 0.6

    def log_likelihood(b):
        total = 0.0
        for year in sorted(set(left[ill])):
            now = ill & (left == year)
            at_risk, tied = np.exp(b * score[left >= year]).sum(), np.exp(b * score[now]).sum()
            total += b * score[now].sum()
            total -= sum(np.log(at_risk - k / now.sum() * tied) for k in range(now.sum()))
        return total

    b, step = 0.4, 1e-4
    told = derivatives(score, left, ill, b)
    low, here, high = (log_likelihood(b + d) for d in (-step, 0, step))
    assert told.gradient == pytest.approx((high - low) / (2 * step), rel=1e-6)
    assert told.information == pytest.approx(-(high - 2 * here + low) / step**2, rel=1e-4)
    assert (told.people, told.events) == (60, ill.sum())


def test_a_node_tells_its_part_of_a_regression(ask, digest):
    status, said = ask(
        "/scores/hazard", {"scoringFile": digest, "disease": "ICD10:I25", "coefficient": 0.0}
    )
    assert status == 200
    # NAMES[5] has the disease since nobody knows when: not followed; NAMES[6] withdrew
    assert (said["people"], said["events"]) == (PEOPLE - 2, 2)
    scores = truth()
    women, men = [0, 2, 4, 8, 10], [1, 3, 7, 9, 11]
    # born in 1940 + 5 i and followed up to 2025: who fell ill at 61 or 55, and who was at risk then
    at_risk_of_0 = [i for i in women if i == 0 or 85 - 5 * i - 1 >= 61]
    at_risk_of_1 = [i for i in men if i == 1 or 85 - 5 * i - 1 >= 55]
    expected = scores[0] - scores[at_risk_of_0].mean() + scores[1] - scores[at_risk_of_1].mean()
    assert said["gradient"] == pytest.approx(expected)
