"""The page a person opens: one HTML file that fetches nothing."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import vl_convert

from rehearsal.files import written_aside
from rehearsal.report.parts import Figure, Section, Verdict
from rehearsal.report.sections import sections, verdicts
from rehearsal.report.style import DARK, LIGHT, css_variables
from rehearsal.report.summary import verdict
from rehearsal.report.tables import ReportTables


def write_page(path: Path | str, summary: Mapping[str, Any], tables: ReportTables) -> None:
    """Writes the page. The same summary and tables give the same bytes."""
    html = render(
        summary, list(verdicts(summary)), sections(summary, tables), failures=len(verdict(summary))
    )
    with written_aside(path) as aside:
        aside.write_text(html, encoding="utf-8")


def render(
    summary: Mapping[str, Any],
    statements: Iterable[Verdict],
    parts: Iterable[Section],
    failures: int,
) -> str:
    """The page's HTML from its big statements and its sections."""
    shown = list(parts)
    charts = {
        part.key: part.specification
        for section in shown
        for part in section.parts
        if isinstance(part, Figure)
    }
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_package_text("page.html")).render(
        summary=summary,
        verdicts=list(statements),
        sections=shown,
        failures=failures,
        data_uri=data_uri,
        css=_stylesheet(),
        charts=script_json(charts),
        script=_script(),
    )


def _package_text(name: str) -> str:
    return resources.files("rehearsal.report").joinpath(name).read_text(encoding="utf-8")


def _stylesheet() -> str:
    """The page's CSS with both palettes in place of their markers."""
    css = _package_text("page.css")
    return css.replace("/*light*/", css_variables(LIGHT)).replace("/*dark*/", css_variables(DARK))


@functools.cache
def _script() -> str:
    """The page's JavaScript with Vega bundled into it; bundling takes a second."""
    return vl_convert.javascript_bundle(_package_text("page.js"))


def script_json(value: Any) -> str:
    """JSON that can stand in a script element: no ``</script>`` or comment can end it early."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def data_uri(svg: str) -> str:
    """A drawing as the source of an image: its ids cannot meet those of others, nothing runs."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
