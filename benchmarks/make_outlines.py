"""Make the outlines under the map of nodes from Natural Earth's countries.

The source is the npm package ``world-atlas``, which holds Natural Earth's countries as TopoJSON.
Natural Earth is in the public domain. Fetch the package, then run:

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python benchmarks/make_outlines.py package/countries-50m.json

The result is ``rehearsal/report/figures/europe_outlines.json``: outer rings of the land and the
borders between countries, cut to Europe, simplified, in degrees with two decimals.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.report.figures import outlines
from rehearsal.report.figures.outlines import Box, Point, clip_line, clip_ring

EUROPE: Box = (-34.0, 26.0, 66.0, 76.0)
TOLERANCE = 0.025  # degrees that a simplified line may be off
SMALLEST = 0.01  # square degrees of an island that is kept
DECIMALS = 2
TARGET = Path(outlines.__file__).with_name(outlines.FILE)
ABOUT = {
    "source": "Natural Earth 1:50m Admin 0 countries, https://www.naturalearthdata.com",
    "version": "Natural Earth 4.1.0, as in the npm package world-atlas 2.0.2 (countries-50m.json)",
    "licence": "Public domain",
    "changes": "Cut to Europe, simplified and rounded by benchmarks/make_outlines.py",
    "coordinates": "Longitude and latitude in degrees (WGS 84); outer rings run clockwise",
}


def decode_arcs(topology: Mapping[str, Any]) -> list[list[Point]]:
    """Decode the arcs of a TopoJSON file.

    Args:
        topology: The parsed file. Its arcs may be delta-coded whole numbers with a ``transform``.

    Returns:
        One list of points per arc, in degrees.
    """
    if "transform" not in topology:
        return [[(x, y) for x, y in arc] for arc in topology["arcs"]]
    (scale_x, scale_y), (left, low) = topology["transform"].values()
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + left, y * scale_y + low))
        arcs.append(points)
    return arcs


def simplify_line(line: Sequence[Point], tolerance: float) -> list[Point]:
    """Drop the points of a line that matter least (Douglas and Peucker 1973).

    Args:
        line: Points in degrees. The ends are kept.
        tolerance: The largest distance in degrees between a dropped point and the new line.

    Returns:
        The points that are left.
    """
    if len(line) < 3:
        return list(line)
    middle = range(1, len(line) - 1)
    farthest = max(middle, key=lambda place: _distance(line[place], line[0], line[-1]))
    if _distance(line[farthest], line[0], line[-1]) <= tolerance:
        return [line[0], line[-1]]
    first = simplify_line(line[: farthest + 1], tolerance)
    return first[:-1] + simplify_line(line[farthest:], tolerance)


def _distance(point: Point, start: Point, end: Point) -> float:
    """Measure from a point to a segment, in degrees of latitude."""
    shrink = math.cos(math.radians(point[1]))
    x, y = (point[0] - start[0]) * shrink, point[1] - start[1]
    along_x, along_y = (end[0] - start[0]) * shrink, end[1] - start[1]
    length = along_x**2 + along_y**2
    share = 0.0 if length == 0 else min(1.0, max(0.0, (x * along_x + y * along_y) / length))
    return math.hypot(x - share * along_x, y - share * along_y)


def join_ring(indices: Iterable[int], arcs: Sequence[Sequence[Point]]) -> list[Point]:
    """Join the arcs of a ring.

    Args:
        indices: Numbers of arcs, 0-based; ``~n`` stands for arc ``n`` backwards.
        arcs: Points of every arc.

    Returns:
        The closed ring.
    """
    ring: list[Point] = []
    for index in indices:
        piece = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring += piece[1:] if ring else piece
    return ring


def outer_rings(geometry: Mapping[str, Any]) -> Iterator[list[int]]:
    """Yield the outer ring of every polygon below a geometry; lakes are left out.

    Args:
        geometry: A TopoJSON geometry: a collection, polygon or multipolygon.
    """
    kind = geometry["type"]
    if kind == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from outer_rings(part)
    elif kind == "Polygon":
        yield geometry["arcs"][0]
    elif kind == "MultiPolygon":
        for polygon in geometry["arcs"]:
            yield polygon[0]


def shared_arcs(countries: Mapping[str, Any]) -> list[int]:
    """List the arcs that two countries have in common: their borders.

    Args:
        countries: The collection of countries.

    Returns:
        Numbers of arcs, 0-based and sorted.
    """
    users: Counter[int] = Counter()
    for country in countries["geometries"]:
        rings = country.get("arcs", [])
        if country["type"] == "MultiPolygon":
            rings = [ring for polygon in rings for ring in polygon]
        users.update({index if index >= 0 else ~index for ring in rings for index in ring})
    return sorted(index for index, number in users.items() if number > 1)


def make_outlines(topology: Mapping[str, Any], box: Box, tolerance: float) -> dict[str, Any]:
    """Cut and simplify the land and the borders of a TopoJSON file of countries.

    Args:
        topology: The parsed file, with the objects ``land`` and ``countries``.
        box: West, south, east and north edge of what is kept, in degrees.
        tolerance: The largest error of a simplified line, in degrees.

    Returns:
        The content of ``europe_outlines.json``: source, version, licence, ``land`` (closed rings)
        and ``borders`` (lines).
    """
    arcs = [simplify_line(arc, tolerance) for arc in decode_arcs(topology)]
    rings = (join_ring(ring, arcs) for ring in outer_rings(topology["objects"]["land"]))
    clipped = (_rounded(clip_ring(ring, box)) for ring in rings)
    land = [ring for ring in clipped if len(ring) > 3 and abs(_area(ring)) >= SMALLEST]
    lines = (arcs[index] for index in shared_arcs(topology["objects"]["countries"]))
    borders = [_rounded(piece) for line in lines for piece in clip_line(line, box)]
    return {**ABOUT, "land": land, "borders": [line for line in borders if len(line) > 1]}


def _rounded(line: Sequence[Point]) -> list[Point]:
    """Round a line; points that fall together become one."""
    points = [(round(x, DECIMALS), round(y, DECIMALS)) for x, y in line]
    return [one for place, one in enumerate(points) if place == 0 or one != points[place - 1]]


def _area(ring: Sequence[Point]) -> float:
    pairs = itertools.pairwise(ring)
    return sum(x * other_y - other_x * y for (x, y), (other_x, other_y) in pairs) / 2


def main() -> None:
    """Read the TopoJSON file that the command line names and write the outlines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("topojson", type=Path, help="countries-50m.json of world-atlas 2.0.2")
    parser.add_argument("--to", type=Path, default=TARGET, help="file to write")
    options = parser.parse_args()
    made = make_outlines(json.loads(options.topojson.read_text()), EUROPE, TOLERANCE)
    options.to.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    points = sum(map(len, [*made["land"], *made["borders"]]))
    print(f"{options.to}: {points:,} points, {options.to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
