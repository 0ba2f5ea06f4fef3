"""Draws the query suite from a run's cohort, reproducibly."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from rehearsal.errors import InputError, cause, mismatch, unreadable_file
from rehearsal.evaluation.allele_choice import conditions_met, sized_alleles, type_of
from rehearsal.evaluation.site_sample import NEARBY
from rehearsal.evaluation.templates import QueryTemplate
from rehearsal.files import write_json
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Gene, PlantedVariant, Query, Variant
from rehearsal.seeds import derive_seed
from rehearsal.truth.hpo import grandparents

PAGE = 1000  # records per page
BASES = "ACGT"

log = logging.getLogger(__name__)

DrawnRequest = tuple[dict[str, Any], list[str]]  # request parameters, filters


@dataclass(frozen=True)
class QuerySources:
    """What queries are drawn from.

    Args:
        sites: One row per allele of the pooled cohort: contig, start (0-based), ref, alt, end,
            svlen, ac, an, in the form of ``truth.pooled_sites``, or a sample of them by
            ``sample_sites``.
        planted: The planted variants.
        genes: The genes.
        people: ``people.parquet``.
        diseases: ``diseases.parquet``.
        features: ``features.parquet``.
    """

    sites: pd.DataFrame
    planted: Sequence[PlantedVariant]
    genes: Sequence[Gene]
    people: pd.DataFrame
    diseases: pd.DataFrame
    features: pd.DataFrame


def draw_suite(
    templates: Sequence[QueryTemplate],
    sources: QuerySources,
    seed: int,
) -> list[Query]:
    """Draw the queries of all templates, in their order.

    Every template has its own random stream: adding or removing a template leaves the queries of
    the others unchanged. A template that finds nothing in the cohort is logged.

    Args:
        templates: The templates.
        sources: What queries are drawn from.
        seed: Seed of the suite.
    """
    suite = []
    for template in templates:
        random = np.random.default_rng(derive_seed(seed, "query suite", template.name))
        drawn = (
            list(_as_they_stand(template))
            if template.draw == "requests"
            else list(_drawn(template, sources, random))
        )
        if not drawn:
            message = "template %s draws no query: the cohort has nothing for draw: %s"
            log.warning(message, template.name, template.draw)
        suite += drawn
    return suite


def _drawn(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[Query]:
    asked = islice(RULES[template.draw](template, sources, random), template.number)
    for number, (parameters, filters) in enumerate(asked, start=1):
        yield Query(
            id=f"{template.name}-{number:02}",
            kind=template.kind,
            entry_type=template.entry_type,
            request=beacon_request(
                parameters,
                [{"id": term} for term in filters],
                template.granularity,
                {"skip": 0, "limit": PAGE if template.granularity == "record" else 1},
            ),
            tier=template.tier,
            method=template.method,
            purpose=template.purpose,
        )


def _as_they_stand(template: QueryTemplate) -> Iterator[Query]:
    for given in template.requests:
        yield Query(
            id=f"{template.name}-{given['name']}",
            kind=template.kind,
            entry_type=given.get("entry_type", "g_variants"),
            request=beacon_request(
                {"assemblyId": "GRCh38", **given["parameters"]} if "parameters" in given else {},
                given.get("filters", []),
                given.get("granularity", "count"),
                given.get("pagination", {"skip": 0, "limit": 10}),
            ),
            tier=template.tier,
            method=given.get("method", "POST"),
            purpose=template.purpose,
        )


def beacon_request(
    parameters: dict[str, Any], filters: Any, granularity: str, pagination: dict[str, Any]
) -> dict[str, Any]:
    """Build a Beacon v2 request body.

    Args:
        parameters: Request parameters; positions are 0-based.
        filters: The filters.
        granularity: The requested granularity.
        pagination: ``skip`` and ``limit``.
    """
    return {
        "meta": {"apiVersion": "2.0"},
        "query": {
            "requestParameters": parameters,
            "filters": filters,
            "requestedGranularity": granularity,
            "includeResultsetResponses": "HIT",
            "pagination": pagination,
            "testMode": False,
        },
    }


# --- draw rules: each yields (request parameters, filters) until nothing is left, or endlessly ---


def _place(contig: str) -> dict[str, Any]:
    return {"assemblyId": "GRCh38", "referenceName": contig.removeprefix("chr")}


def _allele(variant: Variant) -> dict[str, Any]:
    return _place(variant.contig) | {
        "start": [variant.start],
        "referenceBases": variant.ref,
        "alternateBases": variant.alt,
    }


def _alleles(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[Variant]:
    for variant, _ in sized_alleles(template, sources.sites, random):
        yield variant


def _surrounded_alleles(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[Variant]:
    """Yield alleles that are in the table together with all that is near them."""
    sites = sources.sites
    if "surrounded" in sites:
        sites = sites[sites["surrounded"]]
    for variant, _ in sized_alleles(template, sites, random):
        yield variant


def _sites(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    for variant in _alleles(template, sources, random):
        yield _allele(variant), []


def _planted(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    germline = [planted for planted in sources.planted if not planted.is_somatic]
    for index in random.permutation(len(germline)):
        yield _allele(germline[index].variant), []


def _somatic(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    for planted in sources.planted:
        if planted.is_somatic:
            yield _allele(planted.variant), []


def _intervals(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    for variant, extent in sized_alleles(template, sources.sites, random):
        if template.inside:
            start = int(random.integers(variant.start + 1, max(extent.end, variant.start + 2)))
        else:
            start = max(0, variant.start - int(random.integers(template.length)))
        # up to the end of the contig, beyond which nodes refuse positions
        start = min(start, CONTIG_LENGTHS[variant.contig] - 1)
        end = min(start + template.length, CONTIG_LENGTHS[variant.contig])
        place = _place(variant.contig) | {"start": [start], "end": [end]}
        yield place | conditions_met(template, variant, extent), []


def _brackets(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    """Yield brackets of ``length`` bases around the start and the end of an allele."""
    for variant, extent in sized_alleles(template, sources.sites, random):
        before, behind = random.integers(template.length, size=2).tolist()
        first, low = max(0, variant.start - before), max(1, extent.end - behind)
        last = CONTIG_LENGTHS[variant.contig]
        parts = {
            "start": [first, min(first + template.length - 1, last)],
            "end": [low, min(low + template.length - 1, last)],
        }
        yield _place(variant.contig) | parts | {"variantType": type_of(variant)}, []


def _genes(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    for index in random.permutation(len(sources.genes)):
        kind = {} if template.type is None else {"variantType": template.type}
        effects = [] if template.effect is None else [template.effect]
        yield {"assemblyId": "GRCh38", "geneId": sources.genes[index].name} | kind, effects


def _people(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    for filters in _filters(template.filters, sources, random):
        yield {}, filters


def _carriers(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    alleles = _alleles(template, sources, random)
    if not template.filters:
        for variant in alleles:
            yield _allele(variant), []
        return
    # zip stops with the alleles, because they come first
    for variant, filters in zip(
        alleles,
        cycle(islice(_filters(template.filters, sources, random), template.number)),
        strict=False,
    ):
        yield _allele(variant), filters


def _filters(
    wanted: Sequence[str], sources: QuerySources, random: np.random.Generator
) -> Iterator[list[str]]:
    """Yield filter terms that at least one person has together, without repetition."""
    terms = {
        "sex": sources.people.set_index("id")["sex"].map(SEX_TERMS),
        "disease": sources.diseases.set_index("individual")["code"],
        "phenotype": sources.features.set_index("individual")["code"],
    }
    if "phenotype_parent" in wanted:
        terms["phenotype_parent"] = _parents(terms["phenotype"])
    joined = pd.DataFrame(index=pd.Index(sources.people["id"], name="individual"))
    for name in wanted:
        joined = joined.join(terms[name].rename(name), how="inner")
    # combinations of terms, not people: otherwise the most common would be drawn repeatedly
    combinations = sorted(set(joined[list(wanted)].itertuples(index=False, name=None)))
    for index in random.permutation(len(combinations)):
        yield list(combinations[index])


def _parents(terms: pd.Series) -> pd.Series:
    """Return the more general terms of each person's terms, one per row."""
    above = {term: grandparents(term) for term in terms.unique()}
    return terms.map(above).explode().dropna()


