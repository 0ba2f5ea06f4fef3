"""How large a run must be for a measure to be judged, in words where it is not."""

from __future__ import annotations

import numpy as np

from rehearsal.realism.panel import MeasuredPeople

MB = 1e6
DIVERSITY_MB, FST_MB, COMPONENTS_MB, X_MB = 20, 50, 400, 20  # what a judgement needs
LEAST_SITES, LEAST_CROSSOVERS = 10_000, 100
LEAST_COUNTRIES = 5  # for a correlation over countries
STANDARD_ERRORS = 3  # a mean kinship this far from the next degree is judged

# The error of an F_ST from n people a country and L bases falls as 1 / (n sqrt(L)). At 400 Mb and
# 15 people the error alone takes a correlation over all pairs down to about 0.98
# (docs/design/realism.md).
FST_PEOPLE_MB = 400 * 15**2


def describe_sample(panel: MeasuredPeople, bases: float) -> str:
    largest = np.bincount(panel.country).max(initial=0)
    return (
        f"{len(panel.members)} unrelated people, at most {largest} a country, {bases / MB:.0f} Mb"
    )


def needs_megabases(bases: float, megabases: float) -> str:
    return "" if bases >= megabases * MB else f"needs {megabases} Mb of autosomes"


def needs_people_megabases(panel: MeasuredPeople, bases: float) -> str:
    people = int(np.bincount(panel.country, minlength=len(panel.codes)).min())
    if people**2 * bases / MB >= FST_PEOPLE_MB:
        return ""
    wanted = FST_PEOPLE_MB / max(people, 1) ** 2
    return f"needs {wanted:,.0f} Mb with {people} unrelated people in each country"


def needs_countries(countries: int) -> str:
    return "" if countries >= LEAST_COUNTRIES else f"needs {LEAST_COUNTRIES} countries"
