"""The inputs of a run with stories: the default ones, in three countries."""

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.config.tables import read_countries, read_genes, read_planted
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stories.reference_checks import RunReferences

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "workflow/schemas"
FIFTH = """
title: A fifth story
summary: Anna in Finland has the variant that Martin has.
evidence: [invented]
asker: {name: Anna's doctor, country: FI, role: clinician, tier: controlled, purpose: "DUO:0000043"}
patients:
  anna:
    country: FI
    sex: female
    born: 2019
    mother: mother
    carries: {PHGDH c.2T>C: 2}
    lacks: [BRCA1]
    diseases: {phgdh_deficiency: 0}
    features:
      - {code: "HP:0000252", label: Microcephaly}
    excluded:
      - {code: "HP:0001250", label: Seizure}
    measurements: {height: 98}
    treatments: []
    candidate_genes: [PHGDH, PSAT1]
    consent: {basis: "GDPR 6(1)a, 9(2)a", uses: ["DUO:0000043"], withdrawn: true}
  mother: {country: FI, sex: female, born: 1990}
  decoy: {each_country: 2, countries: [ES, FI], sex: male, born: [2010, 2020]}
  eldest: {choose: {country: ES, sex: male, order: birth_year}}
questions:
  - id: elsewhere
    text: Is it seen elsewhere?
    kind: beacon
    about: anna
    find: variants
    variant: PHGDH c.2T>C
    granularity: count
    expected: {countries: [FI]}
"""


@pytest.fixture(scope="session")
def three_countries():
    everybody = read_countries(ROOT / "config/countries.tsv", SCHEMAS / "countries.schema.yaml")
    return [country for country in everybody if country.code in ("ES", "FI", "IE")]


@pytest.fixture(scope="session")
def variants():
    codes = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()]
    table = read_planted(ROOT / "config/variants.tsv", SCHEMAS / "variants.schema.yaml", codes)
    return [replace(planted, carriers=()) for planted in table]  # none in other countries


@pytest.fixture(scope="session")
def traits():
    return read_traits(ROOT / "config/traits.yaml")


@pytest.fixture(scope="session")
def references(three_countries, variants, traits):
    codes = [country.code for country in three_countries]
    genes = read_genes(ROOT / "config/genes.tsv", SCHEMAS / "genes.schema.yaml")
    return RunReferences(codes, variants, genes, traits)


@pytest.fixture
def fifth(tmp_path):
    """A folder with the fifth story."""
    folder = tmp_path / "stories"
    folder.mkdir()
    (folder / "fifth.yaml").write_text(FIFTH)
    return folder
