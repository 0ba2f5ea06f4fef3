"""The truth of drug flags: who carries the planted alleles that the operators' table names."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Copies that flag each drug that is asked about, by drug; none for one that is not flagged.

    Raises ValueError for a rule on an allele that was not planted, whose carriers are not known.
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
            raise ValueError(f"no truth for {rule.drug}: {rule.gene} {rule.variant} is not planted")
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
