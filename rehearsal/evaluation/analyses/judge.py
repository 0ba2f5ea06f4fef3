"""Judges the federated analyses of a run by the right answers.

A row is a check (``name``, ``expected``, ``observed``, ``passed``), or a mark of what was not
played or not judged (``name``, ``why``), which fails nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.analyses.alleles import AlleleList
from rehearsal.evaluation.analyses.plan import PlannedAnalyses, Step
from rehearsal.evaluation.analyses.play import (
    FOREIGN,
    TOOK_PART,
    VETOED,
    Played,
    missing_step,
    read_answers,
    read_played,
)
from rehearsal.evaluation.analyses.right_answers import ALLELES

Row = dict[str, Any]
Arrays = Mapping[str, NDArray[Any]]
Z_TOLERANCE = {False: 1e-9, True: 1e-6}  # by masked: fixed point has fewer digits
LARGEST_ANGLE = 1e-8  # 1 - |cos| between a component and the right one
LEAST_GAP = 0.01  # of an eigenvalue to the next ones: below, directions are not sure


@dataclass(frozen=True, slots=True)
class Judged:
    """What was played, with the right answers.

    Attributes:
        steps: The steps of the plan.
        played: What was played.
        answers: Right answers by step and name.
        counts: Numbers of people by country, of ``RightAnswers.count_people``.
        least: The smallest count.
    """

    steps: list[Step]
    played: Played
    answers: Mapping[str, Arrays]
    counts: pd.DataFrame
    least: int

    @classmethod
    def read(cls, plan: PlannedAnalyses, genes: Sequence[str], files: Mapping[str, str]) -> Judged:
        """Read what was played and the right answers.

        Args:
            plan: The analyses.
            genes: The genes of the run.
            files: Paths of ``played``, ``results``, ``answers`` and ``people``.
        """
        played = read_played(Path(files["played"]), Path(files["results"]))
        return cls(
            plan.steps(genes, played.approving),
            played,
            read_answers(Path(files["answers"])),
            pd.read_parquet(files["people"]),
            plan.smallest_count,
        )

    def of_part(self, part: str) -> list[Step]:
        """List the steps of a part.

        Args:
            part: One of ``plan.PARTS``.
        """
        return [step for step in self.steps if step.part == part]

    def order(self) -> NDArray[np.int64]:
        """Find the place of each of the truth's alleles in the joint list; -1 if it is not there.

        Returns:
            Shape (n_alleles of the truth,).
        """
        listed = AlleleList.of(dict(self.played.results[ALLELES])).table()
        ends = zip(listed["ref"], listed["alt"], strict=True)
        change = (f"{ref}>{alt}" for ref, alt in ends)
        keys = zip(listed["contig"], listed["position"].tolist(), change, strict=True)
        place = {key: number for number, key in enumerate(keys)}
        mine = self.answers[ALLELES]
        names = zip(*(mine[key].tolist() for key in ("contig", "position", "change")), strict=True)
        return np.array([place.get(name, -1) for name in names], dtype=np.int64)


def judge_nodes(judged: Judged) -> Iterator[Row]:
    """Judge who took part, and the joint list of alleles.

    Nodes have to take part that approve the algorithm and have at least as many people as may be
    told of, who permit the purpose and in whom all variables are known.

    Args:
        judged: What was played.
    """
    nodes = judged.played.nodes
    for code, node in nodes.items():
        if node.outcome != TOOK_PART:
            yield {"name": f"node {code}", "why": f"{node.outcome}: {node.reason}".rstrip(": ")}
    if not judged.played.had_no_sandbox:
        yield from _judge_presence(judged)
    if ALLELES in judged.answers:
        order, listed = judged.order(), judged.played.results[ALLELES]["position"].size
        known = int((order >= 0).sum())
        observed = known if listed == order.size else listed
        yield _check("alleles of the joint list", order.size, observed)


def _judge_presence(judged: Judged) -> Iterator[Row]:
    nodes = judged.played.nodes
    expected = set(judged.counts.loc[judged.counts["known"] >= judged.least, "country"])
    expected -= {code for code, node in nodes.items() if node.outcome in (VETOED, FOREIGN)}
    there = {code for code, node in nodes.items() if node.outcome == TOOK_PART}
    name = "nodes that took part, of those with enough people"
    yield _check(name, len(expected), len(there & expected))
    if there - expected:
        yield _check("nodes that took part with too few people", 0, len(there - expected))


def judge_components(judged: Judged) -> Iterator[Row]:
    """Judge the components: the chosen variants and the directions that are sure.

    Args:
        judged: What was played.
    """
    for step in judged.of_part("pca"):
        if why := missing_step(step, judged.played):
            yield {"name": step.name, "why": why}
            continue
        found, right = judged.played.results[step.name], judged.answers[step.name]
        chosen = judged.order()[right["chosen"]]
        is_same = np.array_equal(np.sort(chosen), np.sort(found["chosen"]))
        yield _check(
            f"{step.name}: variants chosen, the same as the truth's",
            chosen.size,
            chosen.size if is_same else len(set(chosen) & set(found["chosen"].tolist())),
        )
        if is_same:
            yield from _judge_directions(step, found, right, np.argsort(chosen))


def _judge_directions(
    step: Step, found: Arrays, right: Arrays, order: NDArray[np.int64]
) -> Iterator[Row]:
    angles = component_angles(found, right, order)
    sure = sure_components(right["eigenvalues"])
    for number in np.flatnonzero(~sure).tolist():
        why = f"its eigenvalue is within {LEAST_GAP:.0%} of another: its direction is not sure"
        yield {"name": f"{step.name}: component {number + 1}", "why": why}
    if sure.any():
        name = f"{step.name}: largest 1 - |cos| of {int(sure.sum())} components"
        yield _limit(name, LARGEST_ANGLE, float(angles[sure].max()))


def component_angles(found: Arrays, right: Arrays, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compare directions.

    Args:
        found: The federated components.
        right: The right ones.
        order: Numbers of the truth's chosen variants in the order of the federated ones.

    Returns:
        1 - |cos| by component.
    """
    cosines = (found["loadings"] * right["loadings"][order]).sum(axis=0)
    return np.maximum(1 - np.abs(cosines), 0.0)


