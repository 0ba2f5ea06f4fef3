"""What ``exports:`` in the configuration asks for, checked before any work starts."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypt4gh.keys import get_public_key

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block, PlantedVariant, Variant

POOLED = "pooled"  # the place of files that hold all the countries of an export
TRUTH = "truth"  # beside the places: what is in them
METADATA = ("catalogue.ttl", "catalogue.jsonld", "datasets.json")  # beside the places
LISTING = "encrypted.tsv"  # beside the places, where only encrypted files are left

# format: what a file of it covers, and the names of its files for what it covers
BY_CONTIG = {
    "bcf": ("{contig}.bcf", "{contig}.bcf.csi"),
    "vcf": ("{contig}.vcf.gz", "{contig}.vcf.gz.tbi"),
    "pgen": ("{contig}.pgen", "{contig}.pvar", "{contig}.psam"),
    "zarr": ("{contig}.vcz.zip",),
}
BY_BLOCK = {"trees": ("{block}.tsz",), "grg": ("{block}.grg",)}
BY_PLACE = {
    "phenopackets": ("phenopackets.jsonl.gz", "families.jsonl.gz"),
    "beacon": ("beacon",),
    "tables": ("tables",),
    "omop": ("omop",),
    "scores": ("scores",),
    "gwas": ("gwas",),
    "reads": ("reads",),
}
FORMATS = (*BY_CONTIG, *BY_BLOCK, *BY_PLACE)
FOLDERS = ("beacon", "tables", "omop", "scores", "gwas", "reads")  # of a place
TOOLS = ("dwgsim", "minimap2")  # that reads are made by

# Sites of a stretch in n people: simulated chr21 (40.1 Mb called), n = 1,000 to a million; bytes a
# site and person at a million (both of the VCF Zarr paper (r)). Smaller
# cohorts take more a person, so this much is needed for certain.
_SITES_PER_BASE, _GROWTH = 0.0101, 0.42
_BYTES = {"bcf": 0.0077, "vcf": 0.012, "zarr": 0.0035}


@dataclass(frozen=True, slots=True)
class ReadSets:
    """Reads of the first ``people`` of each place in ``regions``."""

    people: int
    regions: tuple[Block, ...]
    depth: float  # mean, over the regions


@dataclass(frozen=True, slots=True)
class Export:
    """One entry of ``exports``."""

    name: str
    formats: tuple[str, ...]
    places: tuple[str, ...]  # country codes, or ``pooled``
    countries: tuple[str, ...]
    people: str | tuple[str, ...]  # ``all``, ``carriers``, ``patients`` or identifiers
    story: str | None  # whose patients, or planted variants, are meant; None: every story's
    limit: int | None  # of the people of each country, the first so many
    variants: tuple[Variant, ...] | None  # only these; None: all
    planted: tuple[PlantedVariant, ...]  # whose carriers are meant
    regions: tuple[Block, ...] | None
    recipients: tuple[Path, ...]
    encrypted_only: bool
    reads: ReadSets | None

    def blocks(self, blocks: Iterable[Block]) -> list[Block]:
        """Those of the run's blocks that the export has something of."""
        return [block for block in blocks if self._wants(block)]

    def contigs(self, blocks: Iterable[Block]) -> list[str]:
        return list(dict.fromkeys(block.contig for block in self.blocks(blocks)))

    def files(self, blocks: Sequence[Block]) -> list[str]:
        """Every file and folder that is to be there, below the export's own folder."""
        if self.encrypted_only:
            return [*METADATA, LISTING]
        encrypted = self.encrypted(blocks) if self.recipients else []
        return [*METADATA, *self._plain(blocks), *encrypted]

    def encrypted(self, blocks: Sequence[Block]) -> list[str]:
        """The encrypted copies of every file and folder, below the export's own folder."""
        return [f"{file}.c4gh" for file in self._plain(blocks)]

    def _plain(self, blocks: Sequence[Block]) -> list[str]:
        contigs, ids = self.contigs(blocks), [block.id for block in self.blocks(blocks)]
        names = []
        for kind in self.formats:
            names += [name.format(contig=c) for name in BY_CONTIG.get(kind, ()) for c in contigs]
            names += [name.format(block=b) for name in BY_BLOCK.get(kind, ()) for b in ids]
            names += BY_PLACE.get(kind, ())
        return [TRUTH, *(f"{place}/{name}" for place in self.places for name in names)]

    def _wants(self, block: Block) -> bool:
        if self.variants is not None and not any(map(block.holds_variant, self.variants)):
            return False
        return self.regions is None or any(overlap(region, block) for region in self.regions)


