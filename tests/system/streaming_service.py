"""A service that streams 64 MB to callers who may see records, by the access rules of a node."""

import sys
from functools import partial
from pathlib import Path

from starlette.responses import StreamingResponse

from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.rights import caller_rights
from rehearsal.node.beacon import envelope
from rehearsal.node.server import _run_beside, open_node
from rehearsal.web.address import ServiceAddress
from rehearsal.web.app import Api, Json
from rehearsal.web.server import listening, run, serve_app


async def stream(request):
    caller_rights(request).require_records(["GDI-FI-REHEARSAL-1"])
    return StreamingResponse(bytes(1 << 20) for _ in range(64))


async def information(request):
    return Json({})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    node_data = open_node(folder)
    authorizer = Authorizer.open(node_data.settings, node_data.people, folder)
    api = Api(partial(envelope.error, "org.rehearsal.fi"), "node")
    api.add("/stream", stream)
    api.add("/service-info", information)
    with listening("127.0.0.1", 0) as listener:
        address = ServiceAddress(endpoint_file=Path(sys.argv[2]))
        serving = serve_app(AccessMiddleware(api, authorizer), listener, address, "FI")
        run(_run_beside(serving, authorizer.watch()))
