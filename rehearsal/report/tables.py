"""The tables that the report and its figures show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK
from rehearsal.evaluation.latency import ALL as ALL_KINDS
from rehearsal.model import ANSWER_STATES, Country
from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.report.problems import find_problems

REGIONS = ("North", "West", "East", "South")


def region_of(country: Country) -> str:
    """Assign a country to a region of Europe by its population centre.

    North lies above 54.5° N, South below 44° N. The rest is West or East of 12° E. Regions serve
    for the colours of figures only; the model does not know them.

    Args:
        country: The country.

    Returns:
        An item of ``REGIONS``.
    """
    if country.latitude >= 54.5:
        return "North"
    if country.latitude < 44.0:
        return "South"
    return "West" if country.longitude < 12.0 else "East"


@dataclass(frozen=True, slots=True)
class BenchTables:
    """What the bench measured: the files below ``bench/`` in docs/reference/files.md."""

    load: pd.DataFrame
    knee: Mapping[str, Any]
    growth: pd.DataFrame
    growth_fits: pd.DataFrame
    policy: pd.DataFrame
    distance: pd.DataFrame
    capitals: pd.DataFrame
    faults: pd.DataFrame


@dataclass(frozen=True, slots=True)
class AnalysisTables:
    """What the federated analyses found: the files below ``analyses/``."""

    gwas: pd.DataFrame
    burden: pd.DataFrame
    components: pd.DataFrame


@dataclass(frozen=True, slots=True)
class ReportTables:
    """The results of a run that the report shows, from the files of docs/reference/files.md."""

    countries: Sequence[Country]
    asker: str  # code of the country whose capital asks
    people: pd.DataFrame  # people.parquet
    answers: pd.DataFrame  # answers.parquet
    latency: pd.DataFrame  # latency.parquet
    distances: pd.DataFrame  # country, rtt_ms, measured: the round trips that were applied
    spectrum: pd.DataFrame  # pca.frequency_spectrum
    components: pd.DataFrame | None = None  # pca.principal_components; None: too few people
    demography_svg: str | None = None  # the drawing of the model
    realism: pd.DataFrame | None = None  # realism.tsv
    realism_svgs: Mapping[str, str] = field(default_factory=dict)  # caption: drawing
    expected_fst: pd.DataFrame | None = None  # expected_fst.parquet
    planted: pd.DataFrame | None = None  # planted.planted_table
    stories: Sequence[Mapping[str, Any]] = ()  # stories/*.json
    datasets: Sequence[Mapping[str, Any]] = ()  # catalogue/datasets.json
    bench: BenchTables | None = None  # bench/*.parquet
    analyses: AnalysisTables | None = None  # analyses/
    foreign: Collection[str] = ()  # codes of the countries whose nodes someone else runs

    @property
    def codes(self) -> list[str]:
        """Codes of the countries in their order."""
        return [country.code for country in self.countries]


def country_href(code: str, prefix: str = "") -> str:
    """Give the address of a country's page.

    Args:
        code: The country's code.
        prefix: The way from the linking page to the first page's folder, for example ``../``.
    """
    return f"{prefix}countries/{code}.html"


def cohort_table(tables: ReportTables) -> pd.DataFrame:
    """Describe the people of each country.

    Args:
        tables: The tables of the report.

    Returns:
        One row per country: code, name, region, people, women, men, in_families, born_from,
        born_to, alleles (autosomal, variable within the country), singleton_share.
    """
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
    """Mark the people who have a relative in the cohort.

    Args:
        people: people.parquet, with the column ``family``.

    Returns:
        One truth value per person.
    """
    return people["family"].notna() & people["family"].duplicated(keep=False)


def node_table(tables: ReportTables) -> pd.DataFrame:
    """Describe the node of each country.

    Args:
        tables: The tables of the report.

    Returns:
        One row per country: node, name, people, answers, refusals, problems, p50_ms, p95_ms,
        p99_ms, rtt_ms.
        ``answers`` and ``refusals`` count those that came in time, over all kinds of query; the
        latencies are theirs. ``problems`` counts the queries with a wrong, late, failed or missing
        answer or a refusal where there should be an answer. ``rtt_ms`` is null for foreign nodes,
        to which no delay is added.
    """
    codes = tables.codes
    latency = tables.latency[tables.latency["kind"] == ALL_KINDS].set_index("node")
    problems = find_problems(tables.answers, codes)
    rtt_ms = tables.distances.set_index("country")["rtt_ms"]
    counts = tables.answers.groupby("node")["state"].value_counts().unstack(fill_value=0)
    states = counts.reindex(columns=ANSWER_STATES, fill_value=0)
    columns = {
        "people": tables.people.groupby("country").size(),
        "answers": states["answered"],
        "refusals": states["refused"],
        "problems": problems.groupby("node")["query"].nunique(),
        "p50_ms": latency["p50_ms"],
        "p95_ms": latency["p95_ms"],
        "p99_ms": latency["p99_ms"],
        "rtt_ms": rtt_ms.drop(tables.foreign, errors="ignore"),
    }
    table = pd.DataFrame({"node": codes, "name": [country.name for country in tables.countries]})
    for name, values in columns.items():
        table[name] = table["node"].map(values)
    whole = ["people", "answers", "refusals", "problems"]
    table[whole] = table[whole].fillna(0).astype(int)
    return table


def kind_table(tables: ReportTables) -> pd.DataFrame:
    """Select the network's rows of latency.parquet, by kind of query.

    Args:
        tables: The tables of the report.

    Returns:
        The columns of latency.parquet and ``queries``, the number of different queries. All kinds
        together come last. The control is left out.
    """
    joined = tables.latency[tables.latency["node"] == NETWORK]
    queries = tables.answers.groupby("kind")["query"].nunique()
    queries[ALL_KINDS] = queries.sum()
    table = joined.assign(queries=joined["kind"].map(queries)).dropna(subset=["queries"])
    last = table["kind"].eq(ALL_KINDS)
    return table.assign(last=last).sort_values(["last", "kind"]).drop(columns="last")
