"""A query that states other bases than the reference has them is answered no, and told why.

The bases around the planted variants are those of GRCh38: at chr17:43057062 it has T (BRCA1
c.5266dup), at chr17:43124027 ACT (c.68_69del). Positions in this text are 1-based.
"""

import pytest

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.beacon.entries import LIFTED
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.privacy.door import Door, ProtectedAnswer
from rehearsal.stores.node_reference import ReferenceBases

from ..node.beacon import named_genes

CHR17 = {"assemblyId": "GRCh38", "referenceName": "17"}
BEFORE_DUP, ON_37 = 43_057_061, 41_209_078  # 0-based
HGVS = "NC_000017.11:g."
NOBODY = "; nobody has such an allele"


def stated(expected, place, found):
    where = f"chr17:{place} (counted from 1)"
    return (
        f"reference bases: expected '{expected}', which the reference has at {where}, "
        f"found '{found}'{NOBODY}"
    )


def bases(start, ref, alt, **more):
    return CHR17 | {"start": start, "referenceBases": ref, "alternateBases": alt} | more


INSTEAD_OF_T = stated("T", 43_057_062, "A")
BETWEEN = {"start": [BEFORE_DUP] * 2, "end": [BEFORE_DUP + 1] * 2}
# what is sent, and the warning; a text is the identifier of a variant in the path
WRONG = [
    (bases([BEFORE_DUP], "A", "AG"), INSTEAD_OF_T),
    (bases([BEFORE_DUP], "A", "C"), INSTEAD_OF_T),
    (bases([BEFORE_DUP], "R", "G"), stated("T", 43_057_062, "R")),
    (bases([43_124_026], "GCT", "G"), stated("ACT", 43_124_027, "GCT")),
    (bases([BEFORE_DUP], "A", "AG", end=[BEFORE_DUP + 1]), INSTEAD_OF_T),
    (bases(ref="A", alt="AG", **BETWEEN), INSTEAD_OF_T),
    ({"genomicAlleleShortForm": f"{HGVS}43057062A>C"}, INSTEAD_OF_T),
    ({"genomicAlleleShortForm": f"{HGVS}43057065dupA"}, stated("G", 43_057_065, "A")),
    (
        {"genomicAlleleShortForm": f"{HGVS}43124030_43124031delGG"},
        stated("CT", 43_124_030, "GG"),
    ),
    ("17-43057062-A-AG", INSTEAD_OF_T),
    ("chr17-43057062-A-DUP:TANDEM-310", INSTEAD_OF_T),
    (f"{HGVS}43057065dupA", stated("G", 43_057_065, "A")),
]
RIGHT = [
    bases([BEFORE_DUP], "T", "TG"),
    bases([BEFORE_DUP], "N", "NG"),
    bases([BEFORE_DUP], "", "G") | {"start": [BEFORE_DUP + 1]},
    bases([43_124_026], "ACT", "A"),
    {"genomicAlleleShortForm": f"{HGVS}43124028_43124029delCT"},
    "17-43057062-T-TG",
]


@pytest.fixture(autouse=True)
def reference(asked, monkeypatch):
    """The nodes have the bases of GRCh38 around the planted variants."""
    known = ReferenceBases(named_genes.read, CONTIG_LENGTHS)
    for data in asked.data.values():
        monkeypatch.setattr(data, "reference", known)


def ask(asked, where, sent, granted, path="g_variants"):
    query = {"requestedGranularity": "count", "includeResultsetResponses": "ALL"}
    if isinstance(sent, str):
        return asked.ask(where, f"/g_variants/{sent}", {"query": query}, granted=granted)
    body = {"query": query | {"requestParameters": sent}}
    return asked.ask(where, f"/{path}", body, granted=granted)


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(("sent", "warning"), WRONG)
def test_other_bases_than_those_of_the_reference_are_a_no_with_a_warning(
    asked, where, sent, warning, granted
):
    status, body = ask(asked, where, sent, granted)
    assert status == 200, body
    assert body["responseSummary"]["exists"] is False
    assert warning in body["info"]["warnings"]
    assert [one["exists"] for one in body["response"]["resultSets"]] == (
        [False] * len(body["response"]["resultSets"])
    )


@pytest.mark.parametrize("path", ["g_variants", "individuals", "datasets"])
@pytest.mark.parametrize(("sent", "warning"), WRONG[:1])
def test_the_public_gets_the_no_without_a_question_to_the_people(
    asked, monkeypatch, path, sent, warning
):
    monkeypatch.setattr(Door, "answer", None)  # raises where it is called
    status, body = ask(asked, "EE", sent, False, path)
    assert status == 200
    assert body["responseSummary"]["exists"] is False
    assert body["info"]["warnings"] == [warning]
    assert {str(one) for one in body["info"]["privacy"].values()} == {"{'basis': 'public facts'}"}


