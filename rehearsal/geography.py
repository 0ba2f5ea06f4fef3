"""Distances on the globe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.model import Country

EARTH_RADIUS_KM = 6371.0


def great_circle_km(
    latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float
) -> float:
    """Distance between two places, each in degrees, along the surface of a sphere."""
    longitude = math.radians(longitude_2 - longitude_1)
    return float(_haversine_km(math.radians(latitude_1), math.radians(latitude_2), longitude))


def country_distances_km(countries: Sequence[Country]) -> NDArray[np.float64]:
    """Distances between the centres of population of all pairs of countries, (k, k) km."""
    return great_circle_matrix_km(
        np.array([country.latitude for country in countries]),
        np.array([country.longitude for country in countries]),
    )


def great_circle_matrix_km(latitude: NDArray[Any], longitude: NDArray[Any]) -> NDArray[np.float64]:
    """Distances between all pairs of places: (k,) degrees each -> (k, k) km."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    distance: NDArray[np.float64] = _haversine_km(phi, phi[:, None], lam[:, None] - lam)
    return distance


def _haversine_km(latitude_1: Any, latitude_2: Any, longitude: Any) -> Any:
    """The haversine formula, in radians; ``longitude``: the difference of the longitudes.

    Numbers go through the C library and arrays through NumPy, which round differently in the last
    bit: results must stay the same to the bit, whoever asks.
    """
    m: Any = np if isinstance(latitude_1, np.ndarray) else math
    half_chord = (
        m.sin((latitude_2 - latitude_1) / 2) ** 2
        + m.cos(latitude_1) * m.cos(latitude_2) * m.sin(longitude / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * m.asin(m.sqrt(np.minimum(half_chord, 1.0)))
