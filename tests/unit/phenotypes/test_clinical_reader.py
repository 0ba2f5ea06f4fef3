"""The clinical parts of the traits file are checked."""

import pytest

from rehearsal.errors import InputError
from rehearsal.phenotypes.trait_reader import read_traits

from .clinical_traits import CLINICAL


@pytest.mark.parametrize(
    ("old_text", "new", "key", "expected"),
    [
        ("share: {20: 0.1, 60: 0.3}", "share: {20: 0.1, 60: 0.8}", "exposures.smoke.values",
         "add up to at most 1 at every age, found 1."),
        ('- {code: "X:0", label: never}\n      - {code: "X:1", label: former, '
         "share: {20: 0.1, 60: 0.3}}\n", "", "exposures.smoke.values", "at least two values"),
        ("causes: {level: 0.5, smoke: 0.4}", "causes: {lower: 0.5}",
         "measurements.pressure.causes", "(level, smoke), found 'lower'"),
        ("causes: {pressure: 0.5, smoke: 0.3}", "causes: {pressure: 0.8, smoke: 0.5}",
         "diseases.heart", "variance that causes explain, found 1.21"),
        ("for: [heart]", "for: [liver]", "treatments.pills.for",
         "expected the name of a disease (heart"),
        ("share: 0.75, dose", "share: 0.7, dose", "treatments.pills.drugs",
         "expected shares that add up to 1, found a sum of 0.95"),
        ("dose: 20}", "dose: 20, times_per_day: 5}", "treatments.pills.drugs[0].times_per_day",
         "from 1 to 4, found 5"),
        ("dose: 20}", "times_per_day: 2}", "treatments.pills.drugs[0].times_per_day",
         "expected a dose beside it"),
        ("risk: 0.1", "risk: 1", "treatments.pills.drugs[1].adverse_event.risk", "0 to 0.999"),
        ("{NASK: 0.75, UNK: 0.25}", "{NASK: 0.75, GONE: 0.25}", "missing[0].flavours.GONE",
         "NP, OTH, PINF, QS, TRC, UNC, UNK, found 'GONE'"),
        ("{NASK: 0.75, UNK: 0.25}", "{NASK: 0.75}", "missing[0].flavours", "add up to 1"),
        ("fields: [level]", "fields: [colour]", "missing[0].fields", "found 'colour'"),
        ("fields: [level]", "fields: [lower]", "missing[1].fields",
         "expected each field in one rule only, found 'lower' in two rules"),
        ("    pct_reads_mapped: {mean: 99, sd: 0.1, decimals: 2}\n", "",
         "sequencing.read_figures", "expected the key pct_reads_mapped"),
        ('{DOSE1: "HGNC:1"}', "{DOSE1: 1}", "gene_identifiers.DOSE1", "text like"),
        ("LOINC:9-9", "LOINC:1-1", "code LOINC:1-1", "one trait with this code, found 2"),
    ],
)  # fmt: skip
def test_a_bad_clinical_part_is_refused_in_one_line(tmp_path, old_text, new, key, expected):
    assert old_text in CLINICAL
    path = tmp_path / "traits.yaml"
    path.write_text(CLINICAL.replace(old_text, new, 1))
    with pytest.raises(InputError) as caught:
        read_traits(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {key}:")
    assert expected in message
    assert "\n" not in message


def test_the_shipped_file_treats_and_measures_what_the_stories_ask_for(shipped):
    drugs = {drug.term.code for treatment in shipped.treatments for drug in treatment.drugs}
    assert {"ATC:C10AA01", "ATC:L02BA01"} <= drugs
    codes = {trait.code for trait in shipped.measurable}
    assert {"LOINC:8480-6", "LOINC:8462-4"} <= codes
    assert shipped.sequencing.organism.code == "NCBITaxon:9606"
