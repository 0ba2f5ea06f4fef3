"""Checks of the assumptions about care against the stories and diseases of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.config.inputs import Inputs
from rehearsal.config.loader import stories_folder
from rehearsal.errors import InputError
from rehearsal.genomes.contig_names import find_contig
from rehearsal.logs import note
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.assessment import check_care, check_threshold
from rehearsal.policy.care.parameters import Cascade, Prevention, read_economics
from rehearsal.policy.prices import read_gdp
from rehearsal.stories.expected.score import bin_edges
from rehearsal.stories.story_types import Question, Story


def check_economics(config: Mapping[str, Any], inputs: Inputs) -> None:
    """Check that the run has the diseases and questions, and bins that begin at the threshold.

    Args:
        config: The merged configuration.
        inputs: The checked inputs.

    Raises:
        InputError: An assumption is wrong, or the run has not what it names.
    """
    if (path := config["policy"]["economics"]) is None:
        return
    played = [story.name for story in inputs.stories]
    economics = read_economics(Path(path))
    check_care(Path(path), economics, read_traits(Path(config["traits"])), played)
    _note_unknown_stories(config, path, economics.prevention, economics.cascade)
    for story in inputs.stories:
        if story.name == economics.prevention.story:
            _check_kinds(path, story)
        if story.name == economics.cascade.story:
            _check_carriers(path, economics.cascade, story, inputs)
        for question in story.questions:
            if story.name == economics.prevention.story and question.kind == "score":
                check_threshold(Path(path), economics, bin_edges(question.parameters["bins"]))


def check_products(config: Mapping[str, Any], inputs: Inputs) -> None:
    """Note countries of the run without a gross domestic product: nobody gets a share by it.

    Args:
        config: The merged configuration.
        inputs: The checked inputs.

    Raises:
        InputError: The table of products cannot be used.
    """
    path = Path(config["policy"]["gdp"])
    known, codes = read_gdp(path), [country.code for country in inputs.countries]
    if missing := [code for code in codes if code not in known]:
        note(
            f"{path} has no row for {', '.join(missing)}: shares of the costs by gross domestic "
            "product are left out for all countries"
        )


def _note_unknown_stories(
    config: Mapping[str, Any], path: str, *ways: Prevention | Cascade
) -> None:
    """Note stories that the folder of stories does not have; what they tell is not assessed."""
    if (folder := stories_folder(config)) is None:
        return
    unknown = [one.story for one in ways if not (folder / f"{one.story}.yaml").is_file()]
    if unknown:
        note(f"{path} names {', '.join(unknown)}, no story of {folder}: its care is not assessed")


def _check_kinds(path: str, story: Story) -> None:
    """Check that a story asks for the sums of prevention."""
    kinds = {question.kind for question in story.questions}
    if missing := [kind for kind in ("score", "hazard_ratio") if kind not in kinds]:
        expected = f"a story with a question of kind {' and one of kind '.join(missing)}"
        raise InputError(path, "score_based_prevention.story", expected, story.name)


def _check_carriers(path: str, cascade: Cascade, story: Story, inputs: Inputs) -> None:
    """Check that the story counts people with variants of each gene."""
    questions = {question.id: question for question in story.questions}
    for gene, ids in cascade.carriers.items():
        for one in ids:
            key = f"cascade_testing.carriers.{gene}"
            if one not in questions:
                expected = f"a question of the story {story.name}"
                raise InputError(path, key, expected, f"the unknown question {one}")
            found = _gene_of(questions[one], inputs)
            if found != gene:
                expected = f"a question that counts people with a planted variant of {gene}"
                what = f"a variant of {found}" if found else "something else"
                raise InputError(path, key, expected, f"{one}, which asks for {what}")


def _gene_of(question: Question, inputs: Inputs) -> str | None:
    """Return the gene of the planted variant whose carriers a question counts."""
    asked = question.parameters.get("parameters", {})
    is_of_people = question.kind == "beacon" and question.parameters["find"] == "people"
    if not is_of_people or question.parameters["granularity"] == "boolean":
        return None
    place = [find_contig(str(asked.get("referenceName"))), *asked.get("start", [])]
    alleles = [asked.get("referenceBases"), asked.get("alternateBases")]
    for planted in (*inputs.planted, *inputs.unplanted):
        one = planted.variant
        if [one.contig, one.start, one.ref, one.alt] == [*place, *alleles]:
            return planted.gene
    return None
