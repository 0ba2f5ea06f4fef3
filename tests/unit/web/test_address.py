"""The options of everything that serves."""

import socket
from ipaddress import ip_network

import pytest

from rehearsal.errors import InputError
from rehearsal.web.address import add_address_options, service_address
from rehearsal.web.command_line import OneLineParser


def read(*arguments):
    parser = OneLineParser(prog="serve")
    add_address_options(parser, "node")
    return service_address(parser.parse_args(arguments))


def url(*arguments):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told, port = read(*arguments).url(listener), listener.getsockname()[1]
    return told.replace(str(port), "PORT")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "http://127.0.0.1:PORT"),
        (("--path-prefix", "/v2.0.0/"), "http://127.0.0.1:PORT/v2.0.0"),
        (("--public-url", "https://node.example/"), "https://node.example"),
        (("--public-url", "https://[2001:db8::1]:8443/a/b"), "https://[2001:db8::1]:8443/a/b"),
    ],
)
def test_the_url_of_a_service_is_the_public_one_or_that_of_its_socket(arguments, expected):
    assert url(*arguments) == expected


def test_the_path_of_a_public_url_is_the_prefix():
    assert read("--public-url", "https://node.example/v2.0.0/").proxies.prefix == "/v2.0.0"
    with pytest.raises(InputError, match=r"serve: --path-prefix: expected .* --public-url"):
        read("--public-url", "https://node.example", "--path-prefix", "/v2.0.0")


@pytest.mark.parametrize(
    ("arguments", "is_exposed", "is_in_the_clear"),
    [
        ((), False, False),
        (("--host", "::1"), False, False),
        (("--host", "localhost", "--trusted-proxy", "127.0.0.1"), False, False),
        (("--host", "10.0.0.5"), True, True),
        (("--host", "::"), True, True),
        (("--host", "::", "--trusted-proxy", "10.0.0.1"), True, False),
        (("--host", "::", "--public-url", "https://node.example"), True, False),
        (("--host", "::", "--public-url", "http://localhost:8080"), True, True),
        (("--public-url", "https://node.example"), True, False),
        (("--public-url", "http://node.example"), True, True),
        (("--public-url", "http://127.0.0.1:8080"), False, False),
    ],
)
def test_settings_tell_who_reaches_a_service_and_what_crosses_a_network(
    arguments, is_exposed, is_in_the_clear
):
    address = read(*arguments)
    assert (address.is_exposed, address.is_in_the_clear) == (is_exposed, is_in_the_clear)


def test_proxies_are_addresses_and_networks():
    given = read("--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "::1").proxies.trusted
    assert given == (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--trusted-proxy", "proxy.example", "an IP address or a network"),
        ("--trusted-proxy", "10.0.0.1/8", "an IP address or a network"),
        ("--trusted-proxy", "*", "an IP address or a network"),
        ("--path-prefix", "v2.0.0", "a path such as"),
        ("--path-prefix", "/a//b", "a path such as"),
        ("--path-prefix", "/../b", "a path such as"),
        ("--public-url", "node.example", "a URL http(s)://"),
        ("--public-url", "ftp://node.example", "a URL http(s)://"),
        ("--public-url", "https://", "a URL http(s)://"),
        ("--public-url", "https://user:secret@node.example", "a URL http(s)://"),
        ("--public-url", "https://node.example/?token=secret", "a URL http(s)://"),
    ],
)
def test_other_values_are_refused_in_one_line(option, value, expected, capsys):
    with pytest.raises(SystemExit):
        read(option, value)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"serve: {option}: expected {expected}")
    assert "secret" not in line


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--path-prefix", "/htsget"),
        ("--path-prefix", "/info/x"),
        ("--path-prefix", "/metrics"),
        ("--public-url", "https://node.example/htsget"),
    ],
)
def test_a_prefix_that_begins_like_a_path_of_the_service_is_refused(option, value):
    routes = [("/", "GET"), ("/info", "GET"), ("/htsget/variants/{id}", "POST")]
    for path in ("/v2.0.0", "/v2.0.0/info"):
        read("--path-prefix", path).check_prefix("serve", routes)
    read().check_prefix("serve", routes)
    with pytest.raises(InputError, match=f"^serve: {option}: expected a prefix .*, found '/"):
        read(option, value).check_prefix("serve", routes)
