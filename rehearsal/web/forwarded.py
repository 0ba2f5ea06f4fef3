"""Who the caller is and by which address the service was reached, as a trusted proxy states it.

A proxy in front of a service is the peer of every connection. What it states of the caller in
``X-Forwarded-For``, ``-Proto``, ``-Host`` and ``-Prefix``, or in ``Forwarded`` (RFC 7239), is
believed if its address is one of the trusted ones, and written into the scope before anything else
looks at the request. From anybody else these headers are ignored. Uvicorn's own middleware reads
neither host, nor prefix, nor ``Forwarded``.

With a prefix, the path in the scope begins with it, as ASGI has it, whether or not the proxy has
cut it off.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

from rehearsal.errors import mismatch, shown

Network = IPv4Network | IPv6Network
Scope = MutableMapping[str, Any]
Statement = tuple[tuple[str, int] | None, str, str, str]  # caller, scheme, host, prefix

STATED_KEY = "rehearsal.stated"  # in the scope: the host is not the caller's own word
FORWARDED = b"forwarded"
FOR, PROTO, HOST, PREFIX = (
    b"x-forwarded-" + name for name in (b"for", b"proto", b"host", b"prefix")
)
BELIEVED = frozenset((FORWARDED, FOR, PROTO, HOST, PREFIX))
SIGNS = BELIEVED | {b"via", b"x-real-ip"}  # of a proxy
KEYS = {FOR: "for", PROTO: "proto", HOST: "host", PREFIX: "prefix"}  # those of RFC 7239, and prefix
DEFAULT_PORTS = {"http": 80, "https": 443}
MOST_REMEMBERED = 4096  # peers and statements
LONGEST, LONGEST_REMEMBERED = 4096, 256  # bytes of a statement

HOST_FORM = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
PREFIX_FORM = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PAIR = re.compile(rf'[ \t]*(?:({TOKEN})=({TOKEN}|"(?:[^"\\]|\\.)*"))?[ \t]*([;,]|$)')


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What is known of the proxies in front of a service.

    Args:
        trusted: Addresses of proxies whose statements are believed.
        public_url: URL by which callers reach the service, without a slash at the end. It overrides
            what proxies and callers say. None: not known.
        prefix: First steps of all paths, such as ``/v2.0.0``; with ``public_url``, its path.
    """

    trusted: tuple[Network, ...] = ()
    public_url: str | None = None
    prefix: str = ""


NO_PROXY = ProxySettings()


def behind_proxy(app: Any, settings: ProxySettings) -> Any:
    """Let an application see its callers, and its own address, as a proxy states them.

    Args:
        app: The ASGI application.
        settings: The proxies.

    Returns:
        The ASGI application to serve: ``app`` itself if there is nothing to believe.
    """
    return app if settings == NO_PROXY else _BehindProxy(app, settings)


def may_carry_token(scope: Scope) -> bool:
    """Tell whether the URL by which a service was reached may be given a caller's token.

    A caller's ``Host`` header may name any machine. It is enough only if it names the end of the
    connection itself, and no proxy that is not trusted has added a statement.

    Args:
        scope: The ASGI scope of a request.

    Returns:
        Whether the host is the public one, or a trusted proxy's, or this connection's own.
    """
    return bool(scope.get(STATED_KEY)) or is_direct(scope)


def is_direct(scope: Scope) -> bool:
    """Tell whether a request names the end of its connection itself, and no proxy added to it.

    Args:
        scope: The ASGI scope of a request.

    Returns:
        Whether its ``Host`` is the address of this end of the connection.
    """
    if any(name in SIGNS for name, _ in scope["headers"]):
        return False
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    form, server = HOST_FORM.fullmatch(host.decode("latin-1")), scope.get("server")
    if form is None or server is None:
        return False
    port = int(form["port"] or DEFAULT_PORTS[scope["scheme"]])
    return port == server[1] and form["name"].lower() in _own_names(server[0])


def _own_names(host: str) -> set[str]:
    """The names of this end of a connection, in lower case."""
    names = {host.lower(), socket.gethostname().lower()}
    address = _address(host)
    if address is not None:
        text = str(address)
        names |= {f"[{text}]" if ":" in text else text}
        names |= {"localhost"} if address.is_loopback else set()
    return names


