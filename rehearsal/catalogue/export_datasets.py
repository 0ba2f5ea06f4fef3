"""Descriptors of what is handed over: datasets on the spot and exports, a dataset a place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from rdflib import Graph

from rehearsal.catalogue.dcat import base_of, catalogue, json_ld, new_graph, turtle
from rehearsal.catalogue.descriptor import (
    Descriptor,
    Distribution,
    answer_survey,
    as_json,
    describe_consent,
)
from rehearsal.catalogue.node_catalogue import ROUNDED_TO
from rehearsal.export.settings import METADATA, POOLED, Export
from rehearsal.files import written_aside
from rehearsal.model import Block

ALL_COUNTRIES = ("EU", "several countries")  # what a pooled dataset has for a country
MEDIA_TYPE = "application/octet-stream"

WHO = {
    "all": "everybody",
    "carriers": "carriers of planted variants",
    "patients": "patients of stories",
}

Terms = tuple[tuple[str, ...], tuple[tuple[str, float], ...]]  # legal bases; uses with shares

NO_TERMS: Terms = (("none: nobody in it is real",), (("DUO:0000004", 1.0),))
NO_USE: Terms = (("none: nobody permits anything",), ())


def terms_of(consent: pd.DataFrame) -> Terms:
    """What people's data may be used for, from their rows of ``phenotypes/consent.parquet``."""
    return NO_USE if consent["withdrawn"].all() else describe_consent(consent)


def describe_place(
    identifier: str,
    country: tuple[str, str],
    about: str,
    people: int,
    year: int,
    terms: Terms,
    formats: Sequence[str],
    path: str,
) -> Descriptor:
    """The dataset in one folder of files.

    ``country``: code and name, or ``ALL_COUNTRIES``; ``about``: ends the description; ``people``:
    how many are told; ``path``: of the folder.
    """
    bases, uses = terms
    code, name = country
    return Descriptor(
        identifier=identifier,
        title=f"People of {name}, synthetic",
        description=f"Simulated people of {name} with phenotypes and variants, GRCh38, {about}.",
        country_code=code,
        country_name=name,
        individuals=people,
        records=people,
        year=year,
        survey=answer_survey(bases, uses),
        uses=uses,
        distributions=tuple(Distribution(kind, f"As {kind}", path, MEDIA_TYPE) for kind in formats),
    )


def write_metadata_files(descriptors: Iterable[Descriptor], version: str, folder: Path) -> None:
    """Write ``catalogue.ttl``, ``catalogue.jsonld`` and ``datasets.json`` into a folder."""
    graph, described = new_graph(), []
    for one in descriptors:
        graph += graph_of(one, version)
        described.append(as_json(one))
    texts = (turtle(graph), json_ld(graph), json.dumps(described, indent=1))
    for name, text in zip(METADATA, texts, strict=True):
        with written_aside(folder / name) as aside:
            aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def graph_of(one: Descriptor, version: str) -> Graph:
    """A descriptor in the catalogue of its country."""
    title = f"Synthetic genomes of {one.country_name}"
    return catalogue([one], base_of(one.country_code), title, version)


def describe_export(
    export: Export,
    number: int,
    place: str,
    names: Mapping[str, str],
    people: pd.DataFrame,
    consent: pd.DataFrame,
    blocks: Iterable[Block],
    year: int,
) -> Descriptor:
    """The dataset that an export has of a place, with what its people's consent permits.

    ``number``: of the export in the configuration, from 1; ``names``: of countries by code;
    ``people``: rows of the people of the place; ``consent``: everybody's; ``blocks``: of the run.
    How many people there are is told as nodes tell it, but at least ten.
    """
    country = ALL_COUNTRIES if place == POOLED else (place, names[place])
    told = max(ROUNDED_TO, round(len(people) / ROUNDED_TO) * ROUNDED_TO)
    return describe_place(
        f"GDI-{country[0]}-EXPORT-{number}",
        country,
        _about(export, blocks),
        told,
        year,
        terms_of(consent[consent["individual"].isin(people["id"])]),
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
