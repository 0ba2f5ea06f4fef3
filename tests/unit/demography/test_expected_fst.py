"""Expected coalescence times: closed forms, msprime's own numbers, and simulation."""

import demes
import msprime
import numpy as np
import pytest

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst, root_sets


def two_isolated(size=1000.0, ancestral=2000.0, split=500.0) -> demes.Graph:
    builder = demes.Builder()
    builder.add_deme("root", epochs=[{"start_size": ancestral, "end_time": split}])
    builder.add_deme("A", ancestors=["root"], epochs=[{"start_size": size}])
    builder.add_deme("B", ancestors=["root"], epochs=[{"start_size": size}])
    return builder.resolve()


def busy() -> demes.Graph:
    """A bit of everything: growth, a bottleneck, migration one way and both, pulses, admixture."""
    builder = demes.Builder()
    builder.add_deme("root", epochs=[{"start_size": 5000, "end_time": 2000}])
    builder.add_deme("north", ancestors=["root"], epochs=[{"start_size": 900, "end_time": 100}])
    builder.add_deme("south", ancestors=["root"], epochs=[{"start_size": 3000, "end_time": 100}])
    builder.add_deme(
        "A",
        ancestors=["north", "south"],
        proportions=[0.7, 0.3],
        start_time=100,
        epochs=[
            {"start_size": 2000, "end_time": 60},
            {"start_size": 200, "end_time": 40},
            {"start_size": 200, "end_size": 50_000, "end_time": 0},
        ],
    )
    builder.add_deme(
        "B",
        ancestors=["north", "south"],
        proportions=[0.2, 0.8],
        start_time=100,
        epochs=[{"start_size": 4000, "end_size": 1000, "end_time": 0}],
    )
    builder.add_deme("C", ancestors=["south"], start_time=300, epochs=[{"start_size": 1500}])
    builder.add_migration(demes=["north", "south"], rate=3e-4, start_time=1500, end_time=200)
    builder.add_migration(demes=["A", "B"], rate=2e-3)
    builder.add_migration(source="C", dest="B", rate=1e-3, start_time=80, end_time=5)
    builder.add_pulse(sources=["C"], dest="A", proportions=[0.15], time=30)
    builder.add_pulse(sources=["A", "C"], dest="B", proportions=[0.2, 0.1], time=30)
    return builder.resolve()


def mean_times_of_msprime(graph: demes.Graph, names: list[str]) -> np.ndarray:
    """The integral of msprime's chance of not having met, on a grid back to the root's time."""
    debugger = msprime.Demography.from_demes(graph).debug()
    root = graph.demes[0]
    grid = np.concatenate([np.arange(0, 100, 0.25), np.arange(100, root.end_time + 1, 5)])
    times = np.empty((len(names), len(names)))
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            lineages = {one: 2} if i == j else {one: 1, other: 1}
            _, apart = debugger.coalescence_rate_trajectory(
                grid, lineages, double_step_validation=False
            )
            times[i, j] = np.trapezoid(apart, grid) + apart[-1] * 2 * root.epochs[-1].end_size
    return times


def test_isolated_demes_have_the_closed_form():
    size, ancestral, split = 1000.0, 2000.0, 500.0
    times = expected_coalescence_times(two_isolated(size, ancestral, split), ["A", "B"])
    still_apart = np.exp(-split / (2 * size))
    within = 2 * size * (1 - still_apart) + still_apart * 2 * ancestral
    assert times == pytest.approx(
        np.array([[within, split + 2 * ancestral], [split + 2 * ancestral, within]])
    )


def test_island_model_has_the_closed_form():
    """Symmetric islands: T_within = 2 N d, T_between = 2 N d + (d - 1) / (2 m)."""
    demes_count, size, rate = 4, 500.0, 1e-3
    names = [f"I{i}" for i in range(demes_count)]
    builder = demes.Builder()
    for name in names:
        builder.add_deme(name, epochs=[{"start_size": size}])
    builder.add_migration(demes=names, rate=rate)
    times = expected_coalescence_times(builder.resolve(), names)
    within = 2 * size * demes_count
    between = within + 1 / (2 * rate)  # `rate` is to EACH other deme: m / (d - 1)
    assert np.diag(times) == pytest.approx(np.full(demes_count, within))
    assert times[0, 1:] == pytest.approx(np.full(demes_count - 1, between))


