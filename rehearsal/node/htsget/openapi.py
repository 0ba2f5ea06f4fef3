"""``/htsget`` in the node's OpenAPI description."""

from __future__ import annotations

from rehearsal.node.htsget.data_endpoint import MEDIA_TYPE as BYTES
from rehearsal.node.htsget.errors import STATUS
from rehearsal.node.htsget.request import FORMATS, TicketBody, TicketQuery, WindowQuery
from rehearsal.node.htsget.ticket import MEDIA_TYPE, SUFFIX
from rehearsal.web.openapi import (
    TEXT,
    Body,
    all_of,
    in_path,
    in_query,
    json_of,
    list_of,
    object_of,
    query_parameters,
    ref,
    refused,
    request_body,
)

ERROR = all_of({"htsget": all_of({"error": {"enum": list(STATUS)}, "message": TEXT})})
TICKET = all_of(
    {
        "htsget": all_of(
            {
                "format": {"enum": list(FORMATS)},
                "urls": list_of(
                    object_of(
                        ["url"],
                        {
                            "url": TEXT,
                            "class": {"enum": ["header", "body"]},
                            "headers": {"type": "object", "additionalProperties": TEXT},
                        },
                    )
                ),
            }
        )
    }
)


def paths() -> Body:
    """The path items, by path."""
    ticket = {
        "summary": "Where a dataset's genomes are to be fetched, in pieces.",
        "responses": {
            "200": {"description": "A ticket.", "content": {MEDIA_TYPE: {"schema": TICKET}}},
            **refused(ERROR),
        },
    }
    return {
        "/htsget/variants/service-info": {"get": _service_info()},
        "/htsget/variants/{id}": {
            "parameters": [ref("parameters", "id")],
            "get": {**ticket, "parameters": query_parameters(TicketQuery)},
            "post": {**ticket, "requestBody": request_body(TicketBody, required=False)},
        },
        "/htsget/data/{id}/header.{suffix}": _data(
            ["id", "suffix"], [in_query("contig", TEXT)], "A header, as a ticket names it."
        ),
        "/htsget/data/{id}/{name}": _data(
            ["id", "name"],
            query_parameters(WindowQuery),
            "A block, or a part of it, as a ticket names it.",
        ),
    }


def _service_info() -> Body:
    answer = json_of(ref("schemas", "ServiceInfo"))
    responses = {"200": {"description": "The answer.", "content": answer}}
    return {"summary": "GA4GH service-info of htsget.", "responses": responses}


def _data(steps: list[str], parameters: list[Body], summary: str) -> Body:
    piece = {"description": "Bytes.", "content": {BYTES: {"schema": {}}}}
    known = {"suffix": {"enum": list(SUFFIX.values())}}
    in_order = [{**one, "schema": known.get(one["name"], TEXT)} for one in in_path(*steps)]
    answers = {"200": piece, "206": {**piece, "description": "The range that was asked for."}}
    return {
        "parameters": [*in_order, *parameters],
        "get": {
            "summary": summary,
            "responses": {
                **answers,
                "416": {"description": "No such range.", "content": {BYTES: {"schema": {}}}},
                **refused(ERROR),
            },
        },
    }
