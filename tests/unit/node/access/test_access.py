"""Access decisions: tiers, visas, vetoes, consent, uninformative refusals, and the audit log."""

import asyncio
import json
import math
import time
from dataclasses import replace

import orjson
import pandas as pd
import pytest

from rehearsal.network.issuer import CENTRAL_COMMITTEE, make_issuer
from rehearsal.network.tokens import create_person, linked_identities, sign_tokens, sign_visas
from rehearsal.node.access.audit_check import verify_log
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import (
    AccessSettings,
    DatasetAccess,
    Veto,
)
from rehearsal.node.access.token_format import PASSPORT
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.privacy.protection import UNPROTECTED, Protection
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people

from ..conftest import GENOTYPES, NAMES, call, individuals, phenotypes
from ..hostile_tokens import AUDIENCE, HOSTILE, SIZES, TOKENS, Forge

FREQUENCIES, PEOPLE, TESTS = "GOE-FI-REHEARSAL-1", "GDI-FI-REHEARSAL-1", "GDI-FI-TEST-1"
HMB, CARE = "DUO:0000006", "DUO:0000043"
WOMAN = "NCIT:C16576"

# NAMES[0] permits any use, 1 withdrew, 2 permits care only, 3 has no record, others research
CONSENT = pd.DataFrame(
    [
        (NAMES[0], "consent", "DUO:0000004", False),
        (NAMES[1], "consent", "DUO:0000004", True),
        (NAMES[2], "consent", CARE, False),
        *((name, "consent", f"DUO:0000042, {CARE}", False) for name in NAMES[4:]),
    ],
    columns=["individual", "basis", "uses", "withdrawn"],
)
NO_RESEARCH, NO_CARE = {1, 2, 3}, {1, 3}


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuers")
    mine = make_issuer(folder / "mine")
    return Forge(mine, make_issuer(folder / "evil", "https://evil.example"))


