"""From a typed request and a path to the body of an answer. Independent of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.model import Granularity
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon import envelope, records
from rehearsal.node.beacon.answers import answer
from rehearsal.node.beacon.assemblies import GRCH37, assembly_of_name
from rehearsal.node.beacon.dataset_choice import named_or_usual, visible_dataset
from rehearsal.node.beacon.datasets import Dataset, DatasetKind, unknown_dataset_note
from rehearsal.node.beacon.entry_types import COLLECTIONS
from rehearsal.node.beacon.filter_notes import notes_on_filters
from rehearsal.node.beacon.handovers import handovers
from rehearsal.node.beacon.info_endpoints import DEFAULT_GRANULARITY
from rehearsal.node.beacon.known_clients import IN_A_GENE
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.question import NOTHING_SELECTED, PathSelection, Question
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.result import Record, Result
from rehearsal.node.beacon.stated_bases import on_reference
from rehearsal.node.beacon.transcript_names import CodingQuery, ProteinQuery, on_gene_model
from rehearsal.node.beacon.variant_queries import HgvsQuery, VariantQuery, check_end
from rehearsal.node.beacon.variant_search import query_of_identifier
from rehearsal.node.beacon.vrs_index import VrsQuery
from rehearsal.stores.people_store import SAMPLES
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem

LIFTED = "GRCh37: the positions were moved to GRCh38"
UNPLACED = (
    "GRCh37: a position has no known place on GRCh38, so that nothing was looked up; "
    "this answer does not say no"
)
ONLY_SUBSTITUTIONS = (
    "g_variants: this node has no reference and computes identifiers of substitutions only; "
    "of other alleles this answer does not say no"
)
NO_ASSEMBLY = "assemblyId: ignored, as a computed identifier names its sequence itself"
# kinds of datasets with records of single people
OF_PEOPLE: frozenset[DatasetKind] = frozenset({"people", "tests"})


def answer_entries(
    node_data: NodeData,
    rights: Rights,
    request: BeaconRequest,
    path: str,
    identifier: str | None = None,
    listed: str | None = None,
    caller: str = "",
    base: Callable[[], str] = str,
) -> Body:
    """Answer ``/{path}``, ``/{path}/{identifier}`` or ``/{path}/{identifier}/{listed}``.

    Lists have granularity ``boolean`` by default, single entries and collections ``record``.

    Args:
        node_data: The node's data.
        rights: What the caller may see.
        request: The parsed request.
        path: Path of an entry type's endpoint.
        identifier: Identifier of one entry, or None.
        listed: Path of the entry type listed below that entry, or None.
        caller: Who spends the privacy budget: issuer and subject, or an address.
        base: Returns the URL by which the caller reached the node, without a slash at the end.

    Returns:
        The body of the answer.

    Raises:
        Problem: The request is invalid (400), not allowed (401, 403), or names something unknown
            (404).
    """
    placed = _on_grch38(request, node_data)
    if placed is None:
        return _unplaced(node_data, rights, request, listed or path)
    placed = _with_notes(_with_meaning(placed, node_data), node_data, rights)
    if path in COLLECTIONS and listed is None:
        return _collections(node_data, rights, placed, path, identifier, caller)
    wanted = placed.granularity or _usual_granularity(identifier, listed)
    selected = NOTHING_SELECTED
    if identifier is not None:
        found = _select_by_path(node_data, rights, placed, path, identifier)
        if found is None:
            return _unplaced(node_data, rights, placed, listed or path)
        placed, selected = found
    question = Question(listed or path, placed, wanted, rights, selected, caller)
    return _answer(question, node_data, base)


def _usual_granularity(identifier: str | None, listed: str | None) -> Granularity:
    """Return the granularity of a request that states none: ``record`` for a single entry."""
    return "record" if identifier is not None and listed is None else DEFAULT_GRANULARITY


def _answer(question: Question, node_data: NodeData, base: Callable[[], str]) -> Body:
    """Answer a query for entries. ``base``: as in :func:`answer_entries`."""
    request, entry_type, wanted = question.request, question.entry_type, question.granularity
    result = answer(question, node_data)
    granularity = result.granularity if result.sets else question.rights.granted_anywhere(wanted)
    beacon_id = node_data.settings.beacon_id
    further = partial(handovers, entry_type=entry_type, node_data=node_data, base=base)
    sets = envelope.result_sets(beacon_id, result, granularity, request, further)
    body: Body = {
        "meta": envelope.meta(beacon_id, entry_type, request, wanted, granularity),
        "responseSummary": envelope.summary(result.exists, result.count, granularity),
        "response": {"resultSets": sets},
    }
    return _with_info(body, result, request)


def _on_grch38(request: BeaconRequest, node_data: NodeData) -> BeaconRequest | None:
    """Move a query to GRCh38. None: a place of it is not known there."""
    check_end(request.variants, request.assembly == GRCH37)
    if request.assembly != GRCH37 or request.variants is None:
        return request
    query = node_data.liftover.lift(request.variants)
    if query is None:
        return None
    warnings = (*request.warnings, LIFTED) if query != request.variants else request.warnings
    return replace(request, variants=query, warnings=warnings)


def _with_meaning(request: BeaconRequest, node_data: NodeData) -> BeaconRequest:
    """Replace a name by what it means on the node's reference and genes."""
    query = request.variants
    if not isinstance(query, HgvsQuery | CodingQuery | ProteinQuery):
        return request
    meant, notes = _meant(query, node_data)
    return replace(request, variants=meant, warnings=(*request.warnings, *notes))


