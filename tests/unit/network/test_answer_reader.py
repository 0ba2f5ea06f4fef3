"""What a caller is told when there is no connection, by real connections."""

import asyncio
import ssl
import subprocess

import aiohttp
import pytest

from rehearsal.network.answer_reader import failure_reason


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """TLS with a self-signed certificate, by OpenSSL."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    made = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    named = ("-subj", "/CN=node.example", "-keyout", key, "-out", certificate)
    subprocess.run(["openssl", "req", *made, *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def reason(scheme, context):
    """The reason when a client asks a port that speaks TLS by ``context``, or plain HTTP."""

    async def answer(reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError) as caught:
                await session.get(f"{scheme}://127.0.0.1:{port}/info")
    return failure_reason(caught.value)


def test_a_certificate_that_is_not_trusted_is_named(tls):
    said = asyncio.run(reason("https", tls))
    assert said == "no connection (certificate not trusted: self-signed certificate)"


def test_a_port_without_tls_is_named():
    assert asyncio.run(reason("https", None)) == "no connection (the port does not speak TLS)"
