"""The routes below ``/htsget``: tickets, data blocks, service-info, and error bodies."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Set
from contextlib import closing
from functools import partial
from typing import Any, BinaryIO

import orjson
from msgspec import UNSET
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearsal.errors import InputError, shown
from rehearsal.node.access.rights import caller_rights
from rehearsal.node.beacon import info_endpoints
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.htsget.bcf_to_vcf import vcf_header, vcf_records
from rehearsal.node.htsget.bgzf_blocks import pack_blocks
from rehearsal.node.htsget.bgzf_content import pack_pieces
from rehearsal.node.htsget.data_endpoint import stream, whole_or_range
from rehearsal.node.htsget.errors import error_of_status
from rehearsal.node.htsget.genome_files import GenomeFile, GenomeFiles
from rehearsal.node.htsget.region_slicing import (
    FileSlice,
    Span,
    Window,
    bgzf_parts,
    find_span,
    rewritten,
    uncompressed,
)
from rehearsal.node.htsget.request import from_body, from_query, window_from_query
from rehearsal.node.htsget.ticket import MEDIA_TYPE, VERSION, make_ticket
from rehearsal.web.app import REFUSAL_KEY, base_url, explain_refusal
from rehearsal.web.forwarded import may_carry_token
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body

log = logging.getLogger(__name__)

# these headers decide who reads what: a ticket and all its data must be requested with the same
TOKEN = "Authorization"
PASSED_ALONG = (TOKEN, "X-Rehearsal-Purpose")
MAX_BODY = 1 << 20  # bytes: about ten thousand regions


def may_read(request: Request, dataset: str) -> Iterable[int]:
    """Check that the caller may read the genomes of a dataset.

    It is called before anything is looked up, so a refusal tells nothing about the node's data.

    Args:
        request: The request.
        dataset: Id of the dataset.

    Returns:
        Numbers of the people whom the caller may not read.

    Raises:
        Problem: The caller is unknown (401) or has no right to the genomes of the dataset (403).
    """
    caller = caller_rights(request)
    caller.require_records([dataset])
    return caller.excluded


def htsget_app(node_data: NodeData) -> Starlette:
    """Build the application to mount at ``/htsget``.

    Args:
        node_data: The data and settings of the node.

    Returns:
        The application.
    """
    handlers = _Handlers(node_data)
    routes = [
        Route("/variants/service-info", handlers.service_info),
        Route("/variants/{id}", handlers.ticket, methods=["GET", "POST"]),
        Route("/data/{id}/header.{suffix}", handlers.header),
        Route("/data/{id}/{name}", handlers.block),
    ]
    refusals = dict.fromkeys((Problem, HTTPException), _refuse)
    # an InputError stands for a file of the node that is missing or damaged
    faults = dict.fromkeys((InputError, Exception), _fail)
    return Starlette(routes=routes, exception_handlers={**refusals, **faults})


class _Handlers:
    """The handlers of one node's genomes."""

    def __init__(self, node_data: NodeData) -> None:
        self._settings = node_data.settings
        self._names = node_data.variants.individuals
        self._genomes = GenomeFiles(node_data.people.path.parent)

    async def service_info(self, request: Request) -> Response:
        """Answer the GA4GH service-info of htsget."""
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
        """Answer with a ticket: the URLs of the requested data."""
        self._admit(request)
        if request.method == "POST":
            if request.scope["query_string"]:
                raise Problem.mismatch(
                    "the query string", "nothing in a POST request", "parameters"
                )
            wanted = from_body(await read_body(request, MAX_BODY))
        else:
            wanted = from_query(request.query_params.multi_items())
        base = f"{base_url(request)}/htsget/data/{request.path_params['id']}"
        headers = _passed_along(request)
        body = await run_in_threadpool(make_ticket, self._genomes, wanted, base, headers)
        return _json(body, media_type=MEDIA_TYPE)

    async def header(self, request: Request) -> Response:
        """Answer with the header of a VCF or BCF."""
        excluded = self._admit(request)
        names = request.query_params.getlist("contig") or self._genomes.contigs
        if not set(names) <= set(self._genomes.contigs):
            raise Problem.mismatch("contig", "contigs of this node", shown(names), 404)
        suffix = request.path_params["suffix"]
        encode = {"bcf": pack_blocks, "vcf.gz": vcf_header}.get(suffix)
        if encode is None:
            expected = "header.bcf or header.vcf.gz"
            raise Problem.mismatch("the path", expected, shown(f"header.{suffix}"), 404)
        body = await run_in_threadpool(lambda: encode(self._genomes.encode_header(names, excluded)))
        return whole_or_range(request, [body])

    async def block(self, request: Request) -> Response:
        """Answer with the records of a block, or of a window of it."""
        excluded = self._admit(request)
        block, _, suffix = request.path_params["name"].partition(".")
        genome = self._genomes.by_block.get(block)
        if genome is None or suffix not in ("bcf", "vcf.gz"):
            expected = "a block that a ticket lists"
            raise Problem.mismatch("the path", expected, shown(request.path_params["name"]), 404)
        query = window_from_query(request.query_params)
        window = Window(query.start, query.end, query.after)
        if suffix == "vcf.gz":
            return await stream(request, lambda: self._vcf_records(genome, window, excluded))
        stored = await run_in_threadpool(lambda: genome.contig_number)
        number = stored if query.number is UNSET else query.number
        if excluded or number != stored:
            make = partial(_rewritten, genome, window, number, excluded)
            return await stream(request, lambda: pack_pieces(make()))
        file, parts = await run_in_threadpool(_open_window, genome, window)
        return whole_or_range(request, parts, file)

    def _admit(self, request: Request) -> Set[str]:
        """Check the caller's rights, then the dataset; return the names of excluded people."""
        dataset = self._settings.people_dataset
        numbers = may_read(request, dataset)
        identifier = request.path_params["id"]
        if identifier != dataset or not self._genomes.by_block:
            expected = "a dataset with genomes at this node"
            raise Problem.mismatch("id", expected, shown(identifier), 404)
        return frozenset(self._names[number] for number in numbers)

    def _vcf_records(
        self, genome: GenomeFile, window: Window, excluded: Set[str]
    ) -> Iterator[bytes]:
        contig = genome.block.contig
        header = self._genomes.encode_header([contig], excluded)
        number = list(self._genomes.contig_lines([contig])).index(contig)
        if excluded or number != genome.contig_number:
            records = _rewritten(genome, window, number, excluded)
        else:
            records = _stored(genome, window)
        yield from vcf_records(header, records)


