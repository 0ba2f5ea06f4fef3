"""Tickets: where a client finds the pieces that make up what it asked for."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.node.htsget.errors import HtsgetProblem
from rehearsal.node.htsget.genomes import GenomeFile, Genomes
from rehearsal.node.htsget.request import Region, TicketRequest
from rehearsal.web.problem import shown

VERSION = "1.3.0"  # of htsget
MEDIA_TYPE = f"application/vnd.ga4gh.htsget.v{VERSION}+json"
SUFFIX = {"BCF": "bcf", "VCF": "vcf.gz"}
_END = "data:application/octet-stream;base64," + base64.b64encode(END_OF_FILE).decode()

Url = dict[str, Any]


def ticket(genomes: Genomes, asked: TicketRequest, base: str, headers: dict[str, str]) -> Url:
    """The whole answer. ``base``: the URL below which the node serves data.

    ``headers`` go along with each request for data. Raises HtsgetProblem (NotFound) for a contig
    that the node does not hold.
    """
    for region in asked.regions or ():
        if region.contig not in genomes.names:
            raise HtsgetProblem("NotFound", f"no reference {shown(region.contig)} here")
    suffix = SUFFIX[asked.format]
    named = {region.contig for region in asked.regions or ()}
    names = [name for name in genomes.names if not named or name in named]
    whole = {"contig": names} if named else {}
    urls = [_url(f"{base}/header.{suffix}", whole, headers, "header")]
    if not asked.header_only:
        numbers = {name: number for number, name in enumerate(genomes.contigs(names))}
        for file, place in _cuts(genomes, asked):
            number = numbers[file.block.contig]
            if asked.format == "BCF" and number != file.contig_number:
                place["number"] = number
            urls.append(_url(f"{base}/{file.block.id}.{suffix}", place, headers, "body"))
        urls.append({"url": _END, "class": "body"})
    return {"htsget": {"format": asked.format, "urls": urls}}


def _url(address: str, parameters: dict[str, Any], headers: dict[str, str], kind: str) -> Url:
    query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
    url: Url = {"url": address + query, "class": kind}
    return {**url, "headers": headers} if headers else url


def _cuts(genomes: Genomes, asked: TicketRequest) -> Iterator[tuple[GenomeFile, dict[str, int]]]:
    """In the order of the genome: each file to be read, and what of it."""
    regions = asked.regions
    for file in genomes.files.values():
        if regions is None:
            yield file, {}
            continue
        after = 0
        for region in regions:
            if region.contig == file.block.contig:
                if _meets(region, file):
                    yield file, _place(region, file, after)
                after = region.end


def _meets(region: Region, file: GenomeFile) -> bool:
    return region.start < file.block.end and region.end > file.block.start


def _place(region: Region, file: GenomeFile, after: int) -> dict[str, int]:
    if region.start <= file.block.start and region.end >= file.block.end:
        return {}
    place = {"start": region.start, "end": region.end}
    return {**place, "after": after} if after else place
