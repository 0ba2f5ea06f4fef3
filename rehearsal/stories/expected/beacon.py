"""The truth of Beacon questions, by country."""

from __future__ import annotations

from typing import Any

from rehearsal.stories.beacon_queries import question_query
from rehearsal.stories.pooled_cohort import PooledCohort
from rehearsal.stories.story_types import Question
from rehearsal.truth.expected_answers import ExpectedAnswer, expected_to_json


def compute_answer(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Compute what each country must answer, in the form of ``truth.expected_answers``.

    Args:
        question: The question.
        cohort: The pooled cohort.
    """
    if question.parameters["tumours"]:
        return _of_tumours(question, cohort)
    expected = cohort.beacon.compute_answer(question_query(question))
    return {country: expected_to_json(one) for country, one in expected.items()}


def _of_tumours(question: Question, cohort: PooledCohort) -> dict[str, Any]:
    """Answer about somatic variants, among people who permit it and match the filters."""
    asked, people = question.parameters, cohort.people
    among = cohort.beacon.select_people(asked["filters"]) & cohort.beacon.people_permitting(
        question.asker.purpose
    )
    table = cohort.table("phenotypes/tumour_variants.parquet")
    table = table[table["individual"].isin(people["id"][among])]
    place = asked["parameters"]
    if "geneId" in place:
        gene = next(one for one in cohort.genes if one.name == place["geneId"])
        inside = table["start"].between(gene.start, gene.end - 1) & (table["contig"] == gene.contig)
    else:
        inside = (table["contig"] == f"chr{place['referenceName']}") & (
            table["start"] == place["start"][0]
        )
        inside &= (table["ref"] == place["referenceBases"]) & (
            table["alt"] == place["alternateBases"]
        )
    table = table[inside].merge(people[["id", "country"]], left_on="individual", right_on="id")
    keys = ["individual"] if asked["find"] == "people" else ["contig", "start", "ref", "alt"]
    is_protected = question.asker.tier != "controlled"
    found = {}
    for country in dict.fromkeys(people["country"]):
        mine = table[table["country"] == country].drop_duplicates(keys)
        names = tuple(sorted(mine["individual"])) if asked["find"] == "people" else ()
        records = names if asked["granularity"] == "record" else ()
        found[str(country)] = expected_to_json(
            ExpectedAnswer(
                len(mine) > 0,
                len(mine),
                individuals=records,
                people=int((people["country"] == country).sum()) if is_protected else 0,
            )
        )
    return found
