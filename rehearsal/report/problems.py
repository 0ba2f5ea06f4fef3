"""Answers of a run that are wrong, refused, late, failed or missing."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK

SHOWN_PROBLEMS = 40  # rows on a page
PROBLEM_COLUMNS = ["query", "kind", "node", "problem", "expected", "observed", "reason"]


def find_problems(answers: pd.DataFrame, nodes: Sequence[str]) -> pd.DataFrame:
    """Find the answers that are wrong, refused, late, failed or missing.

    An expected error, such as a 400 to an ill-formed query, is no problem, and neither is an answer
    of a foreign node that is true as far as it goes.

    Args:
        answers: ``answers.parquet``.
        nodes: Codes of the countries that had to answer.

    Returns:
        One row per problem, sorted by query and node: query, kind, node, problem (``wrong``,
        ``refused``, ``late``, ``failed``, ``missing``), expected, observed, reason.
    """
    verdict = answers["verdict"].fillna("wrong")
    problem = verdict.mask(answers["state"].isin(["late", "failed"]), answers["state"])
    bad = answers[~problem.isin(["right", "incomplete"])]
    named = problem[bad.index]
    found = pd.DataFrame(
        {
            "query": bad["query"],
            "kind": bad["kind"],
            "node": bad["node"],
            "problem": named,
            "expected": bad["truth"],
            "observed": bad["observed"],
            "reason": bad["reason"].fillna(""),
        }
    )
    parts = [part for part in (found, find_missing(answers, nodes)) if len(part)]
    if not parts:
        return pd.DataFrame(columns=PROBLEM_COLUMNS)
    joined = pd.concat(parts, ignore_index=True).drop_duplicates(
        ["query", "node", "problem"], keep="first"
    )
    return joined.sort_values(["query", "node"], ignore_index=True)[PROBLEM_COLUMNS]


def find_missing(answers: pd.DataFrame, nodes: Sequence[str]) -> pd.DataFrame:
    """Find pairs of query and node without a row: no answer may be lost unnoticed.

    Args:
        answers: ``answers.parquet``.
        nodes: Codes of the countries that had to answer.

    Returns:
        One row per pair, with the columns of ``find_problems``.
    """
    kinds = answers.groupby("query", sort=True)["kind"].first()
    wanted = pd.MultiIndex.from_product([kinds.index, [*nodes, NETWORK]], names=["query", "node"])
    there = pd.MultiIndex.from_frame(answers[["query", "node"]])
    rows = wanted.difference(there).to_frame(index=False)
    return rows.assign(
        kind=rows["query"].map(kinds),
        problem="missing",
        expected=None,
        observed=None,
        reason="no answer was recorded",
    )