def _with_notes(request: BeaconRequest, node_data: NodeData, rights: Rights) -> BeaconRequest:
    """Note what of a request is well formed but not known to the caller here."""
    if not request.filters and not request.datasets:
        return request
    here = {one.id for one in node_data.datasets if rights.sees(one.id)}
    unknown = [one for one in dict.fromkeys(request.datasets) if one not in here]
    notes = (
        *map(unknown_dataset_note, unknown),
        *notes_on_filters(request.filters, node_data, rights),
    )
    return replace(request, warnings=(*request.warnings, *notes)) if notes else request


def _meant(
    query: HgvsQuery | CodingQuery | ProteinQuery, node_data: NodeData
) -> tuple[VariantQuery, tuple[str, ...]]:
    """Return the query that a name stands for, and how it was read."""
    if isinstance(query, HgvsQuery):
        return HgvsQuery(on_reference(query.description, node_data.reference)), ()
    if isinstance(query, ProteinQuery) and not query.protein:
        gene = None if query.gene is None else node_data.gene(query.gene).name
        return replace(query, gene=gene), ()
    found, usual = on_gene_model(query, node_data.gene_bases)
    notes = (IN_A_GENE.warning, *((f"{IN_A_GENE.sent}: here it is {usual}",) if usual else ()))
    return (found if isinstance(found, ProteinQuery) else HgvsQuery(found)), notes


def _unplaced(node_data: NodeData, rights: Rights, request: BeaconRequest, entry_type: str) -> Body:
    """Answer a query whose place on GRCh38 is not known: no result set, and a warning."""
    wanted: Granularity = request.granularity or DEFAULT_GRANULARITY
    granularity = rights.granted_anywhere(wanted)
    section = "collections" if entry_type in COLLECTIONS else "resultSets"
    beacon_id = node_data.settings.beacon_id
    return {
        "meta": envelope.meta(beacon_id, entry_type, request, wanted, granularity),
        "responseSummary": envelope.summary(False, 0, granularity),
        "response": {section: []},
        "info": {"warnings": [*request.warnings, UNPLACED]},
    }


def _with_info(body: Body, result: Result, request: BeaconRequest) -> Body:
    """Add how protected answers came about, and how the request was read."""
    if result.privacy:
        body["info"] = {"privacy": result.privacy}
    if warnings := [*request.warnings, *result.warnings]:
        body["info"] = {**body.get("info", {}), "warnings": warnings}
    return body


def dataset_in_path(
    node_data: NodeData, rights: Rights, path: str, identifier: str | None
) -> Dataset | None:
    """Find the dataset that the path of a collection names.

    Args:
        node_data: The node's data.
        rights: What the caller may see.
        path: ``datasets`` or ``cohorts``.
        identifier: Identifier of the collection. None: the path names none.

    Returns:
        The dataset. None: the path names no dataset, or the cohort of everybody.

    Raises:
        Problem: The caller sees no such dataset or cohort (404).
    """
    if identifier is None:
        return None
    if path == "datasets":
        return visible_dataset(identifier, rights, node_data)
    _check_cohort(node_data, identifier)
    return None


def _select_by_path(
    node_data: NodeData, rights: Rights, request: BeaconRequest, path: str, identifier: str
) -> tuple[BeaconRequest, PathSelection] | None:
    """Return the restriction that an identifier in a path stands for, and notes in the request.

    None: a variant on GRCh37 whose place on GRCh38 is not known. An unknown variant or person gives
    a valid answer: it does not exist here. A path with one person requires the right to see
    records. Otherwise the person is not looked up.
    """
    if path == "g_variants":
        return _select_variant(node_data, request, identifier)
    if path in COLLECTIONS:
        dataset = dataset_in_path(node_data, rights, path, identifier)
        named = NOTHING_SELECTED if dataset is None else PathSelection(datasets=(dataset.id,))
        return request, named
    rights.require_records(
        one.id
        for one in node_data.datasets
        if one.kind in OF_PEOPLE
        and (
            one.id in request.datasets
            if request.datasets
            else (one.kind == "tests") == request.test_mode
        )
    )
    suffix = SAMPLES.get(path, "")
    position = None
    if identifier.endswith(suffix):
        position = node_data.people.position(identifier.removesuffix(suffix))
    person = BitMap() if position is None else BitMap([position])
    return request, PathSelection(person, kinds=OF_PEOPLE, single=True)


