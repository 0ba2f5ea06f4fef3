"""A node's FAIR Data Point: metadata of its datasets, in Turtle or JSON-LD.

The documents were written with the node's folder (:mod:`rehearsal.catalogue`), with a placeholder
for the node's address, which is only known from a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import InputError, cause
from rehearsal.web.app import Api, base_url
from rehearsal.web.openapi import Body

FILE = Path("catalogue") / "documents.json"
TURTLE, JSON_LD = "text/turtle", "application/ld+json"


class FairDataPoint:
    """The API below ``/fdp``. It has no routes when the folder has no documents.

    Args:
        folder: The node's folder.

    Raises:
        InputError: The file of documents has other content.
    """

    def __init__(self, folder: Path) -> None:
        """Read the documents.

        Args:
            folder: The node's folder.

        Raises:
            InputError: The file of documents has other content.
        """
        self._base, self._pages = _read(folder / FILE) if (folder / FILE).exists() else ("", {})

    def add_to(self, api: Api) -> None:
        """Add one route per document.

        Args:
            api: The node's API.
        """
        for place, texts in self._pages.items():
            api.add(place, partial(_document, self._base, texts))

    def paths(self) -> Body:
        """Return the OpenAPI path items of the documents, by path."""
        content: Body = {kind: {"schema": {}} for kind in (TURTLE, JSON_LD)}
        responses = {"200": {"description": "Turtle or JSON-LD.", "content": content}}
        answer = {
            "summary": "Return metadata of the node's datasets (FAIR Data Point).",
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
        expected = "JSON with the documents of a FAIR Data Point"
        raise InputError(path, "file", expected, f"unusable content ({cause(error)})") from None


async def _document(base: str, texts: Mapping[str, str], request: Request) -> Response:
    kind = JSON_LD if JSON_LD in request.headers.get("accept", "") else TURTLE
    text = texts[kind].replace(base, f"{base_url(request)}/")
    return Response(text, media_type=kind, headers={"Vary": "Accept"})
