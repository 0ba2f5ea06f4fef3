"""The size that a run needs before a measure is judged, and the words if it is too small."""

from __future__ import annotations

import numpy as np

from rehearsal.realism.panel import MeasuredPeople

MB = 1e6
DIVERSITY_MB, KINSHIP_MB, COMPONENTS_MB, X_MB = 20, 50, 400, 20  # needed for a judgement
STRUCTURAL_MB = 200  # nine structural variants per Mb and person: fewer say too little
# r² of a megabase depends on how much it recombines: over 5 Mb its standard deviation is 0.05 at
# 5 kb and 0.026 at 100 kb, so that 300 Mb have a third of a range's half-width as standard error.
LINKAGE_MB = 300
LEAST_PEOPLE = 100  # for r²
LEAST_SITES, LEAST_CROSSOVERS = 10_000, 100
LEAST_COUNTRIES = 5  # for a correlation over countries
STANDARD_ERRORS = 3  # a mean kinship is judged if it is this far from the next degree

# The error of an F_ST from n people per country and L bases falls as 1 / (n sqrt(L)). It alone
# lowered a correlation over all pairs to 0.942 (17 people, 140 Mb) and 0.970 (25 people, 135 Mb).
# So it lowers it to 0.985 at 400 Mb and 21 people (docs/design/realism.md). The slope has a
# standard error of 0.05 there, half of its range's half-width.
FST_PEOPLE_MB = 400 * 21**2


def describe_sample(panel: MeasuredPeople, bases: float) -> str:
    """Describe the people and sequence of a measure.

    Args:
        panel: The measured people.
        bases: Number of bases.
    """
    largest = np.bincount(panel.country).max(initial=0)
    return (
        f"{len(panel.members)} unrelated people, at most {largest} per country, {bases / MB:.0f} Mb"
    )


def needs_megabases(bases: float, megabases: float) -> str:
    """Say how much autosomal sequence is needed; empty if the run has it.

    Args:
        bases: Autosomal bases of the run.
        megabases: Needed megabases.
    """
    return "" if bases >= megabases * MB else f"needs {megabases} Mb of autosomes"


def needs_people_megabases(panel: MeasuredPeople, bases: float) -> str:
    """Say how much sequence F_ST needs with these people; empty if the run has it.

    Args:
        panel: The measured people.
        bases: Autosomal bases of the run.
    """
    people = int(np.bincount(panel.country, minlength=len(panel.codes)).min())
    if people**2 * bases / MB >= FST_PEOPLE_MB:
        return ""
    wanted = FST_PEOPLE_MB / max(people, 1) ** 2
    return f"needs {wanted:,.0f} Mb with {people} unrelated people in each country"


def needs_countries(countries: int) -> str:
    """Say how many countries a correlation needs; empty if the run has them.

    Args:
        countries: Number of countries of the run.
    """
    return "" if countries >= LEAST_COUNTRIES else f"needs {LEAST_COUNTRIES} countries"
