"""The page of the datasets that a run made, from their descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.catalogue.export_datasets import ALL_COUNTRIES
from rehearsal.report.page_elements import (
    Column,
    Linked,
    Page,
    Section,
    Table,
    Text,
    percent,
    whole,
)
from rehearsal.report.tables import ReportTables, country_href

CATALOGUE = "catalogue.html"


def catalogue_page(tables: ReportTables) -> Page:
    """All datasets, what they may be used for, and where their metadata are."""
    first = tables.datasets[0]
    people = sum(one["individuals"] for one in tables.datasets if is_of_people(one))
    return Page(
        CATALOGUE,
        "Datasets of this run",
        f"{whole(len(tables.datasets))} datasets of {whole(len(tables.countries))} countries, "
        f"about {whole(people)} people, all of them simulated.",
        [
            Section("datasets", "Datasets", [dataset_table(tables.datasets, "")]),
            Section("survey", "The survey on accessible genomes", [survey_table(first)]),
            Section(
                "metadata",
                "Metadata for catalogues",
                [
                    Text(
                        "The same as HealthDCAT-AP is in catalogue/catalogue.ttl and .jsonld of "
                        "the results, the results as a research object crate in "
                        "ro-crate-metadata.json. Each node serves its own as a FAIR Data Point "
                        "below /fdp."
                    )
                ],
            ),
        ],
    )


def is_of_people(descriptor: Mapping[str, Any]) -> bool:
    """Whether it describes the people of a node themselves, not their allele frequencies or a
    copy that was handed over."""
    identifier = descriptor["identifier"]
    return not identifier.startswith("GOE") and "-EXPORT-" not in identifier


def dataset_table(datasets: Sequence[Mapping[str, Any]], prefix: str) -> Table:
    """A row a dataset. ``prefix``: from the page to the first one's folder."""
    columns = [
        Column("Dataset", names_row=True),
        Column("Country"),
        Column("Title"),
        Column("People, rounded", number=True),
        Column("Records", number=True),
        Column("Permitted uses, share of people", long=True),
    ]
    rows = [
        (
            one["identifier"],
            _country(one, prefix),
            one["title"],
            whole(one["individuals"]),
            whole(one["records"]),
            "; ".join(map(_use, one["uses"])),
        )
        for one in datasets
    ]
    return Table("Datasets, as they may be told to everybody.", columns, rows)


def _country(one: Mapping[str, Any], prefix: str) -> Linked | str:
    code, name = one["country_code"], one["country_name"]
    if (code, name) == ALL_COUNTRIES:
        return name
    return Linked(name, country_href(code, prefix))


def _use(use: Mapping[str, Any]) -> str:
    return f"{use['label'] or use['term']} {percent(use['share'], 0)}"


def survey_table(descriptor: Mapping[str, Any]) -> Table:
    """The survey's questions and a dataset's answers."""
    rows = [
        (question.replace("_", " ").capitalize(), _answer(answer))
        for question, answer in descriptor["survey"].items()
    ]
    caption = f"The answers for {descriptor['identifier']}; they are alike for every country."
    return Table(caption, [Column("Question", names_row=True), Column("Answer", long=True)], rows)


def _answer(answer: Any) -> str:
    return "; ".join(answer) if isinstance(answer, list | tuple) else str(answer)
