"""What a ticket is asked for: format, header only or not, regions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from rehearsal.errors import shown
from rehearsal.web.model_errors import ModelError
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import RequestModel, convert_values, decode_body

FORMATS = ("VCF", "BCF")  # the first is meant when none is named
LAST = 2**32 - 1  # positions are unsigned numbers of 32 bits
LISTS = ("fields", "tags", "notags")
NUMBERS = ("start", "end", "after", "number")

# checked apart, for an error type of its own
Format = Annotated[Any, Meta(extra_json_schema={"enum": list(FORMATS)})]
Position = Annotated[int, Meta(ge=0, le=LAST)]
Start = Annotated[Position, Meta(description="0-based")]
End = Annotated[Position, Meta(description="exclusive")]
Contig = Annotated[str, Meta(examples=["chr17"])]


class TicketParameters(RequestModel, forbid_unknown_fields=False):
    """What GET and POST have in common. Whole records are always sent, as the specification
    allows, whatever ``fields``, ``tags`` and ``notags`` are."""

    format: Format = FORMATS[0]
    class_: Literal["header"] | None = field(name="class", default=None)
    fields: tuple[str, ...] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    notags: tuple[str, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        both = set(self.tags or ()) & set(self.notags or ())
        if both:
            raise ModelError("names in tags or in notags", f"{shown(min(both))} in both")


class TicketQuery(TicketParameters):
    """Parameters of a URL."""

    reference_name: Contig | UnsetType = UNSET
    start: Start | UnsetType = UNSET
    end: End | UnsetType = UNSET


class WindowQuery(RequestModel, forbid_unknown_fields=False):
    """Parameters of a data block's URL: which of its records, on the contig with which number."""

    start: Start = 0
    end: End = LAST
    after: Position = 0
    number: Position | UnsetType = UNSET


class RequestedRegion(RequestModel, forbid_unknown_fields=False):
    reference_name: Contig
    start: Start | None = None
    end: End | None = None


class TicketBody(TicketParameters):
    """The body of a POST."""

    regions: Annotated[tuple[RequestedRegion, ...], Meta(min_length=1)] | UnsetType | None = UNSET


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


def window_from_query(parameters: Mapping[str, str]) -> WindowQuery:
    """The parameters of a data block's URL. Raises Problem (400)."""
    values = {name: _value(name, text) for name, text in parameters.items()}
    return convert_values(values, WindowQuery)


def from_query(pairs: Iterable[tuple[str, str]]) -> TicketRequest:
    """A GET request. Raises Problem (400)."""
    values = _values_by_name(pairs)
    _refuse(values, {"regions": "regions are asked for by POST"})
    query = convert_values(values, TicketQuery)
    place = {"start": query.start, "end": query.end}
    given = {name: value for name, value in place.items() if value is not UNSET}
    if query.reference_name is not UNSET:
        region = RequestedRegion(reference_name=query.reference_name, **given)
        return _ticket_request(query, (region,))
    if given:
        raise Problem("a range needs a referenceName")
    return _ticket_request(query, UNSET)


def _values_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise Problem(f"{shown(name)} is given twice")
        values[name] = _value(name, value)
    return values


def _value(name: str, text: str) -> Any:
    if name in LISTS:
        return [one for one in text.split(",") if one]
    if name in NUMBERS and re.fullmatch(r"[0-9]{1,10}", text):
        return int(text)
    return text


def from_body(body: bytes) -> TicketRequest:
    """A POST request. Raises Problem (400)."""
    values = decode_body(body, dict[str, Any])
    places = ("referenceName", "start", "end")
    _refuse(values, dict.fromkeys(places, "a POST names places in regions"))
    wanted = convert_values(values, TicketBody)
    return _ticket_request(wanted, wanted.regions)


def _refuse(values: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    """Refuse what a request must not have."""
    for name, reason in {**reasons, "referenceMD5": "name the reference, not its MD5"}.items():
        if name in values:
            raise Problem(reason)


def _ticket_request(
    parameters: TicketParameters, regions: Sequence[RequestedRegion] | UnsetType | None
) -> TicketRequest:
    name, header_only = parameters.format, parameters.class_ is not None
    if name not in FORMATS:
        raise Problem(f"format {shown(name)}: {' or '.join(FORMATS)}", code="UnsupportedFormat")
    if header_only:
        others = {"regions": regions, **{one: getattr(parameters, one) for one in LISTS}}
        given = sorted(one for one, value in others.items() if value is not UNSET)
        if given:
            raise Problem(f"class=header with {', '.join(given)}")
    if isinstance(regions, Sequence):
        return TicketRequest(name, False, merged(map(_region, regions)))
    return TicketRequest(name, header_only, None)


def _region(requested: RequestedRegion) -> Region:
    start = 0 if requested.start is None else requested.start
    end = LAST if requested.end is None else requested.end
    if start > end:
        raise Problem(f"start {start} is behind end {end}", code="InvalidRange")
    return Region(requested.reference_name, start, end)


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
