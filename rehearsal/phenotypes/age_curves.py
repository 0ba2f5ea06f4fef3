"""Quantities that change with age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity by age: linear between the given points, constant beyond them."""

    ages: tuple[float, ...]  # years, ascending
    values: tuple[float, ...]  # at the same points

    def at(self, age: np.ndarray) -> np.ndarray:
        """Evaluate the curve.

        Args:
            age: Ages in years, any shape.

        Returns:
            The values, same shape.
        """
        return np.interp(age, self.ages, self.values)

    def age_of(self, value: np.ndarray) -> np.ndarray:
        """Find the ages at which an ascending curve reaches given values.

        For a cumulative risk this is the quantile function of the age of onset.

        Args:
            value: The values, any shape.

        Returns:
            Ages in years, inf where the curve never reaches the value. Same shape.
        """
        return np.where(value <= self.values[-1], np.interp(value, self.values, self.ages), np.inf)
