"""All generated pages of the site."""

from __future__ import annotations

from pathlib import Path

from docs_build.command_line import command_line_page
from docs_build.configuration import configuration_page
from docs_build.http_api import http_page, network_document, node_document
from docs_build.python_api import python_pages
from rehearsal.cli import build_parser

COPIED = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
NODE = """
A node is one country's service: a GA4GH Beacon v2 with htsget, Matchmaker Exchange and the APIs for
scores, alerts and metadata. It publishes the OpenAPI 3.1 document that this page is made from at
`/openapi.json`. Paths below `/fdp` exist at nodes with metadata in their folder.

A bearer token gives more than an anonymous request ([use a token](../../how-to/use-a-token.md)).
The header `X-Rehearsal-Purpose` states the purpose of a request. Positions are 0-based.
"""
NETWORK = """
The network is one GA4GH Beacon v2 in front of all nodes. It passes a request on to every node and
adds up the answers. It publishes the OpenAPI 3.1 document that this page is made from at
`/openapi.json`.

The network passes the headers `Authorization` and `X-Rehearsal-Purpose` on to the nodes
([query the network](../../how-to/query-the-network.md)). Positions are 0-based.
"""


def generated_pages(root: Path) -> dict[str, str]:
    """Write all pages that are made from code, schemas and files at the root.

    Args:
        root: The folder of the repository.

    Returns:
        The Markdown text of each page, by its path below ``docs``.
    """
    python = python_pages(root / "rehearsal")
    return {
        "reference/configuration.md": configuration_page(
            root / "workflow/schemas", root / "config/config.yaml"
        ),
        "reference/command-line.md": command_line_page(build_parser()),
        "reference/http/node.md": http_page("HTTP API of a node", NODE, node_document()),
        "reference/http/network.md": http_page(
            "HTTP API of the network", NETWORK, network_document()
        ),
        **{f"reference/python/{name}": text for name, text in python.items()},
        **{to: (root / file).read_text() for file, to in COPIED.items()},
    }
