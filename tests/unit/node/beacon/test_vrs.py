"""Computed identifiers against published ones."""

import pytest

from rehearsal.genomes.assembly import REFSEQ
from rehearsal.node.beacon.vrs import REFGET, identifiers


@pytest.mark.parametrize(
    ("version", "contig", "start", "ref", "alt", "identifier"),
    [
        # from the VRS 1.3 and 2.0 tests of vrs-python, and a published example of HL7
        ("1.3", "chr1", 943_042, "C", "T", "ga4gh:VA.s8vzlmFv83fcoJnNovFkp4pnE48weUh4"),
        ("2.0", "chr9", 128_325_834, "C", "T", "ga4gh:VA.SZIS2ua7AL-0YgUTAqyBsFPYK3vE8h_d"),
    ],
)
def test_an_identifier_is_the_published_one(version, contig, start, ref, alt, identifier):
    assert dict(identifiers(contig, start, ref, alt))[version] == identifier
    padded = identifiers(contig, start - 1, f"A{ref}G", f"A{alt}G")
    assert dict(padded)[version] == identifier


def test_an_insertion_or_deletion_has_no_identifier():
    assert identifiers("chr1", 100, "AC", "A") == identifiers("chr1", 100, "A", "AC") == ()


def test_every_contig_has_its_own_accession():
    assert set(REFGET) == set(REFSEQ)
    assert len(set(REFGET.values())) == len(REFGET)


def test_a_record_gives_them(query):
    body = query(
        "g_variants",
        _granularity="record",
        referenceName="17",
        start=[43_044_294],
        end=[43_125_364],
    )
    records = [one for held in body["response"]["resultSets"] for one in held["results"]]
    given = [one["identifiers"].get("variantAlternativeIds", []) for one in records]
    assert any(given)
    for record, ids in zip(records, given, strict=True):
        single = len(record["variation"]["referenceBases"]) == len(
            record["variation"]["alternateBases"]
        )
        assert len(ids) == (2 if single else 0)
