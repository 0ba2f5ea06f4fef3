"""The HTML pages of the report. They load nothing from a network."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import vl_convert

from rehearsal.files import write_text
from rehearsal.report.catalogue_page import catalogue_page
from rehearsal.report.costs_page import costs_page
from rehearsal.report.country_pages import country_pages
from rehearsal.report.data_protection_page import data_protection_page
from rehearsal.report.economics_page import economics_page
from rehearsal.report.failures import list_failures
from rehearsal.report.inventory_page import inventory_page
from rehearsal.report.maturity_page import maturity_page
from rehearsal.report.page_elements import Figure, Page, Section, Verdict
from rehearsal.report.page_templates import package_text, page_template
from rehearsal.report.sections.reading_order import list_sections
from rehearsal.report.sections.verdicts import verdicts
from rehearsal.report.story_pages import story_pages
from rehearsal.report.style import DARK, LIGHT, css_variables
from rehearsal.report.tables import ReportTables


def write_report(
    folder: Path | str, summary: Mapping[str, Any], tables: ReportTables
) -> list[Path]:
    """Write ``index.html`` and all other pages.

    The same summary and tables give the same bytes. The pages load nothing from a network and work
    from any folder.

    Args:
        folder: Folder of the pages.
        summary: The content of ``summary.json``.
        tables: The tables of the report.

    Returns:
        Paths of the pages, ``index.html`` first.
    """
    failures = len(list_failures(summary))
    index = render(summary, list(verdicts(summary)), list_sections(summary, tables), failures)
    written = {"index.html": index} | {
        page.path: render_page(summary, page) for page in pages(summary, tables)
    }
    paths = []
    for name, html in written.items():
        paths.append(Path(folder) / name)
        write_text(paths[-1], html)
    return paths


def pages(summary: Mapping[str, Any], tables: ReportTables) -> Iterator[Page]:
    """Make all pages except the first: countries, stories, what ministries read, the catalogue.

    Args:
        summary: The content of ``summary.json``.
        tables: The tables of the report.
    """
    yield from country_pages(summary, tables)
    yield from story_pages(tables)
    yield maturity_page(summary)
    yield data_protection_page(summary)
    yield inventory_page(summary)
    yield costs_page(summary, {country.code: country.name for country in tables.countries})
    if "economics" in summary:
        yield economics_page(summary)
    if tables.datasets:
        yield catalogue_page(summary, tables)


def render(
    summary: Mapping[str, Any],
    statements: Iterable[Verdict],
    parts: Iterable[Section],
    failures: int,
) -> str:
    """Render the first page.

    Args:
        summary: The content of ``summary.json``.
        statements: The verdicts at the top.
        parts: The sections in their order.
        failures: How many checks failed.

    Returns:
        The HTML.
    """
    shown = list(parts)
    charts = {
        part.key: part.specification
        for section in shown
        for part in section.parts
        if isinstance(part, Figure)
    }
    return page_template("index.html").render(
        summary=summary,
        verdicts=list(statements),
        sections=shown,
        failures=failures,
        data_uri=data_uri,
        css=_stylesheet(),
        charts=script_json(charts),
        script=_script(),
    )


def render_page(summary: Mapping[str, Any], page: Page) -> str:
    """Render any other page. It has no charts and no script.

    Args:
        summary: The content of ``summary.json``.
        page: The page with its sections.

    Returns:
        The HTML.
    """
    return page_template("page.html").render(
        summary=summary, page=page, sections=page.sections, data_uri=data_uri, css=_stylesheet()
    )


def _stylesheet() -> str:
    """Read the CSS and put both palettes in place of their markers."""
    css = package_text("page.css")
    return css.replace("/*light*/", css_variables(LIGHT)).replace("/*dark*/", css_variables(DARK))


@functools.cache
def _script() -> str:
    """Bundle the page's JavaScript with Vega; this takes a second."""
    return vl_convert.javascript_bundle(package_text("page.js"))


def script_json(value: Any) -> str:
    """Write JSON that cannot end the script element it is in.

    Args:
        value: Plain JSON values.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def data_uri(svg: str) -> str:
    """Write a drawing as the source of an image.

    Scripts in the drawing do not run, and its ids cannot clash with others on the page.

    Args:
        svg: The SVG document.
    """
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
