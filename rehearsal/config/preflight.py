"""What can be known to be wrong before the first job starts: the files that single jobs read.

``inputs`` reads what decides which jobs there are; here is everything else a run is given, read by
the functions that the jobs use, so that a fault is told in the first second and not in the third
hour. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.config.loader import Inputs, stories_folder
from rehearsal.config.schema import source_of
from rehearsal.demography.model import build_model, read_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.errors import InputError
from rehearsal.evaluation.templates import read_templates
from rehearsal.export.settings import check_disk_space
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.genomes.people import check_numbers
from rehearsal.genomes.planting import check_places
from rehearsal.genomes.recombination import NO_RECOMBINATION, read_hapmap
from rehearsal.genomes.reference import check_reference, read_reference
from rehearsal.model import Block, Country, PlantedVariant
from rehearsal.network.distance import read_bandwidths, read_distances
from rehearsal.network.emulation.topology import check_possible, uses_namespaces
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import read_stories


def check_job_inputs(
    config: Mapping[str, Any], inputs: Inputs, sources: Sequence[Path] = ()
) -> None:
    """Read what a run's jobs will read. Raises InputError for the first thing they could not use.

    ``config`` is the merged configuration that ``read_inputs`` has accepted, ``inputs`` what it
    gave, ``sources`` the files that it was merged from. Takes tenths of a second; with
    recombination maps of a whole genome, a few seconds.
    """
    with _real_names({VARIANTS: config["variants"]}):
        share = config["cohort"]["family_share"]
        check_numbers(inputs.countries, inputs.numbers, share, inputs.planted, inputs.patients)
        check_minimum_carriers(inputs.planted, inputs.numbers)
        check_places(inputs.planted)
        if config["genome"]["reference_fasta"]:
            fasta = Path(config["genome"]["reference_fasta"])
            check_fasta(fasta, inputs.blocks, inputs.planted)
    check_demography(config["demography"], inputs.countries)
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
    """Raises InputError for distance that this machine cannot emulate, or not between these nodes.

    Whoever is in a namespace of ours reaches nobody outside.
    """
    way = network["emulation"]
    check_possible(way, source)
    for key in ("nodes", "launch"):
        if uses_namespaces(way) and network[key]:
            expected = f"delay or none with network.{key}, not {way}"
            raise InputError(source, "network.emulation", expected)


def check_demography(demography: Mapping[str, Any], countries: Sequence[Country]) -> None:
    """Raises InputError for parameters or a demes file that no model can be made of."""
    if demography["model"] is None:
        build_model(countries, read_parameters(demography["parameters"]))
        return
    graph = read_model(demography["model"], countries)
    try:
        to_msprime(graph)
    except ValueError as error:
        expected = f"expected a model that msprime can simulate: {error}"
        raise InputError(demography["model"], "file", expected) from None


def check_minimum_carriers(planted: Iterable[PlantedVariant], numbers: Mapping[str, int]) -> None:
    """Raises InputError for a variant that more people must carry than a country has."""
    for variant in planted:
        for code, number in numbers.items():
            if number < variant.minimum_per_country:
                key = f"minimum_per_country of {variant_label(variant)}"
                expected = f"expected at most {number}, the number of people in {code}"
                raise InputError(VARIANTS, key, expected)


def check_traits_file(path: Path, planted: Iterable[PlantedVariant]) -> None:
    """Raises InputError for ill-formed traits and for a gene whose carriers could never be known.

    A disease's ``genes`` names planted variants that are in the germline.
    """
    germline = {v.gene for v in planted if not v.is_somatic}
    for disease in read_traits(path).diseases:
        for risk in disease.genes:
            if risk.gene not in germline:
                key = f"diseases.{disease.name}.genes.{risk.gene}"
                expected = f"expected a gene with planted variants: {' '.join(sorted(germline))}"
                raise InputError(path, key, expected)


def check_terms(config: Mapping[str, Any], inputs: Inputs) -> None:
    """Raises InputError for a story that names a term which HPO does not have."""
    codes = [country.code for country in inputs.countries]
    traits = read_traits(Path(config["traits"]))
    references = RunReferences(codes, inputs.planted, inputs.genes, traits, has_ontology=True)
    read_stories(stories_folder(config), references)


def check_maps(template: str, blocks: Sequence[Block]) -> None:
    """Raises InputError for a block whose contig's map is missing, ill-formed or leaves it out."""
    for contig in dict.fromkeys(block.contig for block in blocks):
        if contig not in NO_RECOMBINATION:
            read_hapmap(template.replace("{contig}", contig), contig, blocks)


def check_fasta(path: Path, blocks: Sequence[Block], planted: Iterable[PlantedVariant]) -> None:
    """Raises InputError for a FASTA that lacks a block or has other bases where a REF stands.

    Only the last base of each contig's last block and the bases of REFs are read.
    """
    last = {block.contig: block for block in sorted(blocks)}
    for contig, block in last.items():
        read_reference(path, Block(contig, block.end - 1, block.end))
    for asked in planted:
        variant = asked.variant
        place = Block(variant.contig, variant.start, variant.start + len(variant.ref))
        check_reference(place, [asked], read_reference(path, place))


@contextmanager
def _real_names(names: Mapping[str, str]) -> Iterator[None]:
    """Complaints about a table name the file that the user gave, not its usual name."""
    try:
        yield
    except InputError as error:
        source = names.get(error.source, error.source)
        raise InputError(source, error.key, error.expected, error.found) from None
