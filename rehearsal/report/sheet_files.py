"""Write the sheets of all countries and the index of topics. They load nothing from a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.files import write_text
from rehearsal.policy.labels import is_stand_in
from rehearsal.report.page_templates import package_text, page_template
from rehearsal.report.sheets import sheet_pages
from rehearsal.report.topics import topics_of

FOLDER = "sheets"
TOPICS = f"{FOLDER}/topics.html"


def write_sheets(
    folder: Path, summary: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]
) -> list[Path]:
    """Write ``sheets/CODE.html`` for each country, and ``sheets/topics.html``.

    A sheet has one A4 page per language. Call it when all other pages are there: the index links to
    those that are.

    Args:
        folder: Folder of the report.
        summary: The content of ``summary.json``.
        labels: Labels by language and key.

    Returns:
        Paths of the sheets, the index last.
    """
    css, sheet = package_text("sheet.css"), page_template("sheet.html")
    paths = []
    for code in summary["sheets"]:
        paths.append(folder / FOLDER / f"{code}.html")
        shown = list(sheet_pages(summary, code, labels))
        write_text(paths[-1], sheet.render(pages=shown, code=code, css=css))
    index = page_template("topics.html").render(
        css=css,
        date=summary["maturity"]["date"][:10],
        topics=list(topics_of(folder / FOLDER)),
        countries=[(code, one["name"]) for code, one in summary["sheets"].items()],
        stand_ins=[
            one["name"] for code, one in summary["sheets"].items() if is_stand_in(code, labels)
        ],
    )
    write_text(folder / TOPICS, index)
    return [*paths, folder / TOPICS]
