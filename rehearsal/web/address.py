"""The address of a service, and the options of everything that serves."""

from __future__ import annotations

import argparse
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rehearsal.errors import InputError, shown
from rehearsal.web.command_line import not_negative, port
from rehearsal.web.forwarded import HOST_FORM, NO_PROXY, PREFIX_FORM, Network, ProxySettings
from rehearsal.web.rate_limit import REQUESTS_PER_S

if TYPE_CHECKING:
    from rehearsal.web.tls import ServerTls

METRICS_PATH = "/metrics"  # for the operator alone
EVERY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where a service listens, and how callers reach it.

    Args:
        host: Address to listen on.
        port: Port to listen on. 0 takes a free one.
        endpoint_file: File that receives country, URL and process id as JSON once the service
            answers. It is removed at the end. None: no file.
        proxies: The proxies in front of it.
        tls: Its own TLS. None: plain HTTP.
        requests_per_s: Requests that one caller may send per second; 0: any number.
    """

    host: str = "127.0.0.1"
    port: int = 0
    endpoint_file: Path | None = None
    proxies: ProxySettings = NO_PROXY
    tls: ServerTls | None = None
    requests_per_s: float = REQUESTS_PER_S

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can reach the service, as far as the settings tell."""
        public = self.proxies.public_url
        return not (_is_here(self.host) and (public is None or _is_here(_host_of(public))))

    @property
    def is_in_the_clear(self) -> bool:
        """Whether tokens would cross a network unencrypted, as far as the settings tell."""
        public = self.proxies.public_url or ""
        if public.startswith("http:") and not _is_here(_host_of(public)):
            return True
        encrypted = self.tls is not None or public.startswith("https:") or self.proxies.trusted
        return not (encrypted or _is_here(self.host))

    def check_prefix(self, command: str, routes: Iterable[tuple[str, str]]) -> None:
        """Check that the prefix of all paths does not begin like a path of the service.

        A path with and without the prefix could not be told apart.

        Args:
            command: The command that serves, for the error.
            routes: Path and method of everything that is served.

        Raises:
            InputError: The first step of the prefix is the first step of a path.
        """
        taken = {path.split("/")[1] for path in (METRICS_PATH, *(path for path, _ in routes))}
        if taken.intersection(self.proxies.prefix.split("/")[1:2]):
            option = "--path-prefix" if self.proxies.public_url is None else "--public-url"
            expected = "a prefix whose first step begins no path of the service"
            raise InputError(command, option, expected, shown(self.proxies.prefix))

    def url(self, listener: socket.socket) -> str:
        """Build the URL of the service.

        Args:
            listener: Its listening socket.

        Returns:
            The public URL if there is one, else that of the socket. A socket that listens on every
            address is named by the host name of this machine.
        """
        if self.proxies.public_url is not None:
            return self.proxies.public_url
        host, port = listener.getsockname()[:2]
        if host in EVERY_ADDRESS:
            host = socket.gethostname()
        name = f"[{host}]" if ":" in host else host
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{name}:{port}{self.proxies.prefix}"


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_here(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def add_address_options(parser: argparse.ArgumentParser, server: str) -> None:
    """Add the options of everything that serves: where it listens, and how it is reached.

    Args:
        parser: The parser of the command.
        server: What serves, for the help texts: ``node``.
    """
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="network address to listen on; 0.0.0.0 for all (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=port,
        default=0,
        help="TCP port to listen on; 0 for any free port (default: %(default)s)",
    )
    parser.add_argument(
        "--endpoint-file",
        type=Path,
        metavar="FILE",
        help=f"JSON file to write with the address, once the {server} answers (default: none)",
    )
    parser.add_argument(
        "--public-url",
        type=public_url,
        metavar="URL",
        help=f"URL by which callers reach the {server}, for the addresses in its answers; "
        "overrides what a proxy states (default: the address that a request names)",
    )
    parser.add_argument(
        "--path-prefix",
        type=path_prefix,
        metavar="PATH",
        help=f"first steps of every path, such as /v2.0.0; the {server} also answers without them, "
        "for a proxy that cuts them off (default: none)",
    )
    parser.add_argument(
        "--trusted-proxy",
        type=trusted_proxy,
        action="append",
        default=[],
        metavar="ADDRESS|NETWORK",
        help="proxy whose X-Forwarded-For, -Proto, -Host and -Prefix, or Forwarded, are believed; "
        "may be repeated (default: none)",
    )
    parser.add_argument(
        "--tls-certificate",
        type=Path,
        metavar="FILE",
        help=f"PEM file with the certificate of the {server}, and those between it and a known "
        "authority: it then speaks HTTPS (default: none, HTTP)",
    )
    parser.add_argument(
        "--tls-key",
        type=Path,
        metavar="FILE",
        help="PEM file with the private key of --tls-certificate (default: none)",
    )
    parser.add_argument(
        "--requests-per-s",
        type=not_negative,
        default=REQUESTS_PER_S,
        metavar="NUMBER",
        help="requests per second that one caller may send, known by a verified token or else by "
        "the address; 0 for any number (default: %(default)g)",
    )


