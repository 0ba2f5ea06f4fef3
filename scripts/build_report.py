"""The page a person opens, the same for machines, and the figures of Snakemake's report."""

import json
from pathlib import Path

import pandas as pd

from rehearsal.evaluation.protected_judge import public_checks
from rehearsal.files import written_aside
from rehearsal.loadtest.faults.run import fault_checks
from rehearsal.loadtest.measured_distance import distance_checks
from rehearsal.loadtest.origin_latency import capitals_checks
from rehearsal.logs import logged_to
from rehearsal.manifest import config_digest
from rehearsal.realism.rows import read_rows
from rehearsal.report import figures
from rehearsal.report.junit import write_junit
from rehearsal.report.page import write_report
from rehearsal.report.provenance import run_facts, stage_times
from rehearsal.report.summary import Check, build_summary, write_summary
from rehearsal.report.tables import (
    BenchTables,
    ReportTables,
    cohort_table,
    kind_table,
    node_table,
)

REALISM_FIGURES = {
    "map": "People's first two principal components, turned to lie on the map.",
    "fst": "F_ST of every pair of countries: measured against what the model predicts.",
    "distance": "F_ST against the distance between countries.",
    "linkage": "Linkage disequilibrium against distance.",
    "sample_size": "Variable sites against the number of people.",
}


FRAMES = ("people", "answers", "latency", "distances", "spectrum", "components", "expected_fst")
BENCH = ("load", "growth", "growth_fits", "policy", "distance", "capitals", "faults")


def read_tables(smk, realism):
    """What the report shows."""
    return ReportTables(
        countries=smk.params.countries,
        asker=smk.params.config["network"]["asker"],
        demography_svg=Path(smk.input.drawing).read_text(encoding="utf-8"),
        realism=pd.DataFrame(realism),
        realism_svgs={
            caption: Path(smk.input[f"realism_{name}"]).read_text(encoding="utf-8")
            for name, caption in REALISM_FIGURES.items()
        },
        stories=[read_json(path) for path in smk.input.stories],
        datasets=read_json(smk.input.datasets),
        bench=BenchTables(
            knee=read_json(smk.input.knee),
            **{name: pd.read_parquet(smk.input[name]) for name in BENCH},
        ),
        **{name: pd.read_parquet(smk.input[name]) for name in FRAMES},
    )


def bench_checks(smk, bench):
    """What load, growth, distance, capitals and faults found that must hold on any machine."""
    yield from bench.knee["checks"]
    yield from read_json(smk.input.growth_conditions)["checks"]
    yield from distance_checks(bench.distance)
    yield from capitals_checks(bench.capitals)
    yield from fault_checks(bench.faults)


def read_json(path):
    return json.loads(Path(path).read_text())


def main(smk):
    config = smk.params.config
    realism = read_rows(smk.input.realism)
    conditions = read_json(smk.input.conditions)
    tables = read_tables(smk, realism)
    codes = [country.code for country in tables.countries]
    summary = build_summary(
        run=run_facts(
            config["seed"],
            config_digest(config),
            stage_times(smk.params.benchmarks),
            conditions=conditions,
        ),
        people=tables.people,
        blocks=smk.params.blocks,
        variants=tables.spectrum.attrs["variants"],
        nodes=codes,
        answers=tables.answers,
        deadline_s=config["network"]["deadline_s"],
        checks=[
            audit_check(conditions["audit"], tables.answers),
            *(Check(**check) for check in public_checks(tables.answers)),
            *(Check(**check) for check in bench_checks(smk, tables.bench)),
        ],
        realism=realism,
        privacy=read_json(smk.input.privacy),
        stories={
            one["name"]: {key: one[key] for key in ("passed", "checks")} for one in tables.stories
        },
    )
    write_report(Path(smk.output.page).parent, summary, tables)
    write_junit(smk.output.junit, summary, tables.answers, codes)
    write_summary(smk.output.summary, summary)
    with written_aside(smk.output.cohort) as path:
        cohort_table(tables).to_csv(path, index=False)
    nodes, countries = node_table(tables), tables.countries
    stills = {
        "map": figures.latency_map(countries, nodes, tables.asker),
        "node_latency": figures.node_latency_figure(nodes),
        "kind_latency": figures.kind_latency_figure(kind_table(tables)),
        "spectrum": figures.spectrum_figure(tables.spectrum, countries),
        "components": figures.pca_figure(tables.components, countries),
    }
    for name, chart in stills.items():
        figures.save_still(chart, smk.output[name])


def audit_check(audit, answers):
    """Every node of ours has a whole chain of decisions, with a line for each of its answers."""
    given = answers[answers["http_status"].notna()].groupby("node").size()
    whole = [code for code, log in audit.items() if log["lines"] >= given.get(code, 0)]
    name = "audit logs: nodes with a whole chain and a line for every answer"
    return Check(name, len(audit), len(whole), len(whole) == len(audit))


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
