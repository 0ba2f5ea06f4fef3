"""The checked inputs of a run, read before any work starts. Every error is one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.config.gene_plan import plan_genes
from rehearsal.config.genome_plan import plan_genome
from rehearsal.config.inputs import Inputs
from rehearsal.config.left_out import (
    Selection,
    choose_countries,
    country_table,
    note_left_out,
    note_replaced_regions,
)
from rehearsal.config.people_numbers import people_numbers
from rehearsal.config.results_folder import check_results
from rehearsal.config.schema import changed_errors, check_config, name_sources
from rehearsal.config.tables import read_countries, read_genes, read_planted
from rehearsal.errors import Complaints, InputError
from rehearsal.evaluation.analyses.plan import PlannedAnalyses, read_analyses
from rehearsal.export.settings import read_exports
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.blocks import CONFIG, VARIANTS
from rehearsal.logs import note
from rehearsal.model import Block
from rehearsal.network.registry import NodeEntry, read_foreign_nodes
from rehearsal.node.drug_genes import read_drug_rules
from rehearsal.phenotypes.consent import read_consent
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import can_be_told, read_stories
from rehearsal.stories.story_types import Story

NAMED_ALLELES = 4_000  # per Mb, of 2,800 people; alleles grow as sites do (workflow/needs.py)
MOST_GENOTYPES = 500e6  # bytes that the truth of analyses holds, several times


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
    complaints = Complaints()
    with name_sources(sources), name_tables(config):
        with complaints.collected():
            check_results(config["results"], schemas.parent.parent)
        with complaints.collected():
            inputs = _read(config, sources, schemas)
        complaints.raise_any()
    return inputs


def _read(config: Mapping[str, Any], sources: Sequence[Path], schemas: Path) -> Inputs:
    """Read the inputs of a configuration that its schema allows."""
    table, complaints = country_table(config, sources), Complaints()
    note_replaced_regions(config, sources)
    known = read_countries(table, schemas / "countries.schema.yaml")
    countries = choose_countries(known, config["countries"], table)
    selection = Selection.of(config, known, countries)
    config = selection.config(config)
    codes = [country.code for country in known]
    with complaints.collected():
        genes = read_genes(Path(config["genes"]), schemas / "genes.schema.yaml")
    with complaints.collected():
        described = read_planted(Path(config["variants"]), schemas / "variants.schema.yaml", codes)
        planted = selection.planted(described)
    with complaints.collected():
        numbers = people_numbers(config, countries, table)
    with complaints.collected():
        foreign = _read_foreign(config["network"]["nodes"], codes, selection)
    with complaints.collected():
        read_consent(Path(config["consent"]))
    with complaints.collected():
        read_drug_rules(Path(config["drug_genes"]))
    with complaints.collected():
        traits = read_traits(Path(config["traits"]))
    with complaints.collected():
        analyses = _read_analyses(config["analyses"])
    complaints.raise_any()
    with complaints.collected():
        all_stories = read_stories(
            stories_folder(config), RunReferences(codes, described, genes, traits)
        )
        references = RunReferences(selection.kept, planted, genes, traits)
        stories = _keep_stories(all_stories, references, selection)
    with complaints.collected():
        blocks, unmapped = plan_genome(config, planted, sum(numbers.values()))
    complaints.raise_any()
    analyses = _keep_analyses(analyses, config, blocks, sum(numbers.values()))
    _note_without_autosomes(blocks)
    with complaints.collected():
        transcripts = plan_genes(config, blocks, planted, genes)
    unplanted = [one for one in described if one.variant not in {two.variant for two in planted}]
    with complaints.collected():
        names = [story.name for story in stories]
        gone = {story.name for story in all_stories} - set(names)
        config["exports"] = selection.exports(config["exports"], unplanted, gone)
        exports = read_exports(config["exports"], CONFIG, selection.kept, planted, blocks, names)
    complaints.raise_any()
    scored = [disease.name for disease in traits.diseases if disease.genetics is not None]
    return Inputs(
        *(countries, numbers, planted, genes, transcripts, blocks, foreign, scored, stories),
        *(exports, unmapped, config, table, analyses, unplanted),
    )


def _read_analyses(path: str | None) -> PlannedAnalyses | None:
    return read_analyses(Path(path)) if path else None


def _keep_analyses(
    analyses: PlannedAnalyses | None, config: dict[str, Any], blocks: Iterable[Block], people: int
) -> PlannedAnalyses | None:
    """Leave analyses out whose truth could not be computed, also in the configuration."""
    why = too_large_for_analyses(blocks, people)
    if analyses is None or not why:
        return analyses
    note(f"analyses: left out, because {why}")
    config["analyses"] = None
    return None


def too_large_for_analyses(blocks: Iterable[Block], people: int) -> str:
    """Say why the truth of federated analyses could not be computed.

    Args:
        blocks: What is simulated.
        people: Number of people.

    Returns:
        A clause; empty if it can be.
    """
    alleles = NAMED_ALLELES * sum(block.length for block in blocks) / 1e6
    genotypes = alleles * (people / 2800) ** 0.65 * people
    if genotypes <= MOST_GENOTYPES:
        return ""
    return (
        f"the truth would hold about {genotypes / 1e6:,.0f} million genotypes, and "
        f"{MOST_GENOTYPES / 1e6:,.0f} million are the most"
    )


def _note_without_autosomes(blocks: Iterable[Block]) -> None:
    if not any(block.contig in AUTOSOMES for block in blocks):
        note("traits: causal sites are left out, because no autosome is simulated")


def _read_foreign(path: str | None, codes: Sequence[str], selection: Selection) -> list[NodeEntry]:
    """Read the nodes of others in the countries of the run."""
    nodes = read_foreign_nodes(Path(path), codes) if path else []
    gone = [node.country for node in nodes if node.country not in selection.kept]
    note_left_out("network.nodes", gone, "their countries are left out")
    return [node for node in nodes if node.country in selection.kept]


def _keep_stories(
    stories: Sequence[Story], references: RunReferences, selection: Selection
) -> list[Story]:
    """Keep the stories that the run has all countries and variants for."""
    if selection.is_everything:
        return list(stories)
    kept = [story for story in stories if can_be_told(story, references)]
    gone = [story.name for story in stories if story not in kept]
    note_left_out("stories", gone, "they name countries or variants that are left out")
    return kept


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