def test_growth_agrees_with_the_integral():
    builder = demes.Builder()
    builder.add_deme(
        "A",
        epochs=[
            {"start_size": 1000, "end_time": 100},
            {"start_size": 1000, "end_size": 50_000, "end_time": 0},
        ],
    )
    (time,) = expected_coalescence_times(builder.resolve(), ["A"]).ravel()
    grid = np.linspace(0, 100, 100_001)
    hazard = 1 / (2 * 50_000 * np.exp(-np.log(50) * grid / 100))
    passed = np.concatenate([[0], np.cumsum((hazard[1:] + hazard[:-1]) / 2 * np.diff(grid))])
    survival = np.exp(-passed)
    exact = np.trapezoid(survival, grid) + survival[-1] * 2000
    assert time == pytest.approx(exact, rel=1e-5)


def test_every_feature_agrees_with_msprimes_numbers():
    names = ["A", "B", "C"]
    ours = expected_coalescence_times(busy(), names)
    assert ours == pytest.approx(mean_times_of_msprime(busy(), names), rel=2e-3)
    assert ours == pytest.approx(ours.T)


def test_times_and_fst_agree_with_simulation():
    """Genealogies without recombination; means within four standard errors."""
    names = ["A", "B", "C"]
    expected = expected_coalescence_times(busy(), names)
    replicates = msprime.sim_ancestry(
        dict.fromkeys(names, 1),
        demography=msprime.Demography.from_demes(busy()),
        num_replicates=4000,
        random_seed=11,
    )
    drawn = np.empty((4000, 3, 3))
    for times, tree_sequence in zip(drawn, replicates, strict=True):
        tree = tree_sequence.first()
        for i in range(3):
            for j in range(3):
                times[i, j] = tree.tmrca(2 * i, 2 * j + 1)
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert np.all(np.abs(drawn.mean(axis=0) - expected) < 4 * error)


def test_years_and_generations_give_the_same_times():
    graph = two_isolated()
    years = demes.Graph.fromdict(
        {
            **graph.asdict(),
            "time_units": "years",
            "generation_time": 1,
        }
    )
    names = ["A", "B"]
    assert expected_coalescence_times(years, names) == pytest.approx(
        expected_coalescence_times(graph, names)
    )


def test_asking_for_one_deme_twice_changes_only_the_order():
    one = expected_coalescence_times(busy(), ["A", "B", "C"])
    other = expected_coalescence_times(busy(), ["C", "A"])
    assert other == pytest.approx(one[np.ix_([2, 0], [2, 0])])


def test_demes_without_common_ancestors_are_refused():
    builder = demes.Builder()
    builder.add_deme("A", epochs=[{"start_size": 10}])
    builder.add_deme("B", epochs=[{"start_size": 10}])
    graph = builder.resolve()
    assert root_sets(graph, ["A", "B"]) == [{frozenset("A")}, {frozenset("B")}]
    with pytest.raises(ValueError, match="expected common ancestors of A, B, found"):
        expected_coalescence_times(graph, ["A", "B"])


def test_a_little_migration_from_another_root_is_noticed():
    """A lineage that may move to a root it never leaves need not meet the others."""
    builder = demes.Builder()
    for name in "AB":
        builder.add_deme(name, epochs=[{"start_size": 10}])
    builder.add_migration(source="B", dest="A", rate=0.1, start_time=5, end_time=3)
    assert root_sets(builder.resolve(), ["A", "B"]) == [
        {frozenset("A"), frozenset("B")},
        {frozenset("B")},
    ]


def test_fst_of_the_isolated_pair():
    times = np.array([[3.0, 4.0], [4.0, 5.0]])
    assert hudson_fst(times) == pytest.approx(np.zeros((2, 2)))
    times[0, 1] = times[1, 0] = 8.0
    assert hudson_fst(times)[0, 1] == pytest.approx(0.5)