@pytest.fixture(scope="module")
def people_with_consent(tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.sqlite"
    build_people(individuals(), {**phenotypes(), "consent": CONSENT}, path, 2025)
    store = PeopleStore.open(path)
    yield store
    store.close()


class Node:
    """A node's app with its log, and a client."""

    def __init__(self, node_data, people, access, folder):
        settings = replace(NodeSettings.for_country("FI", "Finland"), access=access)
        settings = replace(settings, genes=node_data.settings.genes)
        self.log = folder / "audit.jsonl"
        self.node_data = NodeData(settings, node_data.variants, people)
        self.authorizer = Authorizer(settings, people, audit=AuditLog(self.log))
        self.app = beacon_app(self.node_data, self.authorizer)

    def ask(self, path, token=None, purpose=HMB, query=None, headers=()):
        """(status, body as JSON, headers)."""
        headers = [(name.encode(), value.encode()) for name, value in headers]
        if token is not None:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        if purpose is not None:
            headers.append((b"x-rehearsal-purpose", purpose.encode()))
        body = None if query is None else orjson.dumps({"query": query})
        status, told, answer = asyncio.run(call(self.app, path, body, headers=headers))
        return status, orjson.loads(answer), told

    def logged(self):
        return [json.loads(line) for line in self.log.read_bytes().splitlines()]


@pytest.fixture
def make_node(node_data, people_with_consent, forge, tmp_path):
    def make(folder=tmp_path, **settings):
        settings = {"issuers": (forge.mine.trusted(),)} | settings
        return Node(node_data, people_with_consent, AccessSettings(**settings), folder)

    return make


@pytest.fixture
def node(make_node):
    return make_node()


@pytest.fixture(scope="module")
def tokens(forge):
    """A token of each tier."""
    return {
        "public": None,
        "registered": sign_tokens(forge.mine, create_person("researcher", "FI"), AUDIENCE).passport,
        "controlled": sign_tokens(
            forge.mine, create_person("researcher", "SE", [FREQUENCIES, PEOPLE, TESTS]), AUDIENCE
        ).passport,
        "clinician": sign_tokens(
            forge.mine, create_person("clinician", "FI", [PEOPLE]), AUDIENCE
        ).passport,
    }


def look_up(allele, granularity="record"):
    contig, start, ref, alt = allele
    parameters = {"referenceName": contig, "start": [start], "assemblyId": "GRCh38"}
    parameters |= {"referenceBases": ref, "alternateBases": alt}
    return {"requestedGranularity": granularity, "requestParameters": parameters}


COMMON = max(GENOTYPES, key=lambda allele: len(GENOTYPES[allele]))


# --- tiers ---


@pytest.mark.parametrize(
    ("tier", "wanted", "returned"),
    [
        ("public", "boolean", "boolean"),
        ("public", "count", "boolean"),  # no budget pays for a count of so few people
        ("public", "record", "boolean"),
        ("registered", "record", "count"),
        ("controlled", "boolean", "boolean"),
        ("controlled", "record", "record"),
    ],
)
def test_granularity_is_capped_by_the_callers_tier_and_stated(node, tokens, tier, wanted, returned):
    query = {"requestedGranularity": wanted}
    status, body, _ = node.ask("/individuals", tokens[tier], query=query)
    assert status == 200
    assert body["meta"]["receivedRequestSummary"]["requestedGranularity"] == wanted
    assert body["meta"]["returnedGranularity"] == returned
    for one in body["response"]["resultSets"]:
        assert bool(one.get("results")) == (returned == "record")


def test_small_groups_look_empty_to_the_public(node, tokens):
    for allele in GENOTYPES:
        _, body, _ = node.ask("/g_variants", query=look_up(allele))
        assert body["responseSummary"] == {"exists": False, "numTotalResults": 0}
        _, body, _ = node.ask("/g_variants", tokens["controlled"], query=look_up(allele))
        carriers = GENOTYPES[allele].keys() - NO_RESEARCH
        assert body["responseSummary"]["exists"] == bool(carriers)


def test_public_counts_are_rounded(make_node):
    loose = Protection(threshold=2, rounding=5, noise=0, budget=math.inf)
    node = make_node(protection={"public": loose, "registered": loose})
    query = {"requestedGranularity": "count"}
    _, body, _ = node.ask("/individuals", query=query)
    assert body["responseSummary"]["numTotalResults"] == 10  # of nine
    query["filters"] = [{"id": "ICD10:C50"}]  # one woman
    _, body, _ = node.ask("/individuals", query=query)
    assert body["responseSummary"] == {"exists": False, "numTotalResults": 0}


def test_protected_answers_are_paid_and_granted_ones_are_not(make_node, tokens):
    paying = Protection(threshold=3, rounding=1, noise=0.3, budget=9)
    node = make_node(protection={"public": paying, "registered": paying})
    ledger = node.authorizer._doors["public"].ledger
    query = {"filters": [{"id": WOMAN}], "requestedGranularity": "count"}
    node.ask("/individuals", tokens["controlled"], query=query)
    assert ledger.spent("public") == ledger.spent("registered") == 0
    node.ask("/individuals", query=query)
    price = 1 / (2 * 0.3**2 * 10)  # of a node whose public size is 10
    assert ledger.spent("public") == pytest.approx(price)
    assert ledger.spent("registered") == 0


def test_no_issuer_is_trusted_when_nothing_is_configured(node_data, people_with_consent, tmp_path):
    node = Node(node_data, people_with_consent, AccessSettings(), tmp_path)
    assert node.ask("/individuals/FI-000001")[0] == 401
    assert node.authorizer._access.issuers == ()


def test_the_required_tier_can_be_set_by_dataset(make_node, tokens):
    open_frequencies = DatasetAccess("public", "registered", "registered")
    hidden = DatasetAccess("controlled", "controlled", "controlled")
    node = make_node(
        datasets={FREQUENCIES: open_frequencies, TESTS: hidden},
        protection={"public": UNPROTECTED, "registered": UNPROTECTED},
    )
    query = look_up(COMMON) | {"includeResultsetResponses": "ALL"}
    _, body, _ = node.ask("/g_variants", tokens["registered"], query=query)
    sets = {one["id"]: one for one in body["response"]["resultSets"]}
    assert body["meta"]["returnedGranularity"] == "record"
    assert sets[FREQUENCIES]["results"][0]["frequencyInPopulations"]
    assert sets[PEOPLE]["results"] == []
    assert sets[PEOPLE]["info"] == {"returnedGranularity": "count"}
    _, body, _ = node.ask("/g_variants", query=query)
    sets = {one["id"]: one for one in body["response"]["resultSets"]}
    assert "resultsCount" not in sets[FREQUENCIES]
    assert sets[PEOPLE]["resultsCount"] == 1


def test_an_invisible_dataset_looks_like_an_unknown_one(make_node, tokens):
    hidden = DatasetAccess("controlled", "controlled", "controlled")
    node = make_node(datasets={TESTS: hidden})
    listed = [one["id"] for one in node.ask("/datasets")[1]["response"]["collections"]]
    assert listed == [FREQUENCIES, PEOPLE]
    for path in ("/datasets/{}", "/datasets/{}/individuals", "/datasets/{}/g_variants"):
        found = node.ask(path.format(TESTS))
        other = node.ask(path.format("GDI-XX-TEST-1"))
        assert found[0] == other[0] == 404
        assert str(found[1]).replace(TESTS, "") == str(other[1]).replace("GDI-XX-TEST-1", "")
    assert node.ask(f"/datasets/{TESTS}", tokens["controlled"])[0] == 200


def test_a_grant_opens_its_dataset_and_no_other(forge, node):
    token = sign_tokens(
        forge.mine, create_person("researcher", "SE", [FREQUENCIES]), AUDIENCE
    ).passport
    _, body, _ = node.ask("/g_variants", token, query=look_up(COMMON))
    sets = {one["id"]: one for one in body["response"]["resultSets"]}
    assert sets[FREQUENCIES]["results"]
    assert PEOPLE not in sets or not sets[PEOPLE]["results"]
    assert node.ask("/individuals/FI-000001", token)[0] == 403


def test_rights_do_not_outlive_the_visa_that_gave_them(forge, make_node):
    """The passport is valid for an hour, its grant for a minute."""
    who = create_person("researcher", "SE", [PEOPLE])
    visas = sign_visas(forge.mine, who, lifetime_s=60)
    token = forge.passport(sub=who.subject, **{PASSPORT: visas})
    now = [time.time()]
    node = make_node()
    node.authorizer = Authorizer(
        node.node_data.settings, node.node_data.people, clock=lambda: now[0]
    )

    def tier():
        headers = [f"Bearer {token}".encode()], [HMB.encode()]
        return asyncio.run(node.authorizer.authorize(*headers)).rights.tiers[PEOPLE]

    assert tier() == "controlled"
    now[0] += 61
    assert tier() == "public"


@pytest.mark.parametrize("tier", ["public", "registered"])
@pytest.mark.parametrize("path", ["/cohorts", "/datasets"])
def test_dataset_sizes_reveal_no_single_person(node, tokens, tier, path):
    """Twelve people; the numbers who permit a purpose, or are women, must stay hidden."""
    told = [node.ask(path, tokens[tier], one)[1]["response"] for one in (HMB, None, "DUO:0000011")]
    assert told[0] == told[1] == told[2]
    assert "female" not in str(told)
    collections = told[0]["collections"]
    sizes = {one.get("cohortSize") or one["info"]["individuals"] for one in collections}
    assert sizes == {10}


LDL = {"id": "LOINC:22748-8", "operator": "=", "value": "3.0"}  # one person's value


@pytest.mark.parametrize("granularity", ["boolean", "count", "record"])
def test_a_grant_for_frequencies_gives_no_genotypes(forge, node, tokens, granularity):
    token = sign_tokens(
        forge.mine, create_person("researcher", "SE", [FREQUENCIES]), AUDIENCE
    ).passport
    for filters in ([LDL], [{"id": "ICD10:C50"}]):
        query = look_up(COMMON, granularity) | {"filters": filters}
        status, body, _ = node.ask(f"/datasets/{FREQUENCIES}/g_variants", token, query=query)
        assert status == 403
        assert "filters" in body["error"]["errorMessage"]
        assert node.ask("/g_variants", tokens["controlled"], query=query)[0] == 200


MOVABLE = [
    [LDL],
    [{"id": "age", "operator": ">", "value": "50"}],
    [{"id": "disease", "operator": "=", "value": "%heart%"}],
    [{"id": "HP:0000252", "similarity": "low"}],
    [{"id": "ICD10:C50"}, {"id": "HP:0000252"}],
    [{"id": WOMAN}, {"id": "NCIT:C20197"}],
]


@pytest.mark.parametrize("filters", MOVABLE)
@pytest.mark.parametrize(("tier", "refused"), [("public", 401), ("registered", 403)])
def test_protected_tiers_cannot_move_a_filter_over_one_person(
    node, tokens, monkeypatch, filters, tier, refused
):
    monkeypatch.setattr("rehearsal.node.beacon.answers.people_passing", None)  # must not be called
    for path in ("/individuals", "/g_variants", "/datasets"):
        for granularity in ("boolean", "count"):
            query = {"filters": filters, "requestedGranularity": granularity}
            assert node.ask(path, tokens[tier], query=query)[0] == refused


def test_protected_tiers_may_filter_by_a_sex_and_a_term_only(node, tokens):
    coarse = {"filters": [{"id": WOMAN}, {"id": "ICD10:C50"}]}
    assert node.ask("/individuals", query=coarse)[0] == 200
    for filters in MOVABLE:
        assert node.ask("/individuals", tokens["controlled"], query={"filters": filters})[0] == 200


@pytest.mark.parametrize("path", ["/g_variants", "/individuals"])
@pytest.mark.parametrize("tier", ["public", "registered"])
def test_nobody_is_counted_in_a_wide_range(make_node, tokens, monkeypatch, path, tier):
    paying = Protection(threshold=3, rounding=1, noise=0.3, budget=9)
    node = make_node(protection={"public": paying, "registered": paying})
    looked = []
    for name in ("get", "overlapping"):
        monkeypatch.setattr(node.node_data.variants, name, lambda *at: looked.append(at) or ())
    region = {"referenceName": "chr22", "start": [0], "assemblyId": "GRCh38"}
    for end, status in ((10_000, 200), (10_001, 403)):
        query = {"requestParameters": region | {"end": [end]}}
        assert node.ask(path, tokens[tier], query=query)[0] == status
    assert looked == [("chr22", 0, 10_000)]


@pytest.mark.parametrize("granularity", ["boolean", "count", "record"])
@pytest.mark.parametrize("path", ["/g_variants", "/individuals"])
def test_an_allele_without_carriers_looks_like_one_with_few(node, path, granularity):
    """In the whole answer, including the returned granularity."""
    rare = min(GENOTYPES, key=lambda allele: len(GENOTYPES[allele]))
    contig, start, ref, _ = rare
    answers = set()
    for allele in (rare, (contig, start, ref, "ACGT"), (contig, start + 7, "A", "T")):
        status, body, _ = node.ask(path, query=look_up(allele, granularity))
        body["meta"].pop("receivedRequestSummary")
        answers.add((status, orjson.dumps(body, option=orjson.OPT_SORT_KEYS)))
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("tier", "path", "query", "protection", "cause"),
    [
        ("registered", "/individuals/FI-000001", None, {}, "no right"),
        ("registered", "/htsget/variants/GDI-FI-REHEARSAL-1", None, {}, "no right"),
        ("public", "/individuals/FI-000001", None, {}, "no token"),
        (
            "registered",
            "/individuals",
            {"filters": MOVABLE[-1]},
            {},
            "filters that are not allowed",
        ),
        (
            *("registered", "/g_variants"),
            {"requestParameters": {"referenceName": "chr22", "start": [0], "end": [10_001]}},
            *({}, "the question is too wide"),
        ),
        (
            *("registered", "/g_variants"),
            {"requestParameters": {"referenceName": "chr22", "start": [0], "end": [9000]}},
            *({"budget": 0.0}, "the question costs more than the budget"),
        ),
    ],
)
def test_the_log_tells_why_a_question_was_refused(
    make_node, tokens, tier, path, query, protection, cause
):
    """The caller is not told more than before, and the log does not know the question."""
    paying = Protection(**{"threshold": 3, "rounding": 1, "noise": 0.3, "budget": 9} | protection)
    node = make_node(protection={"public": paying, "registered": paying})
    if query is not None and "requestParameters" in query:
        query["requestParameters"]["assemblyId"] = "GRCh38"
    status, body, _ = node.ask(path, tokens[tier], query=query)
    assert status == (401 if tokens[tier] is None else 403)
    (line,) = node.logged()
    assert line["rule"] == f"refused: {cause}"
    assert cause not in str(body) and "FI-000001" not in str(line) and "chr22" not in str(line)


