"""Judges the network's reply to a query: each node's answer and the aggregated answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rehearsal.evaluation.answer_table import Row, judgement_columns, network_row, node_row
from rehearsal.evaluation.exact_judge import judge_answer
from rehearsal.evaluation.judgement import Judgement
from rehearsal.evaluation.network_judge import judge_network_answer
from rehearsal.evaluation.partial_judge import given_granularity, with_granularity
from rehearsal.evaluation.protected_judge import (
    PROTECTED,
    is_answerable,
    judge_protected_answer,
    judge_protected_network_answer,
)
from rehearsal.model import Answer, Granularity, Query
from rehearsal.network.aggregate import NetworkAnswer
from rehearsal.network.service_client import NetworkReply
from rehearsal.truth.expected_answers import ExpectedAnswer


def judge_reply(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
    repeat: int,
) -> list[Row]:
    """Judge one reply and build its rows: one per node, and one of the network.

    Args:
        query: The query.
        expected: Right answers by country.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
        repeat: Number of the repeat, from 0.

    Raises:
        KeyError: A node's country has no right answer.
    """
    judge = _judge_exact_reply if query.tier == "controlled" else _judge_protected_reply
    return judge(query, expected, reply, foreign, repeat)


@dataclass(frozen=True, slots=True)
class _JudgedAnswer:
    """A node's answer, its judgement, and the granularity it was judged on."""

    answer: Answer
    judgement: Judgement
    judged_on: Granularity


def _judge_exact_reply(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
    repeat: int,
) -> list[Row]:
    judged = [
        _judge_node(query, expected[answer.node], answer, answer.node in foreign)
        for answer in reply.answers
    ]
    rows = []
    for one in judged:
        judged_on = "" if expected[one.answer.node].refused else one.judged_on
        row = node_row(query, one.answer, repeat) | judgement_columns(one.judgement, judged_on)
        rows.append(row | {"reason": one.judgement.difference or one.answer.reason})
    coarse = [one for one in judged if one.judged_on != query.granularity]
    judgement = _judge_aggregated(query, expected, reply.aggregated, coarse)
    judged_on = query.granularity if rows[0]["judged_on"] else ""
    row = network_row(query, reply.aggregated, repeat) | judgement_columns(judgement, judged_on)
    without = ", ".join(f"{one.answer.node} on {one.judged_on} only" for one in coarse)
    return [*rows, row | {"reason": judgement.difference or without}]


def _judge_node(
    query: Query, expected: ExpectedAnswer, answer: Answer, is_foreign: bool
) -> _JudgedAnswer:
    """Judge a node. A foreign node may give less than asked for and refuse with any HTTP 4xx."""
    judged_on = given_granularity(query, answer) if is_foreign else query.granularity
    judgement = judge_answer(with_granularity(query, judged_on), expected, answer)
    if is_foreign and expected.refused and answer.state == "refused":
        judgement = Judgement(True, judgement.expected, judgement.observed)
    return _JudgedAnswer(answer, judgement, judged_on)


def _judge_aggregated(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    aggregated: NetworkAnswer,
    coarse: Sequence[_JudgedAnswer],
) -> Judgement:
    """Judge the aggregated answer, leaving out what coarse nodes cannot have contributed.

    Errors of a coarse answer may hide in the sums, so it is judged by itself.
    """
    known, coarse_nodes = dict(expected), {one.answer.node for one in coarse}
    for one in coarse:
        whole = expected[one.answer.node]
        count = 0 if one.judged_on == "boolean" else whole.count
        known[one.answer.node] = replace(whole, count=count, alleles={}, individuals=())
    uncounted = tuple(node for node in aggregated.uncounted if node not in coarse_nodes)
    judgement = judge_network_answer(query, known, replace(aggregated, uncounted=uncounted))
    wrong = [
        f"{one.answer.node}: {one.judgement.difference}"
        for one in coarse
        if not one.judgement.equal
    ]
    if not wrong:
        return judgement
    differences = [judgement.difference] if judgement.difference else []
    return Judgement.by([*differences, *wrong], judgement.expected, judgement.observed)


def _judge_protected_reply(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
    repeat: int,
) -> list[Row]:
    """Build the rows of a query of a tier that sees less than there is.

    The network's answer must be the sum of its nodes' answers.
    """
    rows = []
    for answer in reply.answers:
        true = expected[answer.node]
        judgement = judge_protected_answer(query, true, answer, answer.node in foreign)
        row = node_row(query, answer, repeat) | judgement_columns(judgement, PROTECTED)
        row["answerable"] = is_answerable(query, true)
        rows.append(row | {"reason": judgement.difference or answer.reason})
    wrong = [str(row["node"]) for row in rows if not row["equal"]]
    judgement = judge_protected_network_answer(query, reply.answers, reply.aggregated, wrong)
    row = network_row(query, reply.aggregated, repeat) | judgement_columns(judgement, PROTECTED)
    return [*rows, row | {"reason": judgement.difference}]
