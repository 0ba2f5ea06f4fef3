"""The truth of subscriptions: which arrivals match the profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tskit

from rehearsal.model import Variant
from rehearsal.stories.expected.consent import covers_purpose, people_permitting
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question
from rehearsal.truth.hpo import at_or_below


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Compute the arrivals about which the asker must be alerted.

    Args:
        question: The question.
        cohort: The pooled cohort.

    Returns:
        ``alerts``: handles of the arrivals. ``countries``: codes of the countries.
    """
    asked = question.parameters
    return {
        "alerts": sorted(
            one["handle"]
            for one in asked["arrivals"]
            if _fits_profile(one, question, cohort)
            and covers_purpose(one["consent"], question.asker.purpose)
        ),
        "countries": list(dict.fromkeys(cohort.people["country"])),
    }


def _fits_profile(arrival: Mapping[str, Any], question: Question, cohort: PooledCohort) -> bool:
    profile = question.parameters["profile"]
    youngest, oldest = profile["age"] or (0, 1000)
    return (
        profile["sex"] in (None, arrival["sex"])
        and youngest <= arrival["age"] <= oldest
        and all(set(arrival["terms"]) & set(at_or_below(term)) for term in profile["terms"])
        and (profile["gene"] is None or _carries_rare_variant(arrival, question, cohort))
    )


def _carries_rare_variant(
    arrival: Mapping[str, Any], question: Question, cohort: PooledCohort
) -> bool:
    """Say whether a variant starts in the profile's gene and is rare enough in the country."""
    profile, purpose = question.parameters["profile"], question.asker.purpose
    gene = next(gene for gene in cohort.genes if gene.name == profile["gene"])
    variants = [Variant(*place) for place in arrival["variants"]]
    return any(
        variant.contig == gene.contig
        and gene.start <= variant.start < gene.end
        and _frequency(variant, arrival["country"], purpose, cohort) <= profile["maximum_frequency"]
        for variant in variants
    )


def _frequency(variant: Variant, country: str, purpose: str | None, cohort: PooledCohort) -> float:
    """Return the frequency of an allele among a country's people who permit the purpose."""
    for block, path in cohort.trees.items():
        if not block.holds_variant(variant):
            continue
        trees = tskit.load(path)
        permitting = people_permitting(cohort.table("phenotypes/consent.parquet"), purpose)
        people = cohort.people
        is_mine = (people["country"] == country) & people["id"].isin(permitting)
        mine = np.flatnonzero(is_mine.to_numpy())
        if not mine.size:
            return 0.0
        samples = np.concatenate([trees.individual(int(i)).nodes for i in mine])
        for site in trees.sites():
            if site.position == variant.start and site.ancestral_state == variant.ref:
                decoder = tskit.Variant(trees, samples=samples)
                decoder.decode(site.id)
                if variant.alt not in decoder.alleles:
                    return 0.0
                return float(np.mean(decoder.genotypes == decoder.alleles.index(variant.alt)))
    return 0.0
