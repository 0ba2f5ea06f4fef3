"""Checks of a run as evidence about single nodes: each judges one node by itself.

A node of somebody else is judged by the answers that it gave. What only the run's own files say,
such as its log of decisions, is then not measured.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from rehearsal.evaluation.latency import QS02_OBJECTIVE, qs02

HELD, PARTLY, FAILED, NOT_MEASURED = "held", "partly", "failed", "not measured"
ANSWERS = "queries/answers.parquet"


@dataclass(frozen=True, slots=True)
class Check:
    """A check that evidence can name."""

    words: str  # what holds, if it holds
    file: str  # where the run has it, below the results
    section: str  # of the country's page; empty: a section of the first page
    kinds: tuple[str, ...] = ()  # of queries, or of questions of stories


CHECKS = {
    "frequencies": Check(
        "frequencies of alleles equal the truth", ANSWERS, "answers", ("allele_frequency",)
    ),
    "variants": Check(
        "variants are found where they are, and nowhere else",
        ANSWERS,
        "answers",
        ("presence", "absent", "range", "gene"),
    ),
    "counts": Check(
        "counts of people equal the truth, without those who do not permit the purpose",
        ANSWERS,
        "answers",
        ("count", "carriers"),
    ),
    "records": Check(
        "people are found by standard terms, without those who do not permit the purpose",
        ANSWERS,
        "answers",
        ("individuals",),
    ),
    "refusals": Check("ill-formed queries are refused", ANSWERS, "answers", ("ill_formed",)),
    "tiers": Check("callers without a permit learn no more than they may", ANSWERS, "answers"),
    "in_time": Check(f"{QS02_OBJECTIVE:.0%} of answers came in time", ANSWERS, "answers"),
    "audit_log": Check(
        "an unbroken log has a decision for every answer", "queries/audit", "answers"
    ),
    "matching": Check(
        "who looks for similar patients gets the right answer, also where there are none",
        "stories",
        "stories",
        ("match",),
    ),
    "scores": Check(
        "sums over scores equal the truth", "stories", "stories", ("score", "hazard_ratio")
    ),
    "alerts": Check(
        "subscriptions to alerts are answered, also where there is nothing to tell",
        "stories",
        "stories",
        ("alert",),
    ),
    "comparisons": Check(
        "treatments are compared by counts", "stories", "stories", ("comparison",)
    ),
    "metadata": Check(
        "each dataset is described for catalogues", "catalogue/datasets.json", "datasets"
    ),
    "faults": Check("faults that were caused lose nothing", "bench/faults.parquet", "faults"),
    "attacks": Check("known attacks learn too little", "privacy/privacy.json", ""),
}
OF_STORIES = ("matching", "scores", "alerts", "comparisons")
OF_KINDS = ("frequencies", "variants", "counts", "records", "refusals")
OPEN_TO = "controlled"  # the tier that gets exact answers


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found at a node."""

    status: str
    held: int  # answers or questions for which it held
    of: int  # that were asked
    nonzero: int | None = None  # questions with something to tell; None: not counted
    why: str = ""  # of what was not measured

    @classmethod
    def counted(cls, held: int, failed: int, of: int, nonzero: int | None = None) -> Found:
        """Judge numbers: one failure is a failure; what is neither is held in part.

        Args:
            held: For how many it held.
            failed: For how many it failed.
            of: How many there are.
            nonzero: Of these, how many had something to tell.
        """
        status = FAILED if failed else HELD if held == of else PARTLY
        return cls(status if of else NOT_MEASURED, held, of, nonzero)


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """What a run knows of its nodes."""

    answers: pd.DataFrame  # answers.parquet
    deadline_s: float
    audit: Mapping[str, Mapping[str, Any]]  # of conditions.json, by country
    stories: Sequence[Mapping[str, Any]]  # stories/*.json
    datasets: Sequence[Mapping[str, Any]]  # catalogue/datasets.json
    faults: pd.DataFrame | None  # bench/faults.parquet; None: no bench
    privacy: Mapping[str, Any]  # privacy.json
    foreign: Collection[str]  # countries whose nodes someone else runs

    def judge(self, node: str) -> dict[str, Found]:
        """Judge a node by all checks.

        Args:
            node: The code of its country.

        Returns:
            What was found, by the keys of ``CHECKS``.
        """
        own = self.answers[self.answers["node"] == node]
        found = dict(self._of_answers(own))
        found["audit_log"] = self._audit(node, own)
        for name in OF_STORIES:
            found[name] = self._stories(node, CHECKS[name].kinds)
        found["metadata"] = self._metadata(node)
        found["faults"] = self._faults(node)
        found["attacks"] = self._attacks(node)
        return {
            name: replace(found[name], why=self._why_not(name, node))
            if found[name].status == NOT_MEASURED
            else found[name]
            for name in CHECKS
        }

    def _why_not(self, name: str, node: str) -> str:
        """Say why a check was not made at a node."""
        if name in OF_STORIES:
            return "no story asked the node" if self.stories else "the run has no stories"
        if name == "faults":
            is_caused = self.faults is not None
            return "no fault was caused at this node" if is_caused else "the run has no bench"
        if name in ("audit_log", "metadata") and node in self.foreign:
            return "only the node's operator knows"
        return "this node was not attacked" if name == "attacks" else "the run did not ask for it"

    def _of_answers(self, own: pd.DataFrame) -> Iterator[tuple[str, Found]]:
        exact = own[own["tier"] == OPEN_TO]
        for name in OF_KINDS:
            yield name, _verdicts(exact[exact["kind"].isin(CHECKS[name].kinds)])
        yield "tiers", _verdicts(own[own["tier"] != OPEN_TO])
        measured = qs02(own, self.deadline_s)
        late = 0 if measured.passed else measured.asked - measured.in_time
        reached = measured.asked if measured.passed else measured.in_time
        in_time = Found.counted(reached, late, measured.asked)
        yield "in_time", Found(in_time.status, measured.in_time, measured.asked)

    def _audit(self, node: str, own: pd.DataFrame) -> Found:
        if node in self.foreign:
            return Found(NOT_MEASURED, 0, 0)
        given = int(own["http_status"].notna().sum())
        lines = min(self.audit[node]["lines"], given) if node in self.audit else 0
        return Found.counted(lines, given - lines, given)

    def _stories(self, node: str, kinds: Collection[str]) -> Found:
        asked = [
            question
            for story in self.stories
            for question in story["questions"]
            if question["kind"] in kinds and node in question["countries"]
        ]
        right = sum(_is_right(question, node) for question in asked)
        told = sum(_tells_something(question["countries"][node]) for question in asked)
        return Found.counted(right, len(asked) - right, len(asked), told)

    def _metadata(self, node: str) -> Found:
        own = [one for one in self.datasets if one["country_code"] == node]
        if node in self.foreign:
            own = []  # the run describes its own data there, not the node's
        whole = [one for one in own if one["identifier"] and one["gdpr_bases"] and one["uses"]]
        return Found.counted(len(whole), len(own) - len(whole), len(own))

    def _faults(self, node: str) -> Found:
        if self.faults is None:
            return Found(NOT_MEASURED, 0, 0)
        held = self.faults.loc[self.faults["node"] == node, "held"]
        return Found.counted(int(held.sum()), int((~held).sum()), len(held))

    def _attacks(self, node: str) -> Found:
        measured = self.privacy.get("measured", {})
        checks = self.privacy.get("checks", []) if node in measured.get("nodes", []) else []
        passed = sum(bool(check["passed"]) for check in checks)
        return Found.counted(passed, len(checks) - passed, len(checks))


def _verdicts(answers: pd.DataFrame) -> Found:
    right = int((answers["verdict"] == "right").sum())
    incomplete = int((answers["verdict"] == "incomplete").sum())
    return Found.counted(right, len(answers) - right - incomplete, len(answers))


def _tells_something(reply: Mapping[str, Any]) -> bool:
    """Tell whether a node's answer has a number above 0; sums that are not kept count as such."""
    if reply["state"] != "answered":
        return False
    values = list(reply.get("answer", {"sums": 1}).values())
    while values:
        value = values.pop()
        if isinstance(value, Mapping):
            values += value.values()
        elif isinstance(value, int | float) and value > 0:
            return True
    return False


def _is_right(question: Mapping[str, Any], node: str) -> bool:
    """Tell whether a node answered a question, with what the truth says of the node."""
    if question["countries"][node]["state"] != "answered":
        return False
    for check in question["checks"]:
        expected, observed = check["expected"], check["observed"]
        by_name = isinstance(expected, Mapping) and isinstance(observed, Mapping)
        if by_name and observed.get(node) != expected.get(node):
            return False
    return True
