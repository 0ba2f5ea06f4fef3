"""The list of nodes: our own, which announce themselves in endpoint files, and those of others."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml

from rehearsal.errors import Complaints, InputError, key_text, shown
from rehearsal.files import atomic_path, write_json
from rehearsal.node.access.settings import is_safe_url
from rehearsal.yaml_files import load_yaml

NETWORK = "network"  # in place of a country code in the endpoint file of the service
COUNTRY = re.compile("[A-Z]{2}")
FOREIGN_KEYS = {"url", "people_url", "token_variable", "forward_token"}
# entry types of people and their samples, which some countries serve at an address of its own
ABOUT_PEOPLE = {"individuals", "biosamples", "runs", "analyses", "cohorts"}


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """The node of one country.

    Args:
        country: Country code.
        url: Base URL of its Beacon, without a slash at the end.
        token_variable: Environment variable with its bearer token, so that no file holds the token.
        pid: Process id; known for nodes that run here.
        forward_token: Whether a node that someone else runs receives the caller's own token.
        people_url: Base URL for queries about people and their samples; None: ``url``.
    """

    country: str
    url: str
    token_variable: str | None = None
    pid: int | None = None
    forward_token: bool = False
    people_url: str | None = None

    def address_of(self, path: str) -> str:
        """Return the base URL for a path.

        Args:
            path: Path below the base URL.
        """
        is_about_people = not ABOUT_PEOPLE.isdisjoint(path.split("/"))
        return self.people_url if is_about_people and self.people_url else self.url

    @property
    def is_shown_tokens(self) -> bool:
        """Whether the caller's own token goes to this node. Its holder can act as the caller."""
        return self.pid is not None or self.forward_token


