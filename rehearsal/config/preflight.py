"""Checks of the files that single jobs read, before the first job starts.

``loader`` reads the inputs that decide which jobs there are. This module reads everything else that
a run is given, with the functions that the jobs use. A user sees an error in the first second, not
in the third hour. The results of reading are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rehearsal.catalogue.inventory import read_inventory
from rehearsal.config.economics_checks import check_economics, check_products
from rehearsal.config.hidden_faults import add_hidden_faults
from rehearsal.config.inputs import Inputs
from rehearsal.config.left_out import country_table
from rehearsal.config.loader import name_tables, read_inputs, stories_folder
from rehearsal.config.machine_checks import check_launch, check_tokens, machine_checks
from rehearsal.config.people_numbers import SURE_OF_MEN, people_key
from rehearsal.config.results_folder import check_results, check_room
from rehearsal.config.schema import changed_errors, name_sources
from rehearsal.config.tables import read_countries, read_genes
from rehearsal.demography.model import build_model, read_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.evaluation.analyses.plan import read_analyses
from rehearsal.evaluation.templates import read_templates
from rehearsal.formats.tables import read_lines
from rehearsal.genomes.assembly import NO_RECOMBINATION, pseudo_autosomal
from rehearsal.genomes.blocks import CONFIG, VARIANTS, variant_label
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.genomes.mutation_rates import check_rates
from rehearsal.genomes.people import check_numbers, plan_cohort
from rehearsal.genomes.planted_variants import check_places, planted_targets
from rehearsal.genomes.recombination import (
    CM_PER_MB,
    MOST_CM_PER_MB,
    read_hapmap,
)
from rehearsal.model import Block, Country, PlantedVariant
from rehearsal.network.distance import read_bandwidths, read_distances
from rehearsal.network.registry import read_foreign_nodes
from rehearsal.node.drug_genes import read_drug_rules
from rehearsal.phenotypes.consent import read_consent
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.parameters import read_economics
from rehearsal.policy.indicators import read_indicators
from rehearsal.policy.labels import read_labels
from rehearsal.policy.prices import read_gdp, read_prices
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import read_stories

POLICY: dict[str, Callable[[Path], object]] = {  # readers of what ministries read, by key
    "maturity": read_indicators,
    "prices": read_prices,
    "gdp": read_gdp,
    "labels": read_labels,
    "inventory": read_inventory,
}


def read_checked_inputs(
    config: Mapping[str, Any], sources: Sequence[Path], schemas: Path
) -> Inputs:
    """Read the inputs of a run, and check all that its jobs will read.

    Args:
        config: The merged configuration.
        sources: The configuration files, in the order they were merged.
        schemas: The folder of the JSON schemas.

    Returns:
        The inputs that decide which jobs there are.

    Raises:
        InputError: Something cannot be used. All that can be found out is reported together.
    """
    complaints, check = Complaints(), partial(_read_and_check, sources, schemas)
    with complaints.collected():
        inputs = check(config)
    if complaints.errors:
        add_hidden_faults(config, str(country_table(config, sources)), complaints, check)
        _check_single_keys(config, sources, schemas, complaints)
    complaints.raise_any()
    return inputs


def _read_and_check(sources: Sequence[Path], schemas: Path, config: Mapping[str, Any]) -> Inputs:
    inputs = read_inputs(config, sources, schemas)
    check_job_inputs(inputs.config, inputs, sources)
    return inputs


def _check_single_keys(
    config: Mapping[str, Any], sources: Sequence[Path], schemas: Path, complaints: Complaints
) -> None:
    """Check what single keys name, although others have faults; a complaint is shown once only."""
    faulty = [f"{error.key}." for error in complaints.errors]
    for key, check in _key_checks(config, sources, schemas):
        value, is_sound = _value_of(config, key), not any(f"{key}.".startswith(o) for o in faulty)
        if isinstance(value, str) and is_sound:
            with complaints.collected(), name_sources(sources):
                check(value)


def _key_checks(
    config: Mapping[str, Any], sources: Sequence[Path], schemas: Path
) -> Iterator[tuple[str, Callable[[str], object]]]:
    """Yield a key and a check of its value, which is text."""

    def check_nodes(path: str) -> None:
        known = read_countries(country_table(config, sources), schemas / "countries.schema.yaml")
        check_tokens(path, read_foreign_nodes(Path(path), [country.code for country in known]))

    yield "results", partial(check_results, project=schemas.parent.parent)
    yield "results", check_room
    yield "countries", read_lines
    yield "variants", read_lines
    yield "transcripts", read_lines
    yield "genome.masks", partial(read_lines, content="a tab-separated table of masks")
    yield "genes", lambda path: read_genes(Path(path), schemas / "genes.schema.yaml")
    yield "traits", lambda path: read_traits(Path(path))
    yield "drug_genes", lambda path: read_drug_rules(Path(path))
    yield "consent", lambda path: read_consent(Path(path))
    yield "queries", lambda path: read_templates(Path(path))
    for key, read in POLICY.items():
        yield f"policy.{key}", partial(_read_path, read)
    yield "policy.economics", lambda path: read_economics(Path(path))
    yield "analyses", lambda path: read_analyses(Path(path))
    yield "network.distances", lambda path: read_distances(Path(path))
    yield "network.nodes", check_nodes
    yield "network.launch", partial(check_launch, source=CONFIG)
    if _value_of(config, "demography.model") is None:
        yield "demography.parameters", read_parameters


def _read_path(read: Callable[[Path], object], path: str) -> object:
    return read(Path(path))


def _value_of(config: Any, key: str) -> Any:
    for step in key.split("."):
        config = config.get(step) if isinstance(config, Mapping) else None
    return config


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
    complaints = Complaints()
    with name_sources(sources), name_tables(config):
        for check in _checks(config, inputs):
            with complaints.collected():
                check()
        complaints.raise_any()


def _checks(config: Mapping[str, Any], inputs: Inputs) -> Iterator[Callable[[], object]]:
    """Yield checks that do not depend on each other."""
    cohort, mix = config["cohort"], CohortMix.of_cohort(config["cohort"])
    distances = Path(config["network"]["distances"])
    yield partial(_check_people, cohort, inputs, config["seed"])
    yield partial(check_copies, inputs.blocks)
    yield partial(check_rates, config["genome"])
    yield partial(check_minimum_carriers, inputs.planted, inputs.numbers)
    yield partial(check_places, inputs.planted)
    yield partial(mix.check, inputs.countries)
    yield partial(check_demography, config["demography"], inputs.countries, list(mix.populations))
    yield partial(check_maps, config, inputs.blocks)
    planted = [*inputs.planted, *inputs.unplanted]
    yield partial(check_traits_file, Path(config["traits"]), planted)
    yield partial(check_terms, config, inputs)
    yield partial(read_templates, Path(config["queries"]))
    for key, read in POLICY.items():
        yield partial(read, Path(config["policy"][key]))
    yield partial(check_economics, config, inputs)
    yield partial(check_products, config, inputs)
    yield partial(read_distances, distances)
    yield partial(read_bandwidths, distances)
    yield from machine_checks(config, inputs)


def _check_people(cohort: Mapping[str, Any], inputs: Inputs, seed: int) -> None:
    """Check that the people can be planned, and that there are enough men for chrY."""
    share, planted = cohort["family_share"], inputs.planted

    def with_key(error: InputError) -> InputError:
        section, _, code = error.key.rpartition(".")
        return error.moved(key=people_key(cohort, code)) if section == "cohort.people" else error

    with changed_errors(with_key):
        check_numbers(inputs.countries, inputs.numbers, share, planted, inputs.patients)
    _check_men(cohort, inputs, seed)


def _check_men(cohort: Mapping[str, Any], inputs: Inputs, seed: int) -> None:
    """Check that there are enough men for chrY. A draw decides how many there are."""
    of_men = [one for one in inputs.planted if _needs_men(one)]
    has_y = any(block.contig == "chrY" for block in inputs.blocks)
    is_unsure = has_y and sum(inputs.numbers.values()) < SURE_OF_MEN
    if not of_men and not is_unsure:
        return
    share, mix = cohort["family_share"], CohortMix.of_cohort(cohort)
    people = plan_cohort(
        inputs.countries, inputs.numbers, share, inputs.planted, seed, inputs.patients, mix
    ).people
    for one in of_men:
        planted_targets(one, people, seed)
    if is_unsure and not (people["sex"] == "male").any():
        expected = "no chrY, because there is no man in the cohort"
        raise InputError(CONFIG, "genome.regions", expected, "chrY")


def _needs_men(planted: PlantedVariant) -> bool:
    return planted.variant.contig == "chrY" and planted.minimum_per_country > 0


def check_copies(blocks: Iterable[Block]) -> None:
    """Check that no block lies where nobody has a copy: in chrY's pseudo-autosomal regions.

    Args:
        blocks: The blocks of the run.

    Raises:
        InputError: A block lies there.
    """
    for block in blocks:
        region = pseudo_autosomal(block.contig, block.start)
        if block.contig == "chrY" and region:
            expected = f"chrY without {region}, whose bases are on chrX (masks can leave it out)"
            raise InputError(CONFIG, "genome.regions", expected, block.region)


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

    A gene without one may lie outside of what is simulated.

    Args:
        path: The file of traits, YAML.
        planted: The planted variants.

    Raises:
        InputError: The file is malformed, or a risk gene has no planted germline variant.
    """
    germline = {v.gene for v in planted if not v.is_somatic}
    diseases = read_traits(path).diseases
    risks = dict.fromkeys(risk.gene for disease in diseases for risk in disease.genes)
    if risks and not germline:
        expected = f"germline variants of the genes of {path} ({', '.join(risks)})"
        raise InputError(VARIANTS, "gene", expected, "none")
    for disease in diseases:
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
    read_stories(stories_folder(config), references, [story.name for story in inputs.stories])