def _select_variant(
    node_data: NodeData, request: BeaconRequest, identifier: str
) -> tuple[BeaconRequest, PathSelection] | None:
    """Return the variant of a path, and how it was read. None: it is not known on GRCh38."""
    meant: VariantQuery = query_of_identifier(identifier)
    notes: tuple[str, ...] = ()
    on_grch37 = assembly_of_name(identifier, request.assembly) == GRCH37
    check_end(meant, on_grch37)
    if on_grch37:
        lifted = node_data.liftover.lift(meant)
        if lifted is None:
            return None
        meant, notes = lifted, () if lifted == meant else (LIFTED,)
    if isinstance(meant, HgvsQuery | CodingQuery | ProteinQuery):
        meant, more = _meant(meant, node_data)
        notes = (*notes, *more)
    elif isinstance(meant, VrsQuery):
        notes = tuple(_notes_on_identifier(request, node_data))
    noted = replace(request, warnings=(*request.warnings, *notes)) if notes else request
    return noted, PathSelection(variant=meant)


def _notes_on_identifier(request: BeaconRequest, node_data: NodeData) -> Iterator[str]:
    """Yield how a computed identifier in a path was read."""
    if request.assembly == GRCH37:
        yield NO_ASSEMBLY
    if node_data.sequences is None:
        yield ONLY_SUBSTITUTIONS


def _check_cohort(node_data: NodeData, identifier: str) -> None:
    if identifier != records.cohort_id(node_data):
        raise Problem.mismatch("cohorts", "a cohort of this node", shown(identifier), 404)


def _collections(
    node_data: NodeData,
    rights: Rights,
    request: BeaconRequest,
    path: str,
    identifier: str | None,
    caller: str,
) -> Body:
    """Answer ``/datasets`` and ``/cohorts``, and one entry of them.

    Everybody who sees a dataset also sees its description.
    """
    granularity: Granularity = request.granularity or "record"
    entries = _cohorts if path == "cohorts" else _dataset_records
    found, result = entries(node_data, rights, request, identifier, caller)
    page = found[request.first : request.first + request.limit] if granularity == "record" else []
    beacon_id = node_data.settings.beacon_id
    body: Body = {
        "meta": envelope.meta(beacon_id, path, request, granularity, granularity),
        "responseSummary": envelope.summary(bool(found), len(found), granularity),
        "response": {"collections": page},
    }
    return _with_info(body, result, request)


def _cohorts(
    node_data: NodeData,
    rights: Rights,
    request: BeaconRequest,
    identifier: str | None,
    caller: str,
) -> tuple[list[Record], Result]:
    """Return the cohort, unless a query matches none of its datasets; and the query's answer."""
    if identifier is not None:
        _check_cohort(node_data, identifier)
    chosen, result = _datasets(node_data, rights, request, (), caller)
    if not chosen and (request.variants is not None or request.filters):
        return [], result
    return [records.cohort_record(node_data, rights)], result


def _dataset_records(
    node_data: NodeData,
    rights: Rights,
    request: BeaconRequest,
    identifier: str | None,
    caller: str,
) -> tuple[list[Record], Result]:
    """Return the datasets, or one; with a query, only those with matches, and its answer."""
    named = () if identifier is None else (identifier,)
    chosen, result = _datasets(node_data, rights, request, named, caller)
    return [records.dataset_record(one, node_data, rights) for one in chosen], result


def _datasets(
    node_data: NodeData,
    rights: Rights,
    request: BeaconRequest,
    named: tuple[str, ...],
    caller: str,
) -> tuple[list[str], Result]:
    """Return identifiers of datasets, and the answer to a query.

    Without a query or test mode they are all datasets, or those named. With a query, they are the
    datasets with matches among those that it asks.
    """
    selected = PathSelection(datasets=named)
    question = Question("datasets", request, "boolean", rights, selected)
    has_query = request.variants is not None or bool(request.filters)
    chosen = node_data.datasets
    if question.named_datasets() or has_query or request.test_mode:
        chosen = tuple(named_or_usual(question, node_data))
    wanted = [one.id for one in chosen if rights.sees(one.id)]
    if not has_query:
        return wanted, Result([])
    of_any_dataset = replace(request, datasets=())
    selected = PathSelection(datasets=tuple(wanted))
    question = Question("g_variants", of_any_dataset, "boolean", rights, selected, caller)
    result = answer(question, node_data)
    return [one.dataset for one in result.sets if one.exists], result
