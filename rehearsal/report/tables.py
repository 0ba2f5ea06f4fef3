"""The tables that a person reads in the report, and that its figures draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK
from rehearsal.evaluation.latency import ALL as ALL_KINDS
from rehearsal.model import Country
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report.problems import find_problems

REGIONS = ("North", "West", "East", "South")


def region_of(country: Country) -> str:
    """A quarter of Europe by the country's population centre.

    North of 54.5° N, south of 44° N, and what lies between parted at 12° E. For the colours of
    figures only; the model knows no regions.
    """
    if country.latitude >= 54.5:
        return "North"
    if country.latitude < 44.0:
        return "South"
    return "West" if country.longitude < 12.0 else "East"


@dataclass(frozen=True, slots=True)
class BenchTables:
    """What the bench measured; the files are those of docs/reference/files.md below ``bench/``."""

    load: pd.DataFrame
    knee: Mapping[str, Any]
    growth: pd.DataFrame
    growth_fits: pd.DataFrame
    policy: pd.DataFrame
    distance: pd.DataFrame
    capitals: pd.DataFrame
    faults: pd.DataFrame


@dataclass(frozen=True, slots=True)
class ReportTables:
    """What a run made that the report shows; the files are those of docs/reference/files.md."""

    countries: Sequence[Country]
    asker: str  # code of the country whose capital asks
    people: pd.DataFrame  # people.parquet
    answers: pd.DataFrame  # answers.parquet
    latency: pd.DataFrame  # latency.parquet
    distances: pd.DataFrame  # country, rtt_ms, measured: what was applied
    spectrum: pd.DataFrame  # pca.frequency_spectrum
    components: pd.DataFrame | None = None  # pca.principal_components; None: too few people
    demography_svg: str | None = None  # the drawing of the model
    realism: pd.DataFrame | None = None  # realism.tsv
    realism_svgs: Mapping[str, str] = field(default_factory=dict)  # caption: drawing
    expected_fst: pd.DataFrame | None = None  # expected_fst.parquet
    stories: Sequence[Mapping[str, Any]] = ()  # stories/*.json
    datasets: Sequence[Mapping[str, Any]] = ()  # catalogue/datasets.json
    bench: BenchTables | None = None  # bench/*.parquet

    @property
    def codes(self) -> list[str]:
        return [country.code for country in self.countries]


def country_href(code: str, prefix: str = "") -> str:
    """The address of a country's page, from a page that is ``prefix`` away from the first one."""
    return f"{prefix}countries/{code}.html"


def cohort_table(tables: ReportTables) -> pd.DataFrame:
    """One row a country: code, name, region, people, women, men, in_families, born_from, born_to,
    alleles (autosomal, varying within the country), singleton_share."""
    grouped = tables.people.assign(
        women=tables.people["sex"] == "female",
        men=tables.people["sex"] == "male",
        in_family=in_families(tables.people),
    ).groupby("country")
    counts = pd.DataFrame(
        {
            "people": grouped.size(),
            "women": grouped["women"].sum(),
            "men": grouped["men"].sum(),
            "in_families": grouped["in_family"].sum(),
            "born_from": grouped["birth_year"].min(),
            "born_to": grouped["birth_year"].max(),
        }
    )
    counts = counts.join(spectrum_shares(tables.spectrum)[["alleles", "singleton_share"]])
    names = pd.DataFrame(
        [(country.code, country.name, region_of(country)) for country in tables.countries],
        columns=["code", "name", "region"],
    )
    table = names.join(counts, on="code")
    whole = ["people", "women", "men", "in_families"]
    table[whole] = table[whole].fillna(0).astype(int)
    return table


def in_families(people: pd.DataFrame) -> pd.Series:
    """True for those who share their family with somebody."""
    return people["family"].notna() & people["family"].duplicated(keep=False)


def node_table(tables: ReportTables) -> pd.DataFrame:
    """One row a country: node, name, people, answers, problems, p50_ms, p95_ms, p99_ms, rtt_ms.

    ``answers`` is the number of answers and refusals that came in time, over all kinds of query,
    and the latencies are theirs. ``problems`` counts the queries with a wrong, late, failed or
    missing answer.
    """
    codes = tables.codes
    latency = tables.latency[tables.latency["kind"] == ALL_KINDS].set_index("node")
    problems = find_problems(tables.answers, codes)
    columns = {
        "people": tables.people.groupby("country").size(),
        "answers": latency["n"],
        "problems": problems.groupby("node")["query"].nunique(),
        "p50_ms": latency["p50_ms"],
        "p95_ms": latency["p95_ms"],
        "p99_ms": latency["p99_ms"],
        "rtt_ms": tables.distances.set_index("country")["rtt_ms"],
    }
    table = pd.DataFrame({"node": codes, "name": [country.name for country in tables.countries]})
    for name, values in columns.items():
        table[name] = table["node"].map(values)
    whole = ["people", "answers", "problems"]
    table[whole] = table[whole].fillna(0).astype(int)
    return table


def kind_table(tables: ReportTables) -> pd.DataFrame:
    """The network's rows of latency.parquet by kind of query, all kinds last; without the control.

    Its columns and ``queries``, the number of different queries.
    """
    joined = tables.latency[tables.latency["node"] == NETWORK]
    queries = tables.answers.groupby("kind")["query"].nunique()
    queries[ALL_KINDS] = queries.sum()
    table = joined.assign(queries=joined["kind"].map(queries)).dropna(subset=["queries"])
    last = table["kind"].eq(ALL_KINDS)
    return table.assign(last=last).sort_values(["last", "kind"]).drop(columns="last")
