"""Answers to requests for entries: which exist, how many, and a page of their records.

Each dataset answers as finely as the caller's rights allow, protected where they say so, and never
of people whose consent does not permit the request's purpose.

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

from rehearsal.model import GRANULARITIES, Granularity
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon import records
from rehearsal.node.beacon.datasets import Dataset
from rehearsal.node.beacon.filters import is_coarse, terms_of
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_records import RECORDS
from rehearsal.node.beacon.people_search import people_passing
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.node.beacon.variant_search import matching, named_or_matching
from rehearsal.stores.people_store import SAMPLES
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.node.privacy.protected_answers import Protector
    from rehearsal.stores.variant_store import VariantRow

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the path of a request has already chosen; None where it left that open."""

    people: BitMap | None = None
    variant: VariantQuery | None = None
    datasets: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset({"frequencies", "people", "tests", "tumours"})
    single: bool = False  # the path names one person: only for those who may see records


@dataclass(slots=True)
class ResultSet:
    """What one dataset answers. ``count`` is None at boolean granularity."""

    dataset: str
    exists: bool
    count: int | None = None
    records: list[Record] = field(default_factory=list)
    granularity: Granularity = "boolean"


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

    @property
    def granularity(self) -> Granularity:
        """The finest of any dataset's answer."""
        found = {one.granularity for one in self.sets}
        return next((one for one in reversed(GRANULARITIES) if one in found), "boolean")


@dataclass(frozen=True, slots=True)
class _View:
    """How some datasets are asked: their members, how finely, and how they are protected."""

    members: BitMap | None  # None: everybody
    granularity: Granularity
    protector: Protector | None


def answer(
    entry_type: str,
    request: BeaconRequest,
    wanted: Granularity,
    rights: Rights,
    node_data: NodeData,
    scope: Scope | None = None,
) -> Result:
    """The answer of every dataset that is asked. ``entry_type``: path of its endpoint.

    Raises Problem for what the node cannot answer, or (401, 403) may not.
    """
    scope = scope or Scope()
    query = _variant_asked(request, scope)
    asked = _asked(entry_type, request, scope, rights, node_data)
    asked = _letting_choose(asked, request, wanted, rights, node_data)
    people = _both(people_passing(request.filters, node_data.people), scope.people)
    people = _both(people, rights.permitted)
    find = _variants if entry_type == "g_variants" else _people
    sets: dict[str, ResultSet] = {}
    for view, datasets in _by_view(asked, wanted, rights, node_data):
        among = _both(people, view.members)
        held = node_data.source_of(datasets[0])
        found = find(entry_type, query, among, request, view, datasets, rights, held)
        sets.update((one.dataset, one) for one in found)
    return Result([sets[one.id] for one in node_data.datasets if one.id in sets])


def _variant_asked(request: BeaconRequest, scope: Scope) -> VariantQuery | None:
    if scope.variant is not None and request.variants is not None:
        raise Problem("the path names a variant: ask for no other in the parameters")
    return scope.variant or request.variants


def _both(left: BitMap | None, right: BitMap | None) -> BitMap | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right


def _asked(
    entry_type: str, request: BeaconRequest, scope: Scope, rights: Rights, node_data: NodeData
) -> list[Dataset]:
    """The datasets that answer: those named, those of test mode, or the usual ones.

    A question to many nodes names each node's dataset: those of other nodes are passed over.
    """
    if scope.datasets and request.datasets:
        raise Problem("the path names a dataset: name no other in the parameters")
    named = scope.datasets or request.datasets
    if named:
        chosen = [one for one in node_data.datasets if one.id in named and rights.sees(one.id)]
        if not chosen:
            raise node_data.unknown_dataset(named[0])
    else:
        usual = ("tests",) if request.test_mode else ("frequencies", "people")
        chosen = [one for one in node_data.datasets if one.kind in usual]
    return [
        one
        for one in chosen
        if one.answers(entry_type)
        and one.kind in scope.kinds
        and (rights.finest.get(one.id) == "record" if scope.single else rights.sees(one.id))
    ]


def _letting_choose(
    datasets: list[Dataset],
    request: BeaconRequest,
    wanted: Granularity,
    rights: Rights,
    node_data: NodeData,
) -> list[Dataset]:
    """The datasets that may be asked of people chosen by these filters.

    Frequencies among people of one's choice are genotypes: exact ones are for those to whom the
    dataset of people tells as much. Elsewhere filters that find single people are not taken: an
    answer says whether a person more or less passes them. Raises Problem when none is left.
    """
    if not request.filters:
        return datasets
    people, coarse = node_data.settings.people_dataset, is_coarse(request.filters)

    def lets(one: Dataset) -> bool:
        if not rights.exact(one.id, wanted):
            return coarse
        if one.kind != "frequencies":
            return True
        return (
            rights.sees(people)
            and rights.exact(people, wanted)
            and rights.granted(people, wanted) == rights.granted(one.id, wanted)
        )

    left = [one for one in datasets if lets(one)]
    if datasets and not left:
        raise rights.refusal_of_filters()
    return left


