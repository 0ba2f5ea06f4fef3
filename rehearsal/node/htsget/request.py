"""Read requests for a ticket: format, header only or not, regions."""

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

FORMATS = ("VCF", "BCF")  # the first is the default
MAX_NESTING = 20_000  # lists and objects of a body: about as many regions
LAST = 2**32 - 1  # positions are unsigned 32-bit numbers
UNPLACED = "*"  # of reads without a place
LISTS = ("fields", "tags", "notags")
NUMBERS = ("start", "end", "after", "number")

# checked separately, because it has its own error type
Format = Annotated[
    Any, Meta(description="Format of the data.", extra_json_schema={"enum": list(FORMATS)})
]
Position = Annotated[int, Meta(ge=0, le=LAST)]
Start = Annotated[Position, Meta(description="First position, 0-based.")]
End = Annotated[Position, Meta(description="Position behind the last one, 0-based.")]
After = Annotated[
    Position,
    Meta(description="Records that begin before this position, 0-based, are left out."),
]
Number = Annotated[Position, Meta(description="Number of the contig in the records that are sent.")]
Contig = Annotated[str, Meta(description="Name of a contig.", examples=["chr17"])]
Class = Annotated[Literal["header"], Meta(description="Only the header is requested.")]
Fields = Annotated[tuple[str, ...], Meta(description="Ignored: records are sent whole.")]
Tags = Annotated[tuple[str, ...], Meta(description="Ignored: records are sent whole.")]

Scheme = Annotated[Any, Meta(description="Ignored: records are sent without encryption.")]


class TicketParameters(RequestModel):
    """Parameters that GET and POST have in common.

    The node always sends whole records, as the specification allows, whatever ``fields``, ``tags``
    and ``notags`` are. Any other key is refused: a misspelt region would get the whole genome.
    """

    format: Format = FORMATS[0]
    class_: Class | None = field(name="class", default=None)
    fields: Fields | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    notags: Tags | UnsetType = UNSET
    encryption_scheme: Scheme | UnsetType = UNSET

    def __post_init__(self) -> None:
        both = set(self.tags or ()) & set(self.notags or ())
        if both:
            raise ModelError("names in tags or in notags", f"{shown(min(both))} in both")


class TicketQuery(TicketParameters):
    """Parameters of the URL."""

    reference_name: Contig | UnsetType = UNSET
    start: Start | UnsetType = UNSET
    end: End | UnsetType = UNSET


class WindowQuery(RequestModel, forbid_unknown_fields=False):
    """Parameters of the URL of a data block: which records, and the number of their contig."""

    start: Start = 0
    end: End = LAST
    after: After = 0
    number: Number | UnsetType = UNSET


class RequestedRegion(RequestModel):
    """A region of a POST body."""

    reference_name: Contig
    start: Start | None = None
    end: End | None = None


Regions = Annotated[
    tuple[RequestedRegion, ...], Meta(min_length=1, description="Regions; all records by default.")
]


class TicketBody(TicketParameters):
    """The body of a POST."""

    regions: Regions | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Region:
    """The interval ``[start, end)`` of a contig, 0-based half-open."""

    contig: str
    start: int = 0
    end: int = LAST


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """A request for a ticket.

    Args:
        format: "VCF" or "BCF".
        header_only: Whether only the header is requested.
        regions: Disjoint regions, sorted by start within a contig. None: all records.
    """

    format: str
    header_only: bool
    regions: tuple[Region, ...] | None


def window_from_query(parameters: Mapping[str, str]) -> WindowQuery:
    """Read the parameters of the URL of a data block.

    Args:
        parameters: Values by name.

    Returns:
        The window.

    Raises:
        Problem: A value is not a position (400).
    """
    values = {name: _value(name, text) for name, text in parameters.items()}
    return convert_values(values, WindowQuery)


