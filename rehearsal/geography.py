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
    """Compute the distance between two places along the surface of the Earth, taken as a sphere.

    Args:
        latitude_1: Latitude of the first place, degrees north.
        longitude_1: Longitude of the first place, degrees east.
        latitude_2: Latitude of the second place, degrees north.
        longitude_2: Longitude of the second place, degrees east.

    Returns:
        The distance in km.
    """
    longitude = math.radians(longitude_2 - longitude_1)
    return float(_haversine_km(math.radians(latitude_1), math.radians(latitude_2), longitude))


def country_distances_km(countries: Sequence[Country]) -> NDArray[np.float64]:
    """Compute the distances between the population centres of all pairs of countries.

    Args:
        countries: The k countries.

    Returns:
        Distances in km, shape (k, k).
    """
    return great_circle_matrix_km(
        np.array([country.latitude for country in countries]),
        np.array([country.longitude for country in countries]),
    )


def great_circle_matrix_km(latitude: NDArray[Any], longitude: NDArray[Any]) -> NDArray[np.float64]:
    """Compute the distances between all pairs of places.

    Args:
        latitude: Degrees north, shape (k,).
        longitude: Degrees east, shape (k,).

    Returns:
        Distances in km, shape (k, k).
    """
    phi, lam = np.radians(latitude), np.radians(longitude)
    distance: NDArray[np.float64] = _haversine_km(phi, phi[:, None], lam[:, None] - lam)
    return distance


def _haversine_km(latitude_1: Any, latitude_2: Any, longitude: Any) -> Any:
    """Apply the haversine formula; all angles in radians, ``longitude`` is a difference.

    Single numbers use the C library and arrays use NumPy, which round differently in the last
    bit. Each caller keeps its way, so that results stay the same to the bit.
    """
    m: Any = np if isinstance(latitude_1, np.ndarray) else math
    half_chord = (
        m.sin((latitude_2 - latitude_1) / 2) ** 2
        + m.cos(latitude_1) * m.cos(latitude_2) * m.sin(longitude / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * m.asin(m.sqrt(np.minimum(half_chord, 1.0)))