@pytest.mark.parametrize("sent", RIGHT)
def test_the_bases_of_the_reference_find_the_allele(asked, sent):
    status, body = ask(asked, "EE", sent, True)
    assert status == 200
    assert body["responseSummary"]["exists"] is True
    assert "reference bases" not in str(body.get("info", ""))


def test_bases_on_grch37_are_compared_where_they_are_on_grch38(asked, monkeypatch, tmp_path):
    # a stretch without gaps of UCSC's hg19ToHg38.over.chain, see test_grch37.py
    chain = tmp_path / "chain"
    chain.write_text(
        "chain 1 chr17 81195210 + 40976311 41354196 chr17 83257441 + 42824294 43202179 1\n377885\n"
    )
    monkeypatch.setattr(asked.data["EE"], "liftover", Liftover(chain))
    earlier = {"assemblyId": "GRCh37"}
    status, body = ask(asked, "EE", bases([ON_37], "A", "AG") | earlier, True)
    assert (status, body["responseSummary"]["exists"]) == (200, False)
    assert body["info"]["warnings"] == [LIFTED, INSTEAD_OF_T]
    status, body = ask(asked, "EE", bases([ON_37], "T", "TG") | earlier, True)
    assert (status, body["responseSummary"]["exists"]) == (200, True)
    assert body["info"]["warnings"] == [LIFTED]


@pytest.mark.parametrize("there", ["N", "W"])
def test_where_the_reference_is_not_known_nothing_contradicts_it(asked, monkeypatch, there):
    known = ReferenceBases(lambda block: there * block.length, CONTIG_LENGTHS)
    monkeypatch.setattr(asked.data["EE"], "reference", known)
    _, body = ask(asked, "EE", bases([BEFORE_DUP], "T", "TG"), True)
    assert body["responseSummary"]["exists"] is True
    monkeypatch.setattr(asked.data["EE"], "reference", ReferenceBases(named_genes.read, {}))
    _, body = ask(asked, "EE", bases([BEFORE_DUP], "T", "TG"), True)
    assert body["responseSummary"]["exists"] is True


@pytest.mark.parametrize(
    ("name", "same"),
    [
        (f"{HGVS}43044301delinsG", f"{HGVS}43044301A>G"),
        (f"{HGVS}43057062delinsTG", f"{HGVS}43057062_43057063insG"),
        (f"{HGVS}43124027_43124029delinsA", f"{HGVS}43124028_43124029del"),
        ("NC_000022.11:g.22000001_22000002inv", "NC_000022.11:g.22000001_22000002delinsGT"),
    ],
)
def test_a_name_that_leaves_out_the_bases_of_the_reference_finds_the_allele(
    asked, monkeypatch, name, same
):
    """Also for the public, as the same question."""
    monkeypatch.setattr(asked.data["EE"], "reference", ReferenceBases(with_ac, CONTIG_LENGTHS))
    asked_for = []

    def answer(self, question, counted, caller, count):
        asked_for.append(question.text)
        return ProtectedAnswer(False, None, "public facts")

    monkeypatch.setattr(Door, "answer", answer)
    for sent in ({"genomicAlleleShortForm": name}, name, {"genomicAlleleShortForm": same}):
        _, found = ask(asked, "EE", sent, True)
        assert found["responseSummary"] == {"exists": True, "numTotalResults": 1}
        ask(asked, "EE", sent, False)
    assert len(asked_for) >= 3
    assert len(set(asked_for)) == 1


def with_ac(block):
    """The reference, with A at chr17:43044301 and AC at chr22:22000001."""
    text = bytearray(named_genes.read(block).encode())
    for contig, start, known in (("chr17", 43_044_300, b"A"), ("chr22", 22_000_000, b"AC")):
        if block.contig == contig and block.start <= start < block.end:
            text[start - block.start : start - block.start + len(known)] = known
    return text.decode()


def test_a_name_of_the_bases_of_the_reference_is_refused(asked):
    status, body = ask(asked, "EE", {"genomicAlleleShortForm": f"{HGVS}43057062delinsT"}, True)
    assert status == 400
    assert "bases other than those of the reference" in body["error"]["errorMessage"]


def test_a_place_behind_the_end_of_a_contig_is_refused(asked):
    for sent in (
        f"17-{CONTIG_LENGTHS['chr17'] + 1}-A-AG",
        {"genomicAlleleShortForm": f"{HGVS}{CONTIG_LENGTHS['chr17'] + 1}A>G"},
    ):
        status, body = ask(asked, "EE", sent, True)
        assert status == 400
        assert "83257441" in body["error"]["errorMessage"]
