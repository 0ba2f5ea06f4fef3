"""Cuts the genome into blocks: tiles of the regions asked for, windows around planted variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS, KARYOTYPE_ORDER
from rehearsal.model import Block, PlantedVariant

CONFIG = "config.yaml"
VARIANTS = "variants.tsv"
WINDOW_UNIT = 1_000  # windows begin and end at multiples of this, where the contig allows


def parse_region(text: str, source: str = CONFIG) -> Block:
    """The stretch that ``chr22:20000000-25000000`` (0-based half-open) or ``chr22`` names.

    Raises InputError for an unknown contig, a stretch outside it, and anything ill-formed.
    """
    key = f"genome.regions: {text}"
    match = re.fullmatch(r"(\w+)(?::(\d+)-(\d+))?", str(text))
    if not match:
        raise InputError(source, key, "expected CONTIG or CONTIG:START-END, 0-based half-open")
    contig = match[1]
    if contig not in CONTIG_LENGTHS:
        raise InputError(source, key, f"expected a contig of {ASSEMBLY} (chr1-chr22, chrX, ...)")
    length = CONTIG_LENGTHS[contig]
    start, end = (int(match[2]), int(match[3])) if match[2] else (0, length)
    if end <= start:
        raise InputError(source, key, "expected the end to be greater than the start")
    if end > length:
        raise InputError(source, key, f"expected an end of at most {length}, the contig's length")
    return Block(contig, start, end)


def plan_blocks(
    regions: Sequence[str],
    planted: Sequence[PlantedVariant],
    planted_window: int,
    block_size: int,
    masks: Iterable[Block] = (),
    source: str = CONFIG,
) -> list[Block]:
    """The blocks of a run, in karyotype order, never overlapping.

    Regions are tiled by ``block_size`` bases (the last tile of a stretch may be shorter) and leave
    out the masks. A planted variant in no region gets a window of ``planted_window`` bases around
    it, rounded outward to 1 kb, cut where a region, a mask or the contig's end begins; windows
    that overlap become one. Raises InputError for regions that are ill-formed, outside their
    contig, overlapping or wholly in masks, and for a planted variant that would stand in no block,
    in a mask, or across a block's end.
    """
    if block_size < 1:
        raise InputError(source, "genome.block_size", f"expected at least 1, found {block_size}")
    asked = sorted(parse_region(text, source) for text in regions)
    _refuse_overlaps(asked, source)
    masks = list(masks)
    _refuse_masked(asked, masks, source)
    stretches = subtract(asked, masks)
    outside = [v for v in planted if not _holder(stretches, v)]
    windows = [_window(v, planted_window, source) for v in outside] if planted_window else []
    free = [w for w in subtract(merge(windows), [*asked, *masks]) if _holds_any(w, outside)]
    blocks = [*tile(stretches, block_size), *free]
    blocks.sort(key=lambda block: (KARYOTYPE_ORDER[block.contig], block.start))
    for variant in planted:
        _check_planted(variant, blocks, masks, source)
    return blocks


def merge(stretches: Iterable[Block]) -> list[Block]:
    """The same bases as disjoint sorted stretches; overlapping and touching ones become one."""
    merged: list[Block] = []
    for stretch in sorted(stretches):
        last = merged[-1] if merged else None
        if last and stretch.contig == last.contig and stretch.start <= last.end:
            merged[-1] = Block(last.contig, last.start, max(last.end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def subtract(stretches: Iterable[Block], holes: Iterable[Block]) -> list[Block]:
    """What is left of each stretch without the holes, in order."""
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


def tile(stretches: Iterable[Block], size: int) -> list[Block]:
    """Each stretch cut into blocks of ``size`` bases; its last block may be shorter."""
    return [
        Block(stretch.contig, start, min(start + size, stretch.end))
        for stretch in stretches
        for start in range(stretch.start, stretch.end, size)
    ]


def planted_in(block: Block, planted: Iterable[PlantedVariant]) -> list[PlantedVariant]:
    """The planted variants whose first base lies in the block, in order of position."""
    inside = [v for v in planted if block.holds(v.variant.contig, v.variant.start)]
    return sorted(inside, key=lambda v: v.variant)


def variant_label(planted: PlantedVariant) -> str:
    """How a message names a planted variant: ``BRCA1 c.68_69del (chr17-43124027-ACT-A)``."""
    return f"{planted.gene} {planted.name} ({planted.variant})"


def _refuse_overlaps(asked: Sequence[Block], source: str) -> None:
    for first, second in pairwise(asked):
        if first.contig == second.contig and second.start < first.end:
            expected = f"expected regions that do not overlap, found {first.id} and {second.id}"
            raise InputError(source, "genome.regions", expected)


def _refuse_masked(asked: Sequence[Block], masks: Sequence[Block], source: str) -> None:
    for region in asked:
        if not subtract([region], masks):
            expected = f"expected bases outside the masks, found none in {region.id}"
            raise InputError(source, "genome.regions", expected)


def _window(planted: PlantedVariant, width: int, source: str) -> Block:
    variant = planted.variant
    length = CONTIG_LENGTHS.get(variant.contig, 0)
    if not 0 <= variant.start < length:
        raise InputError(source, "variants", f"{variant_label(planted)} is not on {ASSEMBLY}")
    start = max(0, (variant.start - width // 2) // WINDOW_UNIT * WINDOW_UNIT)
    end = min(length, -(-(variant.start + width - width // 2) // WINDOW_UNIT) * WINDOW_UNIT)
    return Block(variant.contig, start, end)


def _holder(stretches: Iterable[Block], planted: PlantedVariant) -> Block | None:
    """The stretch with the variant's first base."""
    variant = planted.variant
    return next((s for s in stretches if s.holds(variant.contig, variant.start)), None)


def _holds_any(stretch: Block, planted: Iterable[PlantedVariant]) -> bool:
    return any(stretch.holds(v.variant.contig, v.variant.start) for v in planted)


def _check_planted(
    planted: PlantedVariant, blocks: Sequence[Block], masks: Sequence[Block], source: str
) -> None:
    variant, label = planted.variant, variant_label(planted)
    if _holder(masks, planted):
        raise InputError(source, "genome.masks", f"{label} stands in a mask, where no block can be")
    block = _holder(blocks, planted)
    if block is None:
        expected = f"expected a region or a planted_window of 1 or more for {label}"
        raise InputError(source, "genome.regions", expected)
    if variant.start + len(variant.ref) > block.end:
        expected = f"{label}: its REF runs over the end of the block {block.id}"
        raise InputError(source, "genome.regions", expected)
