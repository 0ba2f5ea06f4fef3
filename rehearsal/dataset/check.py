"""``rehearsal check``: asks any Beacon v2 a dataset's queries and judges what it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.evaluation.known_answers import POOLED, read_queries
from rehearsal.evaluation.partial_judge import PartialJudgement, judge_partial_answer
from rehearsal.evaluation.suite import SEX_TERMS
from rehearsal.model import Answer, InputError, Query
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry, is_http_url
from rehearsal.truth.expected_answers import ExpectedAnswer

COMMAND = "rehearsal check"
PATIENCE_S = 60.0

Asked = tuple[Query, Mapping[str, ExpectedAnswer]]


@dataclass(frozen=True, slots=True)
class Asking:
    """How a Beacon is asked. ``place`` None: it holds everybody of the dataset. ``loaded``: what
    it was given, so what it can be asked: ``frequencies``, ``genotypes`` or ``everything``."""

    url: str
    place: str | None = None
    dataset: str | None = None
    loaded: str = "everything"
    token_variable: str | None = None
    purpose: str | None = None


def check_command(asking: Asking, truth: Path) -> int:
    """Ask, judge, print a table. 0: every answer was right; else 1.

    Raises InputError for what cannot be asked and for a service that does not answer at all.
    """
    if not is_http_url(asking.url):
        raise InputError(COMMAND, "URL", f"http(s)://HOST/..., not {asking.url!r}")
    queries = _chosen(asking, read_queries(truth), truth)
    place = asking.place or POOLED
    answers = asyncio.run(_ask(asking, place, [query for query, _ in queries]))
    if all(answer.http_status is None for answer in answers):
        raise InputError(asking.url, "URL", f"a Beacon that answers; {answers[0].reason}")
    verdicts = [
        judge_partial_answer(query, expected, place, answer)
        for (query, expected), answer in zip(queries, answers, strict=True)
    ]
    print("\n".join(table([query for query, _ in queries], verdicts)))
    return 0 if all(verdict.judgement.equal for verdict in verdicts) else 1


def _chosen(asking: Asking, queries: Sequence[Asked], truth: Path) -> list[Asked]:
    places = list(dict.fromkeys(place for _, expected in queries for place in expected))
    if (asking.place or POOLED) not in places:
        expected = f"one of {' '.join(places)}, not {asking.place!r}"
        raise InputError(COMMAND, "--place", expected)
    chosen = [
        (replace(query, purpose=asking.purpose), expected)
        for query, expected in queries
        if _can_be_asked(query, asking.loaded)
    ]
    if not chosen:
        raise InputError(truth, "queries", f"some for {asking.loaded}")
    return chosen


def _can_be_asked(query: Query, loaded: str) -> bool:
    if loaded == "frequencies":
        return query.entry_type == "g_variants"
    terms = {one["id"] for one in query.request["query"]["filters"]}
    return loaded == "everything" or terms <= set(SEX_TERMS.values())


async def _ask(asking: Asking, place: str, queries: Sequence[Query]) -> list[Answer]:
    """One after the other: this is no test of load."""
    node = NodeEntry(place, asking.url.rstrip("/"), asking.token_variable)
    clock = asyncio.get_running_loop().time
    answers = []
    async with NetworkClient([node]) as client:
        for query in queries:
            request = NodeRequest.of(query)
            if asking.dataset is not None:
                request = replace(request, path=f"datasets/{asking.dataset}/{request.path}")
            answers.append(await client.put(node, request, clock(), PATIENCE_S))
    return answers


def table(queries: Sequence[Query], verdicts: Sequence[PartialJudgement]) -> list[str]:
    """A line a query, then what was judged and how much of it was right."""
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