def from_query(pairs: Iterable[tuple[str, str]]) -> TicketRequest:
    """Read a GET request for a ticket.

    Args:
        pairs: Names and values of the URL's parameters.

    Returns:
        The request.

    Raises:
        Problem: The request is not valid htsget (400).
    """
    values = _values_by_name(pairs)
    _refuse(values, {"regions": "no regions in a GET request (send them by POST)"})
    query = convert_values(values, TicketQuery)
    place = {"start": query.start, "end": query.end}
    given = {name: value for name, value in place.items() if value is not UNSET}
    if query.reference_name == UNPLACED and given:
        expected = f"the name of a contig, because {' and '.join(sorted(given))} is given"
        raise Problem.mismatch("referenceName", expected, shown(UNPLACED))
    if query.reference_name is not UNSET:
        region = RequestedRegion(reference_name=query.reference_name, **given)
        return _ticket_request(query, (region,))
    if given:
        raise Problem.mismatch(
            "referenceName", "the name of a contig, because start or end is given", "nothing"
        )
    return _ticket_request(query, UNSET)


def _values_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise Problem.mismatch(shown(name), "one value", "2 values")
        values[name] = _value(name, value)
    return values


def _value(name: str, text: str) -> Any:
    if name in LISTS:
        return [one for one in text.split(",") if one]
    if name in NUMBERS and re.fullmatch(r"[0-9]{1,10}", text):
        return int(text)
    return text


def from_body(body: bytes) -> TicketRequest:
    """Read a POST request for a ticket.

    Args:
        body: The JSON body.

    Returns:
        The request.

    Raises:
        Problem: The request is not valid htsget (400).
    """
    values = decode_body(body, dict[str, Any], MAX_NESTING)
    places = ("referenceName", "start", "end")
    _refuse(values, dict.fromkeys(places, "nothing outside regions in a POST body"))
    wanted = convert_values(values, TicketBody)
    return _ticket_request(wanted, wanted.regions)


def _refuse(values: Mapping[str, Any], reasons: Mapping[str, str]) -> None:
    """Refuse keys that a request must not have, with what to send instead."""
    for name, expected in {**reasons, "referenceMD5": "a contig named by referenceName"}.items():
        if name in values:
            raise Problem.mismatch(name, expected, shown(values[name]))


def _ticket_request(
    parameters: TicketParameters, regions: Sequence[RequestedRegion] | UnsetType
) -> TicketRequest:
    name, header_only = parameters.format, parameters.class_ is not None
    if name not in FORMATS:
        expected = " or ".join(FORMATS)
        raise Problem.mismatch("format", expected, shown(name), code="UnsupportedFormat")
    if header_only:
        others = {"regions": regions, **{one: getattr(parameters, one) for one in LISTS}}
        given = sorted(one for one, value in others.items() if value is not UNSET)
        if given:
            raise Problem.mismatch("class", "header alone", f"header with {', '.join(given)}")
    if isinstance(regions, Sequence):
        return TicketRequest(name, False, merged(map(_region, regions)))
    return TicketRequest(name, header_only, None)


def _region(requested: RequestedRegion) -> Region:
    start = 0 if requested.start is None else requested.start
    end = LAST if requested.end is None else requested.end
    if start > end:
        expected = f"a position up to the end {end}"
        raise Problem.mismatch("start", expected, str(start), code="InvalidRange")
    return Region(requested.reference_name, start, end)


def merged(regions: Iterable[Region]) -> tuple[Region, ...]:
    """Join overlapping and touching regions.

    Args:
        regions: Regions in any order.

    Returns:
        Disjoint regions that cover the same positions, sorted by contig name and start.
    """
    by_contig: dict[str, list[Region]] = defaultdict(list)
    for region in sorted(regions, key=lambda one: (one.contig, one.start, one.end)):
        done = by_contig[region.contig]
        if done and region.start <= done[-1].end:
            last = done.pop()
            region = Region(region.contig, last.start, max(last.end, region.end))
        done.append(region)
    return tuple(region for done in by_contig.values() for region in done)
