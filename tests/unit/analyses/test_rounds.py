"""Steps, rounds and the joint list of alleles."""

import re
from pathlib import Path

import numpy as np
import pytest

from rehearsal.analyses.alleles import AlleleList, find_alleles, join
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.analyses.rounds import ALGORITHMS, NetworkRun, NodeRun, add_sums, plan_steps
from rehearsal.analyses.step_parameters import PARAMETERS

from .cohort import play, simulate

LINEAR = {"algorithm": "linear", "parameters": {"outcome": "height", "covariates": ["age"]}}


def allele_list(*sites):
    return AlleleList.of_texts(*(list(column) for column in zip(*sites, strict=True)))


def sites_of(alleles):
    return list(zip(*(column.tolist() for column in alleles.table().values()), strict=True))


def test_lists_of_alleles_are_joined_without_repetitions_and_in_order():
    first = allele_list(("chr10", 5, "A", "C"), ("chr2", 9, "G", "GTT"), ("chr2", 9, "G", "A"))
    second = allele_list(("chrX", 1, "T", "<DEL:1200>"), ("chr2", 9, "G", "GTT"))
    joint = join([first, second])
    assert sites_of(joint) == [
        ("chr2", 9, "G", "A"),
        ("chr2", 9, "G", "GTT"),
        ("chrX", 1, "T", "<DEL:1200>"),
        ("chr10", 5, "A", "C"),
    ]
    assert sites_of(AlleleList.of(joint.arrays())) == sites_of(joint)
    assert find_alleles(joint, second).tolist() == [-1, 1, 0, -1]


def test_empty_lists_are_joined():
    empty = AlleleList.of(join([]).arrays())
    assert empty.size == 0
    assert join([empty, allele_list(("chr1", 1, "A", "C"))]).size == 1
    assert find_alleles(allele_list(("chr1", 1, "A", "C")), empty).tolist() == [-1]


@pytest.mark.parametrize(
    "change", [{"change": np.array([7])}, {"contig": np.zeros(3, np.uint8)}, {"contigs": None}]
)
def test_arrays_that_are_no_list_of_alleles_are_refused(change):
    arrays = allele_list(("chr1", 1, "A", "C")).arrays() | change
    arrays = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(AnalysisError, match="expected a list of alleles"):
        AlleleList.of(arrays)


def test_a_node_lists_no_allele_of_few_people(tmp_path):
    cohort = simulate(tmp_path)
    found = play(cohort.views(), {"steps": [LINEAR], "smallest_count": 6}).results
    listed = set(cohort.order(found))
    for i, variant in enumerate(cohort.genotypes):
        own = [variant[cohort.node == node] for node in range(3)]
        told = any((g > 0).sum() >= 6 and (g < 2).sum() not in range(1, 6) for g in own)
        assert (i in listed) == told


def test_the_network_can_give_the_list_of_alleles(tmp_path):
    cohort = simulate(tmp_path)
    chosen = [*cohort.sites[40:50], ("chr9", 77, "A", "T")]
    parameters = {"steps": [LINEAR], "given_alleles": True}
    network = NetworkRun(parameters, allele_list(*chosen))
    nodes = [NodeRun(view, parameters) for view in cohort.views()]
    number = 0
    while not network.done:
        sums = [node.sums() for node in nodes]
        if number == 0:
            assert all(one["position"].size == 0 for one in sums)
        network.advance(sums)
        for node in nodes:
            node.follow(network.message(number))
        number += 1
    everything = play(cohort.views(), {"steps": [LINEAR]}).results
    place = np.flatnonzero(np.isin(cohort.order(everything), range(40, 50)))
    z = everything["linear"]["z"][place]
    np.testing.assert_allclose(network.results["linear"]["z"][:10], z, rtol=1e-12)
    assert np.isnan(network.results["linear"]["z"][10])


def test_steps_that_others_need_come_first_and_once():
    names = [step.name for step in plan_steps({"steps": [LINEAR, {"algorithm": "ld_scores"}]})]
    assert names == ["alleles", "frequencies", "linear", "ld_scores"]


def test_two_steps_of_one_name_are_refused():
    with pytest.raises(AnalysisError, match="names that differ from each other, found 'linear'"):
        plan_steps({"steps": [LINEAR, LINEAR]})


