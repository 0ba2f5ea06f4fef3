"""The truth of drug flags: carriers of the planted alleles that the operators' table names."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rehearsal.errors import mismatch
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Compute the copies that flag each drug of the question.

    Args:
        question: The question.
        cohort: The pooled cohort.

    Returns:
        Copies by drug; empty for a drug that is not flagged.

    Raises:
        ValueError: A rule is about an allele that was not planted, so its carriers are unknown.
    """
    patient = cohort.patient(question.story, str(question.about))
    home = cohort.people.set_index("id").loc[patient, "country"]
    rules = pd.read_csv(cohort.results / "nodes" / home / "drug_genes.tsv", sep="\t")
    carriers = cohort.table("truth/planted_carriers.parquet")
    carriers = carriers[carriers["individual"] == patient]
    planted = {(v.contig, v.start, v.ref, v.alt) for v in (one.variant for one in cohort.planted)}
    flags: dict[str, list[int]] = {drug: [] for drug in question.parameters["drugs"]}
    for rule in rules[rules["drug"].isin(flags)].itertuples():
        place = (rule.contig, rule.position - 1, rule.ref, rule.alt)
        if place not in planted:
            where = f"drug_genes.tsv: {rule.drug}: {rule.gene} {rule.variant}"
            raise ValueError(mismatch(where, "a planted allele", "one that is not planted"))
        mine = carriers[
            (carriers["contig"] == place[0])
            & (carriers["start"] == place[1])
            & (carriers["ref"] == place[2])
            & (carriers["alt"] == place[3])
        ]
        copies = int(mine["copies"].sum())
        if copies >= rule.copies:
            flags[rule.drug].append(copies)
    return flags
