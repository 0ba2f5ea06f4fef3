"""Quantities that change with age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity by age: straight lines between the given points, flat beyond them."""

    ages: tuple[float, ...]  # years, rising
    values: tuple[float, ...]

    def at(self, age: np.ndarray) -> np.ndarray:
        """The values at these ages (years)."""
        return np.interp(age, self.ages, self.values)

    def age_of(self, value: np.ndarray) -> np.ndarray:
        """The ages (years) at which a rising curve reaches these values; inf where it never does.

        For a cumulative risk this is the quantile function of the age of onset.
        """
        return np.where(value <= self.values[-1], np.interp(value, self.values, self.ages), np.inf)
