"""Exposures, treatments, what is missing, family history, samples: as configured, for everybody."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rehearsal.model import InputError
from rehearsal.phenotypes.family_history import family_history
from rehearsal.phenotypes.path_coefficients import explained_by_causes
from rehearsal.phenotypes.sequencing import sequencing_tables
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.variant_counts import COUNTS

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


@pytest.fixture(scope="module")
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


# --- exposures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sex", "age", "shares"),
    [
        ("female", 60, {"never": 0.6, "former": 0.3, "current": 0.1}),
        ("male", 20, {"never": 0.65, "former": 0.1, "current": 0.25}),
        ("male", 40, {"never": 0.55, "former": 0.2, "current": 0.25}),
    ],
)
def test_exposure_values_have_their_shares_by_sex_and_age(simulate, make_people, sex, age, shares):
    table = simulate(make_people({"FI": N}, sex=sex, birth_year=YEAR - age)).exposures
    found = table["value_label"].value_counts(normalize=True)
    for value, share in shares.items():
        assert found[value] == pytest.approx(share, abs=error(share, len(table)))


def test_who_is_exposed_has_more_disease_and_pressure(simulate, old):
    result = simulate(old)
    value = result.exposures.set_index("individual")["value_label"]
    ill = pd.Series(value.index.isin(result.diseases["individual"]), value.index)
    by_value = ill.groupby(value).mean()
    assert by_value["never"] + 0.1 < by_value["former"]
    assert by_value["former"] + 0.05 < by_value["current"]
    pressure = wide(result.measurements)["LOINC:2-2"]
    by_value = pressure.groupby(value.reindex(pressure.index)).mean()
    assert by_value["never"] + 2 < by_value["current"]


def test_causes_that_depend_on_each_other_leave_the_prevalence_as_configured(simulate, old):
    result = simulate(old)
    assert len(result.diseases) / N == pytest.approx(0.4, abs=error(0.4))
    liability = result.genetic_values.query("trait == 'heart'")["liability"]
    assert liability.std() == pytest.approx(1, abs=0.015)
    for code, mean, sd in (("LOINC:2-2", 120, 10), ("LOINC:3-3", 80, 8)):
        values = wide(result.measurements)[code].dropna()
        assert values.mean() == pytest.approx(mean, abs=0.03 * sd)
        assert values.std() == pytest.approx(sd, rel=0.015)


def test_what_causes_explain_follows_from_the_paths(clinical):
    explained = explained_by_causes(clinical)
    assert explained["level"] == 0
    assert explained["pressure"] == pytest.approx(0.25 + 0.16)
    # corr(pressure, smoke) = 0.4
    assert explained["lower"] == pytest.approx(0.49 + 0.04 + 2 * 0.7 * 0.2 * 0.4)
    assert explained["heart"] == pytest.approx(0.25 + 0.09 + 2 * 0.5 * 0.3 * 0.4)


# --- what is missing ---------------------------------------------------------------------------


def test_values_are_missing_at_their_rate_each_with_a_null_flavour(simulate, old):
    result = simulate(old)
    level = result.missing.query("code == 'LOINC:1-1'")
    assert set(level["table"]) == {"measurements"}
    assert len(level) / N == pytest.approx(0.2, abs=error(0.2))
    flavours = level["null_flavour"].value_counts(normalize=True)
    assert flavours["NASK"] == pytest.approx(0.75, abs=error(0.75, len(level)))
    assert set(flavours.index) == {"NASK", "UNK"}


def test_everybody_has_a_value_or_a_null_flavour_and_never_both(simulate, old):
    result = simulate(old)
    for name, code in (("measurements", "LOINC:1-1"), ("exposures", "LOINC:9-9")):
        there = getattr(result, name).query(f"code == '{code}'")["individual"]
        gone = result.missing.query(f"code == '{code}'")["individual"]
        assert sorted([*there, *gone]) == old["id"].tolist()


def test_fields_of_one_rule_are_missing_together(simulate, old):
    values = wide(simulate(old).measurements).reindex(old["id"])
    assert (values["LOINC:2-2"].isna() == values["LOINC:3-3"].isna()).all()
    both = (values["LOINC:1-1"].isna() & values["LOINC:2-2"].isna()).mean()
    assert both == pytest.approx(0.2 * 0.1, abs=error(0.02))


def test_a_finding_needs_a_value_on_record(simulate, old):
    result = simulate(old)
    high = result.features.query("code == 'HP:0000001'")["individual"]
    measured = wide(result.measurements)["LOINC:1-1"]
    assert sorted(high) == sorted(measured.index[measured >= 4])


# --- treatments --------------------------------------------------------------------------------


@pytest.mark.parametrize(("sex", "share"), [("female", 0.8), ("male", 0.4)])
def test_the_ill_are_treated_in_their_share_and_nobody_else(simulate, make_people, sex, share):
    people = make_people({"FI": N}, sex=sex, birth_year=YEAR - 80)
    result = simulate(people)
    onset = result.diseases.set_index("individual")["age_of_onset"]
    pills = result.treatments.query("code in ['ATC:A', 'ATC:B']").set_index("individual")
    assert pills.index.is_unique
    assert pills.index.isin(onset.index).all()
    assert (pills["start_age"] >= onset[pills.index]).all()
    assert pills["start_age"].max() <= 80
    early = onset.index[onset < 60]  # nobody of them still waits for the start
    treated = early.isin(pills.index).mean()
    assert treated == pytest.approx(share, abs=error(share, len(early)))
    assert set(pills["indication"]) == {"ICD10:A00"}


def test_drugs_doses_and_responses_have_their_shares(simulate, old):
    pills = simulate(old).treatments.query("code != 'ATC:C'")
    assert (pills["code"] == "ATC:A").mean() == pytest.approx(0.75, abs=error(0.75, len(pills)))
    assert set(pills.loc[pills["code"] == "ATC:A", "dose_mg"]) == {20.0}
    assert pills.loc[pills["code"] == "ATC:B", "dose_mg"].isna().all()
    known = pills["response_label"].dropna()
    assert (known == "good").mean() == pytest.approx(0.7, abs=error(0.7, len(known)))


def test_treatments_end_at_their_yearly_rate_or_after_their_duration(simulate, old):
    table = simulate(old).treatments
    pills = table.query("code == 'ATC:A' and start_age <= 60")
    ended = (pills["end_age"] - pills["start_age"] < 10).fillna(False).mean()
    assert ended == pytest.approx(1 - 0.9**10, abs=0.05)
    course = table.query("code == 'ATC:C' and start_age < 79")
    assert (course["end_age"] - course["start_age"]).isin([0, 1]).all()


def test_a_response_is_known_after_its_time_and_missing_before(simulate, old):
    result = simulate(old)
    pills = result.treatments.query("code == 'ATC:A'")
    late = result.missing.query("code == 'ATC:A'")
    assert set(late["null_flavour"]) == {"NAV"}
    assert set(late["individual"]) == set(pills.loc[pills["response"].isna(), "individual"])
    assert pills.loc[pills["start_age"] >= 80, "response"].isna().all()
    course = result.missing.query("code == 'ATC:C'")
    assert set(course["null_flavour"]) == {"ASKU"}
    assert len(course) / (result.treatments["code"] == "ATC:C").sum() == pytest.approx(
        0.1, abs=0.015
    )


@pytest.mark.parametrize(("copies", "odds"), [(0, 1 / 9), (1, 4.5 / 9), (2, 4.5**2 / 9)])
def test_an_adverse_event_follows_the_odds_ratio_a_copy(simulate, old, make_carriers, copies, odds):
    carriers = make_carriers("DOSE1", old["id"] if copies else [], copies)
    result = simulate(old, carriers)
    mine = result.treatments.query("code == 'ATC:B' and start_age < 78")
    had = mine["adverse_event"].notna()
    # of those with an event about 5 % stopped before it
    assert had.mean() == pytest.approx(odds / (1 + odds), abs=0.06)
    assert (mine.loc[had, "end_age"] - mine.loc[had, "start_age"]).isin([0, 1]).all()
    noted = result.features.query("code == 'HP:0003198'")["individual"]
    everybody = result.treatments.dropna(subset=["adverse_event"])["individual"]
    assert sorted(noted) == sorted(everybody)


def test_records_of_a_country_do_not_depend_on_the_others(simulate, make_people):
    alone = simulate(make_people({"SE": 3000}))
    among = simulate(make_people({"AT": 500, "SE": 3000}))
    for name in ("exposures", "treatments", "missing", "diseases", "measurements"):
        both = [getattr(result, name) for result in (alone, among)]
        mine = both[1][both[1]["individual"].str.startswith("SE")].reset_index(drop=True)
        pd.testing.assert_frame_equal(both[0], mine)


# --- family history ----------------------------------------------------------------------------


def test_family_history_is_what_first_degree_relatives_have():
    people = pd.DataFrame(
        [
            ("GM", "female", None, None),
            ("F", "male", None, None),
            ("M", "female", "GF", "GM"),  # her father is not in the cohort
            ("S", "male", "F", "M"),
            ("D", "female", "F", "M"),
            ("H", "female", "F", "other"),  # a half-sister
        ],
        columns=["id", "sex", "father", "mother"],
    )
    diseases = pd.DataFrame(
        [(who, "ICD10:C50", "Cancer", "MONDO:1", "cancer", age) for who, age in
         (("GM", 70), ("M", 45), ("D", 30), ("H", 50))],
        columns=["individual", "code", "label", "mondo", "mondo_label", "age_of_onset"],
    )  # fmt: skip
    table = family_history(people, diseases)
    found = set(zip(table["individual"], table["relation_label"], table["relative"], strict=True))
    assert found == {
        ("GM", "daughter", "M"),
        ("F", "daughter", "D"),
        ("F", "daughter", "H"),
        ("M", "mother", "GM"),
        ("M", "daughter", "D"),
        ("S", "mother", "M"),
        ("S", "sister", "D"),
        ("D", "mother", "M"),
    }
    assert table["individual"].drop_duplicates().tolist() == ["GM", "F", "M", "S", "D"]
    assert table.query("individual == 'S' and relative == 'M'")["age_of_onset"].item() == 45


def test_nobody_without_relatives_has_a_family_history(simulate, old):
    founders = old.head(100).assign(father=None, mother=None)
    assert len(family_history(founders, simulate(founders).diseases)) == 0


# --- sequencing --------------------------------------------------------------------------------


@pytest.fixture
def sequenced(clinical, make_people):
    people = make_people({"FI": 3000, "SE": 3000}, birth_year=YEAR - 40)
    people.loc[:99, "birth_year"] = YEAR
    counts = pd.DataFrame({name: np.arange(len(people)) for name in COUNTS})
    return people, sequencing_tables(people, counts, clinical.sequencing, 1, YEAR)


def test_everybody_has_a_sample_a_run_and_an_analysis_that_name_each_other(sequenced):
    people, tables = sequenced
    for table in (tables.subjects, tables.biosamples, tables.runs, tables.analyses):
        assert table["individual"].tolist() == people["id"].tolist()
    assert tables.runs["biosample"].tolist() == tables.biosamples["id"].tolist()
    assert tables.analyses["run"].tolist() == tables.runs["id"].tolist()


def test_dates_follow_each_other_and_end_with_the_reference_year(sequenced):
    people, tables = sequenced
    born, taken = tables.subjects["birth_date"], tables.biosamples["collection_date"]
    assert (born.str[:4].astype(int) == people["birth_year"]).all()
    days = [born, taken, tables.runs["run_date"], tables.analyses["analysis_date"]]
    for earlier, later in pairwise(days):
        assert (earlier <= later).all()
    assert days[-1].max() <= f"{YEAR}-12-31"
    assert taken.min() >= f"{YEAR - 3}-12-30"
    years = pd.to_datetime(taken).dt.year - pd.to_datetime(born).dt.year
    before = taken.str[5:] < born.str[5:]
    assert (tables.biosamples["collection_age"] == years - before).all()


def test_read_figures_are_drawn_within_bounds_and_marked_simulated(sequenced):
    _, tables = sequenced
    runs = tables.runs
    assert set(runs["figures"]) == {"simulated"}
    assert runs["mean_autosome_coverage"].between(30, 50).all()
    assert (runs["pct_autosomes_15x"] <= 99.9).all()
    assert (runs["cross_contamination_rate"] >= 0).all()
    assert runs["yield_bp_q30"].dtype == np.int64
    assert np.corrcoef(runs["yield_bp_q30"], runs["mean_autosome_coverage"])[0, 1] > 0.8
    assert (runs["platform"] == "OBI:1").mean() == pytest.approx(0.9, abs=error(0.9, 6000))
    assert set(tables.analyses["figures"]) == {"computed"}


# --- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old_text", "new", "key", "expected"),
    [
        ("share: {20: 0.1, 60: 0.3}", "share: {20: 0.1, 60: 0.8}", "exposures.smoke.values",
         "add up to at most 1; more at 60 (male)"),
        ('- {code: "X:0", label: never}\n      - {code: "X:1", label: former, '
         "share: {20: 0.1, 60: 0.3}}\n", "", "exposures.smoke.values", "two values or more"),
        ("causes: {level: 0.5, smoke: 0.4}", "causes: {lower: 0.5}",
         "measurements.pressure.causes.lower", "expected one of level smoke"),
        ("causes: {pressure: 0.5, smoke: 0.3}", "causes: {pressure: 0.8, smoke: 0.5}",
         "diseases.heart", "to be at most 1, found 1.21"),
        ("for: [heart]", "for: [liver]", "treatments.pills.for.liver", "expected one of heart"),
        ("share: 0.75, dose", "share: 0.7, dose", "treatments.pills.drugs", "not 0.95"),
        ("risk: 0.1", "risk: 1", "treatments.pills.drugs[1].adverse_event.risk", "0 to 0.999"),
        ("{NASK: 0.75, UNK: 0.25}", "{NASK: 0.75, GONE: 0.25}", "missing[0].flavours.GONE",
         "an HL7 null flavour"),
        ("{NASK: 0.75, UNK: 0.25}", "{NASK: 0.75}", "missing[0].flavours", "add up to 1"),
        ("fields: [level]", "fields: [colour]", "missing[0].fields.colour", "expected one of"),
        ("fields: [level]", "fields: [lower]", "missing[1].fields", "lower stands in two rules"),
        ("    pct_reads_mapped: {mean: 99, sd: 0.1, decimals: 2}\n", "",
         "sequencing.read_figures", "expected the key pct_reads_mapped"),
        ('{DOSE1: "HGNC:1"}', "{DOSE1: 1}", "gene_identifiers.DOSE1", "text like"),
        ("LOINC:9-9", "LOINC:1-1", "LOINC:1-1", "expected one trait of this code"),
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
