"""The figures of each country's sheet that no other part of the summary has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rehearsal.model import Country

GROUPS = {  # kinds of queries by the question that a citizen would ask
    "q_frequency": ("allele_frequency",),
    "q_known": ("presence", "absent"),
    "q_place": ("range", "gene"),
    "q_count": ("count", "carriers"),
    "q_people": ("individuals",),
    "q_bad": ("ill_formed",),
}


@dataclass(frozen=True, slots=True)
class OtherAnswers:
    """What nodes answered beside the queries; a run does not count the bytes of it."""

    stories: Sequence[Mapping[str, Any]] = ()  # stories/*.json
    analyses: Mapping[str, Collection[str]] = field(default_factory=dict)  # nodes by analysis


def build_sheet_facts(
    countries: Sequence[Country],
    people: pd.DataFrame,
    answers: pd.DataFrame,
    capitals: pd.DataFrame | None,
    datasets: Sequence[Mapping[str, Any]],
    foreign: Collection[str],
    asker: str,
    others: OtherAnswers,
) -> dict[str, Any]:
    """Build the ``sheets`` of the summary.

    Args:
        countries: The countries of the run.
        people: ``people.parquet``.
        answers: ``answers.parquet``.
        capitals: ``capitals.parquet``; None without a bench.
        datasets: ``catalogue/datasets.json``.
        foreign: Codes of the countries whose nodes someone else runs.
        asker: Code of the country that asks the queries; its own answers to them leave no country.
        others: What nodes answered beside the queries.

    Returns:
        By code of the country: its name, capital and signature, numbers of people, datasets and
        questions, what left it (None: nobody asked for it), and answers in time as seen from its
        capital.
    """
    numbers = people["country"].value_counts()
    return {
        country.code: {
            "name": country.name,
            "capital": country.capital,
            "signed": country.signed_declaration,
            "foreign": country.code in foreign,
            "people": int(numbers.get(country.code, 0)),
            "datasets": sum(one["country_code"] == country.code for one in datasets),
            "asked": _asked(answers[answers["node"] == country.code]),
            "asks": country.code == asker,
            "left": {
                "query_bytes": 0 if country.code == asker else _bytes(answers, country.code),
                "story_answers": (
                    _answers_abroad(others.stories, country.code) if others.stories else None
                ),
                **_analyses_of(country.code, others.analyses),
            },
            "from_capital": _from_capital(country.code, capitals),
        }
        for country in countries
    }


def _bytes(answers: pd.DataFrame, code: str) -> int:
    return int(answers.loc[answers["node"] == code, "bytes"].sum())


def _answers_abroad(stories: Sequence[Mapping[str, Any]], code: str) -> int:
    """Count the questions of stories that were asked abroad and that the node answered."""
    return sum(
        question["countries"].get(code, {}).get("state") == "answered"
        for story in stories
        for question in story["questions"]
        if question["asker"]["country"] != code
    )


def _analyses_of(code: str, nodes: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Count and name the joint analyses to which a node gave sums or frequencies.

    The count is None in a run without any.
    """
    names = sorted(name for name, there in nodes.items() if code in there)
    return {"analyses": len(names) if nodes else None, "analysis_names": names}


def _asked(own: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the questions to a node, those it answered and those it refused, by group."""
    counts = {}
    for group, kinds in GROUPS.items():
        mine = own[own["kind"].isin(kinds)]
        counts[group] = {
            "questions": len(mine),
            "answered": int((mine["state"] == "answered").sum()),
            "refused": int((mine["state"] == "refused").sum()),
        }
    return counts


def _from_capital(code: str, capitals: pd.DataFrame | None) -> dict[str, Any] | None:
    """Say how a country's capital sees the network; None if it was not measured."""
    own = None if capitals is None else capitals[capitals["asker"] == code]
    if own is None or own.empty:
        return None
    row = own.iloc[0]
    return {
        "questions": int(row["n"]),
        "in_time": float(row["qs02"]),
        "p50_ms": float(row["p50_ms"]),
        "farthest": str(row["farthest"]),
    }
