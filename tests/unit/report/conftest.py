"""A small made-up run: the simulated cohort and its answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rehearsal.evaluation.latency import latency_table
from rehearsal.report.tables import ReportTables

from ..simulated_blocks import CODES, COUNTRIES, blocks, components, people, spectrum, trees

__all__ = ["blocks", "components", "people", "spectrum", "trees"]

KINDS = ("allele_frequency", "presence", "ill_formed")


def made_answers(codes=CODES, queries: int = 6, seed: int = 1) -> pd.DataFrame:
    """Right answers of every node and of the network to every query."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(queries):
        kind = KINDS[number % len(KINDS)]
        bad = kind == "ill_formed"
        for place, node in enumerate([*codes, "network"]):
            rows.append(
                {
                    "query": f"{kind}-{number:03d}",
                    "kind": kind,
                    "node": node,
                    "state": "refused" if bad else "answered",
                    "http_status": 400 if bad else 200,
                    "exists": None if bad else True,
                    "count": None if bad else 3,
                    "observed": "HTTP 400" if bad else "3",
                    "truth": "HTTP 400" if bad else "3",
                    "equal": True,
                    "latency_ms": 8.0 + 3 * place + rng.gamma(2, 0.5),
                    "bytes": 900,
                    "repeat": 0,
                    "reason": "",
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def answers() -> pd.DataFrame:
    return made_answers()


@pytest.fixture
def tables(people, answers, spectrum, components) -> ReportTables:
    distances = pd.DataFrame(
        {
            "country": CODES,
            "rtt_ms": [0.0, 31.0, 38.5, 29.1, 26.0],
            "measured": [False, True, True, True, False],
        }
    )
    return ReportTables(
        countries=COUNTRIES,
        asker="BE",
        people=people,
        answers=answers,
        latency=latency_table(answers, answers.iloc[:0]),
        distances=distances,
        spectrum=spectrum,
        components=components,
        demography_svg="<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 10'></svg>",
    )
