"""The order and the plan of a dataset, checked before any work starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.config.people_numbers import SURE_OF_MEN
from rehearsal.config.tables import read_countries, read_planted
from rehearsal.dataset.carriers import CarrierPlan
from rehearsal.dataset.presets import COMMAND, PLANTED_AGE, check_formats
from rehearsal.dataset.variant_names import KnownReference, VariantNames
from rehearsal.errors import Complaints, InputError, InputErrors, shown
from rehearsal.export.disk_space import check_disk_space
from rehearsal.export.settings import Export, read_exports
from rehearsal.files import DEFAULTS
from rehearsal.formats.bcf_header import VCF_VERSIONS
from rehearsal.genomes.blocks import VARIANTS, automatic_block_size, plan_blocks
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.drawn_reference import (
    DrawnReference,
    FastaReference,
    planned_reference,
)
from rehearsal.genomes.families import SMALLEST_FAMILY
from rehearsal.genomes.gene_model import read_gene_model
from rehearsal.genomes.masks import read_masks
from rehearsal.genomes.people import PlannedCohort, check_numbers, plan_cohort
from rehearsal.genomes.planted_variants import check_places
from rehearsal.genomes.reference import check_fasta
from rehearsal.genomes.transcripts import Transcript, read_transcripts
from rehearsal.model import Block, Country, Patient, PlantedVariant
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.trait_subset import select_traits
from rehearsal.phenotypes.trait_types import Traits
from rehearsal.web.command_line import refuse_unmakeable_folder
from rehearsal.yaml_files import load_yaml

YOUNGEST_HAPLOTYPE = 10  # generations; people themselves span three
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
    plant: Mapping[str, int]  # numbers of carriers by VARIANT, or VARIANT/VARIANT
    traits: Sequence[str]  # names; empty: all
    pooled: bool  # one folder for all countries
    recipients: Sequence[Path]  # Crypt4GH public keys
    reference: Path | None  # indexed FASTA
    seed: int
    vcf_version: str = VCF_VERSIONS[0]
    # numbers of families by VARIANT, or VARIANT/VARIANT
    plant_families: Mapping[str, int] = field(default_factory=dict)
    plant_age: float = PLANTED_AGE  # of the haplotype that carriers share, in generations

    def as_command(self) -> str:
        """Write the command line that makes this dataset again."""
        parts = [f"--country {code}={number}" for code, number in self.people.items()]
        parts += [f"--region {region}" for region in self.regions]
        parts += [*self._planting(), *(f"--trait {name}" for name in self.traits)]
        parts += [f"--formats {','.join(self.formats)}", *self._ways_to_write()]
        return f"{COMMAND} {' '.join(parts)} --seed {self.seed} OUT"

    def _ways_to_write(self) -> list[str]:
        usual = self.vcf_version == VCF_VERSIONS[0]
        parts = [] if usual else [f"--vcf-version {self.vcf_version}"]
        parts += ["--pooled"] if self.pooled else []
        parts += [f"--recipient {path.name}" for path in self.recipients]
        return parts + ([f"--reference {self.reference.name}"] if self.reference else [])

    def _planting(self) -> list[str]:
        alone, families = self.plant.items(), self.plant_families.items()
        parts = [f"--plant '{name}={number}'" for name, number in alone]
        parts += [f"--plant-family '{name}={number}'" for name, number in families]
        return [*parts, f"--plant-age {self.plant_age:g}"] if parts else []


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """A checked order: what will be simulated and written."""

    order: DatasetOrder
    countries: list[Country]  # of the demographic model: all that are configured
    numbers: dict[str, int]  # people by country code, in the order of the countries
    planted: list[PlantedVariant]
    carriers: list[Patient]  # people who carry planted variants, and their families
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
    complaints = Complaints()
    schemas = root / "workflow" / "schemas"
    countries = read_countries(root / config["countries"], schemas / "countries.schema.yaml")
    codes = [country.code for country in countries]
    numbers = _numbers(order.people, codes, complaints)
    known = read_planted(root / config["variants"], schemas / "variants.schema.yaml", codes)
    own = None if order.reference is None else str(order.reference.absolute())
    genome = config["genome"] | {"reference_fasta": own, "planted_age": order.plant_age}
    with complaints.collected():
        _check_age(order.plant_age)
    names = _variant_names(known, genome, config, order.seed, root)
    carriers = _carriers(order, numbers, names, complaints)
    planted = list(carriers.planted.values())
    with complaints.collected(), _as_options():
        traits = read_traits(root / config["traits"])
        traits = select_traits(traits, order.traits) if order.traits else traits
    masks = read_masks(root / genome["masks"]) if genome["masks"] else []
    blocks: list[Block] = []
    with complaints.collected(), _as_options():
        check_places(planted)
        size = genome["block_size"] or automatic_block_size(sum(numbers.values()))
        blocks = plan_blocks(order.regions, planted, genome["planted_window"], size, masks, COMMAND)
    with complaints.collected(), _as_options():
        if order.reference is not None:
            check_fasta(order.reference, blocks, planted)
    with complaints.collected(), _as_options():
        export = _export(order, list(numbers), planted, blocks)
    with complaints.collected():
        refuse_unmakeable_folder(COMMAND, "OUT", out, is_replaced=True)
    complaints.raise_any()
    with complaints.collected():
        _check_scores(export, traits)
    share = _family_share(numbers, config["cohort"]["family_share"])
    asked = [country for country in countries if country.code in numbers]
    with complaints.collected(), _as_options():
        check_numbers(asked, numbers, share, planted, carriers.patients)
    with complaints.collected(), _as_options():
        check_disk_space([export], numbers, blocks, out)
    with complaints.collected(), _as_options():
        transcripts = read_gene_model(root / config["transcripts"], None, blocks)
        reference = planned_reference(genome, planted, transcripts, order.seed, root, names.stated)
    complaints.raise_any()
    plan = DatasetPlan(
        order=order,
        countries=countries,
        numbers=numbers,
        planted=planted,
        carriers=carriers.patients,
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
    _check_men(plan)
    return plan


def planned_people(plan: DatasetPlan) -> PlannedCohort:
    """Plan the people of a dataset: who they are, and which planted variants they carry.

    Args:
        plan: The plan of the dataset.
    """
    return plan_cohort(
        plan.asked,
        plan.numbers,
        plan.family_share,
        plan.planted,
        plan.order.seed,
        plan.carriers,
        plan.mix,
    )


def _check_men(plan: DatasetPlan) -> None:
    """Refuse chrY among women. A draw decides how many men there are."""
    has_y = any(block.contig == "chrY" for block in plan.blocks)
    if not has_y or sum(plan.numbers.values()) >= SURE_OF_MEN:
        return
    if not (planned_people(plan).people["sex"] == "male").any():
        expected = "no chrY, because nobody is a man (another --seed or more people give some)"
        raise InputError(COMMAND, "--region", expected, "chrY")


def _configuration(root: Path) -> dict[str, Any]:
    file = root / "config" / "config.yaml"
    content: dict[str, Any] = load_yaml(file, "the project's configuration beside the library")
    return content


def _numbers(
    people: Mapping[str, int], codes: Sequence[str], complaints: Complaints
) -> dict[str, int]:
    """Return the numbers that can be used, in the order of the countries."""
    if not people:
        with complaints.collected():
            raise InputError(COMMAND, "--country", "CODE=PEOPLE, or the option --preset", "nothing")
    for code, number in people.items():
        with complaints.collected():
            if code not in codes:
                expected = f"a country of the configuration ({', '.join(codes)})"
                raise InputError(COMMAND, "--country", expected, shown(code))
            if number < 1:
                raise InputError(COMMAND, f"--country {code}", "at least 1 person", shown(number))
    return {code: people[code] for code in codes if people.get(code, 0) > 0}


def _check_age(age: float) -> None:
    if not age >= YOUNGEST_HAPLOTYPE:
        expected = f"at least {YOUNGEST_HAPLOTYPE} generations"
        raise InputError(COMMAND, "--plant-age", expected, shown(age))


def _variant_names(
    known: Sequence[PlantedVariant],
    genome: Mapping[str, Any],
    config: Mapping[str, Any],
    seed: int,
    root: Path,
) -> VariantNames:
    """Make the reader of variants' names, on the reference that the dataset will have."""

    def reference(transcripts: Sequence[Transcript]) -> KnownReference:
        planned = planned_reference(genome, [], transcripts, seed, root)

        def bases(block: Block) -> str:
            return planned.bases(block).tobytes().decode()

        return KnownReference(bases, getattr(planned, "settled", bases))

    return VariantNames(
        {f"{one.gene}:{one.name}": one for one in known if not one.is_somatic},
        read_transcripts(root / config["transcripts"]),
        reference,
        COMMAND,
    )


