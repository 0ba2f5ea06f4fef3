"""Queries on GRCh37 are moved to GRCh38 where that is known; elsewhere nothing says no."""

from dataclasses import replace

import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.contig_names import CONTIG_OF_EARLIER_ACCESSION, accession_in
from rehearsal.node.beacon.entries import LIFTED, NO_ASSEMBLY, UNPLACED
from rehearsal.node.beacon.hgvs import parse
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.beacon.variant_queries import (
    BracketQuery,
    GeneQuery,
    HgvsQuery,
    RangeQuery,
    Restrictions,
    SequenceQuery,
    StructuralQuery,
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


# position on GRCh37 as ClinVar has it, counted from 1, by position on GRCh38
PLACES = {
    "chr17-43124027-ACT-A": 41_276_044,
    "chr17-43057062-T-TG": 41_209_079,
    "chr13-32340300-GT-G": 32_914_437,
    "chr7-140753336-A-T": 140_453_136,
    "chr10-87933147-C-T": 89_692_904,
    "chr12-21178615-T-C": 21_331_549,
    "chr1-119712024-T-C": 120_254_647,
    "chrX-12886152-A-G": 12_904_271,
    "chrX-12887891-G-T": 12_906_010,
}


@pytest.mark.parametrize("variant", planted(), ids=str)
def test_every_planted_variant_is_where_it_is_published_on_grch37(variant):
    on_37 = PLACES[str(variant)] - 1
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


# names on GRCh37 in ClinVar (17662, 17677, 9325, 13961) and the same alleles on GRCh38
NAMED = [
    ("NC_000017.10:g.41276047_41276048del", "chr17-41276044-ACT-A", "chr17-43124027-ACT-A"),
    ("NC_000017.10:g.41209082dup", "chr17-41209079-T-TG", "chr17-43057062-T-TG"),
    ("NC_000013.10:g.32914438del", "chr13-32914437-GT-G", "chr13-32340300-GT-G"),
    ("NC_000007.13:g.140453136A>T", "chr7-140453136-A-T", "chr7-140753336-A-T"),
]
STATED = "requestedGranularity=record&includeResultsetResponses=ALL"


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(("name", "on_37", "on_38"), NAMED)
def test_a_variant_in_the_path_is_moved_too(asked, where, granted, name, on_37, on_38):
    plain = asked.ask(where, f"/g_variants/{on_38}", parameters=STATED, granted=granted)
    for path, assembly in ((on_37, "&assemblyId=GRCh37"), (name, ""), (name, "&assemblyId=hg19")):
        sent = f"{STATED}{assembly}"
        status, answer = asked.ask(where, f"/g_variants/{path}", parameters=sent, granted=granted)
        assert status == plain[0]
        assert answer.get("responseSummary") == plain[1].get("responseSummary")
        assert answer.get("response") == plain[1].get("response")
        if status == 200:
            others = plain[1].get("info", {}).get("warnings", [])  # a place without data
            assert answer["info"]["warnings"] == [LIFTED, *others]
    if granted and name.startswith("NC_000017"):
        assert answer["responseSummary"]["exists"]


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
def test_a_name_on_grch37_is_moved_as_a_position_is(asked, where, granted):
    for name, _, on_38 in NAMED:
        plain = asked.ask(where, f"/g_variants/{on_38}", parameters=STATED, granted=granted)
        for assembly in ({}, {"assemblyId": "GRCh37"}):
            sent = body({"genomicAlleleShortForm": name} | assembly)
            status, answer = asked.ask(where, "/g_variants", sent, granted=granted)
            assert status == plain[0]
            assert answer.get("response") == plain[1].get("response")


# BRCA1 c.5266dup adds a G to the three at 41209080 to 41209082 of GRCh37: ClinVar 17677
RESPELLED = [
    {"genomicAlleleShortForm": "NC_000017.10:g.41209080dup"},
    {"genomicAlleleShortForm": "NC_000017.10:g.41209081dup"},
    {"genomicAlleleShortForm": "NC_000017.10:g.41209080_41209081insG"},
    ON_37 | {"start": [41_209_081], "referenceBases": "G", "alternateBases": "GG"},
    ON_37 | {"referenceBases": "TGG", "alternateBases": "TGGG"},
]


@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("spelling", RESPELLED)
def test_a_planted_indel_is_found_in_every_notation_on_grch37(asked, where, spelling):
    _, plain = asked.ask(where, "/g_variants", body(ON_38 | BASES), granted=True)
    _, answer = asked.ask(where, "/g_variants", body(spelling), granted=True)
    assert answer["response"] == plain["response"]
    assert answer["responseSummary"]["exists"]
    assert answer["info"]["warnings"] == [LIFTED]


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("below", ["", "/individuals"])
def test_a_variant_in_the_path_without_a_known_place_is_not_said_to_be_absent(
    asked, where, granted, below
):
    for path in ("chr22-21000001-A-G", "NC_000022.10:g.21000001A>G"):
        sent = f"{STATED}&assemblyId=GRCh37"
        path = f"/g_variants/{path}{below}"
        status, answer = asked.ask(where, path, parameters=sent, granted=granted)
        assert status == 200
        assert answer["response"] == {"resultSets": []}
        assert answer["info"]["warnings"] == [UNPLACED]


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(
    ("assembly", "accession"),
    [("GRCh38", "NC_000017.10"), ("GRCh37", "NC_000017.11"), ("hg19", "refseq:NC_000017.11")],
)
def test_an_accession_of_the_other_assembly_is_refused(asked, where, granted, assembly, accession):
    place = {"assemblyId": assembly, "referenceName": accession, "start": [43_057_061]}
    name = f"{accession.removeprefix('refseq:')}:g.43057065dup"
    posted = (
        asked.ask(where, path, body(sent), granted=granted)
        for path, sent in (
            ("/g_variants", place | BASES),
            ("/g_variants", {"assemblyId": assembly, "genomicAlleleShortForm": name}),
        )
    )
    parameters = f"assemblyId={assembly}"
    got = asked.ask(where, f"/g_variants/{name}", parameters=parameters, granted=granted)
    for status, answer in (*posted, got):
        assert status == 400
        assert "assemblyId: expected GRCh3" in answer["error"]["errorMessage"]


# versions of the chromosomes in the assembly report of GRCh37.p13, GCF_000001405.25
VERSIONS = [10, 11, 11, 11, 9, 11, 13, 10, 11, 10, 9, 11, 10, 8, 9, 9, 10, 9, 9, 10, 8, 10, 10, 9]


def test_the_accessions_of_grch37_are_those_of_its_report():
    listed = [f"NC_{number:06}.{version}" for number, version in enumerate(VERSIONS, 1)]
    assert list(CONTIG_OF_EARLIER_ACCESSION) == listed
    assert {accession_in(one) for one in listed} == {(one, "GRCh37") for one in listed}
    assert accession_in("NC_012920.1") is None  # chrM is the same


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
        "chain 90 chr21 48129895 + 1000 1050 chr21 46709983 - 46704983 46705033 2\n50\n"
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
        (RangeQuery("chr22", 1000, 1100, ANY), RangeQuery("chr22", 2000, 2100, ANY)),
        (RangeQuery("chr22", 1000, 1101, ANY), None),
        (
            BracketQuery("chr22", (1000, 1010), (1150, 1160), ANY),
            BracketQuery("chr22", (2000, 2010), (2144, 2154), ANY),
        ),
        (GeneQuery("BRCA1", ANY), GeneQuery("BRCA1", ANY)),
        (
            HgvsQuery(parse("NC_000022.10:g.1100A>G")),
            HgvsQuery(parse("NC_000022.11:g.2100A>G")),
        ),
        (
            HgvsQuery(parse("NC_000022.10:g.1099_1100insAT")),
            HgvsQuery(parse("NC_000022.11:g.2099_2100insAT")),
        ),
        (HgvsQuery(parse("NC_000022.10:g.1100_1101del")), None),
        (
            StructuralQuery("chr22", 1010, "<DEL>", 80),
            StructuralQuery("chr22", 2010, "<DEL>", 80),
        ),
        (StructuralQuery("chr22", 1010, "<DEL>", 90), None),
        # On the other strand: base 10 from the left of 1000 is base 10 from the right of 5000.
        (SequenceQuery("chr21", 1010, "A", "G"), SequenceQuery("chr21", 4989, "T", "C")),
        (SequenceQuery("chr21", 1010, "ACC", "A"), SequenceQuery("chr21", 4987, "GGT", "T")),
        (SequenceQuery("chr21", 1010, None, "G"), None),
        (SequenceQuery("chr21", 1010, "R", "G"), None),
        (SequenceQuery("chr21", 1050, "A", "G"), None),
        (RangeQuery("chr21", 1000, 1010, ANY), RangeQuery("chr21", 4990, 5000, ANY)),
        (
            RangeQuery("chr21", 1010, 1011, Restrictions(ref="A", alt="G")),
            RangeQuery("chr21", 4989, 4990, Restrictions(ref="T", alt="C")),
        ),
        (RangeQuery("chr21", 1010, 1011, Restrictions(alt="GAC")), None),
        (BracketQuery("chr21", (1000, 1010), (1020, 1030), ANY), None),
        (
            HgvsQuery(parse("NC_000021.8:g.1011A>G")),
            HgvsQuery(parse("NC_000021.9:g.4990T>C")),
        ),
        (
            HgvsQuery(parse("NC_000021.8:g.1011_1013delACC")),
            HgvsQuery(replace(parse("NC_000021.9:g.4988_4990del"), stated="GGT")),
        ),
        (
            HgvsQuery(parse("NC_000021.8:g.1011_1012insAAC")),
            HgvsQuery(parse("NC_000021.9:g.4989_4990insGTT")),
        ),
        (  # the bases 1011 to 1020, counted from 0, are 4980 to 4989, behind 4979
            StructuralQuery("chr21", 1010, "<DEL>", 10, "A"),
            StructuralQuery("chr21", 4978, "<DEL>", 10),
        ),
        (
            StructuralQuery("chr21", 1010, "<INS>", 10),
            StructuralQuery("chr21", 4988, "<INS>", 10),
        ),
    ],
)
def test_a_chain_file_moves_what_lies_in_one_stretch(chain, query, lifted):
    assert chain.lift(query) == lifted


