"""The checked inputs of a run, read before any work starts. Every error is one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.config.gene_plan import plan_genes
from rehearsal.config.genome_plan import plan_genome
from rehearsal.config.people_numbers import people_numbers
from rehearsal.config.results_folder import check_results
from rehearsal.config.schema import changed_errors, check_config, name_sources
from rehearsal.config.tables import read_countries, read_genes, read_planted
from rehearsal.errors import Complaints, InputError
from rehearsal.export.settings import Export, read_exports
from rehearsal.genomes.blocks import CONFIG, VARIANTS
from rehearsal.genomes.transcripts import Transcript
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
    transcripts: list[Transcript]  # the gene model within the blocks
    blocks: list[Block]
    foreign: list[NodeEntry]  # nodes run by others, which replace the run's own
    scored: list[str]  # names of polygenic diseases: each gets a scoring file
    stories: list[Story]
    exports: dict[str, Export]  # by name
    unmapped: list[Block]  # left out of the regions, because a recombination map ends

    @property
    def patients(self) -> list[Patient]:
        """The patients that stories add to the cohort."""
        return [patient for story in self.stories for patient in story.patients]


def read_inputs(config: Mapping[str, Any], sources: Sequence[Path], schemas: Path) -> Inputs:
    """Read and check the inputs that a merged configuration names.

    Args:
        config: The merged configuration.
        sources: The configuration files, in the order they were merged. Errors name the one
            that holds the faulty key.
        schemas: The folder of the JSON schemas.

    Returns:
        The inputs that decide which jobs there are.

    Raises:
        InputError: The configuration or a file that it names cannot be used. Faults that do not
            depend on each other are reported together, as InputErrors.
    """
    check_config(config, sources, schemas / "config.schema.yaml")
    with name_sources(sources), name_tables(config):
        check_results(config["results"], schemas.parent.parent)
        return _read(config, schemas)


def _read(config: Mapping[str, Any], schemas: Path) -> Inputs:
    """Read the inputs of a configuration that its schema allows."""
    nodes, complaints = config["network"]["nodes"], Complaints()
    countries = read_countries(Path(config["countries"]), schemas / "countries.schema.yaml")
    codes = [country.code for country in countries]
    with complaints.collected():
        genes = read_genes(Path(config["genes"]), schemas / "genes.schema.yaml")
    with complaints.collected():
        planted = read_planted(Path(config["variants"]), schemas / "variants.schema.yaml", codes)
    with complaints.collected():
        numbers = people_numbers(config, countries)
    with complaints.collected():
        foreign = read_foreign_nodes(Path(nodes), codes) if nodes else []
    with complaints.collected():
        read_consent(Path(config["consent"]))
    with complaints.collected():
        read_drug_rules(Path(config["drug_genes"]))
    with complaints.collected():
        traits = read_traits(Path(config["traits"]))
    complaints.raise_any()
    with complaints.collected():
        stories = read_stories(stories_folder(config), RunReferences(codes, planted, genes, traits))
    with complaints.collected():
        blocks, unmapped = plan_genome(config, planted, sum(numbers.values()))
    complaints.raise_any()
    with complaints.collected():
        transcripts = plan_genes(config, blocks, planted, genes)
    with complaints.collected():
        names = [story.name for story in stories]
        exports = read_exports(config["exports"], CONFIG, codes, planted, blocks, names)
    complaints.raise_any()
    scored = [disease.name for disease in traits.diseases if disease.genetics is not None]
    return Inputs(
        *(countries, numbers, planted, genes, transcripts, blocks, foreign, scored, stories),
        *(exports, unmapped),
    )


@contextmanager
def name_tables(config: Mapping[str, Any]) -> Iterator[None]:
    """Name the file that the user gave, not its default name, in errors about planted variants.

    Args:
        config: The merged configuration.

    Raises:
        InputError: The error of the block.
    """
    with changed_errors(lambda error: _of_table(error, config["variants"])):
        yield


def _of_table(error: InputError, path: str) -> InputError:
    return error.moved(path) if error.source == VARIANTS else error


def stories_folder(config: Mapping[str, Any]) -> Path | None:
    """Return the folder of the stories.

    Args:
        config: The merged configuration.

    Returns:
        The folder, or None when no story is played.
    """
    return Path(config["stories"]) if config["stories"] else None