def read_endpoint(path: Path) -> NodeEntry | None:
    """Read the endpoint file of a node.

    The file is JSON: ``{"country": "FI", "url": "http://127.0.0.1:34567", "pid": 4711}``.

    Args:
        path: The file.

    Returns:
        The node; None while the file is missing or incomplete.
    """
    try:
        content = orjson.loads(path.read_bytes())
        return NodeEntry(
            str(content["country"]), str(content["url"]).rstrip("/"), pid=int(content["pid"])
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def read_foreign_nodes(path: Path, countries: Collection[str] | None = None) -> list[NodeEntry]:
    """Read nodes that someone else runs.

    Args:
        path: YAML file. ``nodes`` maps a country code to ``url`` and, optionally, ``people_url``
            and ``token_variable`` or ``forward_token``.
        countries: Allowed country codes; None allows any.

    Returns:
        The nodes, in the order of the file.

    Raises:
        InputError: A country or key is unknown, a URL is not http(s) or holds a password, or a
            token would go over plain http to another machine. Each faulty node is reported.
    """
    content = load_yaml(path, "YAML with a mapping 'nodes'")
    nodes = content.get("nodes") if isinstance(content, dict) else None
    if not isinstance(nodes, dict):
        expected = "a mapping from country code to url and token_variable"
        if isinstance(content, dict):
            raise InputError(path, "nodes", expected, shown(nodes) if nodes else "nothing")
        expected = "YAML with a mapping 'nodes'"
        raise InputError(path, "file", expected, "nothing" if content is None else shown(content))
    complaints, found = Complaints(), []
    for code, given in nodes.items():
        with complaints.collected():
            found.append(_foreign_node(path, code, given, countries))
    complaints.raise_any()
    return found


def _foreign_node(
    path: Path, code: object, given: Any, countries: Collection[str] | None
) -> NodeEntry:
    code = _country_code(path, code, countries)
    key = f"nodes.{code}"
    if not isinstance(given, dict) or "url" not in given or set(given) - FOREIGN_KEYS:
        expected = "url and, optionally, people_url and token_variable or forward_token"
        raise InputError(path, key, expected, _keys_shown(given))
    urls = [_base_url(path, f"{key}.url", given["url"])]
    if "people_url" in given:
        urls.append(_base_url(path, f"{key}.people_url", given["people_url"]))
    variable = given.get("token_variable")
    if variable is not None and not (isinstance(variable, str) and variable):
        expected = "the name of an environment variable"
        raise InputError(path, f"{key}.token_variable", expected, shown(variable))
    forward = _is_forwarded(path, f"{key}.forward_token", given.get("forward_token", False), urls)
    return NodeEntry(code, urls[0], variable, None, forward, *urls[1:])


def _base_url(path: Path, key: str, url: object) -> str:
    if isinstance(url, str) and is_http_url(url):
        return url.rstrip("/")
    expected = "a URL http(s)://HOST/... without user, password and query"
    has_more = isinstance(url, str) and not {"@", "?"}.isdisjoint(url)  # may be secret
    found = "a URL with a user, a password or a query" if has_more else shown(url)
    raise InputError(path, key, expected, found)


def _keys_shown(given: object) -> str:
    """Name the keys of a mapping without its values, which may be secret."""
    if isinstance(given, dict):
        return f"the keys {', '.join(map(str, given))}" if given else "no keys"
    return "something other than a mapping"


def _country_code(path: Path, code: object, countries: Collection[str] | None) -> str:
    if code is False:
        expected = 'the country code "NO" in quotes (YAML reads NO as false)'
        raise InputError(path, "nodes", expected, shown(code))
    if not isinstance(code, str) or not COUNTRY.fullmatch(code):
        expected = "a country code of two capital letters, like FI"
        raise InputError(path, f"nodes.{key_text(code)}", expected, shown(code))
    if countries is not None and code not in countries:
        expected = "a country code of the countries table"
        raise InputError(path, f"nodes.{code}", expected, shown(code))
    return code


def _is_forwarded(path: Path, key: str, forward: object, urls: Sequence[str]) -> bool:
    if not isinstance(forward, bool):
        raise InputError(path, key, "true or false", shown(forward))
    for url in urls:
        if forward and not is_safe_url(url):
            expected = "false, or a url with https or on this machine"
            raise InputError(path, key, expected, f"true with {shown(url)}")
    return forward


def is_http_url(url: object) -> bool:
    """Check a base URL: http or https, without user, password and query.

    Args:
        url: The value to check.

    Returns:
        Whether it is such a URL.
    """
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def with_foreign(ours: Collection[NodeEntry], foreign: Collection[NodeEntry]) -> list[NodeEntry]:
    """Combine nodes. A foreign node replaces ours of the same country.

    Args:
        ours: Our own nodes.
        foreign: Nodes of others.

    Returns:
        All nodes, by country code.
    """
    entries = {entry.country: entry for entry in (*ours, *foreign)}
    return [entries[country] for country in sorted(entries)]


def write_endpoints(nodes: Collection[NodeEntry], folder: Path) -> None:
    """Write our own nodes as endpoint files and remove all others from the folder.

    Args:
        nodes: The nodes.
        folder: The folder. It is created if needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for node in nodes:
        content = {"country": node.country, "url": node.url, "pid": node.pid}
        write_json(folder / f"{node.country}.json", content, indented=False)


def write_nodes(nodes: Collection[NodeEntry], path: Path) -> None:
    """Write nodes as YAML for ``read_foreign_nodes``. Our own still receive the caller's token.

    Args:
        nodes: The nodes.
        path: The file.
    """
    given = {node.country: _as_given(node) for node in nodes}
    with atomic_path(path) as aside:
        aside.write_text(yaml.safe_dump({"nodes": given}), encoding="utf-8")


def _as_given(node: NodeEntry) -> dict[str, str | bool]:
    given: dict[str, str | bool] = {"url": node.url}
    urls = [node.url]
    if node.people_url:
        given["people_url"] = node.people_url
        urls.append(node.people_url)
    if node.token_variable:
        given["token_variable"] = node.token_variable
    if node.is_shown_tokens and all(map(is_safe_url, urls)):
        given["forward_token"] = True
    return given


def read_nodes(sources: Sequence[Path]) -> list[NodeEntry]:
    """Read all nodes of some sources. A later source replaces nodes of an earlier one.

    Args:
        sources: Folders of endpoint files (``*.json``; incomplete ones are skipped) or YAML files
            as for ``read_foreign_nodes``.

    Returns:
        The nodes, by country code.

    Raises:
        InputError: A source is neither, or a file cannot be used.
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
    """The nodes of some files, read again when the files have changed.

    ``fault`` says why the last reading failed; the nodes are then the earlier ones.

    Args:
        sources: Files and folders as for :func:`read_nodes`.
        exposed: Whether other machines can send queries. No node may then have a token of its own.

    Raises:
        InputError: A source cannot be used, or an exposed registry has a node with a token.
    """

    def __init__(self, sources: Sequence[Path], exposed: bool = False) -> None:
        self._sources, self._exposed = tuple(sources), exposed
        self._seen = self._signature()
        self.nodes = self._read()
        self.fault = ""  # why the last reading failed; the nodes are then the earlier ones

    def refresh(self) -> bool:
        """Read the sources again if they have changed.

        Returns:
            Whether the nodes are different from before.
        """
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
                expected = "no token of the network's own, or a network for this machine only"
                raise InputError("nodes", key, expected, shown(node.token_variable))
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
