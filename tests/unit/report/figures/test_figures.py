import hashlib
import json
import re
from dataclasses import fields
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.report.figures.components import components_figure
from rehearsal.report.figures.label_placement import place_labels
from rehearsal.report.figures.latency import kind_latency_figure, node_latency_figure
from rehearsal.report.figures.node_map import _class_edges, latency_map
from rehearsal.report.figures.rendering import save_still, vega_specification
from rehearsal.report.figures.spectrum import spectrum_figure
from rehearsal.report.style import DARK, LIGHT, PAGE
from rehearsal.report.tables import kind_table, node_table, region_of


def all_figures(tables, *style):
    nodes = node_table(tables)
    return {
        "map": latency_map(tables.countries, nodes, tables.asker, *style),
        "nodes": node_latency_figure(nodes, *style),
        "kinds": kind_latency_figure(kind_table(tables), *style),
        "spectrum": spectrum_figure(tables.spectrum, tables.countries, *style),
        "pca": components_figure(tables.components, tables.countries, *style),
    }


@pytest.fixture
def figures(tables):
    return all_figures(tables)


def rows_of(chart):
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_every_figure_describes_itself_in_a_sentence(figures):
    for name, chart in figures.items():
        text = vega_specification(chart)["description"]
        assert len(text) > 60, name
        assert text.endswith("."), name


def test_a_still_is_a_whole_svg_that_fetches_nothing(figures, tmp_path):
    for name, chart in figures.items():
        save_still(chart, tmp_path / f"{name}.svg")
        text = (tmp_path / f"{name}.svg").read_text()
        assert ElementTree.fromstring(text).tag.endswith("svg")
        assert not re.search(r"(href|src)=|url\((?!#)", text), name
        assert "NaN" not in text, name


def test_the_same_tables_give_the_same_bytes(tables):
    def digests():
        return {
            name: hashlib.sha256(json.dumps(vega_specification(chart)).encode()).hexdigest()
            for name, chart in all_figures(tables).items()
        }

    assert digests() == digests()


def test_a_figure_of_the_page_names_variables_only(tables):
    colours = {getattr(LIGHT, field.name) for field in fields(LIGHT)} - {"#ffffff"}
    for name, chart in all_figures(tables, PAGE, "container").items():
        text = json.dumps(chart.to_dict())
        assert "var(--" in text, name
        assert not any(colour in text for colour in colours), name


def test_both_palettes_have_readable_ink_on_their_paper():
    for palette in (LIGHT, DARK):
        for name in ("ink", "muted", "accent", "fail", "north", "west", "east", "south"):
            assert contrast(getattr(palette, name), palette.paper) >= 4.5, name
        assert contrast(palette.ink, palette.land) >= 7


def contrast(first, second):
    """WCAG 2 contrast ratio of two hex colours."""

    def luminance(colour):
        values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_map_has_every_node_once_with_a_link_from_the_asker(figures):
    rows = [row for row in rows_of(figures["map"]) if "node" in row]
    assert [row["node"] for row in rows] == ["BE", "ES", "FI", "PL", "SI"]
    assert {(row["from_latitude"], row["from_longitude"]) for row in rows} == {(50.7, 4.6)}
    assert [row["class"] for row in rows] == ["5–10 ms"] + ["10–15 ms"] * 2 + [
        "15–20 ms",
        "20–25 ms",
    ]


def test_a_node_with_a_wrong_or_no_answer_stands_out_on_the_map(tables):
    nodes = node_table(tables)
    nodes.loc[nodes["node"] == "FI", "problems"] = 2
    nodes.loc[nodes["node"] == "SI", "p50_ms"] = np.nan
    chart = latency_map(tables.countries, nodes, "BE")
    rows = [row for row in rows_of(chart) if "node" in row]
    troubled = [row["node"] for row in rows if row["class"].startswith("wrong")]
    assert troubled == ["FI", "SI"]
    assert "2 nodes have wrong or missing answers" in chart.description


def test_a_larger_cohort_makes_a_larger_dot_and_equal_ones_equal_dots(tables):
    nodes = node_table(tables)
    assert "people" not in str(layer_with_size(latency_map(tables.countries, nodes, "BE")))
    nodes.loc[0, "people"] = 500
    assert "people" in str(layer_with_size(latency_map(tables.countries, nodes, "BE")))


def layer_with_size(chart):
    layers = chart.to_dict()["layer"]
    return next(
        layer["encoding"]["size"] for layer in layers if "size" in layer.get("encoding", {})
    )


@settings(deadline=None)  # other work on the machine is no failure
@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=30))
def test_latency_classes_hold_every_value_in_at_most_five(values):
    edges = _class_edges(pd.Series(values))
    assert edges[0] == 0
    assert edges[-1] > max(values)
    assert 2 <= len(edges) <= 6
    assert np.allclose(np.diff(edges), edges[1])


@settings(deadline=None)  # other work on the machine is no failure
@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 400)), min_size=1, max_size=28))
def test_labels_never_overlap(points):
    box = np.array([24.0, 15.0])
    places = place_labels(np.array(points), box)
    gap = np.abs(places[:, None] - places[None, :])
    apart = (gap >= box - 0.5).any(axis=2) | np.eye(len(places), dtype=bool)
    assert apart.all()


def test_a_population_of_constant_size_is_a_level_line(tables):
    copies = np.arange(1, 1000)
    spectrum = pd.DataFrame(
        {"group": "all", "haplotypes": 1000, "copies": copies, "alleles": 2_520_000 // copies}
    )
    rows = [row for row in rows_of(spectrum_figure(spectrum, tables.countries)) if "tip" in row]
    assert len(rows) == 10
    assert [row["alleles"] for row in rows] == pytest.approx([2_520_000] * 10, rel=1e-3)


def test_a_node_that_never_answered_is_left_out_of_the_latency_figure(tables):
    nodes = node_table(tables)
    nodes.loc[nodes["node"] == "FI", ["p50_ms", "p95_ms", "p99_ms"]] = np.nan
    labels = {row["label"] for row in rows_of(node_latency_figure(nodes))}
    assert labels == {"Belgium", "Spain", "Poland", "Slovenia"}


def test_regions_are_quarters_of_europe(tables):
    regions = {country.code: region_of(country) for country in tables.countries}
    assert regions == {"BE": "West", "ES": "South", "FI": "North", "PL": "East", "SI": "East"}
