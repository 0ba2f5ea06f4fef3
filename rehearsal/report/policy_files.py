"""Compute what ministries read of a run from its files: keys of ``summary.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.catalogue.inventory import plain_inventory, read_inventory
from rehearsal.catalogue.survey import count_by_country
from rehearsal.files import read_json
from rehearsal.model import Block
from rehearsal.policy.costs import build_costs, measure
from rehearsal.policy.indicators import read_indicators
from rehearsal.policy.maturity import build_maturity
from rehearsal.policy.node_checks import RunEvidence
from rehearsal.policy.prices import read_gdp, read_prices
from rehearsal.policy.sheet_facts import OtherAnswers, build_sheet_facts
from rehearsal.report.tables import ReportTables


def read_policy(
    files: Mapping[str, Any],
    tables: ReportTables,
    conditions: Mapping[str, Any],
    blocks: Sequence[Block],
    seed: int,
) -> dict[str, Any]:
    """Compute what ministries read of a run.

    Args:
        files: Paths by the names of the inputs of the rule ``build_report``.
        tables: The tables of the report.
        conditions: The content of conditions.json.
        blocks: The simulated blocks.
        seed: The root seed.

    Returns:
        The keys ``economics``, ``survey``, ``maturity``, ``costs``, ``sheets`` and ``inventory`` of
        the summary.
    """
    bench = tables.bench
    evidence = RunEvidence(
        answers=tables.answers,
        deadline_s=conditions["deadline_s"],
        audit=conditions["audit"],
        stories=tables.stories,
        datasets=tables.datasets,
        faults=bench.faults if bench else None,
        privacy=read_json(files["privacy"]),
        foreign=tables.foreign,
    )
    indicators = read_indicators(Path(files["maturity"]))
    capitals = bench.capitals if bench else None
    return {
        **({"economics": read_json(files["care"])} if "care" in files else {}),
        "survey": count_by_country(pd.read_parquet(files["consent"]), tables.people),
        "maturity": build_maturity(indicators, evidence, tables.codes, conditions["started"]),
        "costs": _costs(files, tables, blocks, seed),
        "inventory": plain_inventory(read_inventory(Path(files["inventory"]))),
        "sheets": build_sheet_facts(
            tables.countries,
            tables.people,
            tables.answers,
            capitals,
            tables.datasets,
            tables.foreign,
            tables.asker,
            OtherAnswers(
                tables.stories, read_json(files["played"])["present"] if "played" in files else {}
            ),
        ),
    }


def _costs(
    files: Mapping[str, Any], tables: ReportTables, blocks: Sequence[Block], seed: int
) -> dict[str, Any] | None:
    """Compute the costs; None if no bench measured CPU seconds."""
    if tables.bench is None:
        return None
    measured = measure(
        tables.answers,
        tables.asker,
        tables.bench.growth,
        read_json(files["manifest"])["files"],
        len(tables.people),
        blocks,
    )
    if measured is None:
        return None
    gdp = read_gdp(Path(files["gdp"]))
    shares = {code: gdp.get(code) for code in tables.codes}
    return build_costs(measured, read_prices(Path(files["prices"])), shares, seed)
