"""The command ``rehearsal check``: send a dataset's queries to a Beacon v2, judge its answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.evaluation.known_answers import read_queries
from rehearsal.evaluation.partial_judge import PartialJudgement, judge_partial_answer
from rehearsal.export.settings import POOLED
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.model import Answer, Query
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry, is_http_url
from rehearsal.truth.expected_answers import ExpectedAnswer

COMMAND = "rehearsal check"
TIMEOUT_S = 60.0

KnownAnswer = tuple[Query, Mapping[str, ExpectedAnswer]]


@dataclass(frozen=True, slots=True)
class BeaconTarget:
    """A Beacon to check, and how to query it."""

    url: str
    place: str | None = None  # the part of the dataset that it holds; None: all of it
    dataset: str | None = None  # identifier of the only dataset to query; None: all it has
    loaded: str = "everything"  # what can be queried: frequencies, genotypes or everything
    token_variable: str | None = None  # environment variable with a bearer token
    purpose: str | None = None  # DUO terms


def check_command(target: BeaconTarget, truth: Path) -> int:
    """Send the queries, judge the answers and print a table.

    Args:
        target: The Beacon and how to query it.
        truth: The folder ``truth/`` of the dataset.

    Returns:
        The exit status: 0 when every answer was right, else 1.

    Raises:
        InputError: The queries cannot be sent, or the service gives no answer at all.
    """
    if not is_http_url(target.url):
        expected = "a URL http(s)://HOST/... without user, password and query"
        raise InputError(COMMAND, "URL", expected, shown(target.url))
    queries = _chosen(target, read_queries(truth), truth)
    place = target.place or POOLED
    answers = asyncio.run(_ask(target, place, [query for query, _ in queries]))
    if all(answer.http_status is None for answer in answers):
        found = f"no answer from {target.url} ({answers[0].reason})"
        raise InputError(COMMAND, "URL", "a Beacon that answers", found)
    verdicts = [
        judge_partial_answer(query, expected, place, answer)
        for (query, expected), answer in zip(queries, answers, strict=True)
    ]
    print("\n".join(table([query for query, _ in queries], verdicts)))
    return 0 if all(verdict.judgement.equal for verdict in verdicts) else 1


def _chosen(target: BeaconTarget, queries: Sequence[KnownAnswer], truth: Path) -> list[KnownAnswer]:
    places = list(dict.fromkeys(place for _, expected in queries for place in expected))
    if (target.place or POOLED) not in places:
        found = "nothing" if target.place is None else shown(target.place)
        raise InputError(COMMAND, "--place", f"one of {', '.join(places)}", found)
    chosen = [
        (replace(query, purpose=target.purpose), expected)
        for query, expected in queries
        if _can_be_asked(query, target.loaded)
    ]
    if not chosen:
        raise InputError(truth, "queries", f"queries for --loaded {target.loaded}", "none")
    return chosen


def _can_be_asked(query: Query, loaded: str) -> bool:
    if loaded == "frequencies":
        return query.entry_type == "g_variants"
    terms = {one["id"] for one in query.request["query"]["filters"]}
    return loaded == "everything" or terms <= set(SEX_TERMS.values())


async def _ask(target: BeaconTarget, place: str, queries: Sequence[Query]) -> list[Answer]:
    """Send the queries one after another, which puts no load on the Beacon."""
    node = NodeEntry(place, target.url.rstrip("/"), target.token_variable)
    clock = asyncio.get_running_loop().time
    answers = []
    async with NetworkClient([node]) as client:
        for query in queries:
            request = NodeRequest.of(query)
            if target.dataset is not None:
                request = replace(request, path=f"datasets/{target.dataset}/{request.path}")
            answers.append(await client.send(node, request, clock(), TIMEOUT_S))
    return answers


def table(queries: Sequence[Query], verdicts: Sequence[PartialJudgement]) -> list[str]:
    """Show the judgements as a table.

    Args:
        queries: The queries.
        verdicts: The judgement of each query's answer, in the same order.

    Returns:
        Lines of text: a header, one line per query, and the number of right answers.
    """
    width = max(len(query.id) for query in queries)
    lines = [f"{'query':{width}}  {'':5}  {'judged on':11}  {'expected':24}  answered"]
    for query, verdict in zip(queries, verdicts, strict=True):
        judged = verdict.judgement
        word = "right" if judged.equal else "WRONG"
        basis = verdict.judged_on or "nothing"
        cells = f"{query.id:{width}}  {word}  {basis:11}  {judged.expected:24}"
        lines.append(f"{cells}  {judged.observed}")
        if not judged.equal:
            lines.append(f"{'':{width}}  {judged.difference}")
    wrong = sum(not verdict.judgement.equal for verdict in verdicts)
    bases = Counter(verdict.judged_on or "nothing" for verdict in verdicts)
    judged_on = ", ".join(f"{number} on {basis}" for basis, number in bases.items())
    lines.append(f"{len(queries) - wrong} of {len(queries)} right; judged {judged_on}")
    return lines
