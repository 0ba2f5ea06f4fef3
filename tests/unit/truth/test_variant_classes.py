"""The truth's own reading of types, lengths and brackets, on a block with all classes."""

import pytest

from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import Block, Query, Variant
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.variant_classes import changed_bases, names_of

from ..small_cohort import DISEASES, FEATURES, MEASUREMENTS
from ..structural_block import LENGTH, make_structural_block


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Returns the alternate alleles that a query finds in FI."""
    path = tmp_path_factory.mktemp("classes") / "chr22.trees"
    ts, people = make_structural_block()
    ts.dump(path)
    sources = TruthSources(
        {Block("chr22", 0, LENGTH): path}, people, DISEASES, FEATURES, MEASUREMENTS
    )
    truth = TruthCalculator(sources)

    def ask(**parameters):
        place = {"referenceName": "22"} | parameters
        request = beacon_request(place, [], "record", {"skip": 0, "limit": 10})
        answer = truth.compute_answer(Query("q", "range", "g_variants", request))["FI"]
        return [variant.alt for variant in answer.alleles]

    return ask


def test_a_range_inside_a_long_variant_finds_it(found):
    assert found(start=[31_000], end=[31_001]) == ["<DEL>", "<CN0>", "<CN3>"]
    assert found(start=[45_000], end=[45_001]) == []


@pytest.mark.parametrize(
    ("kind", "alts"),
    [
        ("DEL", ["C", "<DEL>", "<CN0>"]),
        ("DUP", ["<DUP:TANDEM>", "<CN3>"]),
        ("INS", ["GTT", "<INS:ME:ALU>"]),
        ("INV", ["<INV>"]),
        ("INDEL", ["C", "GTT"]),
        ("CNV", ["<DEL>", "<DUP:TANDEM>", "<CN0>", "<CN3>"]),
        ("EFO:0030067", ["<DEL>", "<CN0>"]),
    ],
)
def test_types_find_their_classes(found, kind, alts):
    assert found(start=[0], end=[60_000], variantType=kind) == alts


def test_lengths_and_brackets_restrict(found):
    everything = {"start": [0], "end": [60_000]}
    assert found(**everything, variantMinLength=300, variantMaxLength=2_000) == [
        "<DUP:TANDEM>",
        "<INV>",
    ]
    assert found(**everything, variantMinLength=2, variantMaxLength=281) == [
        "GTT",
        "<INS:ME:ALU>",
    ]
    assert found(start=[5_000, 5_000], end=[45_000, 45_000]) == ["<DEL>"]
    assert found(start=[5_001, 5_001], end=[45_000, 45_000]) == []


@pytest.mark.parametrize(
    ("ref", "alt", "length", "names"),
    [
        ("A", "C", 1, {"SNP"}),
        ("AC", "GT", 2, {"MNP"}),
        ("ACA", "ATA", 1, {"SNP"}),
        ("ACT", "A", 2, {"INDEL", "DEL"}),
        ("CAA", "CA", 1, {"INDEL", "DEL"}),
        ("ATT", "ATGT", 1, {"INDEL", "INS"}),
        ("ACT", "AGGG", 3, {"INDEL", "DELINS"}),
    ],
)
def test_small_variants_have_a_type_and_a_length(ref, alt, length, names):
    variant = Variant("chr1", 1, ref, alt)
    assert names_of(variant) == names
    assert changed_bases(variant) == length