def test_a_refusal_of_filters_says_what_lifts_it(node):
    _, body, _ = node.ask("/individuals", query={"filters": MOVABLE[-1]})
    assert "need a token with a grant" in body["error"]["errorMessage"]


@pytest.mark.parametrize("path", ["/datasets", "/g_variants", "/individuals"])
def test_a_refusal_is_no_no_of_the_other_datasets(make_node, forge, monkeypatch, path):
    """The one person of the dataset for tests has a variant of BRCA1 and none of TLR7."""
    granted = create_person("researcher", "SE", [TESTS])
    token = sign_tokens(forge.mine, granted, AUDIENCE).passport
    spent = Protection(threshold=3, rounding=1, noise=0.3, budget=0.0)
    node = make_node(protection={"public": spent, "registered": spent})
    monkeypatch.setattr("rehearsal.node.beacon.node_data.PEOPLE_IN_TESTS", 1)
    absent, carried = (
        {"requestParameters": {"datasets": [PEOPLE, TESTS], "geneId": gene}}
        for gene in ("TLR7", "BRCA1")
    )
    assert node.ask(path, query=absent)[0] == node.ask(path, token, query=absent)[0] == 403
    status, body, _ = node.ask(path, token, query=carried)
    assert status == 200 and body["responseSummary"]["exists"]
    assert "privacy budget" in body["info"]["privacy"][PEOPLE]["refused"]


