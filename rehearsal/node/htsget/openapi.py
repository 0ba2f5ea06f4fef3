"""``/htsget`` in the OpenAPI description of a node."""

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

SERVICE_INFO = "/htsget/variants/service-info"
ERROR = all_of(
    {
        "htsget": all_of(
            {
                "error": {"enum": list(STATUS), "description": "Error type of htsget."},
                "message": {**TEXT, "description": "What is wrong, for a person."},
            }
        )
        | {"description": "The error."}
    }
)
TICKET = all_of(
    {
        "htsget": all_of(
            {
                "format": {"enum": list(FORMATS), "description": "Format of the data."},
                "urls": list_of(
                    object_of(
                        ["url"],
                        {
                            "url": {**TEXT, "description": "An http(s) or data URL."},
                            "class": {
                                "enum": ["header", "body"],
                                "description": "Whether the piece is a header.",
                            },
                            "headers": {
                                "type": "object",
                                "additionalProperties": TEXT,
                                "description": "Headers to send with the request for the piece.",
                            },
                        },
                    )
                )
                | {"description": "The pieces. Joined in order, they are the file."},
            }
        )
        | {"description": "The ticket."}
    }
)

CONTIG = {**TEXT, "description": "Name of a contig. May be repeated; all contigs by default."}


def paths() -> Body:
    """Describe the paths below ``/htsget``.

    Returns:
        OpenAPI path items, by path.
    """
    ticket = {
        "summary": "List the URLs of the pieces of a dataset's genotypes, whole or by region.",
        "responses": {
            "200": {
                "description": "A ticket: the URLs of the pieces.",
                "content": {MEDIA_TYPE: {"schema": TICKET}},
            },
            **refused(ERROR),
        },
    }
    return {
        SERVICE_INFO: {"get": _service_info()},
        "/htsget/variants/{id}": {
            "parameters": [ref("parameters", "id")],
            "get": {**ticket, "parameters": query_parameters(TicketQuery)},
            "post": {**ticket, "requestBody": request_body(TicketBody, required=False)},
        },
        "/htsget/data/{id}/header.{suffix}": _data(
            ["id", "suffix"], [in_query("contig", CONTIG)], "Download the header of a VCF or BCF."
        ),
        "/htsget/data/{id}/{name}": _data(
            ["id", "name"],
            query_parameters(WindowQuery),
            "Download the records of a block, or of a window of it.",
        ),
    }


def _service_info() -> Body:
    answer = json_of(ref("schemas", "ServiceInfo"))
    responses = {"200": {"description": "The description of the service.", "content": answer}}
    return {"summary": "Describe the htsget service (GA4GH service-info).", "responses": responses}


def _data(steps: list[str], parameters: list[Body], summary: str) -> Body:
    piece = {"description": "All bytes of the piece.", "content": {BYTES: {"schema": {}}}}
    own: dict[str, Body] = {
        "id": {"description": "Identifier of the dataset."},
        "suffix": {"schema": {"enum": list(SUFFIX.values())}},
    }
    in_order = [one | own.get(one["name"], {}) for one in in_path(*steps)]
    answers = {"200": piece, "206": {**piece, "description": "The requested range of bytes."}}
    return {
        "parameters": [*in_order, *parameters],
        "get": {
            "summary": summary,
            "responses": {
                **answers,
                "416": {
                    "description": "The piece has no such range of bytes.",
                    "content": {BYTES: {"schema": {}}},
                },
                **refused(ERROR),
            },
        },
    }
