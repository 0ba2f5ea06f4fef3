"""The index of the twelve topics of a mirror group: where a run touches each, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Topic(NamedTuple):
    """A topic, what a run shows of it, and what no run shows."""

    name: str
    touched: str
    links: tuple[tuple[str, str], ...]  # text and address, from the folder of the sheets
    absent: str


NOT_TOUCHED = "Not in this run: the part that shows it was left out."
TOPICS = (
    Topic(
        "Maturity",
        "Evidence for the technical half of indicators, for each node.",
        (("Evidence", "../maturity.html"),),
        "Scores, laws, bodies, budgets and people.",
    ),
    Topic(
        "Ethics, law, society",
        "Consent by subject, purposes of queries, refusals, attacks on privacy.",
        (
            ("Survey", "../catalogue.html#survey"),
            ("Privacy", "../index.html#privacy"),
            ("Data protection", "../data_protection.html"),
        ),
        "Ethical review, public debate, law of a country.",
    ),
    Topic(
        "Clinical data",
        "Diseases, measurements, treatments and standard terms of simulated people.",
        (("Datasets", "../catalogue.html"),),
        "Records of a hospital, with their gaps and free text.",
    ),
    Topic(
        "Synthetic data inventory",
        "The run's own datasets, and an inventory of those of others, described for catalogues.",
        (("Datasets", "../catalogue.html"), ("Of others", "../synthetic_datasets.html")),
        "A promise that the inventory is complete.",
    ),
    Topic(
        "Sequencing practice",
        "Measures of how real the simulated genomes are.",
        (("Realism", "../index.html#realism"),),
        "Laboratories, reads with errors, accreditation.",
    ),
    Topic(
        "Computing infrastructure",
        "A node per country, load, faults and distances.",
        (("Nodes", "../index.html#nodes"),),
        "Machines and networks of a country.",
    ),
    Topic(
        "Economics",
        "Costs of three designs of the infrastructure; costs and effects of care.",
        (("Costs", "../costs.html"), ("Care", "../economics.html")),
        "Prices and patients of a country.",
    ),
    Topic(
        "Stakeholders",
        "A sheet for each country, in those of its official languages that have labels.",
        (("Sheets of countries", "#sheets"),),
        "Names of members, their roles and mandates.",
    ),
    Topic(
        "Rare disease",
        "A search for a second patient with the same mutation.",
        (("Story: rare disease", "../stories/rare.html"),),
        "Diagnosis of a patient.",
    ),
    Topic(
        "Cancer",
        "Carriers of risk variants, tumours and treatments by counts.",
        (("Story: cancer", "../stories/cancer.html"),),
        "Pathology, images, clinical trials.",
    ),
    Topic(
        "Prevention",
        "A polygenic score compared with all countries; costs and gains of a score for all at 40.",
        (
            ("Story: prevention", "../stories/common.html"),
            ("Costs and effects of care", "../economics.html"),
        ),
        "Screening programmes in practice: invitations, participation, quality.",
    ),
    Topic(
        "Infectious disease",
        "Alerts when a similar patient arrives elsewhere.",
        (("Story: infection", "../stories/infectious.html"),),
        "Genomes of pathogens, surveillance.",
    ),
)


def topics_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the topics with links to the pages and sections that the run has.

    Args:
        folder: The folder of the sheets, beside which the other pages are.
    """
    for topic in TOPICS:
        there = [(text, href) for text, href in topic.links if _leads_somewhere(folder, href)]
        touched = topic.touched if there else NOT_TOUCHED
        yield {**topic._asdict(), "touched": touched, "links": there}


def _leads_somewhere(folder: Path, href: str) -> bool:
    name, _, section = href.partition("#")
    if not name:
        return True  # a section of the index itself
    page = folder / name
    return page.is_file() and (not section or f'id="{section}"' in page.read_text("utf-8"))
