"""What is not on record has a null flavour."""

import pytest

from .clinical_traits import N, error, wide


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
