"""Traits with every clinical part, and people who have them."""

import numpy as np
import pytest

from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits

N = 40_000
YEAR = 2026
CLINICAL = """\
exposures:
  smoke:
    code: LOINC:9-9
    label: Smoke
    values:
      - {code: "X:0", label: never}
      - {code: "X:1", label: former, share: {20: 0.1, 60: 0.3}}
      - {code: "X:2", label: current, share: {female: 0.1, male: 0.25}}
measurements:
  level:
    {code: "LOINC:1-1", label: Level, unit: mmol/L, decimals: 3, distribution: normal,
     mean: 3, sd: 1, features: [{code: "HP:0000001", label: High level, at_least: 4}]}
  pressure:
    {code: "LOINC:2-2", label: Pressure, unit: "mm[Hg]", decimals: 3, distribution: normal,
     mean: 120, sd: 10, causes: {level: 0.5, smoke: 0.4}}
  lower:
    {code: "LOINC:3-3", label: Lower, unit: "mm[Hg]", decimals: 3, distribution: normal,
     mean: 80, sd: 8, causes: {pressure: 0.7, smoke: 0.2}}
diseases:
  heart:
    code: ICD10:A00
    label: Heart
    mondo: MONDO:0000001
    mondo_label: heart disease
    cumulative_risk: {20: 0, 80: 0.4}
    causes: {pressure: 0.5, smoke: 0.3}
treatments:
  pills:
    for: [heart]
    share: {female: 0.8, male: 0.4}
    years_to_start: 2
    years_to_response: 1
    stopped_yearly: 0.1
    drugs:
      - {code: "ATC:A", label: a, share: 0.75, dose: 20}
      - code: ATC:B
        label: b
        share: 0.25
        adverse_event: {code: "HP:0003198", label: Myopathy, risk: 0.1, odds_ratios: {DOSE1: 4.5}}
    responses:
      - {code: "NCIT:1", label: good, share: 0.7}
      - {code: "NCIT:2", label: bad, share: 0.3}
  course:
    for: [heart]
    share: 1
    duration_years: 0.5
    drugs: [{code: "ATC:C", label: c, share: 1}]
    responses: [{code: "NCIT:1", label: good, share: 1}]
missing:
  - fields: [level]
    rate: 0.2
    flavours: {NASK: 0.75, UNK: 0.25}
  - fields: [pressure, lower]
    rate: 0.1
    flavours: {NI: 1}
  - fields: [smoke, course]
    rate: 0.1
    flavours: {ASKU: 1}
sequencing:
  tissue: {code: "UBERON:0000178", label: blood}
  sample_type: {code: "NCIT:C17610", label: Blood Sample}
  organism: {code: "NCBITaxon:9606", label: Homo sapiens}
  collected_within_years: 3
  target: WGS
  platforms:
    - {code: "OBI:1", label: one, share: 0.9}
    - {code: "OBI:2", label: two, share: 0.1}
  read_figures:
    mean_autosome_coverage: {mean: 32, sd: 3, minimum: 30, decimals: 2}
    yield_bp_q30: {mean: 1.0e+11, sd: 1.0e+10, decimals: 0, coverage_correlation: 0.9}
    pct_autosomes_15x: {mean: 98, sd: 3, maximum: 99.9, decimals: 2}
    mad_autosome_coverage: {mean: 5, sd: 1, decimals: 0}
    cross_contamination_rate: {mean: 0.001, sd: 0.001, decimals: 4}
    pct_reads_mapped: {mean: 99, sd: 0.1, decimals: 2}
  input_format: FASTQ
  output_format: BCF
  genome: GRCh38
  pipeline: p
  aligner: none (simulated)
  variant_caller: none (simulated)
gene_identifiers: {DOSE1: "HGNC:1"}
"""


@pytest.fixture(scope="session")
def clinical(tmp_path_factory):
    path = tmp_path_factory.mktemp("clinical") / "traits.yaml"
    path.write_text(CLINICAL)
    return read_traits(path)


@pytest.fixture
def simulate(clinical, make_genetic_values, no_carriers):
    def run(people, carriers=no_carriers, traits=clinical, seed=1):
        return simulate_phenotypes(
            people, make_genetic_values(traits, len(people)), carriers, traits, seed, YEAR
        )

    return run


@pytest.fixture
def old(make_people):
    return make_people({"FI": N}, sex="male", birth_year=YEAR - 80)


def error(share, number=N):
    """Four standard errors of a share."""
    return 4 * np.sqrt(share * (1 - share) / number)


def wide(table):
    return table.pivot(index="individual", columns="code", values="value")
