"""The catalogue of one country's node: its two datasets, and the documents that the node serves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rdflib import Graph, URIRef

from rehearsal.catalogue.dcat import base_of, catalogue, json_ld, new_graph, turtle
from rehearsal.catalogue.descriptor import (
    Descriptor,
    Distribution,
    answer_survey,
    as_json,
    describe_consent,
)
from rehearsal.files import written_aside
from rehearsal.node.settings import NodeSettings

ROUNDED_TO = 10  # people, as nodes tell the sizes of their datasets to the public

FOLDER = "catalogue"
DOCUMENTS = "documents.json"

BEACON = Distribution("beacon", "Allele frequencies by Beacon v2", "g_variants", "application/json")
INDIVIDUALS = Distribution(
    "individuals", "Individuals by Beacon v2, under a visa", "individuals", "application/json"
)
HTSGET = Distribution(
    "htsget", "Variants by htsget 1.3, under a visa", "htsget/variants", "application/json"
)


def describe_node(
    settings: NodeSettings, individuals: int, variants: int, consent: pd.DataFrame
) -> list[Descriptor]:
    """The dataset of frequencies and the dataset of people, as may be told to everybody.

    ``individuals``, ``variants``: how many there are at the node; ``consent``: its people's rows
    of consent.parquet.
    """
    bases, uses = describe_consent(consent)
    survey, name = answer_survey(bases, uses), settings.country_name
    told = round(individuals / ROUNDED_TO) * ROUNDED_TO
    common = {
        "country_code": settings.country_code,
        "country_name": name,
        "individuals": told,
        "year": settings.reference_year,
        "survey": survey,
        "uses": uses,
    }
    return [
        Descriptor(
            identifier=settings.frequencies_dataset,
            title=f"Allele frequencies of {name}, synthetic",
            description=f"Allele frequencies by sex among simulated people of {name}, GRCh38.",
            records=variants,
            distributions=(BEACON,),
            **common,
        ),
        Descriptor(
            identifier=settings.people_dataset,
            title=f"People of {name}, synthetic",
            description=f"Simulated people of {name} with phenotypes and variants, GRCh38.",
            records=told,
            distributions=(INDIVIDUALS, HTSGET),
            **common,
        ),
    ]


def write_catalogue(folder: Path, descriptors: Sequence[Descriptor], version: str) -> Graph:
    """Write a node's catalogue below its folder: Turtle, JSON-LD, descriptors, documents."""
    first = descriptors[0]
    title = f"Synthetic genomes of {first.country_name}"
    graph = catalogue(descriptors, base_of(first.country_code), title, version)
    texts = {
        "catalogue.ttl": turtle(graph),
        "catalogue.jsonld": json_ld(graph),
        "descriptors.json": json.dumps([as_json(one) for one in descriptors], indent=1) + "\n",
        DOCUMENTS: json.dumps(documents(graph, base_of(first.country_code)), indent=1) + "\n",
    }
    for name, text in texts.items():
        with written_aside(folder / FOLDER / name) as aside:
            aside.write_text(text, encoding="utf-8")
    return graph


def documents(graph: Graph, base: str) -> dict[str, object]:
    """What a FAIR Data Point answers with: ``base``, and by path the document in each format.

    A document tells of the resource at its address, and of those that it leads to which are not
    documents of their own in the chain point - catalogue - dataset - distribution.
    """
    own = {
        subject for subject in graph.subjects() if _is_below(subject, base) and _is_page(subject)
    }
    by_path = {}
    for subject in sorted(own):
        part = new_graph()
        _copy(graph, part, subject, own, {subject})
        path = "/" + str(subject).removeprefix(base)
        by_path[path] = {"text/turtle": turtle(part), "application/ld+json": json_ld(part)}
    return {"base": base, "documents": by_path}


def _is_below(subject: object, base: str) -> bool:
    return isinstance(subject, URIRef) and str(subject).startswith(f"{base}fdp")


def _is_page(subject: object) -> bool:
    return str(subject).rsplit("/", 1)[-1] not in ("agent", "contact")


def _copy(graph: Graph, part: Graph, subject: URIRef, own: set, seen: set) -> None:
    for predicate, value in graph.predicate_objects(subject):
        part.add((subject, predicate, value))
        if isinstance(value, URIRef) and value not in own and value not in seen:
            seen.add(value)
            _copy(graph, part, value, own, seen)
