"""What ``rehearsal dataset`` makes when an order does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.errors import InputError, shown
from rehearsal.export.settings import FORMATS as ALL_FORMATS

PLANTED_AGE = 50.0  # generations since the founder of a planted variant
FORMATS = ("vcf", "phenopackets")
COMMAND = "rehearsal dataset"
RUN_ONLY_FORMATS = ("reads", "grg")  # formats that only a run makes


def check_formats(formats: Sequence[str]) -> None:
    """Check the export formats of an order.

    Args:
        formats: Their names.

    Raises:
        InputError: There is none, or one that is no format of a dataset.
    """
    made = [kind for kind in ALL_FORMATS if kind not in RUN_ONLY_FORMATS]
    if not formats:
        raise InputError(COMMAND, "--formats", "at least one format", "nothing")
    for kind in formats:
        if kind not in made:
            of_run = " (a format that only a run makes)" if kind in RUN_ONLY_FORMATS else ""
            expected = f"one of {', '.join(made)}"
            raise InputError(COMMAND, "--formats", expected, f"{shown(kind)}{of_run}")


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
