"""``summary.json``: the verdicts of a run, for machines.

The keys are an interface: ``run``, ``cohort``, ``realism``, ``privacy``, ``stories``,
``analyses``, ``federation``, ``qs02``, ``checks``, ``survey``, ``maturity``, ``costs``,
``sheets``, ``inventory``, ``economics``.
All values are plain JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK
from rehearsal.evaluation.judgement import VERDICTS
from rehearsal.evaluation.latency import have_replied, percentile, qs02
from rehearsal.report.causes import add_causes, list_causes
from rehearsal.report.problems import find_missing, find_problems

LISTED_PROBLEMS = 500  # listed one by one; the others are only counted


@dataclass(frozen=True, slots=True)
class FederatedAnswers:
    """The answers of a run, the nodes that had to give them, and the deadline.

    A query without a row of an expected node counts as not answered by it.
    """

    answers: pd.DataFrame  # answers.parquet
    nodes: Sequence[str]  # codes of the countries that had to answer
    deadline_s: float  # seconds


@dataclass(frozen=True, slots=True)
class CheckResults:
    """The results of all checks of a run besides its answers.

    A check is a mapping with ``name``, ``expected``, ``observed`` and ``passed``.
    """

    checks: Sequence[Mapping[str, Any]] = ()  # those that are under no other key
    realism: Sequence[Mapping[str, Any]] = ()  # rows of realism.tsv
    privacy: Mapping[str, Any] = field(default_factory=dict)  # privacy.json
    stories: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict
    )  # by name, each with ``passed`` and ``checks``
    analyses: Mapping[str, Any] = field(default_factory=dict)  # of ``read_analyses``


def build_summary(
    run: Mapping[str, Any],
    cohort: Mapping[str, int],
    federated: FederatedAnswers,
    findings: CheckResults,
    policy: Mapping[str, Any],
) -> dict[str, Any]:
    """Build the summary of a run.

    Args:
        run: The result of ``provenance.run_facts``.
        cohort: The result of ``cohort_facts``.
        federated: The answers, and the nodes that had to give them.
        findings: The results of all other checks.
        policy: What ministries read: the further keys ``survey``, ``maturity``, ``costs``,
            ``sheets``, ``inventory`` and ``economics``.

    Returns:
        The content of ``summary.json``.
    """
    problems = add_causes(find_problems(federated.answers, federated.nodes))
    return _plain(
        {
            "run": run,
            "cohort": cohort,
            "realism": findings.realism,
            "privacy": findings.privacy,
            "stories": findings.stories,
            "analyses": findings.analyses,
            "federation": _federation(federated, problems),
            "qs02": _qs02(federated),
            "checks": findings.checks,
            **policy,
        }
    )


def cohort_facts(people: pd.DataFrame, variants: int, blocks: int) -> dict[str, int]:
    """Build the ``cohort`` of the summary.

    Args:
        people: people.parquet.
        variants: Number of distinct alleles in all nodes together.
        blocks: Number of simulated blocks.
    """
    return {
        "individuals": len(people),
        "countries": people["country"].nunique(),
        "variants": variants,
        "blocks": blocks,
    }


def _federation(federated: FederatedAnswers, problems: pd.DataFrame) -> dict[str, Any]:
    answers = federated.answers
    queries = set(answers["query"])
    unanswered = set(problems.loc[problems["problem"] != "wrong", "query"])
    latency = answers.loc[answers["node"] == NETWORK, "latency_ms"].to_numpy()
    of_nodes = answers[answers["node"] != NETWORK]
    return {
        "queries": len(queries),
        "nodes": of_nodes.loc[have_replied(of_nodes), "node"].nunique(),
        "nodes_expected": len(federated.nodes),
        "exact": len(queries - set(problems["query"])),
        "answered": len(queries - unanswered),
        "p50_ms": round(percentile(latency, 50), 3),
        "p99_ms": round(percentile(latency, 99), 3),
        "answers": len(answers),
        "verdicts": {one: int((of_nodes["verdict"] == one).sum()) for one in VERDICTS},
        "causes": list_causes(problems),
        "problems": problems.head(LISTED_PROBLEMS).to_dict("records"),
        "problems_total": len(problems),
    }


def _qs02(federated: FederatedAnswers) -> dict[str, Any]:
    """Compute QS-02. A node without a row counts as one that did not answer."""
    answers, deadline_s = federated.answers, federated.deadline_s
    measured = qs02(answers, deadline_s)
    missing = int((find_missing(answers, federated.nodes)["node"] != NETWORK).sum())
    measured = replace(measured, asked=measured.asked + missing)
    slowest = answers.loc[answers["node"] != NETWORK, "latency_ms"].max()
    return {
        "deadline_s": deadline_s,
        "required": measured.objective,
        "success_rate": measured.success_rate,
        "asked": measured.asked,
        "in_time": measured.in_time,
        "slowest_ms": round(slowest, 3),
        "passed": measured.passed,
    }


def _plain(value: Any) -> Any:
    """Convert to plain JSON values: no numpy types, no NaN, keys as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
