"""The model of Europe: its shape follows the table of countries and the parameters alone."""

import dataclasses
from contextlib import nullcontext
from pathlib import Path

import demes
import msprime
import numpy as np
import pandas as pd
import pytest

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.model import (
    build_model,
    migration_matrix,
    read_model,
    source_shares,
    to_msprime,
)
from rehearsal.demography.parameters import read_parameters
from rehearsal.errors import InputError
from rehearsal.model import Country

CONFIG = Path(__file__).resolve().parents[3] / "config"
PARAMETERS = read_parameters(CONFIG / "demography.yaml")
COUNTRIES = [
    Country(**row)
    for row in pd.read_csv(CONFIG / "countries.tsv", sep="\t", na_filter=False).to_dict("records")
]
CODES = [country.code for country in COUNTRIES]
UKRAINE = Country("UA", "Ukraine", 49.0, 31.4, 38.0, "Kyiv", 50.45, 30.52, "no")


WITHOUT_FLOOR = dataclasses.replace(
    PARAMETERS, migration=dataclasses.replace(PARAMETERS.migration, islands=())
)


def fst(countries, parameters=PARAMETERS) -> pd.DataFrame:
    codes = [country.code for country in countries]
    times = expected_coalescence_times(build_model(countries, parameters), codes)
    return pd.DataFrame(hudson_fst(times), index=codes, columns=codes)


def test_every_country_is_a_deme_of_the_present():
    graph = build_model(COUNTRIES, PARAMETERS)
    present = [deme.name for deme in graph.demes if deme.end_time == 0]
    assert [name for name in present if name in CODES] == CODES
    assert set(present) - set(CODES) == {"AFR", "EAS", "SAS"}  # for people of other ancestries
    assert to_msprime(graph)["FI"].default_sampling_time == 0


def test_the_model_survives_its_file(tmp_path):
    graph = build_model(COUNTRIES, PARAMETERS)
    demes.dump(graph, tmp_path / "europe.demes.yaml")
    read = read_model(tmp_path / "europe.demes.yaml", COUNTRIES)
    assert read.isclose(graph)


def test_adding_a_country_is_one_row():
    with_ukraine = fst([*COUNTRIES, UKRAINE])
    ukraine = with_ukraine["UA"].drop("UA")
    assert ukraine.between(0, 0.025).all()
    assert ukraine["PL"] < ukraine["ES"]
    before, after = fst(COUNTRIES).to_numpy(), with_ukraine.loc[CODES, CODES].to_numpy()
    assert np.abs(after - before).mean() < 4e-4  # countries on both sides of it come closer
    assert np.corrcoef(after.ravel(), before.ravel())[0, 1] > 0.99


def test_order_of_countries_does_not_matter():
    straight, backwards = fst(COUNTRIES), fst(COUNTRIES[::-1])
    assert backwards.loc[CODES, CODES].to_numpy() == pytest.approx(straight.to_numpy(), abs=1e-9)


def test_migration_is_symmetric_sparse_and_above_its_threshold():
    rates = migration_matrix(COUNTRIES, WITHOUT_FLOOR.migration)
    assert np.array_equal(rates, rates.T)
    assert not np.diag(rates).any()
    kept = rates[rates > 0]
    assert kept.min() >= PARAMETERS.migration.threshold
    assert 28 < len(kept) < 0.8 * rates.size


def test_islands_have_a_floor_and_others_stay_as_they_were():
    islands = PARAMETERS.migration.islands
    floored = migration_matrix(COUNTRIES, PARAMETERS.migration)
    plain = migration_matrix(COUNTRIES, WITHOUT_FLOOR.migration)
    changed = {CODES[i] for i in np.argwhere(floored != plain)[:, 0]}
    assert changed == set(islands)
    links = floored[CODES.index("MT")] >= PARAMETERS.migration.island_floor
    assert links.sum() == PARAMETERS.migration.island_links
    others = [code for code in CODES if code not in islands]
    with_floor, without = fst(COUNTRIES), fst(COUNTRIES, WITHOUT_FLOOR)
    change = (with_floor - without).loc[others, others].abs().to_numpy()
    assert change.mean() < 3e-4  # islands send what they sent: only what passes them changes
    assert change.max() < 1.5e-3
    assert with_floor.loc["MT"].max() < without.loc["MT"].max()


def test_no_pair_is_further_apart_than_two_percent():
    values = fst(COUNTRIES).to_numpy()
    assert values.max() <= 0.02
    assert (values + np.eye(len(values)) > 0).all()


def test_shares_sum_to_one_and_follow_the_map():
    shares = source_shares(COUNTRIES, PARAMETERS)
    assert sum(shares.values()) == pytest.approx(np.ones(len(COUNTRIES)))
    assert all((share > 0).all() for share in shares.values())


