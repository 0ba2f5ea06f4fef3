"""Descriptors of datasets in files: those of ``rehearsal dataset``, and exports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from rdflib import Graph

from rehearsal.catalogue.dataset_descriptor import (
    ROUNDED_TO,
    DatasetDescriptor,
    Distribution,
    UseTerms,
    answer_survey,
    descriptor_to_json,
    round_people,
    summarise_consent,
    uniform_terms,
)
from rehearsal.catalogue.health_dcat_ap import (
    base_address,
    build_catalogue,
    new_graph,
    to_json_ld,
    to_turtle,
)
from rehearsal.export.settings import METADATA, POOLED, Export
from rehearsal.files import write_text
from rehearsal.model import Block

ALL_COUNTRIES = ("EU", "several countries")  # stands for the country of a pooled dataset
MEDIA_TYPE = "application/octet-stream"

WHO = {
    "all": "everybody",
    "carriers": "carriers of planted variants",
    "patients": "patients of stories",
}

UNRESTRICTED_USE = uniform_terms("none: nobody in it is real", "DUO:0000004")
NO_USE_PERMITTED = uniform_terms("none: nobody permits anything", withdrawn=True)


def use_terms(consent: pd.DataFrame) -> UseTerms:
    """Summarise what people permit; empty terms when all have withdrawn.

    Args:
        consent: Their rows of ``phenotypes/consent.parquet``.

    Returns:
        The terms of use.
    """
    return NO_USE_PERMITTED if consent["withdrawn"].all() else summarise_consent(consent)


def describe_file_dataset(
    identifier: str,
    country: tuple[str, str],
    about: str,
    people: int,
    year: int,
    terms: UseTerms,
    formats: Sequence[str],
    path: str,
) -> DatasetDescriptor:
    """Describe the dataset in a folder of files.

    Args:
        identifier: The identifier of the dataset.
        country: Code and name of the country, or ``ALL_COUNTRIES``.
        about: The end of the description.
        people: The number of people to publish.
        year: The reference year of the data.
        terms: What the people permit.
        formats: Names of the export formats.
        path: The folder, relative to the root.

    Returns:
        The descriptor.
    """
    code, name = country
    return DatasetDescriptor(
        identifier=identifier,
        title=f"People of {name}, synthetic",
        description=f"Simulated people of {name} with phenotypes and variants, GRCh38, {about}.",
        country_code=code,
        country_name=name,
        individuals=people,
        records=people,
        year=year,
        survey=answer_survey(terms, people),
        gdpr_bases=terms.legal_bases,
        uses=terms.uses,
        distributions=tuple(Distribution(kind, f"As {kind}", path, MEDIA_TYPE) for kind in formats),
    )


def write_metadata_files(
    descriptors: Iterable[DatasetDescriptor], version: str, folder: Path
) -> None:
    """Write ``catalogue.ttl``, ``catalogue.jsonld`` and ``datasets.json`` into a folder.

    Args:
        descriptors: The datasets to describe.
        version: The version of Rehearsal.
        folder: The folder.
    """
    graph, described = new_graph(), []
    for one in descriptors:
        graph += catalogue_of(one, version)
        described.append(descriptor_to_json(one))
    texts = (to_turtle(graph), to_json_ld(graph), json.dumps(described, indent=1))
    for name, text in zip(METADATA, texts, strict=True):
        write_text(folder / name, text.rstrip("\n") + "\n")


def catalogue_of(one: DatasetDescriptor, version: str) -> Graph:
    """Build the catalogue of a country with a single dataset.

    Args:
        one: The dataset.
        version: The version of Rehearsal.

    Returns:
        The catalogue.
    """
    title = f"Synthetic genomes of {one.country_name}"
    return build_catalogue([one], base_address(one.country_code), title, version)


def describe_export(
    export: Export,
    number: int,
    place: str,
    names: Mapping[str, str],
    people: pd.DataFrame,
    consent: pd.DataFrame,
    blocks: Iterable[Block],
    year: int,
) -> DatasetDescriptor:
    """Describe the dataset that an export has for a place, with what its people permit.

    The published number of people is rounded to tens, as nodes do, and at least ten.

    Args:
        export: The export.
        number: Its number in the configuration, 1-based.
        place: A country code, or ``pooled``.
        names: Names of countries by code.
        people: The people of the place, one row per person.
        consent: Consent records of the whole cohort.
        blocks: The blocks of the run.
        year: The reference year of the data.

    Returns:
        The descriptor.
    """
    country = ALL_COUNTRIES if place == POOLED else (place, names[place])
    people_in_tens = max(ROUNDED_TO, round_people(len(people)))
    return describe_file_dataset(
        f"GDI-{country[0]}-EXPORT-{number}",
        country,
        _about(export, blocks),
        people_in_tens,
        year,
        use_terms(consent[consent["individual"].isin(people["id"])]),
        export.formats,
        f"exports/{export.name}/{place}",
    )


def _about(export: Export, blocks: Iterable[Block]) -> str:
    who = WHO[export.people] if isinstance(export.people, str) else "chosen people"
    limited = "" if export.limit is None else f", the first {export.limit} of each country"
    what = "all variants" if export.variants is None else "planted variants only"
    regions = export.regions and [region.region for region in export.regions]
    where = ", ".join(regions or export.contigs(blocks))
    return f"{where}; {who}{limited}; {what}; export {export.name}"
