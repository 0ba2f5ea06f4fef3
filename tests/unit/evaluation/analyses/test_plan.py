"""The settings of a run's federated analyses: what they ask for, and complaints in one line."""

import shutil
from pathlib import Path

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.evaluation.analyses.keys import make_analysis_keys
from rehearsal.evaluation.analyses.plan import approve_algorithm, read_analyses
from rehearsal.masked_sums.signing_keys import public_text, read_signing_key
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import ApprovedAlgorithms, algorithm_digest

ROOT = Path(__file__).resolve().parents[4]
DEFAULT = yaml.safe_load((ROOT / "config/analyses.yaml").read_text())
ALGORITHM = ROOT / "config/algorithms/association"


def read(tmp_path, **changes):
    path = tmp_path / "analyses.yaml"
    given = {**DEFAULT, "algorithm": str(ALGORITHM), **changes}
    path.write_text(yaml.safe_dump(given))
    return read_analyses(path)


def test_the_default_finds_components_under_masks_and_plays_regressions_in_both_modes(tmp_path):
    steps = read(tmp_path).steps(["BRCA1"], nodes=3)
    names = [step.name for step in steps]
    both = ["gwas", "burden", "gwas, masked", "burden, masked"]
    assert names == ["pca, masked", *both, "logistic, masked"]
    assert [step.masked for step in steps] == [True, False, False, True, True, True]
    assert [step.request.get("masked", False) for step in steps] == [step.masked for step in steps]
    assert steps[2].request["parameters"]["genes"] == ["BRCA1"]


@pytest.mark.parametrize(
    ("modes", "nodes", "name"),
    [
        (["clear", "masked"], 2, "pca"),  # two nodes cannot mask
        (["clear"], 28, "pca"),
        (["masked"], 2, "pca, masked"),  # is left out with a reason, like all others
    ],
)
def test_components_are_in_clear_only_where_nothing_can_be_masked(tmp_path, modes, nodes, name):
    assert read(tmp_path, modes=modes).steps([], nodes)[0].name == name


def test_a_part_or_a_mode_can_be_left_out(tmp_path):
    gwas = {"outcome": "LOINC:8302-2", "covariates": ["sex"]}
    planned = read(tmp_path, pca=None, burden=None, gwas=gwas, logistic=None, modes=["masked"])
    assert [step.name for step in planned.steps([], 3)] == ["gwas, masked"]
    assert planned.frequencies["masked"]  # then nothing leaves in clear but the list of alleles
    assert planned.outcomes == ("LOINC:8302-2",)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"purpose": "research"}, "purpose: expected text like DUO:0000006, found 'research'"),
        ({"smallest_count": 6}, "smallest_count: expected at most 5, which association promises"),
        ({"smallest_count": 1}, "smallest_count: expected a whole number of at least 2, found 1"),
        ({"modes": []}, "modes: expected at least one of clear, masked, found an empty list"),
        ({"modes": ["clear", "clear"]}, "modes: expected each mode once, found one of them twice"),
        ({"modes": ["open"]}, r"modes\[0\]: expected one of clear, masked, found 'open'"),
        ({"pca": None}, "gwas.covariates: expected no components, because pca is left out"),
        (dict.fromkeys(["pca", "gwas", "burden", "logistic"]), "expected at least one of pca, gw"),
        (
            {"logistic": {**DEFAULT["logistic"], "least_frequency": 1}},
            "logistic.least_frequency: expected a number",
        ),
        ({"speed": 1}, "speed: expected one of the keys algorithm, .* found the unknown key"),
        ({"gwas": {"outcome": 3, "covariates": []}}, "gwas.outcome: expected text, found 3"),
        ({"burden": {**DEFAULT["burden"], "genes": []}}, "burden.genes: expected 1 to 500 genes"),
        (
            {"burden": {**DEFAULT["burden"], "weights": "skat"}},
            "burden.weights: expected one of madsen_browning, beta, found 'skat'",
        ),
        ({"algorithm": "nowhere"}, "expected an algorithm's folder with algorithm.yaml"),
    ],
)
def test_what_cannot_be_played_is_a_complaint_of_one_line(tmp_path, changes, complaint):
    with pytest.raises(InputError, match=complaint) as seen:
        read(tmp_path, **changes)
    assert "\n" not in str(seen.value)


def test_a_node_of_a_run_approves_the_algorithm_that_it_gets(tmp_path):
    planned, folder = read(tmp_path, smallest_count=3), tmp_path / "FI"
    settings = approve_algorithm(NodeSettings.for_country("FI", "Finland"), planned, folder)
    assert settings.algorithms == (algorithm_digest(ALGORITHM),)
    assert settings.analyses.smallest_count == 3
    assert settings.analyses.modes == ("clear", "masked")
    make_analysis_keys(tmp_path / "coordinator.pem", [folder, tmp_path / "EE"])
    keys = settings.analyses.keys(folder)
    assert set(keys.partners) == {"EE", "FI"}
    signer = read_signing_key(tmp_path / "coordinator.pem")
    assert keys.coordinators == (public_text(signer),)
    approved = ApprovedAlgorithms(folder, settings.algorithms)
    assert [one.name for one in approved] == ["association"]


def test_without_analyses_a_node_approves_nothing(tmp_path):
    settings = NodeSettings.for_country("FI", "Finland")
    assert approve_algorithm(settings, None, tmp_path) is settings
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_algorithm_is_named(tmp_path):
    shutil.copytree(ALGORITHM, tmp_path / "mine")
    (tmp_path / "mine/Snakefile").unlink()
    with pytest.raises(InputError, match="mine/Snakefile: file: expected a Snakefile"):
        read(tmp_path, algorithm=str(tmp_path / "mine"))
