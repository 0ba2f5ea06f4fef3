"""The inventory of others' synthetic datasets as DCAT records.

They have what DCAT-AP 3 asks for and nothing that nobody established: a fact from memory is not in
a record. The profile of GDI asks for more (legal bases, health data access bodies), which only the
publishers of the datasets can say.
"""

from __future__ import annotations

from collections.abc import Iterable

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, XSD

from rehearsal.catalogue.health_dcat_ap import (
    ENGLISH,
    HEALTH,
    HEALTH_THEME,
    PUBLIC,
    RESTRICTED,
    SYNTHETIC,
    base_address,
    new_graph,
)
from rehearsal.catalogue.inventory import PUBLIC as ANYBODY
from rehearsal.catalogue.inventory import OthersDataset

BASE = URIRef(f"{base_address('EU')}inventory")  # our own names for the records, not addresses
CLASSES = {  # of the values of properties, by DCAT-AP
    FOAF.page: FOAF.Document,
    DCAT.landingPage: FOAF.Document,
    DCTERMS.accessRights: DCTERMS.RightsStatement,
    DCTERMS.language: DCTERMS.LinguisticSystem,
    DCTERMS.license: DCTERMS.LicenseDocument,
    DCTERMS.type: SKOS.Concept,
    DCAT.theme: SKOS.Concept,
    DCAT.accessURL: RDFS.Resource,
}
TITLE = "Synthetic genomic datasets of others"
ABOUT = (
    "Facts about synthetic datasets that others publish, with the sources and the dates at which "
    "they were read. Whoever publishes a dataset may have changed it since."
)


def build_inventory_graph(datasets: Iterable[OthersDataset]) -> Graph:
    """Build the records: one catalogue, and a dataset, a distribution and a record for each.

    Args:
        datasets: The datasets.

    Returns:
        The metadata.
    """
    graph = new_graph()
    graph.bind("rdfs", RDFS)
    graph.bind("skos", SKOS)
    for predicate, value in (
        (RDF.type, DCAT.Catalog),
        (DCTERMS.title, Literal(TITLE, lang="en")),
        (DCTERMS.description, Literal(ABOUT, lang="en")),
        (DCTERMS.publisher, _add_agent(graph, "rehearsal", "Rehearsal (nobody real)")),
        (DCTERMS.language, ENGLISH),
    ):
        graph.add((BASE, predicate, value))
    for concept, label in ((HEALTH_THEME, "Health"), (SYNTHETIC, "Synthetic data")):
        graph.add((concept, SKOS.prefLabel, Literal(label, lang="en")))
    for one in datasets:
        dataset = _add_dataset(graph, one)
        graph.add((BASE, DCAT.dataset, dataset))
        graph.add((BASE, DCAT.record, _add_record(graph, one, dataset)))
    _add_classes(graph)
    return graph


def _name(kind: str, key: str) -> URIRef:
    return URIRef(f"{BASE}/{kind}/{key}")


def _add_agent(graph: Graph, key: str, name: str) -> URIRef:
    agent = _name("agent", key)
    graph.add((agent, RDF.type, FOAF.Agent))
    graph.add((agent, FOAF.name, Literal(name, lang="en")))
    return agent


def _add_dataset(graph: Graph, one: OthersDataset) -> URIRef:
    dataset, known = _name("dataset", one.key), _known(one)
    about = f"{one.content} Made up: {one.synthetic}"
    facts: list[tuple[URIRef, URIRef | Literal]] = [
        (RDF.type, DCAT.Dataset),
        (DCTERMS.title, Literal(one.title, lang="en")),
        (DCTERMS.description, Literal(about, lang="en")),
        (DCTERMS.type, SYNTHETIC),
        (DCAT.theme, HEALTH_THEME),
        *((FOAF.page, URIRef(source.address)) for source in one.sources),
    ]
    if "publisher" in known:
        facts.append((DCTERMS.publisher, _add_agent(graph, one.key, one.publisher)))
    if "identifier" in known:
        facts.append((DCTERMS.identifier, Literal(one.identifier)))
    if "people" in known:
        people = Literal(one.people, datatype=XSD.nonNegativeInteger)
        facts.append((HEALTH.numberOfUniqueIndividuals, people))
    if "access" in known:
        facts.append((DCTERMS.accessRights, PUBLIC if one.access == ANYBODY else RESTRICTED))
    if "address" in known:
        facts.append((DCAT.landingPage, URIRef(one.address)))
        facts.append((DCAT.distribution, _add_distribution(graph, one)))
    for predicate, value in facts:
        graph.add((dataset, predicate, value))
    return dataset


def _add_classes(graph: Graph) -> None:
    """Say of what class the values are, so that a validator needs no vocabulary."""
    for predicate, kind in CLASSES.items():
        for value in set(graph.objects(predicate=predicate)):
            graph.add((value, RDF.type, kind))


def _known(one: OthersDataset) -> set[str]:
    """Name the facts that were established and looked up."""
    facts = ("publisher", "identifier", "people", "access", "address", "licence")
    return {name for name in facts if getattr(one, name) is not None} - set(one.from_memory)


def _add_distribution(graph: Graph, one: OthersDataset) -> URIRef:
    distribution = _name("distribution", one.key)
    graph.add((distribution, RDF.type, DCAT.Distribution))
    graph.add((distribution, DCAT.accessURL, URIRef(one.address)))
    if "licence" in _known(one):
        is_address = str(one.licence).startswith("https://")
        licence = URIRef(str(one.licence)) if is_address else _name("licence", one.key)
        if not is_address:
            graph.add((licence, RDFS.label, Literal(one.licence)))
        graph.add((distribution, DCTERMS.license, licence))
    return distribution


def _add_record(graph: Graph, one: OthersDataset, dataset: URIRef) -> URIRef:
    record = _name("record", one.key)
    read = max(source.read for source in one.sources)
    graph.add((record, RDF.type, DCAT.CatalogRecord))
    graph.add((record, FOAF.primaryTopic, dataset))
    graph.add((record, DCTERMS.modified, Literal(read)))
    return record
