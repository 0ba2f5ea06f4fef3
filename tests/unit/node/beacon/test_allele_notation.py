"""Alleles that are written with bases that they need not state, at a node of one person.

The reference is A but for a few places. Positions in names are 1-based, in parameters 0-based.
"""

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

import orjson
import pandas as pd
import pytest

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.known_limits import LONG_INSERTION, NO_GENE_MODEL, REPLACED
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_search import described
from rehearsal.node.privacy.door import Door, ProtectedAnswer
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.node_reference import ReferenceBases
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store import VariantStore

from ..conftest import COLUMNS, call

START = 20_000_000
# the reference from START on; beyond it, A
HERE = "CGTAACGTTGACCA" + "GATTC" * 30 + "CTTGC"
LONG = 30  # 0-based start of 100 bases that are deleted, and of 60 that are doubled, behind START
DELETED, DOUBLED = HERE[LONG : LONG + 100], HERE[LONG : LONG + 60]
RECORDS = (
    (START + 1, "G", "A", ""),
    (START + 2, "TAA", "CAA,T", ""),
    (START + 5, "CGTT", "ACGT", ""),
    (START + 10, "A", "AC", ""),
    (START + LONG - 1, "N", "<DEL>", f"END={START + LONG + 100}"),
    (START + LONG - 1, "N", "<DUP:TANDEM>", f"END={START + LONG + 60}"),
)


def bases(block):
    text = bytearray(b"A" * block.length)
    first, last = max(block.start, START), min(block.end, START + len(HERE))
    if block.contig == "chr22" and first < last:
        text[first - block.start : last - block.start] = HERE[first - START : last - START].encode()
    return text.decode()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notation")
    people = pd.DataFrame(
        {"id": ["FI-1"], "country": "FI", "sex": "female", "birth_year": 1970}
        | {key: [None] for key in ("family", "father", "mother")}
    )
    lines = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    lines += ["##contig=<ID=chr22,length=50818468>", "\t".join([*COLUMNS, "FI-1"])]
    lines.insert(2, "##contig=<ID=chrM,length=16569>")
    lines.append("chrM\t3243\t.\tA\tG\t.\t.\t.\tGT\t1")
    for start, ref, alt, info in RECORDS:
        call = "1/2" if "," in alt else "0/1"
        lines.append(f"chr22\t{start + 1}\t.\t{ref}\t{alt}\t.\t.\t{info or '.'}\tGT\t{call}")
    (folder / "all.vcf").write_text("\n".join(lines) + "\n")
    build_from_vcf([folder / "all.vcf"], people, folder / "variants.sqlite")
    build_people(people, {}, folder / "people.sqlite", 2025)
    settings = NodeSettings.for_country("FI", "Finland", (), build="0" * 64, reference_year=2025)
    reference = ReferenceBases(bases, CONTIG_LENGTHS)
    with VariantStore.open(folder / "variants.sqlite") as variants:
        store = PeopleStore.open(folder / "people.sqlite")
        yield NodeData(settings, variants, store, reference=reference)
        store.close()


@pytest.fixture
def ask(data, monkeypatch):
    """Gives (found with a grant, found by the public, the public's questions, warnings)."""
    texts = []

    def answer(self, question, counted, caller, count):
        texts.append(question.text)
        return ProtectedAnswer(count() > 0, None, "noise")

    monkeypatch.setattr(Door, "answer", answer)

    def send(sent, reference=data.reference, expected=200):
        texts.clear()
        found = []
        for access in (data.settings.opened().access, AccessSettings(without_consent="include")):
            settings = replace(data.settings, access=access)
            node = NodeData(settings, data.variants, data.people, reference=reference)
            app = beacon_app(node, Authorizer(settings, data.people))
            path = f"/g_variants/{sent}" if isinstance(sent, str) else "/g_variants"
            asked = {"requestedGranularity": "boolean"} | ({} if isinstance(sent, str) else sent)
            status, _, body = asyncio.run(call(app, path, None, urlencode(asked, doseq=True)))
            body = orjson.loads(body)
            assert status == expected, body
            if status != 200:
                return body["error"]["errorMessage"]
            found.append(body["responseSummary"]["exists"])
        return (*found, set(texts), body.get("info", {}).get("warnings", []))

    return send


def allele(start, ref, alt, **more):
    place = {"assemblyId": "GRCh38", "referenceName": "22", "start": START + start}
    return place | {"referenceBases": ref, "alternateBases": alt} | more


def end(start, length):
    return {"end": START + start + length}


def between(start, length, **more):
    return {
        "referenceName": "22",
        "start": [START + start] * 2,
        "end": [START + start + length] * 2,
    } | more


def name(change):
    return {"genomicAlleleShortForm": f"NC_000022.11:g.{change}"}


