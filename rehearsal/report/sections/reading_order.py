"""All sections of the first page in reading order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.report.page_elements import Section
from rehearsal.report.sections.analyses import analyses_section
from rehearsal.report.sections.bench import bench_sections
from rehearsal.report.sections.cohort import (
    cohort_section,
    components_section,
    demography_section,
    realism_section,
    spectrum_section,
)
from rehearsal.report.sections.findings import (
    checks_section,
    datasets_section,
    ministries_section,
    problems_section,
    stories_section,
)
from rehearsal.report.sections.network import latency_section, nodes_section
from rehearsal.report.sections.planted import planted_section
from rehearsal.report.sections.privacy import privacy_section
from rehearsal.report.sections.provenance import limits_section, provenance_section
from rehearsal.report.tables import ReportTables, node_table


def list_sections(summary: Mapping[str, Any], tables: ReportTables) -> list[Section]:
    """Build all sections of the first page in reading order.

    Args:
        summary: The content of ``summary.json``.
        tables: The tables of the report.

    Returns:
        The sections. Those without content are left out.
    """
    nodes = node_table(tables)
    made = [
        problems_section(summary),
        nodes_section(tables, nodes),
        stories_section(tables),
        analyses_section(summary, tables.analyses, tables.countries),
        latency_section(tables, nodes),
        *(bench_sections(tables.bench, list(tables.countries)) if tables.bench else ()),
        cohort_section(tables),
        planted_section(tables.planted),
        datasets_section(tables),
        ministries_section(summary),
        spectrum_section(tables),
        components_section(tables),
        demography_section(tables),
        realism_section(tables),
        privacy_section(summary, tables.answers),
        checks_section(summary),
        provenance_section(summary),
        limits_section(),
    ]
    return [section for section in made if section is not None]
