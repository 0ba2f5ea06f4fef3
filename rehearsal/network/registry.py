"""Which nodes there are: ours, which announce themselves in endpoint files, or anybody's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml

from rehearsal.model import InputError

FOREIGN_KEYS = {"url", "token_variable"}


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One country's node: its Beacon's base URL without a closing slash.

    ``token_variable`` names the environment variable that holds the bearer token, so that the
    token itself never stands in a file. ``pid`` is known for nodes that run here.
    """

    country: str
    url: str
    token_variable: str | None = None
    pid: int | None = None


def read_endpoint(path: Path) -> NodeEntry | None:
    """The node that announced itself in ``path``; None while there is no whole file yet.

    The file is JSON: ``{"country": "FI", "url": "http://127.0.0.1:34567", "pid": 4711}``.
    """
    try:
        said = orjson.loads(path.read_bytes())
        return NodeEntry(str(said["country"]), str(said["url"]).rstrip("/"), pid=int(said["pid"]))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def read_foreign_nodes(path: Path, countries: Collection[str]) -> list[NodeEntry]:
    """Nodes that somebody else runs, from YAML, in the order of the file.

    ``nodes:`` maps a country code to ``url`` and, optionally, ``token_variable``. Raises
    InputError for anything that cannot be meant: unknown countries, other keys, URLs that are
    not http(s).
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path, "file", f"YAML with a mapping 'nodes': {error}") from error
    nodes = content.get("nodes") if isinstance(content, dict) else None
    if not isinstance(nodes, dict):
        raise InputError(path, "nodes", "a mapping from country code to url and token_variable")
    return [_foreign_node(path, code, given, countries) for code, given in nodes.items()]


def _foreign_node(path: Path, code: object, given: Any, countries: Collection[str]) -> NodeEntry:
    if code is False:
        raise InputError(path, "nodes", 'the country code "NO" in quotes: YAML reads NO as false')
    key = f"nodes.{code}"
    if not isinstance(code, str) or code not in countries:
        raise InputError(path, key, "a country code of the countries table")
    if not isinstance(given, dict) or "url" not in given or set(given) - FOREIGN_KEYS:
        raise InputError(path, key, "url and, optionally, token_variable")
    url, variable = given["url"], given.get("token_variable")
    if not _is_http_url(url):
        raise InputError(path, f"{key}.url", f"a URL http(s)://HOST/..., not {url!r}")
    if variable is not None and not (isinstance(variable, str) and variable):
        raise InputError(path, f"{key}.token_variable", "the name of an environment variable")
    return NodeEntry(code, url.rstrip("/"), variable)


def _is_http_url(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query


def with_foreign(ours: Collection[NodeEntry], foreign: Collection[NodeEntry]) -> list[NodeEntry]:
    """All nodes by country code; a foreign node takes the place of ours."""
    entries = {entry.country: entry for entry in (*ours, *foreign)}
    return [entries[country] for country in sorted(entries)]
