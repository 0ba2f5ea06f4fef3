"""Match requests: valid ones, and the refusal of invalid ones."""

import orjson
import pytest

from ..access.test_access import CARE
from .conftest import MICROCEPHALY, patient

VARIANT = patient()["patient"]["genomicFeatures"][1]["variant"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"features": [{"id": MICROCEPHALY, "observed": "perhaps"}]}, "features[0].observed"),
        ({"features": {"id": MICROCEPHALY}}, "patient.features"),
        ({"features": ["HP:0000252"]}, "patient.features[0]"),
        ({"features": [{"id": 252}]}, "patient.features[0].id"),
        ({"features": [{"id": MICROCEPHALY}] * 201}, "at most 200"),
        (
            {"genomicFeatures": [{}]},
            "genomicFeatures[0]: expected a gene, a variant, or both, found neither",
        ),
        ({"genomicFeatures": [{"gene": "PHGDH"}]}, "genomicFeatures[0].gene"),
        ({"genomicFeatures": [{"gene": {"id": ""}}]}, "genomicFeatures[0].gene.id"),
        ({"genomicFeatures": [{"gene": {"id": "A"}, "zygosity": "two"}]}, "zygosity"),
        ({"genomicFeatures": [{"gene": {"id": "A"}}] * 501}, "at most 500"),
        ({"genomicFeatures": [{"variant": {"assembly": "GRCh38"}}]}, "referenceName"),
        ({"contact": ...}, "patient.contact: expected an object, found nothing"),
        ({"contact": {"name": "Dr Byrne"}}, "patient.contact.href: expected text, found nothing"),
        ({"id": ...}, "patient.id: expected text, found nothing"),
        ({"id": "a\nb"}, "patient.id: expected printable characters, found"),
        ({"id": "x" * 256}, "patient.id"),
        ({"_consent": ["yes"]}, "patient._consent[0]: expected a DUO term like DUO:0000043"),
        ({"_consent": CARE}, "patient._consent"),
    ],
)
def test_an_invalid_value_is_400_and_named(changes, key, node, clinician):
    status, body, _ = node.post(patient(**changes), clinician)
    assert status == 400
    assert key in body["error"]["errorMessage"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"start": -1}, "start"),
        ({"start": "1"}, "start"),
        ({"start": True}, "start"),
        ({"start": 83_257_441}, "variant.start: expected "),
        ({"alternateBases": 1}, "alternateBases"),
        ({"assembly": None}, "assembly"),
    ],
)
def test_an_invalid_variant_is_400_and_named(changes, key, node, clinician):
    asked = patient()
    asked["patient"]["genomicFeatures"][1]["variant"] |= changes
    status, body, _ = node.post(asked, clinician)
    assert status == 400
    assert key in body["error"]["errorMessage"]


@pytest.mark.parametrize("raw", [b"[]", b"null", b'{"patient": 1}', b"{}"])
def test_invalid_bodies_are_400(raw, node, clinician):
    assert node.post(raw, clinician)[0] == 400


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff"])
def test_bodies_that_are_not_json_are_422(raw, node, clinician):
    assert node.post(raw, clinician)[0] == 422


def test_a_body_that_is_too_long_is_413(node, clinician):
    assert node.post(b" " * (256 * 1024 + 1), clinician)[0] == 413


def test_a_variant_of_another_assembly_is_matched_by_its_gene_with_a_note(node, clinician):
    asked = patient()
    asked["patient"]["genomicFeatures"][1]["variant"]["assembly"] = "GRCh37"
    status, body, _ = node.post(asked, clinician)
    assert status == 200
    assert body["_notes"][:1] == [
        "patient.genomicFeatures[1].variant.assembly: expected GRCh38, found 'GRCh37'; "
        "only the gene is matched"
    ]
    assert len(body["results"]) == 2  # without 11, who shares the variant only


@pytest.mark.parametrize(("assembly", "start"), [("GRCh37", 41_209_078), ("hg19", 41_209_078)])
def test_a_variant_of_grch37_is_compared_where_it_is_on_grch38(node, clinician, assembly, start):
    """BRCA1 c.5266dup: NC_000017.10:g.41209082dup is NC_000017.11:g.43057065dup (ClinVar)."""
    place = {"assembly": assembly, "referenceName": "17", "start": start}
    variant = place | {"referenceBases": "T", "alternateBases": "TG"}
    status, body, _ = node.post(patient(genomicFeatures=[{"variant": variant}]), clinician)
    assert status == 200
    (one,) = body["results"]
    assert one["patient"]["genomicFeatures"][0]["variant"]["start"] == 43_057_061
    note = "patient.genomicFeatures[0].variant: GRCh37: the positions were moved to GRCh38"
    assert body["_notes"][0] == note


