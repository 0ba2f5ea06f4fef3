"""``rehearsal check``: asks any Beacon v2 a dataset's queries and judges what it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.errors import InputError
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
    """How a Beacon is asked. ``place`` None: it holds everybody of the dataset. ``loaded``: what
    it was given, so what it can be asked: ``frequencies``, ``genotypes`` or ``everything``."""

    url: str
    place: str | None = None
    dataset: str | None = None
    loaded: str = "everything"
    token_variable: str | None = None
    purpose: str | None = None


def check_command(target: BeaconTarget, truth: Path) -> int:
    """Ask, judge, print a table. 0: every answer was right; else 1.

    Raises InputError for what cannot be asked and for a service that does not answer at all.
    """
    if not is_http_url(target.url):
        raise InputError(COMMAND, "URL", f"http(s)://HOST/..., not {target.url!r}")
    queries = _chosen(target, read_queries(truth), truth)
    place = target.place or POOLED
    answers = asyncio.run(_ask(target, place, [query for query, _ in queries]))
    if all(answer.http_status is None for answer in answers):
        raise InputError(target.url, "URL", f"a Beacon that answers; {answers[0].reason}")
    verdicts = [
        judge_partial_answer(query, expected, place, answer)
        for (query, expected), answer in zip(queries, answers, strict=True)
    ]
    print("\n".join(table([query for query, _ in queries], verdicts)))
    return 0 if all(verdict.judgement.equal for verdict in verdicts) else 1


def _chosen(target: BeaconTarget, queries: Sequence[KnownAnswer], truth: Path) -> list[KnownAnswer]:
    places = list(dict.fromkeys(place for _, expected in queries for place in expected))
    if (target.place or POOLED) not in places:
        expected = f"one of {' '.join(places)}, not {target.place!r}"
        raise InputError(COMMAND, "--place", expected)
    chosen = [
        (replace(query, purpose=target.purpose), expected)
        for query, expected in queries
        if _can_be_asked(query, target.loaded)
    ]
    if not chosen:
        raise InputError(truth, "queries", f"some for {target.loaded}")
    return chosen


def _can_be_asked(query: Query, loaded: str) -> bool:
    if loaded == "frequencies":
        return query.entry_type == "g_variants"
    terms = {one["id"] for one in query.request["query"]["filters"]}
    return loaded == "everything" or terms <= set(SEX_TERMS.values())


async def _ask(target: BeaconTarget, place: str, queries: Sequence[Query]) -> list[Answer]:
    """One after the other: this is no test of load."""
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
