"""How many people each country gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.config.schema import source_of
from rehearsal.errors import InputError
from rehearsal.model import Country


def people_numbers(
    config: Mapping[str, Any], countries: Sequence[Country], sources: Sequence[Path]
) -> dict[str, int]:
    """How many people each country gets. Raises InputError for a country that is not there."""
    cohort, codes = config["cohort"], [country.code for country in countries]
    named = {"cohort.people": list(cohort["people"]), "network.asker": [config["network"]["asker"]]}
    for key, wanted in named.items():
        for code in wanted:
            if code not in codes:
                raise InputError(
                    source_of(key.split("."), sources),
                    key,
                    f"{code} is not a country of {config['countries']}; expected one of "
                    + " ".join(codes),
                )
    if cohort["total"] is None:
        numbers = dict.fromkeys(codes, cohort["people_per_country"])
    else:
        floor = cohort["minimum_per_country"]
        if cohort["total"] < floor * len(codes):
            raise InputError(
                source_of(["cohort", "total"], sources),
                "cohort.total",
                f"expected at least {floor * len(codes)}, minimum_per_country in each country",
            )
        numbers = share_by_census(countries, cohort["total"], floor)
    return numbers | cohort["people"]


def share_by_census(countries: Sequence[Country], total: int, floor: int) -> dict[str, int]:
    """``total`` people in proportion to the census, no country below ``floor``.

    Countries whose share falls below the floor get it; the others share the rest, rounded by
    the largest remainder, so that the numbers add up to ``total``.
    """
    shares = _shares_above(floor, {one.code: one.census_millions for one in countries}, total)
    numbers = {one.code: int(shares.get(one.code, floor)) for one in countries}
    by_remainder = sorted(shares, key=lambda code: shares[code] - int(shares[code]), reverse=True)
    for code in by_remainder[: total - sum(numbers.values())]:
        numbers[code] += 1
    return numbers


def _shares_above(floor: int, census: Mapping[str, float], total: int) -> dict[str, float]:
    """The shares of those who get the floor or more, when all others get the floor."""
    large = dict(census)
    while True:
        people = total - floor * (len(census) - len(large))
        weight = sum(large.values())
        shares = {code: millions * people / weight for code, millions in large.items()}
        below = [code for code, share in shares.items() if share < floor]
        if not below:
            return shares
        for code in below:
            del large[code]
