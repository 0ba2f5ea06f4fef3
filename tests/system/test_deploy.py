"""A node as people deploy it: the files in ``deploy/`` with Debian's nginx and systemd."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from rdflib import Graph, URIRef
from rdflib.namespace import RDF

from rehearsal.catalogue.dataset_descriptor import uniform_terms
from rehearsal.catalogue.node_datasets import describe_node_datasets, write_node_catalogue
from rehearsal.network.issuer import CENTRAL_COMMITTEE, make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings

from .starting import told_when_ready
from .test_htsget import PEOPLE, REGION, make_node, rows, stored_rows, tool
from .test_serving import make_certificate, needs

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
SLOW_MACHINE_S = 60.0
ID = "GDI-FI-REHEARSAL-1"
PREFIX = "/v2.0.0"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="not installed: nginx (nginx-light)")
OTHER_ADDRESS = "127.0.0.2"  # of this machine: a caller who is no trusted proxy
SURROUNDINGS = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/node.conf;
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@contextmanager
def nginx(folder: Path, certificate: tuple[Path, Path], node_port: int, change=lambda text: text):
    """nginx with the example's configuration, on a free port; yields the public URL."""
    port = free_port()
    text = (ROOT / "deploy/nginx-node.conf").read_text()
    for ours, here in (
        ("127.0.0.1:5050", f"127.0.0.1:{node_port}"),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("node.example;", "localhost;"),
        ("/etc/ssl/certs/node.example.pem", str(certificate[0])),
        ("/etc/ssl/private/node.example.key", str(certificate[1])),
    ):
        assert ours in text
        text = text.replace(ours, here)
    folder.mkdir()
    (folder / "node.conf").write_text(change(text))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(SURROUNDINGS.format(folder=folder, user=user))
    command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stderr=said)
    try:
        wait_for_port(process, port, folder / "said")
        yield f"https://localhost:{port}{PREFIX}"
    finally:
        process.terminate()
        process.wait()


def wait_for_port(process: subprocess.Popen, port: int, said: Path) -> None:
    until = time.monotonic() + SLOW_MACHINE_S
    while True:
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < until
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)


