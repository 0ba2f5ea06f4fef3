"""Judges what the tiers without exact answers are told: true, no more than was promised, and
something."""

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

PROTECTED = "protected"  # what such answers are judged on


@dataclass(frozen=True, slots=True)
class Promise:
    """What a tier is told: nothing of fewer people than ``threshold`` or, at times, than
    ``enough``; counts in steps of ``rounding``, after ``noise`` either way."""

    threshold: int
    rounding: int
    noise: int

    @property
    def enough(self) -> int:
        return self.threshold + self.noise

    @property
    def error(self) -> int:
        """By so much a told count may differ from how many there are."""
        return self.noise + self.rounding // 2


# As the node's documentation promises; not read from the code that is to keep it
PROMISED = {"public": Promise(10, 10, 2), "registered": Promise(5, 5, 1)}


def judge_protected_answer(
    query: Query, expected: ExpectedAnswer, answer: Answer, is_foreign: bool = False
) -> Judgement:
    """Judge a node's answer to a tier that is told less than there is.

    Nobody may exist who does not, nor be told of where they are too few; a count of people is
    rounded and within the noise; no records. Silence may be right: budgets may be spent. Of a node
    that ``is_foreign`` only the truth is demanded: its protection is its own.
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
    """What is told though too few people are behind it, or not as it should be rounded."""
    exists, count = says_exists(answer), count_of(answer)
    people = _people(query, expected)
    if exists and people is not None and people < promise.threshold:
        yield f"told of {people} people, fewer than {promise.threshold}"
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
        yield f"count {count} instead of {expected.count} give or take {promise.error}"


def _variant_count_faults(expected: ExpectedAnswer, count: int, promise: Promise) -> Iterable[str]:
    enough = sum(carriers >= promise.threshold for carriers in _carriers(expected))
    if expected.alleles and count > enough:
        yield f"count {count} instead of at most {enough} variants with enough carriers"


def _people(query: Query, expected: ExpectedAnswer) -> int | None:
    """Of how many people an answer tells: of several variants, the commonest one's carriers.

    None where the truth has no carriers of variants that there are.
    """
    if query.entry_type == "individuals" or not expected.exists:
        return expected.count
    return max(_carriers(expected), default=None)


def _carriers(expected: ExpectedAnswer) -> list[int]:
    """How many people carry each variant."""
    everybody = (groups[""] for groups in expected.alleles.values())
    return [counts.hom + counts.het + counts.hemi for counts in everybody]


def is_answerable(query: Query, expected: ExpectedAnswer) -> bool:
    """Whether a country has so many people to tell of that neither threshold nor price hides them.

    The price is highest near the threshold; at twice as many the answer can be foreseen.
    """
    people = _people(query, expected)
    return people is not None and people >= 2 * PROMISED[query.tier].enough


def judge_protected_network_answer(
    query: Query, answers: Sequence[Answer], aggregated: NetworkAnswer, wrong: Sequence[str]
) -> Judgement:
    """Judge the network's answer by what its nodes told; ``wrong``: the nodes that told wrongly."""
    given = [answer for answer in answers if answer.state == "answered"]
    exists, count = any(map(says_exists, given)), sum(count_of(answer) or 0 for answer in given)
    differences = [f"{node} is wrong" for node in wrong]
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
    """Whether the protected tiers are told anything, over a whole suite.

    ``answers`` as ``run.COLUMNS``. A check a tier and kind of question, each a dict with
    ``name``, ``expected``, ``observed`` (numbers of questions answered yes by the network) and
    ``passed``. Looked at are questions of which every node holds enough people: one of those about
    people and one of those about variants must be told, for budgets may hide the rest. A cohort
    that has no such question passes, with 0 expected and observed.
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
    name = f"{tier}: of {len(asked)} questions on {subject} with enough people everywhere"
    return {
        "name": f"{name}, at least one is answered yes",
        "expected": least,
        "observed": yes,
        "passed": yes >= least,
    }
