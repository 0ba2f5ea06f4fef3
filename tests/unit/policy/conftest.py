"""A made-up run of two nodes, in which all is well."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.policy.node_checks import RunEvidence

ROOT = Path(__file__).resolve().parents[3]
NODES = ("BE", "FI")
KINDS = (
    *("allele_frequency", "presence", "absent", "range", "gene"),
    *("count", "carriers", "individuals", "ill_formed"),
)
QUESTIONS = ("match", "score", "hazard_ratio", "alert", "comparison")


def answer(node: str, kind: str, tier: str = "controlled") -> dict:
    refused = kind == "ill_formed"
    return {
        "query": f"{kind}-{tier}",
        "kind": kind,
        "tier": tier,
        "node": node,
        "state": "refused" if refused else "answered",
        "http_status": 400 if refused else 200,
        "verdict": "right",
        "latency_ms": 20.0,
    }


def made_answers() -> pd.DataFrame:
    rows = [answer(node, kind) for node in (*NODES, "network") for kind in KINDS]
    return pd.DataFrame(rows + [answer(node, "presence", "public") for node in (*NODES, "network")])


def question(kind: str) -> dict:
    equal = dict.fromkeys(NODES, 3)
    return {
        "kind": kind,
        "countries": {node: {"state": "answered"} for node in NODES},
        "checks": [{"name": "the truth", "expected": equal, "observed": dict(equal)}],
    }


@dataclass(frozen=True)
class Made:
    evidence: RunEvidence

    def without(self, node: str, off: dict) -> RunEvidence:
        """Switch services of a node off, by kinds of query and of question."""
        answers = self.evidence.answers.copy()
        gone = (answers["node"] == node) & answers["kind"].isin(off.get("queries", ()))
        answers.loc[gone, ["state", "verdict"]] = "failed"
        answers.loc[gone, "http_status"] = 404
        stories = [{"questions": [question(kind) for kind in QUESTIONS]}]
        for one in stories[0]["questions"]:
            if one["kind"] in off.get("questions", ()):
                one["countries"][node]["state"] = "failed"
        return replace(self.evidence, answers=answers, stories=stories)


@pytest.fixture
def made() -> Made:
    datasets = [
        {"country_code": node, "identifier": f"GDI-{node}-REHEARSAL-1", "gdpr_bases": ["x"]}
        | {"uses": [{"term": "DUO:0000042"}]}
        for node in NODES
    ]
    return Made(
        RunEvidence(
            answers=made_answers(),
            deadline_s=10,
            audit={node: {"lines": len(KINDS) + 1} for node in NODES},
            stories=[{"questions": [question(kind) for kind in QUESTIONS]}],
            datasets=datasets,
            faults=pd.DataFrame({"node": NODES, "held": [True, True]}),
            privacy={"measured": {"nodes": list(NODES)}, "checks": [{"passed": True}]},
            foreign=(),
        )
    )
