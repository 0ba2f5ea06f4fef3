"""Tickets: the URLs from which a client fetches the pieces of what it requested."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from rehearsal.errors import shown
from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.genomes.contig_names import find_contig
from rehearsal.node.htsget.genome_files import GenomeFile, GenomeFiles
from rehearsal.node.htsget.request import Region, TicketRequest
from rehearsal.web.problem import Problem

VERSION = "1.3.0"  # of htsget
MEDIA_TYPE = f"application/vnd.ga4gh.htsget.v{VERSION}+json"
SUFFIX = {"BCF": "bcf", "VCF": "vcf.gz"}
_END = "data:;base64," + base64.b64encode(END_OF_FILE).decode()

Json = dict[str, Any]


def make_ticket(
    genomes: GenomeFiles, request: TicketRequest, base: str, headers: dict[str, str]
) -> Json:
    """Build the body of a ticket.

    Args:
        genomes: The genome files of the node.
        request: What is requested.
        base: URL below which the node serves data.
        headers: Headers that the client must send with each request for data.

    Returns:
        The JSON body.

    Raises:
        Problem: The headers of the node's files list no such contig (404).
    """
    contigs = _wanted_contigs(genomes, request)
    suffix = SUFFIX[request.format]
    named = {} if contigs is genomes.contigs else {"contig": contigs}
    header = _address(f"{base}/header.{suffix}", named)
    urls = [_url(header, "header", headers)]
    if not request.header_only:
        urls += [
            _url(_address(f"{base}/{file.block.id}.{suffix}", parameters), "body", headers)
            for file, parameters in _read_files(genomes, request, contigs)
        ]
        urls.append({"url": _END, "class": "body"})
    return {"htsget": {"format": request.format, "urls": urls}}


def _wanted_contigs(genomes: GenomeFiles, request: TicketRequest) -> Sequence[str]:
    """Return the contigs of the header: those requested, or all, which also list empty ones."""
    if request.regions is None:
        return genomes.contigs
    wanted = {region.contig for region in request.regions}
    empty = wanted.difference(genomes.contigs)
    if not empty:
        return [name for name in genomes.contigs if name in wanted]
    if unknown := empty.difference(genomes.contig_lines(genomes.contigs)):
        name = min(unknown)
        known = find_contig(name)  # which reads the names of other files too
        example = known if known in genomes.contigs else genomes.contigs[0]
        expected = f"a contig of this node, in the form {example}"
        raise Problem.mismatch("referenceName", expected, shown(name), 404)
    return genomes.contigs


def _address(url: str, parameters: Mapping[str, Any]) -> str:
    return f"{url}?{urlencode(parameters, doseq=True)}" if parameters else url


def _url(address: str, kind: str, headers: dict[str, str]) -> Json:
    url: Json = {"url": address, "class": kind}
    return {**url, "headers": headers} if headers else url


def _read_files(
    genomes: GenomeFiles, request: TicketRequest, contigs: Sequence[str]
) -> Iterator[tuple[GenomeFile, dict[str, int]]]:
    """Yield each file to read, in the order of the genome, with the parameters of its URL.

    They select records and give the number of the contig in them.
    """
    numbers = {name: number for number, name in enumerate(genomes.contig_lines(contigs))}
    for file, window in _windows(genomes, request):
        number = numbers[file.block.contig]
        if request.format == "BCF" and number != file.contig_number:
            window["number"] = number
        yield file, window


def _windows(
    genomes: GenomeFiles, request: TicketRequest
) -> Iterator[tuple[GenomeFile, dict[str, int]]]:
    """Yield each file to read with its window; an empty window means the whole file."""
    for file in genomes.by_block.values():
        if request.regions is None:
            yield file, {}
            continue
        after = 0
        for region in request.regions:
            if region.contig == file.block.contig:
                if _overlaps(region, file):
                    yield file, _window(region, file, after)
                after = region.end


def _overlaps(region: Region, file: GenomeFile) -> bool:
    return region.start < file.block.end and region.end > file.block.start


def _window(region: Region, file: GenomeFile, after: int) -> dict[str, int]:
    if region.start <= file.block.start and region.end >= file.block.end:
        return {}
    window = {"start": region.start, "end": region.end}
    return {**window, "after": after} if after else window
