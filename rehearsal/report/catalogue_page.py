"""The page of all datasets of a run, from their descriptors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rehearsal.catalogue.export_datasets import ALL_COUNTRIES
from rehearsal.catalogue.survey import QUESTIONS, Numbers
from rehearsal.report.page_elements import (
    Column,
    Linked,
    Page,
    Section,
    Table,
    Text,
    percent,
    spaced,
    whole,
)
from rehearsal.report.tables import ReportTables, country_href

CATALOGUE = "catalogue.html"
ANSWERS = QUESTIONS["legal_basis"]  # the other questions have some of them
QUESTION_WORDS = {
    "legal_basis": "Is there a legal basis of the GDPR for sharing?",
    "usable_for_future_research": "Usable for future research?",
    "usable_in_healthcare_of_others": "Usable in the health care of other patients?",
}
LEGAL_BASES = {
    "GDPR 6(1)a, 9(2)a": "explicit consent",
    "GDPR 6(1)e, 9(2)h": "public task, health care",
    "GDPR 6(1)e, 9(2)j": "public task, scientific research",
}


def catalogue_page(summary: Mapping[str, Any], tables: ReportTables) -> Page:
    """Build the page of all datasets, their permitted uses and their metadata.

    Args:
        summary: The content of ``summary.json``.
        tables: The tables of the report, with ``datasets``.
    """
    first = tables.datasets[0]
    people = sum(one["individuals"] for one in tables.datasets if is_of_people(one))
    return Page(
        CATALOGUE,
        "Datasets of this run",
        f"{whole(len(tables.datasets))} datasets of {whole(len(tables.countries))} countries with "
        f"about {whole(people)} people. All of them are simulated.",
        [
            Section("datasets", "Datasets", [dataset_table(tables.datasets, "")]),
            Section(
                "survey",
                "Survey on accessible genomes",
                [survey_table(first), subjects_table(add_up(summary["survey"].values()))],
            ),
            Section(
                "metadata",
                "Metadata for catalogues",
                [
                    Text(
                        "The results hold the same descriptions in a form that catalogues can "
                        "read (HealthDCAT-AP): the files catalogue/catalogue.ttl and "
                        "catalogue/catalogue.jsonld. The file ro-crate-metadata.json describes "
                        "the whole run as a research object crate. Each node serves the "
                        "description of its own datasets as a FAIR Data Point at the path /fdp."
                    )
                ],
            ),
        ],
    )


def is_of_people(descriptor: Mapping[str, Any]) -> bool:
    """Tell whether a dataset holds the people of a node.

    Args:
        descriptor: The descriptor of the dataset.

    Returns:
        False for allele frequencies and for copies that were exported.
    """
    identifier = descriptor["identifier"]
    return not identifier.startswith("GOE") and "-EXPORT-" not in identifier


def dataset_table(datasets: Sequence[Mapping[str, Any]], prefix: str) -> Table:
    """Tabulate datasets, one row each.

    Args:
        datasets: Descriptors of the datasets.
        prefix: The way from the page to the first page's folder, for example ``../``.
    """
    columns = [
        Column("Dataset", names_row=True),
        Column("Country"),
        Column("Title"),
        Column("People (rounded)", number=True),
        Column("Records", number=True),
        Column("Permitted uses (expected share of people)", long=True),
    ]
    rows = [
        (
            one["identifier"],
            _country(one, prefix),
            one["title"],
            whole(one["individuals"]),
            "–" if one["records"] is None else whole(one["records"]),
            "; ".join(map(_use, one["uses"])),
        )
        for one in datasets
    ]
    return Table(
        "What the public may know about each dataset. GOE datasets hold the allele frequencies of "
        "variants. GDI datasets hold people. One person may permit several uses. Nodes publish the "
        "share of people who are expected to get a form of consent with this use, the same in "
        "every country; only shares of exports are counted. –: it has no records of people.",
        columns,
        rows,
    )


def _country(one: Mapping[str, Any], prefix: str) -> Linked | str:
    code, name = one["country_code"], one["country_name"]
    if (code, name) == ALL_COUNTRIES:
        return name
    return Linked(name, country_href(code, prefix))


def _use(use: Mapping[str, Any]) -> str:
    return f"{use['label'] or use['term']} {percent(use['share'], 0)}"


def survey_table(descriptor: Mapping[str, Any]) -> Table:
    """Tabulate the questions of the survey on how a dataset is held, and their answers.

    Args:
        descriptor: The descriptor of the dataset.
    """
    rows = [
        (spaced(question).capitalize(), _answer(answer))
        for question, answer in descriptor["survey"].items()
        if question not in QUESTIONS
    ]
    rows.append(("GDPR bases that occur", _answer(descriptor["gdpr_bases"])))
    caption = (
        f"Answers for the dataset {descriptor['identifier']}. They are the same for every country."
    )
    return Table(caption, [Column("Question", names_row=True), Column("Answer", long=True)], rows)


def subjects_table(numbers: Numbers) -> Table:
    """Tabulate how many subjects give each answer to the questions on data use.

    Args:
        numbers: Subjects by question and answer.
    """
    columns = [
        Column("Question", names_row=True),
        *(Column(answer.capitalize(), number=True) for answer in ANSWERS),
    ]
    rows = [
        (
            QUESTION_WORDS[question],
            *(whole(answers[one]) if one in answers else "–" for one in ANSWERS),
        )
        for question, answers in numbers.items()
    ]
    return Table(
        "Numbers of subjects by answer, from the consent table of the run. Those who withdrew are "
        "under no. –: the form has no such answer. Nodes publish expected "
        "numbers in tens instead, because exact ones tell of single people.",
        columns,
        rows,
    )


def add_up(by_country: Iterable[Numbers]) -> Numbers:
    """Add up the numbers of countries.

    Args:
        by_country: Subjects by question and answer, of each country.
    """
    total = {question: dict.fromkeys(answers, 0) for question, answers in QUESTIONS.items()}
    for numbers in by_country:
        for question, answers in numbers.items():
            for answer, people in answers.items():
                total[question][answer] += people
    return total


def _answer(answer: Any) -> str:
    answers = answer if isinstance(answer, list | tuple) else [answer]
    return "; ".join(
        f"{LEGAL_BASES[one]} ({one})" if one in LEGAL_BASES else str(one) for one in answers
    )
