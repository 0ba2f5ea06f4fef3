"""Family history is what first-degree relatives have."""

import pandas as pd

from rehearsal.phenotypes.family_history import family_history


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
