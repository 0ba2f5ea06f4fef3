"""Sections on the cohort: people, spectrum, principal components, demography, realism."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rehearsal.realism.block_structure import ALL
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report.figures.components import TOO_SMALL, components_figure
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
PCA_MEGABASES = 400  # independent sequence at which country centroids resemble a map


def cohort_section(tables: ReportTables) -> Section:
    """Build the section on the people of each country.

    Args:
        tables: The tables of the report.
    """
    frame = cohort_table(tables).sort_values("name", ignore_index=True)
    shown = [
        Shown("name", Column("Country", names_row=True)),
        Shown("code", Column("Code")),
        Shown("people", Column("People", number=True), whole),
        Shown("women", Column("Women", number=True), whole),
        Shown("men", Column("Men", number=True), whole),
        Shown("in_families", Column("With relatives", number=True), whole),
        Shown("born", Column("Born", number=True)),
        Shown("alleles", Column("Variable alleles", number=True), whole),
        Shown("singleton_share", Column("Singletons", number=True), percent),
    ]
    frame["born"] = [
        None if pd.isna(low) else f"{int(low)}–{int(high)}"
        for low, high in zip(frame["born_from"], frame["born_to"], strict=True)
    ]
    table = table_of(
        frame,
        "The simulated people of each country. Variable alleles: derived autosomal alleles that "
        "some but not all chromosomes of the country carry. Singletons: the share of them that was "
        "seen on one chromosome only.",
        shown,
    )
    sums = [whole(frame[name].sum()) for name in ("people", "women", "men", "in_families")]
    total = ("All", "", *sums, "", "", "")
    return Section("cohort", "The cohort", [Table(table.caption, table.columns, table.rows, total)])


def spectrum_section(tables: ReportTables) -> Section:
    """Build the section on the allele-frequency spectrum.

    Args:
        tables: The tables of the report.
    """
    if not (tables.spectrum["group"] == ALL).any():
        nothing = Text("Nothing to show: no allele of an autosome varies in the cohort.")
        return Section("spectrum", "Allele-frequency spectrum", [nothing])
    cohort = spectrum_shares(tables.spectrum).loc[ALL]
    caption = (
        f"{whole(cohort['alleles'])} derived autosomal alleles vary in the cohort. "
        f"{percent(cohort['singleton_share'])} of them were seen once, relatives included. The "
        "figure shows the number of alleles at each frequency, divided by the number in a "
        "population of constant size. Such a population gives the level dashed line. Growth lifts "
        "the left end of a line; a bottleneck lowers it."
    )
    chart = spectrum_figure(tables.spectrum, tables.countries, PAGE, "container")
    return Section(
        "spectrum",
        "Allele-frequency spectrum",
        [Figure("spectrum", caption, vega_specification(chart))],
    )


def components_section(tables: ReportTables) -> Section | None:
    """Build the section on principal components.

    Args:
        tables: The tables of the report.

    Returns:
        The section, or None if the run has too few people.
    """
    components = tables.components
    if components is None:
        return None
    if components.empty:
        return Section("pca", "Principal components", [Text(f"Nothing to show: {TOO_SMALL}.")])
    megabases = components.attrs["megabases"]
    caption = (
        f"{whole(len(components))} people on the first two principal components of "
        f"{whole(components.attrs['sites'])} common variants in {megabases:.1f} Mb of autosomes. "
        f"{whole(components['related'].sum())} relatives were projected onto the axes of the "
        "others. The four regions serve for colours only."
    )
    if megabases < PCA_MEGABASES:
        caption += (
            f" Countries lie as on a map of Europe from about {PCA_MEGABASES} Mb on. A run as "
            "short as this one separates a few countries at most."
        )
    chart = components_figure(components, tables.countries, PAGE, "container")
    return Section(
        "pca", "Principal components", [Figure("pca", caption, vega_specification(chart))]
    )


def demography_section(tables: ReportTables) -> Section | None:
    """Build the section with the drawing of the demographic model.

    Args:
        tables: The tables of the report.

    Returns:
        The section, or None if there is no drawing.
    """
    svg = tables.demography_svg
    if svg is None:
        return None
    if len(svg) > LARGEST_DRAWING:
        return Section(
            "demography",
            "Demographic model",
            [
                Text(
                    "The drawing is too large for this page. You find it in demography/ of the "
                    "results."
                )
            ],
        )
    caption = (
        "The demographic model of the simulation. Time runs upwards into the past. The width of a "
        "population shows its size."
    )
    return Section("demography", "Demographic model", [Drawing(caption, svg)])


def realism_section(tables: ReportTables) -> Section | None:
    """Build the section that compares the cohort with published values.

    Args:
        tables: The tables of the report.

    Returns:
        The section, or None if realism was not measured.
    """
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
    judgeable = f"{judged.sum()} of {len(frame)} measures can be judged in a run of this size."
    parts: list[Any] = []
    if judged.any():
        shown = [
            *measure,
            Shown("verdict", Column("Verdict")),
            Shown("source", Column("Source", long=True)),
        ]
        parts.append(table_of(frame.assign(verdict=state)[judged], judgeable, shown))
    shown = [*measure, Shown("note", Column("Why it is not judged", long=True))]
    caption = (
        "Measures that were not judged. The sources and samples of all rows are in "
        "realism/realism.tsv of the results."
    )
    parts.append(table_of(frame[~judged], caption if parts else f"{judgeable} {caption}", shown))
    drawings = [Drawing(caption, svg) for caption, svg in tables.realism_svgs.items()]
    return Section("realism", "Realism", [*parts, *drawings])


def _figure(value: float) -> str:
    return whole(value) if abs(value) >= 1000 else f"{value:.4g}"
