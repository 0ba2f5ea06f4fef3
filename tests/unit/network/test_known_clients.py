"""What known clients send is answered as if the standard had it, and noted; nothing else is.

The sources are in the table: each addition names repository, commit, file and lines. Every request
is sent to a node and through the network, without a token and with a grant.
"""

from pathlib import Path

import pytest

from rehearsal.node.beacon import known_clients
from rehearsal.node.beacon.known_clients import ADDITIONS, LEAST_LENGTH, MOST_LENGTH

from ..node.conftest import GENOTYPES

PAGE = Path(__file__).parents[3] / "docs/reference/leniency.md"
EE = ["GOE-EE-REHEARSAL-1"]
ALLELE = {"referenceName": "17", "start": [43_044_300], "assemblyId": "GRCh38"}
ALLELE |= {"referenceBases": "A", "alternateBases": "G"}
INSERTION = {"referenceName": "17", "start": [43_057_061], "referenceBases": "T"}
INSERTION |= {"alternateBases": "TG"}
REGION = {"referenceName": "17", "start": [43_044_000], "end": [43_126_000]}


def body(parameters, **query):
    asked = {"requestedGranularity": "record", "requestParameters": parameters}
    return {"meta": {"apiVersion": "2.0"}, "query": asked | query}


def beside(**given):
    whole = body(ALLELE)
    del whole["query"]["requestedGranularity"]
    return whole | {"requestedGranularity": "record"} | given


def with_schema(**given):
    whole = body(ALLELE)
    whole["meta"]["requestedSchemas"] = [{"entityType": "genomicVariant"} | given]
    return whole


WOMAN = [{"id": "NCIT:C16576"}]
# addition, what a client sends, and the request of the standard that it stands for
CASES = {
    "dataset ids": (
        "DATASET_IDS",
        body(ALLELE | {"datasetIds": EE}),
        body(ALLELE | {"datasets": EE}),
    ),
    "object of datasets": (
        "DATASETS_OBJECT",
        body(ALLELE | {"datasets": {"datasetIds": EE}}),
        body(ALLELE | {"datasets": EE}),
    ),
    "assembly": (
        "ASSEMBLY",
        body({k: v for k, v in ALLELE.items() if k != "assemblyId"} | {"assemblyid": "GRCh38"}),
        body(ALLELE),
    ),
    "beside query": ("BESIDE_QUERY", beside(pagination={"skip": 0, "limit": 5}), body(ALLELE)),
    "filters beside query": (
        "BESIDE_QUERY",
        body(ALLELE) | {"filters": WOMAN},
        body(ALLELE, filters=WOMAN),
    ),
    "schemas in query": ("SCHEMAS", body(ALLELE, requestedSchemas=["x"]), body(ALLELE)),
    "schemas beside query": ("SCHEMAS", body(ALLELE) | {"requestedSchemas": ["x"]}, body(ALLELE)),
    "schema with a colon": ("SCHEMA_COLON", with_schema(**{"schema:": "x"}), body(ALLELE)),
    "a word": (
        "VARIANT_TYPE",
        body(REGION | {"variantType": "deletion"}),
        body(REGION | {"variantType": "DEL"}),
    ),
    "a type of an allele": (
        "TYPE_OF_ALLELE",
        body(INSERTION | {"variantType": "INDEL"}),
        body(INSERTION),
    ),
    "HGNC": ("GENE_IDS", body({"geneId": "HGNC:1100"}), body({"geneId": "BRCA1"})),
    "Ensembl": ("GENE_IDS", body({"geneId": "ENSG00000012048.25"}), body({"geneId": "BRCA1"})),
    "a name in a gene": (
        "IN_A_GENE",
        body({"genomicAlleleShortForm": "NM_016562.4(TLR7):c.644A>G"}),
        body({"genomicAlleleShortForm": "NC_000023.11:g.12886152A>G"}),
    ),
    "three letters": (
        "AMINO_ACIDS",
        body({"geneId": "HGNC:15631", "aminoacidChange": "p.(Asn215Ser)"}),
        body({"geneId": "TLR7", "aminoacidChange": "N215S"}),
    ),
}


def without_notes(answer):
    """An answer without how it was asked and what differs each time."""
    sets = answer.get("response", {}).get("resultSets")
    return answer.get("responseSummary"), sets, answer.get("error")


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("name", CASES)
def test_an_addition_is_answered_like_the_standards_request_and_noted(asked, name, where, granted):
    addition, sent, meant = CASES[name]
    status, answer = asked.ask(where, "/g_variants", sent, granted=granted)
    plain_status, plain = asked.ask(where, "/g_variants", meant, granted=granted)
    assert (status, without_notes(answer)) == (plain_status, without_notes(plain))
    warning = getattr(known_clients, addition).warning
    if status == 200:
        assert warning in answer["info"]["warnings"]
        assert warning not in plain.get("info", {}).get("warnings", ())
    if granted:
        assert status == 200
        # nodes of VCF files do not know what alleles change
        assert answer["responseSummary"]["exists"] == (name != "three letters")


