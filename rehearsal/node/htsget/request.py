"""What a ticket is asked for: format, header only or not, regions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rehearsal.node.htsget.errors import HtsgetProblem
from rehearsal.web.problem import shown

FORMATS = ("VCF", "BCF")  # the first is meant when none is named
LAST = 2**32 - 1  # positions are unsigned numbers of 32 bits


@dataclass(frozen=True, slots=True)
class Region:
    """The stretch ``[start, end)`` of a contig."""

    contig: str
    start: int = 0
    end: int = LAST


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """``regions`` are disjoint and sorted by start within a contig; None: everything."""

    format: str
    header_only: bool
    regions: tuple[Region, ...] | None


def from_query(items: Iterable[tuple[str, str]]) -> TicketRequest:
    """A GET request. Raises HtsgetProblem."""
    values: dict[str, Any] = {}
    for name, value in items:
        if name in values:
            raise HtsgetProblem("InvalidInput", f"{shown(name)} is given twice")
        values[name] = value
    for name in ("start", "end"):
        if name in values and re.fullmatch(r"[0-9]{1,10}", values[name]):
            values[name] = int(values[name])
    for name in ("fields", "tags", "notags"):
        if name in values:
            values[name] = [one for one in values[name].split(",") if one]
    place = {name: values.pop(name) for name in ("referenceName", "start", "end") if name in values}
    if "regions" in values:
        raise HtsgetProblem("InvalidInput", "regions are asked for by POST")
    if place:
        values["regions"] = [place]
    return _request(values)


def from_body(body: bytes) -> TicketRequest:
    """A POST request. Raises HtsgetProblem."""
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HtsgetProblem("InvalidInput", "the body is not JSON") from None
    if not isinstance(values, dict):
        raise HtsgetProblem("InvalidInput", "the body is not an object")
    if not {"referenceName", "start", "end"}.isdisjoint(values):
        raise HtsgetProblem("InvalidInput", "a POST names places in regions")
    return _request(values)


def _request(values: Mapping[str, Any]) -> TicketRequest:
    if "referenceMD5" in values:
        raise HtsgetProblem("InvalidInput", "name the reference, not its MD5")
    fmt = values.get("format", FORMATS[0])
    if fmt not in FORMATS:
        raise HtsgetProblem("UnsupportedFormat", f"format {shown(fmt)}: {' or '.join(FORMATS)}")
    _check_filters(values)
    wanted = values.get("class")
    if wanted not in (None, "header"):
        raise HtsgetProblem("InvalidInput", f"class {shown(wanted)}: header, or leave it out")
    others = {"regions", "fields", "tags", "notags"} & set(values)
    if wanted and others:
        raise HtsgetProblem("InvalidInput", f"class=header with {', '.join(sorted(others))}")
    regions = values.get("regions")
    if regions is None:
        return TicketRequest(fmt, bool(wanted), None)
    if not isinstance(regions, list) or not regions:
        raise HtsgetProblem("InvalidInput", "regions: a list of one or more")
    return TicketRequest(fmt, False, merged(map(_region, regions)))


def _check_filters(values: Mapping[str, Any]) -> None:
    """Whole records are always sent, as the specification allows; what is asked must make sense."""
    for name in ("fields", "tags", "notags"):
        one = values.get(name, [])
        if not isinstance(one, list) or not all(isinstance(text, str) for text in one):
            raise HtsgetProblem("InvalidInput", f"{name}: a list of names")
    both = set(values.get("tags", ())) & set(values.get("notags", ()))
    if both:
        raise HtsgetProblem("InvalidInput", f"{shown(min(both))} is in tags and in notags")


def _region(place: object) -> Region:
    if not isinstance(place, dict) or not isinstance(place.get("referenceName"), str):
        raise HtsgetProblem("InvalidInput", "a range needs a referenceName")
    start, end = place.get("start"), place.get("end")
    for name, value in (("start", start), ("end", end)):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value <= LAST):
            raise HtsgetProblem("InvalidInput", f"{name} {shown(value)}: a number of 32 bits")
    region = Region(place["referenceName"], start or 0, LAST if end is None else end)
    if region.start > region.end:
        raise HtsgetProblem("InvalidRange", f"start {region.start} is behind end {region.end}")
    return region


def merged(regions: Iterable[Region]) -> tuple[Region, ...]:
    """The same places, each once: overlapping and touching regions joined, sorted by contig name
    and start."""
    by_contig: dict[str, list[Region]] = defaultdict(list)
    for region in sorted(regions, key=lambda one: (one.contig, one.start, one.end)):
        done = by_contig[region.contig]
        if done and region.start <= done[-1].end:
            last = done.pop()
            region = Region(region.contig, last.start, max(last.end, region.end))
        done.append(region)
    return tuple(region for done in by_contig.values() for region in done)
