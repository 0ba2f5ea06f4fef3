"""Read the records of variants that a Beacon returns: the allele, and its frequencies.

Beacons give less or more and differ in names. Only ``population`` and ``alleleFrequency`` are
demanded of a frequency. Copies by zygosity are counted in alleles (``alleleCountHomozygous``, as
the European initiative writes) or in people (``genotypeHomozygous``, as gnomAD writes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.errors import mismatch, shown

# where the frequencies of one source stand: the name of the standard, and that of some programs
FREQUENCIES, POPULATIONS = "frequencies", "populations"
# a count of an entry: its names, each with the number of alleles that it counts as one
COUNTS: dict[str, dict[str, int]] = {
    "count": {"alleleCount": 1},
    "number": {"alleleNumber": 1},
    "homozygous": {"alleleCountHomozygous": 1, "genotypeHomozygous": 2},
    "heterozygous": {"alleleCountHeterozygous": 1, "genotypeHeterozygous": 1},
    "hemizygous": {"alleleCountHemizygous": 1, "genotypeHemizygous": 1},
}
# groups by the words for a sex: short ones only at the end of a name, which may have any others
SEXES = {
    "_F": {"female", "females", "women"},
    "_M": {"male", "males", "men"},
}
LAST_WORDS = {"f": "_F", "xx": "_F", "m": "_M", "xy": "_M"}


@dataclass(frozen=True, slots=True)
class AlleleTally:
    """The counts of one allele in one population. All count ALLELES.

    ``homozygous + heterozygous + hemizygous == count``: a person with two copies adds 2 to
    ``homozygous``. These three are None if the Beacon does not give them.

    Args:
        count: Copies of the allele.
        number: Called alleles.
        homozygous: Copies in homozygous people.
        heterozygous: Copies in heterozygous people.
        hemizygous: Copies in hemizygous people.
    """

    count: int
    number: int  # alleles called
    homozygous: int | None = None
    heterozygous: int | None = None
    hemizygous: int | None = None

    def __add__(self, other: AlleleTally) -> AlleleTally:
        return AlleleTally(
            self.count + other.count,
            self.number + other.number,
            _sum(self.homozygous, other.homozygous),
            _sum(self.heterozygous, other.heterozygous),
            _sum(self.hemizygous, other.hemizygous),
        )

    @property
    def frequency(self) -> float:
        """Allele frequency; 0.0 where no allele was called."""
        return self.count / self.number if self.number else 0.0


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


# (start, reference bases, alternate bases or symbolic allele, end, length), on the contig of the
# query; end and length are 0 for all but structural variants, whose alleles do not tell them
AlleleKey = tuple[int, str, str, int, int]


def frequency_entries(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the population and the entry of every frequency in a record.

    Args:
        record: Beacon record of a variant.

    Raises:
        KeyError: An entry names no population.
    """
    for source in record.get("frequencyInPopulations") or ():
        for entry in source.get(FREQUENCIES) or source.get(POPULATIONS) or ():
            yield str(entry["population"]), entry


def group_of(population: str) -> str:
    """Tell whom a population has: ``_F`` women, ``_M`` men, an empty text all people.

    Args:
        population: Its name, which may have a word for a sex (``Finnish females``, ``Finland
            (women)``) or end in ``F``, ``M``, ``XX`` or ``XY`` (``FI_F``). A name with both sexes
            means all people.
    """
    words = re.findall("[a-z0-9]+", population.lower())
    groups = {group for group, names in SEXES.items() if not names.isdisjoint(words)}
    if not groups and words and words[-1] in LAST_WORDS:
        groups = {LAST_WORDS[words[-1]]}
    return groups.pop() if len(groups) == 1 else ""


def given_counts(entry: Mapping[str, Any]) -> dict[str, int]:
    """Read the counts that an entry gives, by their names in :class:`AlleleTally`.

    Args:
        entry: Entry of a population.

    Raises:
        ValueError: A count is not a whole number.
    """
    return {
        field: _whole(entry[name]) * alleles
        for field, names in COUNTS.items()
        for name, alleles in names.items()
        if entry.get(name) is not None
    }


def record_frequencies(record: Mapping[str, Any]) -> dict[str, AlleleTally]:
    """Read the allele counts of one variant by population, for example ``FI``, ``FI_M``, ``FI_F``.

    A population with a frequency and no counts is left out: it cannot be added to others.

    Args:
        record: Beacon record of a variant.

    Raises:
        KeyError: An entry names no population.
        ValueError: A count is not a whole number.
    """
    counts = {population: given_counts(entry) for population, entry in frequency_entries(record)}
    return {
        population: AlleleTally(**given)
        for population, given in counts.items()
        if {"count", "number"} <= given.keys()
    }


def group_frequencies(record: Mapping[str, Any]) -> dict[str, float]:
    """Read the frequency of one variant in all people, women and men.

    Args:
        record: Beacon record of a variant.

    Returns:
        Frequencies by group: an empty text, ``_F``, ``_M``. Of several populations of a group the
        first one counts.

    Raises:
        KeyError: An entry names no population.
        ValueError: A count is not a whole number.
    """
    found: dict[str, float] = {}
    for population, entry in frequency_entries(record):
        counts, frequency = given_counts(entry), entry.get("alleleFrequency")
        if counts.get("number") and "count" in counts:
            frequency = counts["count"] / counts["number"]
        if frequency is not None:
            found.setdefault(group_of(population), float(frequency))
    return found


def _whole(value: object) -> int:
    """Read an allele count. The JSON examples of the standard write whole numbers as ``7102.0``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(mismatch("allele count", "a whole number", shown(value)))
    return int(value)


def allele_key(record: Mapping[str, Any]) -> AlleleKey:
    """Identify the allele of a variant's record.

    Args:
        record: Beacon record of a variant.

    Returns:
        Start (0-based), reference bases, alternate bases or the symbolic allele, and, of a
        structural variant with a length, its end (0-based, exclusive) and length. An ``Allele`` of
        VRS has no reference bases. Those of a ``CopyNumberChange`` of VRS, which has no bases, are
        of the VCF allele in ``info`` if there is one.

    Raises:
        KeyError: The record has no such ``variation``.
    """
    variation = record["variation"]
    if variation.get("type") == "CopyNumberChange":
        return _copy_number_key(variation, record.get("info", {}))
    interval, length = variation["location"]["interval"], variation.get("length")
    if "state" in variation:
        return _bound(interval, "start"), "", variation["state"]["sequence"], 0, 0
    return (
        _bound(interval, "start"),
        variation["referenceBases"],
        variation.get("symbolicAllele") or variation["alternateBases"],
        _bound(interval, "end") if length else 0,
        int(length) if length else 0,
    )


def _bound(interval: Mapping[str, Any], bound: str) -> int:
    """Read the bound of an interval: an object in newer versions of VRS, a number in older ones."""
    value = interval[bound]
    return int(value if isinstance(value, int) else value["value"])


def _copy_number_key(variation: Mapping[str, Any], vcf: Mapping[str, Any]) -> AlleleKey:
    """Identify a copy number by the base before it, as VCF does."""
    interval = variation["subject"]["interval"]
    start, end = (_bound(interval, bound) for bound in ("start", "end"))
    allele = vcf.get("symbolicAllele") or variation["copy_change"]
    return start - 1, vcf.get("referenceBases", ""), allele, end, end - start
