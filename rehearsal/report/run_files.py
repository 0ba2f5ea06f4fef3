"""Read the files of a run that the report shows, and write the files beside the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.files import atomic_path, read_json, write_json
from rehearsal.model import Country, PlantedVariant
from rehearsal.policy.care.assessment import WORDS, care_checks
from rehearsal.realism.rows import read_rows
from rehearsal.report.checks import answer_checks, bench_checks
from rehearsal.report.figures.components import components_figure
from rehearsal.report.figures.latency import kind_latency_figure, node_latency_figure
from rehearsal.report.figures.node_map import latency_map
from rehearsal.report.figures.rendering import save_still
from rehearsal.report.figures.spectrum import spectrum_figure
from rehearsal.report.junit import write_junit
from rehearsal.report.sections.planted import planted_table
from rehearsal.report.story_causes import name_story_causes
from rehearsal.report.summary import CheckResults
from rehearsal.report.tables import (
    AnalysisTables,
    BenchTables,
    ReportTables,
    cohort_table,
    kind_table,
    node_table,
)

FRAMES = ("people", "answers", "latency", "distances", "spectrum", "components", "expected_fst")
BENCH = ("load", "growth", "growth_fits", "policy", "distance", "capitals", "faults")
REALISM_FIGURES = {
    "map": "The first two principal components of the people, rotated to fit the map.",
    "fst": "F_ST of every pair of countries: measured value against the model's prediction.",
    "distance": "F_ST against the distance between two countries.",
    "linkage": "Linkage disequilibrium against the distance between two sites.",
    "sample_size": "Number of variable sites against the number of people.",
}


def read_tables(
    files: Mapping[str, Any],
    countries: Sequence[Country],
    asker: str,
    planted: Sequence[PlantedVariant],
    seed: int,
) -> ReportTables:
    """Read the tables that the report shows.

    Args:
        files: Paths by the names of the inputs of the rule ``build_report``.
        countries: The countries of the run.
        asker: Code of the country that asks.
        planted: The planted variants of the run.
        seed: The run's root seed.
    """
    frames = {name: pd.read_parquet(files[name]) for name in FRAMES}
    carriers = pd.read_parquet(files["carriers"])
    return ReportTables(
        countries=countries,
        asker=asker,
        demography_svg=_read_text(files["drawing"]),
        foreign=read_json(files["conditions"])["foreign"],
        realism=pd.DataFrame(read_rows(files["realism"])),
        realism_svgs={
            caption: _read_text(files[f"realism_{name}"])
            for name, caption in REALISM_FIGURES.items()
        },
        stories=[read_json(path) for path in files["stories"]],
        datasets=read_json(files["datasets"]),
        bench=_read_bench(files) if "knee" in files else None,
        analyses=_read_analysis_tables(files) if "played" in files else None,
        planted=planted_table(planted, carriers, frames["people"], seed),
        **frames,
    )


def read_findings(
    files: Mapping[str, Any], tables: ReportTables, audit: Mapping[str, Mapping[str, Any]]
) -> CheckResults:
    """Read the results of all checks.

    Args:
        files: Paths by the names of the inputs of the rule ``build_report``.
        tables: The tables of the report.
        audit: The ``audit`` of conditions.json, by country.
    """
    checks = list(answer_checks(audit, tables.answers))
    if tables.bench is not None:
        checks += bench_checks(tables.bench, read_json(files["growth_conditions"])["checks"])
    checks += _care_checks(files, tables)
    checks_by_story = name_story_causes(tables.stories)
    return CheckResults(
        checks=checks,
        realism=read_rows(files["realism"]),
        privacy=read_json(files["privacy"]),
        stories={
            one["name"]: {"passed": one["passed"], "checks": checks_by_story[one["name"]]}
            for one in tables.stories
        },
        analyses=read_analyses(files) if "played" in files else {},
    )


def _care_checks(files: Mapping[str, Any], tables: ReportTables) -> list[dict[str, Any]]:
    if "care" not in files:
        return []
    economics = read_json(files["care"])
    assessed = {name: economics[name] for name in WORDS}
    others = [code for code in tables.foreign if not _told_everything(code, tables.stories)]
    return care_checks(assessed, others)


def _told_everything(code: str, stories: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a node answered every question of all stories that was put to it."""
    asked = (question["countries"].get(code) for one in stories for question in one["questions"])
    return all(one.get("state") == "answered" for one in asked if one is not None)


def read_analyses(files: Mapping[str, Any]) -> dict[str, Any]:
    """Read how the federated analyses were judged.

    Args:
        files: Paths of ``played``, ``pca``, ``gwas``, ``burden`` and ``logistic``.

    Returns:
        ``why``, ``nodes``, ``rounds`` and ``seconds`` of ``played.json``; ``checks``; ``marks`` of
        what was not played or not judged, with ``name`` and ``why``; facts of each part.
    """
    played, parts = read_json(files["played"]), {}
    rows = []
    for name in ("pca", "gwas", "burden", "logistic"):
        part = read_json(files[name])
        rows += part["rows"]
        parts[name] = part["facts"]
    return {
        **{key: played[key] for key in ("why", "nodes", "rounds", "seconds")},
        "checks": [row for row in rows if "passed" in row],
        "marks": [row for row in rows if "why" in row],
        **parts,
    }


def write_files(paths: Mapping[str, str], summary: Mapping[str, Any], tables: ReportTables) -> None:
    """Write summary.json, junit.xml, cohort.csv and the still figures.

    Args:
        paths: Paths by the names ``summary``, ``junit``, ``cohort``, ``map``, ``node_latency``,
            ``kind_latency``, ``spectrum`` and ``components``.
        summary: The content of ``summary.json``.
        tables: The tables of the report.
    """
    write_json(paths["summary"], summary)
    write_junit(paths["junit"], summary, tables.answers, tables.codes)
    with atomic_path(paths["cohort"]) as aside:
        cohort_table(tables).to_csv(aside, index=False)
    nodes, countries = node_table(tables), tables.countries
    stills = {
        "map": latency_map(countries, nodes, tables.asker),
        "node_latency": node_latency_figure(nodes),
        "kind_latency": kind_latency_figure(kind_table(tables)),
        "spectrum": spectrum_figure(tables.spectrum, countries),
    }
    if tables.components is not None:
        stills["components"] = components_figure(tables.components, countries)
    for name, chart in stills.items():
        save_still(chart, paths[name])


def _read_analysis_tables(files: Mapping[str, Any]) -> AnalysisTables:
    return AnalysisTables(
        gwas=pd.read_parquet(files["gwas_table"]),
        burden=pd.read_csv(files["burden_table"], sep="\t"),
        components=pd.read_parquet(files["federated_components"]),
    )


def _read_bench(files: Mapping[str, Any]) -> BenchTables:
    frames = {name: pd.read_parquet(files[name]) for name in BENCH}
    return BenchTables(knee=read_json(files["knee"]), **frames)


def _read_text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")
