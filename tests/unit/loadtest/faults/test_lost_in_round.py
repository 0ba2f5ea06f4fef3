"""The verdict on an analysis that lost a node, and where it cannot be played."""

import asyncio
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rehearsal.analyses.alleles import AlleleList
from rehearsal.loadtest.faults.lost_in_round import LostNodeTest
from rehearsal.loadtest.faults.pooled_statistics import PooledStatistics
from rehearsal.loadtest.faults.scenario_outcome import COLUMNS, fault_checks
from rehearsal.loadtest.faults.scenarios import SCENARIOS
from rehearsal.network.analyses.coordinator import AnalysisResult, Loss
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import algorithm_digest

from ...node_algorithms import write_algorithm

(SCENARIO,) = (one for one in SCENARIOS if one.lane == "analysis")
KEYS = [("chr1", 5, "A", "C"), ("chr1", 9, "G", "T")]
RIGHT = PooledStatistics("LOINC:1", {KEYS[0]: 1.5, KEYS[1]: np.nan, ("chr1", 11, "C", "G"): np.nan})
LOSS = Loss("FI", "failed", "no answer", 2)


@pytest.fixture
def played(tmp_path):
    folders = {code: tmp_path / code for code in ("BE", "EE", "FI")}
    return LostNodeTest([], folders, "FI", "")


def result(z=(1.5, np.nan), nodes=("BE", "EE"), losses=(LOSS,)):
    alleles = AlleleList.of_texts(*zip(*KEYS, strict=True)).arrays()
    results = {"alleles": alleles, "linear": {"z": np.array(z)}}
    return AnalysisResult(results, {"linear": list(nodes)}, list(losses), 3)


def test_the_result_of_the_others_is_right(played):
    assert played._failures(result(), RIGHT) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (result(z=(1.5 + 1e-8, np.nan)), "1 of 3 statistics are wrong"),
        (result(z=(1.5, 0.1)), "1 of 3 statistics are wrong"),
        (result(z=(np.nan, np.nan)), "1 of 3 statistics are wrong"),
        (result(nodes=("BE", "EE", "FI")), "found those of ['BE', 'EE', 'FI']"),
        (result(losses=()), "expected the loss of FI in round 2, found []"),
        (result(losses=(replace(LOSS, round_number=1),)), "expected the loss of FI in round 2"),
        (result(losses=(LOSS, replace(LOSS, node="EE"))), "expected the loss of FI in round 2"),
    ],
)
def test_what_is_wrong_is_said(played, wrong, said):
    (failure,) = played._failures(wrong, RIGHT)
    assert said in failure


def test_nodes_that_approve_no_algorithm_are_a_mark_and_no_failure(played):
    for code, folder in played.folders.items():
        folder.mkdir()
        NodeSettings.for_country(code, code).write(folder)
    row = asyncio.run(played.play(SCENARIO))
    table = pd.DataFrame([row], columns=list(COLUMNS)).astype(COLUMNS)
    (check,) = fault_checks(table)
    assert check["passed"]
    assert check["observed"] == (
        "not run: the node of BE does not approve the algorithm association"
    )
    assert row["victim"] == "not run"


def test_nodes_whose_sums_leave_under_masks_only_are_a_mark_and_no_failure(played):
    for code, folder in played.folders.items():
        digest = algorithm_digest(write_algorithm(folder / "algorithms/association"))
        settings = NodeSettings.for_country(code, code)
        replace(settings, algorithms=(digest,)).write(folder)
    row = asyncio.run(played.play(SCENARIO))
    assert (row["held"], row["victim"]) == (True, "not run")
    assert row["why"] == "not run: sums of the node of BE leave under masks only"
