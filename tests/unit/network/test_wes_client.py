"""The network's client of WES, against servers that mean it no good."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rehearsal.network.wes_client import WesClient, WesError


def test_a_node_cannot_send_the_network_elsewhere():
    asyncio.run(ask_a_node_that_redirects())


async def ask_a_node_that_redirects():
    reached = []

    async def inner(request):
        reached.append(await request.text())
        return web.json_response({})

    async def outer(request):
        raise web.HTTPTemporaryRedirect(str(elsewhere.make_url("/internal/admin")))

    inside, outside = web.Application(), web.Application()
    inside.router.add_route("*", "/{path:.*}", inner)
    outside.router.add_route("*", "/{path:.*}", outer)
    async with (
        TestServer(inside) as elsewhere,
        TestServer(outside) as node,
        WesClient(str(node.make_url("/ga4gh/wes/v1"))) as client,
    ):
        with pytest.raises(WesError) as caught:
            await client.service_info()
    assert caught.value.status == 307 and reached == []
