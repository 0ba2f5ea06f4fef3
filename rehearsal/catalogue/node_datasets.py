"""Descriptors of the two datasets of a node, and the catalogue that the node serves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rdflib import Graph

from rehearsal.catalogue.dataset_descriptor import (
    DatasetDescriptor,
    Distribution,
    UseTerms,
    answer_survey,
    descriptor_to_json,
)
from rehearsal.catalogue.fair_data_point import fair_data_point_documents
from rehearsal.catalogue.health_dcat_ap import (
    base_address,
    build_catalogue,
    to_json_ld,
    to_turtle,
)
from rehearsal.files import write_text
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings

FOLDER = "catalogue"
DOCUMENTS = "documents.json"  # read by rehearsal.node.fair_data_point

BEACON = Distribution("beacon", "Allele frequencies by Beacon v2", "g_variants", "application/json")
INDIVIDUALS = Distribution(
    "individuals", "Individuals by Beacon v2, under a visa", "individuals", "application/json"
)
HTSGET = Distribution(
    "htsget",
    "Variants by htsget 1.3, under a visa",
    "htsget/variants/service-info",  # /htsget/variants itself is no path of the protocol
    "application/json",
)


def describe_node_datasets(
    settings: NodeSettings, facts: PublicFacts, terms: UseTerms
) -> list[DatasetDescriptor]:
    """Describe a node's dataset of frequencies and its dataset of people, for the public.

    The descriptions depend on public facts only. The exact number of variants, or a use that only
    one person permits, would tell who is in the data.

    Args:
        settings: The settings of the node.
        facts: The public facts of the node.
        terms: What people in its data may have permitted.

    Returns:
        The descriptor of the frequencies, then that of the people.
    """
    name = settings.country_name
    frequencies = DatasetDescriptor(
        identifier=settings.frequencies_dataset,
        title=f"Allele frequencies of {name}, synthetic",
        description=f"Allele frequencies by sex among simulated people of {name}, GRCh38.",
        country_code=settings.country_code,
        country_name=name,
        individuals=facts.people,
        records=None,
        year=settings.reference_year,
        survey=answer_survey(terms, facts.people),
        gdpr_bases=terms.legal_bases,
        uses=terms.uses,
        distributions=(BEACON,),
    )
    people = replace(
        frequencies,
        identifier=settings.people_dataset,
        title=f"People of {name}, synthetic",
        description=f"Simulated people of {name} with phenotypes and variants, GRCh38.",
        records=facts.people,
        distributions=(INDIVIDUALS, HTSGET),
    )
    return [frequencies, people]


def write_node_catalogue(
    folder: Path, descriptors: Sequence[DatasetDescriptor], version: str
) -> Graph:
    """Write the catalogue of a node: Turtle, JSON-LD, descriptors, documents.

    Args:
        folder: The folder of the node; the files go into a folder in it.
        descriptors: The datasets of the node.
        version: The version of Rehearsal.

    Returns:
        The catalogue.
    """
    first = descriptors[0]
    base, title = base_address(first.country_code), f"Synthetic genomes of {first.country_name}"
    graph = build_catalogue(descriptors, base, title, version)
    described = [descriptor_to_json(one) for one in descriptors]
    texts = {
        "catalogue.ttl": to_turtle(graph),
        "catalogue.jsonld": to_json_ld(graph),
        "descriptors.json": json.dumps(described, indent=1) + "\n",
        DOCUMENTS: json.dumps(fair_data_point_documents(graph, base), indent=1) + "\n",
    }
    for name, text in texts.items():
        write_text(folder / FOLDER / name, text)
    return graph
