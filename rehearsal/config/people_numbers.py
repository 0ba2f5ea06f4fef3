"""How many people each country gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.genomes.blocks import CONFIG
from rehearsal.model import Country

# Each person has two sample nodes, and tree sequences number nodes by 32 bits with a sign
# (tskit_id_t of tskit's C library). The schema has the same limit.
MOST_PEOPLE = 1_000_000_000
SURE_OF_MEN = 100  # people; one draw in 10^30 gives as many women only


def people_numbers(
    config: Mapping[str, Any], countries: Sequence[Country], table: Path
) -> dict[str, int]:
    """Decide how many people each country gets.

    Args:
        config: The merged configuration, valid against its schema.
        countries: The countries of the run.
        table: The table of countries, for messages.

    Returns:
        Numbers of people by country code, in the order of the countries.

    Raises:
        InputError: The configuration names an unknown country, or a total that is too small or too
            large.
    """
    cohort, codes = config["cohort"], [country.code for country in countries]
    named = {"cohort.people": list(cohort["people"]), "network.asker": [config["network"]["asker"]]}
    complaints = Complaints()
    expected = f"a country of {table} ({', '.join(codes)})"
    for key, code in [(key, code) for key, wanted in named.items() for code in wanted]:
        with complaints.collected():
            if code not in codes:
                raise InputError(CONFIG, key, expected, shown(code))
    complaints.raise_any()
    if cohort["total"] is None:
        numbers = dict.fromkeys(codes, cohort["people_per_country"])
    else:
        floor, total = cohort["minimum_per_country"], cohort["total"]
        if total < floor * len(codes):
            raise InputError(
                CONFIG,
                "cohort.total",
                f"a whole number of at least {floor * len(codes)} "
                f"(cohort.minimum_per_country, {floor}, in each of {len(codes)} countries)",
                shown(total),
            )
        numbers = share_by_census(countries, total, floor)
    numbers |= cohort["people"]
    people = sum(numbers.values())
    if people > MOST_PEOPLE:
        key = people_key(cohort, max(numbers, key=numbers.__getitem__))
        raise InputError(CONFIG, key, f"at most {MOST_PEOPLE:,} people in all", f"{people:,}")
    return numbers


def share_by_census(countries: Sequence[Country], total: int, floor: int) -> dict[str, int]:
    """Share people out in proportion to the census, with a minimum for every country.

    Countries whose share falls below the minimum get the minimum. The others share the rest,
    rounded by the largest remainder, so that the numbers add up to ``total``.

    Args:
        countries: The countries, with their census.
        total: How many people to share out, at least ``floor`` times the number of countries.
        floor: The fewest people of a country.

    Returns:
        Numbers of people by country code.
    """
    shares = _shares_above(floor, {one.code: one.census_millions for one in countries}, total)
    numbers = {one.code: int(shares.get(one.code, floor)) for one in countries}
    by_remainder = sorted(shares, key=lambda code: shares[code] - int(shares[code]), reverse=True)
    for code in by_remainder[: total - sum(numbers.values())]:
        numbers[code] += 1
    return numbers


def _shares_above(floor: int, census: Mapping[str, float], total: int) -> dict[str, float]:
    """Compute the shares of the countries that reach the minimum when all others get it."""
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


def people_key(cohort: Mapping[str, Any], code: str) -> str:
    """Name the key that decides how many people a country gets.

    Args:
        cohort: The section ``cohort`` of the configuration.
        code: The country.
    """
    if code in cohort["people"]:
        return f"cohort.people.{code}"
    return "cohort.people_per_country" if cohort["total"] is None else "cohort.total"
