"""Answers to requests for entries: which exist, how many, and a page of their records.

Totals are of the whole answer whatever the page. The total of a request is the number
of DIFFERENT entries: a variant that two datasets hold counts once, while each dataset's
result set has its own count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from rehearsal.model import Granularity
from rehearsal.node.beacon import records
from rehearsal.node.beacon.errors import BeaconProblem
from rehearsal.node.beacon.filters import people_passing
from rehearsal.node.beacon.holdings import Dataset, Holdings
from rehearsal.node.beacon.matching import matching
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.shapes import VariantQuery

if TYPE_CHECKING:
    from rehearsal.node.variant_store import VariantRow

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the path of a request has already chosen; None where it left that open."""

    people: BitMap | None = None
    variant: VariantQuery | None = None
    datasets: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset({"frequencies", "people", "tests"})


@dataclass(slots=True)
class ResultSet:
    """What one dataset answers. ``count`` is None at boolean granularity."""

    dataset: str
    exists: bool
    count: int | None = None
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """The whole answer: result sets by dataset, and the number of different entries."""

    sets: list[ResultSet]

    @property
    def exists(self) -> bool:
        return any(one.exists for one in self.sets)

    @property
    def count(self) -> int:
        # a dataset holds all of the node's entries that match, or (tests) some of the same
        return max((one.count or 0 for one in self.sets), default=0)


def answer(
    entry_type: str,
    request: BeaconRequest,
    granularity: Granularity,
    holdings: Holdings,
    scope: Scope | None = None,
) -> Result:
    """The answer of every dataset that is asked. ``entry_type``: path of its endpoint.

    Raises BeaconProblem for what the node cannot answer.
    """
    scope = scope or Scope()
    query = _variant_asked(request, scope)
    people = _both(people_passing(request.filters, holdings.people), scope.people)
    find = _variants if entry_type == "g_variants" else _people
    sets: dict[str, ResultSet] = {}
    for members, datasets in _by_members(_asked(entry_type, request, scope, holdings), holdings):
        among = _both(people, members)
        found = find(entry_type, query, among, request, granularity, datasets, holdings)
        sets.update((one.dataset, one) for one in found)
    return Result([sets[one.id] for one in holdings.datasets if one.id in sets])


def _variant_asked(request: BeaconRequest, scope: Scope) -> VariantQuery | None:
    if scope.variant is not None and request.variants is not None:
        raise BeaconProblem("the path names a variant: ask for no other in the parameters")
    return scope.variant or request.variants


def _both(left: BitMap | None, right: BitMap | None) -> BitMap | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right


def _asked(
    entry_type: str, request: BeaconRequest, scope: Scope, holdings: Holdings
) -> list[Dataset]:
    """The datasets that answer: those named, those of test mode, or the usual ones."""
    if scope.datasets and request.datasets:
        raise BeaconProblem("the path names a dataset: name no other in the parameters")
    named = scope.datasets or request.datasets
    if named:
        chosen = [holdings.dataset(identifier) for identifier in named]
    else:
        chosen = [one for one in holdings.datasets if (one.kind == "tests") == request.test_mode]
    return [one for one in chosen if one.answers(entry_type) and one.kind in scope.kinds]


def _by_members(
    datasets: Iterable[Dataset], holdings: Holdings
) -> list[tuple[BitMap | None, list[Dataset]]]:
    """Datasets of the same people together: what matches is looked for once for them."""
    of_all = [one for one in datasets if holdings.members(one) is None]
    of_some = [(holdings.members(one), [one]) for one in datasets if one not in of_all]
    return [(None, of_all), *of_some] if of_all else of_some


# --- variants -----------------------------------------------------------------------------------


def _variants(
    entry_type: str,
    query: VariantQuery | None,
    people: BitMap | None,
    request: BeaconRequest,
    granularity: Granularity,
    datasets: list[Dataset],
    holdings: Holdings,
) -> list[ResultSet]:
    rows = carried(matching(query, holdings), people)
    if granularity == "boolean":
        exists = next(rows, None) is not None
        return [ResultSet(one.id, exists) for one in datasets]
    page: list[VariantRow] = []
    before = 0
    if granularity == "record":
        before = sum(1 for _ in islice(rows, request.first))
        page = list(islice(rows, request.limit))
    if query is None and people is None:
        count = holdings.variants.count
    else:
        count = before + len(page) + sum(1 for _ in rows)
    sets = [ResultSet(one.id, count > 0, count) for one in datasets]
    for row in page:
        common = records.variant_record(row, holdings)
        for one, dataset in zip(sets, datasets, strict=True):
            record = dict(common)
            if dataset.kind != "people":
                record["frequencyInPopulations"] = records.frequencies(row, people, holdings)
            if dataset.kind != "frequencies":
                record |= records.cases(row, people, holdings)
            one.records.append(record)
    return sets


def carried(rows: Iterator[VariantRow], people: BitMap | None) -> Iterator[VariantRow]:
    """The variants that somebody among the people carries; all of them for None."""
    if people is None:
        return rows
    if not people:
        return iter(())
    return (row for row in rows if row.carriers().intersect(people))


# --- people and what belongs to them ------------------------------------------------------------


def _people(
    entry_type: str,
    query: VariantQuery | None,
    people: BitMap | None,
    request: BeaconRequest,
    granularity: Granularity,
    datasets: list[Dataset],
    holdings: Holdings,
) -> list[ResultSet]:
    found = holdings.people.everyone if people is None else people
    if query is not None:
        found = found & carriers(query, holdings)
    count = len(found)
    if granularity == "boolean":
        return [ResultSet(one.id, count > 0) for one in datasets]
    page = found[request.first : request.first + request.limit] if granularity == "record" else ()
    record = records.OF_A_PERSON[entry_type]
    shown = [record(position, holdings) for position in page]
    return [ResultSet(one.id, count > 0, count, shown) for one in datasets]


def carriers(query: VariantQuery, holdings: Holdings) -> BitMap:
    """Everybody who carries any of the variants that a query asks for."""
    return BitMap.union(BitMap(), *(row.carriers() for row in matching(query, holdings)))
