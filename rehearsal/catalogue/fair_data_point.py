"""The documents that a FAIR Data Point serves, taken from a catalogue."""

from __future__ import annotations

from collections.abc import Collection

from rdflib import Graph, URIRef

from rehearsal.catalogue.health_dcat_ap import LDP, new_graph, to_json_ld, to_turtle

CONTAINED = ("agent", "contact")  # in every document that refers to them


def fair_data_point_documents(graph: Graph, base: str) -> dict[str, object]:
    """Split a catalogue into the documents of a FAIR Data Point.

    A document describes the resource at its address. It also contains the resources that this one
    refers to, unless they are in the chain point - catalogue - dataset - distribution: agent and
    contact have documents of their own and are in all others too. And it contains the container
    that lists the resources below it: harvesters walk from the first document to the last by
    ``ldp:contains``, FAIR Data Point 1.2.

    Args:
        graph: The catalogue.
        base: Address of the service, which ends in a slash.

    Returns:
        ``base``, and ``documents``: by path, the text of each format by its media type.
    """
    documents = {
        subject
        for subject in graph.subjects()
        if isinstance(subject, URIRef) and subject.startswith(f"{base}fdp")
    }
    linked = {one for one in documents if one.rsplit("/", 1)[-1] not in CONTAINED}
    by_path = {}
    for subject in sorted(documents):
        part = new_graph()
        _copy(graph, part, subject, linked, {subject})
        for container in graph.subjects(LDP.membershipResource, subject):
            part += graph.triples((container, None, None))
        path = "/" + str(subject).removeprefix(base)
        by_path[path] = {"text/turtle": to_turtle(part), "application/ld+json": to_json_ld(part)}
    return {"base": base, "documents": by_path}


def _copy(
    graph: Graph, part: Graph, subject: URIRef, linked: Collection[URIRef], seen: set[URIRef]
) -> None:
    """Copy statements about a resource and about those it leads to that are not in ``linked``."""
    for predicate, value in graph.predicate_objects(subject):
        part.add((subject, predicate, value))
        if isinstance(value, URIRef) and value not in linked and value not in seen:
            seen.add(value)
            _copy(graph, part, value, linked, seen)