class _BehindProxy:
    """An ASGI application whose requests have passed :func:`behind_proxy`."""

    def __init__(self, app: Any, settings: ProxySettings) -> None:
        self._app, self._trusted, self._prefix = app, settings.trusted, settings.prefix
        url = urlsplit(settings.public_url or "")
        self._public = (url.scheme, url.netloc) if settings.public_url else None
        self._trusts = lru_cache(MOST_REMEMBERED)(self._is_trusted)
        self._remembered = lru_cache(MOST_REMEMBERED)(self._read)

    # no coroutine of its own: a request costs a microsecond less
    def __call__(self, scope: Scope, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] == "http":
            try:
                self._believe(scope)
            except ValueError as error:
                return _refuse(str(error), send)
        return self._app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        """Write what is believed into the scope. Raises ValueError for a statement of no sense."""
        scheme, host, prefix = "", "", self._prefix
        stated = self._stated(scope)
        if stated is not None:
            client, scheme, host, its_prefix = stated
            scope["client"] = client or scope["client"]
            prefix = prefix or its_prefix
        if self._public is not None:
            (scheme, host), prefix = self._public, self._prefix
        _write(scope, scheme, host, prefix)

    def _stated(self, scope: Scope) -> Statement | None:
        """Read what the peer states, if it is a trusted proxy. Raises ValueError."""
        peer = scope.get("client")
        if not self._trusted or peer is None or not self._trusts(peer[0]):
            return None
        stated = tuple(pair for pair in scope["headers"] if pair[0] in BELIEVED)
        if not stated:
            return None
        size = sum(len(value) for _, value in stated)
        if size > LONGEST:
            raise ValueError(mismatch("the proxy", f"at most {LONGEST} bytes", f"{size}"))
        read = self._remembered if size <= LONGEST_REMEMBERED else self._read
        return read(stated)

    def _read(self, stated: tuple[tuple[bytes, bytes], ...]) -> Statement:
        """Read caller, scheme, host and prefix. Raises ValueError."""
        client, hop = self._last_hop(_hops(stated))
        scheme, host, prefix = _checked_scheme(hop), _checked_host(hop), _checked_prefix(hop)
        if scheme:
            host = host.removesuffix(f":{DEFAULT_PORTS[scheme]}")
        return client, scheme, host, prefix

    def _last_hop(
        self, hops: list[dict[str, str]]
    ) -> tuple[tuple[str, int] | None, dict[str, str]]:
        """The caller of the first trusted proxy, None if it has no address, and its statement."""
        client, hop = None, hops[-1]
        for hop in reversed(hops):  # each proxy adds its statement at the end
            client = _host_and_port(hop.get("for", ""))
            if client is None or not self._is_trusted(client[0]):
                break
        return client, hop

    def _is_trusted(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._trusted)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _host_and_port(text: str) -> tuple[str, int] | None:
    """Split an address and, optionally, its port. None for a name or a hidden address."""
    form = HOST_FORM.fullmatch(text)
    name, port = (form["name"].strip("[]"), int(form["port"] or 0)) if form else (text, 0)
    address = _address(name)
    return None if address is None else (str(address), port)


def _hops(stated: Iterable[tuple[bytes, bytes]]) -> list[dict[str, str]]:
    """List what each proxy states, the nearest last. Raises ValueError."""
    lists: dict[bytes, list[str]] = {}
    for name, value in stated:
        lists.setdefault(name, []).append(value.decode("latin-1"))
    texts = {name: ", ".join(values) for name, values in lists.items()}
    if FORWARDED in texts:
        if len(texts) > 1:  # a proxy writes one of them, and the caller may have written the other
            found = f"{len(texts)} headers"
            raise ValueError(mismatch("the proxy", "Forwarded or X-Forwarded-*", found))
        return _elements(texts[FORWARDED])
    columns = {KEYS[name]: _values(text) for name, text in texts.items()}
    depth = len(columns.get("for", [""]))
    # a proxy that adds no value passes on that of the one before
    return [
        {name: values[-min(back, len(values))] for name, values in columns.items()}
        for back in range(depth, 0, -1)
    ]


def _values(text: str) -> list[str]:
    return [one.strip() for one in text.split(",")]


def _elements(text: str) -> list[dict[str, str]]:
    """Parse the header ``Forwarded``. Raises ValueError."""
    elements: list[dict[str, str]] = [{}]
    at, separator = 0, ","
    while separator:
        pair = PAIR.match(text, at)
        if pair is None:
            raise ValueError(mismatch("Forwarded", "pairs of RFC 7239, section 4", shown(text)))
        name, value, separator = pair.groups()
        if name is not None:
            plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value
            elements[-1][name.lower()] = plain
        if separator == ",":
            elements.append({})
        at = pair.end()
    return [one for one in elements if one] or [{}]


def _checked_scheme(hop: dict[str, str]) -> str:
    scheme = hop.get("proto", "").lower()
    if scheme and scheme not in DEFAULT_PORTS:
        raise ValueError(mismatch("X-Forwarded-Proto", "http or https", shown(scheme)))
    return scheme


def _checked_host(hop: dict[str, str]) -> str:
    host = hop.get("host", "")
    if host and not HOST_FORM.fullmatch(host):
        raise ValueError(
            mismatch("X-Forwarded-Host", "a host and, optionally, a port", shown(host))
        )
    return host


def _checked_prefix(hop: dict[str, str]) -> str:
    prefix = hop.get("prefix", "").rstrip("/")
    if not PREFIX_FORM.fullmatch(prefix):
        raise ValueError(mismatch("X-Forwarded-Prefix", "a path such as /v2.0.0", shown(prefix)))
    return prefix


def _write(scope: Scope, scheme: str, host: str, prefix: str) -> None:
    """Write into the scope what is believed of an address; empty texts change nothing."""
    if scheme or host:  # a proxy that tells how it was reached is also answerable for Host
        scope[STATED_KEY] = True
    if scheme:
        scope["scheme"] = scheme
    if host:
        others = [pair for pair in scope["headers"] if pair[0] != b"host"]
        scope["headers"] = [(b"host", host.encode("ascii")), *others]
    if prefix:
        _set_prefix(scope, prefix)


def _set_prefix(scope: Scope, prefix: str) -> None:
    path = scope["path"]
    if path != prefix and not path.startswith(f"{prefix}/"):  # the proxy has cut it off
        scope["path"] = prefix + path
        scope["raw_path"] = prefix.encode("ascii") + scope.get("raw_path", b"")
    scope["root_path"] = prefix


async def _refuse(message: str, send: Any) -> None:
    """Answer that a statement cannot be used, in the one form of errors."""
    body = f"{message}\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
