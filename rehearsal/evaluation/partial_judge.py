"""Judges the answers of any Beacon: what it gives must be right, and what it leaves out is noted.

``judge_answer`` demands everything that our own nodes give. Here presence, counts, records and
frequencies are each compared with the truth as far as an answer has them. Every fault has a cause
in a sentence, so that many answers with one cause can be told as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.errors import cause
from rehearsal.evaluation.exact_judge import judge_answer
from rehearsal.evaluation.frequency_judge import frequency_faults, missing_frequencies
from rehearsal.evaluation.judgement import Fault, Judgement, expected_text, first_names
from rehearsal.model import GRANULARITIES, Answer, Granularity, Query
from rehearsal.network.aggregate import UNREADABLE, count_of, result_sets, says_exists
from rehearsal.network.variant_records import allele_key
from rehearsal.truth.expected_answers import ExpectedAnswer

SHOWN = 3  # differences in one text
UNREADABLE_RECORDS = "Its records cannot be read."
VALUES = re.compile("[{\\[].*|'[^']*'|(?<![0-9a-zA-Z])[0-9]{4,}")  # differ from query to query
NOT_THERE = "It says yes where there is no match."
OVERLOOKED = "It says no where there is a match."
COUNTS_DATASETS = "It counts its datasets instead of the entries in them (numTotalResults)."
GRANULARITY_OF: Mapping[str, Granularity] = {"presence": "boolean", "count": "count"}

Entry = Mapping[str, Any]  # a record
AlleleName = tuple[int, str, str]  # without length and end, which other Beacons may leave out


@dataclass(frozen=True, slots=True)
class PartialJudgement:
    """A judgement, and what it is based on.

    ``judged_on`` is ``presence``, ``count``, ``variants``, ``frequencies`` or ``people``. It is
    empty if there was no answer. ``causes`` says in sentences why the answer is wrong.
    """

    judgement: Judgement
    judged_on: str
    causes: tuple[str, ...] = ()

    @property
    def granularity(self) -> Granularity:
        """The granularity at which the answer was compared."""
        return GRANULARITY_OF.get(self.judged_on, "record")


@dataclass(slots=True)
class _Comparison:
    """What an answer was compared on so far, its faults, and what it does not give."""

    judged_on: str = "presence"
    faults: list[Fault] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def judge_partial_answer(
    query: Query, expected: Mapping[str, ExpectedAnswer], place: str, answer: Answer
) -> PartialJudgement:
    """Judge the answer of a Beacon that holds the people of one place.

    An ill-formed query may be refused with any HTTP 4xx.

    Args:
        query: The query.
        expected: Right answers by place. A population with the name of another place is compared
            with that place.
        place: The place whose people the Beacon holds.
        answer: The Beacon's answer.
    """
    true = expected[place]
    if true.refused or answer.state != "answered":
        judgement = judge_answer(query, true, answer)
        if true.refused and answer.state == "refused":
            judgement = Judgement("right", judgement.expected, judgement.observed)
        return PartialJudgement(judgement, "", _causes_without_answer(judgement, answer))
    found = _Comparison()
    try:
        _compare(found, query, expected, place, answer)
    except UNREADABLE as error:
        found.faults.append(Fault(UNREADABLE_RECORDS, f"unreadable records: {cause(error)}"))
    details = [fault.detail for fault in found.faults]
    shown = details[:SHOWN] + ["..."] * (len(details) > SHOWN)
    wanted = expected_text(place, true, "count")
    judgement = Judgement.by(shown, wanted, _observed(answer), found.missing)
    causes = dict.fromkeys(fault.cause for fault in found.faults)
    return PartialJudgement(judgement, found.judged_on, tuple(causes))


def _causes_without_answer(judgement: Judgement, answer: Answer) -> tuple[str, ...]:
    if judgement.equal:
        return ()
    if answer.state == "answered":
        return ("It answers ill-formed queries.",)
    words = {"refused": "refuses", "late": "is late", "failed": "fails"}[answer.state]
    return (f"It {words}: {VALUES.sub('…', answer.reason)}",)


def _observed(answer: Answer) -> str:
    exists = "yes" if says_exists(answer) else "no"
    count = count_of(answer)
    return exists if count is None else f"{exists}, count {count}"


def _compare(
    found: _Comparison,
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    place: str,
    answer: Answer,
) -> None:
    true, sets = expected[place], result_sets(answer)
    exists, count = says_exists(answer), count_of(answer)
    found.faults += _presence_faults(true, exists)
    if query.granularity not in GRANULARITIES[1:]:
        return
    if count is not None:
        found.judged_on = "count"
        found.faults += _count_faults(true, count, sets)
    elif exists:
        found.missing.append("count (numTotalResults)")
    if query.granularity == "record":
        page = _Page.of(query, answer)
        if exists and not page.records:
            found.missing.append("records")
        elif exists or (count == 0 and not true.count):
            _compare_records(found, query, expected, place, page)


def _compare_records(
    found: _Comparison,
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    place: str,
    page: _Page,
) -> None:
    if query.entry_type == "individuals":
        found.judged_on = "people"
        found.faults += _people_faults(expected[place], page)
    else:
        _compare_variants(found, query, expected, place, page)


def _presence_faults(true: ExpectedAnswer, exists: bool) -> Iterator[Fault]:
    if exists and not true.exists:
        yield Fault(NOT_THERE, "exists True instead of False")
    if true.exists and not exists:
        yield Fault(OVERLOOKED, "exists False instead of True")


def _count_faults(
    true: ExpectedAnswer, count: int, sets: Sequence[Mapping[str, Any]]
) -> Iterator[Fault]:
    """Yield faults of the count, and of the counts of the result sets.

    Datasets may hold the same entries or share them out. None can hold more than there are, and
    together they must hold all.
    """
    counts = [one["resultsCount"] for one in sets if isinstance(one.get("resultsCount"), int)]
    is_right = max(counts, default=0) <= true.count <= sum(counts)
    if count != true.count:
        counts_datasets = bool(counts) and is_right and count == len(counts)
        text = COUNTS_DATASETS if counts_datasets else _cause_of_count(true.count, count)
        yield Fault(text, f"count {count} instead of {true.count}")
    if counts and not is_right:
        text = "The counts of its result sets (resultsCount) are wrong."
        yield Fault(text, f"result sets of {counts} instead of {true.count}")


def _cause_of_count(true: int, count: int) -> str:
    if not true:
        return NOT_THERE
    if not count:
        return OVERLOOKED
    return "Its counts are too high." if count > true else "Its counts are too low."


@dataclass(frozen=True, slots=True)
class _Page:
    """The records of an answer by result set, and how many a set can have.

    Some Beacons page all their results, others each result set by itself.
    """

    sets: Sequence[Sequence[Entry]]
    limit: int

    @classmethod
    def of(cls, query: Query, answer: Answer) -> _Page:
        asked = int(query.request["query"]["pagination"]["limit"])
        stated: Any = answer.body
        for key in ("meta", "receivedRequestSummary", "pagination", "limit"):
            stated = stated.get(key) if isinstance(stated, dict) else None
        is_shorter = isinstance(stated, int) and 0 < stated < asked
        sets = [
            [record for record in one.get("results") or () if isinstance(record, dict)]
            for one in result_sets(answer)
        ]
        return cls(sets, stated if is_shorter else asked)

    @property
    def records(self) -> list[Entry]:
        """The records of all result sets."""
        return [record for one in self.sets for record in one]

    @property
    def is_full(self) -> bool:
        """Whether there may be more on the next page."""
        return len(self.records) >= self.limit

    def faults(self) -> Iterator[Fault]:
        """Yield a fault if a result set has more records than a page."""
        longest = max(map(len, self.sets), default=0)
        if longest > self.limit:
            text = f"{longest} records on a page of {self.limit}"
            yield Fault("Its pages have more records than were asked for.", text)


def _people_faults(true: ExpectedAnswer, page: _Page) -> Iterator[Fault]:
    yield from page.faults()
    of_sets = [[str(record["id"]) for record in one] for one in page.sets]
    names = {name for one in of_sets for name in one}
    if any(len(set(one)) < len(one) for one in of_sets):
        yield Fault("It names people twice.", "individuals named twice")
    if strangers := sorted(names - set(true.individuals)):
        text = f"unexpected individuals: {len(strangers)} ({first_names(strangers)})"
        yield Fault("It names people who do not match.", text)
    rest = sorted(set(true.individuals) - names)
    if rest and not page.is_full:
        text = f"missing individuals: {len(rest)} ({first_names(rest)})"
        yield Fault("People who match are missing from its records.", text)


def _compare_variants(
    found: _Comparison,
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    place: str,
    page: _Page,
) -> None:
    wanted = [(one.start, one.ref, one.alt) for one in expected[place].alleles]
    named = list(_named_records(query, wanted, page))
    if page.records and not named:
        found.missing.append("alleles")
        return
    found.judged_on = "variants"
    found.faults += _variant_faults(set(wanted), {key for key, _ in named}, page)
    given = [(key, record) for key, record in named if key in wanted]
    found.missing += missing_frequencies(expected, place, given)
    faults = frequency_faults(expected, place, given, query.purpose is not None)
    if faults is not None:
        found.judged_on = "frequencies"
        found.faults += faults


def _named_records(
    query: Query, wanted: Sequence[AlleleName], page: _Page
) -> Iterator[tuple[AlleleName, Entry]]:
    """Yield each record with its allele. A record without one is of the one allele asked for.

    The schema of Beacon knows no symbolic alleles. Where a record has ``.`` instead, it is of the
    symbolic allele that begins there. An allele of VRS has no reference bases.
    """
    is_of_one = "alternateBases" in query.request["query"]["requestParameters"]
    known = {(one[0], one[1], "."): one for one in wanted if one[2].startswith("<")}
    known |= {(one[0], "", one[2]): one for one in wanted if len(one[1]) == len(one[2]) == 1}
    for record in page.records:
        try:
            name = allele_key(record)[:3]
            yield known.get(name, name), record
        except UNREADABLE:
            if is_of_one and len(wanted) == 1:
                yield wanted[0], record


def _name(key: AlleleName) -> str:
    return "{}:{}>{}".format(*key)


def _variant_faults(right: set[AlleleName], found: set[AlleleName], page: _Page) -> Iterator[Fault]:
    """Yield unexpected and missing variants. On a full page none is missing."""
    is_shifted = bool(found) and {(key[0] - 1, *key[1:]) for key in found} <= right
    if is_shifted and not found <= right:
        text = "The positions in its records are 1-based, where Beacon counts from 0."
        yield Fault(text, f"{_name(min(found))} instead of {_name(min(right))}")
        return
    for key in sorted(found - right):
        yield Fault("It returns variants that do not match.", f"{_name(key)} unexpected")
    if not page.is_full:
        for key in sorted(right - found):
            yield Fault(
                "Variants that match are missing from its records.", f"{_name(key)} missing"
            )


def grouped_by_cause(judged: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    """Group answers by what is wrong with them, the most frequent cause first.

    Args:
        judged: Name and causes of each answer.

    Returns:
        Names of answers by cause.
    """
    groups: dict[str, list[str]] = {}
    for name, causes in judged:
        for one in causes:
            groups.setdefault(one, []).append(name)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))
