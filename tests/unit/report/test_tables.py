import pandas as pd

from rehearsal.report.tables import cohort_table, in_families, kind_table, node_table


def test_the_cohort_table_adds_up_to_the_people(tables):
    table = cohort_table(tables)
    assert table["people"].tolist() == [12] * 5
    assert (table["women"] + table["men"]).tolist() == [12] * 5
    assert table["in_families"].tolist() == [3] * 5
    assert table["born_from"].tolist() == [1950] * 5
    assert table["born_to"].tolist() == [1961] * 5
    assert table["alleles"].gt(0).all()


def test_a_country_without_people_is_listed_with_none(tables, people):
    object.__setattr__(tables, "people", people[people["country"] != "FI"])
    row = cohort_table(tables).set_index("code").loc["FI"]
    assert row["people"] == row["women"] == 0
    assert pd.isna(row["born_from"])


def test_alone_in_a_family_is_not_in_a_family():
    people = pd.DataFrame({"family": ["a", "a", "b", None, None]})
    assert in_families(people).tolist() == [True, True, False, False, False]


def test_the_node_table_counts_problems_by_query(tables, answers):
    wrong = (answers["node"] == "ES") & (answers["kind"] == "presence")
    answers.loc[wrong, "verdict"] = "wrong"
    table = node_table(tables).set_index("node")
    assert table["problems"].to_dict() == {"BE": 0, "ES": 2, "FI": 0, "PL": 0, "SI": 0}
    assert table.loc["FI", "rtt_ms"] == 38.5
    assert table["answers"].tolist() == [4] * 5
    assert table["refusals"].tolist() == [2] * 5  # of ill-formed queries
    assert (table["p50_ms"] <= table["p99_ms"]).all()


def test_no_distance_is_shown_for_a_node_of_others(tables):
    object.__setattr__(tables, "foreign", ["FI"])
    assert node_table(tables).set_index("node")["rtt_ms"].isna().to_dict() == {
        "BE": False, "ES": False, "FI": True, "PL": False, "SI": False
    }  # fmt: skip


def test_the_kind_table_ends_with_all_kinds(tables):
    table = kind_table(tables)
    assert table["kind"].tolist() == ["allele_frequency", "ill_formed", "presence", "all"]
    assert table["queries"].tolist() == [2, 2, 2, 6]