def test_finland_has_its_founders_and_everybody_grows():
    graph = build_model(COUNTRIES, PARAMETERS)
    founder = PARAMETERS.founders["finland"]
    assert [epoch.start_size for epoch in graph["FI"].epochs][1:] == [founder.size, founder.size]
    for country in COUNTRIES:
        census = PARAMETERS.growth.census_share * country.census_millions * 1e6
        assert graph[country.code].epochs[-1].end_size == max(PARAMETERS.growth.size, census)


def test_no_countries_is_refused():
    with pytest.raises(InputError, match="at least one country"):
        build_model([], PARAMETERS)


def test_the_model_runs_in_msprime():
    graph = build_model(COUNTRIES, PARAMETERS)
    tree_sequence = msprime.sim_ancestry(
        dict.fromkeys(CODES, 2), demography=to_msprime(graph), random_seed=3
    )
    assert tree_sequence.num_samples == 4 * len(CODES)
    assert tree_sequence.first().num_roots == 1


def small_model(tmp_path, change=lambda data: None) -> Path:
    builder = demes.Builder()
    builder.add_deme("root", epochs=[{"start_size": 1000, "end_time": 100}])
    for code in ("FI", "SE", "EE"):
        builder.add_deme(code, ancestors=["root"], epochs=[{"start_size": 500}])
    change(builder.data)
    path = tmp_path / "own.demes.yaml"
    demes.dump(demes.Graph.fromdict(builder.data), path)
    return path


NORTH = [country for country in COUNTRIES if country.code in ("FI", "SE", "EE")]


def test_a_users_model_is_read(tmp_path):
    assert "FI" in read_model(small_model(tmp_path), NORTH)


def test_years_become_generations(tmp_path):
    def in_years(data):
        data.update(time_units="years", generation_time=25)
        data["demes"][0]["epochs"][0]["end_time"] = 2500

    graph = read_model(small_model(tmp_path, in_years), NORTH)
    assert (graph.time_units, graph["FI"].start_time) == ("generations", 100)


def test_a_missing_country_is_named(tmp_path):
    with pytest.raises(InputError, match=r"own.demes.yaml: AT: .*Austria"):
        read_model(small_model(tmp_path), COUNTRIES)


def test_a_country_that_ended_is_named(tmp_path):
    def end_estonia(data):
        data["demes"][3]["epochs"][0]["end_time"] = 10

    with pytest.raises(
        InputError,
        match=r"EE: expected a deme that lives at time 0, found one that ends 10 generations",
    ):
        read_model(small_model(tmp_path, end_estonia), NORTH)


def test_a_country_without_common_ancestors_is_named(tmp_path):
    def orphan_sweden(data):
        del data["demes"][2]["ancestors"]

    with pytest.raises(InputError, match="SE: expected ancestors in common"):
        read_model(small_model(tmp_path, orphan_sweden), NORTH)


def test_a_linear_size_is_refused(tmp_path):
    def linear(data):
        data["demes"][1]["epochs"][0].update(end_size=900, size_function="linear")

    with pytest.raises(InputError, match=r"FI: .*linear"):
        read_model(small_model(tmp_path, linear), NORTH)


@pytest.mark.parametrize("text", ["", "demes: 3\n", "{", "time_units: generations\n"])
def test_a_file_that_is_no_model_is_refused(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"own.yaml: file: expected a demes model") as caught:
        read_model(path, NORTH)
    assert "NoneType" not in str(caught.value)


@pytest.mark.parametrize(
    ("deme", "epoch", "message"),
    [
        (0, {"start_size": 1e7}, "root: expected a size from 1 to 1,000,000 before all events"),
        (1, {"start_size": 1e300}, "FI: expected a size from 1 to 1,000,000,000 at any time"),
        (1, {"end_size": 1e-300}, "FI: expected a size from 1 to .*, found 1e-300"),
        (0, {"end_time": 1e9}, "time: expected events at most 10,000,000 generations .*, found 1e"),
    ],
)
def test_a_model_beyond_any_people_is_refused(tmp_path, deme, epoch, message):
    def change(data):
        data["demes"][deme]["epochs"][0].update(epoch)

    with pytest.raises(InputError, match=message):
        read_model(small_model(tmp_path, change), NORTH)


@pytest.mark.parametrize(("rate", "is_linked"), [(1e-6, True), (1e-300, False)])
def test_a_link_that_no_lineage_takes_in_time_is_none(tmp_path, rate, is_linked):
    def link(data):
        data["demes"][2].update(ancestors=["far"], start_time=100)
        data["demes"].insert(0, {"name": "far", "epochs": [{"start_size": 100}]})
        data["migrations"] = [{"demes": ["far", "root"], "rate": rate}]

    path = small_model(tmp_path, link)
    with nullcontext() if is_linked else pytest.raises(InputError, match="ancestors in common"):
        read_model(path, NORTH)
