"""The tables that a person reads in the report, and that its figures draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rehearsal.model import Country
from rehearsal.report.pca import Components
from rehearsal.report.spectrum import region_of, spectrum_shares
from rehearsal.report.summary import NETWORK, find_problems


@dataclass(frozen=True, slots=True)
class ReportTables:
    """What a run made that the report shows; the files are those of docs/architecture.md."""

    countries: Sequence[Country]
    asker: str  # code of the country whose capital asks
    people: pd.DataFrame  # people.parquet
    answers: pd.DataFrame  # answers.parquet
    latency: pd.DataFrame  # latency.parquet
    distances: pd.DataFrame  # country, rtt_ms, measured: what was applied
    spectrum: pd.DataFrame  # spectrum.frequency_spectrum
    components: Components | None = None  # None: too few people or sites
    demography_svg: str | None = None  # the drawing of the model


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
    shares = spectrum_shares(tables.spectrum)
    shares = shares[shares["level"] == "country"].set_index("group")
    counts = counts.join(shares[["alleles", "singleton_share"]])
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

    Latencies over all kinds of query, as the asker saw them; ``problems`` counts queries with a
    wrong, late, failed or missing answer.
    """
    codes = [country.code for country in tables.countries]
    latency = tables.answers.groupby("node")["latency_ms"]
    problems = find_problems(tables.answers, codes)
    table = pd.DataFrame({"node": codes, "name": [country.name for country in tables.countries]})
    columns = {
        "people": tables.people.groupby("country").size(),
        "answers": latency.size(),
        "problems": problems.groupby("node")["query"].nunique(),
        "p50_ms": latency.quantile(0.5),
        "p95_ms": latency.quantile(0.95),
        "p99_ms": latency.quantile(0.99),
        "rtt_ms": tables.distances.set_index("country")["rtt_ms"],
    }
    for name, values in columns.items():
        table[name] = table["node"].map(values)
    whole = ["people", "answers", "problems"]
    table[whole] = table[whole].fillna(0).astype(int)
    return table


def kind_table(tables: ReportTables) -> pd.DataFrame:
    """One row a kind of query: the network's row of latency.parquet and the number of queries."""
    joined = tables.latency[tables.latency["node"] == NETWORK]
    queries = tables.answers.groupby("kind")["query"].nunique()
    return joined.assign(queries=joined["kind"].map(queries)).sort_values("kind")
