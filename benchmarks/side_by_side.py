"""Compare the speed of this checkout's node and network with those of another, in one run.

Each node serves folders that its checkout made, with the same content. Each network asks the same
28 stub nodes, which do no work. The same requests are sent to both in turn, so that other work on
the machine slows them about equally. Prints, for each kind of request, the median time and the CPU
time of the service, and the ratio of the two checkouts.

    git worktree add ../other REVISION
    python benchmarks/side_by_side.py ../other
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import yaml
from access import CONSENT, ask, guard, look_up, post
from measuring import (
    ServedNode,
    cpu_seconds_of,
    footer,
    header,
    served_network,
    served_node,
)
from node import frequency_only, make_node, two_terms

from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.network.issuer import make_issuer
from rehearsal.network.registry import NodeEntry, write_nodes
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.access.settings import SETTINGS_FILE, AccessSettings
from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.phenotypes.consent import read_consent

VARIANTS = 2000
COUNTRIES = 28  # stub nodes of a network
MAKE = """
import json, sys
from pathlib import Path
from side_by_side import make_folders

folders, token = make_folders(Path(sys.argv[1]))
print(json.dumps([{name: str(folder) for name, folder in folders.items()}, token]))
"""
NAMES = ("this checkout", "the other one")


def make_folders(root: Path) -> tuple[dict[str, Path], str]:
    """Make the folders that are served.

    Args:
        root: The folder to write to.

    Returns:
        A node open to all, one with tokens and consent, and one with public callers; and a token.
    """
    issuer = make_issuer(root / "issuer")
    token = tokens_by_tier(issuer.folder, "BE", 24 * 3600 - 1)["controlled"]
    folders = {name: make_node(root / name, 100, VARIANTS, 1) for name in ("open", "guarded")}
    guard(folders["guarded"], issuer, with_consent=True)
    folders["public"] = root / "public"
    shutil.copytree(folders["open"], folders["public"])
    settings = NodeSettings.read(folders["public"])
    access = AccessSettings(without_consent="include")
    replace(settings, access=access).write(folders["public"])
    write_public_facts({"FI": folders["public"], "SE": folders["guarded"]}, read_consent(CONSENT))
    for folder in folders.values():
        drop_protection(folder / SETTINGS_FILE)
    return folders, token


def drop_protection(path: Path) -> None:
    """Leave the protection to the defaults of each checkout, unless the node is open to all.

    Args:
        path: The node's settings.
    """
    values = yaml.safe_load(path.read_text())
    if values["access"].get("protection", {}).get("public", {}).get("threshold") != 1:
        values["access"].pop("protection", None)
    else:
        values["access"]["protection"] = {"public": "none", "registered": "none"}
    path.write_text(yaml.safe_dump(values, sort_keys=False))


def made_by(checkout: Path, root: Path) -> tuple[dict[str, Path], str]:
    """Let a checkout make the folders, as the formats of its stores may be others.

    Args:
        checkout: The checkout.
        root: The folder to write to.

    Returns:
        What :func:`make_folders` of that checkout returns.
    """
    done = subprocess.run(
        [sys.executable, "-c", MAKE, root],
        env={**os.environ, "PYTHONPATH": f"{checkout}:{checkout / 'benchmarks'}"},
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    names, token = json.loads(done.stdout.splitlines()[-1])
    return {name: Path(folder) for name, folder in names.items()}, token


def compare(
    name: str,
    nodes: tuple[ServedNode, ServedNode],
    requests: list[bytes],
    of_other: list[bytes] | None = None,
) -> None:
    """Send the same requests to both nodes in turn, and print times and ratios.

    Args:
        name: Name of the requests.
        nodes: A node or network of this checkout, and one of the other.
        requests: The requests.
        of_other: The same requests with the tokens of the other node. None: without tokens.
    """
    sent = requests, requests if of_other is None else of_other
    times: tuple[list[float], list[float]] = ([], [])
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(node.address)) for node in nodes]
        for line, asked in zip(lines, sent, strict=True):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in asked[:50]:
                ask(line, request, (200, 403))
        before = [cpu_seconds_of(node.pid) for node in nodes]
        for pair in zip(*sent, strict=True):
            for line, found, request in zip(lines, times, pair, strict=True):
                started = time.perf_counter()
                ask(line, request, (200, 403))
                found.append(time.perf_counter() - started)
        cpu = [cpu_seconds_of(node.pid) - one for node, one in zip(nodes, before, strict=True)]
    print(name)
    for which, found, used in zip(NAMES, times, cpu, strict=True):
        each = used / len(requests)
        print(
            f"  {which:16} p50 {1e3 * statistics.median(found):6.3f} ms   "
            f"{1e6 * each:5.0f} us of CPU ({1 / each:5.0f} a second on one core)"
        )
    ratios = statistics.median(times[0]) / statistics.median(times[1]), cpu[0] / cpu[1]
    print(f"  {'ratio':16} p50 {ratios[0]:6.3f}      CPU {ratios[1]:5.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--requests", type=int, default=5000, help="requests of each kind")
    options = parser.parse_args()
    print(header())
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        other, (mine, theirs) = options.other.resolve(), (Path(temporary, one) for one in "ab")
        (folders, token), (others, other_token) = make_folders(mine), made_by(other, theirs)
        unlimited = ("--requests-per-s", "0")
        nodes = {
            name: (
                stack.enter_context(served_node(folder, options=unlimited)),
                stack.enter_context(served_node(others[name], checkout=other)),
            )
            for name, folder in folders.items()
        }
        numbers = [i % VARIANTS for i in range(options.requests)]
        bare = [frequency_only(i) for i in numbers]
        with_token, with_other = (
            [post("/g_variants", look_up(i), one) for i in numbers] for one in (token, other_token)
        )
        public = [post("/g_variants", look_up(i, "boolean"), None) for i in numbers]
        compare("a bare frequency", nodes["open"], bare)
        name = "token, audit log, records of both datasets"
        compare(name, nodes["guarded"], with_token, with_other)
        compare("a public question", nodes["public"], public)
        compare("a count of people with two terms", nodes["open"], [*map(two_terms, numbers)])
        folder, fewer = Path(temporary), numbers[: max(1, len(numbers) // 5)]
        stubs = stack.enter_context(StubNodes([0.0] * COUNTRIES))
        letters = ((chr(65 + i // 26), chr(65 + i % 26)) for i in range(COUNTRIES))
        pairs = zip(letters, stubs.urls, strict=True)
        write_nodes([NodeEntry("".join(two), url) for two, url in pairs], folder / "nodes.yaml")
        networks = (
            stack.enter_context(served_network(folder / "nodes.yaml", folder / "a.json")),
            stack.enter_context(served_network(folder / "nodes.yaml", folder / "b.json", other)),
        )
        asked = [post("/g_variants", look_up(i, "count"), None) for i in fewer]
        compare(f"a network of {COUNTRIES} nodes", networks, asked)
    print(footer())


if __name__ == "__main__":
    main()
