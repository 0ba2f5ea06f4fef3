"""Descriptors of what is handed over: datasets on the spot and exports, a dataset a place."""

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

ALL_COUNTRIES = ("EU", "several countries")  # what a pooled dataset has for a country
MEDIA_TYPE = "application/octet-stream"

WHO = {
    "all": "everybody",
    "carriers": "carriers of planted variants",
    "patients": "patients of stories",
}

UNRESTRICTED_USE = UseTerms(("none: nobody in it is real",), (("DUO:0000004", 1.0),))
NO_USE_PERMITTED = UseTerms(("none: nobody permits anything",), ())


def use_terms(consent: pd.DataFrame) -> UseTerms:
    """What people's data may be used for, from their rows of ``phenotypes/consent.parquet``."""
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
    """The dataset in one folder of files.

    ``country``: code and name, or ``ALL_COUNTRIES``; ``about``: ends the description; ``people``:
    how many are told; ``path``: of the folder.
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
        survey=answer_survey(terms),
        uses=terms.uses,
        distributions=tuple(Distribution(kind, f"As {kind}", path, MEDIA_TYPE) for kind in formats),
    )


def write_metadata_files(
    descriptors: Iterable[DatasetDescriptor], version: str, folder: Path
) -> None:
    """Write ``catalogue.ttl``, ``catalogue.jsonld`` and ``datasets.json`` into a folder."""
    graph, described = new_graph(), []
    for one in descriptors:
        graph += catalogue_of(one, version)
        described.append(descriptor_to_json(one))
    texts = (to_turtle(graph), to_json_ld(graph), json.dumps(described, indent=1))
    for name, text in zip(METADATA, texts, strict=True):
        write_text(folder / name, text.rstrip("\n") + "\n")


def catalogue_of(one: DatasetDescriptor, version: str) -> Graph:
    """A descriptor in the catalogue of its country."""
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
    """The dataset that an export has of a place, with what its people's consent permits.

    ``number``: of the export in the configuration, from 1; ``names``: of countries by code;
    ``people``: rows of the people of the place; ``consent``: everybody's; ``blocks``: of the run.
    How many people there are is told as nodes tell it, but at least ten.
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