def sure_components(eigenvalues: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which components stand apart from those before and after them.

    Args:
        eigenvalues: From high to low, one more than components.
    """
    apart = eigenvalues[:-1] > (1 + LEAST_GAP) * eigenvalues[1:]
    return apart & np.append(True, apart[:-1])


def judge_regressions(judged: Judged, part: str) -> Iterator[Row]:
    """Judge the statistics of regressions.

    Args:
        judged: What was played.
        part: ``gwas``, ``burden`` or ``logistic``.
    """
    for step in judged.of_part(part):
        if why := missing_step(step, judged.played):
            yield {"name": step.name, "why": why}
            continue
        found: Arrays = judged.played.results[step.name]
        right = judged.answers[step.name]
        if part == "gwas":
            order = judged.order()
            found = {name: array[order] for name, array in found.items()}
        if part == "logistic":
            found = _in_order(found, judged.order()[right["chosen"]])
        yield from _judge_statistics(step, found, right)


def _in_order(found: Arrays, wanted: NDArray[np.int64]) -> Arrays:
    """Put the results of chosen variants in another order; NaN, or -1 people, without one."""
    place = {number: row for row, number in enumerate(found["chosen"].tolist())}
    rows = np.array([place.get(number, -1) for number in wanted.tolist()], dtype=np.int64)
    lacking: dict[str, float] = {"z": np.nan, "people": -1}
    return {name: np.append(found[name], lacking[name])[rows] for name in lacking}


def _judge_statistics(step: Step, found: Arrays, right: Arrays) -> Iterator[Row]:
    tested, wanted = np.isfinite(found["z"]), np.isfinite(right["z"])
    both = tested & wanted
    what = "genes" if step.part == "burden" else "variants"
    same = int((tested == wanted).sum())
    yield _check(f"{step.name}: {what} tested as they should be", wanted.size, same)
    if not both.any():
        yield {"name": f"{step.name}: statistics", "why": f"there are no {what} to test"}
        return
    yield _check(
        f"{step.name}: {what} with the right number of people",
        int(both.sum()),
        int((found["people"] == right["people"])[both].sum()),
    )
    difference = float(np.abs(found["z"] - right["z"])[both].max())
    name = f"{step.name}: largest difference in z, of {int(both.sum()):,} {what}"
    yield _limit(name, Z_TOLERANCE[step.masked], difference)


def _check(name: str, expected: int, observed: int) -> Row:
    return {
        "name": name,
        "expected": int(expected),
        "observed": int(observed),
        "passed": int(expected) == int(observed),
    }


def _limit(name: str, limit: float, observed: float) -> Row:
    return {
        "name": name,
        "expected": f"at most {limit:g}",
        "observed": f"{observed:.2g}",
        "passed": observed <= limit,
    }
