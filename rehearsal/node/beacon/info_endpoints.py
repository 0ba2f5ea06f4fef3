"""The informational endpoints: what a node says about itself."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pyroaring import BitMap

from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.model import Granularity
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.datasets import Dataset
from rehearsal.node.beacon.entry_types import (
    API_VERSION,
    COLLECTIONS,
    ENTRY_TYPES,
    SPECIFICATION,
    EntryType,
)
from rehearsal.node.beacon.filters import BIRTH_DECADE, ONTOLOGIES
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_search import TEXT_FIELDS, born_in
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore, Term
from rehearsal.web.openapi import Body

CONFIGURATION_SCHEMA = (
    "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/framework/json/configuration/"
)
ORGANIZATION_URL = "https://framework.onemilliongenomes.eu/"
DEFAULT_GRANULARITY: Granularity = "boolean"
FILTERED_ENTRY_TYPES = ("individual", "biosample", "run", "analysis")
TEXTS: tuple[Body, ...] = tuple(
    {"id": name, "label": f"label of a {kind}; % matches any text", "type": "alphanumeric"}
    for name, kind in TEXT_FIELDS.items()
)
FIRST_DECADE, LAST_DECADE = 1800, 2090  # of birth


def info(settings: NodeSettings) -> Body:
    """Build the response of ``/`` and ``/info``.

    Args:
        settings: The node's settings.
    """
    country = settings.country_name
    return {
        "id": settings.beacon_id,
        "name": f"Rehearsal node of {country}",
        "apiVersion": API_VERSION,
        "environment": "test",
        "organization": {
            "id": f"rehearsal-{settings.country_code}",
            "name": f"Rehearsal of {country}",
        },
        "description": f"Synthetic genomes and phenotypes of {country}. No real person.",
        "version": settings.version,
        "info": {
            "country": settings.country_code,
            "synthetic": True,
            "assembly": "GRCh38",
        },
    }


def service_info(settings: NodeSettings) -> Body:
    """Build the whole answer of ``/service-info`` (GA4GH service-info 1.0.0).

    Args:
        settings: The node's settings.
    """
    return {
        "id": settings.beacon_id,
        "name": f"Rehearsal node of {settings.country_name}",
        "type": {"group": "org.ga4gh", "artifact": "beacon", "version": API_VERSION},
        "organization": {
            "name": f"Rehearsal of {settings.country_name}",
            "url": ORGANIZATION_URL,
        },
        "version": settings.version,
        "environment": "test",
        "description": f"Synthetic genomes and phenotypes of {settings.country_name}.",
    }


def configuration() -> Body:
    """Build the response of ``/configuration``."""
    return {
        "$schema": f"{CONFIGURATION_SCHEMA}beaconConfigurationSchema.json",
        "maturityAttributes": {"productionStatus": "TEST"},
        "securityAttributes": {
            "defaultGranularity": DEFAULT_GRANULARITY,
            "securityLevels": ["PUBLIC", "REGISTERED", "CONTROLLED"],
        },
        "entryTypes": {one.id: _definition(one) for one in ENTRY_TYPES.values()},
    }


def entry_types() -> Body:
    """Build the response of ``/entry_types``."""
    return {"entryTypes": {one.id: _definition(one) for one in ENTRY_TYPES.values()}}


def _definition(one: EntryType) -> Body:
    definition = {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "ontologyTermForThisType": {"id": one.term[0], "label": one.term[1]},
        "partOfSpecification": SPECIFICATION,
        "defaultSchema": {
            "id": one.schema,
            "name": f"Default schema of {one.id}",
            "referenceToSchemaDefinition": one.schema_url,
            "schemaVersion": API_VERSION,
        },
        "additionallySupportedSchemas": [],
        "nonFilteredQueriesAllowed": True,
    }
    if one.path in COLLECTIONS:
        listed = (ENTRY_TYPES[path] for path in one.lists)
        definition["aCollectionOf"] = [{"id": entry.id, "name": entry.name} for entry in listed]
    return definition


def beacon_map(base: str, has_matching: bool = True) -> Body:
    """Build the response of ``/map``.

    Args:
        base: The URL that the caller used, without a final slash.
        has_matching: Whether patients can be matched.
    """
    return {
        "$schema": f"{CONFIGURATION_SCHEMA}beaconMapSchema.json",
        "endpointSets": {one.id: _endpoints(one, base) for one in ENTRY_TYPES.values()},
        **({"otherEndpoints": {"match": f"{base}/match"}} if has_matching else {}),
    }


def _endpoints(one: EntryType, base: str) -> Body:
    single = f"{base}/{one.path}/{{id}}"
    return {
        "entryType": one.id,
        "openAPIEndpointsDefinition": f"{base}/openapi.json",
        "rootUrl": f"{base}/{one.path}",
        "singleEntryUrl": single,
        "filteringTermsUrl": f"{base}/{one.path}/filtering_terms",
        "endpoints": {
            ENTRY_TYPES[path].id: {
                "returnedEntryType": ENTRY_TYPES[path].id,
                "url": f"{single}/{path}",
            }
            for path in one.lists
        },
    }


def filtering_terms(node_data: NodeData, rights: Rights, dataset: Dataset | None = None) -> Body:
    """Build the response of ``/filtering_terms``: what people of this node can be filtered by.

    Callers with exact answers see the terms, numbers and texts by which somebody who permits the
    purpose is found. For protected tiers the list comes from public facts alone: the sexes, and the
    terms that people at other nodes have. It is the same for every purpose, and does not say that
    anybody here has a term.

    Every term restricts people and thereby their samples, so each is listed for the same entry
    types.

    Args:
        node_data: The node's data.
        rights: What the caller may see.
        dataset: A dataset that the caller sees, whose people count. None: everybody.

    Returns:
        ``filteringTerms`` and ``resources``.
    """
    terms = terms_for(node_data, rights, dataset)
    others = _fields(node_data, rights, dataset)
    prefixes = {term.id.partition(":")[0] for term in terms}
    listed = [{"id": one.id, "label": one.label, "type": _ontology(one.id)} for one in terms]
    return {
        "filteringTerms": [
            {**one, "scopes": list(FILTERED_ENTRY_TYPES)} for one in (*listed, *others)
        ],
        "resources": [_resource(prefix) for prefix in ONTOLOGIES if prefix in prefixes],
    }


def _fields(node_data: NodeData, rights: Rights, dataset: Dataset | None) -> list[Body]:
    """List fields and decades for callers with exact answers, for others none."""
    asked = _asked_people(node_data, dataset)
    if not rights.sees(asked) or asked in rights.doors:
        return []
    people, among = node_data.people, _among(node_data, rights, dataset)
    return [*_numbers(people, among), *TEXTS, *_decades(people, among)]


def terms_for(node_data: NodeData, rights: Rights, dataset: Dataset | None = None) -> list[Term]:
    """List the terms that a caller is told of, as :func:`filtering_terms` describes it.

    Args:
        node_data: The node's data.
        rights: What the caller may see.
        dataset: A dataset that the caller sees, whose people count. None: everybody.

    Returns:
        The terms, in order.
    """
    asked = _asked_people(node_data, dataset)
    if not rights.sees(asked):
        return []
    door = rights.doors.get(asked)
    if door is not None:
        return _public_terms(door.facts)
    return _terms_of_people(node_data.people, _among(node_data, rights, dataset))


def _asked_people(node_data: NodeData, dataset: Dataset | None) -> str:
    """Return the dataset by whose rights its terms are told: of frequencies, that of the people."""
    if dataset is None or dataset.kind == "frequencies":
        return node_data.settings.people_dataset
    return dataset.id


def _among(node_data: NodeData, rights: Rights, dataset: Dataset | None) -> BitMap:
    """Return the people of a dataset who are not excluded from answers."""
    members = None if dataset is None else node_data.members(dataset)
    return (node_data.people.everyone if members is None else members) - rights.excluded


def _public_terms(facts: PublicFacts) -> list[Term]:
    """Return the terms that protected tiers may use as filters, in order."""
    sexes = (Term(term, sex, "sex") for sex, term in SEX_TERMS.items())
    terms = {term.id: term for term in (*sexes, *facts.terms)}
    return [terms[identifier] for identifier in sorted(terms)]


def _terms_of_people(people: PeopleStore, among: BitMap) -> list[Term]:
    """Return the terms that some people have."""
    return [
        term
        for term in people.terms.values()
        if people.with_term(term.id, descendants=False).intersect(among)
    ]


def _numbers(people: PeopleStore, among: BitMap) -> Iterator[Body]:
    """Yield the numeric fields of which some people have a value."""
    for field in people.numbers.values():
        if people.with_number(field.id, ">=", -math.inf).intersect(among):
            label = _with_unit(field.label, field.unit)
            yield {"id": field.id, "label": label, "type": "alphanumeric"}


def _decades(people: PeopleStore, among: BitMap) -> Iterator[Body]:
    """Yield the decades in which some people were born."""
    for decade in range(FIRST_DECADE, LAST_DECADE + 1, 10):
        if born_in(decade, people).intersect(among):
            label = f"born from {decade} to {decade + 9}"
            yield {"id": f"{BIRTH_DECADE}{decade}", "label": label, "type": "custom"}


def _ontology(term: str) -> str:
    return ONTOLOGIES.get(term.partition(":")[0], ("ontology",))[0]


def _with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label


def _resource(prefix: str) -> Body:
    name, iri = ONTOLOGIES[prefix]
    return {"id": prefix.lower(), "name": name, "nameSpacePrefix": prefix, "iriPrefix": iri}