def _carriers(
    order: DatasetOrder, numbers: Mapping[str, int], names: VariantNames, complaints: Complaints
) -> CarrierPlan:
    plan = CarrierPlan(numbers, names.read, COMMAND)
    plan.add("--plant", order.plant, complaints)
    plan.add("--plant-family", order.plant_families, complaints)
    return plan


def _family_share(numbers: Mapping[str, int], usual: float) -> float:
    """The usual share of people in families; 0 where a country is too small for a family."""
    fits = all(round(usual * number) >= SMALLEST_FAMILY for number in numbers.values())
    return usual if fits else 0.0


def _check_scores(export: Export, traits: Traits) -> None:
    if "scores" in export.formats and not any(one.genetics for one in traits.diseases):
        expected = "a disease with a polygenic part among --trait for the format scores"
        raise InputError(COMMAND, "--formats", expected, "none")


def _export(
    order: DatasetOrder,
    codes: Sequence[str],
    planted: Sequence[PlantedVariant],
    blocks: Sequence[Block],
) -> Export:
    check_formats(order.formats)
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
    except InputErrors as several:
        raise InputErrors([_as_option(error) for error in several.errors]) from None
    except InputError as error:
        raise _as_option(error) from None


def _as_option(error: InputError) -> InputError:
    key, colon, rest = error.key.partition(":")
    if error.source == VARIANTS:
        return error.moved(COMMAND, f"--plant {error.key}")
    if key.startswith("cohort.people."):
        return error.moved(COMMAND, "--country")
    option = OPTION_OF.get(key)
    if option is None:
        return error
    source = COMMAND if key == "traits" else None  # not a file of the user's
    return error.moved(source, f"{option}{colon}{rest}")
