"""config/traits.yaml: what is read, and one line for each error."""

import re

import numpy as np
import pytest

from rehearsal.errors import InputError
from rehearsal.phenotypes.trait_reader import read_traits


def test_a_trait_file_reads_back_as_it_was_written(traits):
    level, width = traits.measurements
    assert (level.code, level.unit, level.distribution) == ("LOINC:1-1", "mmol/L", "normal")
    assert level.genetics.heritability == 0.6
    assert level.features[0].at_least == 4.0
    assert width.genetics is None
    assert traits.derived[0].powers == {"width": 2.0}
    disease, monogenic = traits.diseases
    assert disease.causes == {"level": 0.3}
    assert "male" not in monogenic.cumulative_risk
    assert monogenic.genes[0].copies == {"female": 1, "male": 1}
    assert monogenic.genes[1].copies == {"female": 2, "male": 1}
    assert [trait.name for trait in traits.polygenic] == ["level", "common_disease"]


def test_a_curve_is_straight_between_its_points_and_flat_beyond(traits):
    curve = traits.measurements[0].mean["female"]
    np.testing.assert_allclose(curve.at(np.array([0, 25, 50, 90])), [2, 3, 4, 4])


def test_a_risk_curve_gives_the_age_that_a_risk_belongs_to(traits):
    curve = traits.diseases[0].cumulative_risk["male"]
    np.testing.assert_allclose(curve.age_of(np.array([0.025, 0.05, 0.3])), [30, 40, 80])
    assert curve.age_of(np.array([0.31]))[0] == np.inf


