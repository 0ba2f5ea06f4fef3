"""The truth of match questions: the people in each country who match a patient, and shared facts.

The rule is that of docs/how-to/match-a-patient.md, computed patient by patient. HPO is walked level
by level, information content is counted from its annotations, and carriers are decoded by tskit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import Variant
from rehearsal.stories.expected.consent import people_permitting
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question
from rehearsal.truth.hpo import PHENOTYPES, TOP, at_or_above, information_content

CLINICAL_CARE = "DUO:0000043"
LEAST_SCORE = 0.1
# rare: at most 5 people of a country, or one in 100, among those who permit the use
FAMILY, SHARE = 5, 100
LONGEST_REF = 1000  # bases before a gene from which a variant may reach into it

Found = dict[str, Any]


@dataclass(slots=True)
class _Case:
    """One patient's facts.

    ``observed`` has all more general terms too. ``genes`` and ``variants`` (copies by name) are
    those that the asking patient also has.
    """

    observed: frozenset[str]
    absent: frozenset[str]
    genes: set[str]
    variants: dict[str, int]


def compute_answer(question: Question, cohort: PooledCohort) -> Found:
    """Compute the matches of each country.

    Args:
        question: The question.
        cohort: The pooled cohort.

    Returns:
        ``refused``: whether the patient's own consent forbids the question. ``countries``: matches
        by country. ``withheld``: matches among the question's ``withheld`` that only consent
        removes.
    """
    individual = cohort.patient(question.story, str(question.about))
    permitting = people_permitting(cohort.table("phenotypes/consent.parquet"), CLINICAL_CARE)
    people = cohort.people
    countries: dict[str, list[Found]] = {code: [] for code in people["country"].unique()}
    mine, theirs = _cases(question, cohort, individual, permitting)
    alike = {name: _compare(mine, case) for name, case in theirs.items()}
    country = dict(zip(people["id"], people["country"], strict=True))
    for name, match in alike.items():
        if match is not None and name in permitting:
            countries[country[name]].append(match)
    withheld = {}
    for handle in question.parameters["expected"].get("withheld", ()):
        name = cohort.patient(question.story, handle)
        match = alike.get(name)
        if match is not None and name not in permitting:
            withheld[handle] = {**match, "country": country[name]}
    return {
        "refused": individual not in permitting,
        "countries": countries,
        "withheld": withheld,
    }


def _cases(
    question: Question, cohort: PooledCohort, individual: str, permitting: Container[str]
) -> tuple[_Case, dict[str, _Case]]:
    """The patient, and everybody else who shares a gene or variant."""
    terms, absent = (
        cohort.table(f"phenotypes/{name}.parquet").groupby("individual")["code"].agg(set).to_dict()
        for name in ("features", "excluded_features")
    )

    def case(name: str, genes: set[str], variants: dict[str, int]) -> _Case:
        having = frozenset[str]().union(*map(at_or_above, terms.get(name, ())))
        return _Case(having, frozenset(absent.get(name, ())), genes, variants)

    genes, variants = _shared_facts(question, cohort, individual, permitting)
    others = (genes.keys() | variants.keys()) - {individual}
    cases = {
        name: case(name, genes.get(name, set()), variants.get(name, {})) for name in sorted(others)
    }
    return case(individual, set(), {}), cases


def _shared_facts(
    question: Question, cohort: PooledCohort, individual: str, permitting: Container[str]
) -> tuple[dict[str, set[str]], dict[str, dict[str, int]]]:
    """Return the patient's candidate genes, and copies of variants, that each person shares."""
    candidates = cohort.table("phenotypes/candidate_genes.parquet")
    variants = question.parameters["variants"]
    asked = {one["gene"] for one in variants}
    asked |= set(candidates.loc[candidates["individual"] == individual, "gene"])
    genes: dict[str, set[str]] = defaultdict(set)
    copies: dict[str, dict[str, int]] = defaultdict(dict)
    shared = candidates[candidates["gene"].isin(asked)]
    for person, gene in zip(shared["individual"], shared["gene"], strict=True):
        genes[person].add(gene)
    for person, gene in _rare_variant_genes(cohort, asked, permitting):
        genes[person].add(gene)
    for one in variants:
        label = _named(one)
        for person, number in _rare_carriers(cohort, one, permitting).items():
            copies[person][label] = number
            genes[person].add(one["gene"])
    return genes, copies


