"""The settings ``exports:`` of the configuration, checked before any work starts."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crypt4gh.keys import get_public_key

from rehearsal.errors import InputError, mismatch, shown
from rehearsal.formats.bcf_header import VCF_VERSIONS
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block, PlantedVariant, Variant

POOLED = "pooled"  # the place of files that hold all countries of an export
TRUTH = "truth"  # folder beside the places: the known answers
METADATA = ("catalogue.ttl", "catalogue.jsonld", "datasets.json")  # beside the places
LISTING = "encrypted.tsv"  # beside the places, if only encrypted files are kept

# names of the files of each format, by what one file covers: a contig, a block, a place
BY_CONTIG = {
    "bcf": ("{contig}.bcf", "{contig}.bcf.csi"),
    "vcf": ("{contig}.vcf.gz", "{contig}.vcf.gz.tbi"),
    "pgen": ("{contig}.pgen", "{contig}.pvar", "{contig}.match.pvar", "{contig}.psam"),
    "zarr": ("{contig}.vcz.zip",),
}
BY_BLOCK = {"trees": ("{block}.tsz",), "grg": ("{block}.grg",)}
BY_PLACE = {
    "phenopackets": ("phenopackets.jsonl.gz", "families.jsonl.gz"),
    "fhir": ("fhir.jsonl.gz",),
    "beacon": ("beacon",),
    "tables": ("tables",),
    "omop": ("omop",),
    "scores": ("scores",),
    "gwas": ("gwas",),
    "reads": ("reads",),
}
FORMATS = (*BY_CONTIG, *BY_BLOCK, *BY_PLACE)
# formats of a place that are folders: their names have no extension
FOLDERS = tuple(name for names in BY_PLACE.values() for name in names if "." not in name)
TOOLS = ("dwgsim", "minimap2")  # programs that make reads
# packages that only one format needs, with what installs them
PACKAGES = {
    "grg": ("pygrgl", "pip install pygrgl"),
    "trees": ("tszip", "pip install 'rehearsal[simulate]'"),
    "zarr": ("bio2zarr", "pip install 'rehearsal[simulate]'"),
}


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
    story: str | None  # only patients or planted variants of this story; None: of every story
    limit: int | None  # at most this many people per country, the first ones
    variants: tuple[Variant, ...] | None  # only these; None: all
    planted: tuple[PlantedVariant, ...]  # whose carriers ``people: carriers`` selects
    regions: tuple[Block, ...] | None
    recipients: tuple[Path, ...]
    encrypted_only: bool
    reads: ReadSets | None
    vcf_version: str = VCF_VERSIONS[0]  # that headers of BCF and VCF name

    def blocks(self, blocks: Iterable[Block]) -> list[Block]:
        """Return the blocks that the export has data of.

        Args:
            blocks: The run's blocks.
        """
        return [block for block in blocks if self._wants(block)]

    def contigs(self, blocks: Iterable[Block]) -> list[str]:
        """Return the contigs that the export has data of.

        Args:
            blocks: The run's blocks.
        """
        return list(dict.fromkeys(block.contig for block in self.blocks(blocks)))

    def files(self, blocks: Sequence[Block]) -> list[str]:
        """Return every file and folder of the export, relative to its own folder.

        Args:
            blocks: The run's blocks.
        """
        if self.encrypted_only:
            return [*METADATA, LISTING]
        encrypted = self.encrypted(blocks) if self.recipients else []
        return [*METADATA, *self._plain(blocks), *encrypted]

    def encrypted(self, blocks: Sequence[Block]) -> list[str]:
        """Return the encrypted copies of every file and folder, relative to the export's folder.

        Args:
            blocks: The run's blocks.
        """
        return [f"{file}.c4gh" for file in self._plain(blocks)]

    def of_reads(self) -> Export:
        """Return the part of the export that reads are made from.

        It has the first people of each place and everything in the regions of the reads.

        Raises:
            ValueError: The export has no settings of reads.
        """
        if self.reads is None:
            raise ValueError(mismatch(f"exports: {self.name}: reads", "a setting", "nothing"))
        return replace(self, limit=self.reads.people, regions=self.reads.regions, variants=None)

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
    """Read and check the exports.

    Args:
        entries: The entries of ``exports``, already accepted by the schema.
        source: The file they come from, for messages.
        countries: Codes of the run's countries.
        planted: The planted variants.
        blocks: The simulated blocks.
        stories: Names of the stories that are played, beside those of planted variants.

    Returns:
        The exports by name.

    Raises:
        InputError: A name appears twice; a country, format, story, variant or contig is unknown;
            a region is not simulated; a key cannot be read; or a program or package that a format
            needs is not installed.
    """
    exports: dict[str, Export] = {}
    for number, entry in enumerate(entries):
        key = f"exports.{number}"
        if entry["name"] in exports:
            expected = "a name that no other export has"
            raise InputError(source, f"{key}.name", expected, f"{shown(entry['name'])} twice")
        _check_installed(entry["formats"], source, key)
        read = _Entry(entry, source, key, countries, planted, blocks, stories)
        exports[entry["name"]] = read.export()
    return exports


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the list, with the values that it is checked against."""

    entry: Mapping[str, Any]
    source: object
    key: str
    countries: Sequence[str]
    all_planted: Sequence[PlantedVariant]
    blocks: Sequence[Block]
    stories: Collection[str]

    def wrong(self, part: str, expected: str, found: str) -> InputError:
        """Build the error about one part of the entry.

        Args:
            part: The key inside the entry.
            expected: What is allowed there.
            found: What stands there.
        """
        return InputError(self.source, f"{self.key}.{part}", expected, found)

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
            vcf_version=str(entry.get("vcf_version", VCF_VERSIONS[0])),
        )

    def formats(self) -> tuple[str, ...]:
        for kind in self.entry["formats"]:
            if kind not in FORMATS:
                raise self.wrong("formats", f"one of {', '.join(FORMATS)}", shown(kind))
        return tuple(dict.fromkeys(self.entry["formats"]))

    def chosen_countries(self) -> tuple[str, ...]:
        chosen = self.entry.get("countries") or self.countries
        for code in chosen:
            if code not in self.countries:
                expected = f"one of {', '.join(self.countries)}"
                raise self.wrong("countries", expected, shown(code))
        return tuple(dict.fromkeys(chosen))

    def story(self) -> str | None:
        """Return the only story whose patients or planted variants are meant; None for all."""
        story = self.entry.get("story")
        known = sorted({one.story for one in self.all_planted} | set(self.stories))
        if story is not None and story not in known:
            expected = f"one of {', '.join(known)}" if known else "no story: none is configured"
            raise self.wrong("story", expected, shown(story))
        return story

    def planted(self) -> tuple[PlantedVariant, ...]:
        """Return the planted variants that are meant: those of a story, or named ones."""
        story, names = self.story(), self.entry.get("variants", "all")
        if isinstance(names, str):
            return tuple(one for one in self.all_planted if story in (None, one.story))
        known = {f"{one.gene}:{one.name}": one for one in self.all_planted}
        for name in names:
            if name not in known:
                expected = "all: no variants are planted"
                if known:
                    expected = f"all, planted, or a list of {', '.join(known)}"
                raise self.wrong("variants", expected, shown(name))
        return tuple(known[name] for name in names)

    def regions(self, part: str, texts: Iterable[str]) -> tuple[Block, ...]:
        """Read regions (``CONTIG:START-END``) and check that each overlaps a simulated block.

        Args:
            part: The key inside the entry.
            texts: The regions.
        """
        found = []
        for text in texts:
            region = self._read_region(part, text)
            if not any(overlap(region, block) for block in self.blocks):
                simulated = ", ".join(self._simulated_near(region))
                expected = f"a region that overlaps what is simulated ({simulated})"
                raise self.wrong(part, expected, shown(text))
            found.append(region)
        return tuple(found)

    def _read_region(self, part: str, text: str) -> Block:
        """Read one region and check that it lies on a contig."""
        match = re.fullmatch(r"(\w+):([0-9]+)-([0-9]+)", text)
        if not match or int(match[2]) >= int(match[3]):
            expected = "CONTIG:START-END, 0-based, with START before END"
            raise self.wrong(part, expected, shown(text))
        region = Block(match[1], int(match[2]), int(match[3]))
        length = CONTIG_LENGTHS.get(region.contig)
        if length is None:
            raise self.wrong(part, "a contig of GRCh38, like chr1 or chrX", shown(text))
        if region.end > length:
            expected = f"an end of at most {length}, the length of {region.contig}"
            raise self.wrong(part, expected, shown(text))
        return region

    def _simulated_near(self, region: Block) -> list[str]:
        """List the simulated regions of a region's contig; if there are none, all contigs."""
        own = [block.region for block in self.blocks if block.contig == region.contig]
        return own or list(dict.fromkeys(block.contig for block in self.blocks))

    def reads(self) -> ReadSets | None:
        """Return the settings of the format ``reads``; None if it is not asked for."""
        if "reads" not in self.entry["formats"]:
            return None
        reads = self.entry.get("reads")
        if not reads:
            expected = "people, regions and depth for the format reads"
            raise self.wrong("reads", expected, "nothing")
        regions = self.regions("reads.regions", reads["regions"])
        return ReadSets(reads["people"], regions, reads["depth"])

    def encrypted_only(self) -> bool:
        asked = self.entry.get("encrypted_only", False)
        if asked and not self.entry.get("recipients"):
            raise self.wrong(
                "recipients", "at least one key, because encrypted_only is set", "nothing"
            )
        return asked

    def recipients(self) -> tuple[Path, ...]:
        paths = self.entry.get("recipients", [])
        for path in paths:
            try:
                get_public_key(path)
            except Exception as error:
                reason = getattr(error, "strerror", None) or error or type(error).__name__
                found = f"{shown(path)} ({reason})"
                raise self.wrong("recipients", "a Crypt4GH public key file", found) from None
        return tuple(map(Path, paths))


def overlap(one: Block, other: Block) -> bool:
    """Say whether two blocks share a base.

    Args:
        one: A block.
        other: Another.
    """
    return one.contig == other.contig and one.start < other.end and other.start < one.end


def _check_installed(formats: Collection[str], source: object, key: str) -> None:
    for kind in formats:
        check_package(kind, source, f"{key}.formats")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if "reads" in formats and missing:
        expected = f"the programs {' and '.join(TOOLS)} on the PATH for the format reads"
        raise InputError(source, f"{key}.formats", expected, f"no {' and no '.join(missing)}")


def check_package(kind: str, source: object, key: str) -> None:
    """Check that the package which writes a format is installed.

    Args:
        kind: The name of the format, for example ``pgen``.
        source: The file or command that asks for the format.
        key: The place in it.

    Raises:
        InputError: The package is missing. The text names the command that installs it.
    """
    package, command = PACKAGES.get(kind, (None, ""))
    if package is not None and importlib.util.find_spec(package) is None:
        expected = f"the Python package {package} for the format {kind} ({command})"
        raise InputError(source, key, expected, "no such package")
