"""Migrants, people of other ancestries, and related parents: their shares in each country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.genomes.blocks import CONFIG
from rehearsal.model import Country

EVERY = "*"  # a country without an entry of its own


@dataclass(frozen=True)
class CohortMix:
    """Shares by country code; ``*`` stands for every country without an entry.

    ``consanguineous`` is the share of the families with children whose parents are first cousins.
    ``migrants`` is the share of the unrelated people whose genome is of another country's
    population. ``ancestries`` are the shares of them whose genome is of a population outside
    Europe, by the name of its deme.
    """

    consanguineous: Mapping[str, float] = field(default_factory=dict)
    migrants: Mapping[str, float] = field(default_factory=dict)
    ancestries: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def of_cohort(cls, cohort: Mapping[str, Any]) -> CohortMix:
        """Read the shares from the section ``cohort`` of the configuration.

        Args:
            cohort: The section.
        """
        return cls(cohort["consanguineous"], cohort["migrants"], cohort["ancestries"])

    @property
    def populations(self) -> list[str]:
        """The populations outside Europe that any country has people of."""
        shares = [own.items() for own in self.ancestries.values()]
        return sorted({name for own in shares for name, share in own if share > 0})

    def check(self, countries: Sequence[Country]) -> None:
        """Check that the shares can be fulfilled.

        Args:
            countries: The countries of the run.

        Raises:
            InputError: A country is unknown, or the shares of a country exceed 1.
        """
        codes = [country.code for country in countries]
        complaints = Complaints()
        for key in ("consanguineous", "migrants", "ancestries"):
            for code in getattr(self, key):
                with complaints.collected():
                    if code not in (EVERY, *codes):
                        expected = f"a country of this run ({', '.join(codes)}) or {EVERY}"
                        raise InputError(CONFIG, f"cohort.{key}", expected, shown(code))
        for code in codes:
            with complaints.collected():
                self._check_sum(code)
        complaints.raise_any()

    def _check_sum(self, code: str) -> None:
        migrants = _of(self.migrants, code, 0.0)
        others = sum(_of(self.ancestries, code, {}).values())
        if migrants + others > 1 + 1e-9:  # a sum of 1 may be more by the last bit
            key, own = max(
                (others, ("ancestries", self.ancestries)),
                (migrants, ("migrants", self.migrants)),
                key=lambda pair: pair[0],
            )[1]
            entry = code if code in own else EVERY
            named = code if code in self.migrants or code in self.ancestries else EVERY
            expected = f"shares of migrants and ancestries of {named} that add up to at most 1"
            found = f"{migrants + others:g}"
            raise InputError(CONFIG, f"cohort.{key}.{entry}", expected, found, subject=named)

    def consanguineous_in(self, code: str) -> float:
        """Return the share of a country's families whose parents are first cousins.

        Args:
            code: The country.
        """
        return _of(self.consanguineous, code, 0.0)

    def draw_populations(
        self, country: Country, countries: Sequence[Country], people: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the populations of a country's unrelated people.

        Migrants come from the other countries in proportion to their census.

        Args:
            country: The country where the people are enrolled.
            countries: All countries of the run.
            people: Number of people.
            rng: Source of random numbers.

        Returns:
            Names of populations, shape (people,), object.
        """
        others = [one for one in countries if one.code != country.code]
        census = np.array([one.census_millions for one in others])
        ancestries = _of(self.ancestries, country.code, {})
        from_others = _of(self.migrants, country.code, 0.0) * census / max(census.sum(), 1e-9)
        shares = np.concatenate([from_others, np.array(list(ancestries.values()), dtype=float)])
        names = [*(one.code for one in others), *ancestries, country.code]
        own = max(0.0, 1 - shares.sum())  # a sum of 1 may be more by the last bit
        return rng.choice(np.array(names, dtype=object), people, p=[*shares, own])


NO_MIX = CohortMix()


def _of(shares: Mapping[str, Any], code: str, default: Any) -> Any:
    return shares.get(code, shares.get(EVERY, default))
