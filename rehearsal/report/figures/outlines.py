"""Coastlines and borders of Europe, cut to the frame of a map.

The lines are those of Natural Earth 4.1.0 at 1:50 million, which is in the public domain. They come
from the npm package world-atlas 2.0.2 and are in ``europe_outlines.json`` beside this module. That
file states its source, version and licence too; ``benchmarks/make_outlines.py`` made it.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

FILE = "europe_outlines.json"
EDGE_STEP = 1.0  # degrees between the points along the frame

Point = tuple[float, float]  # longitude and latitude in degrees
Box = tuple[float, float, float, float]  # west, south, east, north in degrees


def outline_features(box: Box) -> list[dict[str, Any]]:
    """Build GeoJSON features of the land and the borders inside a frame.

    Args:
        box: West, south, east and north edge of the frame, in degrees.

    Returns:
        Two features, whose ``part`` property is ``land`` (polygons) or ``borders`` (lines).
    """
    stored = _read_outlines()
    land = [[ring] for ring in (clip_ring(one, box) for one in stored["land"]) if ring]
    borders = [piece for line in stored["borders"] for piece in clip_line(line, box)]
    return [
        _feature("land", "MultiPolygon", [[_along_frame(ring[0], box)] for ring in land]),
        _feature("borders", "MultiLineString", borders),
    ]


def _feature(part: str, kind: str, coordinates: list[Any]) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"part": part}, "geometry": geometry}


@functools.cache
def _read_outlines() -> dict[str, Any]:
    text = resources.files("rehearsal.report.figures").joinpath(FILE).read_text(encoding="utf-8")
    return json.loads(text)


def clip_ring(ring: Sequence[Point], box: Box) -> list[Point]:
    """Cut a closed ring to a frame, edge by edge (Sutherland and Hodgman 1974).

    Args:
        ring: Corners in degrees; the last one repeats the first one.
        box: West, south, east and north edge of the frame, in degrees.

    Returns:
        The closed ring inside the frame, with the same orientation. Empty if nothing is inside.
    """
    corners = [(x, y) for x, y in ring[:-1]]
    for axis, limit, sign in _sides(box):
        kept: list[Point] = []
        for start, end in zip(corners[-1:] + corners[:-1], corners, strict=True):
            start_in, end_in = (sign * (one[axis] - limit) >= 0 for one in (start, end))
            if start_in != end_in:
                kept.append(_crossing(start, end, axis, limit))
            if end_in:
                kept.append(end)
        corners = kept
    return [*corners, corners[0]] if len(corners) > 2 else []


def clip_line(line: Sequence[Point], box: Box) -> list[list[Point]]:
    """Cut a line to a frame.

    Args:
        line: Points in degrees.
        box: West, south, east and north edge of the frame, in degrees.

    Returns:
        The pieces of the line inside the frame.
    """
    pieces = [[(x, y) for x, y in line]]
    for side in _sides(box):
        pieces = [part for piece in pieces for part in _inside(piece, *side)]
    return pieces


def _inside(line: list[Point], axis: int, limit: float, sign: int) -> Iterator[list[Point]]:
    """Yield the pieces of a line on one side of a limit."""

    def holds(value: float) -> bool:
        return sign * (value - limit) >= 0

    piece: list[Point] = line[:1] if holds(line[0][axis]) else []
    for start, end in itertools.pairwise(line):
        start_in, end_in = holds(start[axis]), holds(end[axis])
        if start_in != end_in:
            piece.append(_crossing(start, end, axis, limit))
        if end_in:
            piece.append(end)
        elif start_in:
            yield piece
            piece = []
    if len(piece) > 1:
        yield piece


def _sides(box: Box) -> list[tuple[int, float, int]]:
    """List each edge as coordinate, limit and the sign of what is inside."""
    west, south, east, north = box
    return [(0, west, 1), (0, east, -1), (1, south, 1), (1, north, -1)]


def _crossing(start: Point, end: Point, axis: int, limit: float) -> Point:
    share = (limit - start[axis]) / (end[axis] - start[axis])
    other = start[1 - axis] + share * (end[1 - axis] - start[1 - axis])
    return (limit, round(other, 4)) if axis == 0 else (round(other, 4), limit)


def _along_frame(ring: list[Point], box: Box) -> list[Point]:
    """Add points where a ring follows a parallel of the frame, which a projection bends."""
    _, south, _, north = box
    points = ring[:1]
    for start, end in itertools.pairwise(ring):
        if start[1] == end[1] and start[1] in (south, north):
            number = int(abs(end[0] - start[0]) / EDGE_STEP)
            step = (end[0] - start[0]) / (number + 1)
            points += [(round(start[0] + step * n, 4), start[1]) for n in range(1, number + 1)]
        points.append(end)
    return points
