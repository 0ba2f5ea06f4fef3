"""The figure of the attacks shows the stronger attacker."""

import xml.etree.ElementTree as ET

from rehearsal.report.figures.membership import power_figure, strongest
from rehearsal.report.figures.rendering import save_still


def row(attacker, none, earlier, today):
    powers = {"power_none": none, "power_earlier": earlier, "power_today": today}
    return {"secret": "membership", "attack": "rarest", "attacker": attacker, **powers}


ROWS = [row("frequencies", 0.9, 0.3, 0.07), row("everybody else", 1.0, 0.8, 0.06)]


def test_a_point_is_the_strongest_attacker():
    points = {point["rules"]: (point["power"], point["attacker"]) for point in strongest(ROWS)}
    assert points == {
        "no protection": (1.0, "everybody else"),
        "earlier rules": (0.8, "everybody else"),
        "public tier": (0.07, "frequencies"),
    }


def test_the_figure_says_in_words_what_it_shows_and_needs_nothing_else(tmp_path):
    figure = power_figure(ROWS)
    description = figure.to_dict()["description"]
    assert "no protection 100%; earlier rules 80%; public tier 7%" in description
    save_still(figure, tmp_path / "power.svg")
    text = (tmp_path / "power.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg") and "public tier" in text


def test_a_run_without_an_attack_has_an_empty_figure(tmp_path):
    save_still(power_figure([]), tmp_path / "power.svg")
    assert (tmp_path / "power.svg").stat().st_size > 0
