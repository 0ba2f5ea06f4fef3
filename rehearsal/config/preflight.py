"""Checks of the files that single jobs read, before the first job starts.

``loader`` reads the inputs that decide which jobs there are. This module reads everything else that
a run is given, with the functions that the jobs use. A user sees an error in the first second, not
in the third hour. The results of reading are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal.config.loader import Inputs, stories_folder
from rehearsal.config.schema import source_of
from rehearsal.demography.model import build_model, read_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.errors import InputError, shown
from rehearsal.evaluation.templates import read_templates
from rehearsal.export.settings import check_disk_space
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.drawn_reference import FastaReference, planned_reference
from rehearsal.genomes.people import check_numbers
from rehearsal.genomes.planting import check_places
from rehearsal.genomes.reading_frames import check_reading_frames
from rehearsal.genomes.recombination import NO_RECOMBINATION, read_hapmap
from rehearsal.genomes.reference import check_fasta, read_reference
from rehearsal.model import Block, Country, PlantedVariant
from rehearsal.network.distance import read_bandwidths, read_distances
from rehearsal.network.emulation.topology import check_possible, uses_namespaces
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import read_stories


def check_job_inputs(
    config: Mapping[str, Any], inputs: Inputs, sources: Sequence[Path] = ()
) -> None:
    """Read everything that a run's jobs will read, to find errors early.

    Takes tenths of a second; a few seconds with recombination maps of a whole genome.

    Args:
        config: The merged configuration, accepted by ``read_inputs``.
        inputs: What ``read_inputs`` returned for it.
        sources: The configuration files, in the order they were merged.

    Raises:
        InputError: A job could not use one of its inputs.
    """
    with _real_names({VARIANTS: config["variants"]}):
        share = config["cohort"]["family_share"]
        check_numbers(inputs.countries, inputs.numbers, share, inputs.planted, inputs.patients)
        check_minimum_carriers(inputs.planted, inputs.numbers)
        check_places(inputs.planted)
        reference = planned_reference(
            config["genome"], inputs.planted, inputs.transcripts, config["seed"]
        )
        if isinstance(reference, FastaReference):
            check_fasta(reference.path, inputs.blocks, inputs.planted)
            model = config["genome"]["gene_model"] or config["transcripts"]
            read = partial(read_reference, reference.path)
            check_reading_frames(inputs.transcripts, read, model)
    mix = CohortMix.of_cohort(config["cohort"])
    mix.check(inputs.countries, source_of(["cohort", "ancestries"], sources))
    check_demography(config["demography"], inputs.countries, mix.populations)
    if config["genome"]["recombination_map"]:
        check_maps(config["genome"]["recombination_map"], inputs.blocks)
    check_traits_file(Path(config["traits"]), inputs.planted)
    check_terms(config, inputs)
    read_templates(Path(config["queries"]))
    read_distances(Path(config["network"]["distances"]))
    read_bandwidths(Path(config["network"]["distances"]))
    check_disk_space(
        inputs.exports.values(), inputs.numbers, inputs.blocks, Path(config["results"])
    )
    check_emulation(config["network"], source_of(["network", "emulation"], sources))


def check_emulation(network: Mapping[str, Any], source: str) -> None:
    """Check that the configured distance can be emulated here, between these nodes.

    Network namespaces are closed: a node inside one cannot reach a node outside.

    Args:
        network: The ``network`` section of the configuration.
        source: The configuration file to name in an error.

    Raises:
        InputError: This machine cannot emulate it, or some nodes run elsewhere.
    """
    way = network["emulation"]
    check_possible(way, source)
    for key in ("nodes", "launch"):
        if uses_namespaces(way) and network[key]:
            expected = f"delay or none, because network.{key} is set"
            raise InputError(source, "network.emulation", expected, shown(way))


def check_demography(
    demography: Mapping[str, Any], countries: Sequence[Country], populations: Sequence[str] = ()
) -> None:
    """Check that the demographic model can be built and simulated.

    Args:
        demography: The ``demography`` section of the configuration.
        countries: The countries of the run.
        populations: Further populations that people come from.

    Raises:
        InputError: The parameters or the demes file give no usable model, or it lacks a population.
    """
    if demography["model"] is None:
        graph = build_model(countries, read_parameters(demography["parameters"]))
    else:
        graph = read_model(demography["model"], countries)
    file = demography["model"] or demography["parameters"]
    try:
        to_msprime(graph)
    except ValueError as error:
        expected, found = "a model that msprime can simulate", f"one that it rejects ({error})"
        raise InputError(file, "file", expected, found) from None
    for name in populations:
        if name not in graph or graph[name].end_time > 0:
            expected = "a deme of this name that lives at time 0, or cohort.ancestries without it"
            raise InputError(file, name, expected, "none")


def check_minimum_carriers(planted: Iterable[PlantedVariant], numbers: Mapping[str, int]) -> None:
    """Check that every country has enough people for the minimum number of carriers.

    Args:
        planted: The planted variants.
        numbers: People by country code.

    Raises:
        InputError: A variant's minimum exceeds the number of people in a country.
    """
    for variant in planted:
        for code, number in numbers.items():
            if number < variant.minimum_per_country:
                key = f"minimum_per_country of {variant_label(variant)}"
                expected = f"at most {number}, the number of people in {code}"
                raise InputError(VARIANTS, key, expected, shown(variant.minimum_per_country))


def check_traits_file(path: Path, planted: Iterable[PlantedVariant]) -> None:
    """Check the traits, and that each risk gene of a disease has planted germline variants.

    Carriers of a risk gene are known only through planted variants.

    Args:
        path: The file of traits, YAML.
        planted: The planted variants.

    Raises:
        InputError: The file is malformed, or a risk gene has no planted germline variant.
    """
    germline = {v.gene for v in planted if not v.is_somatic}
    for disease in read_traits(path).diseases:
        for risk in disease.genes:
            if risk.gene not in germline:
                key = f"diseases.{disease.name}.genes.{risk.gene}"
                genes = ", ".join(sorted(germline))
                expected = f"a gene with planted germline variants ({genes})"
                raise InputError(path, key, expected, shown(risk.gene))


def check_terms(config: Mapping[str, Any], inputs: Inputs) -> None:
    """Check that HPO has every term that a story names.

    Args:
        config: The merged configuration.
        inputs: What ``read_inputs`` returned for it.

    Raises:
        InputError: A story names an unknown term.
    """
    codes = [country.code for country in inputs.countries]
    traits = read_traits(Path(config["traits"]))
    references = RunReferences(codes, inputs.planted, inputs.genes, traits, has_ontology=True)
    read_stories(stories_folder(config), references)


def check_maps(template: str, blocks: Sequence[Block]) -> None:
    """Check that a recombination map covers every block whose contig recombines.

    Args:
        template: Path of a HapMap-format map; ``{contig}`` stands for the contig's name.
        blocks: The blocks of the run.

    Raises:
        InputError: A map is missing or malformed, or does not cover a block.
    """
    for contig in dict.fromkeys(block.contig for block in blocks):
        if contig not in NO_RECOMBINATION:
            read_hapmap(template.replace("{contig}", contig), contig, blocks)


@contextmanager
def _real_names(names: Mapping[str, str]) -> Iterator[None]:
    """Name the file that the user gave, not its default name, in errors about a table."""
    try:
        yield
    except InputError as error:
        source = names.get(error.source, error.source)
        raise InputError(source, error.key, error.expected, error.found) from None
