"""A run plays its analyses at its nodes; what they do not do is told in one line."""

from dataclasses import replace
from pathlib import Path

from rehearsal.evaluation.analyses.plan import read_analyses
from rehearsal.evaluation.analyses.play import (
    NO_GENES,
    NOT_MASKED,
    TOO_FEW,
    Played,
    missing_step,
    play_plan,
    vetoing_nodes,
)
from rehearsal.network.registry import NodeEntry
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import algorithm_digest

ROOT = Path(__file__).resolve().parents[4]
NOBODY = "http://127.0.0.1:9"  # refuses every connection


def planned(monkeypatch):
    monkeypatch.chdir(ROOT)
    return replace(read_analyses(Path("config/analyses.yaml")), deadline_s=5.0)


def test_nodes_that_do_not_answer_are_the_reason_of_what_is_missing(monkeypatch):
    plan = planned(monkeypatch)
    nodes = [NodeEntry(code, NOBODY) for code in ("EE", "FI")]
    played = play_plan(plan, [], nodes, "token")
    steps = plan.steps([], played.approving)
    assert played.approving == 2
    assert {code: part.outcome for code, part in played.nodes.items()} == {
        "EE": "failed",
        "FI": "failed",
    }
    why = {step.name: missing_step(step, played) for step in steps}
    assert why["pca"].startswith("no answer")
    assert why["gwas"].startswith("no answer")
    assert why["burden"] == NO_GENES
    assert why["gwas, masked"] == TOO_FEW
    assert why["logistic"] == NOT_MASKED
    assert not any("\n" in text for text in why.values())


def test_a_node_vetoes_by_its_settings(monkeypatch, tmp_path):
    algorithm = planned(monkeypatch).algorithm
    for code, digests in (("EE", (algorithm_digest(algorithm),)), ("FI", ())):
        settings = NodeSettings.for_country(code, code)
        (tmp_path / code).mkdir()
        replace(settings, algorithms=digests).write(tmp_path / code)
    folders = {code: tmp_path / code for code in ("EE", "FI")}
    assert vetoing_nodes(folders, algorithm) == ["FI"]


def test_a_machine_without_sandboxes_is_known_by_what_nodes_say():
    assert Played(why="This node runs no algorithms: no bubblewrap.").had_no_sandbox
    assert not Played(why="no answer").had_no_sandbox
