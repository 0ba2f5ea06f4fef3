"""The checked inputs of a run as plain data: importing this module loads no heavy library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.evaluation.analyses.plan import PlannedAnalyses
from rehearsal.export.settings import Export
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block, Country, Gene, Patient, PlantedVariant
from rehearsal.network.registry import NodeEntry
from rehearsal.stories.story_types import Story


@dataclass(frozen=True, slots=True)
class Inputs:
    """The checked inputs of a run that decide which jobs there are."""

    countries: list[Country]
    numbers: dict[str, int]  # people by country code
    planted: list[PlantedVariant]
    genes: list[Gene]
    transcripts: list[Transcript]  # the gene model within the blocks
    blocks: list[Block]
    foreign: list[NodeEntry]  # nodes run by others, which replace the run's own
    scored: list[str]  # names of polygenic diseases: each gets a scoring file
    stories: list[Story]
    exports: dict[str, Export]  # by name
    unmapped: list[Block]  # left out of the regions, because a recombination map ends
    config: dict[str, Any]  # the configuration, which names only what the run has
    country_table: Path
    analyses: PlannedAnalyses | None  # federated analyses that the nodes play
    unplanted: list[PlantedVariant]  # left out, because the key `regions` does not hold them

    @property
    def patients(self) -> list[Patient]:
        """The patients that stories add to the cohort."""
        return [patient for story in self.stories for patient in story.patients]