# --- visas of other kinds ---

ASSERTED = ("so", "system", "peer", "dac", "self")


@pytest.mark.parametrize(
    ("missing", "registered"),
    [(None, True), ("ResearcherStatus", False), ("AcceptedTermsAndPolicies", False)],
)
def test_registered_access_requires_a_researcher_who_accepted_the_terms(
    forge, node, missing, registered
):
    who = create_person("researcher", "FI")
    who = replace(who, visas=tuple(visa for visa in who.visas if visa.type != missing))
    node.ask("/individuals", sign_tokens(forge.mine, who, AUDIENCE).passport)
    rule = node.logged()[-1]["rules"][PEOPLE]
    assert ("ResearcherStatus" in rule) is registered


def test_a_committee_sees_nothing_by_itself(forge, node):
    token = sign_tokens(forge.mine, create_person("committee", "FI"), AUDIENCE).passport
    assert node.ask("/individuals/FI-000001", token)[0] == 403


@pytest.mark.parametrize(("tier", "status"), [("clinician", 200), ("controlled", 403)])
def test_clinical_care_is_stated_by_clinicians_only(node, tokens, tier, status):
    assert node.ask("/individuals", tokens[tier], purpose=CARE)[0] == status
    assert node.ask("/individuals", purpose=CARE)[0] == 401


