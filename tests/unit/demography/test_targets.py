"""Published figures and the measures the model is judged by."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.demography.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    map_coordinates,
    pca_centroids,
    principal_coordinates,
    published_pairs,
)
from rehearsal.errors import InputError
from rehearsal.model import Country

PLACES = {"EE": (58.7, 25.5), "FI": (61.0, 25.0), "GB": (53.5, -2.3), "IT": (42.0, 12.5)}
COUNTRIES = [
    Country(code, code, latitude, longitude, 1.0, code, latitude, longitude, "no")
    for code, (latitude, longitude) in PLACES.items()
]
SHARED = Path(__file__).resolve().parents[3] / "../shared/reference/europe"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.tsv"
    path.write_text(text)
    return path


def test_published_pairs_are_of_our_countries_and_averaged(tmp_path):
    path = written(
        tmp_path,
        "country1\tcountry2\tfst\tsource\nFI\tEE\t0.004\ta\nEE\tFI\t0.002\tb\nFI\tAL\t0.01\tc\n",
    )
    pairs = published_pairs(path, COUNTRIES)
    assert pairs.to_dict("records") == [
        {"country1": "EE", "country2": "FI", "fst": pytest.approx(0.003)}
    ]


def test_shipped_pairs_have_their_sources():
    table = pd.read_csv(PUBLISHED_FST, sep="\t")
    assert table["source"].str.len().min() > 10
    assert not table["source"].str.contains("Nelis|Cavalli").any()
    assert set(zip(*published_pairs(PUBLISHED_FST, COUNTRIES).T.to_numpy()[:2], strict=True)) == {
        ("EE", "FI"),
        ("EE", "GB"),
        ("EE", "IT"),
    }


@pytest.mark.skipif(not SHARED.exists(), reason="the reference tables are not beside the checkout")
def test_shipped_values_are_those_of_the_reference():
    reference = pd.read_csv(SHARED / "fst_published.tsv", sep="\t")
    values = set(pd.to_numeric(reference["fst"], errors="coerce"))
    assert set(pd.read_csv(PUBLISHED_FST, sep="\t")["fst"]) <= values
    centroids = pd.read_csv(SHARED / "popres_pca_centroids.tsv", sep="\t")
    ours = pd.read_csv(POPRES_CENTROIDS, sep="\t")
    assert set(ours["pc1"]) <= set(centroids["pc1"])
    assert set(ours["pc2"]) <= set(centroids["pc2"])


def test_shipped_centroids_look_like_the_map():
    table = pca_centroids(POPRES_CENTROIDS, COUNTRIES)
    assert table["country"].tolist() == ["GB", "IT"]
    north, south = table["pc1"]
    assert north > south


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("country1\tfst\nFI\t0.1\n", "country2: expected a column of this name, found none"),
        ("country1\tcountry2\tfst\nFI\tEE\tsmall\n", "fst: expected a number, found 'small'"),
        (
            "country1\tcountry2\tfst\nFI\tEE\t-0.1\n",
            "fst: expected a number from 0 to 1, found -0.1",
        ),
        ("", "file: expected a tab-separated table"),
    ],
)
def test_a_wrong_table_of_pairs_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match="table.tsv: " + message):
        published_pairs(written(tmp_path, text), COUNTRIES)


def test_norway_is_not_a_missing_value(tmp_path):
    """pandas reads NA as missing, and YAML reads NO as false; both are codes here."""
    path = written(tmp_path, "country\tpc1\tpc2\nNO\t1\t2\nNA\t3\t4\n")
    codes = [Country(code, code, 0, 0, 1, code, 0, 0, "no") for code in ("NO", "NA")]
    assert pca_centroids(path, codes)["country"].tolist() == ["NO", "NA"]


def test_a_country_twice_is_refused(tmp_path):
    path = written(tmp_path, "country\tpc1\tpc2\nFI\t1\t2\nFI\t3\t4\n")
    with pytest.raises(
        InputError, match="country: expected one row per country, found several rows of FI"
    ):
        pca_centroids(path, COUNTRIES)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="expected a tab-separated table, found an unreadable"):
        published_pairs(tmp_path / "nowhere.tsv", COUNTRIES)


def test_principal_coordinates_give_back_a_plane():
    points = np.random.default_rng(1).normal(size=(6, 2))
    squared = ((points[:, None] - points) ** 2).sum(axis=2)
    layout = principal_coordinates(squared)
    again = ((layout[:, None] - layout) ** 2).sum(axis=2)
    assert again == pytest.approx(squared)


def test_map_is_shortened_eastwards():
    layout = map_coordinates(COUNTRIES)
    latitude = np.mean([place[0] for place in PLACES.values()])
    assert layout[0] == pytest.approx([58.7, 25.5 * np.cos(np.radians(latitude))])