def test_a_variant_that_cannot_be_compared_counts_as_not_shared(node, clinician):
    """It raised the score to that of a gene alone, above a variant that nobody has."""
    gene = {"gene": {"id": "PHGDH"}}
    place = {"referenceName": "17", "start": 50_000_000}
    place |= {"referenceBases": "G", "alternateBases": "C"}
    scores = []
    for assembly in ("GRCh37", "GRCh38"):
        asked = [gene, {"variant": place | {"assembly": assembly}}]
        _, body, _ = node.post(patient(features=[], genomicFeatures=asked), clinician)
        of_gene = [one for one in body["results"] if len(one["patient"]["genomicFeatures"]) == 1]
        scores.append({one["score"]["patient"] for one in of_gene})
    assert scores[0] == {0.5}
    assert scores[1] == {0.5}


def test_the_longest_patient_is_answered(node, clinician):
    candidate = {"gene": {"id": "PHGDH"}, "variant": {**VARIANT}, "type": {"id": "SO:0001587"}}
    features = [{"id": MICROCEPHALY, "ageOfOnset": "HP:0003577"}] * 200
    asked = patient(features=features, genomicFeatures=[candidate] * 500)
    status, body, _ = node.post(asked, clinician)
    assert status == 200, body


def notes_on(node, clinician, feature, **changes):
    """The notes on a request with one genomic feature."""
    status, body, _ = node.post(patient(genomicFeatures=[feature], **changes), clinician)
    assert status == 200
    return body.get("_notes", [])


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"referenceBases": None, "alternateBases": None}, "no referenceBases and no alternateBas"),
        ({"alternateBases": None}, "no alternateBases"),
    ],
)
def test_bases_that_are_missing_are_named(node, clinician, changes, lacking):
    (note,) = notes_on(node, clinician, {"variant": VARIANT | changes})
    assert f"expected bases of A, C, G, T and N, found {lacking}" in note


@pytest.mark.parametrize("end", [50_000_002, 49_999_999, "far"])
def test_an_end_that_contradicts_the_bases_gets_a_note(node, clinician, end):
    (note,) = notes_on(node, clinician, {"variant": VARIANT | {"end": end}})
    assert "variant.end: expected 50000001, where the reference bases end, found" in note
    assert notes_on(node, clinician, {"variant": VARIANT | {"end": 50_000_001}}) == []


@pytest.mark.parametrize("zygosity", [3, -1])
def test_an_impossible_number_of_copies_gets_a_note(node, clinician, zygosity):
    (note,) = notes_on(node, clinician, {"variant": VARIANT, "zygosity": zygosity})
    assert f"zygosity: expected 1 or 2 copies, found {zygosity}; it is not compared" in note


def test_a_gene_in_which_the_variant_is_not_gets_a_note(node, clinician):
    gene = node.node_data.settings.genes[0]
    inside = VARIANT | {"referenceName": gene.contig, "start": gene.start}
    named = {"gene": {"id": gene.name}}
    (note,) = notes_on(node, clinician, {**named, "variant": VARIANT})
    assert f"expected a variant in {gene.name} (" in note
    assert notes_on(node, clinician, {**named, "variant": inside}) == []


def test_a_patient_of_another_species_gets_a_note(node, clinician):
    feature = {"variant": VARIANT}
    (note,) = notes_on(node, clinician, feature, species="NCBITaxon:10090")
    assert "patient.species: expected NCBITaxon:9606 (human), found 'NCBITaxon:10090'" in note
    assert notes_on(node, clinician, feature, species="NCBITaxon:9606") == []


def test_a_key_twice_is_400(node, clinician):
    raw = orjson.dumps(patient()).replace(b'"id":"martin"', b'"id":"martin","id":"other"')
    status, body, _ = node.post(raw, clinician)
    assert status == 400
    assert "each key of an object once" in body["message"]
