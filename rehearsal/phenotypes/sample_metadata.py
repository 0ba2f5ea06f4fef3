"""Samples, sequencing runs, analyses and subjects' data, as the 1+MG minimal dataset requires.

There are no reads. Figures that would come from reads are drawn, and marked ``simulated``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.phenotypes.clinical_types import ReadFigure, Sequencing
from rehearsal.phenotypes.dates import birth_dates
from rehearsal.phenotypes.subjects import Subjects, standard_noise, subjects, uniform_noise
from rehearsal.phenotypes.tables import date_texts, pick_texts
from rehearsal.phenotypes.trait_types import Traits
from rehearsal.phenotypes.variant_counts import add_up, quality_figures

DAYS_A_YEAR = 365.2425
DAYS_TO_RUN, DAYS_TO_ANALYSIS = 30, 45  # longest time after the sample was taken
GENDERS = {"female": "female", "male": "male"}  # HL7 administrative gender


@dataclass(frozen=True)
class SequencingTables:
    """Tables with the columns of docs/reference/files.md, one row per person in order."""

    subjects: pd.DataFrame
    biosamples: pd.DataFrame
    runs: pd.DataFrame
    analyses: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def simulate_sample_metadata(
    people: pd.DataFrame,
    counts: Iterable[pd.DataFrame],
    traits: Traits,
    seed: int,
    reference_year: int,
) -> SequencingTables:
    """Simulate the sequencing of a run's people.

    Args:
        people: One row per person: id, country, sex, birth_year.
        counts: Results of ``variant_counts``, one per autosomal block.
        traits: The traits, with their section ``sequencing``.
        seed: The run's root seed.
        reference_year: The year at whose end everything is on record.

    Returns:
        The tables.

    Raises:
        InputError: The traits do not say how people were sequenced.
    """
    if traits.sequencing is None:
        expected = "a section that says how people were sequenced"
        raise InputError(traits.source, "sequencing", expected, "nothing")
    total = add_up(counts, len(people))
    return sequencing_tables(people, total, traits.sequencing, seed, reference_year)


def sequencing_tables(
    people: pd.DataFrame,
    counts: pd.DataFrame,
    sequencing: Sequencing,
    seed: int,
    reference_year: int = 2026,
) -> SequencingTables:
    """Build one sample, run and analysis for each person.

    Identifiers are the person's with ``-BS``, ``-RUN`` and ``-AN``. Births are spread evenly over
    the days of the year of birth, samples over those of the last years.

    Args:
        people: One row per person: id, country, sex, birth_year.
        counts: Counts of each person's variants on all autosomes (``variant_counts.COUNTS``), one
            row per person.
        sequencing: How people were sequenced.
        seed: The run's root seed.
        reference_year: The year at whose end everything is on record.

    Returns:
        The tables.
    """
    cohort = subjects(people, reference_year)
    last = _day(np.array([reference_year + 1])) - 1
    birth = birth_dates(cohort, seed).astype(np.int64)
    within = np.minimum(sequencing.collected_within_years * DAYS_A_YEAR, last - birth)
    taken = last - np.floor(uniform_noise(cohort, seed, "collection date") * (within + 1))
    taken = np.clip(taken, birth, last)
    names = people["id"].astype("str").reset_index(drop=True)
    model = _pick_platform(sequencing, uniform_noise(cohort, seed, "platform"))
    models = [term for term, _ in sequencing.platforms]
    return SequencingTables(
        subjects=pd.DataFrame(
            {
                "individual": names,
                "birth_date": _dates(birth),
                "administrative_gender": people["sex"].map(GENDERS).astype("str").array,
            }
        ),
        biosamples=_table(
            {
                "id": names + "-BS",
                "individual": names,
                "tissue": sequencing.tissue.code,
                "tissue_label": sequencing.tissue.label,
                "sample_type": sequencing.sample_type.code,
                "sample_type_label": sequencing.sample_type.label,
                "organism": sequencing.organism.code,
                "organism_label": sequencing.organism.label,
                "collection_date": _dates(taken),
                "collection_age": _completed_years(birth, taken),
            }
        ),
        runs=_table(
            {
                "id": names + "-RUN",
                "individual": names,
                "biosample": names + "-BS",
                "run_date": _dates(np.minimum(taken + DAYS_TO_RUN, last)),
                "target": sequencing.target,
                "platform": pick_texts([term.code for term in models], model),
                "platform_label": pick_texts([term.label for term in models], model),
                **_read_figures(sequencing, cohort, seed),
                "figures": "simulated",
            }
        ),
        analyses=_table(
            {
                "id": names + "-AN",
                "individual": names,
                "run": names + "-RUN",
                "biosample": names + "-BS",
                "analysis_date": _dates(np.minimum(taken + DAYS_TO_ANALYSIS, last)),
                "pipeline": sequencing.pipeline,
                "aligner": sequencing.aligner,
                "variant_caller": sequencing.variant_caller,
                "input_format": sequencing.input_format,
                "output_format": sequencing.output_format,
                "genome": sequencing.genome,
                **quality_figures(counts.reset_index(drop=True)).to_dict("series"),
                "figures": "computed",
            }
        ),
    )


def _table(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Build a table. Text that is the same for everybody is repeated."""
    number = len(columns["individual"])
    nobody = np.zeros(number, np.int64)
    return pd.DataFrame(
        {
            name: pick_texts([cells], nobody) if isinstance(cells, str) else cells
            for name, cells in columns.items()
        }
    )


def _day(year: np.ndarray) -> np.ndarray:
    """Return the first day of a year, in days since 1970."""
    return (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def _dates(days: np.ndarray) -> pd.Series:
    """Format days since 1970 as ISO 8601 dates."""
    return date_texts(days.astype(np.int64).astype("datetime64[D]"))


def _completed_years(birth: np.ndarray, day: np.ndarray) -> np.ndarray:
    years, days_of_year = [], []
    for days in (birth, day):
        date = days.astype(np.int64).astype("datetime64[D]")
        month = date.astype("datetime64[M]")
        years.append(date.astype("datetime64[Y]").astype(np.int64))
        days_of_year.append(month.astype(np.int64) % 12 * 31 + (date - month).astype(np.int64))
    not_yet = days_of_year[1] < days_of_year[0]
    return (years[1] - years[0] - not_yet).astype("int16")


def _pick_platform(sequencing: Sequencing, draw: np.ndarray) -> np.ndarray:
    bounds = np.cumsum([share for _, share in sequencing.platforms])
    return np.minimum(np.searchsorted(bounds, draw, side="right"), bounds.size - 1)


def _read_figures(sequencing: Sequencing, cohort: Subjects, seed: int) -> dict[str, np.ndarray]:
    coverage = standard_noise(cohort, seed, sequencing.figures[0].name)
    figures = {}
    for number, figure in enumerate(sequencing.figures):
        own = standard_noise(cohort, seed, figure.name) if number else coverage
        figures[figure.name] = _read_figure(figure, own, coverage)
    return figures


def _read_figure(figure: ReadFigure, own: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    correlation = figure.coverage_correlation
    score = correlation * coverage + np.sqrt(1 - correlation**2) * own
    value = np.clip(figure.mean + figure.sd * score, figure.minimum, figure.maximum)
    value = np.round(value, figure.decimals)
    return value.astype(np.int64) if figure.decimals == 0 else value
