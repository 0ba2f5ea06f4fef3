"""How services live: TLS of their own, SIGHUP, and the end of the shell that started them."""

from __future__ import annotations

import asyncio
import ctypes
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.issuer import make_issuer
from rehearsal.network.registry import NodeEntry
from rehearsal.process_lifetime import LAUNCHED

from .starting import is_running, told_when_ready, wait_until_ended

pytestmark = pytest.mark.system

SLOW_MACHINE_S = 60.0
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


def needs(*tools):
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_issuer(tmp_path_factory.mktemp("top") / "issuer").folder


def command(folder: Path, endpoint: Path, *options: object) -> list[str]:
    """An issuer: of the three services, it starts fastest."""
    start = [sys.executable, "-m", "rehearsal", "issuer", "serve", str(folder)]
    return [*start, "--endpoint-file", str(endpoint), *map(str, options)]


@contextmanager
def running(folder: Path, endpoint: Path, *options: object):
    """The process, its URL, and its log."""
    log = endpoint.with_suffix(".log")
    with log.open("wb") as sink:
        process = subprocess.Popen(command(folder, endpoint, *options), stderr=sink)
    try:
        yield process, told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"], log
    finally:
        process.kill()
        process.wait()


def status_of(url: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SLOW_MACHINE_S)
    connection.request("GET", "/jwks")
    status = connection.getresponse().status
    connection.close()
    return status


def wait_for(log: Path, text: str, times: int = 1) -> None:
    until = time.monotonic() + SLOW_MACHINE_S
    while log.read_text().count(text) < times:
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)


# --- the shell that started it ---


@pytest.fixture
def adopted():
    """Orphans of this test become children of this process, which can wait for them."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "prctl"):
        pytest.skip("this system has no prctl")
    library.prctl(SUBREAPER, 1)
    yield
    library.prctl(SUBREAPER, 0)


@pytest.mark.parametrize("start", ["nohup", "setsid", ""])
def test_a_service_outlives_its_shell_until_a_signal_ends_it(folder, tmp_path, adopted, start):
    if start and shutil.which(start) is None:
        pytest.skip(f"{start} is not installed")
    endpoint = tmp_path / "issuer.json"
    line = f"{start} {shlex.join(command(folder, endpoint))} >log 2>&1 & sleep 600"
    shell = subprocess.Popen(["bash", "-c", line], cwd=tmp_path, start_new_session=True)
    pid = None
    try:
        told = told_when_ready(shell, endpoint, SLOW_MACHINE_S)
        pid = told["pid"]
        os.killpg(shell.pid, signal.SIGHUP)  # as a terminal does that is closed
        shell.kill()
        shell.wait()
        assert status_of(told["url"]) == 200
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert not endpoint.exists()
    finally:
        shell.kill()
        if pid is not None and is_running(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_service_ends_with_a_launcher_that_is_killed(folder, tmp_path):
    endpoint = tmp_path / "issuer.json"
    program = f"import subprocess, time; subprocess.Popen({command(folder, endpoint)!r});"
    launcher = subprocess.Popen(
        [sys.executable, "-c", f"{program} time.sleep(600)"], env=os.environ | {LAUNCHED: "1"}
    )
    try:
        told = told_when_ready(launcher, endpoint, SLOW_MACHINE_S)
    finally:
        launcher.kill()
        launcher.wait()
    wait_until_ended(told["pid"])


# --- SIGHUP ---


def test_settings_are_read_again_and_a_broken_file_changes_nothing(folder, tmp_path):
    mine = tmp_path / "issuer"
    shutil.copytree(folder, mine)
    (settings,) = (one for one in mine.iterdir() if '"url"' in one.read_text())
    with running(mine, tmp_path / "e.json") as (process, url, log):

        def issuer_after_reload(times: int) -> str:
            process.send_signal(signal.SIGHUP)
            wait_for(log, "SIGHUP", times)
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SLOW_MACHINE_S)
            connection.request("GET", "/.well-known/openid-configuration")
            found = json.load(connection.getresponse())["issuer"]
            connection.close()
            return found

        before = json.loads(settings.read_text())
        settings.write_text(json.dumps({**before, "url": "https://new.example"}))
        assert issuer_after_reload(1) == "https://new.example"
        settings.write_text("nonsense")
        assert issuer_after_reload(2) == "https://new.example"
        (line,) = re.findall(r".*stays in force.*", log.read_text())
        assert "expected an issuer made by" in line
        assert "Traceback" not in log.read_text()


def test_a_network_says_at_sighup_what_is_wrong_with_its_registry(tmp_path):
    registry, endpoint = tmp_path / "nodes.yaml", tmp_path / "e.json"
    registry.write_text("nodes: {FI: {url: 'http://127.0.0.1:9'}}")
    line = [sys.executable, "-m", "rehearsal", "network", "serve", "--nodes", str(registry)]
    log = tmp_path / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen([*line, "--endpoint-file", str(endpoint)], stderr=sink)
    try:
        url = told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]
        registry.write_text("nodes: {FI: {url: 'gopher://there'}}")
        process.send_signal(signal.SIGHUP)
        wait_for(log, "nodes before stay in force")
        assert "nodes.FI.url: expected a URL http" in log.read_text()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SLOW_MACHINE_S)
        connection.request("GET", "/info")
        told = json.load(connection.getresponse())
        assert told["response"]["info"]["nodes"] == ["FI"]
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        connection.close()
        assert 'rehearsal_node_healthy{country="FI"} 0\n' in metrics
    finally:
        process.kill()
        process.wait()


# --- TLS ---


def make_certificate(folder: Path, name: str = "node.example") -> tuple[Path, Path]:
    """A self-signed certificate and its key, by OpenSSL."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def tls_options(certificate: Path, key: Path) -> tuple[object, ...]:
    return ("--tls-certificate", certificate, "--tls-key", key)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def encrypted(folder, certificate, tmp_path_factory):
    """Host and port of an issuer with TLS."""
    endpoint = tmp_path_factory.mktemp("run") / "issuer.json"
    with running(folder, endpoint, *tls_options(*certificate)) as (_, url, _):
        assert url.startswith("https://127.0.0.1:")
        yield urlsplit(url).netloc