def _rare_variant_genes(
    cohort: PooledCohort, names: Container[str], permitting: Container[str]
) -> Iterator[tuple[str, str]]:
    """Yield people who carry a rare variant in one of these genes, with the gene."""
    for gene in cohort.genes:
        if gene.name in names:
            found = _rare_variants(cohort, gene.contig, gene.start, gene.end, permitting)
            for _, carriers in found:
                for person in carriers:
                    yield person, gene.name


def _rare_carriers(
    cohort: PooledCohort, one: Mapping[str, Any], permitting: Container[str]
) -> dict[str, int]:
    """Return the copies of one variant by person, in countries where it is rare."""
    place = one["contig"], one["start"], one["start"] + 1
    rare = dict(_rare_variants(cohort, *place, permitting))
    return rare.get(_named(one), {})


def _named(one: Mapping[str, Any]) -> str:
    return str(Variant(one["contig"], one["start"], one["ref"], one["alt"]))


def _rare_variants(
    cohort: PooledCohort, contig: str, start: int, end: int, permitting: Container[str]
) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield variants that overlap ``[start, end)``, 0-based, with copies by carrier.

    Only carriers in countries where the variant is rare are listed. Those who do not permit the use
    are listed too, but do not count in the decision what is rare.
    """
    country, names = pd.factorize(cohort.people["country"])[0], cohort.people["id"].to_numpy()
    counting = np.array([name in permitting for name in names], bool)
    numbers = np.bincount(country, weights=counting).astype(int)
    most = np.maximum(FAMILY, numbers // SHARE)
    for variant, carriers, copies in _variants_touching(cohort, contig, start, end):
        counted = np.bincount(country[carriers[counting[carriers]]], minlength=len(most))
        rare = (counted <= most)[country[carriers]]
        yield variant, dict(zip(names[carriers[rare]], copies[rare].tolist(), strict=True))


def _variants_touching(
    cohort: PooledCohort, contig: str, start: int, end: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield variants whose reference allele overlaps ``[start, end)``, with carriers and copies."""
    for block, path in cohort.trees.items():
        if block.contig != contig or block.start >= end or block.end <= start - LONGEST_REF:
            continue
        trees = tskit.load(path)
        owner = trees.nodes_individual[trees.samples()]
        left = max(start - LONGEST_REF, block.start)
        for site in trees.variants(left=left, right=min(end, block.end)):
            place, ref = int(site.site.position), site.alleles[0]
            if place + len(ref) <= start:
                continue
            for allele, alt in enumerate(site.alleles[1:], start=1):
                if alt is not None:
                    carriers = np.unique(owner[site.genotypes == allele], return_counts=True)
                    yield str(Variant(contig, place, ref, alt)), *carriers


def _compare(mine: _Case, theirs: _Case) -> Found | None:
    """Return what the two share, or None if they do not match."""
    both, either = mine.observed & theirs.observed, mine.observed | theirs.observed
    against = _contradicted_terms(mine, theirs) | _contradicted_terms(theirs, mine)
    total = _information_content(either)
    shared = max(0.0, _information_content(both) - _information_content(against))
    score = shared / total if total else 0.0
    if score < LEAST_SCORE:
        return None
    general = {above for term in both for above in at_or_above(term) - {term}}
    return {
        "score": score,
        "features": sorted(both - general - {TOP, PHENOTYPES}),
        "genes": sorted(theirs.genes),
        "variants": sorted([name, copies] for name, copies in theirs.variants.items()),
    }


def _contradicted_terms(one: _Case, other: _Case) -> set[str]:
    """Return terms that one has and that, or a more general one, the other is known to lack."""
    return {term for term in one.observed if at_or_above(term) & other.absent}


def _information_content(terms: Iterable[str]) -> float:
    """Sum exactly, so that the order of a set does not matter."""
    return math.fsum(information_content(term) for term in terms)
