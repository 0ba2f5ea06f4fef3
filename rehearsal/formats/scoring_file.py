"""Polygenic scoring files in the format of the PGS Catalog (version 2.0, pgscatalog.org/downloads).

A header of ``#key=value`` lines, then tab-separated columns with 1-based positions on GRCh38. Ours
adds two keys to the header, so that every node tells scores on one scale without looking at anybody
else's people: ``reference_mean`` and ``reference_sd`` of the sum of weights in the people that the
weights are from.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.files import content_digest

SUFFIX = ".txt.gz"
BUILD = "GRCh38"
NEEDED = ("chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight")
MEAN, SD = "reference_mean", "reference_sd"


@dataclass(frozen=True, slots=True)
class Weight:
    """What one copy of ``alt`` adds to a score. ``start`` is 0-based."""

    contig: str
    start: int
    ref: str
    alt: str
    weight: float


@dataclass(frozen=True, slots=True)
class ScoringFile:
    """A score. ``digest``: SHA-256 of the file's text, by which the file is named in requests.

    A person's score is ``(sum(weight * copies) - mean) / sd``.
    """

    digest: str
    name: str
    trait: str
    mean: float
    sd: float
    weights: tuple[Weight, ...]


def read_scoring_file(path: Path) -> ScoringFile:
    """A scoring file, gzipped or not. Raises InputError naming the file, the line and what is
    wrong: other builds, missing columns, weights that are no numbers, a header without a scale."""
    lines = _read_lines(path)
    header = _read_header(lines)
    if header.get("genome_build") != BUILD:
        raise InputError(path, "genome_build", f"{BUILD}, not {header.get('genome_build')}")
    mean, sd = (_number(path, key, header.get(key, "")) for key in (MEAN, SD))
    if sd <= 0:
        raise InputError(path, SD, f"a number above 0, not {sd:g}")
    return ScoringFile(
        content_digest(path),
        header.get("pgs_id") or path.name.removesuffix(SUFFIX),
        header.get("trait_reported", ""),
        mean,
        sd,
        _read_weights(path, lines),
    )


def _read_lines(path: Path) -> list[str]:
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            return file.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(path, "file", f"a readable scoring file ({error})") from None


def _read_header(lines: Sequence[str]) -> dict[str, str]:
    pairs = (
        line.lstrip("#").partition("=") for line in lines if line.startswith("#") and "=" in line
    )
    return {key: value for key, _, value in pairs}


def _read_weights(path: Path, lines: Sequence[str]) -> tuple[Weight, ...]:
    rows = [(n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not rows:
        raise InputError(path, "columns", ", ".join(NEEDED))
    columns = rows[0][1].split("\t")
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise InputError(path, f"line {rows[0][0]}", f"the columns {', '.join(missing)}")
    places = [columns.index(name) for name in NEEDED]
    return tuple(_weight(path, number, line.split("\t"), places) for number, line in rows[1:])


def _weight(path: Path, number: int, cells: list[str], places: list[int]) -> Weight:
    where = f"line {number}"
    if len(cells) <= max(places):
        raise InputError(path, where, f"the {max(places) + 1} columns of the line of names")
    contig, position, effect, other, weight = (cells[place] for place in places)
    if not position.isascii() or not position.isdigit() or int(position) < 1:
        raise InputError(path, where, f"a chr_position from 1 on, not {position!r}")
    return Weight(
        contig if contig.startswith("chr") else f"chr{contig}",
        int(position) - 1,
        other,
        effect,
        _number(path, f"{where}: effect_weight", weight),
    )


def _number(path: Path, key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(path, key, f"a number, not {text!r}")
    return number