ONE_ALLELE = {
    "a substitution": [
        allele(1, "G", "A"),
        allele(0, "CG", "CA"),
        allele(1, "GT", "AT"),
        allele(0, "CGT", "CAT"),
        allele(0, "CGTAA", "CATAA", **end(0, 5)),
        allele(0, "CGTAA", "CATAA", variantType="SNP", **end(0, 5)),
        allele(0, "CGTAA", "CATAA", variantMaxLength=7, **end(0, 5)),
        allele(0, "CGT", "CAT", variantType="SNV"),
        between(0, 3, referenceBases="CGT", alternateBases="CAT"),
        between(0, 3, referenceBases="CGT", alternateBases="CAT", variantType="SNP"),
        name(f"{START + 2}G>A"),
        name(f"{START + 1}_{START + 3}delCGTinsCAT"),
        name(f"{START + 1}_{START + 3}delinsCAT"),
        f"22-{START + 2}-G-A",
        f"22-{START + 2}-g-a",
        f"NC_000022.11:g.{START + 2}g>a",
        name(f"{START + 1}_{START + 3}delcgtinscat"),
        f"22-{START + 1}-CGT-CAT",
        allele(1, "R", "A"),
        allele(1, "N", "A"),
        allele(0, "NS", "CA"),
        allele(1, "K", "A", variantMaxLength=3, **end(1, 1)),
    ],
    "one allele of a row with several": [
        allele(2, "T", "C"),
        allele(2, "TAA", "CAA"),
        allele(1, "GTAA", "GCAA"),
    ],
    "bases that are replaced": [
        allele(5, "CGTT", "ACGT"),
        allele(4, "ACGTT", "AACGT"),
        allele(4, "ACGTTG", "AACGTG"),
        allele(4, "ANGTT", "AACGT"),
        name(f"{START + 5}_{START + 9}delACGTTinsAACGT"),
        name(f"{START + 6}_{START + 8}delinsACG"),
    ],
    "a deletion": [
        allele(2, "TAA", "T"),
        allele(1, "GTAA", "GT"),
        allele(2, "TAAC", "TC"),
        allele(2, "TNA", "T"),
        allele(2, "TAR", "T"),
        name(f"{START + 4}_{START + 5}del"),
    ],
    "a small duplication": [
        allele(10, "A", "AC"),
        allele(10, "A", "AC", variantType="DUP"),
        allele(10, "A", "AC", variantType="INS", **end(10, 1)),
        name(f"{START + 11}_{START + 12}insC"),
    ],
    "mitochondrial DNA": [
        {"genomicAlleleShortForm": "NC_012920.1:m.3243A>G"},
        {"genomicAlleleShortForm": "NC_012920.1:g.3243A>G"},
        "NC_012920.1:m.3243A>G",
        "chrM-3243-A-G",
    ],
    "a structural deletion": [
        f"chr22-{START + LONG}-N-DEL-100",
        f"chr22-{START + LONG}-{HERE[LONG - 1]}-DEL-100",
        allele(LONG - 1, HERE[LONG - 1 : LONG + 100], HERE[LONG - 1]),
        allele(LONG - 2, HERE[LONG - 2 : LONG + 101], HERE[LONG - 2 : LONG] + HERE[LONG + 100]),
        # three bases to the right, in a repeat of five
        allele(LONG + 2, HERE[LONG + 2 : LONG + 103], HERE[LONG + 2]),
        name(f"{START + LONG + 1}_{START + LONG + 100}del"),
        name(f"{START + LONG + 4}_{START + LONG + 103}del"),
        between(LONG - 1, 101, variantType="DEL"),
        between(LONG - 1, 101, variantType="EFO:0030067"),
        between(LONG - 1, 101, variantType="DEL", variantMinLength=100, variantMaxLength=3_000),
    ],
    "a tandem duplication": [
        f"chr22-{START + LONG}-N-DUP:TANDEM-60",
        allele(LONG - 1, HERE[LONG - 1], HERE[LONG - 1] + DOUBLED),
        allele(LONG + 59, HERE[LONG + 59], HERE[LONG + 59] + DOUBLED),
        name(f"{START + LONG + 60}_{START + LONG + 61}ins{DOUBLED}"),
        name(f"{START + LONG + 62}_{START + LONG + 63}ins{DOUBLED[2:]}{DOUBLED[:2]}"),
        name(f"{START + LONG + 1}_{START + LONG + 60}dup"),
    ],
    "any gain between two places": [
        between(LONG - 1, 61, variantType="DUP"),
        between(LONG - 1, 61, variantType="copy number gain"),
    ],
}


@pytest.mark.parametrize("wordings", ONE_ALLELE.values(), ids=ONE_ALLELE)
def test_an_allele_is_found_in_every_notation_as_one_question(ask, wordings):
    asked = set()
    for sent in wordings:
        granted, public, texts, _ = ask(sent)
        assert granted, sent
        assert public, sent
        assert len(texts) == 1
        asked |= texts
    assert len(asked) == 1, asked


