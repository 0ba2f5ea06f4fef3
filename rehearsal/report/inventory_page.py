"""The page of others' synthetic genomic datasets, from the summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.report.page_elements import (
    Column,
    Facts,
    Linked,
    Links,
    Page,
    Section,
    Table,
    Text,
    whole,
)

INVENTORY = "synthetic_datasets.html"
NOT_ESTABLISHED = "not established"
ACCESS = {"public": "anybody", "request": "on request"}
MEANING = (
    "Facts were read in the sources on the date beside them. (m) marks a fact from memory, which "
    "nobody looked up. Such facts are not in the records for catalogues (DCAT-AP): "
    "catalogue/synthetic_datasets.ttl and catalogue/synthetic_datasets.jsonld. Datasets with real "
    "genomes and nothing made up are left out, also if they are called synthetic."
)


def inventory_page(summary: Mapping[str, Any]) -> Page:
    """Build the page.

    Args:
        summary: The content of ``summary.json``.
    """
    datasets = summary["inventory"]
    return Page(
        INVENTORY,
        "Synthetic genomic datasets of others",
        f"{whole(len(datasets))} datasets with people who do not exist, or whose data are made up "
        "in part. They are not data of this run.",
        [
            Section("How-to-read-this", "How to read this", [Text(MEANING)]),
            Section("overview", "Overview", [_table(datasets)]),
            *(_section(one) for one in datasets),
        ],
    )


def _marked(one: Mapping[str, Any], fact: str, text: str) -> str:
    return f"{text} (m)" if fact in one["from_memory"] else text


def _people(one: Mapping[str, Any]) -> str:
    return NOT_ESTABLISHED if one["people"] is None else whole(one["people"])


def _table(datasets: list[Mapping[str, Any]]) -> Table:
    columns = [
        Column("Dataset", names_row=True),
        Column("Publisher", long=True),
        Column("People", number=True),
        Column("Who gets it"),
    ]
    rows = [
        (
            Linked(one["title"], f"#{one['key']}"),
            _marked(one, "publisher", one["publisher"]),
            _marked(one, "people", _people(one)),
            _marked(one, "access", ACCESS[one["access"]]),
        )
        for one in datasets
    ]
    return Table("Numbers of people as the sources give them.", columns, rows)


def _section(one: Mapping[str, Any]) -> Section:
    sources = [
        Linked(f"{each['address']} ({each['read']})", each["address"]) for each in one["sources"]
    ]
    parts = [Text(one["content"]), Facts(list(_facts(one))), Links("Sources", sources)]
    return Section(one["key"], one["title"], parts)


def _facts(one: Mapping[str, Any]) -> Iterator[tuple[str, str | Linked]]:
    yield "Made up", _marked(one, "synthetic", one["synthetic"])
    yield "Identifier", _marked(one, "identifier", one["identifier"] or NOT_ESTABLISHED)
    yield "Address", Linked(_marked(one, "address", one["address"]), one["address"])
    yield "Licence", _marked(one, "licence", one["licence"] or NOT_ESTABLISHED)