@contextmanager
def serving(command: list[str], endpoint: Path):
    process = subprocess.Popen([*command, "--endpoint-file", str(endpoint)], stderr=subprocess.PIPE)
    try:
        told_when_ready(process, endpoint, SLOW_MACHINE_S)
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of a node with genomes and metadata, a passport with a grant, and a certificate."""
    top = tmp_path_factory.mktemp("deployed")
    folder, issuer = top / "FI", make_issuer(top / "issuer")
    make_node(folder, issuer)
    settings, facts = NodeSettings.read(folder), PublicFacts.of_size(PEOPLE)
    terms = uniform_terms("GDPR 6(1)a, 9(2)a", "DUO:0000042")
    write_node_catalogue(folder, describe_node_datasets(settings, facts, terms), "0.1")
    person = create_person("researcher", "BE", [CENTRAL_COMMITTEE])
    token = sign_tokens(issuer, person).passport
    tool("openssl")
    tool("curl")
    (top / "tls").mkdir()
    certificate = make_certificate(top / "tls", "localhost")
    return SimpleNamespace(top=top, folder=folder, token=token, certificate=certificate)


MANNERS = {
    "headers, prefix kept": ("--trusted-proxy", "127.0.0.1"),
    "headers, prefix cut off": ("--trusted-proxy", "127.0.0.1"),
    "public URL": ("--public-url", "URL"),
}


@pytest.fixture(scope="module", params=MANNERS)
def public(made, request):
    """A node behind nginx: its public URL, and its port on this machine."""
    if NGINX is None:
        pytest.skip("not installed: nginx (nginx-light)")
    port, name = free_port(), request.param.replace(" ", "-").replace(",", "")

    def change(text: str) -> str:
        if "cut off" in request.param:
            text = text.replace(
                "proxy_pass http://rehearsal_node;", "proxy_pass http://rehearsal_node/;"
            )
        if request.param == "public URL":  # a proxy that states nothing
            kept = [line for line in text.splitlines() if "X-Forwarded" not in line]
            text = "\n".join(line for line in kept if "_header Host" not in line)
        return text

    with nginx(made.top / name, made.certificate, port, change) as url:
        options = [url if one == "URL" else one for one in MANNERS[request.param]]
        command = [sys.executable, "-m", "rehearsal", "node", "serve", str(made.folder)]
        with serving([*command, "--port", str(port), *options], made.top / f"{name}.json"):
            yield SimpleNamespace(**vars(made), url=url, port=port)


def curl(*options: str) -> subprocess.CompletedProcess:
    command = ["curl", "-sS", "-m", "60", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True)


def get(node, path: str, *options: str) -> str:
    done = curl("--cacert", node.certificate[0], "--fail-with-body", *options, f"{node.url}{path}")
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def status_of(node, path: str, *options: str) -> int:
    ask = ("--cacert", node.certificate[0], "-o", os.devnull, "-w", "%{http_code}", *options)
    return int(curl(*ask, f"{node.url}{path}").stdout)


def ticket(node, *options: str) -> list[dict]:
    path = f"/htsget/variants/{ID}?format=BCF&referenceName=chr22"
    return json.loads(get(node, path, "-H", f"Authorization: Bearer {node.token}", *options))[
        "htsget"
    ]["urls"]


def texts(value) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_the_map_names_public_addresses(public):
    told = json.loads(get(public, "/map"))["response"]
    urls = [text for text in texts(told) if "://" in text and "githubusercontent" not in text]
    assert len(urls) > 20
    assert all(url.startswith(f"{public.url}/") for url in urls)
    assert f"{public.url}/g_variants" in urls
    token = ("-H", f"Authorization: Bearer {public.token}")
    variants = json.loads(get(public, "/g_variants?referenceName=22&start=1&end=2", *token))
    assert variants["meta"]["apiVersion"].startswith("v2")


def test_a_ticket_sends_the_token_to_the_public_name_only(public):
    for forged in ((), ("-H", "X-Forwarded-Host: evil.example")):
        for one in ticket(public, *forged):
            if not one["url"].startswith("data:"):
                assert one["url"].startswith(f"{public.url}/htsget/data/{ID}/")
                assert one["headers"]["Authorization"] == f"Bearer {public.token}"
    *_, last = (public.folder / "audit.jsonl").read_text().splitlines()
    assert json.loads(last)["route"] == "/htsget/variants/{id}"


def test_the_metadata_are_about_public_addresses(public):
    found = Graph().parse(data=get(public, "/fdp"), format="turtle")
    point = URIRef("https://w3id.org/fdp/fdp-o#FAIRDataPoint")
    assert list(found.subjects(RDF.type, point)) == [URIRef(f"{public.url}/fdp")]


def test_the_htsget_client_reads_a_region_through_the_proxy(public, tmp_path):
    read_region(public, tmp_path / "region")


def test_the_htsget_client_reads_a_region_from_a_node_with_tls(made, tmp_path):
    port = free_port()
    url = f"https://localhost:{port}"
    certificate, key = made.certificate
    command = [
        *(
            sys.executable,
            "-m",
            "rehearsal",
            "node",
            "serve",
            str(made.folder),
            "--port",
            str(port),
        ),
        *("--public-url", url, "--tls-certificate", str(certificate), "--tls-key", str(key)),
    ]
    with serving(command, tmp_path / "e.json"):
        read_region(SimpleNamespace(**vars(made), url=url), tmp_path / "region")
        # as Prometheus asks for 127.0.0.1 with the server_name of the certificate
        place = ("--connect-to", f"localhost:{port}:127.0.0.1:{port}", "--cacert", certificate)
        told = curl(*place, "-H", f"Host: 127.0.0.1:{port}", f"{url}/metrics")
        assert "\nrehearsal_connections " in told.stdout


def read_region(public, out: Path) -> None:
    place = ("-r", "chr22", "-s", str(REGION["start"]), "-e", str(REGION["end"]))
    done = subprocess.run(
        [
            *(tool("htsget"), f"{public.url}/htsget/variants/{ID}", "-O", str(out), "-M", "0"),
            *("-f", "BCF", *place, "-b", public.token),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "REQUESTS_CA_BUNDLE": str(public.certificate[0])},
    )
    assert done.returncode == 0, done.stderr
    assert rows(out) == stored_rows(public, "chr22", REGION["start"], REGION["end"])


def test_metrics_are_seen_from_this_machine_only(public):
    # from elsewhere /metrics is that of the Matchmaker Exchange, which wants a key
    assert [status_of(public, path) for path in ("/map", "/metrics")] == [200, 401]
    direct = curl(f"http://127.0.0.1:{public.port}/metrics")
    assert 'rehearsal_requests_total{route="/map",status="2xx"}' in direct.stdout
    assert json.loads(get(public, "/health")) == {"status": "ok"}


def test_a_caller_who_is_no_proxy_is_not_believed(public):
    """A caller without the proxy, who names another address: of no use, and no token goes there."""
    forged = ("-H", "Host: evil.example", "-H", "X-Forwarded-Host: evil.example")
    token = ("-H", f"Authorization: Bearer {public.token}")
    path = f"http://127.0.0.1:{public.port}/htsget/variants/{ID}?format=BCF"
    done = curl("--interface", OTHER_ADDRESS, *forged, *token, path)
    for one in json.loads(done.stdout)["htsget"]["urls"]:
        if one["url"].startswith("http://evil.example"):
            assert "Authorization" not in one.get("headers", {})
        else:
            assert one["url"].startswith(("data:", f"{public.url}/"))


def test_another_name_than_the_public_one_gets_no_answer(public):
    assert status_of(public, "/map", "-H", "Host: evil.example") == 421
    refused = curl("--cacert", public.certificate[0], public.url.replace("localhost", "127.0.0.1"))
    assert refused.returncode == 35, refused.stderr  # the handshake fails


@needs_nginx
@needs("curl", "openssl")
@pytest.mark.parametrize("kept", [True, False])
def test_nginx_logs_no_failed_request(made, tmp_path, kept):
    def change(text: str) -> str:
        return text if kept else text.replace("error_log /dev/null emerg;", "")

    folder = tmp_path / "nginx"
    with nginx(folder, made.certificate, free_port(), change) as url:  # no node answers
        ask = ("--cacert", made.certificate[0], "-o", os.devnull, "-w", "%{http_code}")
        assert curl(*ask, f"{url}/g_variants?start=20000032").stdout == "502"
    assert ("start=20000032" in (folder / "error.log").read_text()) is not kept


# --- the caller's address ---


ECHO = """
import sys
from rehearsal.web.address import ServiceAddress, add_address_options, service_address
from rehearsal.web.command_line import OneLineParser
from rehearsal.web.server import listening, run, serve_app