@pytest.mark.parametrize(
    ("kind", "by", "counts"),
    [
        *(("AffiliationAndRole", by, by in ("so", "system")) for by in ASSERTED),
        *(("ResearcherStatus", by, by in ("so", "system", "peer")) for by in ASSERTED),
    ],
)
def test_self_asserted_visas_do_not_count(forge, node, kind, by, counts):
    """A role that a purpose requires, and researcher status, by who asserts them."""
    who = create_person("clinician", "FI", [PEOPLE])
    visas = tuple(replace(one, by=by) if one.type == kind else one for one in who.visas)
    token = sign_tokens(forge.mine, replace(who, visas=visas), AUDIENCE).passport
    if kind == "AffiliationAndRole":
        assert node.ask("/individuals", token, CARE)[0] == (200 if counts else 403)
    else:
        node.ask("/individuals", token)
        assert ("ResearcherStatus" in node.logged()[-1]["rules"][FREQUENCIES]) is counts


@pytest.mark.parametrize(
    ("purpose", "rule"),
    [(CARE, "purpose: not for a caller without the role"), ("nonsense", "purpose: malformed")],
)
def test_the_log_names_a_caller_whose_purpose_is_refused(node, tokens, purpose, rule):
    node.ask("/individuals", tokens["controlled"], purpose)
    line = node.logged()[-1]
    assert (line["rule"], line["subject"]) == (rule, "researcher-se")
    node.ask("/individuals", None, purpose)
    assert (node.logged()[-1]["rule"], node.logged()[-1]["subject"]) == (rule, None)


# --- the node's own no (QS-03) ---


@pytest.mark.parametrize(
    "veto",
    [
        {},
        {"dataset": PEOPLE},
        {"country": "SE"},
        {"purpose": HMB},
        {"subject": "researcher-se"},
        {"issuer": "https://issuer.rehearsal.example"},
        {"dataset": PEOPLE, "country": "SE", "purpose": HMB},
    ],
)
def test_a_node_vetoes_what_a_committee_granted(make_node, tokens, veto):
    node = make_node(vetoes=(Veto("not from us", **veto),))
    assert node.ask("/individuals/FI-000005", tokens["controlled"])[0] == 403
    assert node.logged()[-1]["rules"][PEOPLE] == "count: veto: not from us"


@pytest.mark.parametrize(
    "veto",
    [
        *({"dataset": FREQUENCIES}, {"country": "FI"}, {"purpose": CARE}, {"subject": "somebody"}),
        {"country": "SE", "purpose": CARE},
    ],
)
def test_a_veto_of_something_else_changes_nothing(make_node, tokens, veto):
    node = make_node(vetoes=(Veto("not from us", **veto),))
    assert node.ask("/individuals/FI-000005", tokens["controlled"])[0] == 200


