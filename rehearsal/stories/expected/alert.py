"""The truth of standing queries: which of those who arrive are like the profile."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import tskit

from rehearsal.model import Variant
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question
from rehearsal.truth.hpo import at_or_below
from rehearsal.truth.query_answers import PERMISSION, covering_uses


def expected_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """``alerts``: the handles of the arrivals that the asker must be told of; ``countries``."""
    asked = question.parameters
    return {
        "alerts": sorted(
            one["handle"]
            for one in asked["arrivals"]
            if _is_like(one, asked["profile"], cohort) and permits(one, question.asker.purpose)
        ),
        "countries": list(dict.fromkeys(cohort.people["country"])),
    }


def _is_like(one: dict[str, Any], profile: dict[str, Any], cohort: PooledCohort) -> bool:
    if profile["sex"] not in (None, one["sex"]):
        return False
    low, high = profile["age"] or (0, 1000)
    if not low <= one["age"] <= high:
        return False
    if not all(set(one["terms"]) & set(at_or_below(term)) for term in profile["terms"]):
        return False
    if profile["gene"] is None:
        return True
    gene = next(gene for gene in cohort.genes if gene.name == profile["gene"])
    variants = [Variant(*place) for place in one["variants"]]
    return any(
        variant.contig == gene.contig
        and gene.start <= variant.start < gene.end
        and frequency(variant, one["country"], cohort) <= profile["maximum_frequency"]
        for variant in variants
    )


def permits(one: dict[str, Any], purpose: str | None) -> bool:
    """Whether an arrival's consent, all of it permissions, covers a purpose."""
    uses = one["consent"]
    is_covered = not set(uses).isdisjoint(covering_uses(purpose))
    return is_covered and all(re.match(PERMISSION, use) for use in uses)


def frequency(variant: Variant, country: str, cohort: PooledCohort) -> float:
    """Of an allele among a country's people: copies of it among copies of its place."""
    mine = np.flatnonzero((cohort.people["country"] == country).to_numpy())
    for block, path in cohort.trees.items():
        if not block.holds_variant(variant):
            continue
        trees = tskit.load(path)
        samples = np.concatenate([trees.individual(int(i)).nodes for i in mine])
        for site in trees.sites():
            if site.position == variant.start and site.ancestral_state == variant.ref:
                decoder = tskit.Variant(trees, samples=samples)
                decoder.decode(site.id)
                if variant.alt not in decoder.alleles:
                    return 0.0
                return float(np.mean(decoder.genotypes == decoder.alleles.index(variant.alt)))
    return 0.0
