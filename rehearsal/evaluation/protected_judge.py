"""Judges the answers to tiers without exact answers.

They must be true as far as noise allows, must give no more than was promised, and must give
something. A marked refusal is right: a budget may be spent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rehearsal.evaluation.exact_judge import judge_refusal
from rehearsal.evaluation.judgement import Judgement, expected_text, observed_text, state_text
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, count_of, records, says_exists
from rehearsal.truth.expected_answers import ExpectedAnswer

PROTECTED = "protected"  # ``judged_on`` of such answers


BUDGET = "privacy budget: "  # begins the reason of a marked refusal
STANDARD_DEVIATIONS = 6  # of noise; more happen once in 500 million answers
FEWEST_FOR_YES = 4  # standard deviations that a noisy number must reach for a yes
PROMISED_PEOPLE = 100  # smallest node for which its documentation promises protection and answers
EASY_SHARE = 0.6  # of a node's people: so many surely give a yes


@dataclass(frozen=True, slots=True)
class Promise:
    """What a tier may see.

    The number of people with normal noise, whose standard deviation is ``noise`` times the square
    root of the node's people, rounded to ``rounding``. A yes needs ``threshold`` people, and more
    where the noise is larger.
    """

    threshold: int
    rounding: int
    noise: float

    def deviation(self, people: int) -> float:
        """Return the standard deviation of the noise.

        Args:
            people: Number of people at the node, of which the public number is a multiple of 10.
        """
        return self.noise * math.sqrt(max(10, (people + 5) // 10 * 10))

    def error(self, people: int) -> float:
        """Return the largest difference between a given count and the true one.

        Args:
            people: Number of people at the node.
        """
        return STANDARD_DEVIATIONS * self.deviation(people) + self.rounding / 2

    def fewest(self, people: int) -> float:
        """Return the smallest true number that noise can turn into a yes.

        Args:
            people: Number of people at the node.
        """
        deviation = self.deviation(people)
        least = max(self.threshold, math.ceil(FEWEST_FOR_YES * deviation))
        return least - STANDARD_DEVIATIONS * deviation


# From the node's documentation, not from the code that must keep the promise
PROMISED = {"public": Promise(10, 10, 1.0), "registered": Promise(5, 5, 0.3)}


def judge_protected_answer(
    query: Query, expected: ExpectedAnswer, answer: Answer, is_foreign: bool = False
) -> Judgement:
    """Judge a node's answer to a tier that sees less than there is.

    No one may exist who does not. A count of people is rounded and within the noise. There are no
    records. A refusal is right if it names the privacy budget.

    Args:
        query: The query.
        expected: The right answer of the node's country.
        answer: The node's answer.
        is_foreign: Whether someone else runs the node. Then only the truth is demanded, because
            its protection is its own: it may refuse callers of these tiers (401, 403).
    """
    if expected.refused:
        return judge_refusal(answer)
    wanted = f"no more than {expected_text(answer.node, expected, 'count')}"
    if answer.state != "answered":
        return _judge_silence(query, wanted, answer, is_foreign)
    promise = PROMISED[query.tier]
    differences = list(_invented(expected, answer))
    if is_foreign:
        differences += _too_many(expected, answer, promise)
    else:
        differences += _records_given(answer)
        differences += _against_promise(query, expected, answer, promise)
    return Judgement.by(differences, wanted, observed_text(answer))


def _judge_silence(query: Query, wanted: str, answer: Answer, is_foreign: bool) -> Judgement:
    if is_budget_refusal(answer):
        return Judgement("right", wanted, state_text(answer))
    if is_foreign and answer.http_status in (401, 403):
        missing = [f"answers to the {query.tier} tier"]
        return Judgement.by([], wanted, state_text(answer), missing)
    return Judgement.without_answer(answer, wanted)


def is_budget_refusal(answer: Answer) -> bool:
    """Say whether a node refused because no privacy budget pays for the answer.

    Args:
        answer: The node's answer.
    """
    error = (answer.body or {}).get("error")
    message = str(error.get("errorMessage", "")) if isinstance(error, dict) else ""
    is_refused = answer.state == "refused" and answer.http_status == 403
    return is_refused and message.startswith(BUDGET)


def _invented(expected: ExpectedAnswer, answer: Answer) -> Iterable[str]:
    if says_exists(answer) and not expected.exists:
        yield "exists True instead of False"


def _records_given(answer: Answer) -> Iterable[str]:
    returned = (answer.body or {}).get("meta", {}).get("returnedGranularity")
    if returned not in ("boolean", "count"):
        yield f"granularity {returned} for a tier without records"
    if any(True for _ in records(answer)):
        yield "records for a tier without records"


def _too_many(expected: ExpectedAnswer, answer: Answer, promise: Promise) -> Iterable[str]:
    count, most = count_of(answer), expected.count + promise.error(expected.people)
    if count is not None and count > most:
        yield f"count {count} instead of at most {most:g}"


def _against_promise(
    query: Query, expected: ExpectedAnswer, answer: Answer, promise: Promise
) -> Iterable[str]:
    """Yield what the answer gives about too few people, or without due rounding."""
    exists, count = says_exists(answer), count_of(answer)
    people = _people(query, expected)
    if exists and people is not None:
        from_facts = "public facts" in _bases(answer)
        fewest = promise.threshold if from_facts else promise.fewest(expected.people)
        if people < fewest:
            yield f"an answer about {people} people, fewer than {fewest:g}"
    if count is None:
        return
    if exists != (count > 0):
        yield f"exists {exists} with a count of {count}"
    if query.entry_type == "individuals":
        yield from _people_count_faults(expected, exists, count, promise)
    elif count > 1:
        yield f"count {count} of variants instead of at most the one asked for"


def _bases(answer: Answer) -> set[str]:
    """Return how the answers of a node's datasets came about, as it says itself."""
    info = (answer.body or {}).get("info")
    privacy = info.get("privacy") if isinstance(info, dict) else None
    return {str(one.get("basis")) for one in privacy.values()} if privacy else set()