def test_the_shipped_file_has_what_the_first_run_needs(shipped):
    codes = {trait.code for trait in (*shipped.measurements, *shipped.derived, *shipped.diseases)}
    assert {"LOINC:22748-8", "LOINC:8302-2", "LOINC:29463-7", "ICD10:I25.1", "ICD10:C50"} <= codes
    breast = next(disease for disease in shipped.diseases if disease.code == "ICD10:C50")
    by_80 = {
        gene.gene: gene.cumulative_risk["female"].at(np.array([80.0])) for gene in breast.genes
    }
    assert by_80["BRCA1"] == pytest.approx(0.72)
    assert by_80["BRCA2"] == pytest.approx(0.69)


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("heritability: 0.6", "heritability: 6e-1", "measurements.level.genetics.heritability",
         "expected a number from 0 to 1, found '6e-1' (text; write 1.0e-8, not 1e-8"),
        ("heritability: 0.6", "heritability: 1.2", "measurements.level.genetics.heritability",
         "expected a number from 0 to 1, found 1.2"),
        ("heritability: 0.6", "heritability: yes", "measurements.level.genetics.heritability",
         "expected a number from 0 to 1, found true"),
        ("heritability: 0.6", "heritability: .nan", "measurements.level.genetics.heritability",
         "found nan"),
        ("causal_sites: 10}\n    features", "causal_sites: 0}\n    features",
         "measurements.level.genetics.causal_sites", "expected a whole number of at least 1"),
        ("heritability: 0.6, causal_sites: 10", "heritability: 0.6",
         "measurements.level.genetics",
         "expected the key causal_sites, found the keys heritability"),
        ("decimals: 3", "decimals: 3.5", "measurements.level.decimals", "a whole number"),
        ("unit: mmol/L", "units: mmol/L", "measurements.level", "expected the key unit"),
        ("sd: 0.5", "sd: 0.5\n    colour: red", "measurements.level.colour",
         "only_with, found the unknown key 'colour'"),
        ("sd: 0.5", "sd: 0", "measurements.level.sd", "expected numbers above 0, found 0"),
        ("sd: 0.5", "sd: {}", "measurements.level.sd", "age in years to numbers, found an empty"),
        ("sd: 0.5", "sd: '0.5'", "measurements.level.sd", "found '0.5' (text; remove the quotes)"),
        ("sd: 0.5", "sd: {200: 1}", "measurements.level.sd.200", "an age from 0 to 130 years"),
        ("sd: 0.5", "sd: {old: 1}", "measurements.level.sd.old", "the key, found 'old'"),
        ("      male: 3.0\n", "", "measurements.level.mean", "expected the key male"),
        ("distribution: lognormal", "distribution: cauchy", "measurements.width.distribution",
         "expected one of normal, lognormal, found 'cauchy'"),
        ("code: LOINC:1-1", "code: '1-1'", "measurements.level.code", "text like LOINC:22748-8"),
        ("LOINC:2-2", "LOINC:1-1", "code LOINC:1-1", "expected one trait with this code, found 2"),
        ("  width:\n", "  Broad width:\n", "measurements.Broad width",
         "that starts with a letter, found 'Broad width'"),
        ("HP:0000002", "HP:2", "diseases.common_disease.features[0].code", "text like HP:0003124"),
        ("MONDO:0000001", "MONDO:1", "diseases.common_disease.mondo", "text like MONDO:0007254"),
        ("at_least: 4.0", "at_least: high", "measurements.level.features[0].at_least", "'high'"),
        ("{level: 0.3}", "{depth: 0.3}", "diseases.common_disease.causes",
         "the name of a measurement or an exposure (level, width), found 'depth'"),
        ("{level: 0.3}", "{level: 0.8}", "diseases.common_disease", "found 1.04"),
        ("powers: {width: 2}", "powers: {area: 2}", "derived_measurements.area.powers",
         "the name of a measurement (level, width), found 'area'"),
        ("female: {20: 0, 80: 0.10}", "female: {20: 0.05, 80: 0.10}",
         "diseases.common_disease.cumulative_risk.female", "risks that start at 0 and rise"),
        ("40: 0.05, 80: 0.30", "40: 0.05, 80: 0.04",
         "diseases.common_disease.cumulative_risk.male",
         "risks that start at 0 and rise with age, such as {30: 0, 80: 0.12}, found {"),
        ("80: 0.30", "80: 30", "diseases.common_disease.cumulative_risk.male.80",
         "a number from 0 to 1"),
        ("female: {20: 0, 80: 0.12}", "female: 0.12",
         "diseases.gene_disease.cumulative_risk.female", "cumulative risks by age"),
        ("copies: {female: 2, male: 1}", "copies: {female: 3, male: 1}",
         "diseases.gene_disease.genes.REC1.copies.female", "a whole number from 1 to 2"),
        ("  width:\n", "  level:\n", "line 15",
         "expected valid YAML, found an error (the key level is given twice, first in line"),
        ("measurements:\n", "measurements: [\n", "line", "expected"),
        ("derived_measurements:", "derived_measurement:", "derived_measurement",
         "expected one of the keys measurements, diseases, derived_measurements"),
    ],
)  # fmt: skip
def test_a_bad_file_gives_one_line_with_file_key_and_expectation(
    tmp_path, small_text, old, new, key, expected
):
    assert old in small_text
    path = tmp_path / "traits.yaml"
    path.write_text(small_text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_traits(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {key}")
    assert expected in message
    assert "\n" not in message


@pytest.mark.parametrize("content", ["", "- a", "measurements: 3\ndiseases: {}", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    path = tmp_path / "traits.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(str(path))):
        read_traits(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: file: expected a YAML file, found no"):
        read_traits(tmp_path / "absent.yaml")


def test_traits_may_be_left_empty(tmp_path):
    path = tmp_path / "traits.yaml"
    path.write_text("measurements: {}\ndiseases: {}\n")
    assert read_traits(path).polygenic == ()


@pytest.mark.parametrize(
    ("genetics", "complaint"),
    [
        ("{causal_sites: 10}", "one of the keys heritability and hazard_ratio_per_sd, .* neither"),
        ("{heritability: 0.4, hazard_ratio_per_sd: 1.7, causal_sites: 10}", "found both"),
        ("{hazard_ratio_per_sd: -1, causal_sites: 10}", "hazard_ratio_per_sd: expected"),
    ],
)
def test_a_disease_has_a_heritability_or_a_hazard_ratio(tmp_path, small_text, genetics, complaint):
    path = tmp_path / "traits.yaml"
    path.write_text(small_text.replace("{heritability: 0.4, causal_sites: 10}", genetics))
    with pytest.raises(InputError, match=complaint):
        read_traits(path)


def test_errors_of_several_traits_come_together(tmp_path, small_text):
    text = small_text.replace("heritability: 0.6", "heritability: 1.8", 1)
    text = text.replace("40: 0.05, 80: 0.30", "40: 0.05, 80: 0.04", 1)
    text = text.replace("female: {20: 0, 80: 0.12}", "female: 0.12", 1)
    path = tmp_path / "traits.yaml"
    path.write_text(text + "typo: 1\n")
    with pytest.raises(InputError) as caught:
        read_traits(path)
    keys = [line.removeprefix(f"{path}: ").split(":")[0] for line in str(caught.value).splitlines()]
    assert keys == [
        "typo",
        "measurements.level.genetics.heritability",
        "diseases.common_disease.cumulative_risk.male",
        "diseases.gene_disease.cumulative_risk.female",
    ]