def test_sums_of_other_shapes_are_refused():
    with pytest.raises(AnalysisError, match="sums of the same names and shapes, found others"):
        add_sums([{"a": np.zeros(3)}, {"a": np.zeros(4)}])


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"done": np.array(0)}, "expected step and done, found other arrays"),
        ({"step": np.array(9), "done": np.array(0)}, "expected a step below 3, found 9"),
    ],
)
def test_states_of_another_analysis_are_refused(tmp_path, message, text):
    node = NodeRun(simulate(tmp_path, n_variants=8).views()[0], {"steps": [LINEAR]})
    with pytest.raises(AnalysisError, match=text):
        node.follow(message)


def test_a_state_that_lacks_what_a_step_needs_is_one_line(tmp_path):
    node = NodeRun(simulate(tmp_path, n_variants=8).views()[0], {"steps": [LINEAR]})
    node.follow({"step": np.array(2), "done": np.array(0)})
    with pytest.raises(AnalysisError, match="expected") as error:
        node.sums()
    assert error.value.code == "bad_state"
    assert "\n" not in str(error.value)


def test_every_array_that_leaves_has_a_disclosure_class(tmp_path):
    """The disclosure of arrays with the same name is the same in all algorithms."""
    kinds = {}
    for module in ALGORITHMS.values():
        for name, one in module.DISCLOSURE.items():
            assert kinds.setdefault(name, one.kind) == one.kind
            assert set(one.counts) <= set(module.DISCLOSURE)


def with_a_node_without_variants(folder, n_variants):
    cohort = simulate(folder, sizes=(150, 90, 60, 40), n_variants=n_variants, structure=0.15)
    cohort.genotypes[:, cohort.node == 3] = 0
    views = cohort.views()
    assert views[3].n_variants == 0
    return views


def test_a_node_whose_people_carry_no_variant_takes_part(tmp_path):
    logistic = {"outcome": "disease", "covariates": ["age"]}
    steps = [
        *(LINEAR, {"algorithm": "logistic", "parameters": logistic}),
        {"algorithm": "components", "parameters": {"number": 2}},
        {"algorithm": "ld_scores"},
    ]
    found = play(with_a_node_without_variants(tmp_path, 200), {"steps": steps}).results
    assert found["frequencies"]["people"] == 340
    assert (found["logistic"]["people"] == 340).all()
    assert (found["components"]["residuals"] < 1e-8).all()
    assert found["ld_scores"]["score"].min() > 0.9


def test_a_node_whose_people_carry_no_variant_has_no_sketches(tmp_path):
    """Variants that are common elsewhere only tell who carries them here."""
    views = with_a_node_without_variants(tmp_path, 1000)
    for view in views:
        (view.folder / "run.key").write_bytes(b"a key that the nodes agree on")
        (view.folder / "run.id").write_bytes(b"a run")
    steps = {"steps": [{"algorithm": "kinship"}]}
    with pytest.raises(AnalysisError, match="chosen: expected at least 500 common variants"):
        play(views, steps)
    found = play(views[:3], steps).results
    assert found["kinship"]["pairs_compared"] == 150 * 90 + 150 * 60 + 90 * 60


def test_one_node_alone_is_an_analysis_too(tmp_path):
    cohort = simulate(tmp_path, sizes=(200,))
    found = play(cohort.views(), {"steps": [LINEAR]}).results["linear"]
    assert np.isfinite(found["z"]).sum() > 80


@pytest.mark.parametrize(
    ("algorithm", "given", "said"),
    [
        ("ld_scores", "windw", "ld_scores: expected one of least_frequency, window, found 'windw'"),
        ("linear", "masked", "linear: expected one of outcome, covariates, found 'masked'"),
        ("alleles", "n", "alleles: expected no parameters, found 'n'"),
    ],
)
def test_a_parameter_that_a_step_does_not_have_is_refused_by_name(algorithm, given, said):
    with pytest.raises(AnalysisError, match=said):
        plan_steps({"steps": [{"algorithm": algorithm, "parameters": {given: 1}}]})


def test_the_page_lists_the_parameters_of_every_algorithm():
    page = (Path(__file__).parents[3] / "docs/design/analyses.md").read_text()
    assert set(PARAMETERS) == set(ALGORITHMS)
    for algorithm, names in PARAMETERS.items():
        row, *_ = re.findall(rf"^\| `{algorithm}` \| (.*) \|$", page, re.M)
        listed = re.findall(r"`(\w+)`", row.partition(" | ")[0])
        assert listed == [name for name in names if name != "variables"], algorithm
