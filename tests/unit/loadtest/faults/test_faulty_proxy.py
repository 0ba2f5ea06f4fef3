"""The proxy before a node."""

import asyncio

from rehearsal.loadtest.faults.faulty_proxy import faulty_proxy


def test_a_proxy_passes_on_until_it_is_told_to_misbehave():
    async def node(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        said = await reader.read(1000)
        writer.close()
        return said

    async def run():
        server = await asyncio.start_server(node, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with faulty_proxy("127.0.0.1", port) as proxy:
            before = await ask(proxy.port)
            proxy.misbehaviour = "error500"
            broken = await ask(proxy.port)
            proxy.misbehaviour = None
            after = await ask(proxy.port)
        server.close()
        return before, broken, after

    before, broken, after = asyncio.run(run())
    assert before.endswith(b"ok")
    assert broken.startswith(b"HTTP/1.1 500")
    assert after == before
