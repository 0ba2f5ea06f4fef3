import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from rehearsal.report.figures import outlines
from rehearsal.report.figures.label_placement import place_beside
from rehearsal.report.figures.outlines import clip_line, clip_ring, outline_features
from rehearsal.report.figures.projection import frame_around, project, unproject

BENCHMARKS = Path(__file__).resolve().parents[4] / "benchmarks"
SQUARE = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0), (0.0, 0.0)]
# Two countries of one degree, side by side; arc 1 is their border. Delta-coded, 10 steps a degree.
TINY = {
    "type": "Topology",
    "transform": {"scale": [0.1, 0.1], "translate": [10.0, 50.0]},
    "arcs": [
        [[10, 0], [-10, 0], [0, 10], [10, 0]],
        [[10, 0], [0, 5], [0, 5]],
        [[10, 10], [10, 0], [0, -10], [-10, 0]],
    ],
    "objects": {
        "countries": {
            "type": "GeometryCollection",
            "geometries": [
                {"type": "Polygon", "arcs": [[0, -2]]},
                {"type": "MultiPolygon", "arcs": [[[1, 2]]]},
            ],
        },
        "land": {
            "type": "GeometryCollection",
            "geometries": [{"type": "MultiPolygon", "arcs": [[[0, 2]]]}],
        },
    },
}


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_outlines", BENCHMARKS / "make_outlines.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_outlines_are_made_from_a_tiny_topology(maker):
    made = maker.make_outlines(TINY, (9.0, 49.0, 13.0, 52.0), tolerance=0.01)
    (ring,) = made["land"]
    assert set(ring) == {(10.0, 50.0), (10.0, 51.0), (11.0, 51.0), (12.0, 51.0), (12.0, 50.0)} | {
        (11.0, 50.0)
    }
    assert ring[0] == ring[-1]
    assert made["borders"] == [[(11.0, 50.0), (11.0, 51.0)]]  # the point between them is dropped
    assert made["licence"] == "Public domain"


def test_outlines_are_cut_to_the_box(maker):
    made = maker.make_outlines(TINY, (9.0, 49.0, 10.5, 52.0), tolerance=0.01)
    assert max(x for x, _ in made["land"][0]) == 10.5
    assert made["borders"] == []


def test_the_stored_outlines_name_their_source_and_licence():
    stored = json.loads(Path(outlines.__file__).with_name(outlines.FILE).read_text())
    assert "Natural Earth" in stored["source"]
    assert "world-atlas 2.0.2" in stored["version"]
    assert stored["licence"] == "Public domain"
    assert all(ring[0] == ring[-1] for ring in stored["land"])


def test_a_ring_is_cut_with_its_orientation():
    assert clip_ring(SQUARE, (2.0, 1.0, 9.0, 9.0))[:-1] == [(2, 1), (2, 4), (4, 4), (4, 1)]
    assert clip_ring(SQUARE, (5.0, 5.0, 9.0, 9.0)) == []


def test_a_line_is_cut_into_the_pieces_inside():
    zigzag = [(0.0, 0.0), (2.0, 2.0), (4.0, 0.0), (6.0, 2.0)]
    assert clip_line(zigzag, (0.0, 1.0, 9.0, 9.0)) == [
        [(1, 1), (2, 2), (3, 1)],
        [(5, 1), (6, 2)],
    ]


def test_the_features_of_a_frame_lie_in_it():
    land, borders = outline_features((0.0, 45.0, 10.0, 50.0))
    rings = [ring for (ring,) in land["geometry"]["coordinates"]]
    lines = borders["geometry"]["coordinates"]
    points = np.array([point for line in [*rings, *lines] for point in line])
    assert (points.min(axis=0) >= [0, 45]).all()
    assert (points.max(axis=0) <= [10, 50]).all()
    on_edge = [
        (one, other)
        for ring in rings
        for one, other in itertools.pairwise(ring)
        if one[1] == other[1] == 45.0
    ]
    assert max(abs(one[0] - other[0]) for one, other in on_edge) <= 1  # a parallel stays one


def test_the_projection_keeps_areas_and_can_be_undone():
    degrees = np.array([[-9.0, 38.7], [33.4, 35.2], [25.0, 60.2], [10.0, 52.0]])
    assert unproject(project(degrees)) == pytest.approx(degrees)
    assert project(degrees)[-1] == pytest.approx([0, 0])
    cell = np.array([[20.0, 60.0], [20.01, 60.0], [20.0, 60.01]])
    first, second, third = project(cell)
    (ax, ay), (bx, by) = second - first, third - first
    area = np.radians(0.01) ** 2 * np.cos(np.radians(60.005))
    assert ax * by - ay * bx == pytest.approx(area, rel=1e-3)


def test_a_frame_has_its_shape_and_holds_all_points():
    degrees = np.array([[-8.0, 39.6], [33.2, 35.1], [25.0, 61.0]])
    frame = frame_around(degrees, (100.0, 100.0, 300.0), aspect=1.08)
    assert frame.width / frame.height == pytest.approx(1.08)
    x, y = project(degrees).T
    assert frame.left < x.min() < x.max() < frame.right
    assert frame.low < y.min() < y.max() < frame.high
    west, south, east, north = frame.box()
    assert west < -8 < 33.2 < east
    assert south < 35.1 < 61 < north


def test_names_of_near_dots_cover_neither_one_another_nor_other_dots():
    points = np.array([[0.0, 0.0], [18.0, -14.0], [12.0, 26.0], [70.0, 10.0]])
    radii, box = np.full(4, 8.0), np.array([17.0, 12.0])
    places = place_beside(points, radii, box)
    for one, other in itertools.combinations(places, 2):
        assert (np.abs(one - other) >= box).any()
    for number, place in enumerate(places):
        others = np.delete(points, number, axis=0)
        assert (np.abs(place - others) >= box / 2 + 7).any(axis=1).all()