def _passed_along(request: Request) -> dict[str, str]:
    """The headers that a ticket repeats. The token goes to no address of which we know nothing."""
    headers = {name: request.headers[name] for name in PASSED_ALONG if name in request.headers}
    if TOKEN in headers and not may_carry_token(request.scope):
        log.warning(
            "%s: a ticket carries no token to this address, which only the caller names; start the "
            "node with --public-url or --trusted-proxy",
            shown(base_url(request)),
        )
        del headers[TOKEN]
    return headers


def _open_window(genome: GenomeFile, window: Window) -> tuple[BinaryIO, list[bytes | FileSlice]]:
    """The file, and its parts that are the records of a window."""
    file = genome.open()
    try:
        return file, bgzf_parts(file, find_span(file, genome, window))
    except BaseException:
        file.close()
        raise


def _stored(genome: GenomeFile, window: Window) -> Iterator[bytes]:
    yield from uncompressed(genome, _span(genome, window))


def _rewritten(
    genome: GenomeFile, window: Window, number: int, excluded: Set[str]
) -> Iterator[bytes]:
    yield from rewritten(genome, _span(genome, window), number, excluded)


def _span(genome: GenomeFile, window: Window) -> Span:
    with closing(genome.open()) as file:
        return find_span(file, genome, window)


def _json(body: Any, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(orjson.dumps(body), status, media_type=media_type)


def error_body(status: int, message: str) -> dict[str, Any]:
    """Build the error body of htsget for a refusal without an error type of its own.

    Args:
        status: HTTP status.
        message: The message.

    Returns:
        The body.
    """
    return _error_body(error_of_status(status), message)


def _error_body(error: str, message: str) -> dict[str, Any]:
    return {"htsget": {"error": error, "message": message}}


def _error(error: str, message: str, status: int) -> Response:
    response = _json(_error_body(error, message), status)
    if status == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


async def _refuse(request: Request, problem: Exception) -> Response:
    """Answer a refusal by htsget itself, by the access rules or by the framework."""
    if isinstance(problem, Problem):
        request.scope[REFUSAL_KEY] = problem.cause
        error = problem.code or error_of_status(problem.status)
        response = _error(error, problem.message, problem.status)
        response.headers.update(problem.headers)
        return response
    if isinstance(problem, HTTPException):
        message = explain_refusal(request, problem, "a path of htsget, such as /htsget/variants/ID")
        response = _error(error_of_status(problem.status_code), message, problem.status_code)
        response.headers.update(problem.headers or {})  # for example the methods that a path allows
        return response
    return await _fail(request, problem)


async def _fail(request: Request, problem: Exception) -> Response:
    """Answer an internal error, without details."""
    log.error("%s %s", request.method, request.url.path, exc_info=problem)
    return _error("InternalServerError", "The node failed to answer.", 500)
