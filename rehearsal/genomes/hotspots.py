"""The recombination map that a run draws for a contig: hotspots on a background.

People's maps have hotspots, 1 to 2 kb wide, with most of all crossovers, and vary broadly along a
chromosome (Myers et al. 2005, doi:10.1126/science.1117196). The drawn map has these features at
random places. It is nobody's map: no hotspot is where a person has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msprime
import numpy as np

from rehearsal.files import atomic_path
from rehearsal.formats.gzip_stream import open_gzip
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.recombination import CM_PER_MB, mean_rate, uniform_map
from rehearsal.seeds import derive_seed

HEADER = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n"
RATE_DECIMALS = 6  # of a rate in cM/Mb, in the file and in the map: both are the same map


@dataclass(frozen=True, slots=True)
class Hotspots:
    """How a map is drawn. The keys of ``genome.hotspots`` in the configuration."""

    share: float  # of all recombination, in hotspots; 0: none, the rest of the map still varies
    spacing: float  # mean distance of the starts of neighbouring hotspots, in bases
    width: int  # bases
    sigma: float  # standard deviation of the logarithm of a hotspot's intensity
    broad_length: int  # bases that share a factor of all rates
    broad_sigma: float  # standard deviation of the logarithm of these factors

    @classmethod
    def of_genome(cls, genome: Mapping[str, Mapping[str, float]]) -> Hotspots:
        """Read the settings from the section ``genome`` of the configuration.

        Args:
            genome: The section.

        Returns:
            The settings.
        """
        return cls(**genome["hotspots"])  # type: ignore[arg-type]


def hotspot_map(contig: str, rate: float | None, hotspots: Hotspots, seed: int) -> msprime.RateMap:
    """Draw the map of a contig. It depends on its arguments only.

    Args:
        contig: A contig of GRCh38. On chrY and chrM the rate is 0.
        rate: Mean rate of the contig, in Morgans per base. None: the published one.
        hotspots: How the map is drawn.
        seed: The run's root seed.

    Returns:
        The map of the whole contig, in Morgans per base.
    """
    rate = mean_rate(contig, rate)
    if rate == 0:
        return uniform_map(contig, rate)
    length = CONTIG_LENGTHS[contig]
    rng = np.random.default_rng(derive_seed(seed, "recombination map", contig))
    broad = np.arange(0, length, hotspots.broad_length)
    factor = rng.lognormal(0, hotspots.broad_sigma, len(broad))
    start = _hotspot_starts(length, hotspots, rng)
    intensity = rng.lognormal(0, hotspots.sigma, len(start))
    edges = np.unique(np.concatenate([broad, start, start + hotspots.width, [0, length]]))
    left, span = edges[:-1], np.diff(edges)
    last = np.searchsorted(start, left, side="right") - 1
    hot = (last >= 0) & (left < start[last] + hotspots.width)
    relative = factor[left // hotspots.broad_length]
    inside = np.where(hot, relative * intensity[last], 0)
    density = (1 - hotspots.share) * relative / (relative * span).sum()
    density += hotspots.share * inside / (inside * span).sum()
    rates = np.round(density * rate * length * CM_PER_MB, RATE_DECIMALS)
    return msprime.RateMap(position=edges, rate=rates / CM_PER_MB)


def _hotspot_starts(length: int, hotspots: Hotspots, rng: np.random.Generator) -> np.ndarray:
    """Draw where hotspots begin: exponential stretches between them, so that none overlap."""
    between = max(hotspots.spacing - hotspots.width, 1)
    number = int(2 * length / (between + hotspots.width)) + 20  # twice as many as expected
    gaps = np.ceil(rng.exponential(between, number)).astype(np.int64)
    start = np.cumsum(gaps) + hotspots.width * np.arange(number)
    start = start[start + hotspots.width < length]
    return start if len(start) else np.array([length // 2])


def write_hapmap(recombination: msprime.RateMap, contig: str, path: Path | str) -> None:
    """Write a map in HapMap format, gzipped: the same map, the same bytes.

    Args:
        recombination: The map of the whole contig, in Morgans per base.
        contig: The contig.
        path: The file. A row has a 1-based position in the format's words and no half: the rate
            holds from it to the next row, as msprime reads it.
    """
    rates = np.append(recombination.rate * CM_PER_MB, 0)
    centimorgans = recombination.get_cumulative_mass(recombination.position) * 100
    with atomic_path(path) as aside, open_gzip(aside) as stream:
        stream.write(HEADER.encode())
        for row in zip(recombination.position, rates, centimorgans, strict=True):
            position, cm_per_mb, cm = row
            line = f"{contig}\t{position:.0f}\t{cm_per_mb:.{RATE_DECIMALS}f}\t{cm:.8f}\n"
            stream.write(line.encode())
