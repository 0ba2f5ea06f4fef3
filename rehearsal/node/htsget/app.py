"""The routes below ``/htsget``: tickets, data blocks, service-info, and htsget's error bodies."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Set
from contextlib import closing
from typing import Any, BinaryIO

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearsal.model import InputError
from rehearsal.node.access.rights import rights
from rehearsal.node.beacon import info_endpoints
from rehearsal.node.beacon.datasets import Holdings
from rehearsal.node.htsget.bcf_to_vcf import vcf_header, vcf_records
from rehearsal.node.htsget.blocks import pack
from rehearsal.node.htsget.content import packed
from rehearsal.node.htsget.data_endpoint import stream, whole_or_range
from rehearsal.node.htsget.errors import STATUS, HtsgetProblem
from rehearsal.node.htsget.genomes import GenomeFile, Genomes
from rehearsal.node.htsget.region_slicing import (
    Slice,
    Span,
    find_span,
    parts,
    recoded,
    uncompressed,
)
from rehearsal.node.htsget.request import LAST, from_body, from_query
from rehearsal.node.htsget.ticket import MEDIA_TYPE, VERSION, ticket
from rehearsal.web.problem import BeaconProblem, shown

log = logging.getLogger(__name__)

# what decides who reads what must be the same for a ticket and for all its data
PASSED_ALONG = ("Authorization", "X-Rehearsal-Purpose")
MAX_BODY = 1 << 20  # bytes: some ten thousand regions
THIRTY_DAYS_S = 30 * 24 * 3600

Cut = tuple[int, int, int]  # start, end, and where the region before this one ends


def may_read(request: Request, dataset: str) -> Collection[int]:
    """Numbers of the people who are left out of what the sender of the request reads.

    Asked before anything is looked up, so that a refusal tells nothing of what is here. Raises
    BeaconProblem: 401 for a caller who is not known, 403 for one who has no right to the genomes
    of the dataset.
    """
    caller = rights(request)
    caller.require_records([dataset])
    return caller.excluded


def htsget_app(holdings: Holdings) -> Starlette:
    """The application to mount at ``/htsget``."""
    served = _Served(holdings)
    routes = [
        Route("/variants/service-info", served.service_info),
        Route("/variants/{id}", served.ticket, methods=["GET", "POST"]),
        Route("/data/{id}/header.{suffix}", served.header),
        Route("/data/{id}/{name}", served.block),
    ]
    # a browser's script may ask, with a token of its own; nothing here goes by cookies
    cors = Middleware(
        CORSMiddleware,
        allow_origin_regex=".*",
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"],
        max_age=THIRTY_DAYS_S,
    )
    handlers = {
        HtsgetProblem: _refused,
        BeaconProblem: _refused_elsewhere,
        HTTPException: _refused_elsewhere,
        InputError: _broken,  # a file of ours that is missing or damaged
        Exception: _broken,
    }
    return Starlette(routes=routes, middleware=[cors], exception_handlers=handlers)


class _Served:
    """The handlers over one node's genomes."""

    def __init__(self, holdings: Holdings) -> None:
        self._settings = holdings.settings
        self._names = holdings.variants.individuals
        self._genomes = Genomes(holdings.people.path.parent)

    async def service_info(self, request: Request) -> Response:
        info = info_endpoints.service_info(self._settings)
        return _json(
            {
                **info,
                "id": f"{info['id']}.htsget",
                "name": f"{info['name']}: genomes",
                "type": {"group": "org.ga4gh", "artifact": "htsget", "version": VERSION},
                "htsget": {
                    "datatype": "variants",
                    "formats": ["VCF", "BCF"],
                    "fieldsParameterEffective": False,
                    "tagsParametersEffective": False,
                },
            }
        )

    async def ticket(self, request: Request) -> Response:
        self._admit(request)
        if request.method == "POST":
            if request.scope["query_string"]:
                raise HtsgetProblem("InvalidInput", "a POST has no parameters in the URL")
            asked = from_body(await _body(request))
        else:
            asked = from_query(request.query_params.multi_items())
        base = f"{str(request.base_url).rstrip('/')}/htsget/data/{request.path_params['id']}"
        headers = {name: request.headers[name] for name in PASSED_ALONG if name in request.headers}
        body = await run_in_threadpool(ticket, self._genomes, asked, base, headers)
        return _json(body, media_type=MEDIA_TYPE)

    async def header(self, request: Request) -> Response:
        excluded = self._admit(request)
        names = request.query_params.getlist("contig") or self._genomes.names
        if not set(names) <= set(self._genomes.names):
            raise HtsgetProblem("NotFound", "a contig that is not here")
        make = {"bcf": pack, "vcf.gz": vcf_header}.get(request.path_params["suffix"])
        if make is None:
            raise HtsgetProblem("NotFound", "there is a header.bcf and a header.vcf.gz")
        body = await run_in_threadpool(lambda: make(self._genomes.header(names, excluded)))
        return whole_or_range(request, None, [body])

    async def block(self, request: Request) -> Response:
        excluded = self._admit(request)
        block, _, suffix = request.path_params["name"].partition(".")
        genome = self._genomes.files.get(block)
        if genome is None or suffix not in ("bcf", "vcf.gz"):
            raise HtsgetProblem("NotFound", "no such block here")
        place = {name: _number(request, name) for name in ("start", "end", "after", "number")}
        number, end = place["number"], place["end"]
        cut = (place["start"] or 0, LAST if end is None else end, place["after"] or 0)
        if suffix == "vcf.gz":
            return await stream(request, self._as_vcf(genome, cut, excluded))
        stored = await run_in_threadpool(lambda: genome.contig_number)
        if excluded or number not in (None, stored):
            return await stream(request, packed(_recoded(genome, cut, number, excluded)))
        file, found = await run_in_threadpool(_opened, genome, cut)
        return whole_or_range(request, file, found)

    def _admit(self, request: Request) -> Set[str]:
        """The people who are left out. Raises what refuses, first of all for want of a right."""
        dataset = self._settings.people_dataset
        numbers = may_read(request, dataset)
        identifier = request.path_params["id"]
        if identifier != dataset or not self._genomes.files:
            raise HtsgetProblem("NotFound", f"no genomes {shown(identifier)} here")
        return frozenset(self._names[number] for number in numbers)

    def _as_vcf(self, genome: GenomeFile, cut: Cut, excluded: Set[str]) -> Iterator[bytes]:
        contig = genome.block.contig
        header = self._genomes.header([contig], excluded)
        number = list(self._genomes.contigs([contig])).index(contig)
        if excluded or number != genome.contig_number:
            records = _recoded(genome, cut, number, excluded)
        else:
            records = _as_stored(genome, cut)
        yield from vcf_records(header, records)


