"""Draw treatments: who got which drug, from when to when, with response and adverse event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.phenotypes.clinical_types import AdverseEvent, Treatment
from rehearsal.phenotypes.dates import birth_dates, dates_at_ages
from rehearsal.phenotypes.drug_choice import DrugChoice, pick
from rehearsal.phenotypes.null_flavours import FieldFlavours
from rehearsal.phenotypes.subjects import Subjects, by_sex_and_age, uniform_noise
from rehearsal.phenotypes.tables import date_texts, join_parts, pick_texts
from rehearsal.phenotypes.terms import Coded
from rehearsal.phenotypes.trait_types import Disease, Traits

NOT_YET = "NAV"  # HL7: not available now, may be later
YEARS_TO_EVENT = 1.0  # longest time from the start of a treatment to an adverse event
COLUMNS = {
    "code": "str",
    "label": "str",
    "dose_mg": "float64",
    "doses_per_day": "Int16",
    "start_age": "int16",
    "end_age": "Int16",
    "start_date": "str",
    "end_date": "str",
    "indication": "str",
    "indication_label": "str",
    "response": "str",
    "response_label": "str",
    "adverse_event": "str",
    "adverse_event_label": "str",
}


@dataclass(frozen=True)
class Course:
    """The people who got one treatment. Arrays have shape (n_treated,)."""

    treatment: Treatment
    rows: np.ndarray  # of the people, ascending
    indication: np.ndarray  # index into treatment.indications
    drug: np.ndarray  # index into treatment.drugs
    start: np.ndarray  # age, years
    end: np.ndarray  # age, years; inf: still treated
    response: np.ndarray  # index into treatment.responses
    response_known: np.ndarray  # bool
    has_event: np.ndarray  # bool: the drug's adverse event ended the treatment

    def events(self) -> Iterator[tuple[Coded, np.ndarray, np.ndarray]]:
        """Iterate over adverse events.

        Yields:
            The term, the rows of the people and their ages in years.
        """
        for number, drug in enumerate(self.treatment.drugs):
            mine = self.has_event & (self.drug == number)
            if drug.adverse_event is not None:
                yield drug.adverse_event.term, self.rows[mine], self.end[mine]


def draw_course(
    treatment: Treatment,
    onsets: Mapping[str, np.ndarray],
    copies: Mapping[str, np.ndarray],
    cohort: Subjects,
    seed: int,
    overrides: Mapping[int, bool] | None = None,
) -> Course:
    """Treat some of the people who have one of the diseases that the treatment is for.

    The time from the first onset to the start is exponential, and so is the duration (rate
    ``-log(1 - stopped_yearly)``). A course with a duration ends with it, and an adverse event ends
    it early. The odds of the event are ``risk / (1 - risk)`` times the odds ratio for each copy.

    A person gets one of the drugs that were on the market at the start and that the person may
    have, in their shares. Without any, a treatment that has no fixed duration waits for the first
    one, and a course is not given.

    Args:
        treatment: The treatment.
        onsets: Ages of onset in years by disease, inf for never, shape (n_people,).
        copies: Damaged copies by gene, shape (n_people,).
        cohort: The people.
        seed: The run's root seed.
        overrides: By row, whether a person with the disease is treated, whatever is drawn. Such
            people start by the present age.

    Returns:
        The course.

    Raises:
        InputError: Somebody whose treatment ``overrides`` demand may have no drug by now.
    """

    draws = _Draws(treatment, cohort, seed)
    patients = _patients(treatment, onsets, cohort, draws, overrides or {})
    rows, start, drug = patients.rows, patients.start, patients.drug
    age = cohort.age[rows]
    length = np.full(rows.size, np.inf)
    if treatment.stopped_yearly > 0:
        length = np.log1p(-draws.of("stop", rows)) / np.log1p(-treatment.stopped_yearly)
    if treatment.duration_years is not None:
        length = np.minimum(length, treatment.duration_years)
    event = draws.of("event", rows) < _event_risk(treatment, drug, copies, rows)
    event_after = YEARS_TO_EVENT * draws.of("event after", rows)
    event &= (event_after < length) & (start + event_after <= age)
    end = start + np.where(event, event_after, length)
    return Course(
        treatment=treatment,
        rows=rows,
        indication=patients.indication,
        drug=drug,
        start=start,
        end=np.where(end <= age, end, np.inf),
        response=pick([share for _, share in treatment.responses], draws.of("response", rows)),
        response_known=np.minimum(end, age) - start >= treatment.years_to_response,
        has_event=event,
    )


@dataclass(frozen=True)
class _Draws:
    """Uniform numbers for a treatment: each name has its own."""

    treatment: Treatment
    cohort: Subjects
    seed: int

    def of(self, what: str, rows: np.ndarray) -> np.ndarray:
        return uniform_noise(self.cohort, self.seed, f"{self.treatment.name} {what}")[rows]


@dataclass(frozen=True)
class _Patients:
    """The people who get a treatment. Arrays have shape (n_treated,)."""

    rows: np.ndarray
    indication: np.ndarray
    drug: np.ndarray
    start: np.ndarray


def _patients(
    treatment: Treatment,
    onsets: Mapping[str, np.ndarray],
    cohort: Subjects,
    draws: _Draws,
    overrides: Mapping[int, bool],
) -> _Patients:
    """Find who gets the treatment, from when, with which drug."""
    everybody = np.arange(len(cohort))
    ages = np.stack([onsets[name] for name in treatment.indications])
    ages[ages > cohort.age] = np.inf
    start = ages.min(axis=0)
    start -= treatment.years_to_start * np.log1p(-draws.of("start", everybody))
    treated = draws.of("treated", everybody) < by_sex_and_age(treatment.share, cohort)
    treated &= start <= cohort.age
    demanded = np.zeros(len(cohort), dtype=bool)
    for row, is_treated in overrides.items():
        start[row] = min(start[row], cohort.age[row])
        treated[row] = demanded[row] = is_treated and np.isfinite(ages[:, row]).any()
    rows = np.flatnonzero(treated)
    indication = ages[:, rows].argmin(axis=0)
    choice = DrugChoice.of(treatment, rows, indication, cohort)
    waits = demanded[rows] | (treatment.duration_years is None)
    start = choice.wait(start[rows], waits)
    drug, possible = choice.pick(start, draws.of("drug", rows))
    possible &= start <= cohort.age[rows]
    for row in rows[demanded[rows] & ~possible]:
        expected = "a drug for this person's sex, age and years"
        raise InputError(cohort.id.iloc[row], f"treatments.{treatment.name}", expected, "none")
    return _Patients(rows[possible], indication[possible], drug[possible], start[possible])


def _event_risk(
    treatment: Treatment, drug: np.ndarray, copies: Mapping[str, np.ndarray], rows: np.ndarray
) -> np.ndarray:
    risk = np.zeros(rows.size)
    for number, one in enumerate(treatment.drugs):
        if one.adverse_event is not None:
            mine = drug == number
            risk[mine] = _risk_with_copies(one.adverse_event, copies, rows[mine])
    return risk


def _risk_with_copies(
    event: AdverseEvent, copies: Mapping[str, np.ndarray], rows: np.ndarray
) -> np.ndarray:
    odds = np.full(rows.size, event.risk / (1 - event.risk))
    for gene, ratio in event.odds_ratios.items():
        if gene in copies:
            odds *= ratio ** copies[gene][rows]
    return odds / (1 + odds)


def treatments_table(
    traits: Traits,
    courses: Sequence[Course],
    flavours: Mapping[str, FieldFlavours],
    cohort: Subjects,
    seed: int,
) -> pd.DataFrame:
    """Build the table of treatments.

    Args:
        traits: The traits.
        courses: Treatments that people got.
        flavours: Null flavours by field.
        cohort: The people.
        seed: The run's root seed, of the dates of birth.

    Returns:
        One row per treatment: ``individual`` and ``COLUMNS``, with ages in whole years.
    """
    diseases = {disease.name: disease for disease in traits.diseases}
    parts, born = [], birth_dates(cohort, seed)
    for course in courses:
        indications = [diseases[name] for name in course.treatment.indications]
        known = course.response_known.copy()
        if course.treatment.name in flavours:
            known &= flavours[course.treatment.name].index[course.rows] < 0
        dates = _dates(course, born[course.rows])
        parts.append((course.rows, {**_columns(course, indications, known), **dates}))
    return join_parts(parts, COLUMNS, cohort)


def _dates(course: Course, born: np.ndarray) -> dict[str, pd.Series]:
    """Date the start and the end, which is at least a day later.

    An adverse event is dated on a birthday. Its drug has been started by then.
    """
    ended = np.isfinite(course.end)
    same_year = course.has_event & (np.floor(course.start) == np.floor(course.end))
    start = dates_at_ages(born, np.where(same_year, np.floor(course.start), course.start))
    end = dates_at_ages(born, np.where(ended, course.end, course.start))
    end = np.maximum(end, start + 1)
    end[~ended] = np.datetime64("NaT")
    return {"start_date": date_texts(start), "end_date": date_texts(end)}


def _columns(
    course: Course, indications: Sequence[Disease], known: np.ndarray
) -> dict[str, np.ndarray | pd.Series]:
    """Build the cells of a course's people. ``known`` says whose response is on record."""
    drugs, responses = course.treatment.drugs, course.treatment.responses
    events = [drug.adverse_event.term if drug.adverse_event else None for drug in drugs]
    response = np.where(known, course.response, -1)
    event = np.where(course.has_event, course.drug, -1)
    dose = np.array([drug.dose or np.nan for drug in drugs])
    times = np.array([drug.times_per_day for drug in drugs], dtype=np.float64)
    times[np.isnan(dose)] = np.nan
    return {
        "dose_mg": dose[course.drug],
        "doses_per_day": times[course.drug],
        "start_age": np.floor(course.start),
        "end_age": np.floor(np.where(np.isinf(course.end), np.nan, course.end)),
        **_term_columns("code", "label", [drug.term for drug in drugs], course.drug),
        **_term_columns("indication", "indication_label", indications, course.indication),
        **_term_columns("response", "response_label", [term for term, _ in responses], response),
        **_term_columns("adverse_event", "adverse_event_label", events, event),
    }


def _term_columns(
    code: str, label: str, terms: Sequence[Coded | Disease | None], index: np.ndarray
) -> dict[str, pd.Series]:
    """Select codes and labels of terms by index. -1 is null."""
    return {
        code: pick_texts([term.code if term else None for term in terms], index),
        label: pick_texts([term.label if term else None for term in terms], index),
    }
