"""Lambert's azimuthal equal-area projection, as Vega draws it.

The map needs the projection in Python too: it finds the frame and the places of the labels.
Plane coordinates are in Earth radii, x to the east and y to the north.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CENTRE = (10.0, 52.0)  # longitude and latitude in degrees, as European statistics use
EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of the plane, in Earth radii."""

    left: float
    low: float
    right: float
    high: float

    @property
    def width(self) -> float:
        """The rectangle's width in Earth radii."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """The rectangle's height in Earth radii."""
        return self.high - self.low

    def box(self) -> tuple[float, float, float, float]:
        """Find the degrees that hold the rectangle: west, south, east and north."""
        across, up = np.linspace(self.left, self.right, 50), np.linspace(self.low, self.high, 50)
        sides = [
            *((x, y) for x in across for y in (self.low, self.high)),
            *((x, y) for y in up for x in (self.left, self.right)),
        ]
        degrees = unproject(np.array(sides))
        (west, south), (east, north) = degrees.min(axis=0), degrees.max(axis=0)
        return float(west) - 1, float(south) - 1, float(east) + 1, float(north) + 1


def project(degrees: np.ndarray) -> np.ndarray:
    """Project points of the globe onto the plane.

    Args:
        degrees: Longitudes and latitudes, shape (n, 2), float64, in degrees.

    Returns:
        x and y in Earth radii, shape (n, 2), float64.
    """
    east, north = np.radians(degrees - np.array([CENTRE[0], 0.0])).T
    middle = np.radians(CENTRE[1])
    cosine = np.sin(middle) * np.sin(north) + np.cos(middle) * np.cos(north) * np.cos(east)
    scale = np.sqrt(2 / (1 + cosine))
    x = np.cos(north) * np.sin(east)
    y = np.cos(middle) * np.sin(north) - np.sin(middle) * np.cos(north) * np.cos(east)
    return np.column_stack([scale * x, scale * y])


def unproject(plane: np.ndarray) -> np.ndarray:
    """Find the points of the globe that are projected onto points of the plane.

    Args:
        plane: x and y in Earth radii, shape (n, 2), float64.

    Returns:
        Longitudes and latitudes in degrees, shape (n, 2), float64.
    """
    x, y = plane.T
    middle = np.radians(CENTRE[1])
    radius = np.hypot(x, y)
    angle = 2 * np.arcsin(radius / 2)
    share = np.divide(np.sin(angle), radius, out=np.ones_like(radius), where=radius > 0)
    north = np.arcsin(np.cos(angle) * np.sin(middle) + y * share * np.cos(middle))
    east = np.arctan2(x * share, np.cos(middle) * np.cos(angle) - y * share * np.sin(middle))
    return np.degrees(np.column_stack([east, north])) + np.array([CENTRE[0], 0.0])


def frame_around(
    degrees: np.ndarray, margin_km: tuple[float, float, float], aspect: float
) -> Frame:
    """Find the smallest frame of a given shape around points, with margins.

    Args:
        degrees: Longitudes and latitudes, shape (n, 2), float64, in degrees.
        margin_km: Kilometres kept free at the sides, below and above.
        aspect: Width divided by height of the frame.

    Returns:
        The frame; the points with their margins are in its middle.
    """
    points = project(degrees)
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    side, below, above = (km / EARTH_KM for km in margin_km)
    left, right, low, high = left - side, right + side, low - below, high + above
    wider = max(0.0, aspect * (high - low) - (right - left)) / 2
    higher = max(0.0, (right - left) / aspect - (high - low)) / 2
    return Frame(
        float(left - wider), float(low - higher), float(right + wider), float(high + higher)
    )