PADDED = {
    1: [(0, "NG", "NA"), (0, "NGT", "NAT"), (1, "GN", "AN"), (0, "NGN", "NAN")],
    10: [(10, "N", "NC"), (10, "AY", "ACY"), (9, "NA", "NAC"), (9, "NAN", "NACN")],
}


@pytest.mark.parametrize("has_reference", [True, False])
@pytest.mark.parametrize("start", PADDED)
def test_a_letter_of_several_bases_on_both_sides_is_padding(ask, data, start, has_reference):
    reference = data.reference if has_reference else None
    plain = {1: allele(1, "G", "A"), 10: allele(10, "A", "AC")}[start]
    asked = set(ask(plain, reference)[2])
    for spelling in PADDED[start]:
        granted, public, texts, _ = ask(allele(*spelling), reference)
        assert granted, spelling
        assert public, spelling
        asked |= texts
    assert len(asked) == 1, asked


@pytest.mark.parametrize("has_reference", [True, False])
@pytest.mark.parametrize(
    "sent",
    [
        allele(0, "CG", "NA"),
        allele(0, "CGT", "NAK"),
        allele(9, "GA", "NAC"),
        allele(9, "GAC", "NACC"),
        allele(9, "GACC", "NACCN"),
        allele(2, "TAA", "W"),
        between(0, 2, referenceBases="CG", alternateBases="NA"),
        between(0, 2, referenceBases="NG", alternateBases="NA"),
        allele(0, "CG", "NA", **end(0, 2)),
        allele(0, "NG", "NA", **end(0, 2)),
    ],
)
def test_a_letter_of_several_bases_in_alt_is_any_of_them_also_beside_the_change(
    ask, data, sent, has_reference
):
    assert ask(sent, data.reference if has_reference else None)[:2] == (True, True)


@pytest.mark.parametrize(
    "sent",
    [
        allele(0, "NG", "NT"),
        allele(0, "CG", "NT"),
        allele(0, "CG", "GA"),
        allele(9, "GA", "NAT"),
        allele(9, "GACC", "NACA"),
        allele(13, "A", "NC"),
        allele(0, "CG", "SA", variantType="DEL", **end(0, 2)),
    ],
)
def test_letters_of_several_bases_find_no_other_allele(ask, sent):
    assert ask(sent)[:2] == (False, False)


@pytest.mark.parametrize(
    "sent",
    [
        allele(0, "CG", "CT"),
        allele(0, "CGT", "CAT", variantType="DEL"),
        allele(0, "CGTAA", "CATAA", variantMinLength=2, **end(0, 5)),
        allele(LONG - 1, HERE[LONG - 1 : LONG + 90], HERE[LONG - 1]),
        allele(LONG - 1, HERE[LONG - 1], HERE[LONG - 1] + DOUBLED[:-1] + "T"),
    ],
)
def test_another_allele_is_not_found(ask, sent):
    assert ask(sent)[:2] == (False, False)


def test_padding_that_contradicts_the_reference_is_told(ask):
    granted, public, texts, warnings = ask(allele(0, "TG", "TA"))
    assert (granted, public, texts) == (False, False, set())
    assert "expected 'CG', which the reference has" in warnings[0]


def test_without_a_reference_shared_bases_are_left_out_too(ask):
    asked = set()
    for sent in (allele(1, "G", "A"), allele(0, "CGT", "CAT"), f"22-{START + 1}-CGT-CAT"):
        granted, public, texts, _ = ask(sent, None)
        assert granted
        assert public
        asked |= texts
    assert len(asked) == 1


RESTRICTING_NOTHING = [
    [
        {"variantType": "SNP"},
        {"variantType": "SNP", "variantMaxLength": 1},
        {"variantType": "SNP", "variantMaxLength": 77},
        {"variantType": "SNV", "variantMinLength": 1, "variantMaxLength": 78},
    ],
    [
        {"variantType": "DEL"},
        {"variantType": "DEL", "variantMaxLength": CONTIG_LENGTHS["chr22"]},
        {"variantType": "DEL", "variantMaxLength": 10**9},
    ],
    [{"variantType": "DUP"}, {"variantType": "EFO:0030070"}],
    [
        {"referenceBases": "S", "alternateBases": "A"},
        {"referenceBases": "S", "alternateBases": "A", "variantType": "SNP"},
        {"referenceBases": "S", "alternateBases": "A", "variantMaxLength": 5},
    ],
    [{}, {"variantMinLength": 1}, {"variantMaxLength": 10**9}],
]


