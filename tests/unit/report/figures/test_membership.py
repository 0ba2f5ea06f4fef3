"""The figure of the membership attack shows the strongest one."""

import xml.etree.ElementTree as ET

from rehearsal.report.figures.membership import power_figure, strongest
from rehearsal.report.figures.rendering import save_still

ROWS = [
    {"protection": "none", "attack": "presence", "queries": 1, "power": 0.05},
    {"protection": "none", "attack": "rarest", "queries": 1, "power": 0.8},
    {"protection": "none", "attack": "rarest", "queries": 1000, "power": 1.0},
    {"protection": "public default", "attack": "rarest", "queries": 1, "power": 0.05},
    {"protection": "public default", "attack": "counts", "queries": 1000, "power": 0.06},
]


def test_a_point_is_the_strongest_attack():
    points = {(p["protection"], p["queries"]): (p["power"], p["attack"]) for p in strongest(ROWS)}
    assert points["none", 1] == (0.8, "rarest")
    assert len(points) == 4


def test_the_figure_says_in_words_what_it_shows_and_needs_nothing_else(tmp_path):
    figure = power_figure(ROWS)
    assert "none 100%" in figure.to_dict()["description"]
    assert "public default 6%" in figure.to_dict()["description"]
    save_still(figure, tmp_path / "power.svg")
    text = (tmp_path / "power.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg") and "public default" in text


def test_a_run_without_an_attack_has_an_empty_figure(tmp_path):
    save_still(power_figure([]), tmp_path / "power.svg")
    assert (tmp_path / "power.svg").stat().st_size > 0
