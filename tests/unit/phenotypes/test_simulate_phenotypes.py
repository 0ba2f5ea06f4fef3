"""The phenotypes of a cohort: as configured, repeatable, each country for itself."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits

N = 40_000
YEAR = 2026


@pytest.fixture
def simulate(traits, make_genetic_values, no_carriers):
    def run(people, carriers=no_carriers, genetic_values=None, seed=1, traits=traits):
        if genetic_values is None:
            genetic_values = make_genetic_values(traits, len(people))
        return simulate_phenotypes(people, genetic_values, carriers, traits, seed, YEAR)

    return run


def share_ill(result, code, people):
    return (result.diseases["code"] == code).sum() / len(people)


def error(risk, number=N):
    """Four standard errors of a share."""
    return 4 * np.sqrt(risk * (1 - risk) / number)


@pytest.mark.parametrize(
    ("sex", "age", "risk"),
    [
        ("female", 50, 0.05),
        ("female", 80, 0.10),
        ("male", 40, 0.05),
        ("male", 80, 0.30),
        ("male", 95, 0.30),
    ],
)
def test_prevalence_is_as_configured_by_sex_and_age(simulate, make_people, sex, age, risk):
    people = make_people({"FI": N}, sex=sex, birth_year=YEAR - age)
    assert share_ill(simulate(people), "ICD10:A00", people) == pytest.approx(risk, abs=error(risk))


def test_nobody_falls_ill_before_the_curve_starts_or_after_today(simulate, make_people):
    young = make_people({"FI": N}, sex="male", birth_year=YEAR - 20)
    assert share_ill(simulate(young), "ICD10:A00", young) == 0
    middle = make_people({"FI": N}, sex="male", birth_year=YEAR - 60)
    onset = simulate(middle).diseases.query("code == 'ICD10:A00'")["age_of_onset"]
    assert onset.between(20, 60).all()
    # risk 0.05 by age 40, out of 0.175 by age 60
    assert (onset < 40).mean() == pytest.approx(0.05 / 0.175, abs=error(0.29, len(onset)))


def test_a_sex_left_out_of_the_risk_never_falls_ill(simulate, make_people):
    people = make_people({"FI": 1000}, sex="male", birth_year=YEAR - 90)
    assert share_ill(simulate(people), "ICD10:B00", people) == 0


def test_liabilities_are_standard_normal_with_the_heritability_asked_for(
    simulate, make_people, traits
):
    people = make_people({"FI": N // 2, "ES": N // 2})
    truth = simulate(people).genetic_values.query("trait == 'common_disease'")
    assert truth["liability"].std() == pytest.approx(1, abs=0.02)
    share = np.corrcoef(truth["genetic_value"], truth["liability"])[0, 1] ** 2
    assert share == pytest.approx(0.4, abs=0.02)


def test_a_measured_value_has_the_mean_sd_and_heritability_asked_for(simulate, make_people):
    people = make_people({"FI": N}, birth_year=YEAR - 25)
    result = simulate(people)
    value = result.measurements.query("code == 'LOINC:1-1'")["value"].to_numpy()
    genetic = result.genetic_values.query("trait == 'level'")["genetic_value"].to_numpy()
    assert value.mean() == pytest.approx(3.0, abs=0.01)
    assert value.std() == pytest.approx(0.5, abs=0.01)
    assert np.corrcoef(genetic, value)[0, 1] ** 2 == pytest.approx(0.6, abs=0.02)


def test_a_lognormal_value_is_positive_with_the_mean_and_sd_asked_for(simulate, make_people):
    value = simulate(make_people({"FI": N})).measurements.query("code == 'LOINC:2-2'")["value"]
    assert value.min() > 0
    assert value.mean() == pytest.approx(100, abs=0.5)
    assert value.std() == pytest.approx(20, abs=0.5)
    assert value.skew() > 0.3


def test_a_derived_value_follows_from_the_others_of_the_same_person(simulate, make_people):
    table = simulate(make_people({"FI": 100})).measurements
    wide = table.pivot(index="individual", columns="code", values="value")
    expected = (wide["LOINC:2-2"] ** 2 * 1e-4).round(2)
    np.testing.assert_allclose(wide["LOINC:3-3"], expected, atol=0.011)


def test_a_measurement_is_a_cause_of_disease(simulate, make_people):
    people = make_people({"FI": N}, sex="male", birth_year=YEAR - 80)
    result = simulate(people)
    value = result.measurements.query("code == 'LOINC:1-1'").set_index("individual")["value"]
    liability = result.genetic_values.query("trait == 'common_disease'").set_index("individual")
    assert np.corrcoef(value, liability["liability"])[0, 1] == pytest.approx(0.3, abs=0.02)
    ill = value.index.isin(result.diseases.query("code == 'ICD10:A00'")["individual"])
    assert value[ill].mean() > value[~ill].mean() + 0.1


def test_the_most_liable_fall_ill_first(simulate, make_people):
    result = simulate(make_people({"FI": 5000}, sex="male", birth_year=YEAR - 80))
    liability = result.genetic_values.query("trait == 'common_disease'").set_index("individual")
    ill = result.diseases.query("code == 'ICD10:A00'")
    by_liability = ill.assign(liability=liability["liability"][ill["individual"]].to_numpy())
    by_liability = by_liability.sort_values("liability", ascending=False)
    assert by_liability["age_of_onset"].is_monotonic_increasing


@pytest.mark.parametrize(("age", "risk"), [(50, 0.40), (80, 0.72)])
def test_dominant_carriers_fall_ill_by_the_penetrance_of_their_age(
    simulate, make_people, make_carriers, age, risk
):
    people = make_people({"FI": N}, birth_year=YEAR - age)
    result = simulate(people, make_carriers("DOM1", people["id"]))
    assert share_ill(result, "ICD10:B00", people) == pytest.approx(risk, abs=error(risk))


def test_brca1_carriers_of_the_shipped_file_reach_72_percent_at_80(
    shipped, make_people, make_carriers, make_genetic_values
):
    women = make_people({"FI": N}, birth_year=YEAR - 80)
    genetic = make_genetic_values(shipped, N)
    for gene, risk in (("BRCA1", 0.72), ("BRCA2", 0.69), ("PHGDH", 0.12)):  # one copy of PHGDH
        carriers = make_carriers(gene, women["id"])
        result = simulate_phenotypes(women, genetic, carriers, shipped, 1, YEAR)
        assert share_ill(result, "ICD10:C50", women) == pytest.approx(risk, abs=error(risk))
        assert share_ill(result, "ICD10:E72.8", women) == 0


def test_polygenic_and_monogenic_causes_act_together(
    shipped, make_people, make_carriers, make_genetic_values
):
    women = make_people({"FI": N}, birth_year=YEAR - 60)
    carriers = make_carriers("BRCA1", women["id"])
    result = simulate_phenotypes(women, make_genetic_values(shipped, N), carriers, shipped, 1, YEAR)
    genetic = result.genetic_values.query("trait == 'breast_cancer'")
    ill = genetic["individual"].isin(result.diseases.query("code == 'ICD10:C50'")["individual"])
    assert genetic["genetic_value"][ill].mean() > genetic["genetic_value"][~ill].mean() + 0.5


@pytest.mark.parametrize(
    ("sex", "copies", "ill"),
    [("female", 1, False), ("female", 2, True), ("male", 1, True)],
)
def test_recessive_and_x_linked_genes_need_their_copies(
    simulate, make_people, make_carriers, sex, copies, ill
):
    people = make_people({"FI": 500}, sex=sex, birth_year=YEAR - 5)
    result = simulate(people, make_carriers("REC1", people["id"], copies))
    assert (share_ill(result, "ICD10:B00", people) > 0.9) == ill


def test_two_variants_of_one_gene_count_as_two_copies(simulate, make_people, make_carriers):
    people = make_people({"FI": 50}, birth_year=YEAR - 5)
    both = pd.concat([make_carriers("REC1", people["id"]), make_carriers("REC1", people["id"])])
    assert share_ill(simulate(people, both), "ICD10:B00", people) > 0.9


def test_carriers_change_nobody_else(simulate, make_people, make_carriers):
    people = make_people({"FI": 3000})
    without = simulate(people).diseases
    carrier = people["id"][7]
    within = simulate(people, make_carriers("DOM1", [carrier])).diseases
    pd.testing.assert_frame_equal(
        without[without["individual"] != carrier].reset_index(drop=True),
        within[within["individual"] != carrier].reset_index(drop=True),
    )


def test_features_follow_values_and_diseases(simulate, make_people):
    result = simulate(make_people({"FI": 4000}, sex="male", birth_year=YEAR - 80))
    high = result.measurements.query("code == 'LOINC:1-1' and value >= 4.0")["individual"]
    noted = result.features.query("code == 'HP:0000001'")
    assert 0 < len(high) < 4000
    assert noted["individual"].tolist() == high.tolist()
    assert (noted["age_of_onset"] == 80).all()
    ill = result.diseases.query("code == 'ICD10:A00'")
    signs = result.features.query("code == 'HP:0000002'")
    assert signs["individual"].tolist() == ill["individual"].tolist()
    assert signs["age_of_onset"].tolist() == ill["age_of_onset"].tolist()


def test_a_term_of_two_diseases_is_noted_once_from_its_first_year(
    tmp_path, small_text, make_people, make_genetic_values, make_carriers
):
    path = tmp_path / "shared.yaml"
    sign = '    features:\n      - {code: "HP:0000002", label: Sign}\n'
    path.write_text(small_text + sign)
    traits = read_traits(path)
    people = make_people({"FI": 2000})
    carriers = make_carriers("DOM1", people["id"])
    result = simulate_phenotypes(
        people, make_genetic_values(traits, 2000), carriers, traits, 1, YEAR
    )
    both = result.diseases.groupby("individual")["age_of_onset"].agg(["min", "size"])
    assert (both["size"] == 2).any()
    noted = result.features.query("code == 'HP:0000002'").set_index("individual")["age_of_onset"]
    assert noted.index.is_unique
    assert noted.to_dict() == both["min"].to_dict()


def test_the_same_seed_gives_the_same_bytes(simulate, make_people, tmp_path):
    people = make_people({"FI": 300, "ES": 300})
    for name in ("first", "second"):
        result = simulate(people)
        for table in ("diseases", "measurements", "features", "genetic_values", "effects"):
            getattr(result, table).to_parquet(tmp_path / f"{table}.{name}")
    for table in ("diseases", "measurements", "features", "genetic_values", "effects"):
        first, second = (
            (tmp_path / f"{table}.{name}").read_bytes() for name in ("first", "second")
        )
        assert first == second
    other = simulate(people, seed=2).measurements["value"]
    assert not other.equals(simulate(people).measurements["value"])


def widths(result):
    """Width has no genetic part, so its values are noise and nothing is standardised."""
    return result.measurements.query("code == 'LOINC:2-2'").set_index("individual")["value"]


def test_adding_countries_and_people_leaves_the_noise_of_others(simulate, make_people):
    alone = widths(simulate(make_people({"ES": 50})))
    among = widths(simulate(make_people({"AT": 20, "ES": 51, "FI": 30})))
    assert among[alone.index].tolist() == alone.tolist()


def test_leaving_out_a_trait_leaves_the_noise_of_others(simulate, make_people, traits):
    fewer = dataclasses.replace(traits, measurements=traits.measurements[1:], diseases=())
    people = make_people({"ES": 50})
    assert widths(simulate(people, traits=fewer)).equals(widths(simulate(people)))


def test_countries_draw_different_noise(simulate, make_people):
    width = simulate(make_people({"ES": 50, "FI": 50})).measurements.query("code == 'LOINC:2-2'")
    assert set(width["value"][:25]) != set(width["value"][50:75])


def test_tables_have_the_columns_and_types_of_the_file_contract(simulate, make_people):
    result = simulate(make_people({"FI": 500}, sex="male", birth_year=YEAR - 80))
    kinds = {
        "diseases": ["str"] * 5 + ["int16"],
        "measurements": ["str", "str", "str", "float64", "str", "int16"],
        "features": ["str", "str", "str", "int16"],
        "exposures": ["str"] * 5 + ["int16"],
        "treatments": ["str"] * 3 + ["float64", "Int16", "int16", "Int16"] + ["str"] * 8,
        "missing": ["str"] * 5,
        "effects": ["str", "str", "int64", "str", "str", *["float64"] * 3, "str"],
        "genetic_values": ["str", "str", "float64", "float64", "float64"],
        "untreated_values": ["str", "str", "str", "float64", "float64", "str"],
    }
    columns = {
        "diseases": "individual code label mondo mondo_label age_of_onset",
        "measurements": "individual code label value unit age",
        "features": "individual code label age_of_onset",
        "exposures": "individual code label value value_label age",
        "treatments": "individual code label dose_mg doses_per_day start_age end_age "
        "start_date end_date indication indication_label response response_label "
        "adverse_event adverse_event_label",
        "missing": "individual table code label null_flavour",
        "effects": "trait contig start ref alt effect frequency effect_in_unit unit",
        "genetic_values": "individual trait genetic_value background liability",
        "untreated_values": "individual code label untreated measured unit",
    }
    for name, expected in kinds.items():
        table = getattr(result, name)
        assert " ".join(table.columns) == columns[name]
        assert [str(kind) for kind in table.dtypes] == expected
    measured = result.genetic_values["trait"].isin(["level", "width"])
    assert result.genetic_values["liability"].isna().equals(measured)


def test_rows_come_in_the_order_of_the_people(simulate, make_people):
    people = make_people({"SE": 40, "AT": 40})
    table = simulate(people).measurements
    assert table["individual"].drop_duplicates().tolist() == people["id"].tolist()


def test_empty_tables_keep_their_types(simulate, make_people):
    result = simulate(make_people({"FI": 5}, birth_year=YEAR))
    assert len(result.diseases) == 0
    assert [str(kind) for kind in result.diseases.dtypes] == ["str"] * 5 + ["int16"]


def test_people_who_cannot_be_are_refused(simulate, make_people, make_carriers):
    with pytest.raises(InputError, match="people: sex: expected female or male, found 'other'"):
        simulate(make_people({"FI": 3}, sex="other"))
    with pytest.raises(InputError, match="people: birth_year: expected a year up to 2026"):
        simulate(make_people({"FI": 3}, birth_year=2027))
    with pytest.raises(InputError, match=r"damaged genes: individual: .*XX-1"):
        simulate(make_people({"FI": 3}), make_carriers("DOM1", ["XX-1"]))


def test_as_many_genetic_values_as_people(simulate, make_people, make_genetic_values, traits):
    with pytest.raises(ValueError, match=r"genetic values: expected 3, .*, found 4"):
        simulate(make_people({"FI": 3}), genetic_values=make_genetic_values(traits, 4))


@pytest.fixture
def with_hazard_ratio(tmp_path, small_text):
    """The same disease, whose polygenic part is configured by a hazard ratio."""
    path = tmp_path / "ratio.yaml"
    path.write_text(small_text.replace("heritability: 0.4", "hazard_ratio_per_sd: 1.71"))
    return read_traits(path)


def test_a_hazard_ratio_is_what_a_cox_model_finds_at_the_configured_risk(
    simulate, make_people, with_hazard_ratio
):
    lifelines = pytest.importorskip("lifelines")
    people = make_people({"FI": N}, sex="male", birth_year=YEAR - 80)
    result = simulate(people, traits=with_hazard_ratio)
    assert share_ill(result, "ICD10:A00", people) == pytest.approx(0.3, abs=error(0.3))
    truth = result.genetic_values.query("trait == 'common_disease'").set_index("individual")
    assert truth["liability"].std() == pytest.approx(1, abs=0.02)
    onset = result.diseases.query("code == 'ICD10:A00'").set_index("individual")["age_of_onset"]
    table = pd.DataFrame({"score": truth["genetic_value"]})
    table["ill"] = table.index.isin(onset.index)
    table["years"] = onset.reindex(table.index).fillna(80).astype(float)
    fitted = lifelines.CoxPHFitter().fit(table, "years", "ill")
    low, high = np.exp(fitted.confidence_intervals_.loc["score"])
    assert low < 1.71 < high
    assert high / low < 1.1  # with 12,000 cases that is narrow


def test_other_causes_act_beside_a_hazard_ratio(simulate, make_people, with_hazard_ratio):
    people = make_people({"FI": N})
    result = simulate(people, traits=with_hazard_ratio)
    truth = result.genetic_values.set_index(["trait", "individual"])
    level = result.measurements.query("code == 'LOINC:1-1'")["value"].to_numpy()
    liability = truth.loc["common_disease", "liability"].to_numpy()
    own = truth.loc["common_disease", "genetic_value"].to_numpy()
    assert np.corrcoef(level, liability)[0, 1] == pytest.approx(0.26, abs=0.05)
    assert np.corrcoef(own, liability)[0, 1] > 0.3
