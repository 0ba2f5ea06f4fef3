"""What a dataset is asked for, checked before any work starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from rehearsal.config.preflight import check_fasta
from rehearsal.config.tables import read_countries, read_planted
from rehearsal.errors import InputError
from rehearsal.export.settings import Export, check_disk_space, read_exports
from rehearsal.genomes.assembly import AUTOSOMES, read_masks
from rehearsal.genomes.blocks import plan_blocks
from rehearsal.genomes.families import SMALLEST_FAMILY
from rehearsal.genomes.people import check_numbers
from rehearsal.genomes.planting import check_places
from rehearsal.model import Block, Country, PlantedVariant
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.trait_subset import select_traits
from rehearsal.phenotypes.trait_types import Traits

ROOT = Path(__file__).resolve().parents[2]
COMMAND = "rehearsal dataset"
RUN_ONLY_FORMATS = ("reads", "grg")  # formats that only a run makes
# complaints about the configuration, in terms of the command's options
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
    """What somebody asks for, as they put it.

    ``people``: by country code. ``plant``: carriers by GENE:NAME. ``traits`` empty: all.
    """

    people: Mapping[str, int]
    regions: Sequence[str]
    formats: Sequence[str]
    plant: Mapping[str, int]
    traits: Sequence[str]
    pooled: bool
    recipients: Sequence[Path]
    reference: Path | None
    seed: int

    def as_command(self) -> str:
        """The command that gives this dataset again."""
        parts = [f"--country {code}={number}" for code, number in self.people.items()]
        parts += [f"--region {region}" for region in self.regions]
        parts += [f"--plant '{name}={number}'" for name, number in self.plant.items()]
        parts += [f"--trait {name}" for name in self.traits]
        parts += [f"--formats {','.join(self.formats)}"]
        parts += ["--pooled"] if self.pooled else []
        parts += [f"--recipient {path.name}" for path in self.recipients]
        parts += [f"--reference {self.reference.name}"] if self.reference else []
        return f"{COMMAND} {' '.join(parts)} --seed {self.seed} OUT"


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What will be simulated and written."""

    order: DatasetOrder
    countries: list[Country]  # of the model: all that are configured
    numbers: dict[str, int]  # people by country code, in the order of the countries
    planted: list[PlantedVariant]
    blocks: list[Block]
    family_share: float
    traits: Traits
    export: Export
    genome: Mapping[str, Any]  # of config.yaml
    parameters: Path  # of the demography
    templates: Path  # of the queries
    reference_year: int

    @property
    def asked(self) -> list[Country]:
        """The countries that have people."""
        return [country for country in self.countries if country.code in self.numbers]


