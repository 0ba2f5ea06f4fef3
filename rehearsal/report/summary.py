"""``summary.json``: a run's verdicts, for machines.

The keys are an interface: ``run``, ``cohort``, ``realism``, ``privacy``, ``stories``,
``federation``, ``qs02``, ``checks``. Everything in it is plain JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK
from rehearsal.evaluation.latency import percentile, qs02
from rehearsal.report.problems import find_missing, find_problems

LISTED_PROBLEMS = 500  # enough to see what is wrong; the rest is counted


@dataclass(frozen=True, slots=True)
class FederatedAnswers:
    """The answers of a run (answers.parquet), and who had to give them by when.

    ``nodes``: country codes. A query that lacks an expected node's row counts as unanswered by it.
    """

    answers: pd.DataFrame
    nodes: Sequence[str]
    deadline_s: float


@dataclass(frozen=True, slots=True)
class CheckResults:
    """What a run was checked for beside its answers.

    A check is a mapping with ``name``, ``expected``, ``observed`` and ``passed``. ``realism``:
    the rows of realism.tsv; ``privacy``: privacy.json; ``stories``: by name, each with ``passed``
    and ``checks``; ``checks``: all that no other key of the summary holds.
    """

    checks: Sequence[Mapping[str, Any]] = ()
    realism: Sequence[Mapping[str, Any]] = ()
    privacy: Mapping[str, Any] = field(default_factory=dict)
    stories: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def build_summary(
    run: Mapping[str, Any],
    cohort: Mapping[str, int],
    federated: FederatedAnswers,
    findings: CheckResults,
) -> dict[str, Any]:
    """The summary of a run. ``run``: ``provenance.run_facts``; ``cohort``: ``cohort_facts``."""
    problems = find_problems(federated.answers, federated.nodes)
    return _plain(
        {
            "run": run,
            "cohort": cohort,
            "realism": findings.realism,
            "privacy": findings.privacy,
            "stories": findings.stories,
            "federation": _federation(federated, problems),
            "qs02": _qs02(federated),
            "checks": findings.checks,
        }
    )


def cohort_facts(people: pd.DataFrame, variants: int, blocks: int) -> dict[str, int]:
    """The ``cohort`` of the summary.

    ``people``: people.parquet; ``variants``: distinct alleles in all nodes together; ``blocks``:
    how many were simulated.
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
    return {
        "queries": len(queries),
        "nodes": answers.loc[answers["node"] != NETWORK, "node"].nunique(),
        "nodes_expected": len(federated.nodes),
        "exact": len(queries - set(problems["query"])),
        "answered": len(queries - unanswered),
        "p50_ms": round(percentile(latency, 50), 3),
        "p99_ms": round(percentile(latency, 99), 3),
        "answers": len(answers),
        "problems": problems.head(LISTED_PROBLEMS).to_dict("records"),
        "problems_total": len(problems),
    }


def _qs02(federated: FederatedAnswers) -> dict[str, Any]:
    """QS-02 as the bench has it, but a node's missing row counts as one that did not answer."""
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
    """The same as JSON has it: no numpy types, no NaN, string keys."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
