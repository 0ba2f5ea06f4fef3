"""Queries on GRCh37 are moved to GRCh38 where that is known; elsewhere nothing says no."""

from dataclasses import replace

import pytest

from rehearsal.errors import InputError
from rehearsal.node.beacon.entries import LIFTED, UNPLACED
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.beacon.variant_queries import (
    BracketQuery,
    GeneQuery,
    RangeQuery,
    Restrictions,
    SequenceQuery,
)

from ..node.beacon.named_genes import planted

# BRCA1 c.5266dup: ClinVar 17677, GRCh37 17:41209079, GRCh38 17:43057062
ON_37 = {"assemblyId": "GRCh37", "referenceName": "17", "start": [41_209_078]}
ON_38 = {"assemblyId": "GRCh38", "referenceName": "17", "start": [43_057_061]}
BASES = {"referenceBases": "T", "alternateBases": "TG"}
ELSEWHERE = {"assemblyId": "hg19", "referenceName": "NC_000022.10", "start": [21_000_000]}
ANY = Restrictions()


def body(parameters):
    asked = {"requestedGranularity": "record", "requestParameters": parameters}
    return {"query": asked | {"includeResultsetResponses": "ALL"}}


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
def test_a_planted_variant_is_found_by_its_place_on_grch37(asked, where, granted):
    names = ("17", "chr17", "NC_000017.10")
    for name in names:
        sent = body(ON_37 | BASES | {"referenceName": name})
        status, answer = asked.ask(where, "/g_variants", sent, granted=granted)
        plain_status, plain = asked.ask(where, "/g_variants", body(ON_38 | BASES), granted=granted)
        assert status == plain_status
        assert answer.get("responseSummary") == plain.get("responseSummary")
        assert answer.get("response") == plain.get("response")
        if status == 200:
            assert answer["info"]["warnings"] == [LIFTED]
    if granted:
        assert answer["responseSummary"]["exists"]


# Stretches without gaps of UCSC's hg19ToHg38.over.chain that the planted variants lie in: start and
# end on GRCh37, start on GRCh38, 0-based (github.com/hmgu-itg/burden_testing 0aa43bc4)
STRETCHES = {
    "chr1": (118_462_520, 120_583_692, 117_919_897),
    "chr7": (139_703_042, 141_934_222, 140_003_242),
    "chr10": (87_197_770, 97_920_099, 85_438_013),
    "chr12": (11_420_334, 22_063_736, 11_267_400),
    "chr13": (26_735_945, 33_311_231, 26_161_808),
    "chr17": (40_976_311, 41_354_196, 42_824_294),
    "chrX": (11_743_827, 14_165_517, 11_725_708),
}


@pytest.mark.parametrize("variant", planted(), ids=str)
def test_every_planted_variant_is_where_the_chain_of_ucsc_has_it(variant):
    first, last, now = STRETCHES[variant.contig]
    on_37 = variant.start - now + first
    assert first <= on_37 and on_37 + len(variant.ref) <= last
    query = SequenceQuery(variant.contig, on_37, variant.ref, variant.alt)
    assert Liftover().lift(query) == replace(query, start=variant.start)


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("path", ["/g_variants", "/individuals", "/datasets"])
def test_where_the_place_is_not_known_there_is_no_result_set(asked, where, path, granted):
    for more in ({"referenceBases": "A", "alternateBases": "G"}, {"end": [21_003_000]}):
        status, answer = asked.ask(where, path, body(ELSEWHERE | more), granted=granted)
        assert status == 200
        assert list(answer["response"].values()) == [[]]
        assert answer["info"]["warnings"] == [UNPLACED]


@pytest.mark.parametrize("granted", [False, True])
def test_another_assembly_is_refused(asked, granted):
    for where in ("EE", "network"):
        sent = body(ON_37 | BASES | {"assemblyId": "GRCh36"})
        assert asked.ask(where, "/g_variants", sent, granted=granted)[0] == 400


@pytest.fixture
def chain(tmp_path):
    """Two stretches of chr22 with a gap of 10 and 4 bases between them, and one reversed."""
    path = tmp_path / "made.chain"
    path.write_text(
        "chain 900 chr22 51304566 + 1000 1210 chr22 50818468 + 2000 2204 1\n"
        "100 10 4\n"
        "100\n\n"
        "chain 90 chr21 48129895 + 0 50 chr21 46709983 - 0 50 2\n50\n"
    )
    return Liftover(path)


@pytest.mark.parametrize(
    ("query", "lifted"),
    [
        (SequenceQuery("chr22", 1099, "A", "G"), SequenceQuery("chr22", 2099, "A", "G")),
        (SequenceQuery("chr22", 1110, "AC", "A"), SequenceQuery("chr22", 2104, "AC", "A")),
        (SequenceQuery("chr22", 1099, "AC", "A"), None),  # across the gap
        (SequenceQuery("chr22", 1105, "A", "G"), None),
        (SequenceQuery("chr22", 999, "A", "G"), None),
        (SequenceQuery("chr21", 10, "A", "G"), None),  # on the other strand
        (RangeQuery("chr22", 1000, 1100, ANY), RangeQuery("chr22", 2000, 2100, ANY)),
        (RangeQuery("chr22", 1000, 1101, ANY), None),
        (
            BracketQuery("chr22", (1000, 1010), (1150, 1160), ANY),
            BracketQuery("chr22", (2000, 2010), (2144, 2154), ANY),
        ),
        (GeneQuery("BRCA1", ANY), GeneQuery("BRCA1", ANY)),
    ],
)
def test_a_chain_file_moves_what_lies_in_one_stretch(chain, query, lifted):
    assert chain.lift(query) == lifted


@pytest.mark.parametrize("text", ["100 10 4\n", "chain 9 chr22\n", "hello\n"])
def test_a_file_that_is_no_chain_file_is_one_line(tmp_path, text):
    (tmp_path / "x.chain").write_text(text)
    with pytest.raises(InputError, match=r"x\.chain: file: expected a chain file from GRCh37"):
        Liftover(tmp_path / "x.chain")