def read_exports(
    entries: Sequence[Mapping[str, Any]],
    source: object,
    countries: Sequence[str],
    planted: Sequence[PlantedVariant],
    blocks: Sequence[Block],
    stories: Collection[str] = (),
) -> dict[str, Export]:
    """The exports by name, from entries that the schema has accepted.

    ``stories``: names of stories that are played, beside those that planted variants are for.

    Raises InputError for a name that stands there twice, unknown countries, formats, stories,
    variants, contigs, regions outside of what is simulated, keys that cannot be read, and tools
    or packages that a format needs and that are not installed.
    """
    exports: dict[str, Export] = {}
    for number, entry in enumerate(entries):
        key = f"exports.{number}"
        if entry["name"] in exports:
            raise InputError(source, f"{key}.name", f"{entry['name']} stands there twice")
        _check_installed(entry["formats"], source, key)
        read = _Entry(entry, source, key, countries, planted, blocks, stories)
        exports[entry["name"]] = read.export()
    return exports


def check_disk_space(
    exports: Iterable[Export], numbers: Mapping[str, int], blocks: Sequence[Block], results: Path
) -> None:
    """Raises InputError where the disk has not the room that genotypes are expected to take."""
    needed = sum(_expected_bytes(export, numbers, blocks) for export in exports)
    there = next(path for path in (results, *results.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        expected = f"room for about {needed / 1e9:.1f} GB of genotypes, found {free / 1e9:.1f} GB"
        raise InputError(results, "exports", expected)


def _expected_bytes(export: Export, numbers: Mapping[str, int], blocks: Sequence[Block]) -> float:
    if export.variants is not None or export.people != "all":
        return 0  # small
    bases = sum(block.length for block in export.blocks(blocks))
    people = {code: min(numbers[code], export.limit or numbers[code]) for code in export.countries}
    sizes = [sum(people.values())] if POOLED in export.places else list(people.values())
    return sum(
        _SITES_PER_BASE * bases * (size / 1000) ** _GROWTH * _BYTES[kind] * size
        for kind in export.formats
        if kind in _BYTES
        for size in sizes
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the list, with what its words are checked against."""

    entry: Mapping[str, Any]
    source: object
    key: str
    countries: Sequence[str]
    all_planted: Sequence[PlantedVariant]
    blocks: Sequence[Block]
    stories: Collection[str]

    def wrong(self, part: str, expected: str) -> InputError:
        return InputError(self.source, f"{self.key}.{part}", expected)

    def export(self) -> Export:
        entry = self.entry
        formats = self.formats()
        countries = self.chosen_countries()
        planted = self.planted()
        everything = entry.get("variants", "all") == "all"
        people, regions = entry.get("people", "all"), entry.get("regions")
        return Export(
            name=entry["name"],
            formats=formats,
            places=(POOLED,) if entry.get("pooled") else countries,
            countries=countries,
            people=people if isinstance(people, str) else tuple(people),
            story=self.story(),
            limit=entry.get("limit"),
            variants=None if everything else tuple(one.variant for one in planted),
            planted=planted,
            regions=None if regions is None else self.regions("regions", regions),
            recipients=self.recipients(),
            encrypted_only=self.encrypted_only(),
            reads=self.reads(),
        )

    def formats(self) -> tuple[str, ...]:
        for kind in self.entry["formats"]:
            if kind not in FORMATS:
                raise self.wrong("formats", f"expected some of {' '.join(FORMATS)}, found {kind!r}")
        return tuple(dict.fromkeys(self.entry["formats"]))

    def chosen_countries(self) -> tuple[str, ...]:
        chosen = self.entry.get("countries") or self.countries
        for code in chosen:
            if code not in self.countries:
                expected = f"expected some of {' '.join(self.countries)}, found {code!r}"
                raise self.wrong("countries", expected)
        return tuple(dict.fromkeys(chosen))

    def story(self) -> str | None:
        """The story whose patients or planted variants are meant; None: every story's."""
        story = self.entry.get("story")
        known = sorted({one.story for one in self.all_planted} | set(self.stories))
        if story is not None and story not in known:
            raise self.wrong("story", f"expected one of {' '.join(known)}, found {story!r}")
        return story

    def planted(self) -> tuple[PlantedVariant, ...]:
        """The planted variants that are meant: of a story, or named ones."""
        story, names = self.story(), self.entry.get("variants", "all")
        if isinstance(names, str):
            return tuple(one for one in self.all_planted if story in (None, one.story))
        known = {f"{one.gene}:{one.name}": one for one in self.all_planted}
        for name in names:
            if name not in known:
                expected = f"expected all, planted or some of {' '.join(known)}, found {name!r}"
                raise self.wrong("variants", expected)
        return tuple(known[name] for name in names)

    def regions(self, part: str, texts: Iterable[str]) -> tuple[Block, ...]:
        """Regions as ``CONTIG:START-END``; each has something of what is simulated."""
        found = []
        for text in texts:
            match = re.fullmatch(r"(\w+):(\d+)-(\d+)", text)
            if not match or int(match[2]) >= int(match[3]):
                expected = f"expected CONTIG:START-END, 0-based half-open, found {text!r}"
                raise self.wrong(part, expected)
            region = Block(match[1], int(match[2]), int(match[3]))
            length = CONTIG_LENGTHS.get(region.contig, 0)
            if region.end > length:
                expected = f"{text} ends behind {region.contig}, which has {length} bases"
                raise self.wrong(part, expected)
            if not any(overlap(region, block) for block in self.blocks):
                simulated = " ".join(block.id for block in self.blocks)
                raise self.wrong(part, f"{text} has nothing of what is simulated: {simulated}")
            found.append(region)
        return tuple(found)

    def reads(self) -> ReadSets | None:
        if "reads" not in self.entry["formats"]:
            return None
        reads = self.entry.get("reads")
        if not reads:
            raise self.wrong("reads", "expected people, regions and depth, for the format reads")
        regions = self.regions("reads.regions", reads["regions"])
        return ReadSets(reads["people"], regions, reads["depth"])

    def encrypted_only(self) -> bool:
        asked = self.entry.get("encrypted_only", False)
        if asked and not self.entry.get("recipients"):
            raise self.wrong("encrypted_only", "expected recipients: else nobody could read it")
        return asked

    def recipients(self) -> tuple[Path, ...]:
        paths = self.entry.get("recipients", [])
        for path in paths:
            try:
                get_public_key(path)
            except Exception as error:
                expected = f"{path} is no Crypt4GH public key ({type(error).__name__}: {error})"
                raise self.wrong("recipients", expected) from None
        return tuple(map(Path, paths))


def overlap(one: Block, other: Block) -> bool:
    return one.contig == other.contig and one.start < other.end and other.start < one.end


def _check_installed(formats: Collection[str], source: object, key: str) -> None:
    if "grg" in formats and importlib.util.find_spec("pygrgl") is None:
        expected = "grg needs the package pygrgl, which is not installed (pip install pygrgl)"
        raise InputError(source, f"{key}.formats", expected)
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if "reads" in formats and missing:
        expected = f"reads need the programs {' '.join(TOOLS)}; not found: {' '.join(missing)}"
        raise InputError(source, f"{key}.formats", expected)
