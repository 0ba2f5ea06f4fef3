"""What a user edits, read and checked before any work starts. Every complaint is one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.config.people_numbers import people_numbers
from rehearsal.config.schema import check_config, source_of
from rehearsal.config.tables import read_countries, read_genes, read_planted
from rehearsal.errors import InputError
from rehearsal.export.settings import Export, read_exports
from rehearsal.genomes.assembly import read_masks
from rehearsal.genomes.blocks import plan_blocks
from rehearsal.model import Block, Country, Gene, Patient, PlantedVariant
from rehearsal.network.registry import NodeEntry, read_foreign_nodes
from rehearsal.node.drug_genes import read_drug_rules
from rehearsal.phenotypes.consent import read_consent
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import read_stories
from rehearsal.stories.story_types import Story


@dataclass(frozen=True, slots=True)
class Inputs:
    """The checked inputs of a run that decide which jobs there are."""

    countries: list[Country]
    numbers: dict[str, int]  # people by country code
    planted: list[PlantedVariant]
    genes: list[Gene]
    blocks: list[Block]
    foreign: list[NodeEntry]  # nodes of others, in the place of ours
    scored: list[str]  # polygenic diseases: each gets a scoring file
    stories: list[Story]
    exports: dict[str, Export]  # by name

    @property
    def patients(self) -> list[Patient]:
        """Those whom stories put into the cohort."""
        return [patient for story in self.stories for patient in story.patients]


def read_inputs(config: Mapping[str, Any], sources: Sequence[Path], schemas: Path) -> Inputs:
    """The checked inputs that a merged configuration names.

    ``sources`` are the configuration files in the order they were merged, used to name the
    one that holds a faulty key; ``schemas`` is the folder with the JSON schemas. Raises
    InputError.
    """
    check_config(config, sources, schemas / "config.schema.yaml")
    countries = read_countries(Path(config["countries"]), schemas / "countries.schema.yaml")
    codes = [country.code for country in countries]
    planted = read_planted(Path(config["variants"]), schemas / "variants.schema.yaml", codes)
    genes = read_genes(Path(config["genes"]), schemas / "genes.schema.yaml")
    genome = config["genome"]
    masks = read_masks(Path(genome["masks"])) if genome["masks"] else []
    blocks = plan_blocks(
        genome["regions"],
        planted,
        genome["planted_window"],
        genome["block_size"],
        masks,
        source=source_of(["genome", "regions"], sources),
    )
    if not blocks:
        raise InputError(source_of(["genome"], sources), "genome.regions", "expected a region")
    nodes = config["network"]["nodes"]
    foreign = read_foreign_nodes(Path(nodes), codes) if nodes else []
    read_consent(Path(config["consent"]))
    read_drug_rules(Path(config["drug_genes"]))
    traits = read_traits(Path(config["traits"]))
    scored = [disease.name for disease in traits.diseases if disease.genetics is not None]
    numbers = people_numbers(config, countries, sources)
    stories = read_stories(stories_folder(config), RunReferences(codes, planted, genes, traits))
    exports = read_exports(
        config["exports"],
        source_of(["exports"], sources),
        codes,
        planted,
        blocks,
        [story.name for story in stories],
    )
    return Inputs(countries, numbers, planted, genes, blocks, foreign, scored, stories, exports)


def stories_folder(config: Mapping[str, Any]) -> Path | None:
    """The folder of stories; None: none are played."""
    return Path(config["stories"]) if config["stories"] else None