@pytest.mark.parametrize(
    "veto",
    [
        {"subject": "other"},
        {"subject": "bare"},
        {"issuer": "https://elsewhere.example"},
        {"issuer": "https://dac.example"},
    ],
)
def test_a_veto_covers_linked_identities_and_sources_of_visas(forge, make_node, veto):
    """researcher-fi shows a grant of ``other``; both are linked, and so is ``bare``."""
    mine = (forge.mine.url, forge.good.subject)
    grant = forge.visa(said={"source": "https://dac.example"}, sub="other")
    ties = (
        linked_identities(mine, (forge.mine.url, "other")),
        replace(linked_identities(mine, ("https://elsewhere.example", "bare")), by="self"),
    )
    tied = sign_visas(forge.mine, replace(forge.good, visas=ties))
    token = forge.passport(**{PASSPORT: [grant, *tied]})
    assert make_node().ask("/individuals/FI-000005", token)[0] == 200
    node = make_node(vetoes=(Veto("not from us", **veto),))
    assert node.ask("/individuals/FI-000005", token)[0] == 403


@pytest.mark.parametrize("affiliation", [None, "self", "org"])
def test_a_veto_of_a_country_covers_callers_of_unknown_country(forge, make_node, affiliation):
    who = create_person("researcher", "SE", [PEOPLE])
    place, *others = who.visas
    told = {None: (), "self": (replace(place, by="self"),)}.get(
        affiliation, (replace(place, value="researcher@university.example.org"),)
    )
    token = sign_tokens(forge.mine, replace(who, visas=(*told, *others)), AUDIENCE).passport
    assert make_node().ask("/individuals/FI-000005", token)[0] == 200
    node = make_node(vetoes=(Veto("not from us", country="SE"),))
    assert node.ask("/individuals/FI-000005", token)[0] == 403


def test_a_central_grant_counts_where_a_node_accepts_it(forge, make_node, tmp_path):
    token = sign_tokens(
        forge.mine, create_person("researcher", "SE", [CENTRAL_COMMITTEE]), AUDIENCE
    ).passport
    (tmp_path / "2").mkdir()
    taking = make_node(datasets={PEOPLE: DatasetAccess(grants=(CENTRAL_COMMITTEE,))})
    other = make_node(tmp_path / "2")
    assert taking.ask("/individuals/FI-000005", token)[0] == 200
    assert other.ask("/individuals/FI-000005", token)[0] == 403


# --- consent ---


def found_people(body):
    return {NAMES.index(one["id"]) for s in body["response"]["resultSets"] for one in s["results"]}


RECORDS = {"requestedGranularity": "record", "pagination": {"limit": 100}}


@pytest.mark.parametrize(
    ("tier", "purpose", "left_out"),
    [
        ("controlled", HMB, NO_RESEARCH),
        ("clinician", CARE, NO_CARE),
        ("controlled", None, set(range(1, 12))),
    ],
)
def test_people_who_do_not_permit_the_purpose_are_in_no_answer(
    node, tokens, tier, purpose, left_out
):
    _, body, _ = node.ask("/individuals", tokens[tier], purpose, RECORDS)
    assert found_people(body) == set(range(12)) - left_out
    _, body, _ = node.ask("/individuals", tokens[tier], purpose, {"requestedGranularity": "count"})
    assert body["responseSummary"]["numTotalResults"] == 12 - len(left_out)
    for path in ("/datasets", "/cohorts"):
        body = node.ask(path, tokens[tier], purpose)[1]
        assert str(12 - len(left_out)) in str(body["response"])


def test_allele_frequencies_are_recomputed_without_them(node, tokens, facts):
    for allele, copies in GENOTYPES.items():
        _, body, _ = node.ask("/g_variants", tokens["controlled"], query=look_up(allele))
        remaining = {who: n for who, n in copies.items() if who not in NO_RESEARCH}
        assert body["responseSummary"]["exists"] == bool(remaining)
        if not remaining:
            continue
        record = body["response"]["resultSets"][0]["results"][0]
        row = record["frequencyInPopulations"][0]["frequencies"][0]
        men = len(facts.men - NO_RESEARCH)
        women = len(facts.women - NO_RESEARCH)
        number = 2 * women + men * (1 if allele[0] == "chrX" else 2)
        assert (row["alleleCount"], row["alleleNumber"]) == (sum(remaining.values()), number)