@pytest.mark.parametrize("conditions", RESTRICTING_NOTHING)
def test_conditions_that_restrict_nothing_make_no_other_question(ask, conditions):
    place = {"referenceName": "22", "start": START, "end": START + 200}
    assert len(set().union(*(ask(place | one)[2] for one in conditions))) == 1


def test_a_bound_beyond_what_a_bracket_permits_makes_no_other_question(ask):
    bracket = between(0, 0) | {"start": [START, START + 50], "end": [START + 60, START + 90]}
    one = [
        ask(bracket | {"variantType": "DEL"} | more)[2]
        for more in (
            {},
            {"variantMaxLength": 89},
            {"variantMaxLength": 90},
            {"variantMinLength": 9},
        )
    ]
    other = [
        ask(bracket | {"variantType": "DEL"} | more)[2]
        for more in (
            {"variantMaxLength": 88},
            {"variantMinLength": 10},
        )
    ]
    assert len(set().union(*one)) == 1
    assert len(set().union(*one, *other)) == 3


def test_names_of_mitochondrial_dna_have_m(ask, data):
    row = next(data.variants.overlapping("chrM", 3242, 3243))
    assert described(row) == "NC_012920.1:m.3243A>G"
    told = ask({"genomicAlleleShortForm": "NC_000022.11:m.20000002G>A"}, expected=400)
    assert "a genomic description on GRCh38" in told


def test_a_substitution_by_its_new_base_alone_needs_the_reference(ask):
    sent = name(f"{START + 2}delinsA")
    assert ask(sent)[:2] == (True, True)
    told = ask(sent, None, 400)
    assert "both bases, like g.43057063G>A, as this node has no reference" in told


def test_a_no_to_replaced_bases_that_are_not_known_says_so(ask):
    sent = name(f"{START + 1}_{START + 3}delinsCAT")
    granted, _, _, warnings = ask(sent, None)
    assert not granted
    assert warnings == [REPLACED]
    assert ask(sent)[3] == []


@pytest.mark.parametrize("reference", [True, False])
def test_a_no_to_inserted_bases_that_may_be_listed_without_them_says_so(ask, data, reference):
    """Without a reference, a duplication cannot be told from them."""
    inserted = "ACGTTGCATTCAGGCT" * 4 if reference else DOUBLED
    sent = allele(LONG - 1, HERE[LONG - 1], HERE[LONG - 1] + inserted)
    granted, _, _, warnings = ask(sent, data.reference if reference else None)
    assert not granted
    assert warnings == [LONG_INSERTION]


@pytest.mark.parametrize("kind", ["BND", "DEL:ME"])
def test_a_type_that_no_allele_has_is_a_no_with_a_warning_for_nothing(ask, kind):
    place = {"referenceName": "22", "start": START, "end": START + 200, "variantType": kind}
    granted, public, texts, warnings = ask(place)
    assert (granted, public, texts) == (False, False, set())
    assert f"found '{kind}'; nobody has one here" in warnings[-1]


def test_a_place_behind_the_end_of_a_contig_is_refused_in_names_too(ask):
    told = ask({"genomicAlleleShortForm": "NC_000017.11:g.99999999del"}, expected=400)
    assert "positions on chr17, at most 83257441" in told


def test_a_change_of_a_protein_without_a_gene_model_is_no_no(ask):
    granted, _, _, warnings = ask({"aminoacidChange": "V600E"})
    assert not granted
    assert warnings[-1] == NO_GENE_MODEL


@pytest.mark.parametrize(
    "sent",
    [
        "NC_000022.11:g.50818469A>T",
        "chr22-50818469-A-T",
        "chr22-50818468-AA-A",
        "chrY-99999999-A-T",
        "22-50818469-N-DEL-100",
        "NC_000022.10:g.51304567A>T",
        {"assemblyId": "GRCh37", "referenceName": "22", "start": 51_304_566}
        | {"referenceBases": "A", "alternateBases": "T"},
        {"referenceName": "22", "start": 50_818_468, "referenceBases": "A", "alternateBases": "T"},
        {"referenceName": "22", "start": 50_818_468, "alternateBases": "T"},
    ],
)
def test_an_allele_behind_the_end_of_its_contig_is_refused(ask, sent):
    told = ask(sent, expected=400)
    assert "positions on chr22, at most " in told or "which ends at " in told


def test_the_last_base_of_a_contig_can_be_asked_for(ask):
    last = CONTIG_LENGTHS["chr22"]
    assert ask(f"22-{last}-A-T")[:2] == (False, False)
    assert ask({"referenceName": "22", "start": last, "referenceBases": "", "alternateBases": "T"})
    on_grch37 = {"assemblyId": "GRCh37", "referenceName": "22", "start": 51_304_565}
    assert ask(on_grch37 | {"referenceBases": "A", "alternateBases": "T"})[:2] == (False, False)