def _opened(genome: GenomeFile, cut: Cut) -> tuple[BinaryIO, list[bytes | Slice]]:
    """The file, and what of it the cut is."""
    file = genome.open()
    try:
        return file, parts(file, find_span(file, genome, *cut))
    except BaseException:
        file.close()
        raise


def _as_stored(genome: GenomeFile, cut: Cut) -> Iterator[bytes]:
    yield from uncompressed(genome, _span(genome, cut))


def _recoded(
    genome: GenomeFile, cut: Cut, number: int | None, excluded: Set[str]
) -> Iterator[bytes]:
    number = genome.contig_number if number is None else number
    yield from recoded(genome, _span(genome, cut), number, excluded)


def _span(genome: GenomeFile, cut: Cut) -> Span:
    with closing(genome.open()) as file:
        return find_span(file, genome, *cut)


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LAST):
        raise HtsgetProblem("InvalidInput", f"{name}: a number of 32 bits")
    return int(text)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HtsgetProblem("PayloadTooLarge", f"the body is longer than {MAX_BODY} bytes")
    return bytes(body)


def _json(body: Any, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(orjson.dumps(body), status, media_type=media_type)


def _error(error: str, message: str, status: int) -> Response:
    response = _json({"htsget": {"error": error, "message": message}}, status)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


async def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HtsgetProblem)
    return _error(problem.error, problem.message, problem.status)


async def _refused_elsewhere(request: Request, problem: Exception) -> Response:
    """Refusals by parts that do not know htsget's errors."""
    if isinstance(problem, BeaconProblem):
        status, message = problem.status, problem.reason
    else:
        assert isinstance(problem, HTTPException)
        status, message = problem.status_code, problem.detail
    names = {code: name for name, code in reversed(STATUS.items())}
    response = _error({**names, 400: "InvalidInput"}.get(status, "InvalidInput"), message, status)
    if isinstance(problem, HTTPException):  # which methods a path allows
        response.headers.update(problem.headers or {})
    return response


async def _broken(request: Request, problem: Exception) -> Response:
    """A fault of ours: told as such, without its insides."""
    log.error("%s %s", request.method, request.url.path, exc_info=problem)
    return _error("InternalServerError", "the node failed to answer", 500)