def test_carriers_and_filters_leave_them_out(node, tokens, facts):
    allele = ("chr17", 43_044_300, "A", "G")  # carried by 0, 1, 2, 3
    query = look_up(allele) | RECORDS
    _, body, _ = node.ask("/individuals", tokens["controlled"], query=query)
    assert found_people(body) == {0}
    query = RECORDS | {"filters": [{"id": WOMAN}]}
    _, body, _ = node.ask("/individuals", tokens["controlled"], query=query)
    assert found_people(body) == facts.women - NO_RESEARCH


def test_a_person_who_withdrew_looks_unknown(node, tokens):
    for who, there in ((0, True), (1, False), (2, False), (3, False)):
        _, body, _ = node.ask(f"/individuals/{NAMES[who]}", tokens["controlled"])
        assert body["responseSummary"]["exists"] is there


def test_a_child_does_not_name_a_parent_who_withdrew(node, tokens):
    """NAMES[11] is a child of 0, who permits everything, and 1, who withdrew."""
    _, body, _ = node.ask(f"/individuals/{NAMES[11]}", tokens["controlled"])
    (record,) = body["response"]["resultSets"][0]["results"]
    assert record["info"]["mother"] == NAMES[0]
    assert "father" not in record["info"]
    assert NAMES[1] not in str(body)


def test_a_parent_who_is_not_at_this_node_is_not_named(node, tokens, monkeypatch):
    """Relatives may live in other countries: they have no number here, which is no error."""
    own = node.node_data.people.position
    monkeypatch.setattr(
        node.node_data.people, "position", lambda name: None if name == NAMES[0] else own(name)
    )
    status, body, _ = node.ask(f"/individuals/{NAMES[11]}", tokens["controlled"])
    assert status == 200
    (record,) = body["response"]["resultSets"][0]["results"]
    assert not {"father", "mother"} & record["info"].keys()


def test_terms_of_those_who_are_left_out_are_not_offered(node, tokens):
    def offered(purpose):
        body = node.ask("/filtering_terms", tokens["controlled"], purpose)[1]
        return {one["id"] for one in body["response"]["filteringTerms"]}

    assert "ICD10:C50" in offered(HMB)  # NAMES[4]
    assert "ICD10:C50" not in offered(None)
    everything = node.ask("/filtering_terms")[1]["response"]["filteringTerms"]
    assert not any(one["id"].startswith("ICD10") for one in everything)


def test_terms_are_offered_by_access_to_the_dataset_of_people(forge, node, tokens):
    """A grant for frequencies shows no diseases; without the right to filter, no terms."""

    def offered(token, purpose=HMB):
        body = node.ask("/filtering_terms", token, purpose)[1]
        return {one["id"] for one in body["response"]["filteringTerms"]}

    frequencies = sign_tokens(
        forge.mine, create_person("researcher", "SE", [FREQUENCIES]), AUDIENCE
    ).passport
    assert not any(one.startswith("ICD10") for one in offered(frequencies))
    for token in (None, tokens["registered"], frequencies):
        assert not offered(token) & {"age", "LOINC:22748-8", "sex"}
    assert {"age", "LOINC:22748-8", "sex", "ageOfOnset"} <= offered(tokens["controlled"])


@pytest.mark.parametrize("purpose", ["research", "DUO:0000007", "DUO:0000006,DUO:0000043"])
def test_a_malformed_purpose_is_400(node, purpose):
    status, body, _ = node.ask("/individuals", purpose=purpose)
    assert status == 400
    message = body["error"]["errorMessage"]
    assert message.startswith("X-Rehearsal-Purpose: expected ")
    assert ", found " in message


# --- refusals ---


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tokens_are_refused_with_one_message(forge, node, name):
    status, body, headers = node.ask(f"/individuals/{NAMES[4]}", HOSTILE[name](forge))
    assert status == (401 if name in TOKENS else 403)
    reasons = {
        401: "The token is not accepted here.",
        403: "The token does not give access to this.",
    }
    assert body["error"] == {"errorCode": status, "errorMessage": reasons[status]}
    assert (b"www-authenticate" in headers) is (status == 401)
    assert NAMES[4] not in str(body)
    assert node.logged()[-1]["status"] == status


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("oversize", 431, "authorization: expected at most 65552 bytes"),
        ("too many visas", 401, "ga4gh_passport_v1: expected at most 200 visas, found 201"),
    ],
)
def test_a_passport_beyond_the_limits_is_told_them(forge, node, name, status, message):
    found, body, _ = node.ask(f"/individuals/{NAMES[4]}", SIZES[name](forge))
    assert found == status
    assert body["error"]["errorMessage"].startswith(message)


