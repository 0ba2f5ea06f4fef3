"""Distances between capitals."""

from pathlib import Path

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.model import Country
from rehearsal.network.distance import (
    SAME_COUNTRY_MS,
    capital_distance_km,
    delays_ms,
    distances_from,
    fitted_rtt_ms,
    read_bandwidths,
    read_distances,
    rtt_matrix,
)

CONFIG = Path(__file__).resolve().parents[3] / "config"


def country(code: str, latitude: float, longitude: float) -> Country:
    return Country(code, code, latitude, longitude, 1.0, code, latitude, longitude, "no")


BRUSSELS = country("BE", 50.85, 4.35)
PARIS = country("FR", 48.86, 2.35)
VALLETTA = country("MT", 35.9, 14.51)


def test_great_circle_between_brussels_and_paris_is_264_km():
    assert capital_distance_km(BRUSSELS, PARIS) == pytest.approx(264, abs=1)


def test_a_quarter_of_the_globe_is_10_000_km():
    pole, equator = country("A", 90, 0), country("B", 0, 77)
    assert capital_distance_km(pole, equator) == pytest.approx(10_007.5, abs=1)


def test_a_measured_pair_is_taken_and_any_other_is_fitted():
    matrix = rtt_matrix([BRUSSELS, PARIS, VALLETTA], {frozenset(("FR", "BE")): 11.0})
    by_pair = matrix.set_index(["asker", "country"])
    assert by_pair.loc[("BE", "FR"), "rtt_ms"] == 11.0
    assert by_pair.loc[("BE", "FR"), "measured"]
    km = capital_distance_km(BRUSSELS, VALLETTA)
    assert by_pair.loc[("BE", "MT"), "rtt_ms"] == pytest.approx(8.8 + 0.0175 * km)
    assert not by_pair.loc[("BE", "MT"), "measured"]
    assert by_pair.loc[("BE", "BE"), "rtt_ms"] == SAME_COUNTRY_MS
    assert len(matrix) == 9


def test_times_are_symmetric():
    matrix = rtt_matrix([BRUSSELS, PARIS, VALLETTA], {frozenset(("FR", "BE")): 11.0})
    square = matrix.pivot_table(index="asker", columns="country", values="rtt_ms").to_numpy()
    assert (square == square.T).all()


def test_the_delays_of_an_asker_are_its_rows(tmp_path: Path):
    table = tmp_path / "distances.tsv"
    table.write_text("a\tb\trtt_ms\tsource\nBE\tFR\t11\tx\n")
    distances = distances_from("FR", rtt_matrix([BRUSSELS, PARIS], read_distances(table)))
    assert delays_ms(distances) == {"BE": 11.0, "FR": SAME_COUNTRY_MS}
    assert distances["measured"].tolist() == [True, False]
    with pytest.raises(KeyError):
        distances_from("XX", rtt_matrix([BRUSSELS, PARIS], {}))


def test_the_shipped_table_is_near_the_fit():
    rows = pd.read_csv(CONFIG / "countries.tsv", sep="\t", keep_default_na=False)
    countries = {row.code: Country(**row._asdict()) for row in rows.itertuples(index=False)}
    measured = read_distances(CONFIG / "distances.tsv")
    assert len(measured) == 78
    errors = [
        fitted_rtt_ms(capital_distance_km(*(countries[code] for code in pair))) - rtt
        for pair, rtt in measured.items()
    ]
    mean_square = sum(error**2 for error in errors) / len(errors)
    assert mean_square**0.5 < 4  # ms; 3 over all 104 pairs of the source


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("BE\tFR\t-1\tx", r"line 3 \(BE-FR\) rtt_ms: expected a positive number of ms, found '-1'"),
        ("BE\tFR\tfast\tx", "a positive number"),
        ("BE\tFR\tnan\tx", "a positive number"),
        ("FR\tAT\t22\tx", "each pair once, found a repeated pair"),
        ("FR\tFR\t22\tx", "expected two different countries, .* found one country"),
    ],
)
def test_an_unusable_line_is_named(tmp_path: Path, line: str, said: str):
    path = tmp_path / "distances.tsv"
    path.write_text(f"a\tb\trtt_ms\tsource\nAT\tFR\t22\tx\n{line}\n")
    with pytest.raises(InputError, match=said):
        read_distances(path)


def test_a_bandwidth_is_taken_where_it_stands_and_left_to_the_configuration_elsewhere(tmp_path):
    path = tmp_path / "distances.tsv"
    path.write_text("a\tb\trtt_ms\tbandwidth_mbps\tsource\nBE\tFR\t11\t400\tx\nBE\tMT\t40\t\tx\n")
    bandwidths = read_bandwidths(path)
    assert bandwidths == {frozenset(("BE", "FR")): 400.0}
    matrix = rtt_matrix([BRUSSELS, PARIS, VALLETTA], read_distances(path), bandwidths)
    by_pair = matrix.set_index(["asker", "country"])["bandwidth_mbps"]
    assert (by_pair["BE", "FR"], by_pair["FR", "BE"]) == (400.0, 400.0)
    assert by_pair.drop([("BE", "FR"), ("FR", "BE")]).isna().all()
    path.write_text(path.read_text().replace("400", "fast"))
    with pytest.raises(InputError, match="bandwidth_mbps: expected a positive number of Mbit/s"):
        read_bandwidths(path)


def test_norway_is_text_and_missing_columns_are_named(tmp_path: Path):
    path = tmp_path / "distances.tsv"
    path.write_text("a\tb\trtt_ms\tsource\nNO\tSE\t18\t\n")
    assert read_distances(path) == {frozenset(("NO", "SE")): 18.0}
    path.write_text("a\tb\nNO\tSE\n")
    with pytest.raises(
        InputError, match=r"header: expected the columns .* found none called rtt_ms, source"
    ):
        read_distances(path)
    with pytest.raises(InputError, match="file"):
        read_distances(tmp_path / "none.tsv")