def _empty_positions(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    """Yield positions near an allele that none covers, so that they lie in simulated blocks."""
    for variant in _surrounded_alleles(template, sources, random):
        sites = sources.sites[sources.sites["contig"] == variant.contig]
        starts = sites["start"].to_numpy()
        ends = starts + sites["ref"].str.len().to_numpy()
        near = np.arange(variant.start + 1, variant.start + NEARBY)
        near = near[near < starts.max()]
        window = (starts < variant.start + NEARBY) & (ends > variant.start)
        covered = ((near[:, None] >= starts[window]) & (near[:, None] < ends[window])).any(axis=1)
        if covered.all():
            continue
        position = int(random.choice(near[~covered]))
        ref, alt = random.choice(list(BASES), 2, replace=False).tolist()
        yield _allele(Variant(variant.contig, position, ref, alt)), []


def _wrong_alleles(
    template: QueryTemplate, sources: QuerySources, random: np.random.Generator
) -> Iterator[DrawnRequest]:
    for variant in _surrounded_alleles(template, sources, random):
        here = sources.sites[
            (sources.sites["contig"] == variant.contig) & (sources.sites["start"] == variant.start)
        ]
        known = {*here["alt"], *here["ref"].str[:1]}
        others = [base for base in BASES if base not in known]
        if others:
            alt = str(random.choice(others))
            yield _allele(Variant(variant.contig, variant.start, variant.ref, alt)), []


RULES: dict[
    str, Callable[[QueryTemplate, QuerySources, np.random.Generator], Iterator[DrawnRequest]]
] = {
    "site": _sites,
    "planted": _planted,
    "somatic": _somatic,
    "interval": _intervals,
    "bracket": _brackets,
    "gene": _genes,
    "people": _people,
    "carriers": _carriers,
    "empty_position": _empty_positions,
    "wrong_allele": _wrong_alleles,
}


def write_suite(suite: Sequence[Query], path: Path) -> None:
    """Write the queries as JSON, one object per query, in their order.

    Args:
        suite: The queries.
        path: The file.
    """
    write_json(path, [asdict(query) for query in suite], newline=False)


def read_suite(path: Path) -> list[Query]:
    """Read the queries of a file that ``write_suite`` wrote.

    Args:
        path: The file.

    Raises:
        InputError: The file cannot be read or has other content.
    """
    try:
        return [_query(item) for item in orjson.loads(path.read_bytes())]
    except OSError as error:
        found = unreadable_file(error)
        raise InputError(path, "file", "a query suite in JSON", found) from error
    except (orjson.JSONDecodeError, TypeError) as error:
        is_json = not isinstance(error, orjson.JSONDecodeError)
        found = f"other content ({'an entry that is not a query' if is_json else cause(error)})"
        raise InputError(path, "file", "a query suite in JSON", found) from error


def _query(item: dict[str, Any]) -> Query:
    """Build a query from JSON. Raise TypeError for other keys or types."""
    query = Query(**item)
    texts = (query.id, query.kind, query.entry_type, query.tier, query.method)
    if not all(isinstance(text, str) for text in texts) or not isinstance(query.request, dict):
        raise TypeError(mismatch("query", "text and a request", "other types"))
    return query