def seen_dataset(identifier: str, rights: Rights, node_data: NodeData) -> Dataset:
    """The dataset with this identifier. Raises Problem (404) when there is none, and just
    so when the caller may not know of it."""
    dataset = node_data.dataset(identifier)
    if not rights.sees(dataset.id):
        raise node_data.unknown_dataset(identifier)
    return dataset


def _by_view(
    datasets: Iterable[Dataset], wanted: Granularity, rights: Rights, node_data: NodeData
) -> list[tuple[_View, list[Dataset]]]:
    """Datasets that are asked alike together: what matches is looked for once for them."""
    groups: dict[tuple[str, Granularity, int], tuple[_View, list[Dataset]]] = {}
    for one in datasets:
        members = node_data.members(one)
        view = _View(members, rights.granted(one.id, wanted), rights.protectors.get(one.id))
        guard = None if view.protector is None else view.protector.tier
        key = ("" if members is None else one.kind, view.granularity, id(guard))
        groups.setdefault(key, (view, []))[1].append(one)
    return list(groups.values())


# --- variants -----------------------------------------------------------------------------------


def _variants(
    entry_type: str,
    query: VariantQuery | None,
    people: BitMap | None,
    request: BeaconRequest,
    view: _View,
    datasets: list[Dataset],
    rights: Rights,
    node_data: NodeData,
) -> list[ResultSet]:
    if view.protector is not None and view.granularity != "record":
        counted = view.granularity == "count"
        asked, _ = named_or_matching(query, node_data)
        told = view.protector.variants(asked, people, counted)
        return _told(told.exists, told.count, datasets)
    rows = carried(matching(query, node_data), people, node_data.people.size)
    if view.granularity == "boolean":
        return _told(next(rows, None) is not None, None, datasets)
    page: list[VariantRow] = []
    before = 0
    if view.granularity == "record":
        before = sum(1 for _ in islice(rows, request.first))
        page = list(islice(rows, request.limit))
    if query is None and people is None:
        count = node_data.variants.count
    else:
        count = before + len(page) + sum(1 for _ in rows)
    sets = [ResultSet(one.id, count > 0, count, [], view.granularity) for one in datasets]
    for row in page:
        common = records.variant_record(row, node_data)
        for one, dataset in zip(sets, datasets, strict=True):
            record = dict(common)
            if dataset.kind in ("frequencies", "tests"):
                record["frequencyInPopulations"] = records.frequencies(row, people, node_data)
            if dataset.kind != "frequencies":
                record |= records.cases(row, people, node_data)
            one.records.append(record)
    return sets


def _told(exists: bool, count: int | None, datasets: list[Dataset]) -> list[ResultSet]:
    granularity: Granularity = "boolean" if count is None else "count"
    return [ResultSet(one.id, exists, count, [], granularity) for one in datasets]


def carried(rows: Iterator[VariantRow], people: BitMap | None, size: int) -> Iterator[VariantRow]:
    """The variants that somebody among the people carries; all of them for None.

    ``size``: how many people there are. More carriers than there are people left out cannot all
    be left out: their list need not be read.
    """
    if people is None:
        return rows
    if not people:
        return iter(())
    left_out = size - len(people)
    return (row for row in rows if _carrying(row) > left_out or row.carriers().intersect(people))


def _carrying(row: VariantRow) -> int:
    """How many people carry the variant, by the stored counts."""
    return (
        row.hom_female
        + row.het_female
        + row.hemi_female
        + (row.hom_male + row.het_male + row.hemi_male)
    )


# --- people and what belongs to them ------------------------------------------------------------


def _people(
    entry_type: str,
    query: VariantQuery | None,
    people: BitMap | None,
    request: BeaconRequest,
    view: _View,
    datasets: list[Dataset],
    rights: Rights,
    node_data: NodeData,
) -> list[ResultSet]:
    sampled = node_data.people.with_sample(entry_type) if entry_type in SAMPLES else None
    if sampled is not None and len(sampled) < node_data.people.size:
        people = _both(people, sampled)
    found = node_data.people.everyone if people is None else people
    if view.protector is not None and view.granularity != "record":
        counted = view.granularity == "count"
        if query is None:
            among = len(node_data.people.everyone if rights.permitted is None else rights.permitted)
            told = view.protector.people(found, terms_of(request.filters), among, counted)
        else:
            rows, is_named = named_or_matching(query, node_data)
            told = view.protector.carriers(rows, people, counted and is_named)
        return _told(told.exists, told.count, datasets)
    if query is not None:
        carrying = carriers(query, node_data)
        if view.granularity == "count":  # without making the set
            found, count = BitMap(), found.intersection_cardinality(carrying)
        else:
            found = found & carrying
            count = len(found)
    else:
        count = len(found)
    if view.granularity == "boolean":
        return _told(count > 0, None, datasets)
    shown: list[Record] = []
    if view.granularity == "record":
        record = RECORDS[entry_type]
        page = found[request.first : request.first + request.limit]
        shown = [record(position, node_data, rights.excluded) for position in page]
    return [ResultSet(one.id, count > 0, count, shown, view.granularity) for one in datasets]


def carriers(query: VariantQuery, node_data: NodeData) -> BitMap:
    """Everybody who carries any of the variants that a query asks for."""
    return BitMap.union(BitMap(), *(row.carriers() for row in matching(query, node_data)))
