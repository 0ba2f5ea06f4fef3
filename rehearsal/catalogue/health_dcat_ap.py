"""Catalogues in RDF: HealthDCAT-AP in the profile of GDI, served by a FAIR Data Point.

They follow the shapes of GDI metadata v1.1 (Health-RI, 2025) and of GDI's FAIR Data Point,
https://specs.fairdatapoint.org/fdp-specs-v1.2.html. The addresses of all documents begin with one
base, which a service replaces by its own address.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, XSD

from rehearsal.catalogue.dataset_descriptor import DatasetDescriptor, Distribution
from rehearsal.errors import mismatch

DCATAP = Namespace("http://data.europa.eu/r5r/")
HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
GDI = Namespace("http://data.gdi.eu/core/p2/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
DPV = Namespace("https://w3id.org/dpv#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
LDP = Namespace("http://www.w3.org/ns/ldp#")
FDP = Namespace("https://w3id.org/fdp/fdp-o#")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
DCAT_NAMESPACE = Namespace(str(DCAT))  # for terms that DCAT does not define
DUO = Namespace("http://purl.obolibrary.org/obo/DUO_")
PREFIXES = {
    "dcat": DCAT,
    "dct": DCTERMS,
    "foaf": FOAF,
    "dcatap": DCATAP,
    "healthdcatap": HEALTH,
    "gdi": GDI,
    "vcard": VCARD,
    "dpv": DPV,
    "adms": ADMS,
    "ldp": LDP,
    "fdp-o": FDP,
    "odrl": ODRL,
    "xsd": XSD,
}

EHDS = URIRef("http://data.europa.eu/eli/reg/2025/327/oj")  # Regulation (EU) 2025/327
AUTHORITY = "http://publications.europa.eu/resource/authority"
PUBLIC = URIRef(f"{AUTHORITY}/access-right/PUBLIC")
RESTRICTED = URIRef(f"{AUTHORITY}/access-right/RESTRICTED")
HEALTH_THEME = URIRef(f"{AUTHORITY}/data-theme/HEAL")
DEVELOPED = URIRef(f"{AUTHORITY}/distribution-status/DEVELOP")
DATASET_DEVELOPED = URIRef(f"{AUTHORITY}/dataset-status/DEVELOP")
ENGLISH = URIRef(f"{AUTHORITY}/language/ENG")
SYNTHETIC = URIRef("https://publications.europa.eu/resource/authority/dataset-type/SYNTHETIC_DATA")
THEMES = URIRef(f"{AUTHORITY}/data-theme")  # the taxonomy of HEALTH_THEME
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
JSON_FILE = URIRef(f"{AUTHORITY}/file-type/JSON")
MIT = URIRef("https://opensource.org/license/mit")
FDP_SPECIFICATION = URIRef("https://specs.fairdatapoint.org/fdp-specs-v1.2.html")

DOMAIN = "rehearsal.example"


def base_address(country_code: str) -> str:
    """Make the placeholder for the address of a country's service in metadata files.

    Args:
        country_code: The code of the country.

    Returns:
        An address that ends in a slash.
    """
    return f"https://{country_code.lower()}.{DOMAIN}/"


def build_catalogue(
    descriptors: Sequence[DatasetDescriptor], base: str, title: str, version: str
) -> Graph:
    """Build the metadata of a service: its FAIR Data Point, its catalogue and its datasets.

    Args:
        descriptors: The datasets.
        base: Address of the service, which ends in a slash.
        title: Title of the catalogue.
        version: The version of Rehearsal.

    Returns:
        The metadata.

    Raises:
        ValueError: There is no dataset.
    """
    if not descriptors:
        raise ValueError(mismatch("catalogue", "at least one dataset", "none"))
    graph = new_graph()
    first = descriptors[0]
    service = _add_service(graph, base, first, descriptors)
    listed = _add_catalogue(graph, base, title, descriptors)
    _add_point(graph, base, title, version, listed, first.year)
    for descriptor in descriptors:
        _add_dataset(graph, base, descriptor, service)
    return graph


def new_graph() -> Graph:
    """Make an empty graph with fixed prefixes for its vocabularies."""
    graph = Graph()
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    return graph


def to_turtle(graph: Graph) -> str:
    """Write a graph as Turtle.

    Args:
        graph: The graph.

    Returns:
        The text.
    """
    return graph.serialize(format="turtle")


def to_json_ld(graph: Graph) -> str:
    """Write a graph as JSON-LD, sorted, because rdflib's own order is random.

    Args:
        graph: The graph.

    Returns:
        The text.
    """
    context = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
    document = json.loads(graph.serialize(format="json-ld", context=context))
    return json.dumps(_sorted(document), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _sorted(value: Any) -> Any:
    """Sort every list in plain data; the order of our lists has no meaning."""
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def document_iri(base: str, *parts: str) -> URIRef:
    """Make the address of a document of the FAIR Data Point.

    Args:
        base: Address of the service, which ends in a slash.
        *parts: Parts of the document's path.

    Returns:
        The address.
    """
    return URIRef(base + "/".join(("fdp", *parts)))


def dataset_iri(base: str, descriptor: DatasetDescriptor) -> URIRef:
    """Make the address of a dataset's document.

    Args:
        base: Address of the service, which ends in a slash.
        descriptor: The dataset.

    Returns:
        The address.
    """
    return document_iri(base, "dataset", descriptor.identifier)


def _add_point(
    graph: Graph, base: str, title: str, version: str, listed: URIRef, year: int
) -> None:
    point = document_iri(base)
    _add_metadata(graph, point, year)
    for predicate, value in (
        (RDF.type, FDP.FAIRDataPoint),
        (DCTERMS.conformsTo, FDP_SPECIFICATION),
        (DCTERMS.title, Literal(f"FAIR Data Point of {title}", lang="en")),
        (DCTERMS.description, Literal("Metadata of synthetic data: no real person.", lang="en")),
        (DCTERMS.publisher, _add_agent(graph, base)),
        (DCTERMS.language, ENGLISH),
        (DCTERMS.hasVersion, Literal(version)),
        (DCAT_NAMESPACE.endPointURL, URIRef(base)),  # this spelling is in the shapes of GDI's point
        (DCAT.endpointURL, URIRef(base)),
        (FDP.conformsToFdpSpec, FDP_SPECIFICATION),
        (FDP.metadataCatalog, listed),
    ):
        graph.add((point, predicate, value))
    container = document_iri(base, "catalogs")
    _add_container(graph, container, "Catalogues", point, FDP.metadataCatalog, [listed])


def _add_metadata(graph: Graph, resource: URIRef, year: int) -> None:
    """Add what every resource of a FAIR Data Point has: licence, identifier and dates."""
    date = Literal(f"{year}-01-01T00:00:00+00:00", datatype=XSD.dateTime)
    for predicate, value in (
        (DCTERMS.license, MIT),
        (FDP.metadataIdentifier, resource),
        (FDP.metadataIssued, date),
        (FDP.metadataModified, date),
    ):
        graph.add((resource, predicate, value))


def _add_container(
    graph: Graph,
    container: URIRef,
    title: str,
    resource: URIRef,
    relation: URIRef,
    members: Iterable[URIRef],
) -> None:
    """Add the list by which harvesters walk from a resource to those below it."""
    for predicate, value in (
        (RDF.type, LDP.DirectContainer),
        (DCTERMS.title, Literal(title, lang="en")),
        (LDP.hasMemberRelation, relation),
        (LDP.membershipResource, resource),
        *((LDP.contains, member) for member in members),
    ):
        graph.add((container, predicate, value))


def _add_catalogue(
    graph: Graph, base: str, title: str, descriptors: Sequence[DatasetDescriptor]
) -> URIRef:
    listed = document_iri(base, "catalog")
    datasets = [dataset_iri(base, one) for one in descriptors]
    about = f"{title}. Every person in it is simulated."
    _add_metadata(graph, listed, descriptors[0].year)
    for predicate, value in (
        (RDF.type, DCAT.Catalog),
        (DCTERMS.conformsTo, FDP_SPECIFICATION),
        (DCTERMS.title, Literal(title, lang="en")),
        (DCTERMS.description, Literal(about, lang="en")),
        (DCTERMS.publisher, _add_agent(graph, base)),
        (DCTERMS.isPartOf, document_iri(base)),
        (DCTERMS.language, ENGLISH),
        (DCAT.themeTaxonomy, THEMES),
        (DCATAP.applicableLegislation, EHDS),
        *((DCAT.dataset, dataset) for dataset in datasets),
    ):
        graph.add((listed, predicate, value))
    _add_container(
        graph, document_iri(base, "datasets"), "Datasets", listed, DCAT.dataset, datasets
    )
    return listed


def _add_service(
    graph: Graph, base: str, first: DatasetDescriptor, descriptors: Sequence[DatasetDescriptor]
) -> URIRef:
    service = document_iri(base, "service")
    for predicate, value in (
        (RDF.type, DCAT.DataService),
        (DCTERMS.title, Literal(f"Beacon and htsget of {first.country_name}", lang="en")),
        (DCAT.endpointURL, URIRef(base)),
        *((DCAT.servesDataset, dataset_iri(base, one)) for one in descriptors),
    ):
        graph.add((service, predicate, value))
    return service


def _add_dataset(graph: Graph, base: str, one: DatasetDescriptor, service: URIRef) -> None:
    dataset = dataset_iri(base, one)
    agent = _add_agent(graph, base)
    _add_metadata(graph, dataset, one.year)
    for predicate, value in (
        (RDF.type, DCAT.Dataset),
        (DCTERMS.identifier, Literal(one.identifier)),
        (DCTERMS.title, Literal(one.title, lang="en")),
        (DCTERMS.description, Literal(one.description, lang="en")),
        (DCTERMS.accessRights, PUBLIC if one.identifier.startswith("GOE") else RESTRICTED),
        (DCTERMS.creator, agent),
        (DCTERMS.publisher, agent),
        (DCTERMS.type, SYNTHETIC),
        (DCTERMS.isPartOf, document_iri(base, "catalog")),
        (DCTERMS.language, ENGLISH),
        (DCAT.contactPoint, _add_contact(graph, base)),
        (DCAT.theme, HEALTH_THEME),
        (DCATAP.applicableLegislation, EHDS),
        (HEALTH.hdab, agent),
        (HEALTH.healthCategory, GDI.HealthCategoryHumanGenomic),
        # this spelling is in the shapes of GDI's FAIR Data Point
        (HEALTH.healthCatagory, GDI.HealthCategoryHumanGenomic),
        *((HEALTH.numberOfRecords, _number(n)) for n in (one.records,) if n is not None),
        (HEALTH.numberOfUniqueIndividuals, _number(one.individuals)),
        (ADMS.status, DATASET_DEVELOPED),
        *((DPV.hasLegalBasis, DPV[basis]) for basis in one.legal_bases),
        *((DCAT.keyword, Literal(word, lang="en")) for word in one.keywords),
        (ODRL.hasPolicy, _add_policy(graph, base, one)),
    ):
        graph.add((dataset, predicate, value))
    distributions = [
        _add_distribution(graph, base, one, distribution, service)
        for distribution in one.distributions
    ]
    for distribution in distributions:
        graph.add((dataset, DCAT.distribution, distribution))
    container = document_iri(base, "dataset", one.identifier, "distributions")
    _add_container(graph, container, "Distributions", dataset, DCAT.distribution, distributions)


def _number(value: int) -> Literal:
    return Literal(value, datatype=XSD.nonNegativeInteger)


def _add_distribution(
    graph: Graph, base: str, one: DatasetDescriptor, given: Distribution, service: URIRef
) -> URIRef:
    distribution = document_iri(base, "distribution", f"{one.identifier}-{given.name}")
    media_type = URIRef(MEDIA_TYPES + given.media_type)
    _add_metadata(graph, distribution, one.year)
    for predicate, value in (
        (RDF.type, DCAT.Distribution),
        (DCTERMS.title, Literal(given.title, lang="en")),
        (DCAT.accessURL, URIRef(base + given.path)),
        (DCAT.accessService, service),
        (DCAT.mediaType, media_type),
        (DCTERMS.format, JSON_FILE if given.media_type == "application/json" else media_type),
        (DCTERMS.isPartOf, dataset_iri(base, one)),
        (DCATAP.applicableLegislation, EHDS),
        (ADMS.status, DEVELOPED),
    ):
        graph.add((distribution, predicate, value))
    return distribution


def _add_policy(graph: Graph, base: str, one: DatasetDescriptor) -> URIRef:
    """Add the permitted uses of a dataset: one permission per DUO term in the consent records."""
    policy = document_iri(base, "policy", one.identifier)
    graph.add((policy, RDF.type, ODRL.Set))
    for term, _ in one.uses:
        permission = document_iri(base, "policy", f"{one.identifier}-{term.removeprefix('DUO:')}")
        graph.add((policy, ODRL.permission, permission))
        graph.add((permission, RDF.type, ODRL.Permission))
        graph.add((permission, ODRL.action, DUO[term.removeprefix("DUO:")]))
        graph.add((permission, ODRL.target, dataset_iri(base, one)))
    return policy


def _add_agent(graph: Graph, base: str) -> URIRef:
    agent = document_iri(base, "agent")
    graph.add((agent, RDF.type, FOAF.Agent))
    graph.add((agent, FOAF.name, Literal("Rehearsal (nobody real)", lang="en")))
    graph.add((agent, DCAT.contactPoint, _add_contact(graph, base)))
    return agent


def _add_contact(graph: Graph, base: str) -> URIRef:
    contact = document_iri(base, "contact")
    graph.add((contact, RDF.type, VCARD.Kind))
    graph.add((contact, VCARD.fn, Literal("Nobody: the data are synthetic")))
    graph.add((contact, VCARD.hasEmail, URIRef(f"mailto:nobody@{DOMAIN}")))
    return contact
