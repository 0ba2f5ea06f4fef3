"""Where nodes and the asker are, and how far from each other."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.errors import InputError
from rehearsal.network.emulation.namespaces import HERE, Place, namespaces
from rehearsal.network.emulation.tun import DEVICE, connected
from rehearsal.web.network_delay import Line

if TYPE_CHECKING:
    import pandas as pd

ASKER = "asker"  # the name of the place from which the network asks
KEY = "network.emulation"
FIRST_ADDRESS, MOST_PLACES = 1, 254
DELAY, TUN = "delay", "tun"

Lines = dict[tuple[str, str], Line]  # by ordered pair of places or countries


@dataclass(frozen=True)
class Topology:
    """``places``: of each country's node. ``lines``: what a node has to emulate by itself."""

    places: Mapping[str, Place]
    lines: Mapping[str, Line]
    asker: Place = HERE

    @classmethod
    def here(cls, countries: Collection[str], lines: Mapping[str, Line] | None = None) -> Topology:
        """All nodes on this machine; those without a line emulate none."""
        return cls(dict.fromkeys(countries, HERE), lines or {})


def uses_namespaces(way: str) -> bool:
    """Whether nodes and the asker are in network namespaces, where nobody outside reaches them."""
    return way == TUN


@contextmanager
def emulated_distance(
    network: Mapping[str, Any], pairs: pd.DataFrame, countries: Collection[str]
) -> Iterator[Topology]:
    """Distance between the nodes of countries and the asking one, as long as the block runs.

    ``network``: that part of the configuration. ``pairs``: ``rtt_matrix``. With namespaces the
    calling thread is in the asker's for as long as the block runs: who is started from it can ask
    the nodes, and nobody else can. Raises InputError when this machine cannot do it.
    """
    way, asker = network["emulation"], network["asker"]
    lines = line_of_pairs(network, pairs)
    if uses_namespaces(way):
        check_possible(way)
        with _namespaces_apart(lines, asker, countries) as topology:
            yield topology
    else:
        plain = Line()
        own = {c: lines[asker, c] if way == DELAY else plain for c in countries}
        yield Topology.here(countries, own)


@contextmanager
def _namespaces_apart(lines: Lines, asker: str, countries: Collection[str]) -> Iterator[Topology]:
    """A namespace for each node and the asker, this thread in the asker's."""
    names = [ASKER, *countries]
    if len(names) > MOST_PLACES:
        raise InputError("config", KEY, f"at most {MOST_PLACES - 1} countries with {TUN}")
    # bytes a second of each node's line; the asker's is not narrower than all of theirs
    rates = {c: (lines[asker, c].bandwidth_mbps or 0) * 1e6 / 8 for c in countries}
    with namespaces(len(names)) as made:
        places = {
            name: Place(f"10.203.0.{number}", namespace)
            for number, (name, namespace) in enumerate(
                zip(names, made, strict=True), start=FIRST_ADDRESS
            )
        }
        between = _lines_between(names, lines, asker)
        with connected(places, between, rates), places[ASKER].entered():
            nodes = {country: places[country] for country in countries}
            yield Topology(nodes, {}, replace(places[ASKER], namespace=None))


def _lines_between(names: list[str], lines: Lines, asker: str) -> Lines:
    """The line of every pair of places, each pair once; the asker is where its country is."""
    return {
        (first, second): lines[asker if first == ASKER else first, second]
        for number, first in enumerate(names)
        for second in names[number + 1 :]
    }


def line_of_pairs(network: Mapping[str, Any], pairs: pd.DataFrame) -> Lines:
    """The line between every ordered pair of countries, by the configuration."""
    bandwidths = pairs["bandwidth_mbps"].fillna(network["bandwidth_mbps"] or 0.0)
    return {
        (asker, country): Line(float(rtt_ms), mbps, network["jitter_ms"], network["loss"])
        for asker, country, rtt_ms, mbps in zip(
            *(pairs[column] for column in ("asker", "country", "rtt_ms")), bandwidths, strict=True
        )
    }


def check_possible(way: str, source: object = "config") -> None:
    """Raises InputError when this machine and this user cannot emulate distance in a way.

    ``source``: the file that asks for it.
    """
    if not uses_namespaces(way):
        return
    if shutil.which("ip") is None:
        raise InputError(source, KEY, f"delay, or ip (iproute2) for {way}; not found here")
    try:
        with namespaces(1):
            pass
    except OSError as error:
        needed = "CAP_SYS_ADMIN and CAP_NET_ADMIN for network namespaces"
        raise InputError(source, KEY, f"delay, or {needed} for {way} ({error})") from None
    if not Path(DEVICE).exists():
        raise InputError(source, KEY, f"delay, or {DEVICE} for tun; this machine has none")


def emulation_support() -> dict[str, str]:
    """Each way, and why this machine cannot do it; empty where it can."""
    try:
        check_possible(TUN)
    except InputError as error:
        return {DELAY: "", TUN: error.expected}
    return {DELAY: "", TUN: ""}
