"""Compares an outcome with and without a treatment in strata of patients, by counts alone.

Keys: ``filters`` of all compared people, ``treated`` (filters of those with the treatment),
``outcome`` (filters of those with the outcome), ``without`` (planted variants that no compared
person carries), ``strata``: by a short name ``text``, ``filters`` and ``expected``, which is
``benefit`` (fewer outcomes with the treatment) or ``none``.

The nodes are asked for counts. The network's sums make a two-by-two table for each stratum. A
difference of shares has Newcombe's interval (score method, 1998) at 99.9 %. At the usual 95 %, one
run in twenty would show a difference where there is none.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.model import Query
from rehearsal.network.aggregate import count_of
from rehearsal.network.service_client import NetworkReply
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.beacon_queries import allele, comparison_queries
from rehearsal.stories.beacon_replies import summarise_beacon_reply
from rehearsal.stories.filter_reader import read_filters
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.reference_checks import RunReferences, check_keys
from rehearsal.stories.story_types import EVERY_COUNTRY, Check, Question, ReplySummary

KEYS = ("filters", "treated", "outcome", "without", "strata")
Z = 3.2905  # normal quantile for 99.9 %
AT_ONCE = 4  # concurrent queries


@dataclass(frozen=True, slots=True)
class Table:
    """People with and without a treatment, and those of each with the outcome."""

    treated: int
    treated_outcome: int
    others: int
    others_outcome: int

    def difference(self) -> tuple[float, float, float]:
        """Return the share with the outcome, treated minus others, with its interval."""
        low, high = wilson(self.treated_outcome, self.treated)
        other_low, other_high = wilson(self.others_outcome, self.others)
        with_it = self.treated_outcome / max(self.treated, 1)
        without = self.others_outcome / max(self.others, 1)
        estimate = with_it - without
        return (
            estimate,
            estimate - math.hypot(with_it - low, other_high - without),
            estimate + math.hypot(high - with_it, without - other_low),
        )

    def finding(self) -> str:
        """Return what the interval shows: ``benefit``, ``harm`` or ``none``."""
        _, low, high = self.difference()
        return "benefit" if high < 0 else "harm" if low > 0 else "none"


def wilson(with_it: int, among: int) -> tuple[float, float]:
    """Compute Wilson's score interval of a share. It is (0, 1) without people.

    Args:
        with_it: Number of people with the outcome.
        among: Number of people.
    """
    if among == 0:
        return 0.0, 1.0
    share, z = with_it / among, Z
    middle = share + z * z / (2 * among)
    half = z * math.sqrt(share * (1 - share) / among + z * z / (4 * among * among))
    scale = 1 + z * z / among
    return (middle - half) / scale, (middle + half) / scale


def read(question: Entry, keys: Mapping[str, Entry], references: RunReferences) -> dict[str, Any]:
    """Read the keys that only this type has.

    Args:
        question: The question, for errors.
        keys: Its own keys, by name.
        references: What stories may refer to.

    Returns:
        The parameters, as plain JSON values.

    Raises:
        InputError: The comparison cannot be made.
    """
    check_keys(question, keys, KEYS, required=("filters", "treated", "outcome", "strata"))
    without = keys["without"].items() if "without" in keys else []
    strata = {}
    for name, one in keys["strata"].children().items():
        part = one.fields(("text", "filters", "expected"))
        strata[str(name)] = {
            "text": part["text"].text(),
            "filters": read_filters(part["filters"], references),
            "expected": part["expected"].choice("benefit", "none"),
        }
    if not strata:
        raise keys["strata"].error("at least one stratum")
    return {
        **{key: read_filters(keys[key], references) for key in ("filters", "treated", "outcome")},
        "without": [allele(references.variant(item).variant) for item in without],
        "strata": strata,
    }


async def ask(question: Question, context: QueryContext) -> dict[str, tuple[Query, NetworkReply]]:
    """Ask every part, a few at a time.

    Args:
        question: The question.
        context: Connection to the network.
    """
    turn = asyncio.Semaphore(AT_ONCE)

    async def put(query: Query) -> tuple[Query, NetworkReply]:
        async with turn:
            return query, await context.ask(query)

    queries = comparison_queries(question)
    replies = await asyncio.gather(*map(put, queries.values()))
    return dict(zip(queries, replies, strict=True))


def tables(question: Question, counts: Mapping[str, int]) -> dict[str, Table]:
    """Build the table of each stratum.

    Args:
        question: The question.
        counts: Counts of the question's parts.
    """
    return {name: _table(name, counts) for name in question.parameters["strata"]}


def _table(stratum: str, counts: Mapping[str, int]) -> Table:
    def number(part: str) -> int:
        key = f"{stratum}/{part}"
        carriers = sum(n for name, n in counts.items() if name.startswith(f"{key}/"))
        return counts[key] - carriers

    treated, both = number("treated"), number("treated-outcome")
    return Table(treated, both, number("all") - treated, number("outcome") - both)


def _shown(table: Table) -> dict[str, Any]:
    estimate, low, high = table.difference()
    return {
        "treated": table.treated,
        "treated_outcome": table.treated_outcome,
        "others": table.others,
        "others_outcome": table.others_outcome,
        "difference": round(estimate, 4),
        "interval": [round(low, 4), round(high, 4)],
        "finding": table.finding(),
    }


def summarise(question: Question, replies: dict[str, tuple[Query, NetworkReply]]) -> ReplySummary:
    """Summarise the strata with their tables, and the counts of all parts by country.

    Args:
        question: The question.
        replies: Query and reply by part of the question.
    """
    query, first = next(iter(replies.values()))
    answers = {
        one.node: {
            "counts": {part: _count(reply, one.node) for part, (_, reply) in replies.items()}
        }
        for one in first.answers
        if one.state == "answered"
    }
    joined = {part: reply.aggregated.count for part, (_, reply) in replies.items()}
    compared = tables(question, joined)
    people = sum(table.treated + table.others for table in compared.values())
    home = f"The records of {people:,} people. Only counts left the countries."
    summary = summarise_beacon_reply(first, query, answers, home)
    summary.request["queries"] = len(replies)
    summary.joined["counts"] = joined
    summary.details["strata"] = {
        name: {"text": question.parameters["strata"][name]["text"], **_shown(table)}
        for name, table in compared.items()
    }
    return summary


def _count(reply: NetworkReply, node: str) -> int | None:
    return next((count_of(one) for one in reply.answers if one.node == node), None)


def judge(
    question: Question,
    expected: Mapping[str, Mapping[str, int]],
    replies: dict[str, tuple[Query, NetworkReply]],
    foreign: Collection[str] = (),
) -> list[Check]:
    """Check that all counts equal the truth, and that each stratum shows the expected effect.

    A node of somebody else may answer yes or no without counts. Then no effect is expected.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        replies: Query and reply by part of the question.
        foreign: Countries whose nodes someone else runs.
    """
    countries = sorted(next(iter(expected.values())))
    silent = _silent_countries(replies)
    without = _countries_without_counts(replies, foreign)
    due = _leave_out(without, expected)
    wrong = _wrong_counts(due, replies)
    pooled = {part: sum(counts.values()) for part, counts in due.items()}
    observed = {part: reply.aggregated.count for part, (_, reply) in replies.items()}
    left_out = set().union(*without.values())
    return [
        *Check.left_out(left_out),
        Check(
            f"{EVERY_COUNTRY} every query",
            f"{len(countries)} countries, {len(replies)} queries",
            silent or f"{len(countries)} countries, {len(replies)} queries",
            not silent,
        ),
        Check(
            "counts of a country that differ from the truth",
            {place: right for place, (right, _) in wrong.items()},
            {place: found for place, (_, found) in wrong.items()},
            not wrong,
        ),
        Check.equal("the counts of the network equal the truth", pooled, observed),
        *([] if left_out else _check_strata(question, observed)),
    ]


def _leave_out(
    without: Mapping[str, Collection[str]], expected: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    return {
        part: {code: count for code, count in counts.items() if code not in without[part]}
        for part, counts in expected.items()
    }


def _countries_without_counts(
    replies: Mapping[str, tuple[Query, NetworkReply]], foreign: Collection[str]
) -> dict[str, set[str]]:
    """Return the countries of foreign nodes that answered without a count, by part."""
    return {
        part: {
            one.node
            for one in reply.answers
            if one.node in foreign and one.state == "answered" and count_of(one) is None
        }
        for part, (_, reply) in replies.items()
    }


def _silent_countries(replies: Mapping[str, tuple[Query, NetworkReply]]) -> dict[str, str]:
    """Return the states of countries that did not answer, by part and country."""
    return {
        f"{part} {one.node}": one.state
        for part, (_, reply) in replies.items()
        for one in reply.answers
        if one.state != "answered"
    }


def _wrong_counts(
    expected: Mapping[str, Mapping[str, int]], replies: Mapping[str, tuple[Query, NetworkReply]]
) -> dict[str, tuple[int, int | None]]:
    """Return right and observed counts where they differ, by part and country."""
    return {
        f"{part} {country}": (right, _count(reply, country))
        for part, (_, reply) in replies.items()
        for country, right in expected[part].items()
        if _count(reply, country) != right
    }


def _check_strata(question: Question, counts: Mapping[str, int]) -> Iterator[Check]:
    for name, table in tables(question, counts).items():
        wanted, shown = question.parameters["strata"][name]["expected"], _shown(table)
        passed = shown["finding"] == wanted
        yield Check(f"{name}: effect of the treatment", wanted, shown, passed)
