"""Exposures have their shares, and act as causes."""

import pandas as pd
import pytest

from .clinical_traits import YEAR, N, error, wide


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
