"""Genomic HGVS descriptions of alleles, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.genomes.genomic_names import describe, trimmed
from rehearsal.node.beacon.hgvs import parse

bases = st.text("ACGT", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("start", "ref", "alt", "text"),
    [
        (43_057_062, "G", "A", "g.43057063G>A"),
        (43_124_026, "ACT", "A", "g.43124028_43124029del"),
        (32_340_299, "GT", "G", "g.32340301del"),
        (43_057_061, "T", "TG", "g.43057062_43057063insG"),
        (99, "G", "GG", "g.100dup"),
        (99, "CAT", "CATCAT", "g.100_102dup"),
        (99, "AC", "GT", "g.100_101delinsGT"),
        (99, "ACG", "ATG", "g.101C>T"),
        (99, "A", "GT", "g.100delinsGT"),
    ],
)
def test_alleles_are_described_in_hgvs(start, ref, alt, text):
    assert describe("chr17", start, ref, alt) == f"NC_000017.11:{text}"


@pytest.mark.parametrize(
    ("text", "start", "end", "canonical"),
    [
        ("NC_000023.11:g.12886152A>G", 12_886_151, 12_886_152, "g.12886152A>G"),
        ("NC_000017.11:g.5_6delCT", 4, 6, "g.5_6del"),
        ("NC_000017.11:g.5delC", 4, 5, "g.5del"),
        ("NC_000017.11:g.5dupG", 4, 5, "g.5dup"),
        ("NC_000017.11:g.5_6insACT", 4, 6, "g.5_6insACT"),
        ("NC_000017.11:g.5_6delinsG", 4, 6, "g.5_6delinsG"),
        ("NC_000017.11:g.5_5del", 4, 5, "g.5del"),
    ],
)
def test_descriptions_are_read(text, start, end, canonical):
    found = parse(text)
    assert (found.start, found.end) == (start, end)
    assert found.text.endswith(canonical)


@given(st.integers(0, 10**6), bases, bases)
def test_trimming_keeps_what_changes(start, ref, alt):
    allele = trimmed("chr1", start, ref, alt)
    kept = allele.start - start
    tail = len(ref) - kept - len(allele.deleted)
    assert ref == ref[:kept] + allele.deleted + ref[len(ref) - tail :]
    assert alt == ref[:kept] + allele.inserted + ref[len(ref) - tail :]
    if allele.deleted and allele.inserted:
        assert allele.deleted[0] != allele.inserted[0]
        assert allele.deleted[-1] != allele.inserted[-1]


@given(st.integers(1, 10**6), bases, bases)
def test_a_description_survives_a_round_trip(start, ref, alt):
    if ref != alt:
        text = describe("chr2", start, ref, alt)
        found = parse(text)
        allele = trimmed("chr2", start, ref, alt)
        assert found.text == text
        if "dup" not in text:
            assert found.start <= allele.start
            assert found.end >= allele.end
