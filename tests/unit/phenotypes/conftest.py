"""A small trait file, synthetic people and genetic values to work with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.phenotypes.genetic_values import EFFECT_TYPES, GeneticValues
from rehearsal.phenotypes.trait_reader import read_traits

from .clinical_traits import clinical, old, simulate

__all__ = ["clinical", "old", "simulate"]

SMALL = """\
measurements:
  level:
    code: LOINC:1-1
    label: Level
    unit: mmol/L
    decimals: 3
    distribution: normal
    mean:
      female: {0: 2.0, 50: 4.0}
      male: 3.0
    sd: 0.5
    genetics: {heritability: 0.6, causal_sites: 10}
    features:
      - {code: "HP:0000001", label: High level, at_least: 4.0}
  width:
    code: LOINC:2-2
    label: Width
    unit: cm
    decimals: 1
    distribution: lognormal
    mean: 100
    sd: 20
derived_measurements:
  area:
    code: LOINC:3-3
    label: Area
    unit: m2
    decimals: 2
    factor: 1.0e-4
    powers: {width: 2}
diseases:
  common_disease:
    code: ICD10:A00
    label: Common disease
    mondo: MONDO:0000001
    cumulative_risk:
      female: {20: 0, 80: 0.10}
      male: {20: 0, 40: 0.05, 80: 0.30}
    genetics: {heritability: 0.4, causal_sites: 10}
    causes: {level: 0.3}
    features:
      - {code: "HP:0000002", label: Sign}
  gene_disease:
    code: ICD10:B00
    label: Gene disease
    mondo: MONDO:0000002
    cumulative_risk:
      female: {20: 0, 80: 0.12}
    genes:
      DOM1:
        cumulative_risk:
          female: {20: 0, 50: 0.4, 80: 0.72}
          male: {40: 0, 80: 0.01}
      REC1:
        copies: {female: 2, male: 1}
        cumulative_risk: {0: 0, 0.1: 0.999}
"""


@pytest.fixture
def small_text() -> str:
    return SMALL


@pytest.fixture
def traits(tmp_path):
    path = tmp_path / "traits.yaml"
    path.write_text(SMALL)
    return read_traits(path)


@pytest.fixture(scope="session")
def shipped():
    return read_traits(Path(__file__).resolve().parents[3] / "config" / "traits.yaml")


@pytest.fixture
def make_people():
    """People by country, all of one age and sex unless said otherwise."""

    def make(numbers, *, sex="female", birth_year=1946):
        ids = [f"{code}-{i:06d}" for code, number in numbers.items() for i in range(number)]
        return pd.DataFrame(
            {
                "id": pd.array(ids, dtype="str"),
                "country": [code for code, number in numbers.items() for _ in range(number)],
                "sex": sex,
                "birth_year": birth_year,
            }
        )

    return make


@pytest.fixture
def make_genetic_values():
    """Raw genetic values as if from sequence: any mean and spread, independent by trait."""

    def make(traits, number, seed=5):
        draw = np.random.default_rng(seed)
        values = {trait.name: draw.normal(3, 7, number) for trait in traits.polygenic}
        effects = {key: pd.Series([], dtype=kind) for key, kind in EFFECT_TYPES.items()}
        return GeneticValues(pd.DataFrame(effects), pd.DataFrame(values, index=range(number)))

    return make


@pytest.fixture
def make_carriers():
    def make(gene, individuals, copies=1):
        return pd.DataFrame(
            {"gene": gene, "name": "v", "individual": list(individuals), "copies": copies}
        ).astype({"copies": "int64"})

    return make


@pytest.fixture
def no_carriers(make_carriers):
    return make_carriers("NONE", [])
