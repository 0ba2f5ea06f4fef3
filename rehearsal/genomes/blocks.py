"""Divide the genome into blocks: tiles of requested regions, windows around planted variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import (
    ASSEMBLY,
    CONTIG_LENGTHS,
    KARYOTYPE_ORDER,
    PSEUDO_AUTOSOMAL,
)
from rehearsal.logs import note
from rehearsal.model import Block, PlantedVariant

CONFIG = "config.yaml"
VARIANTS = "variants.tsv"
SMALLEST_BLOCK = 5_000_000  # bases of a block that is chosen for very many people
PEOPLE_TIMES_BASES = 2.8e10  # of a larger one: about a CPU minute of simulation
WINDOW_UNIT = 1_000  # windows begin and end at multiples of this, where the contig allows


def parse_region(text: str, source: str = CONFIG, key: str = "genome.regions") -> Block:
    """Parse a region such as ``chr22:20000000-25000000`` or ``chr22``.

    Args:
        text: ``CONTIG:START-END``, 0-based half-open, or ``CONTIG`` for the whole contig.
        source: The file that error messages name.
        key: The key in it.

    Returns:
        The region as one stretch.

    Raises:
        InputError: The text is ill-formed, the contig is unknown, or the region is not within it.
    """
    key = f"{key}: {text}"
    match = re.fullmatch(r"(\w+)(?::([0-9]+)-([0-9]+))?", str(text))
    if not match:
        expected = "CONTIG or CONTIG:START-END (0-based half-open)"
        raise InputError(source, key, expected, shown(text))
    contig = match[1]
    if contig not in CONTIG_LENGTHS:
        expected = f"a contig of {ASSEMBLY} (chr1 to chr22, chrX, chrY or chrM)"
        raise InputError(source, key, expected, shown(contig))
    length = CONTIG_LENGTHS[contig]
    start, end = (int(match[2]), int(match[3])) if match[2] else (0, length)
    if end <= start:
        raise InputError(source, key, f"an end greater than the start {start}", str(end))
    if end > length:
        expected = f"an end of at most {length}, the length of {contig}"
        raise InputError(source, key, expected, str(end))
    return Block(contig, start, end)


def automatic_block_size(people: int) -> int:
    """Choose the length of blocks: as long as a block's simulation stays short.

    Segments that people share end where a block ends, so few people get long blocks.

    Args:
        people: People in all countries.

    Returns:
        Bases: 10 Mb for 2,800 people, 5 Mb from 5,600 people on.
    """
    return max(SMALLEST_BLOCK, int(PEOPLE_TIMES_BASES / max(people, 1)))


def plan_blocks(
    regions: Sequence[str],
    planted: Sequence[PlantedVariant],
    planted_window: int,
    block_size: int,
    masks: Iterable[Block] = (),
    source: str = CONFIG,
) -> list[Block]:
    """Plan the blocks of a run: in karyotype order, without overlaps.

    Regions are cut into tiles of ``block_size`` bases and leave out the masks. No block crosses the
    border of a pseudo-autosomal region, so all its bases have the same ploidy. A planted variant
    outside all regions gets a window of its own, which ends where a region, a mask or the end of
    the contig begins. Windows that overlap become one.

    Args:
        regions: Requested regions, as :func:`parse_region` reads them.
        planted: Planted variants. Each must end up within one block.
        planted_window: Width of a window in bases, rounded outward to 1 kb. 0 opens no windows.
        block_size: Largest length of a tile in bases. The last tile of a stretch may be shorter.
        masks: Stretches that no block may touch.
        source: The file that error messages name.

    Returns:
        The blocks.

    Raises:
        InputError: A region is ill-formed, outside its contig, overlaps another or is wholly
            masked, or a planted variant is in no block, in a mask, or across the end of a block.
    """
    if block_size < 1:
        expected = "a whole number of at least 1"
        raise InputError(source, "genome.block_size", expected, shown(block_size))
    asked = sorted(parse_region(text, source) for text in regions)
    _refuse_overlaps(asked, source)
    masks = list(masks)
    _refuse_masked(asked, masks, source)
    _note_parts_on_x(asked, masks)
    stretches = cut_at_borders(subtract(asked, masks))
    outside = [v for v in planted if not _holder(stretches, v)]
    windows = [_window(v, planted_window, source) for v in outside] if planted_window else []
    unasked = cut_at_borders(subtract(merge(windows), [*asked, *masks]))
    free = [window for window in unasked if _holds_any(window, outside)]
    blocks = [*tile(stretches, block_size), *free]
    blocks.sort(key=lambda block: (KARYOTYPE_ORDER[block.contig], block.start))
    for variant in planted:
        _check_planted(variant, blocks, masks, source)
    return blocks


def merge(stretches: Iterable[Block]) -> list[Block]:
    """Join stretches that overlap or touch.

    Args:
        stretches: Stretches in any order.

    Returns:
        The same bases as disjoint, sorted stretches.
    """
    merged: list[Block] = []
    for stretch in sorted(stretches):
        last = merged[-1] if merged else None
        if last and stretch.contig == last.contig and stretch.start <= last.end:
            merged[-1] = Block(last.contig, last.start, max(last.end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def subtract(stretches: Iterable[Block], holes: Iterable[Block]) -> list[Block]:
    """Remove holes from stretches.

    Args:
        stretches: Stretches to keep, disjoint.
        holes: Stretches to leave out, in any order. They may overlap.

    Returns:
        What is left, in the order of ``stretches``.
    """
    left: list[Block] = []
    holes = merge(holes)
    for stretch in stretches:
        start = stretch.start
        for hole in holes:
            if hole.contig != stretch.contig or hole.end <= start or hole.start >= stretch.end:
                continue
            if hole.start > start:
                left.append(Block(stretch.contig, start, hole.start))
            start = hole.end
        if start < stretch.end:
            left.append(Block(stretch.contig, start, stretch.end))
    return left


def cut_at_borders(stretches: Iterable[Block]) -> list[Block]:
    """Cut stretches where pseudo-autosomal regions begin and end.

    Args:
        stretches: Stretches to cut.

    Returns:
        The same bases, in the order of ``stretches``.
    """
    parts: list[Block] = []
    for stretch in stretches:
        regions = PSEUDO_AUTOSOMAL.get(stretch.contig, {}).values()
        borders = sorted(edge for region in regions for edge in region)
        inner = [edge for edge in borders if stretch.start < edge < stretch.end]
        edges = pairwise([stretch.start, *inner, stretch.end])
        parts += [Block(stretch.contig, start, end) for start, end in edges]
    return parts


def tile(stretches: Iterable[Block], size: int) -> list[Block]:
    """Cut stretches into blocks.

    Args:
        stretches: Stretches to cut.
        size: Length of a block in bases. The last block of a stretch may be shorter.

    Returns:
        The blocks, in the order of ``stretches``.
    """
    return [
        Block(stretch.contig, start, min(start + size, stretch.end))
        for stretch in stretches
        for start in range(stretch.start, stretch.end, size)
    ]


def planted_in(block: Block, planted: Iterable[PlantedVariant]) -> list[PlantedVariant]:
    """Select the planted variants whose first base lies in a block.

    Args:
        block: The block.
        planted: Planted variants of any contig.

    Returns:
        The selected variants in order of position.
    """
    inside = [v for v in planted if block.holds(v.variant.contig, v.variant.start)]
    return sorted(inside, key=lambda v: v.variant)


def variant_label(planted: PlantedVariant) -> str:
    """Name a planted variant in a message: ``BRCA1 c.68_69del (chr17-43124027-ACT-A)``.

    Args:
        planted: The variant.

    Returns:
        Gene, name and the variant with its 1-based position.
    """
    return f"{planted.label} ({planted.variant})"


def _refuse_overlaps(asked: Sequence[Block], source: str) -> None:
    for first, second in pairwise(asked):
        if first.contig == second.contig and second.start < first.end:
            found = f"{first.region} and {second.region}"
            raise InputError(source, "genome.regions", "regions that do not overlap", found)


def _refuse_masked(asked: Sequence[Block], masks: Sequence[Block], source: str) -> None:
    for region in asked:
        if not subtract([region], masks):
            expected = "a region with bases outside the masks"
            raise InputError(source, "genome.regions", expected, f"{region.region}, all masked")


def _note_parts_on_x(asked: Iterable[Block], masks: Sequence[Block]) -> None:
    """Say which parts of regions on chrY are left out because their variants are on chrX."""
    for region in asked:
        for name, (first, last) in PSEUDO_AUTOSOMAL["chrY"].items():
            part = Block("chrY", max(first, region.start), min(last, region.end))
            is_part = region.contig == "chrY" and part.start < part.end
            if is_part and not subtract([part], masks):
                note(f"{part.region} is left out: it lies in {name}, whose variants are on chrX")


def _window(planted: PlantedVariant, width: int, source: str) -> Block:
    variant = planted.variant
    length = CONTIG_LENGTHS.get(variant.contig, 0)
    if not 0 <= variant.start < length:
        found = variant_label(planted)
        raise InputError(source, "variants", f"a position on a contig of {ASSEMBLY}", found)
    start = max(0, (variant.start - width // 2) // WINDOW_UNIT * WINDOW_UNIT)
    end = min(length, -(-(variant.start + width - width // 2) // WINDOW_UNIT) * WINDOW_UNIT)
    return Block(variant.contig, start, end)


def _holder(stretches: Iterable[Block], planted: PlantedVariant) -> Block | None:
    """Find the stretch that holds the variant's first base."""
    variant = planted.variant
    return next((s for s in stretches if s.holds(variant.contig, variant.start)), None)


def _holds_any(stretch: Block, planted: Iterable[PlantedVariant]) -> bool:
    return any(stretch.holds(v.variant.contig, v.variant.start) for v in planted)


def _check_planted(
    planted: PlantedVariant, blocks: Sequence[Block], masks: Sequence[Block], source: str
) -> None:
    variant, label = planted.variant, variant_label(planted)
    if _holder(masks, planted):
        expected = "masks that leave out the planted variants"
        raise InputError(source, "genome.masks", expected, f"a mask over {label}")
    block = _holder(blocks, planted)
    if block is None:
        expected = "a region around each planted variant, or a planted_window of at least 1 base"
        raise InputError(source, "genome.regions", expected, f"neither for {label}")
    if variant.start + len(variant.ref) > block.end:
        expected = "the whole REF of each planted variant in one block"
        found = f"{label}, whose REF crosses the end of the block {block.region}"
        raise InputError(source, "genome.regions", expected, found)
