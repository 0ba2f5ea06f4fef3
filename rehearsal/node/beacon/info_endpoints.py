"""What a node says about itself: the informational endpoints."""

from __future__ import annotations

import math
from typing import Any

from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.entry_types import COLLECTIONS, ENTRY_TYPES, SPECIFICATION, EntryType
from rehearsal.node.beacon.envelope import API_VERSION
from rehearsal.node.beacon.filters import BIRTH_DECADE, ONTOLOGIES
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_search import TEXT_FIELDS, born_in
from rehearsal.node.settings import NodeSettings

Body = dict[str, Any]

CONFIGURATION_SCHEMA = (
    "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/framework/json/configuration/"
)
ORGANIZATION_URL = "https://framework.onemilliongenomes.eu/"
DEFAULT_GRANULARITY = "boolean"


def info(settings: NodeSettings) -> Body:
    """The response of ``/`` and ``/info``."""
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
            "build": settings.build,
            "assembly": "GRCh38",
        },
    }


def service_info(settings: NodeSettings) -> Body:
    """The whole answer of ``/service-info`` (GA4GH service-info 1.0.0)."""
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
    """The response of ``/configuration``."""
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
    """The response of ``/entry_types``."""
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


def beacon_map(base: str) -> Body:
    """The response of ``/map``. ``base``: the URL that the caller used, without a last slash."""
    return {
        "$schema": f"{CONFIGURATION_SCHEMA}beaconMapSchema.json",
        "endpointSets": {one.id: _endpoints(one, base) for one in ENTRY_TYPES.values()},
        "otherEndpoints": {"match": f"{base}/match"},
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


def filtering_terms(node_data: NodeData, rights: Rights) -> Body:
    """The response of ``/filtering_terms``: what people of this node can be filtered by.

    A term is listed when the caller would be told that somebody has it: the list must not tell
    of a rare disease what a question does not. Numbers and texts are listed for those who may
    filter by them: to whom the dataset of people answers exactly.

    Every term restricts people, and thereby what belongs to them: each is offered for the same
    entry types.
    """
    scopes = ["individual", "biosample", "run", "analysis"]
    people = node_data.people
    dataset = node_data.settings.people_dataset
    protector = rights.protectors.get(dataset)
    least = 1 if protector is None else protector.least
    told = [
        term
        for term in people.terms.values()
        if rights.sees(dataset)
        and len(people.with_term(term.id, descendants=False) - rights.excluded) >= least
    ]
    exact = rights.sees(dataset) and protector is None
    terms = [
        {"id": term.id, "label": term.label, "type": _ontology(term.id), "scopes": scopes}
        for term in told
    ]
    numbers = [
        {"id": field.id, "label": _with_unit(field.label, field.unit), "type": "alphanumeric"}
        for field in people.numbers.values()
        if exact and people.with_number(field.id, ">=", -math.inf) - rights.excluded
    ]
    texts = [
        {"id": name, "label": f"label of a {kind}; % is any text", "type": "alphanumeric"}
        for name, kind in TEXT_FIELDS.items()
        if exact
    ]
    decades = [
        {
            "id": f"{BIRTH_DECADE}{decade}",
            "label": f"born from {decade} to {decade + 9}",
            "type": "custom",
        }
        for decade in range(1800, 2100, 10)
        if exact and born_in(decade, people) - rights.excluded
    ]
    others = [{**one, "scopes": scopes} for one in (*numbers, *texts, *decades)]
    used = {term.id.partition(":")[0] for term in told}
    return {
        "filteringTerms": [*terms, *others],
        "resources": [_resource(prefix) for prefix in ONTOLOGIES if prefix in used],
    }


def _ontology(term: str) -> str:
    return ONTOLOGIES.get(term.partition(":")[0], ("ontology",))[0]


def _with_unit(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label


def _resource(prefix: str) -> Body:
    name, iri = ONTOLOGIES[prefix]
    return {"id": prefix.lower(), "name": name, "nameSpacePrefix": prefix, "iriPrefix": iri}
