"""A node as a FAIR Data Point: metadata of its datasets, in Turtle or JSON-LD.

The documents were written when the node's folder was made (``rehearsal.catalogue``), below an
address that stands for the node's own, which only a request tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import InputError
from rehearsal.web.app import Api, base_url
from rehearsal.web.openapi import Body

FILE = Path("catalogue") / "documents.json"
TURTLE, JSON_LD = "text/turtle", "application/ld+json"


class FairDataPoint:
    """What a node answers below ``/fdp``; nothing when its folder has no documents."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError for a file that holds something else."""
        self._base, self._pages = _read(folder / FILE) if (folder / FILE).exists() else ("", {})

    def add_to(self, api: Api) -> None:
        """Add a route a document."""
        for place, texts in self._pages.items():
            api.add(place, partial(_document, self._base, texts))

    def paths(self) -> Body:
        content: Body = {kind: {"schema": {}} for kind in (TURTLE, JSON_LD)}
        responses = {"200": {"description": "A document.", "content": content}}
        answer = {
            "summary": "Metadata of the node's datasets (FAIR Data Point).",
            "responses": responses,
        }
        return {place: {"get": answer} for place in self._pages}


def _read(path: Path) -> tuple[str, dict[str, dict[str, str]]]:
    try:
        content = orjson.loads(path.read_bytes())
        documents = content["documents"].items()
        pages = {at: {kind: texts[kind] for kind in (TURTLE, JSON_LD)} for at, texts in documents}
        return content["base"], pages
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(path, "file", f"documents of a FAIR Data Point ({error!r})") from None


async def _document(base: str, texts: Mapping[str, str], request: Request) -> Response:
    kind = JSON_LD if JSON_LD in request.headers.get("accept", "") else TURTLE
    text = texts[kind].replace(base, f"{base_url(request)}/")
    return Response(text, media_type=kind)
