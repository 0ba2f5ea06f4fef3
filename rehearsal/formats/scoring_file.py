"""Read polygenic scoring files in the format of the PGS Catalog (version 2.0).

The format: pgscatalog.org/downloads. A header of ``#key=value`` lines is followed by tab-separated
columns with 1-based positions on GRCh38. Files of a run have two more keys in the header, so that
all nodes give scores on one scale without access to other nodes' people: ``reference_mean`` and
``reference_sd`` of the sum of weights in the people from whom the weights are.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.files import content_digest

SUFFIX = ".txt.gz"
BUILD = "GRCh38"
NEEDED = ("chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight")
MEAN, SD = "reference_mean", "reference_sd"


@dataclass(frozen=True, slots=True)
class Weight:
    """The contribution of one copy of an allele to a score."""

    contig: str
    start: int  # 0-based
    ref: str  # the other allele
    alt: str  # the effect allele
    weight: float


@dataclass(frozen=True, slots=True)
class ScoringFile:
    """A polygenic score. A person's score is ``(sum(weight * copies) - mean) / sd``."""

    digest: str  # SHA-256 of the file's text; identifies the file in requests
    name: str
    trait: str
    mean: float  # of the sum of weights in the reference people
    sd: float  # of the same sum
    weights: tuple[Weight, ...]


def read_scoring_file(path: Path) -> ScoringFile:
    """Read a scoring file, gzipped or not.

    Args:
        path: The file.

    Returns:
        The score.

    Raises:
        InputError: The file has another genome build, lacks a column or the scale in its header,
            or has a weight that is not a number. Names the file and the line.
    """
    lines = _read_lines(path)
    header = _read_header(lines)
    if header.get("genome_build") != BUILD:
        given = header.get("genome_build")
        found = "nothing" if given is None else shown(given)
        raise InputError(path, "genome_build", BUILD, found)
    mean, sd = (_number(path, key, header.get(key, "")) for key in (MEAN, SD))
    if sd <= 0:
        raise InputError(path, SD, "a number above 0", f"{sd:g}")
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
        found = unreadable_file(error)
        raise InputError(path, "file", "a scoring file of the PGS Catalog", found) from None


def _read_header(lines: Sequence[str]) -> dict[str, str]:
    pairs = (
        line.lstrip("#").partition("=") for line in lines if line.startswith("#") and "=" in line
    )
    return {key: value for key, _, value in pairs}


def _read_weights(path: Path, lines: Sequence[str]) -> tuple[Weight, ...]:
    rows = [(n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not rows:
        raise InputError(path, "columns", f"the columns {', '.join(NEEDED)}", "nothing")
    columns = rows[0][1].split("\t")
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        expected, found = f"the columns {', '.join(NEEDED)}", f"no column {', '.join(missing)}"
        raise InputError(path, f"line {rows[0][0]}", expected, found)
    places = [columns.index(name) for name in NEEDED]
    return tuple(_weight(path, number, line.split("\t"), places) for number, line in rows[1:])


def _weight(path: Path, number: int, cells: list[str], places: list[int]) -> Weight:
    where = f"line {number}"
    if len(cells) <= max(places):
        expected = f"at least {max(places) + 1} columns, as in the line of column names"
        raise InputError(path, where, expected, f"{len(cells)} columns")
    contig, position, effect, other, weight = (cells[place] for place in places)
    if not position.isascii() or not position.isdigit() or int(position) < 1:
        expected = "a whole number of at least 1"
        raise InputError(path, f"{where}: chr_position", expected, shown(position))
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
        raise InputError(path, key, "a number", shown(text) if text else "nothing")
    return number
