"""A Beacon that differs from ours: python foreign_stub.py NODE_URL ENDPOINT_FILE MANNER.

It stands before one of our nodes, at another base path. Manners: ``honest``: no POST, yes or no and
nothing else, no result sets. ``lying``: so too, and it says no where it should say yes. ``slow``:
so too, long after any deadline.
``frugal``: no GET, and of a frequency only what Beacon demands, with other names of populations.
"""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import ClientSession, web

BASE = "/beacon/api/v2"
SLOW_S = {"slow": 30.0}  # by manner; 0.03 otherwise
KNOWN = ("/info", "/service-info", "/g_variants", "/individuals")  # paths, of Beacon only
PASSED = ("Authorization", "X-Rehearsal-Purpose")  # to the node behind it


def frugally(said: dict) -> dict:
    """Leave of each frequency what Beacon demands, and name women ``F`` and men ``M``."""
    for one in said.get("response", {}).get("resultSets", ()):
        for record in one.get("results", ()):
            for source in record.get("frequencyInPopulations", ()):
                source["frequencies"] = [
                    {
                        "population": entry["population"].removeprefix("FI_"),
                        "alleleFrequency": entry["alleleFrequency"],
                    }
                    for entry in source["frequencies"]
                ]
    return said


async def main(node: str, endpoint: Path, manner: str) -> None:
    async def answer_frugally(request: web.Request) -> web.Response:
        if request.path.endswith("info"):
            return web.json_response({"meta": {"beaconId": "com.foreign"}, "response": {}})
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        url = f"{node}{request.path.removeprefix(BASE)}"
        passed = {name: request.headers[name] for name in PASSED if name in request.headers}
        async with session.post(url, json=await request.json(), headers=passed) as response:
            said = frugally(await response.json())
            return web.json_response(said, status=response.status)

    async def answer(request: web.Request) -> web.Response:
        if not request.path.endswith(KNOWN):
            raise web.HTTPNotFound
        if request.method != "GET":
            raise web.HTTPMethodNotAllowed(request.method, ["GET"])
        query = dict(request.query)
        if request.path.endswith(("/info", "/service-info")):
            return web.json_response({"meta": {"beaconId": "com.foreign"}, "response": {}})
        await asyncio.sleep(SLOW_S.get(manner, 0.03))
        if query.get("requestedGranularity") in (None, "count", "record"):
            query["requestedGranularity"] = "boolean"
        url = f"{node}{request.path.removeprefix(BASE)}"
        passed = {name: request.headers[name] for name in PASSED if name in request.headers}
        async with session.get(url, params=query, headers=passed) as response:
            said = await response.json()
            if response.status != 200:
                return web.json_response(said, status=response.status)
        exists = said["responseSummary"]["exists"] and manner != "lying"
        meta = {"beaconId": "com.foreign", "returnedGranularity": "boolean"}
        return web.json_response({"meta": meta, "responseSummary": {"exists": exists}})

    app = web.Application()
    how = answer_frugally if manner == "frugal" else answer
    app.router.add_route("*", BASE + "/{path:.*}", how)
    runner = web.AppRunner(app)
    async with ClientSession() as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        said = {"country": endpoint.name.split(".")[0], "url": f"http://127.0.0.1:{port}{BASE}"}
        aside = endpoint.with_suffix(".part")
        aside.write_text(json.dumps(said | {"pid": 1}))
        aside.rename(endpoint)
        await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
