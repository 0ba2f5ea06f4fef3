"""A check, before the first job, that the disk has room for what exports will write."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.export.settings import POOLED, Export
from rehearsal.model import Block

# Sites per base in n people: simulated chr21 (40.1 Mb called), n = 1,000 to a million. Bytes per
# site and person at a million people. Both are from the VCF Zarr paper (r). Smaller cohorts take
# more per person, so this is a lower bound.
_SITES_PER_BASE, _GROWTH = 0.0101, 0.42
_BYTES = {"bcf": 0.0077, "vcf": 0.012, "zarr": 0.0035}


def check_disk_space(
    exports: Iterable[Export], numbers: Mapping[str, int], blocks: Sequence[Block], results: Path
) -> None:
    """Check that the disk has room for the genotypes that are expected.

    Args:
        exports: The exports.
        numbers: Number of people by country code.
        blocks: The simulated blocks.
        results: Folder of the results; it need not exist yet.

    Raises:
        InputError: The free space is too small.
    """
    needed = sum(_expected_bytes(export, numbers, blocks) for export in exports)
    there = next(path for path in (results, *results.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        expected = f"about {needed / 1e9:.1f} GB of free disk space for genotypes"
        raise InputError(results, "exports", expected, f"{free / 1e9:.1f} GB")


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
