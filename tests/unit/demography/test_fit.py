"""The fit: finds back what made the targets, and writes a file that the reader accepts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.expected_sharing import expected_segments
from rehearsal.demography.fit import fit, fit_command, judge, write_parameters
from rehearsal.demography.model import build_model
from rehearsal.demography.parameters import read_parameters
from rehearsal.demography.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    SHARED_MORGANS,
    Targets,
    principal_coordinates,
    published_targets,
)
from rehearsal.errors import InputError
from rehearsal.model import Country

CONFIG = Path(__file__).resolve().parents[3] / "config"
SHIPPED = CONFIG / "demography.yaml"
PARAMETERS = read_parameters(SHIPPED)
COUNTRIES = [
    Country(**row)
    for row in pd.read_csv(CONFIG / "countries.tsv", sep="\t", na_filter=False).to_dict("records")
]
FEW = [country for country in COUNTRIES if country.code in ("EE", "ES", "FI", "GB", "IT", "PL")]


def targets_of(parameters, countries):
    """All pairs and the whole layout that the parameters themselves predict."""
    codes = [country.code for country in countries]
    graph = build_model(countries, parameters)
    fst = hudson_fst(expected_coalescence_times(graph, codes))
    segments = expected_segments(graph, codes, SHARED_MORGANS)
    one, other = np.triu_indices(len(codes), 1)
    names = np.array(codes)
    pairs = pd.DataFrame({"country1": names[one], "country2": names[other], "fst": fst[one, other]})
    layout = pd.DataFrame(principal_coordinates(fst), columns=["pc1", "pc2"])
    sharing = pairs.assign(segments=segments[one, other], weight=1.0)
    return Targets(pairs, layout.assign(country=codes), sharing)


def test_shipped_parameters_meet_their_targets():
    report = judge(COUNTRIES, PARAMETERS, published_targets(COUNTRIES))
    assert report.fst_correlation > 0.93
    assert report.pca_correlation > 0.93
    assert report.map_correlation > 0.92
    assert report.highest_fst < 0.02
    assert 7e-4 < report.heterozygosity < 8e-4
    assert report.sharing_correlation > 0.7
    assert 0.7 < report.sharing_ratio < 1.4
    assert "F_ST of 10 pairs: r = 0.9" in str(report)


def test_fit_finds_what_made_the_targets():
    truth = replace(PARAMETERS, migration=replace(PARAMETERS.migration, threshold=0.0))
    targets = targets_of(truth, FEW)
    wrong = replace(
        truth,
        growth=replace(truth.growth, size=truth.growth.size * 0.5),
        migration=replace(truth.migration, rate=truth.migration.rate * 1.5),
    )
    before = judge(FEW, wrong, targets)
    _, after = fit(FEW, wrong, targets, evaluations=4)
    assert after.fst_rmse < before.fst_rmse / 5
    assert after.fst_correlation > 0.995


def test_fit_is_deterministic():
    targets = targets_of(PARAMETERS, FEW)
    targets.fst["fst"] *= 1.2
    runs = [fit(FEW, PARAMETERS, targets, evaluations=1)[0] for _ in range(2)]
    assert runs[0] == runs[1]


def test_written_parameters_keep_comments_and_can_be_read(tmp_path):
    out = tmp_path / "fitted.yaml"
    tiny = replace(PARAMETERS, migration=replace(PARAMETERS.migration, rate=2e-5))
    write_parameters(tiny, SHIPPED, out)
    read = read_parameters(out)
    assert read.migration.rate == 2e-5
    assert read.founders == PARAMETERS.founders
    comments = [line for line in SHIPPED.read_text().splitlines() if line.startswith("#")]
    assert [line for line in out.read_text().splitlines() if line.startswith("#")] == comments
    assert yaml.safe_load(out.read_text())["migration"]["sea_groups"]["scandinavia"] == [
        "DK",
        "NO",
        "SE",
    ]


def test_command_writes_what_it_reports(tmp_path):
    out = tmp_path / "fitted.yaml"
    report = fit_command(FEW, SHIPPED, PUBLISHED_FST, POPRES_CENTROIDS, out, evaluations=1)
    again = judge(
        FEW,
        read_parameters(out),
        published_targets(FEW),
    )
    assert str(report) == str(again)


@pytest.mark.parametrize(
    ("fst", "pca", "message"),
    [
        ("AL\tXK\t0.1", "FI\t1\t2\nIT\t1\t3\nES\t0\t1", "fst.tsv: country1: .*at least one pair"),
        ("FI\tIT\t0.1", "FI\t1\t2\nIT\t1\t3", "pca.tsv: country: .*at least three"),
    ],
)
def test_too_few_targets_are_named(tmp_path, fst, pca, message):
    fst_path, pca_path = tmp_path / "fst.tsv", tmp_path / "pca.tsv"
    fst_path.write_text(f"country1\tcountry2\tfst\n{fst}\n")
    pca_path.write_text(f"country\tpc1\tpc2\n{pca}\n")
    with pytest.raises(InputError, match=message):
        fit_command(FEW, SHIPPED, fst_path, pca_path, tmp_path / "out.yaml")
    assert not (tmp_path / "out.yaml").exists()


def test_targets_of_other_countries_are_refused():
    targets = targets_of(PARAMETERS, FEW)
    with pytest.raises(
        ValueError, match=r"expected only countries of the model, found others \(ES, FI"
    ):
        fit(FEW[:1], PARAMETERS, targets)
