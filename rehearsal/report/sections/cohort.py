"""The cohort: people, spectrum, principal components, demographic model, realism."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rehearsal.realism.block_structure import ALL
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report.figures.components import components_figure
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.figures.spectrum import spectrum_figure
from rehearsal.report.page_elements import (
    Column,
    Drawing,
    Figure,
    Section,
    Shown,
    Table,
    Text,
    percent,
    table_of,
    whole,
)
from rehearsal.report.style import PAGE
from rehearsal.report.tables import (
    ReportTables,
    cohort_table,
)

LARGEST_DRAWING = 600_000  # characters of SVG that the page may carry
PCA_MEGABASES = 400  # of independent sequence, for country centroids to resemble a map


def cohort_section(tables: ReportTables) -> Section:
    frame = cohort_table(tables)
    shown = [
        Shown("name", Column("Country", names_row=True)),
        Shown("code", Column("Code")),
        Shown("people", Column("People", number=True), whole),
        Shown("women", Column("Women", number=True), whole),
        Shown("men", Column("Men", number=True), whole),
        Shown("in_families", Column("In families", number=True), whole),
        Shown("born", Column("Born", number=True)),
        Shown("alleles", Column("Alleles that vary", number=True), whole),
        Shown("singleton_share", Column("Seen once", number=True), percent),
    ]
    frame["born"] = [
        None if pd.isna(low) else f"{int(low)}–{int(high)}"
        for low, high in zip(frame["born_from"], frame["born_to"], strict=True)
    ]
    table = table_of(
        frame,
        "The simulated people of each country. Alleles that vary: derived autosomal alleles "
        "that some but not all of the country's chromosomes carry.",
        shown,
    )
    sums = [whole(frame[name].sum()) for name in ("people", "women", "men", "in_families")]
    total = ("All", "", *sums, "", "", "")
    return Section("cohort", "The cohort", [Table(table.caption, table.columns, table.rows, total)])


def spectrum_section(tables: ReportTables) -> Section:
    cohort = spectrum_shares(tables.spectrum).loc[ALL]
    caption = (
        f"{whole(cohort['alleles'])} derived autosomal alleles vary in the cohort; "
        f"{percent(cohort['singleton_share'])} of them were seen once, relatives included. Drawn "
        "is the number of alleles at each frequency against that of a population of constant "
        "size, which would be level (dashed): growth lifts the rare end, a bottleneck lowers it."
    )
    chart = spectrum_figure(tables.spectrum, tables.countries, PAGE, "container")
    return Section(
        "spectrum",
        "Allele-frequency spectrum",
        [Figure("spectrum", caption, vega_specification(chart))],
    )


def components_section(tables: ReportTables) -> Section | None:
    components = tables.components
    if components is None:
        return None
    megabases = components.attrs["megabases"]
    caption = (
        f"{whole(len(components))} people on the first two principal components of "
        f"{whole(components.attrs['sites'])} common variants in {megabases:.1f} Mb of autosomes. "
        f"{whole(components['related'].sum())} relatives were projected onto the axes of the "
        "others. Regions are quarters by population centre, for colour only."
    )
    if megabases < PCA_MEGABASES:
        caption += (
            f" The map of Europe shows from about {PCA_MEGABASES} Mb: a run as short as this one "
            "separates a few countries at most."
        )
    chart = components_figure(components, tables.countries, PAGE, "container")
    return Section(
        "pca", "Principal components", [Figure("pca", caption, vega_specification(chart))]
    )


def demography_section(tables: ReportTables) -> Section | None:
    svg = tables.demography_svg
    if svg is None:
        return None
    if len(svg) > LARGEST_DRAWING:
        return Section(
            "demography",
            "Demographic model",
            [Text("The drawing is too large for this page; it is among the run's files.")],
        )
    caption = "The model that was simulated: time runs upward into the past, widths are sizes."
    return Section("demography", "Demographic model", [Drawing(caption, svg)])


def realism_section(tables: ReportTables) -> Section | None:
    """What was measured on the cohort beside what is known, and whether the run can judge it."""
    if tables.realism is None:
        return None
    frame = tables.realism
    judged = frame["judged"].astype(bool)
    state = frame["passed"].map({True: "passed", False: "failed"})
    measure = [
        Shown("name", Column("Measure", names_row=True)),
        Shown("measured", Column("Measured", number=True), _figure),
        Shown("expected", Column("Expected")),
    ]
    judgeable = f"{judged.sum()} of {len(frame)} measures can be judged on a run of this size."
    parts: list[Any] = []
    if judged.any():
        shown = [
            *measure,
            Shown("verdict", Column("Verdict")),
            Shown("source", Column("Source", long=True)),
        ]
        parts.append(table_of(frame.assign(verdict=state)[judged], judgeable, shown))
    shown = [*measure, Shown("note", Column("Why it is not judged", long=True))]
    caption = "Measured, not judged. Sources and samples of all rows: realism/realism.tsv."
    parts.append(table_of(frame[~judged], caption if parts else f"{judgeable} {caption}", shown))
    drawings = [Drawing(caption, svg) for caption, svg in tables.realism_svgs.items()]
    return Section("realism", "Realism", [*parts, *drawings])


def _figure(value: float) -> str:
    return whole(value) if abs(value) >= 1000 else f"{value:.4g}"
