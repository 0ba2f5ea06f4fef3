"""Judges the answers to tiers without exact answers.

They must be true, must give no more than was promised, and must give something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rehearsal.evaluation.exact_judge import judge_refusal
from rehearsal.evaluation.judgement import Judgement, expected_text, observed_text, state_text
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import NetworkAnswer, count_of, records, says_exists
from rehearsal.truth.expected_answers import ExpectedAnswer

PROTECTED = "protected"  # ``judged_on`` of such answers


@dataclass(frozen=True, slots=True)
class Promise:
    """What a tier may see.

    Nothing about fewer people than ``threshold`` or, at times, than ``enough``. Counts are rounded
    to ``rounding``, after ``noise`` in either direction.
    """

    threshold: int
    rounding: int
    noise: int

    @property
    def enough(self) -> int:
        """The number of people that suffices whatever the noise."""
        return self.threshold + self.noise

    @property
    def error(self) -> int:
        """The largest difference between a given count and the true one."""
        return self.noise + self.rounding // 2


# From the node's documentation, not from the code that must keep the promise
PROMISED = {"public": Promise(10, 10, 2), "registered": Promise(5, 5, 1)}


def judge_protected_answer(
    query: Query, expected: ExpectedAnswer, answer: Answer, is_foreign: bool = False
) -> Judgement:
    """Judge a node's answer to a tier that sees less than there is.

    No one may exist who does not, and no group may appear that is too small. A count of people is
    rounded and within the noise. There are no records. An empty answer may be right, because
    budgets may be spent.

    Args:
        query: The query.
        expected: The right answer of the node's country.
        answer: The node's answer.
        is_foreign: Whether someone else runs the node. Then only the truth is demanded, because
            its protection is its own.
    """
    if expected.refused:
        return judge_refusal(answer)
    wanted = f"no more than {expected_text(answer.node, expected, 'count')}"
    if answer.state != "answered":
        observed = state_text(answer)
        return Judgement(False, wanted, observed, f"{observed}: {answer.reason}")
    differences = list(_untrue(expected, answer, PROMISED[query.tier]))
    if not is_foreign:
        differences += _against_promise(query, expected, answer, PROMISED[query.tier])
    return Judgement.by(differences, wanted, observed_text(answer))


def _untrue(expected: ExpectedAnswer, answer: Answer, promise: Promise) -> Iterable[str]:
    returned = (answer.body or {}).get("meta", {}).get("returnedGranularity")
    count = count_of(answer)
    if returned not in ("boolean", "count"):
        yield f"granularity {returned} for a tier without records"
    if any(True for _ in records(answer)):
        yield "records for a tier without records"
    if says_exists(answer) and not expected.exists:
        yield "exists True instead of False"
    if count is not None and count > expected.count + promise.error:
        yield f"count {count} instead of at most {expected.count}, rounded"


def _against_promise(
    query: Query, expected: ExpectedAnswer, answer: Answer, promise: Promise
) -> Iterable[str]:
    """Yield what the answer gives about too few people, or without due rounding."""
    exists, count = says_exists(answer), count_of(answer)
    people = _people(query, expected)
    if exists and people is not None and people < promise.threshold:
        yield f"an answer about {people} people, fewer than {promise.threshold}"
    if count is None:
        return
    if exists != (count > 0):
        yield f"exists {exists} with a count of {count}"
    if query.entry_type == "individuals":
        yield from _people_count_faults(expected, exists, count, promise)
    else:
        yield from _variant_count_faults(expected, count, promise)


def _people_count_faults(
    expected: ExpectedAnswer, exists: bool, count: int, promise: Promise
) -> Iterable[str]:
    if count % promise.rounding:
        yield f"count {count} is not rounded to {promise.rounding}"
    if exists and abs(count - expected.count) > promise.error:
        yield f"count {count} instead of {expected.count} ± {promise.error}"


def _variant_count_faults(expected: ExpectedAnswer, count: int, promise: Promise) -> Iterable[str]:
    enough = sum(carriers >= promise.threshold for carriers in _carriers(expected))
    if expected.alleles and count > enough:
        yield f"count {count} instead of at most {enough} variants with enough carriers"


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
    """Say whether a country has so many people that neither threshold nor price hides them.

    The price is highest near the threshold. At twice as many people the answer is certain.

    Args:
        query: The query.
        expected: The right answer of the country.
    """
    people = _people(query, expected)
    return people is not None and people >= 2 * PROMISED[query.tier].enough


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
    exists, count = any(map(says_exists, given)), sum(count_of(answer) or 0 for answer in given)
    differences = [f"wrong answer of {node}" for node in wrong]
    if aggregated.exists is not exists:
        differences.append(f"exists {aggregated.exists} instead of {exists}")
    if aggregated.count != count:
        differences.append(f"count {aggregated.count} instead of the nodes' {count}")
    if aggregated.records:
        differences.append("records for a tier without records")
    wanted, observed = f"exists {exists}", f"exists {aggregated.exists}"
    if query.granularity != "boolean":
        wanted, observed = f"{wanted}, count {count}", f"{observed}, count {aggregated.count}"
    return Judgement.by(differences, wanted, observed)


def public_checks(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """Check over a whole suite that the protected tiers get answers.

    Only questions count about which every node holds enough people. One question about people and
    one about variants must be answered yes; budgets may hide the rest. A cohort without such
    questions passes, with 0 expected and observed.

    Args:
        answers: Rows of an answer table.

    Returns:
        One check per tier and kind of question, with ``name``, ``expected``, ``observed`` (numbers
        of questions that the network answered yes) and ``passed``.
    """
    protected = answers[answers["judged_on"] == PROTECTED]
    checks = []
    for tier in PROMISED:
        rows = protected[protected["tier"] == tier]
        checks += [_told_check(tier, rows, about_people) for about_people in (True, False)]
    return checks


def _told_check(tier: str, rows: pd.DataFrame, about_people: bool) -> dict[str, Any]:
    is_node = rows["node"] != "network"
    enough = rows[is_node].groupby("query")["answerable"].all()
    answered_yes = rows[~is_node].set_index("query")["exists"].fillna(False).groupby("query").all()
    is_about_people = rows.groupby("query")["kind"].first().isin(["individuals"])
    asked = enough.index[enough & (is_about_people.reindex(enough.index) == about_people)]
    yes = int(answered_yes.reindex(asked, fill_value=False).sum())
    least = min(1, len(asked))
    subject = "people" if about_people else "variants"
    name = f"{tier}: of {len(asked)} questions about {subject} with enough people at every node"
    return {
        "name": f"{name}, at least one is answered yes",
        "expected": least,
        "observed": yes,
        "passed": yes >= least,
    }
