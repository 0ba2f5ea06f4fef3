"""What a run will ask a scheduler for, as lines for people: by rule, for its largest job."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import product

from needs import NEEDS, JobSizes, megabytes_of, minutes_of

HEADING = "What the largest job of each rule asks for, at the first attempt:"
MOST_NAMED = 4  # rules in one line


def asked_lines(
    wildcards: Mapping[str, Collection[str]], sizes: JobSizes, more_s: Mapping[str, float]
) -> Iterator[str]:
    """Say what jobs ask for, the longest first; rules that ask for the same are in one line.

    Args:
        wildcards: The names of the wildcards of each rule.
        sizes: The sizes of the run's jobs.
        more_s: Seconds that settings add to rules.

    Yields:
        Lines; none without rules.
    """
    alike = defaultdict(list)
    for rule, names in wildcards.items():
        largest = _largest(rule, names, sizes, more_s.get(rule, 0.0))
        if largest is not None:
            alike[largest].append(rule)
    if alike:
        yield HEADING
    for (minutes, gb), rules in sorted(alike.items(), reverse=True):
        more = len(rules) - MOST_NAMED
        named = ", ".join(rules[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield f"  {minutes:5,} min {gb:6,.1f} GB  {named}"


def _largest(
    rule: str, names: Collection[str], sizes: JobSizes, more_s: float
) -> tuple[int, float] | None:
    """Compute the most minutes and GB that a job of a rule asks for; None if it has no job."""
    found = list(map(sizes.of, _candidates(rule, names, sizes)))
    if not found:
        return None
    minutes = max(minutes_of(NEEDS[rule], size, 1, more_s) for size in found)
    mb = max(megabytes_of(NEEDS[rule], size) for size in found)
    return minutes, math.ceil(mb / 100) / 10


def _candidates(rule: str, names: Collection[str], sizes: JobSizes) -> Iterator[Mapping[str, str]]:
    """Yield wildcards of jobs of a rule, with its largest job among them."""
    if "name" in names:
        for export in sizes.exports_of(rule.removeprefix("export_")):
            values = {
                "name": [export.name],
                "place": export.places,
                "contig": sizes.contigs(export),
                "block": [sizes.longest_block],
            }
            chosen = [name for name in values if name in names]
            for one in product(*(values[name] for name in chosen)):
                yield dict(zip(chosen, one, strict=True))
    elif "block" in names:
        yield {"block": sizes.longest_block}
    elif "country" in names:
        yield from ({"country": code} for code in sizes.countries)
    else:
        yield {}
