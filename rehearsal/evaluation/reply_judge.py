"""Judges the network's reply to a query: each node's answer and the aggregated answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

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
from rehearsal.network.aggregate import count_of
from rehearsal.network.service_client import NetworkReply
from rehearsal.truth.expected_answers import ExpectedAnswer


@dataclass(frozen=True, slots=True)
class ReplyJudgement:
    """The judgements of a reply: of each node's answer, and of the aggregated answer.

    ``judged_on`` says by node what its answer was judged on: a granularity, ``protected`` or an
    empty text.
    """

    nodes: Mapping[str, Judgement]
    judged_on: Mapping[str, str]
    network: Judgement


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
    judged = judge_answers(query, expected, reply, foreign)
    rows = []
    for answer in reply.answers:
        judgement = judged.nodes[answer.node]
        row = node_row(query, answer, repeat)
        row |= judgement_columns(judgement, judged.judged_on[answer.node])
        if query.tier != "controlled":
            row["answerable"] = is_answerable(query, expected[answer.node])
        rows.append(row | {"reason": _reason(answer, judgement)})
    whole = query.granularity if query.tier == "controlled" else PROTECTED
    judged_on = whole if any(judged.judged_on.values()) else ""
    row = network_row(query, reply.aggregated, repeat)
    row |= judgement_columns(judged.network, judged_on)
    return [*rows, row | {"reason": judged.network.difference}]


def _reason(answer: Answer, judgement: Judgement) -> str:
    """Why an answer is not right: of a silent node why it is silent, else what differs."""
    if answer.state in ("late", "failed") and answer.reason:
        return answer.reason
    return judgement.difference or answer.reason


def judge_answers(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
) -> ReplyJudgement:
    """Judge the answers of a reply, exactly or, for lower tiers, as far as protection allows.

    A foreign node may give less than asked for. What it gives must be true.

    Args:
        query: The query.
        expected: Right answers by country.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.

    Raises:
        KeyError: A node's country has no right answer.
    """
    judge = _judge_exactly if query.tier == "controlled" else _judge_protected
    return judge(query, expected, reply, foreign)


def _judge_exactly(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
) -> ReplyJudgement:
    nodes, judged_on = {}, {}
    for answer in reply.answers:
        node, granularity = answer.node, str(query.granularity)
        if node in foreign:
            partial = judge_partial_answer(query, expected, node, answer)
            nodes[node] = partial.judgement
            granularity = partial.granularity if partial.judged_on else granularity
        else:
            nodes[node] = judge_answer(query, expected[node], answer)
        judged_on[node] = "" if expected[node].refused else granularity
    of_foreign = {node: one for node, one in nodes.items() if node in foreign}
    network = _judge_aggregated(query, expected, reply, of_foreign)
    return ReplyJudgement(nodes, judged_on, network)


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


def _judge_protected(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    reply: NetworkReply,
    foreign: Collection[str],
) -> ReplyJudgement:
    """Judge the answers to a tier that sees less than there is.

    The network's answer must be the sum of its nodes' answers. A node that did not answer gives it
    its own verdict.
    """
    nodes = {
        one.node: judge_protected_answer(query, expected[one.node], one, one.node in foreign)
        for one in reply.answers
    }
    wrong = [node for node, one in nodes.items() if one.verdict == "wrong"]
    aggregated = without_records_of(foreign, reply.aggregated)
    network = judge_protected_network_answer(query, reply.answers, aggregated, wrong)
    silent = {node: one for node, one in nodes.items() if not one.equal}
    if network.equal and silent:
        verdict = max((one.verdict for one in silent.values()), key=VERDICTS.index)
        missing = "; ".join(f"{node}: {one.difference}" for node, one in silent.items())
        network = Judgement(verdict, network.expected, network.observed, missing)
    return ReplyJudgement(nodes, dict.fromkeys(nodes, PROTECTED), network)
