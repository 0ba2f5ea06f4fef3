"""Computed identifiers against published ones."""

import pytest

from rehearsal.genomes.assembly import REFSEQ
from rehearsal.genomes.indel_shifts import shift_right
from rehearsal.node.beacon.vrs import GAIN, LOSS, REFGET, copy_number_identifiers, identifiers


@pytest.mark.parametrize(
    ("version", "contig", "start", "ref", "alt", "identifier"),
    [
        # from the VRS 1.3 and 2.0 tests of vrs-python, and a published example of HL7
        ("1.3", "chr1", 943_042, "C", "T", "ga4gh:VA.s8vzlmFv83fcoJnNovFkp4pnE48weUh4"),
        # BRAF V600E: tests of cancervariants/variation-normalization, documents of ga4gh/anyvar
        ("1.3", "chr7", 140_753_335, "A", "T", "ga4gh:VA.fZiBjQEolbkL0AxjoTZf4SOkFy9J0ebU"),
        ("2.0", "chr7", 140_753_335, "A", "T", "ga4gh:VA.Otc5ovrw906Ack087o1fhegB4jDRqCAe"),
        ("2.0", "chr9", 128_325_834, "C", "T", "ga4gh:VA.SZIS2ua7AL-0YgUTAqyBsFPYK3vE8h_d"),
    ],
)
def test_an_identifier_is_the_published_one(version, contig, start, ref, alt, identifier):
    assert dict(identifiers(contig, start, ref, alt))[version] == identifier
    padded = identifiers(contig, start - 1, f"A{ref}G", f"A{alt}G")
    assert dict(padded)[version] == identifier


@pytest.mark.parametrize(
    ("sequence", "accession", "start", "ref", "alt", "identifier"),
    [  # computed with ga4gh.vrs 2.3.3
        (
            *("AACACCCCAACACC", "SQ.C17IaE3i8iat7ZKh7y8F_6EHWxqNQSfn", 7, "CA", "C"),
            "ga4gh:VA.fY8Dc-dLkkY-TfzXaW84BF5RfOA_wGiz",
        ),
        (
            *("AACAAAACACAACC", "SQ.y1-wP5LQ8xepSX0e6xwn_q_uYPbzP3j5", 5, "AAC", "A"),
            "ga4gh:VA.eKvn391tMI5HhJSthcsAD4mY-BVQ4wxG",
        ),
        (
            *("ACACCACCACAACC", "SQ._VOn_ZG1DBIJHAY9yQMw5Jg_w4m9WHcO", 0, "ACACC", "A"),
            "ga4gh:VA.qxr_je9hG2U3BCg09iR9kGGElBq86IIx",
        ),
        (
            *("CCAAAAAACCCCCA", "SQ.4nU0D9GAXsr74QuEGmZ3-8Xa9ZhsRMWC", 6, "A", "AACAC"),
            "ga4gh:VA.UB2C06gsghvrs9xrvo6QWod0Vgpe934V",
        ),
        (
            *("CACCCCCACCAAAA", "SQ.0VU5oK7cLSSEqFk_QTG2WhhuTpL2-ds7", 7, "A", "AC"),
            "ga4gh:VA.KrQ6OK55eaxxqw5Wh6A2CT64AohqqKci",
        ),
    ],
)
def test_insertions_and_deletions_cover_all_their_places(
    sequence, accession, start, ref, alt, identifier
):
    shift = shift_right(sequence, start + 1, ref[1:] or alt[1:], len(ref) > len(alt))
    assert dict(identifiers("chr1", start, ref, alt, shift, accession))["2.0"] == identifier


@pytest.mark.parametrize(
    ("change", "identifier"),
    [  # computed with ga4gh.vrs 2.3.3
        (GAIN, "ga4gh:CX.5Ewr4fD62y-qirKMafgp_HvsT-yJwrkb"),
        (LOSS, "ga4gh:CX.SfZiFaYT04dKByS0zZ7xDa3EmCrOUtOz"),
    ],
)
def test_a_change_of_copy_number_has_an_identifier(change, identifier):
    accession = "SQ.7B7SHsmchAR0dFcDCuSFjJAo7tX87krQ"
    found = dict(copy_number_identifiers(30_001, 34_001, change, accession))
    assert found["2.0"] == identifier and found["1.3"].startswith("ga4gh:CX.")


def test_an_insertion_or_deletion_without_a_reference_has_no_identifier():
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