@needs("curl")
def test_no_caller_chooses_where_others_send_their_tokens(folder, tmp_path):
    with running(folder, tmp_path / "e.json") as (_, url, _):
        path = f"{url}/.well-known/openid-configuration"
        forged = ["curl", "-sS", "-H", "Host: evil.example", path]
        told = json.loads(subprocess.run(forged, capture_output=True, check=True).stdout)
    assert told["token_endpoint"] == f"{told['issuer']}/token"


@needs("openssl", "curl")
def test_curl_trusts_the_certificate_and_refuses_it_without_its_authority(encrypted, certificate):
    url = f"https://{encrypted}/.well-known/openid-configuration"
    said = subprocess.run(["curl", "-sS", "--cacert", certificate[0], url], capture_output=True)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["jwks_uri"] == f"https://{encrypted}/jwks"
    refused = subprocess.run(["curl", "-sS", url], capture_output=True, text=True)
    assert refused.returncode == 60, refused.stderr  # the certificate cannot be verified


def handshake(address: str, *options: str) -> str:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", address, *options],
        input="",
        capture_output=True,
        text=True,
        timeout=SLOW_MACHINE_S,
    )
    return done.stdout + done.stderr


@needs("openssl")
@pytest.mark.parametrize(
    ("version", "agreed"),
    [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2"), ("-tls1_1", None), ("-tls1", None)],
)
def test_versions_before_1_2_are_refused(encrypted, version, agreed):
    said = handshake(encrypted, version, "-cipher", "DEFAULT@SECLEVEL=0", "-alpn", "http/1.1")
    (cipher,) = re.findall(r"^New, .*Cipher is (.*)$", said, re.M)
    assert (cipher == "(NONE)") is (agreed is None)
    assert agreed is None or f"New, {agreed}" in said or f"Protocol  : {agreed}" in said


@needs("openssl")
def test_plain_http_on_a_port_with_tls_gets_no_answer(encrypted):
    connection = http.client.HTTPConnection(encrypted, timeout=SLOW_MACHINE_S)
    connection.request("GET", "/jwks")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()
    connection.close()


@needs("openssl", "curl")
def test_callers_who_begin_no_handshake_keep_nobody_out(folder, certificate, tmp_path):
    """More connections than the service may open files."""
    endpoint, files = tmp_path / "e.json", 128
    limited = f"ulimit -n {files}; exec "
    line = limited + shlex.join(command(folder, endpoint, *tls_options(*certificate)))
    process = subprocess.Popen(["bash", "-c", line])
    silent: list[socket.socket] = []
    try:
        url = told_when_ready(process, endpoint, SLOW_MACHINE_S)["url"]
        place = urlsplit(url)
        silent = [socket.create_connection((place.hostname, place.port)) for _ in range(2 * files)]
        ask = ["curl", "-sS", "--cacert", certificate[0], f"{url}/health"]
        said = subprocess.run(ask, capture_output=True)
        assert json.loads(said.stdout) == {"status": "ok"}, said.stderr
    finally:
        for one in silent:
            one.close()
        process.kill()
        process.wait()


@needs("openssl")
def test_the_client_of_the_network_asks_over_tls(encrypted, certificate, monkeypatch):
    """OpenSSL reads authorities from this file too."""

    async def ask() -> str:
        node = NodeEntry("FI", f"https://{encrypted}")
        async with NetworkClient([node]) as client:
            now = asyncio.get_running_loop().time()
            request = NodeRequest("service-info", is_beacon=False)
            return (await client.send(node, request, now, SLOW_MACHINE_S)).state

    assert asyncio.run(ask()) == "failed"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    program = f"""
import asyncio
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry

async def ask():
    node = NodeEntry("FI", "https://{encrypted}")
    async with NetworkClient([node]) as client:
        now = asyncio.get_running_loop().time()
        request = NodeRequest("service-info", is_beacon=False)
        print((await client.send(node, request, now, {SLOW_MACHINE_S})).state)

asyncio.run(ask())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "answered\n", done.stderr


@needs("openssl")
def test_a_renewed_certificate_is_read_at_sighup_and_a_broken_one_is_not(folder, tmp_path):
    certificate, key = make_certificate(tmp_path, "old.example")
    options = tls_options(certificate, key)
    with running(folder, tmp_path / "e.json", *options) as (process, url, log):
        address = urlsplit(url).netloc
        assert "CN = old.example" in handshake(address)
        make_certificate(tmp_path, "new.example")
        process.send_signal(signal.SIGHUP)
        wait_for(log, "SIGHUP", 1)
        assert "CN = new.example" in handshake(address)
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(make_certificate(other, "other.example")[0], certificate)  # with another key
        process.send_signal(signal.SIGHUP)
        wait_for(log, "stays in force", 1)
        assert "expected a certificate and its private key" in log.read_text()
        assert "CN = new.example" in handshake(address)


def spoil(certificate: Path, key: Path, what: str) -> None:
    match what:
        case "no certificate":
            certificate.unlink()
        case "no PEM":
            certificate.write_text("nonsense")
        case "another key":
            other = key.parent / "other"
            other.mkdir()
            shutil.copy(make_certificate(other)[1], key)
        case "readable key":
            key.chmod(0o644)
        case "encrypted key":
            lock = ["openssl", "ec", "-in", key, "-out", key, "-aes256", "-passout", "pass:secret"]
            subprocess.run(lock, check=True, capture_output=True)


@needs("openssl")
@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("no certificate", r"cert\.pem: --tls-certificate: expected a PEM file, found an unread"),
        ("no PEM", r"cert\.pem: --tls-certificate, --tls-key .*: expected a certificate and its"),
        ("another key", r"cert\.pem: --tls-certificate, --tls-key .*: expected a certificate and"),
        ("readable key", r"key\.pem: --tls-key: expected a key that only its owner and group"),
        ("encrypted key", r"key\.pem: --tls-key: expected a key without a passphrase"),
    ],
)
def test_files_that_cannot_be_used_are_one_line_and_exit_2(folder, tmp_path, what, expected):
    certificate, key = make_certificate(tmp_path)
    spoil(certificate, key, what)
    line = command(folder, tmp_path / "e.json", *tls_options(certificate, key))
    done = subprocess.run(line, capture_output=True, text=True, timeout=SLOW_MACHINE_S)
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert re.search(expected, said), said


@pytest.mark.parametrize("given", ["--tls-certificate", "--tls-key"])
def test_a_certificate_and_its_key_belong_together(folder, tmp_path, given):
    line = command(folder, tmp_path / "e.json", given, tmp_path / "file.pem")
    done = subprocess.run(line, capture_output=True, text=True, timeout=SLOW_MACHINE_S)
    assert done.returncode == 2
    assert re.search(r"issuer serve: --tls-\w+: expected a file, as for --tls-", done.stderr)


# --- tokens in the clear ---


CLEAR = "WARNING: "


@needs("openssl")
@pytest.mark.parametrize(
    ("options", "is_warned"),
    [
        (("--host", "0.0.0.0"), True),
        (("--host", "127.0.0.1"), False),
        (("--host", "0.0.0.0", "--trusted-proxy", "10.0.0.1"), False),
        (("--host", "0.0.0.0", "--public-url", "https://node.example"), False),
        (("--public-url", "http://node.example"), True),
        (("--host", "0.0.0.0", "tls"), False),
    ],
)
def test_a_service_whose_callers_send_tokens_in_the_clear_says_so(
    folder, tmp_path, certificate, options, is_warned
):
    if options[-1] == "tls":
        options = (*options[:-1], *tls_options(*certificate))
    with running(folder, tmp_path / "e.json", *options) as (_, _, log):
        said = [line for line in log.read_text().splitlines() if CLEAR in line]
    assert len(said) == int(is_warned)
    assert all("expected TLS" in line and "in the clear" in line for line in said)