@pytest.mark.parametrize("name", TOKENS)
def test_a_bad_token_does_not_count_as_anonymous(forge, node, name):
    for path in ("/g_variants", "/datasets", "/filtering_terms", "/individuals"):
        assert node.ask(path, TOKENS[name](forge))[0] == 401


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Basic dXNlcjpwYXNz")],
        [("authorization", "Bearer")],
        [("authorization", "")],
        [("authorization", "Bearer \u00e9")],
        [("authorization", "Bearer a"), ("authorization", "Bearer b")],
    ],
)
def test_other_authorization_is_refused(node, headers):
    assert node.ask("/individuals", headers=headers)[0] == 401


PERSON_PATHS = [
    f"/{path}/{{}}{suffix}{listed}"
    for path, suffix in (("individuals", ""), ("biosamples", "-BS"), ("runs", "-RUN"))
    for listed in ("", "/g_variants")
]


@pytest.mark.parametrize("path", PERSON_PATHS)
@pytest.mark.parametrize("tier", ["public", "registered"])
def test_a_refusal_looks_up_nobody(node, tokens, monkeypatch, path, tier):
    """Nothing is looked up, for present and absent people, so timing reveals nothing either."""
    looked = []
    for name in ("position", "record", "with_term", "with_number"):
        monkeypatch.setattr(node.node_data.people, name, looked.append)
    for name in ("get", "overlapping"):
        monkeypatch.setattr(node.node_data.variants, name, looked.append)
    here = node.ask(path.format(NAMES[0]), tokens[tier])
    nobody = node.ask(path.format("FI-999999"), tokens[tier])
    assert here[0] == nobody[0] == (401 if tier == "public" else 403)
    assert here[1:] == nobody[1:]
    assert looked == []


def test_nothing_is_looked_up_for_a_bad_token(forge, node, monkeypatch):
    monkeypatch.setattr("rehearsal.node.app.answer_entries", None)
    monkeypatch.setattr("rehearsal.node.app._read", None)
    assert node.ask("/g_variants", "nonsense", query=look_up(COMMON))[0] == 401


def test_htsget_asks_the_same_rules(node, tokens):
    assert node.ask(f"/htsget/variants/{PEOPLE}")[0] == 401
    assert node.ask(f"/htsget/variants/{PEOPLE}", tokens["registered"])[0] == 403
    assert node.ask(f"/htsget/variants/{PEOPLE}", tokens["controlled"])[0] == 404  # no genomes here
    assert node.ask(f"/htsget/variants/{PEOPLE}", "nonsense")[0] == 401


# --- the log ---


def test_every_decision_is_logged_with_subject_and_rule_but_not_the_query(node, tokens):
    allele = ("chr17", 43_124_026, "ACT", "A")
    node.ask("/g_variants", tokens["controlled"], query=look_up(allele))
    node.ask("/g_variants/chr17-43124027-ACT-A", tokens["controlled"])
    node.ask("/individuals/FI-000005", tokens["controlled"])
    node.ask("/individuals", None)
    node.ask("/individuals", "nonsense")
    node.ask("/info")
    lines = node.logged()
    assert [line["status"] for line in lines] == [200, 200, 200, 200, 401]
    assert [line["route"] for line in lines] == [
        *("/g_variants", "/g_variants/{id}", "/individuals/{id}"),
        *("/individuals", "/individuals"),
    ]
    assert lines[0]["subject"] == "researcher-se"
    assert lines[0]["purpose"] == HMB
    assert lines[0]["rules"][PEOPLE].startswith("record: ControlledAccessGrants of https://")
    assert lines[3]["subject"] is None
    assert lines[4]["rule"] == "token: not a JWT"
    text = node.log.read_text()
    for secret in ("43124", "ACT", "FI-0000", tokens["controlled"], "chr17"):
        assert secret not in text
    assert verify_log(node.log).lines == 5


def test_a_node_without_a_writable_log_answers_503(node, tokens, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rehearsal.node.access.audit_log.os.write", full)
    status, body, _ = node.ask("/individuals/FI-000005", tokens["controlled"])
    assert status == 503
    assert "FI-000005" not in str(body)
    monkeypatch.undo()
    assert node.ask("/individuals/FI-000005", tokens["controlled"])[0] == 200
    assert len(node.logged()) == 1
