"""What ``rehearsal dataset`` makes when an order does not say."""

from __future__ import annotations

from dataclasses import dataclass

PLANTED_AGE = 50.0  # generations since the founder of a planted variant
FORMATS = ("vcf", "phenopackets")


@dataclass(frozen=True, slots=True)
class Preset:
    """The people and regions of an order that names none."""

    people: dict[str, int]
    regions: tuple[str, ...]


PRESETS = {
    "tiny": Preset({"ES": 50, "FI": 50}, ("chr22:20000000-21000000",)),
    "small": Preset({"ES": 500, "FI": 500}, ("chr22:20000000-25000000",)),
    "chr22": Preset(dict.fromkeys(("DE", "ES", "FI", "IT", "PL"), 200), ("chr22",)),
}
