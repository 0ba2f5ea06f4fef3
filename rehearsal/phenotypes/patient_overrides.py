"""Replace what was drawn for patients by what stories say about them.

Diseases, features and treatments that a story names replace the drawn ones of that person (an empty
list: none). Measurements replace single values. What a story does not mention stays as drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rehearsal.model import Patient
from rehearsal.phenotypes.null_flavours import FieldFlavours
from rehearsal.phenotypes.subjects import Subjects, age_in
from rehearsal.phenotypes.trait_types import Disease, Traits
from rehearsal.seeds import derive_seed

EXCLUDED_COLUMNS = ("individual", "code", "label")
CANDIDATE_COLUMNS = ("individual", "gene")
TUMOUR_COLUMNS = ("individual", "contig", "start", "ref", "alt")


@dataclass(frozen=True)
class PatientOverrides:
    """The patients of stories and how they change what was drawn."""

    patients: Mapping[int, Patient]  # by row of the cohort
    seed: int  # the run's root seed

    @classmethod
    def of(
        cls, patients: Sequence[Patient], individuals: pd.DataFrame, cohort: Subjects, seed: int
    ) -> PatientOverrides:
        """Find the rows of the patients.

        Args:
            patients: Patients of stories.
            individuals: ``cohort/patients.parquet``, with the columns story, handle and individual.
            cohort: The people.
            seed: The run's root seed.

        Returns:
            The overrides, in the order of rows.
        """
        row = pd.Index(cohort.id)
        place = {
            (one.story, one.handle): int(row.get_loc(one.individual))
            for one in individuals.itertuples()
        }
        rows = {place[one.story, one.handle]: one for one in patients}
        return cls(dict(sorted(rows.items())), seed)

    def set_onsets(
        self, onsets: dict[str, np.ndarray], diseases: Iterable[Disease], cohort: Subjects
    ) -> None:
        """Set the ages of onset of patients whose stories name diseases.

        Such patients have no other diseases, and none before its first year.

        Args:
            onsets: Ages of onset in years by disease, inf for never, shape (n_people,). Changed in
                place.
            diseases: The diseases of ``onsets``.
            cohort: The people.
        """
        first = {one.name: age_in(one.first_year, cohort) for one in diseases}
        for row, patient in self.patients.items():
            if patient.diseases is None:
                continue
            for name, ages in onsets.items():
                ages[row] = np.inf
                if name in patient.diseases:
                    onset = self._within(patient, name, patient.diseases[name])
                    ages[row] = min(max(onset, first[name][row]), cohort.age[row])

    def set_values(self, values: dict[str, np.ndarray], traits: Traits) -> None:
        """Set the measured values that stories give, rounded as the traits say.

        Args:
            values: Values by measurement, in its unit, shape (n_people,). Changed in place.
                Measurements that it lacks are left out.
            traits: The traits.
        """
        decimals = {trait.name: trait.decimals for trait in traits.measurable}
        for row, patient in self.patients.items():
            for name, bounds in patient.measurements.items():
                if name in values:
                    value = self._within(patient, name, bounds)
                    values[name][row] = round(value, decimals[name])

    def measured_rows(self) -> dict[str, list[int]]:
        """List the rows of patients whose stories give a measured value, by measurement."""
        rows: dict[str, list[int]] = {}
        for row, patient in self.patients.items():
            for name in patient.measurements:
                rows.setdefault(name, []).append(row)
        return rows

    def put_on_record(self, flavours: dict[str, FieldFlavours]) -> dict[str, FieldFlavours]:
        """Remove null flavours of what stories put on record.

        Args:
            flavours: Flavours by field.

        Returns:
            Changed flavours. The argument is not changed.
        """
        found = dict(flavours)
        for row, patient in self.patients.items():
            for name in {*patient.measurements, *(patient.treatments or ())} & found.keys():
                index = found[name].index.copy()
                index[row] = -1
                found[name] = replace(found[name], index=index)
        return found

    def treated_rows(self, treatment: str) -> dict[int, bool]:
        """List the patients whose stories say which treatments they have.

        Args:
            treatment: Name of a treatment.

        Returns:
            Whether the patient gets the treatment, by row. Patients whose story names no treatments
            are left out.
        """
        return {
            row: treatment in patient.treatments
            for row, patient in self.patients.items()
            if patient.treatments is not None
        }

    def replace_features(self, features: pd.DataFrame, cohort: Subjects) -> pd.DataFrame:
        """Replace the drawn features of patients whose stories name features.

        Args:
            features: The table of drawn features.
            cohort: The people.

        Returns:
            A new table, in the order of people.
        """
        named = {row: one for row, one in self.patients.items() if one.features is not None}
        if not named:
            return features
        kept = features[~features["individual"].isin(cohort.id.iloc[list(named)])]
        own = pd.DataFrame(
            [
                (cohort.id.iloc[row], term.code, term.label, int(term.age_of_onset))
                for row, one in named.items()
                for term in one.features or ()
            ],
            columns=list(features.columns),
        ).astype(dict(features.dtypes))
        joined = pd.concat([kept, own], ignore_index=True)
        place = pd.Index(cohort.id).get_indexer(joined["individual"])
        return joined.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)

    def excluded_features(self, cohort: Subjects) -> pd.DataFrame:
        """Build the table of features that were examined and found absent.

        Args:
            cohort: The people.

        Returns:
            One row per person and feature, with ``EXCLUDED_COLUMNS``.
        """
        rows = ((row, term.code, term.label) for row, one in self._all() for term in one.excluded)
        return _table(rows, EXCLUDED_COLUMNS, cohort)

    def candidate_genes(self, cohort: Subjects) -> pd.DataFrame:
        """Build the table of genes that clinicians suspect.

        Args:
            cohort: The people.

        Returns:
            One row per person and gene, with ``CANDIDATE_COLUMNS``.
        """
        rows = ((row, gene) for row, one in self._all() for gene in one.candidate_genes)
        return _table(rows, CANDIDATE_COLUMNS, cohort)

    def tumour_variants(self, cohort: Subjects) -> pd.DataFrame:
        """Build the table of somatic variants.

        Args:
            cohort: The people.

        Returns:
            One row per person and variant, with ``TUMOUR_COLUMNS``. ``start`` is 0-based.
        """
        rows = (
            (row, v.contig, v.start, v.ref, v.alt) for row, one in self._all() for v in one.tumour
        )
        return _table(rows, TUMOUR_COLUMNS, cohort).astype({"start": "int64"})

    def _all(self) -> Iterator[tuple[int, Patient]]:
        return iter(self.patients.items())

    def _within(self, patient: Patient, what: str, bounds: tuple[float, float]) -> float:
        low, high = bounds
        if low == high:
            return low
        seed = derive_seed(self.seed, "story", patient.story, patient.handle, what)
        return float(np.random.default_rng(seed).uniform(low, high))


def _table(rows: Iterator[tuple], columns: Sequence[str], cohort: Subjects) -> pd.DataFrame:
    named = [(cohort.id.iloc[row], *cells) for row, *cells in rows]
    table = pd.DataFrame(named, columns=list(columns))
    return table.astype({name: "str" for name in columns if name != "start"})
