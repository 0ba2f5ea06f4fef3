"""Which queries load tests ask."""

from rehearsal.loadtest.query_selection import select_evenly, select_kinds_in_turn
from rehearsal.model import Query


def made_suite() -> list[Query]:
    kinds = ["count", "count", "gene", "ill_formed", "range"]
    suite = [Query(f"{kind}-{n}", kind, "g_variants", {}) for n, kind in enumerate(kinds)]
    return [*suite, Query("public", "absent", "g_variants", {}, tier="public")]


def test_queries_come_kinds_by_turns_and_are_well_formed():
    names = [query.id for query in select_kinds_in_turn(made_suite(), 4)]
    assert names == ["count-0", "gene-2", "range-4", "count-1"]


def test_queries_are_taken_evenly_from_all_that_have_a_right_answer():
    assert [query.id for query in select_evenly(made_suite(), 2)] == ["count-0", "gene-2"]
    assert len(select_evenly(made_suite(), 99)) == 4
