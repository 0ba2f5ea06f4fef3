"""Pages over the entries of all nodes, node after node."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.network.client import NodeRequest
from rehearsal.network.paging import Page, cut, page_of, pages_for, windows, with_page

COUNTS = st.lists(st.integers(0, 50), max_size=8)


@settings(deadline=None)
@given(COUNTS, st.integers(0, 30), st.integers(1, 20))
def test_a_page_is_a_window_over_all_entries_in_a_row(counts, skip, limit):
    row = [(node, i) for node, count in enumerate(counts) for i in range(count)]
    page = Page(skip, limit)
    found = [(node, i) for node, w in enumerate(windows(counts, page)) for i in w]
    assert found == row[skip * limit : (skip + 1) * limit]


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 60), st.integers(0, 60))
def test_a_window_is_cut_out_of_the_nodes_own_pages(count, start, length):
    window = range(min(start, count), min(start + length, count))
    entries = list(range(count))
    pages = pages_for(window)
    assert len(pages) <= 2
    sent = [entry for page in pages for entry in entries[page.start : page.start + page.limit]]
    assert cut(sent, pages, window) == list(window)


def post(query) -> NodeRequest:
    return NodeRequest("individuals", "POST", {"query": query})


@pytest.mark.parametrize(
    ("request_", "page"),
    [
        (post({"pagination": {"skip": 2, "limit": 5}}), Page(2, 5)),
        (post({}), Page(0, 10)),
        (post(None), Page(0, 10)),
        (post({"pagination": None}), Page(0, 10)),
        (post({"pagination": {"limit": 0}}), Page(0, 1000)),
        (post({"pagination": {"limit": 5000}}), Page(0, 1000)),
        (NodeRequest("individuals", "GET", None, (("skip", "1"), ("limit", "3"))), Page(1, 3)),
        (NodeRequest("individuals"), Page(0, 10)),
        (post({"pagination": {"skip": -1}}), None),
        (post({"pagination": {"limit": True}}), None),
        (post({"pagination": [1]}), None),
        (NodeRequest("individuals", "GET", None, (("skip", "soon"),)), None),
    ],
)
def test_the_page_of_a_request(request_, page):
    assert page_of(request_) == page


def test_a_request_for_another_page_keeps_the_rest():
    asked = post({"filters": ["HP:1"], "pagination": {"skip": 3, "limit": 7}})
    other = with_page(asked, Page(1, 2))
    assert other.body == {"query": {"filters": ["HP:1"], "pagination": {"skip": 1, "limit": 2}}}
    assert asked.body["query"]["pagination"]["skip"] == 3
    got = NodeRequest("individuals", "GET", None, (("filters", "HP:1"), ("skip", "3")))
    assert with_page(got, Page(1, 2)).parameters == (
        ("filters", "HP:1"),
        ("skip", "1"),
        ("limit", "2"),
    )
