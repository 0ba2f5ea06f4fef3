"""Judges the network's reply to a query: each node's answer and the aggregated answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from rehearsal.evaluation.answer_table import Row, judgement_columns, network_row, node_row
from rehearsal.evaluation.exact_judge import judge_answer
from rehearsal.evaluation.judgement import VERDICTS, Judgement
from rehearsal.evaluation.network_judge import judge_network_answer, without_records_of
from rehearsal.evaluation.partial_judge import judge_partial_answer
from rehearsal.evaluation.protected_judge import (
    PROTECTED,
    is_answerable,
    judge_protected_answer,
    judge_protected_network_answer,
)
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, count_of
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


def _judge_exact_reply(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
    repeat: int,
) -> list[Row]:
    rows, judged = [], {}
    for answer in reply.answers:
        true, judged_on = expected[answer.node], str(query.granularity)
        if answer.node in foreign:
            partial = judge_partial_answer(query, expected, answer.node, answer)
            judgement = judged[answer.node] = partial.judgement
            judged_on = partial.granularity if partial.judged_on else judged_on
        else:
            judgement = judge_answer(query, true, answer)
        columns = judgement_columns(judgement, "" if true.refused else judged_on)
        reason = judgement.difference or answer.reason
        rows.append(node_row(query, answer, repeat) | columns | {"reason": reason})
    judgement = _judge_aggregated(query, expected, reply, judged)
    judged_on = query.granularity if rows[0]["judged_on"] else ""
    row = network_row(query, reply.aggregated, repeat) | judgement_columns(judgement, judged_on)
    return [*rows, row | {"reason": judgement.difference}]


def _judge_aggregated(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    judged: Mapping[str, Judgement],
) -> Judgement:
    """Judge the aggregated answer.

    Records of foreign nodes are judged node by node, since they may lack parts. An error of a
    foreign node may hide in the sums, so it makes the aggregated answer wrong too.
    """
    known = dict(expected)
    for answer in reply.answers:
        if answer.node in judged:
            known[answer.node] = _part_in_sums(expected[answer.node], answer)
    aggregated = without_records_of(judged, reply.aggregated)
    judgement = judge_network_answer(query, known, aggregated)
    wrong = [f"{node}: {one.difference}" for node, one in judged.items() if one.verdict == "wrong"]
    if not wrong and not judgement.equal:
        return judgement
    differences = [judgement.difference, *wrong] if judgement.difference else wrong
    missing = [f"{node}: {one.missing}" for node, one in judged.items() if one.missing]
    return Judgement.by(differences, judgement.expected, judgement.observed, missing)


def _part_in_sums(true: ExpectedAnswer, answer: Answer) -> ExpectedAnswer:
    """Return what a foreign node adds to the network's sums: its count, if it gives one."""
    count = 0 if count_of(answer) is None else true.count
    return replace(true, count=count, alleles={}, individuals=())


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
    rows, judged = [], {}
    for answer in reply.answers:
        true = expected[answer.node]
        judgement = judge_protected_answer(query, true, answer, answer.node in foreign)
        judged[answer.node] = judgement
        row = node_row(query, answer, repeat) | judgement_columns(judgement, PROTECTED)
        row["answerable"] = is_answerable(query, true)
        rows.append(row | {"reason": judgement.difference or answer.reason})
    aggregated = without_records_of(foreign, reply.aggregated)
    judgement = _judge_protected_aggregate(query, reply.answers, aggregated, judged)
    row = network_row(query, reply.aggregated, repeat) | judgement_columns(judgement, PROTECTED)
    return [*rows, row | {"reason": judgement.difference}]


def _judge_protected_aggregate(
    query: Query,
    answers: Sequence[Answer],
    aggregated: NetworkAnswer,
    judged: Mapping[str, Judgement],
) -> Judgement:
    """Judge the network's answer. A node that did not answer gives it its own verdict."""
    wrong = [node for node, one in judged.items() if one.verdict == "wrong"]
    judgement = judge_protected_network_answer(query, answers, aggregated, wrong)
    silent = {node: one for node, one in judged.items() if not one.equal}
    if not judgement.equal or not silent:
        return judgement
    verdict = max((one.verdict for one in silent.values()), key=VERDICTS.index)
    missing = "; ".join(f"{node}: {one.difference}" for node, one in silent.items())
    return Judgement(verdict, judgement.expected, judgement.observed, missing)