def check_maps(config: Mapping[str, Any], blocks: Sequence[Block]) -> None:
    """Check that recombination maps cover every block whose contig recombines.

    Args:
        config: The merged configuration.
        blocks: The blocks of the run.

    Raises:
        InputError: A map is missing or malformed, or does not cover a block; or a map that is drawn
            would have impossible rates.
    """
    genome, complaints = config["genome"], Complaints()
    for contig in dict.fromkeys(block.contig for block in blocks):
        if contig in NO_RECOMBINATION:
            continue
        with complaints.collected():
            if template := genome["recombination_map"]:
                read_hapmap(template.replace("{contig}", contig), contig, blocks)
            else:
                check_hotspots(contig, genome, config["seed"])
    complaints.raise_any()


def check_hotspots(contig: str, genome: Mapping[str, Any], seed: int) -> None:
    """Check that the map that a run draws for a contig can be read again.

    Args:
        contig: The contig.
        genome: The section ``genome`` of the configuration.
        seed: The run's root seed.

    Raises:
        InputError: Hotspots overlap, or a rate is higher than any of a map.
    """
    hotspots = Hotspots.of_genome(genome)
    if hotspots.width >= hotspots.spacing:
        expected = f"a width below genome.hotspots.spacing ({hotspots.spacing:g})"
        raise InputError(CONFIG, "genome.hotspots.width", expected, shown(hotspots.width))
    densest = 1 + hotspots.share * hotspots.spacing / hotspots.width  # hotspots, times the mean
    sigmas = 5.5 * (hotspots.sigma + hotspots.broad_sigma)  # further out than any draw
    rate = genome["recombination_rate"]  # None: the published one, below 3 cM/Mb on every contig
    mean = 3.0 if rate is None else rate * CM_PER_MB
    if mean * densest * np.exp(sigmas) <= MOST_CM_PER_MB:
        return
    rates = hotspot_map(contig, rate, hotspots, seed).rate * CM_PER_MB
    if not rates.max() <= MOST_CM_PER_MB:
        expected = f"settings with rates of at most {MOST_CM_PER_MB:,.0f} cM/Mb in each hotspot"
        found = f"{rates.max():,.0f} on {contig}"
        raise InputError(CONFIG, "genome.hotspots", expected, found, subject=contig)
