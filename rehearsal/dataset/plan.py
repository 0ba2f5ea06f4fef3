"""The order and the plan of a dataset, checked before any work starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from rehearsal.config.tables import read_countries, read_planted
from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.export.settings import Export, check_disk_space, read_exports
from rehearsal.files import DEFAULTS
from rehearsal.formats.bcf_header import VCF_VERSIONS
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.blocks import automatic_block_size, plan_blocks
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.drawn_reference import (
    DrawnReference,
    FastaReference,
    planned_reference,
)
from rehearsal.genomes.families import SMALLEST_FAMILY
from rehearsal.genomes.gene_model import read_gene_model
from rehearsal.genomes.masks import read_masks
from rehearsal.genomes.people import check_numbers
from rehearsal.genomes.planting import check_places
from rehearsal.genomes.reference import check_fasta
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block, Country, PlantedVariant
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.trait_subset import select_traits
from rehearsal.phenotypes.trait_types import Traits
from rehearsal.web.command_line import refuse_unmakeable_folder

COMMAND = "rehearsal dataset"
RUN_ONLY_FORMATS = ("reads", "grg")  # formats that only a run makes
# the option of the command that stands for a key of the configuration, for errors
OPTION_OF = {
    "genome.regions": "--region",
    "exports.0.formats": "--formats",
    "exports.0.recipients": "--recipient",
    "exports": "OUT",
    "genome.reference_fasta": "--reference",
    "traits": "--trait",
}


@dataclass(frozen=True, slots=True)
class DatasetOrder:
    """A request for a dataset, as the options of the command give it."""

    people: Mapping[str, int]  # by country code
    regions: Sequence[str]  # CONTIG or CONTIG:START-END, 0-based half-open
    formats: Sequence[str]
    plant: Mapping[str, int]  # numbers of carriers by GENE:NAME
    traits: Sequence[str]  # names; empty: all
    pooled: bool  # one folder for all countries
    recipients: Sequence[Path]  # Crypt4GH public keys
    reference: Path | None  # indexed FASTA
    seed: int
    vcf_version: str = VCF_VERSIONS[0]

    def as_command(self) -> str:
        """Write the command line that makes this dataset again."""
        parts = [f"--country {code}={number}" for code, number in self.people.items()]
        parts += [f"--region {region}" for region in self.regions]
        parts += [f"--plant '{name}={number}'" for name, number in self.plant.items()]
        parts += [f"--trait {name}" for name in self.traits]
        parts += [f"--formats {','.join(self.formats)}"]
        usual = self.vcf_version == VCF_VERSIONS[0]
        parts += [] if usual else [f"--vcf-version {self.vcf_version}"]
        parts += ["--pooled"] if self.pooled else []
        parts += [f"--recipient {path.name}" for path in self.recipients]
        parts += [f"--reference {self.reference.name}"] if self.reference else []
        return f"{COMMAND} {' '.join(parts)} --seed {self.seed} OUT"


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """A checked order: what will be simulated and written."""

    order: DatasetOrder
    countries: list[Country]  # of the demographic model: all that are configured
    numbers: dict[str, int]  # people by country code, in the order of the countries
    planted: list[PlantedVariant]
    blocks: list[Block]
    family_share: float
    mix: CohortMix
    traits: Traits
    export: Export
    genome: Mapping[str, Any]  # section of config.yaml
    parameters: Path  # file of the demographic parameters
    templates: Path  # file of the query templates
    reference_year: int
    transcripts: list[Transcript]
    reference: DrawnReference | FastaReference

    @property
    def asked(self) -> list[Country]:
        """The countries that have people."""
        return [country for country in self.countries if country.code in self.numbers]

    def bases(self, block: Block) -> str:
        """Return the reference bases of a stretch.

        Args:
            block: The stretch, 0-based half-open.
        """
        return self.reference.bases(block).tobytes().decode()


def make_plan(order: DatasetOrder, out: Path, root: Path = DEFAULTS) -> DatasetPlan:
    """Check an order and plan its dataset.

    Args:
        order: What was asked for.
        out: The folder of the dataset, new or empty.
        root: The project's folder; ``config/`` in it decides everything that the order leaves
            open.

    Returns:
        The plan.

    Raises:
        InputError: The order cannot be met.
    """
    config = _configuration(root)
    schemas = root / "workflow" / "schemas"
    countries = read_countries(root / config["countries"], schemas / "countries.schema.yaml")
    codes = [country.code for country in countries]
    numbers = _numbers(order.people, codes)
    known = read_planted(root / config["variants"], schemas / "variants.schema.yaml", codes)
    planted = _planted(order.plant, known, numbers)
    genome = config["genome"]
    with _as_options():
        traits = read_traits(root / config["traits"])
        traits = select_traits(traits, order.traits) if order.traits else traits
        masks = read_masks(root / genome["masks"]) if genome["masks"] else []
        size = genome["block_size"] or automatic_block_size(sum(numbers.values()))
        window = genome["planted_window"]
        blocks = plan_blocks(order.regions, planted, window, size, masks, COMMAND)
        _check_causal(blocks, traits)
        share = _family_share(numbers, config["cohort"]["family_share"])
        asked = [country for country in countries if country.code in numbers]
        check_numbers(asked, numbers, share, planted)
        check_places(planted)
        transcripts = read_gene_model(root / config["transcripts"], None, blocks)
        own = None if order.reference is None else str(order.reference.absolute())
        reference = planned_reference(
            genome | {"reference_fasta": own}, planted, transcripts, order.seed, root
        )
        if order.reference is not None:
            check_fasta(order.reference, blocks, planted)
        export = _export(order, list(numbers), planted, blocks)
        refuse_unmakeable_folder(COMMAND, "OUT", out, is_replaced=True)
        check_disk_space([export], numbers, blocks, out)
    return DatasetPlan(
        order=order,
        countries=countries,
        numbers=numbers,
        planted=planted,
        blocks=blocks,
        family_share=share,
        mix=CohortMix.of_cohort(config["cohort"]),
        traits=traits,
        export=export,
        genome=genome,
        parameters=root / config["demography"]["parameters"],
        templates=root / "config" / "dataset_queries.yaml",
        reference_year=config["cohort"]["reference_year"],
        transcripts=transcripts,
        reference=reference,
    )


def _configuration(root: Path) -> dict[str, Any]:
    file = root / "config" / "config.yaml"
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        expected = "the project's configuration beside the library"
        raise InputError(file, "file", expected, unreadable_file(error)) from None


def _numbers(people: Mapping[str, int], codes: Sequence[str]) -> dict[str, int]:
    for code, number in people.items():
        if code not in codes:
            expected = f"a country of the configuration ({', '.join(codes)})"
            raise InputError(COMMAND, "--country", expected, shown(code))
        if number < 1:
            raise InputError(COMMAND, f"--country {code}", "at least 1 person", shown(number))
    if not people:
        raise InputError(COMMAND, "--country", "CODE=PEOPLE, or the option --preset", "nothing")
    return {code: people[code] for code in codes if code in people}


def _planted(
    plant: Mapping[str, int], known: Sequence[PlantedVariant], numbers: Mapping[str, int]
) -> list[PlantedVariant]:
    """The variants of the order, with their carriers shared out over the countries."""
    by_name = {f"{one.gene}:{one.name}": one for one in known if not one.is_somatic}
    chosen, room = [], dict(numbers)
    for name, carriers in plant.items():
        key = f"--plant {name}"
        if name not in by_name:
            expected = f"a planted variant of the configuration ({', '.join(by_name)})"
            raise InputError(COMMAND, "--plant", expected, shown(name))
        if carriers < 1:
            raise InputError(COMMAND, key, "at least 1 carrier", shown(carriers))
        if carriers > sum(room.values()):
            left = "" if len(plant) == 1 else ", each of whom carries one variant at most"
            expected = f"at most {sum(room.values())} carriers, the number of people left{left}"
            raise InputError(COMMAND, key, expected, shown(carriers))
        dealt = apportion(carriers, room)
        room = {code: room[code] - dealt[code] for code in room}
        chosen.append(_with_carriers(by_name[name], dealt))
    return chosen


def apportion(total: int, room: Mapping[str, int]) -> dict[str, int]:
    """Share a number out in proportion to sizes, by the largest remainder.

    Ties go to the first. No share exceeds its size.

    Args:
        total: The number to share out, at most the sum of the sizes.
        room: Sizes by name.

    Returns:
        Shares by name, which add up to ``total``.
    """
    everything = sum(room.values())
    dealt = {code: total * size // everything for code, size in room.items()}
    by_remainder = sorted(room, key=lambda code: -(total * room[code] % everything))
    for code in by_remainder[: total - sum(dealt.values())]:
        dealt[code] += 1
    return dealt


def _with_carriers(planted: PlantedVariant, dealt: Mapping[str, int]) -> PlantedVariant:
    """The variant with these carriers, one copy each; women carry it on X, men on Y."""
    role = "hemizygous" if planted.variant.contig == "chrY" else "heterozygous"
    carriers = tuple((code, role, number) for code, number in dealt.items() if number)
    return replace(planted, frequency={}, minimum_per_country=0, carriers=carriers)


def _family_share(numbers: Mapping[str, int], usual: float) -> float:
    """The usual share of people in families; 0 where a country is too small for a family."""
    fits = all(round(usual * number) >= SMALLEST_FAMILY for number in numbers.values())
    return usual if fits else 0.0


def _check_causal(blocks: Sequence[Block], traits: Traits) -> None:
    if not traits.polygenic or any(block.contig in AUTOSOMES for block in blocks):
        return
    expected = "at least one autosomal region, where causal sites of traits lie"
    found = ", ".join(dict.fromkeys(block.contig for block in blocks))
    raise InputError(COMMAND, "--region", expected, found)


def _export(
    order: DatasetOrder,
    codes: Sequence[str],
    planted: Sequence[PlantedVariant],
    blocks: Sequence[Block],
) -> Export:
    if not order.formats:
        raise InputError(COMMAND, "--formats", "at least one format", "nothing")
    for kind in order.formats:
        if kind in RUN_ONLY_FORMATS:
            expected = "formats that need no complete run (for others, set exports in a run)"
            raise InputError(COMMAND, "--formats", expected, shown(kind))
    entry = {
        "name": "dataset",
        "formats": list(order.formats),
        "countries": list(codes),
        "pooled": order.pooled,
        "vcf_version": order.vcf_version,
        "recipients": [str(path) for path in order.recipients],
    }
    return read_exports([entry], COMMAND, codes, planted, blocks)["dataset"]


@contextmanager
def _as_options() -> Iterator[None]:
    """Name the option of the command in errors that would name a key of the configuration."""
    try:
        yield
    except InputError as error:
        key, colon, rest = error.key.partition(":")
        option = OPTION_OF.get(key)
        if option is None:
            raise
        place = f"{option}{colon}{rest}"
        raise InputError(error.source, place, error.expected, error.found) from None
