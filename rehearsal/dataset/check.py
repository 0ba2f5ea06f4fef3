"""The command ``rehearsal check``: send a dataset's queries to a Beacon v2, judge its answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.evaluation.judgement import VERDICTS, first_names
from rehearsal.evaluation.known_answers import read_queries
from rehearsal.evaluation.partial_judge import (
    PartialJudgement,
    grouped_by_cause,
    judge_partial_answer,
)
from rehearsal.export.settings import POOLED
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.logs import Progress
from rehearsal.model import Answer, Query
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry, is_http_url
from rehearsal.node.access.consent import HEADER_NAME, read_purpose
from rehearsal.truth.expected_answers import ExpectedAnswer
from rehearsal.web.problem import Problem

COMMAND = "rehearsal check"

KnownAnswer = tuple[Query, Mapping[str, ExpectedAnswer]]


@dataclass(frozen=True, slots=True)
class BeaconTarget:
    """A Beacon to check, and how to query it."""

    url: str
    people_url: str | None = None  # base URL for people, if it is another one
    place: str | None = None  # the part of the dataset that it holds; None: all of it
    dataset: str | None = None  # identifier of the only dataset to query; None: all it has
    loaded: str = "everything"  # what can be queried: frequencies, genotypes or everything
    token_variable: str | None = None  # environment variable with a bearer token
    purpose: str | None = None  # DUO terms
    deadline_s: float = 60.0  # of each query


def check_command(target: BeaconTarget, truth: Path) -> int:
    """Send the queries, judge the answers and print a table.

    Args:
        target: The Beacon and how to query it.
        truth: The folder ``truth/`` of the dataset.

    Returns:
        The exit status: 0 when all that every answer gave was right, else 1.

    Raises:
        InputError: The queries cannot be sent, or the service gives no answer at all.
    """
    _check_urls(target)
    _check_purpose(target.purpose)
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


def _check_urls(target: BeaconTarget) -> None:
    for name, url in (("URL", target.url), ("--people-url", target.people_url)):
        if url is not None and not is_http_url(url):
            expected = "a URL http(s)://HOST/... without user, password and query"
            raise InputError(COMMAND, name, expected, shown(url))


def _check_purpose(text: str | None) -> None:
    try:
        read_purpose(text)
    except Problem:
        expected = f"a purpose as in the header {HEADER_NAME}, like DUO:0000006"
        raise InputError(COMMAND, "--purpose", expected, shown(text)) from None


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
    people_url = target.people_url.rstrip("/") if target.people_url else None
    node = NodeEntry(place, target.url.rstrip("/"), target.token_variable, people_url=people_url)
    clock = asyncio.get_running_loop().time
    answers = []
    progress = Progress(len(queries), "queries")
    async with NetworkClient([node]) as client:
        for query in queries:
            request = NodeRequest.of(query)
            if target.dataset is not None:
                request = replace(request, path=f"datasets/{target.dataset}/{request.path}")
            answers.append(await client.send(node, request, clock(), target.deadline_s))
            progress.step()
    return answers


def table(queries: Sequence[Query], judged: Sequence[PartialJudgement]) -> list[str]:
    """Show the judgements as a table.

    Args:
        queries: The queries.
        judged: The judgement of each query's answer, in the same order.

    Returns:
        Lines of text: a header, one line per query, what was wrong and what was missing, each with
        its queries, and the number of answers by verdict.
    """
    names = [query.id for query in queries]
    width = max(map(len, names))
    lines = [f"{'query':{width}}  {'':10}  {'judged on':11}  {'expected':24}  answered"]
    for name, one in zip(names, judged, strict=True):
        judgement = one.judgement
        word = "WRONG" if judgement.verdict == "wrong" else judgement.verdict
        cells = f"{name:{width}}  {word:10}  {one.judged_on or 'nothing':11}"
        lines.append(f"{cells}  {judgement.expected:24}  {judgement.observed}")
        if not judgement.equal:
            lines.append(f"{'':{width}}  {judgement.difference}")
    causes = grouped_by_cause(zip(names, (one.causes for one in judged), strict=True))
    lines += _group_lines("What is wrong:", causes)
    parts = [one.judgement.missing.split(", ") if one.judgement.missing else [] for one in judged]
    missing = grouped_by_cause(zip(names, parts, strict=True))
    lines += _group_lines("What it does not give, although it was asked for it:", missing)
    return [*lines, _total(judged)]


def _group_lines(title: str, groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if groups:
        yield title
    for text, names in groups.items():
        answers = "1 answer" if len(names) == 1 else f"{len(names)} answers"
        yield f"  {answers}: {text} [{first_names(names)}]"


def _total(judged: Sequence[PartialJudgement]) -> str:
    verdicts = Counter(one.judgement.verdict for one in judged)
    counts = ", ".join(f"{verdicts[one]} {one}" for one in VERDICTS if verdicts[one])
    bases = Counter(one.judged_on or "nothing" for one in judged)
    judged_on = ", ".join(f"{number} on {basis}" for basis, number in bases.items())
    return f"{counts} of {len(judged)}; judged {judged_on}"