@pytest.mark.parametrize("text", ["100 10 4\n", "chain 9 chr22\n", "hello\n"])
def test_a_file_that_is_no_chain_file_is_one_line(tmp_path, text):
    (tmp_path / "x.chain").write_text(text)
    with pytest.raises(InputError, match=r"x\.chain: file: expected a chain file from GRCh37"):
        Liftover(tmp_path / "x.chain")


def test_a_name_with_bases_that_stay_is_moved_without_them():
    """Base 41209080 of GRCh37 is 43057063 of GRCh38, as ClinVar 17677 says."""
    moved = Liftover().lift(HgvsQuery(parse("NC_000017.10:g.41209079_41209081delTGGinsTCG")))
    assert moved.description.text == "NC_000017.11:g.43057063G>C"


# chrM of GRCh37 is NC_012920.1 as that of GRCh38: NCBI, GCF_000001405.25_GRCh37.p13_assembly_report
@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("name", ["MT", "chrM", "NC_012920.1"])
def test_a_place_of_mitochondria_is_the_same_on_both_assemblies(asked, where, name, granted):
    for more in (
        {"referenceBases": "A", "alternateBases": "G"},
        {"end": [3300]},
        {"start": [3200, 3300], "end": [3210, 3310]},
    ):
        on_37 = {"assemblyId": "GRCh37", "referenceName": name, "start": [3242]} | more
        on_38 = on_37 | {"assemblyId": "GRCh38"}
        status, answer = asked.ask(where, "/g_variants", body(on_37), granted=granted)
        plain_status, plain = asked.ask(where, "/g_variants", body(on_38), granted=granted)
        assert (status, answer.get("response")) == (plain_status, plain.get("response"))
        if granted:
            assert answer["response"]["resultSets"]
        assert UNPLACED not in answer.get("info", {}).get("warnings", ())


def test_a_named_change_of_mitochondria_stays_as_it_is():
    query = HgvsQuery(parse("NC_012920.1:g.3243A>G"))
    assert Liftover().lift(query) == query


def test_hg19_of_ucsc_has_another_sequence_as_chrm(asked):
    given = {"assemblyId": "hg19", "referenceName": "chrM", "start": [3242]} | BASES
    status, answer = asked.ask("EE", "/g_variants", body(given), granted=True)
    assert status == 400
    assert "chrM of hg19" in answer["error"]["errorMessage"]


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
def test_a_computed_identifier_has_no_place_on_an_assembly(asked, where, granted):
    path = "/g_variants/ga4gh:VA.tDoLMd-mIWZq44wL-Z2l-P8yBiC9wAKp"
    status, answer = asked.ask(where, path, parameters="assemblyId=GRCh37", granted=granted)
    plain_status, plain = asked.ask(where, path, granted=granted)
    assert (status, answer.get("responseSummary")) == (plain_status, plain.get("responseSummary"))
    if status == 200:
        assert answer["response"] == plain["response"]
        assert NO_ASSEMBLY in answer["info"]["warnings"]
        assert UNPLACED not in answer["info"]["warnings"]
