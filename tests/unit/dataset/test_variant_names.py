"""Variants to plant by any name. Coordinates of BRCA1 are those of ClinVar, on GRCh38."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.dataset.plan import _variant_names
from rehearsal.errors import InputError
from rehearsal.genomes.drawn_reference import planned_reference
from rehearsal.logs import noted
from rehearsal.model import Block

ROOT = Path(__file__).resolve().parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.fixture(scope="module")
def names():
    return _variant_names([], CONFIG["genome"], CONFIG, 1, ROOT)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("chr17-43106487-A-C", "chr17-43106487-A-C"),
        ("17:43106487:a:c", "chr17-43106487-A-C"),
        ("NC_000017.11:g.43106487A>C", "chr17-43106487-A-C"),
        ("chr17:g.43106487A>C", "chr17-43106487-A-C"),
        ("NM_007294.4:c.181T>G", "chr17-43106487-A-C"),  # ClinVar 17661
        ("BRCA1:p.Cys61Gly", "chr17-43106487-A-C"),
        ("NP_009225.1:p.(Cys61Gly)", "chr17-43106487-A-C"),
        ("BRCA1:c.5266dup", "chr17-43057062-T-TG"),  # ClinVar 17677
        ("BRCA1:c.68_69del", "chr17-43124027-ACT-A"),  # ClinVar 17662
        ("NM_007294.4:c.4096+1G>A", "chr17-43091434-C-T"),  # ClinVar 37523
        ("chr17-43106487-AC-CC", "chr17-43106487-A-C"),  # bases that need not be there
        ("chr17-43124028-CTC-C", "chr17-43124027-ACT-A"),  # to the left
    ],
)
def test_every_name_means_one_allele_in_normal_form(names, name, variant):
    assert str(names.read(name).variant) == variant


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NM_007294.3:c.181T>G", "NM_007294.4, the version of this node's gene model"),
        ("chr17:g.43106487_43106480del", "ascending positions"),
        ("chr17-43106487-A-A", "an allele that differs from REF"),
        ("BRCA1:p.Cys61fs", "a change of one amino acid"),
        ("chr17-43106487-AA-CA", "bases of the reference at this position, AC, in REF, found AA"),
        ("NM_000492.4:c.1521_1523del", r"gene of the gene model \(.* or a g. name"),
    ],
)
def test_a_name_that_means_nothing_is_one_line(names, name, expected):
    with pytest.raises(InputError, match=expected):
        names.read(name)


DRAWN = 117_559_590  # 1-based place on chr7 without real bases
NO_BASES = CONFIG["genome"] | {"reference_bases": None, "masks": None}


def reference_with(names, planted, seed):
    """The reference of a dataset around DRAWN, as a function of 1-based places, both included."""
    source = planned_reference(NO_BASES, [planted], [], seed, ROOT, names.stated)
    return lambda first, last: source.bases(Block("chr7", first - 1, last)).tobytes().decode()


@given(
    shared=st.sampled_from("ACGT"),
    more=st.text("ACGT", min_size=1, max_size=8),
    is_insertion=st.booleans(),
    seed=st.integers(0, 99),
)
def test_an_indel_by_coordinates_is_planted_as_stated(shared, more, is_insertion, seed):
    names = _variant_names([], NO_BASES, CONFIG, seed, ROOT)
    ref, alt = (shared, shared + more) if is_insertion else (shared + more, shared)
    planted = names.read(f"chr7-{DRAWN}-{ref}-{alt}")
    bases = reference_with(names, planted, seed)
    assert bases(DRAWN, DRAWN + len(ref) - 1) == ref  # all that REF states, the anchor too
    own = planted.variant
    first = own.start + 1
    assert bases(first, own.start + len(own.ref)) == own.ref and own.ref[0] == own.alt[0]
    assert max(own.ref, own.alt, key=len)[-1] != own.ref[0]  # left-aligned
    if shared != more[-1]:
        assert str(own) == f"chr7-{DRAWN}-{ref}-{alt}"
    left, right = min(first, DRAWN), DRAWN + len(ref) - 1  # the same sequence by both
    as_asked = bases(left, DRAWN - 1) + alt if left < DRAWN else alt
    as_planted = own.alt + bases(first + len(own.ref), right) if right >= first else own.alt
    assert as_planted == as_asked


@pytest.mark.parametrize("seed", range(5))
def test_a_deletion_by_hgvs_without_bases_is_noted(seed):
    names = _variant_names([], NO_BASES, CONFIG, seed, ROOT)
    name = f"chr7:g.{DRAWN + seed}_{DRAWN + seed + 2}del"
    drawn = names.reference(()).bases(Block("chr7", DRAWN + seed - 1, DRAWN + seed + 2))
    names.read(name)
    assert any(name in text and f": {drawn};" in text for text in noted())
    names = _variant_names([], NO_BASES, CONFIG, seed, ROOT)
    stated = f"chr7:g.{DRAWN + seed}_{DRAWN + seed + 2}delTCT"
    planted = names.read(stated)
    assert reference_with(names, planted, seed)(DRAWN + seed, DRAWN + seed + 2) == "TCT"
    assert not any(stated in text for text in noted())


def test_a_name_of_an_unknown_gene_says_which_are_known_and_what_else_works(names):
    with pytest.raises(
        InputError, match=r"gene of the gene model \(.*BRCA1.*\), coordinates like .* found 'CFTRX'"
    ):
        names.read("CFTRX:p.Phe508del")


@pytest.mark.parametrize("seed", range(5))
def test_a_duplication_that_states_its_bases_has_them(seed):
    names = _variant_names([], NO_BASES, CONFIG, seed, ROOT)
    planted = names.read(f"chr7:g.{DRAWN}_{DRAWN + 2}dupTCA")
    assert reference_with(names, planted, seed)(DRAWN, DRAWN + 2) == "TCA"
    assert planted.variant.alt[1:] in {"TCA", "ATC", "CAT"}
