"""Checks of the assumptions about care against the stories and diseases of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.config.inputs import Inputs
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.assessment import check_care, check_threshold
from rehearsal.policy.care.parameters import read_economics
from rehearsal.stories.expected.score import bin_edges


def check_economics(config: Mapping[str, Any], inputs: Inputs) -> None:
    """Check that the run has the diseases, and that its bins begin at the threshold of care.

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
    for story in inputs.stories:
        for question in story.questions:
            if story.name == economics.prevention.story and question.kind == "score":
                check_threshold(Path(path), economics, bin_edges(question.parameters["bins"]))
