from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.realism.rows import informative_row, judged_row, read_rows, row_table, write_rows

WORDS = {"source": "a paper", "sample": "ten people"}


def test_the_ends_of_a_range_are_inside():
    for value, passed in ((1.9, True), (2.2, True), (2.3, False), (1.8, False)):
        assert judged_row("r", value, 1.9, 2.2, **WORDS).passed is passed
    assert judged_row("r", 0.99, 0.98, None, **WORDS).expected == "at least 0.98"
    assert judged_row("r", 0.03, None, 0.02, **WORDS).passed is False


@settings(deadline=None)  # other work on the machine must not fail the test
@given(st.sampled_from([float("nan"), float("inf"), -float("inf")]))
def test_an_unmeasured_value_is_not_judged(value):
    row = judged_row("r", value, 0, 1, **WORDS)
    assert (row.measured, row.judged, row.passed) == (None, False, None)
    assert row.note == "could not be measured"


def test_a_table_keeps_missing_values_and_truth(tmp_path):
    rows = [
        judged_row("one", 0.5, 0, 1, **WORDS),
        judged_row("two", 0.5, 0, 1, needs="needs more", **WORDS),
        informative_row("three", 0.5, "no more", note="why", **WORDS),
    ]
    assert list(row_table(rows)["passed"]) == [True, None, None]
    write_rows(row_table(rows), tmp_path / "rows.tsv")
    assert read_rows(tmp_path / "rows.tsv") == row_table(rows).to_dict("records")