async def tell(scope, receive, send):
    body = scope["client"][0].encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

parser = OneLineParser(prog="echo")
add_address_options(parser, "echo")
address = service_address(parser.parse_args())
with listening(address.host, address.port) as listener:
    run(serve_app(tell, listener, address, "echo"))
"""


@needs_nginx
@needs("curl", "openssl")
@pytest.mark.parametrize("trust", [True, False])
def test_the_caller_is_the_one_that_nginx_sees(made, tmp_path, trust):
    port = free_port()
    options = ("--trusted-proxy", "127.0.0.1") if trust else ()
    command = [sys.executable, "-c", ECHO, "--port", str(port), *options]
    with (
        serving(command, tmp_path / "echo.json"),
        nginx(tmp_path / "nginx", made.certificate, port) as url,
    ):
        for forged in (
            (),
            ("-H", "X-Forwarded-For: 198.51.100.7"),
            ("-H", "Forwarded: for=1.1.1.1"),
        ):
            ask = ("--interface", OTHER_ADDRESS, "--cacert", made.certificate[0], *forged)
            assert curl(*ask, f"{url}/").stdout == (OTHER_ADDRESS if trust else "127.0.0.1")


# --- systemd ---


UNIT = ROOT / "deploy/rehearsal-node@.service"


@needs("systemd-analyze")
def test_systemd_finds_no_fault_in_the_unit_and_little_exposure(tmp_path):
    program = tmp_path / "rehearsal"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/rehearsal/bin/rehearsal", str(program)))
    verified = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "RestartPreventExitStatus=2\n" in UNIT.read_text()  # the status of unusable settings
    limit = "--threshold=20"  # tenths; a unit without these directives has 96
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", limit, copy],
        capture_output=True,
        text=True,
    )
    if "unrecognized option" not in judged.stderr:
        assert judged.returncode == 0, judged.stdout[-200:]


def test_the_command_of_the_unit_serves_a_node(made, tmp_path):
    (line,) = [one for one in UNIT.read_text().splitlines() if one.startswith("ExecStart=")]
    port = free_port()
    for ours, here in (
        ("ExecStart=/opt/rehearsal/bin/rehearsal", f"{sys.executable} -m rehearsal"),
        ("/srv/rehearsal/%i", str(made.folder)),
        ("${PORT}", str(port)),
        ("${PUBLIC_URL}", "https://node.example/v2.0.0"),
    ):
        assert ours in line
        line = line.replace(ours, here)
    with serving(line.split(), tmp_path / "e.json"):
        told = json.loads((tmp_path / "e.json").read_text())
    assert told["url"] == "https://node.example/v2.0.0"
