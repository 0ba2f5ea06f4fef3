"""The routes below ``/htsget``: tickets, data blocks, service-info, and htsget's error bodies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearsal.node import access
from rehearsal.node.beacon import describing
from rehearsal.node.beacon.errors import BeaconProblem, shown
from rehearsal.node.beacon.holdings import Holdings
from rehearsal.node.htsget.blocks import pack
from rehearsal.node.htsget.cuts import find_span, parts, recoded
from rehearsal.node.htsget.data import read_slice, stream, whole_or_range
from rehearsal.node.htsget.errors import STATUS, HtsgetProblem
from rehearsal.node.htsget.genomes import GenomeFile, Genomes
from rehearsal.node.htsget.request import LAST, from_body, from_query
from rehearsal.node.htsget.text import vcf_header, vcf_records
from rehearsal.node.htsget.ticket import ticket

log = logging.getLogger(__name__)

VERSION = "1.3.0"
MEDIA_TYPE = f"application/vnd.ga4gh.htsget.v{VERSION}+json"
MAX_BODY = 1 << 20  # bytes: some ten thousand regions
THIRTY_DAYS_S = 30 * 24 * 3600


def may_read(request: Request) -> None:
    """Whether the sender may read the genomes of dataset ``request.path_params["id"]``.

    Asked before anything else, so that a refusal tells nothing of what is here. Raises
    HtsgetProblem InvalidAuthentication (401) or PermissionDenied (403).
    """
    if access.rights(request).granularity != "record":
        raise HtsgetProblem("PermissionDenied", "genomes are for those who may see records")


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
        Exception: _broken,
    }
    return Starlette(routes=routes, middleware=[cors], exception_handlers=handlers)


class _Served:
    """The handlers over one node's genomes."""

    def __init__(self, holdings: Holdings) -> None:
        self._settings = holdings.settings
        self._genomes = Genomes(holdings.people.path.parent)

    async def service_info(self, request: Request) -> Response:
        info = describing.service_info(self._settings)
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
        token = request.headers.get("authorization")
        headers = {"Authorization": token} if token else {}
        body = await run_in_threadpool(ticket, self._genomes, asked, base, headers)
        return _json(body, media_type=MEDIA_TYPE)

    async def header(self, request: Request) -> Response:
        self._admit(request)
        names = request.query_params.getlist("contig") or self._genomes.names
        if not set(names) <= set(self._genomes.names):
            raise HtsgetProblem("NotFound", "a contig that is not here")
        make = {"bcf": pack, "vcf.gz": vcf_header}.get(request.path_params["suffix"])
        if make is None:
            raise HtsgetProblem("NotFound", "there is a header.bcf and a header.vcf.gz")
        body = await run_in_threadpool(lambda: make(self._genomes.header(names)))
        return whole_or_range(request, None, [body])

    async def block(self, request: Request) -> Response:
        self._admit(request)
        block, _, suffix = request.path_params["name"].partition(".")
        genome = self._genomes.files.get(block)
        if genome is None or suffix not in ("bcf", "vcf.gz"):
            raise HtsgetProblem("NotFound", "no such block here")
        place = {name: _number(request, name) for name in ("start", "end", "after", "number")}
        number = place.pop("number")
        start, end, after = place["start"] or 0, place["end"], place["after"] or 0
        cut = (start, LAST if end is None else end, after)
        if suffix == "vcf.gz":
            return stream(request, self._as_vcf(genome, cut))
        if number not in (None, genome.contig_number):
            return stream(request, _renumbered(genome, cut, number))
        file = await run_in_threadpool(genome.open)
        try:
            found = await run_in_threadpool(lambda: parts(file, find_span(file, genome, *cut)))
        except BaseException:
            file.close()
            raise
        return whole_or_range(request, file, found)

    def _admit(self, request: Request) -> None:
        may_read(request)
        identifier = request.path_params["id"]
        if identifier != self._settings.people_dataset or not self._genomes.files:
            raise HtsgetProblem("NotFound", f"no genomes {shown(identifier)} here")

    def _as_vcf(self, genome: GenomeFile, cut: tuple[int, int, int]) -> Iterator[bytes]:
        header = self._genomes.header([genome.block.contig])
        numbers = list(self._genomes.contigs([genome.block.contig]))
        number = numbers.index(genome.block.contig)
        if number == genome.contig_number:
            return vcf_records(header, _verbatim(genome, cut))
        return vcf_records(header, _renumbered(genome, cut, number))


def _verbatim(genome: GenomeFile, cut: tuple[int, int, int]) -> Iterator[bytes]:
    with closing(genome.open()) as file:
        for part in parts(file, find_span(file, genome, *cut)):
            if isinstance(part, bytes):
                yield part
            else:
                yield from read_slice(file, *part)


def _renumbered(genome: GenomeFile, cut: tuple[int, int, int], number: int) -> Iterator[bytes]:
    with closing(genome.open()) as file:
        span = find_span(file, genome, *cut)
    yield from recoded(genome, span, number)


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
    return _error({**names, 400: "InvalidInput"}.get(status, "InvalidInput"), message, status)


async def _broken(request: Request, problem: Exception) -> Response:
    """A fault of ours: told as such, without its insides."""
    log.error("%s %s", request.method, request.url.path, exc_info=problem)
    return _error("InternalServerError", "the node failed to answer", 500)