def make_plan(order: DatasetOrder, out: Path, root: Path = ROOT) -> DatasetPlan:
    """The plan of an order, or InputError for the first thing in it that cannot be.

    Everything that the order leaves open stands in ``config/`` below ``root``. ``out``: where the
    dataset is to go; must not be there, or be an empty folder.
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
        window, size = genome["planted_window"], genome["block_size"]
        blocks = plan_blocks(order.regions, planted, window, size, masks, COMMAND)
        _check_causal(blocks, traits)
        share = _family_share(numbers, config["cohort"]["family_share"])
        asked = [country for country in countries if country.code in numbers]
        check_numbers(asked, numbers, share, planted)
        check_places(planted)
        if order.reference is not None:
            check_fasta(order.reference, blocks, planted)
        export = _export(order, list(numbers), planted, blocks)
        _check_out(out)
        check_disk_space([export], numbers, blocks, out)
    return DatasetPlan(
        order=order,
        countries=countries,
        numbers=numbers,
        planted=planted,
        blocks=blocks,
        family_share=share,
        traits=traits,
        export=export,
        genome=genome,
        parameters=root / config["demography"]["parameters"],
        templates=root / "config" / "dataset_queries.yaml",
        reference_year=config["cohort"]["reference_year"],
    )


def _configuration(root: Path) -> dict[str, Any]:
    file = root / "config" / "config.yaml"
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        expected = f"the project's configuration beside the library: {error.strerror}"
        raise InputError(file, "file", expected) from None


def _numbers(people: Mapping[str, int], codes: Sequence[str]) -> dict[str, int]:
    for code, number in people.items():
        if code not in codes:
            expected = f"expected one of {' '.join(codes)}, found {code!r}"
            raise InputError(COMMAND, "--country", expected)
        if number < 1:
            raise InputError(COMMAND, f"--country {code}", f"expected 1 or more, found {number}")
    if not people:
        raise InputError(COMMAND, "--country", "expected CODE=PEOPLE, or --preset")
    return {code: people[code] for code in codes if code in people}


def _planted(
    plant: Mapping[str, int], known: Sequence[PlantedVariant], numbers: Mapping[str, int]
) -> list[PlantedVariant]:
    """The known variants that are asked for, with their carriers dealt out over the countries."""
    by_name = {f"{one.gene}:{one.name}": one for one in known if not one.is_somatic}
    chosen, room = [], dict(numbers)
    for name, carriers in plant.items():
        key = f"--plant {name}"
        if name not in by_name:
            expected = f"expected one of {' '.join(by_name)}, found {name!r}"
            raise InputError(COMMAND, "--plant", expected)
        if carriers < 1:
            raise InputError(COMMAND, key, f"expected 1 carrier or more, found {carriers}")
        if carriers > sum(room.values()):
            left = "" if len(plant) == 1 else ", a person carries one variant at most"
            expected = f"expected at most {sum(room.values())} carriers, found {carriers}"
            raise InputError(COMMAND, key, f"{expected}: there are no more people{left}")
        dealt = apportion(carriers, room)
        room = {code: room[code] - dealt[code] for code in room}
        chosen.append(_with_carriers(by_name[name], dealt))
    return chosen


def apportion(total: int, room: Mapping[str, int]) -> dict[str, int]:
    """``total`` shared out in proportion to ``room``, by largest remainder; adds up to it, and
    nobody gets more than their room. Ties go to the first. ``total`` at most the sum of room."""
    everything = sum(room.values())
    dealt = {code: total * size // everything for code, size in room.items()}
    by_remainder = sorted(room, key=lambda code: -(total * room[code] % everything))
    for code in by_remainder[: total - sum(dealt.values())]:
        dealt[code] += 1
    return dealt


def _with_carriers(planted: PlantedVariant, dealt: Mapping[str, int]) -> PlantedVariant:
    """One copy in each carrier: a woman on X, a man on Y."""
    role = "hemizygous" if planted.variant.contig == "chrY" else "heterozygous"
    carriers = tuple((code, role, number) for code, number in dealt.items() if number)
    return replace(planted, frequency={}, minimum_per_country=0, carriers=carriers)


def _family_share(numbers: Mapping[str, int], usual: float) -> float:
    """The usual share, or none where a country is too small for a family."""
    fits = all(round(usual * number) >= SMALLEST_FAMILY for number in numbers.values())
    return usual if fits else 0.0


def _check_causal(blocks: Sequence[Block], traits: Traits) -> None:
    if not traits.polygenic or any(block.contig in AUTOSOMES for block in blocks):
        return
    expected = "expected an autosomal region beside: the causal sites of traits stand there"
    raise InputError(COMMAND, "--region", expected)


def _export(
    order: DatasetOrder,
    codes: Sequence[str],
    planted: Sequence[PlantedVariant],
    blocks: Sequence[Block],
) -> Export:
    for kind in order.formats:
        if kind in RUN_ONLY_FORMATS:
            expected = f"{kind} are made by a run only: exports in the configuration"
            raise InputError(COMMAND, "--formats", expected)
    entry = {
        "name": "dataset",
        "formats": list(order.formats),
        "countries": list(codes),
        "pooled": order.pooled,
        "recipients": [str(path) for path in order.recipients],
    }
    return read_exports([entry], COMMAND, codes, planted, blocks)["dataset"]


def _check_out(out: Path) -> None:
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists():
        expected = "a new folder; nothing that is there is replaced"
        raise InputError(out, "OUT", expected)
    there = next(path for path in out.absolute().parents if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise InputError(out, "OUT", f"a place that can be written; {there} cannot")


@contextmanager
def _as_options() -> Iterator[None]:
    """Complaints name the option of the command where they would name the configuration's key."""
    try:
        yield
    except InputError as error:
        key, colon, rest = error.key.partition(":")
        option = OPTION_OF.get(key)
        if option is None:
            raise
        raise InputError(error.source, f"{option}{colon}{rest}", error.expected) from None
