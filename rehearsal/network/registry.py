"""Which nodes there are: ours, which announce themselves in endpoint files, or anybody's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml

from rehearsal.errors import InputError
from rehearsal.files import atomic_path, write_json
from rehearsal.node.access.settings import is_safe_url

NETWORK = "network"  # stands for a country in the service's endpoint file
FOREIGN_KEYS = {"url", "token_variable", "forward_token"}


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One country's node: its Beacon's base URL without a closing slash.

    ``token_variable`` names the environment variable that holds the bearer token, so that the
    token itself never stands in a file. ``pid`` is known for nodes that run here.
    ``forward_token``: whether a node that somebody else runs is shown the asker's own token.
    """

    country: str
    url: str
    token_variable: str | None = None
    pid: int | None = None
    forward_token: bool = False

    @property
    def is_shown_tokens(self) -> bool:
        """Whether the asker's own token goes to this node: whoever has it can be the asker."""
        return self.pid is not None or self.forward_token


def read_endpoint(path: Path) -> NodeEntry | None:
    """The node that announced itself in ``path``; None while there is no whole file yet.

    The file is JSON: ``{"country": "FI", "url": "http://127.0.0.1:34567", "pid": 4711}``.
    """
    try:
        content = orjson.loads(path.read_bytes())
        return NodeEntry(
            str(content["country"]), str(content["url"]).rstrip("/"), pid=int(content["pid"])
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def read_foreign_nodes(path: Path, countries: Collection[str] | None = None) -> list[NodeEntry]:
    """Nodes that somebody else runs, from YAML, in the order of the file.

    ``nodes:`` maps a country code to ``url`` and, optionally, ``token_variable`` or
    ``forward_token``. ``countries``: the codes that may stand there; None: any. Raises InputError
    for anything that cannot be meant: unknown countries, other keys, URLs that are not http(s) or
    hold a password, tokens forwarded over plain http to another machine.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path, "file", f"YAML with a mapping 'nodes': {error}") from error
    nodes = content.get("nodes") if isinstance(content, dict) else None
    if not isinstance(nodes, dict):
        raise InputError(path, "nodes", "a mapping from country code to url and token_variable")
    return [_foreign_node(path, code, given, countries) for code, given in nodes.items()]


def _foreign_node(
    path: Path, code: object, given: Any, countries: Collection[str] | None
) -> NodeEntry:
    code = _country_code(path, code, countries)
    key = f"nodes.{code}"
    if not isinstance(given, dict) or "url" not in given or set(given) - FOREIGN_KEYS:
        raise InputError(path, key, "url and, optionally, token_variable or forward_token")
    url, variable = given["url"], given.get("token_variable")
    if not is_http_url(url):
        expected = f"a URL http(s)://HOST/... without user, password and query, not {url!r}"
        raise InputError(path, f"{key}.url", expected)
    if variable is not None and not (isinstance(variable, str) and variable):
        raise InputError(path, f"{key}.token_variable", "the name of an environment variable")
    forward = _is_forwarded(path, f"{key}.forward_token", given.get("forward_token", False), url)
    return NodeEntry(code, url.rstrip("/"), variable, forward_token=forward)


def _country_code(path: Path, code: object, countries: Collection[str] | None) -> str:
    if code is False:
        raise InputError(path, "nodes", 'the country code "NO" in quotes: YAML reads NO as false')
    if not isinstance(code, str) or (countries is not None and code not in countries):
        raise InputError(path, f"nodes.{code}", "a country code of the countries table")
    return code


def _is_forwarded(path: Path, key: str, forward: object, url: str) -> bool:
    if not isinstance(forward, bool):
        raise InputError(path, key, "true or false")
    if forward and not is_safe_url(url):
        raise InputError(path, key, "a url with https, or http on this machine")
    return forward


def is_http_url(url: object) -> bool:
    """Whether this is a base URL that can be asked: http or https, no user, password or query."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def with_foreign(ours: Collection[NodeEntry], foreign: Collection[NodeEntry]) -> list[NodeEntry]:
    """All nodes by country code; a foreign node takes the place of ours."""
    entries = {entry.country: entry for entry in (*ours, *foreign)}
    return [entries[country] for country in sorted(entries)]


def write_endpoints(nodes: Collection[NodeEntry], folder: Path) -> None:
    """Write nodes of our own as files that ``read_endpoint`` reads, and no others there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for node in nodes:
        content = {"country": node.country, "url": node.url, "pid": node.pid}
        write_json(folder / f"{node.country}.json", content, indented=False)


def write_nodes(nodes: Collection[NodeEntry], path: Path) -> None:
    """Write nodes as ``read_foreign_nodes`` reads them. Our own go on being shown tokens."""
    given = {
        node.country: {"url": node.url}
        | ({"token_variable": node.token_variable} if node.token_variable else {})
        | ({"forward_token": True} if node.is_shown_tokens and is_safe_url(node.url) else {})
        for node in nodes
    }
    with atomic_path(path) as aside:
        aside.write_text(yaml.safe_dump({"nodes": given}), encoding="utf-8")


def read_nodes(sources: Sequence[Path]) -> list[NodeEntry]:
    """All nodes that the sources name, by country code; a later source takes an earlier's place.

    A source is a folder of endpoint files (``*.json``; one that is not whole yet is left out) or
    a YAML file as ``read_foreign_nodes`` reads it. Raises InputError for a source that is
    neither, and for an unusable file.
    """
    nodes: list[NodeEntry] = []
    for source in sources:
        if source.is_dir():
            found = [read_endpoint(path) for path in sorted(source.glob("*.json"))]
            nodes = with_foreign(nodes, [node for node in found if node is not None])
        else:
            nodes = with_foreign(nodes, read_foreign_nodes(source))
    return nodes


class Registry:
    """The nodes that files name, read again when the files have changed."""

    def __init__(self, sources: Sequence[Path], exposed: bool = False) -> None:
        """``exposed``: other machines can ask, so that no node may have a token of its own.

        Raises InputError for sources that cannot be read, or have such a node."""
        self._sources, self._exposed = tuple(sources), exposed
        self._seen = self._signature()
        self.nodes = self._read()
        self.fault = ""  # why the last reading was of no use; the nodes are then the ones before

    def refresh(self) -> bool:
        """Read the sources if they have changed; True when the nodes are others than before."""
        signature = self._signature()
        if signature == self._seen:
            return False
        self._seen = signature
        before = self.nodes
        try:
            self.nodes, self.fault = self._read(), ""
        except InputError as error:
            self.fault = str(error)
        return self.nodes != before

    def _read(self) -> tuple[NodeEntry, ...]:
        nodes = tuple(read_nodes(self._sources))
        for node in nodes:
            if self._exposed and node.token_variable:
                key = f"nodes.{node.country}.token_variable"
                raise InputError(
                    "nodes", key, "none, or --host 127.0.0.1: all who ask would speak with it"
                )
        return nodes

    def _signature(self) -> tuple[tuple[str, int, int, int], ...]:
        paths = []
        for source in self._sources:
            paths += [source, *(sorted(source.glob("*.json")) if source.is_dir() else ())]
        found = []
        for path in paths:
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)
