"""The documents that a FAIR Data Point serves, cut out of a catalogue."""

from __future__ import annotations

from collections.abc import Collection

from rdflib import Graph, URIRef

from rehearsal.catalogue.health_dcat_ap import new_graph, to_json_ld, to_turtle


def fair_data_point_documents(graph: Graph, base: str) -> dict[str, object]:
    """What a FAIR Data Point answers with: ``base``, and by path the document in each format.

    A document tells of the resource at its address, and of those that it leads to which are not
    documents of their own in the chain point - catalogue - dataset - distribution.
    """
    own = {
        subject
        for subject in graph.subjects()
        if isinstance(subject, URIRef) and _is_document(subject, base)
    }
    by_path = {}
    for subject in sorted(own):
        part = new_graph()
        _copy(graph, part, subject, own, {subject})
        path = "/" + str(subject).removeprefix(base)
        by_path[path] = {"text/turtle": to_turtle(part), "application/ld+json": to_json_ld(part)}
    return {"base": base, "documents": by_path}


def _is_document(subject: URIRef, base: str) -> bool:
    name = str(subject).rsplit("/", 1)[-1]
    return str(subject).startswith(f"{base}fdp") and name not in ("agent", "contact")


def _copy(
    graph: Graph, part: Graph, subject: URIRef, own: Collection[URIRef], seen: set[URIRef]
) -> None:
    """Copy what the graph says of a resource, and of those that it leads to which are not in
    ``own``."""
    for predicate, value in graph.predicate_objects(subject):
        part.add((subject, predicate, value))
        if isinstance(value, URIRef) and value not in own and value not in seen:
            seen.add(value)
            _copy(graph, part, value, own, seen)