def service_address(options: argparse.Namespace) -> ServiceAddress:
    """Read the options of :func:`add_address_options`.

    Args:
        options: The parsed options.

    Returns:
        The address.

    Raises:
        InputError: Options contradict each other, or certificate and key cannot be used.
    """
    prefix = options.path_prefix or ""
    if options.public_url is not None:
        if prefix:
            expected = "the prefix as the path of --public-url"
            raise InputError(options.prog, "--path-prefix", expected, shown(prefix))
        prefix = urlsplit(options.public_url).path
    proxies = ProxySettings(tuple(options.trusted_proxy), options.public_url, prefix)
    tls = _tls_of(options)
    return ServiceAddress(
        options.host, options.port, options.endpoint_file, proxies, tls, options.requests_per_s
    )


def _tls_of(options: argparse.Namespace) -> ServerTls | None:
    certificate, key = options.tls_certificate, options.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        given, missing = ("certificate", "key") if key is None else ("key", "certificate")
        expected = f"a file, as for --tls-{given}"
        raise InputError(options.prog, f"--tls-{missing}", expected, "nothing")
    from rehearsal.web.tls import ServerTls  # ssl takes a while to import

    return ServerTls(certificate, key)


# --- values of options ---


def public_url(text: str) -> str:
    """Read a base URL.

    Args:
        text: The value of the option.

    Returns:
        The URL without a slash at the end.

    Raises:
        argparse.ArgumentTypeError: The text is no such URL.
    """
    form = re.fullmatch(r"(https?)://([^/?#]*)([^?#]*)", text)
    if form is None or not HOST_FORM.fullmatch(form[2]) or not _is_prefix(form[3]):
        expected = "a URL http(s)://HOST/... without user, password and query"
        found = "one with more parts" if {"@", "?"} & set(text) else shown(text)
        raise argparse.ArgumentTypeError(f"expected {expected}, found {found}")
    return text.rstrip("/")


def path_prefix(text: str) -> str:
    """Read the first steps of all paths.

    Args:
        text: The value of the option.

    Returns:
        The path without a slash at the end.

    Raises:
        argparse.ArgumentTypeError: The text is no path.
    """
    if not text.startswith("/") or not _is_prefix(text):
        expected = "a path such as /v2.0.0"
        raise argparse.ArgumentTypeError(f"expected {expected}, found {shown(text)}")
    return text.rstrip("/")


def _is_prefix(path: str) -> bool:
    return PREFIX_FORM.fullmatch(path.removesuffix("/")) is not None


def trusted_proxy(text: str) -> Network:
    """Read the address of a proxy, or of a network of proxies.

    Args:
        text: The value of the option.

    Returns:
        The network; a single address is a network of one.

    Raises:
        argparse.ArgumentTypeError: The text is neither.
    """
    try:
        return ip_network(text)
    except ValueError:
        expected = "an IP address or a network such as 10.0.0.0/8"
        raise argparse.ArgumentTypeError(f"expected {expected}, found {shown(text)}") from None