def as_others_count(allele, least, most):
    """What beacon2-pi-api finds: the note names the lines."""
    _, _, ref, alt = allele
    return (not least or min(len(ref), len(alt)) > least) and (
        not most or max(len(ref), len(alt)) < most + 2
    )


@pytest.mark.parametrize(
    ("least", "most", "only_here", "only_there"),
    [
        (None, 1, set(), {("AC", "GT")}),
        (None, 2, set(), set()),
        (
            1,
            None,
            {("C", "CA"), ("T", "TG"), ("ACT", "A"), ("A", "G"), ("C", "T"), ("G", "C")},
            set(),
        ),
        (2, None, {("ACT", "A"), ("AC", "GT")}, set()),
    ],
)
def test_lengths_differ_from_those_of_others_as_the_notes_say(
    asked, least, most, only_here, only_there
):
    alleles = [one for one in GENOTYPES if one[0] != "chrX"]
    lengths = {"variantMinLength": least, "variantMaxLength": most}
    lengths = {key: one for key, one in lengths.items() if one}
    here = set()
    for contig in ("chr17", "chr22"):
        place = {"referenceName": contig, "start": [0], "end": [50_000_001]}
        sent = body(place | lengths, pagination={"limit": 0})
        _, answer = asked.ask("EE", "/g_variants", sent, granted=True)
        notes = {"variantMinLength": LEAST_LENGTH, "variantMaxLength": MOST_LENGTH}
        assert {notes[key].warning for key in lengths} <= set(answer["info"]["warnings"])
        shown = [one for held in answer["response"]["resultSets"] for one in held["results"]]
        here |= {tuple(one["variantInternalId"].split("-")[2:]) for one in shown}
    there = {one[2:] for one in alleles if as_others_count(one, least, most)}
    assert here - there == only_here
    assert there - here == only_there


@pytest.mark.parametrize("granted", [False, True])
def test_an_allele_of_another_type_is_not_found(asked, granted):
    for kind in ("SNP", "DEL"):
        sent = body(INSERTION | {"variantType": kind})
        status, answer = asked.ask("EE", "/g_variants", sent, granted=granted)
        assert status == 200
        assert answer["responseSummary"]["exists"] is False


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        body(ALLELE | {"dataset": EE}),
        body(ALLELE | {"sex": "female"}),
        body(ALLELE, filters=[{"id": "NCIT:C16576", "value_": "x"}]),
        body(ALLELE, sex="female"),
        body(ALLELE) | {"requestParameters": ALLELE},
        body(ALLELE, pagination={}) | {"pagination": {}},
        None,
    ],
)
def test_any_other_key_and_a_body_of_null_are_refused(asked, sent, granted):
    for where in ("EE", "network"):
        if sent is None:
            status, answer = asked.ask_raw(where, "/g_variants", b"null", granted=granted)
        else:
            status, answer = asked.ask(where, "/g_variants", sent, granted=granted)
        assert status == 400, answer
        assert "response" not in answer


def test_the_page_of_the_documentation_has_the_table_of_the_code():
    page = PAGE.read_text()
    for one in ADDITIONS:
        assert f"| {one.sent} | {one.read_as} | {one.source} |" in page


@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(
    ("path", "name", "values", "refused"),
    [
        ("/g_variants", b"authorization", [b""], 401),
        ("/g_variants", b"authorization", [b"Bearer a", b"Bearer b"], 401),
        ("/g_variants", b"x-rehearsal-purpose", [b"DUO:0000006", b"DUO:0000042"], 400),
        ("/match", b"x-auth-token", [b""], 401),
        ("/match", b"x-auth-token", [b"a", b"b"], 401),
    ],
)
def test_doubtful_credentials_are_refused(asked, where, path, name, values, refused):
    """The first of two, or none in place of an empty one, would be a guess."""
    headers = [(name, value) for value in values]
    headers.append((b"content-type", b"application/json"))
    status, _ = asked.ask(where, path, {}, granted=False, headers=headers)
    assert status == refused


@pytest.mark.parametrize("where", ["EE", "network"])
def test_a_key_twice_in_a_body_is_refused(asked, where):
    twice = b'{"query":{"filters":["NCIT:C16576"],"filters":[]}}'
    status, answer = asked.ask_raw(where, "/individuals", twice, granted=True)
    assert status == 400
    assert "'filters' twice" in answer["error"]["errorMessage"]