def _people_count_faults(
    expected: ExpectedAnswer, exists: bool, count: int, promise: Promise
) -> Iterable[str]:
    if count % promise.rounding:
        yield f"count {count} is not rounded to {promise.rounding}"
    error = promise.error(expected.people)
    if exists and abs(count - expected.count) > error:
        yield f"count {count} instead of {expected.count} ± {error:g}"


def _people(query: Query, expected: ExpectedAnswer) -> int | None:
    """Return the number of people an answer is about: for several variants, the most common one's.

    None if the truth has no carriers of variants that exist.
    """
    if query.entry_type == "individuals" or not expected.exists:
        return expected.count
    return max(_carriers(expected), default=None)


def _carriers(expected: ExpectedAnswer) -> list[int]:
    """Return the number of carriers of each variant."""
    everybody = (groups[""] for groups in expected.alleles.values())
    return [counts.hom + counts.het + counts.hemi for counts in everybody]


def is_answerable(query: Query, expected: ExpectedAnswer) -> bool:
    """Say whether so many of a country's people match that public facts give a yes.

    Args:
        query: The query.
        expected: The right answer of the country.
    """
    people = _people(query, expected)
    if people is None or expected.people < PROMISED_PEOPLE:
        return False
    return people >= max(EASY_SHARE * expected.people, 2 * PROMISED[query.tier].threshold)


def judge_protected_network_answer(
    query: Query, answers: Sequence[Answer], aggregated: NetworkAnswer, wrong: Sequence[str]
) -> Judgement:
    """Judge the network's answer against its nodes' answers.

    Args:
        query: The query.
        answers: The nodes' answers.
        aggregated: The network's answer.
        wrong: Nodes whose answers are wrong.
    """
    given = [answer for answer in answers if answer.state == "answered"]
    if answers and all(map(is_budget_refusal, answers)):
        return _judge_common_refusal(aggregated)
    exists, count = any(map(says_exists, given)), sum(count_of(answer) or 0 for answer in given)
    differences = [f"wrong answer of {node}" for node in wrong]
    differences += _differences_from_sum(aggregated, exists, count)
    wanted, observed = f"exists {exists}", f"exists {aggregated.exists}"
    if query.granularity != "boolean":
        wanted, observed = f"{wanted}, count {count}", f"{observed}, count {aggregated.count}"
    return Judgement.by(differences, wanted, observed)


def _differences_from_sum(aggregated: NetworkAnswer, exists: bool, count: int) -> Iterable[str]:
    if aggregated.exists is not exists:
        yield f"exists {aggregated.exists} instead of {exists}"
    if aggregated.count != count:
        yield f"count {aggregated.count} instead of the nodes' {count}"
    if aggregated.records:
        yield "records for a tier without records"


def _judge_common_refusal(aggregated: NetworkAnswer) -> Judgement:
    """Judge the network's answer when every node refused for its privacy budget."""
    observed = "refused" if aggregated.http_status == 403 else f"exists {aggregated.exists}"
    faults = [] if observed == "refused" else [f"{observed} instead of refused"]
    return Judgement.by(faults, "refused", observed)


def public_checks(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """Check over a whole suite that the protected tiers get answers.

    Only questions count that most people of every node match. One question about people and one
    about variants must be answered yes; the rest may be refused.

    Args:
        answers: Rows of an answer table.

    Returns:
        One check per tier and kind of question that was asked, with ``name``, ``expected``,
        ``observed`` (numbers of questions that the network answered yes) and ``passed``.
    """
    protected = answers[answers["judged_on"] == PROTECTED]
    return [
        check
        for tier in PROMISED
        for about_people in (True, False)
        for check in _told_check(tier, protected[protected["tier"] == tier], about_people)
    ]


def _told_check(tier: str, rows: pd.DataFrame, about_people: bool) -> Iterator[dict[str, Any]]:
    """Yield the check; nothing without a question, of which nothing can be said."""
    is_node = rows["node"] != "network"
    enough = rows[is_node].groupby("query")["answerable"].all()
    answered_yes = rows[~is_node].set_index("query")["exists"].fillna(False).groupby("query").all()
    is_about_people = rows.groupby("query")["kind"].first().isin(["individuals"])
    asked = enough.index[enough & (is_about_people.reindex(enough.index) == about_people)]
    if asked.empty:
        return
    yes = int(answered_yes.reindex(asked, fill_value=False).sum())
    subject = "people" if about_people else "variants"
    name = f"{tier}: of {len(asked)} questions about {subject} with enough people at every node"
    yield {
        "name": f"{name}, at least one is answered yes",
        "expected": 1,
        "observed": yes,
        "passed": yes >= 1,
    }
