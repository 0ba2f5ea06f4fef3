"""Records that need several pages of the network, joined as if they had come at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil

from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, add_frequencies, count_of, result_sets
from rehearsal.network.service_client import NetworkReply
from rehearsal.stories.query_context import QueryContext
from rehearsal.web.openapi import Body

# entries of each node on a page that also passes on each node's whole answer: a record with its
# carriers takes about 7 kB, and an answer of 64 MB is rejected
FEW = 50
MOST_PAGES = 100  # the judge reports records that are missing beyond these


async def ask_for_all(query: Query, context: QueryContext) -> NetworkReply:
    """Ask the network for all pages of its answer.

    A page of the network has a page of each node. An entry that two datasets of a node have comes
    from both. A node that does not answer for one page has not answered.

    Args:
        query: The query.
        context: Connection to the network.
    """
    first = await context.ask(_at(query, 0, FEW))
    count = max((count_of(one) or 0 for one in first.answers), default=0)
    if count <= FEW or not first.aggregated.records:
        return first
    limit = query.request["query"]["pagination"]["limit"]
    numbers = range(min(ceil(count / limit), MOST_PAGES))
    pages = [await context.ask(_at(query, number, limit), trace=False) for number in numbers]
    return _together(first, pages)


def _at(query: Query, number: int, limit: int) -> Query:
    asked = query.request["query"] | {"pagination": {"skip": number, "limit": limit}}
    return replace(query, request=query.request | {"query": asked})


def _together(first: NetworkReply, pages: Sequence[NetworkReply]) -> NetworkReply:
    came: dict[str, list[Body]] = {}
    for page in pages:
        for node, record in page.aggregated.records:
            came.setdefault(node, []).append(record)
    missing = {one.node: one for page in pages for one in page.answers if one.state != "answered"}
    answers = tuple(
        missing.get(one.node) or _with_records(one, came.get(one.node, [])) for one in first.answers
    )
    joined = _joined(first.aggregated, [one.aggregated for one in pages], came)
    return replace(first, answers=answers, aggregated=joined)


def _joined(
    first: NetworkAnswer, pages: Sequence[NetworkAnswer], came: Mapping[str, list[Body]]
) -> NetworkAnswer:
    """Join pages. ``came`` holds the records of all pages by node."""
    whole = [
        Answer(first.query, node, "answered", 200, _of_one_set(records), 0.0, 0)
        for node, records in came.items()
    ]
    frequencies, unusable = add_frequencies(whole)
    states, reasons = dict(first.states), first.reasons | unusable
    for page in pages:
        states |= {node: state for node, state in page.states.items() if state != "answered"}
        reasons |= page.reasons
    return replace(
        first,
        states=states,
        reasons=reasons,
        frequencies=frequencies,
        records=tuple((node, record) for node, records in came.items() for record in records),
        latency_s=first.latency_s + sum(page.latency_s for page in pages),
        size_bytes=first.size_bytes + sum(page.size_bytes for page in pages),
    )


def _of_one_set(records: list[Body]) -> Body:
    return {"response": {"resultSets": [{"id": "", "results": records}]}}


def _with_records(answer: Answer, records: list[Body]) -> Answer:
    """Put all records of a node into its own answer, which has one page.

    They go into its first result set, because a page of the network does not name their result
    sets.
    """
    sets = result_sets(answer)
    if not sets or answer.body is None:
        return answer
    emptied = [one | {"results": []} for one in sets]
    emptied[0] |= {"results": records}
    response = answer.body["response"] | {"resultSets": emptied}
    return replace(answer, body=answer.body | {"response": response})
