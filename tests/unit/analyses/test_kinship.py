"""People enrolled twice and first-degree kin are found across nodes, from keyed sketches."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.kinship import shuffled_rows
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import NetworkRun, NodeRun

from .cohort import Cohort, play

VARIANTS = 2500
RUN = b"the id of a run"
KEYS = (b"a key that the nodes agree on...", b"another key of another run......")
STEPS = {"steps": [{"algorithm": "kinship", "parameters": {}}]}
KIN = {"same": (0, 100), "child": (1, 101), "sibling": (2, 102), "grandchild": (3, 103)}


def gamete(person, random):
    return np.where(person == 1, random.integers(0, 2, person.size), person // 2).astype(np.int8)


def families(folder, seed=8):
    """Two countries of 100 people; those of KIN are related across the border."""
    random = np.random.default_rng(seed)
    frequency = random.uniform(0.1, 0.9, VARIANTS)
    people = random.binomial(2, frequency, (200, VARIANTS)).astype(np.int8)
    mothers, fathers = random.binomial(2, frequency, (2, 5, VARIANTS)).astype(np.int8)
    people[100] = people[0]
    people[101] = gamete(people[1], random) + gamete(mothers[0], random)
    for sibling in (2, 102):
        people[sibling] = gamete(mothers[1], random) + gamete(fathers[1], random)
    child = gamete(people[3], random) + gamete(mothers[2], random)
    people[103] = gamete(child, random) + gamete(mothers[3], random)
    sites = [(f"chr{1 + i // 200}", 10_000 * i, "A", "C") for i in range(VARIANTS)]
    table = pd.DataFrame({"sex": ["female"] * 200, "age": 40.0})
    sites.sort(key=lambda site: (len(site[0]), site[0], site[1]))
    return Cohort(people.T, sites, table, np.repeat([0, 1], 100), folder)


def keyed(cohort, key=KEYS[0]):
    views = cohort.views()
    for view in views:
        (view.folder / "run.key").write_bytes(key)
        (view.folder / "run.id").write_bytes(RUN)
    return views


def pairs_of(found, key=KEYS[0]):
    """The people of the pairs that were found, by what each node knows of its own order."""
    people = []
    for nodes, rows in zip(found["node"], found["row"], strict=True):
        assert nodes.tolist() == [0, 1]
        own = [int(shuffled_rows(key, RUN, 100)[row]) for row in rows]
        people.append((own[0], own[1] + 100))
    return people


def test_duplicates_and_first_degree_kin_are_found_and_nobody_else(tmp_path):
    found = play(keyed(families(tmp_path)), STEPS).results["kinship"]
    pairs = pairs_of(found)
    assert set(pairs) == {KIN[name] for name in ("same", "child", "sibling")}
    assert [p for p, twice in zip(pairs, found["duplicate"], strict=True) if twice] == [KIN["same"]]
    assert found["cosine"][0] == 1.0
    np.testing.assert_allclose(found["cosine"][1:], 0.5, atol=0.1)
    assert found["pairs_compared"] == 100 * 100


def test_power_and_false_alarms_are_stated(tmp_path):
    found = play(keyed(families(tmp_path)), STEPS).results["kinship"]
    assert found["power"] > 0.9999
    assert found["false_alarms"] < 1e-10
    few = {"steps": [{"algorithm": "kinship", "parameters": {"bits": 64}}]}
    coarse = play(keyed(families(tmp_path / "few")), few).results["kinship"]
    assert coarse["power"] < 0.9
    expected = coarse["false_alarms"]
    assert 100 < expected < 1000
    assert abs(len(coarse["cosine"]) - expected) < 6 * np.sqrt(expected) + 3


def test_a_person_with_some_wrong_calls_is_still_a_duplicate(tmp_path):
    cohort = families(tmp_path)
    wrong = np.random.default_rng(1).choice(VARIANTS, 25, replace=False)
    cohort.genotypes[wrong, 100] = (cohort.genotypes[wrong, 100] + 1) % 3
    found = play(keyed(cohort), STEPS).results["kinship"]
    assert pairs_of(found)[0] == KIN["same"]
    assert found["duplicate"][0]


def test_sketches_of_two_runs_have_nothing_in_common(tmp_path):
    """Without the key, half of the bits agree, in whatever order people come."""
    sketches = []
    for number, key in enumerate(KEYS):
        views = keyed(families(tmp_path / str(number)), key)
        network, nodes = NetworkRun(STEPS), [NodeRun(view, STEPS) for view in views]
        for n in range(2):
            network.advance([node.sums() for node in nodes])
            for node in nodes:
                node.follow(network.message(n))
        sketches.append(nodes[0].sums()["sketches"])
    bits = np.unpackbits(sketches[0][:, None] ^ sketches[1][None], axis=2).mean(axis=2)
    assert 0.44 < bits.min() < 0.5 < bits.max() < 0.56


def test_false_alarms_of_few_variants_are_not_hidden(tmp_path):
    """500 copies of few haplotypes, as of few megabases: strangers look like kin."""
    cohort = families(tmp_path)
    random = np.random.default_rng(4)
    blocks = random.binomial(2, 0.5, (10, 200)).astype(np.int8)
    cohort.genotypes = np.repeat(blocks, VARIANTS // 10, axis=0)
    found = play(keyed(cohort), STEPS).results["kinship"]
    assert len(found["cosine"]) > 500
    assert 0.5 < found["false_alarms"] / len(found["cosine"]) < 2


def test_a_node_without_a_key_is_refused(tmp_path):
    with pytest.raises(AnalysisError, match=r"run.key: expected a key of at least 16 bytes"):
        play(families(tmp_path).views(), STEPS)


def test_nodes_with_different_keys_are_told_so(tmp_path):
    """Otherwise nobody would be found, and nobody would know why."""
    views = keyed(families(tmp_path))
    (views[1].folder / "run.key").write_bytes(KEYS[1])
    with pytest.raises(AnalysisError, match=r"run.key: expected the same at all nodes"):
        play(views, STEPS)


def asked_for_sketches(folder, change=lambda cohort: None):
    """A node, its cohort, and the state by which it makes sketches."""
    cohort = families(folder)
    change(cohort)
    views, network = keyed(cohort), NetworkRun(STEPS)
    nodes = [NodeRun(view, STEPS) for view in views]
    message = {}
    for n in range(2):
        network.advance([node.sums() for node in nodes])
        for name in [name for name in message if "." not in name]:
            del message[name]
        message |= network.message(n)
        for node in nodes:
            node.follow(message)
    return nodes[0], cohort, message


def with_list(message, cohort, numbers, frequency=0.3):
    """The state with another joint list: variants by their numbers, made-up ones below 0."""
    sites = [cohort.sites[i] if i >= 0 else ("chr9", -int(i), "G", "T") for i in numbers]
    joint = AlleleList.of_texts(*zip(*sites, strict=True))
    f = np.full(len(numbers), frequency)
    standard = {"mean": 2 * f, "scale": 1 / np.sqrt(2 * f * (1 - f))}
    listed = {f"alleles.{name}": array for name, array in joint.arrays().items()}
    return message | listed | standard | {"chosen": np.arange(len(numbers), dtype=np.int32)}


@pytest.mark.parametrize("attack", ["one variant", "weights", "a rare variant"])
def test_a_state_that_singles_out_a_variant_is_refused(tmp_path, attack):
    node, _, message = asked_for_sketches(tmp_path)
    if attack == "one variant":
        message |= {name: message[name][:1] for name in ("chosen", "mean", "scale")}
    elif attack == "weights":
        message["scale"] = np.where(np.arange(message["scale"].size) == 3, 1.0, 0.0)
    else:
        message["mean"] = np.full_like(message["mean"], 0.01)
    node.follow(message)
    with pytest.raises(AnalysisError, match="chosen: expected at least 500 common variants"):
        node.sums()


def common_half(cohort):
    """Numbers of variants with a frequency near one half, which the lists below may have."""
    own = cohort.genotypes[:, :100].mean(axis=1) / 2
    return np.flatnonzero(abs(own - 0.4) < 0.15)


@pytest.mark.parametrize("attack", ["made up", "one many times", "rare here", "other frequencies"])
def test_variants_count_only_if_they_are_common_among_the_own_people(tmp_path, attack):
    """A list that the network makes up would make a sketch of the one variant that is real."""

    def rare_here(cohort):
        cohort.genotypes[2000:, :100] = 0
        cohort.genotypes[2000:, 7] = 1  # one person differs from all others there

    node, cohort, message = asked_for_sketches(tmp_path, rare_here)
    good = common_half(cohort)[:520]
    node.follow(with_list(message, cohort, good))
    assert node.sums()["sketches"].shape == (100, 256)
    lists = {
        "made up": [*range(-499, 0), good[0]],
        "one many times": [*good, *[good[0]] * 500],
        "rare here": [*good, *range(2000, 2500)],
        "other frequencies": good,
    }
    frequency = 0.9 if attack == "other frequencies" else 0.3
    node.follow(with_list(message, cohort, lists[attack], frequency))
    with pytest.raises(AnalysisError, match="chosen: expected at least 500 common variants"):
        node.sums()


def test_two_lists_of_variants_have_other_projections(tmp_path):
    """Else two sketches would differ by the one variant in which the lists differ."""
    node, cohort, message = asked_for_sketches(tmp_path)
    first, second = common_half(cohort)[:520], common_half(cohort)[1:521]
    sketches = []
    for numbers in (first, [*first[:-1], second[-1]]):
        node.follow(with_list(message, cohort, numbers))
        sketches.append(node.sums()["sketches"])
    assert 0.4 < np.unpackbits(sketches[0] ^ sketches[1]).mean() < 0.6


def test_people_come_in_another_order_in_each_run(tmp_path):
    """What the network saw of a row in one run tells nothing of a row in the next."""
    node, _cohort, message = asked_for_sketches(tmp_path)
    node.follow(message)
    first = node.sums()["sketches"]
    (tmp_path / "node0/run.id").write_bytes(b"the id of another run")
    second = node.sums()["sketches"]
    same = (first == second).all(axis=1)
    assert same.mean() < 0.1
    assert sorted(map(bytes, first)) == sorted(map(bytes, second))


def test_too_few_common_variants_are_named(tmp_path):
    cohort = families(tmp_path)
    cohort.genotypes[400:] = 0
    with pytest.raises(AnalysisError, match="least_frequency: expected at least 500 common"):
        play(keyed(cohort), STEPS)
