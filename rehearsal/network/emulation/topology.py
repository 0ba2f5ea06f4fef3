"""Where the nodes and the asker are, and the lines between them."""

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

ASKER = "asker"  # name of the place from which the network sends queries
KEY = "network.emulation"
FIRST_ADDRESS, MOST_PLACES = 1, 254
DELAY, TUN = "delay", "tun"

Lines = dict[tuple[str, str], Line]  # by ordered pair of places or countries


@dataclass(frozen=True)
class Topology:
    """Places of the nodes, and what they emulate.

    Args:
        places: Place of each country's node.
        lines: Line that a country's node emulates by itself.
        asker: Place from which the network sends queries.
    """

    places: Mapping[str, Place]
    lines: Mapping[str, Line]
    asker: Place = HERE

    @classmethod
    def here(cls, countries: Collection[str], lines: Mapping[str, Line] | None = None) -> Topology:
        """Put all nodes on this machine.

        Args:
            countries: Country codes.
            lines: Lines that nodes emulate by themselves, by country code.

        Returns:
            The topology.
        """
        return cls(dict.fromkeys(countries, HERE), lines or {})


def uses_namespaces(way: str) -> bool:
    """Tell whether nodes and asker are in network namespaces, which are unreachable from outside.

    Args:
        way: Way of emulation: "none", "delay" or "tun".

    Returns:
        Whether it uses namespaces.
    """
    return way == TUN


@contextmanager
def emulated_distance(
    network: Mapping[str, Any], pairs: pd.DataFrame, countries: Collection[str]
) -> Iterator[Topology]:
    """Emulate the distance between nodes and the asking country for as long as the block runs.

    With namespaces, the calling thread is in the asker's namespace meanwhile. Only processes
    started from it can reach the nodes.

    Args:
        network: Section ``network`` of the configuration.
        pairs: Table of ``rtt_matrix``.
        countries: Country codes of the nodes.

    Yields:
        The topology.

    Raises:
        InputError: This machine cannot emulate distance in the configured way.
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
    """Create a namespace for each node and the asker, and put this thread into the asker's."""
    names = [ASKER, *countries]
    if len(names) > MOST_PLACES:
        expected = f"at most {MOST_PLACES - 1} countries with {TUN}"
        raise InputError("config", KEY, expected, f"{len(names) - 1} countries")
    # bytes per second of each node's line; the asker's own line has no limit
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
    """List the line of every pair of places, each pair once. The asker is in its country."""
    return {
        (first, second): lines[asker if first == ASKER else first, second]
        for number, first in enumerate(names)
        for second in names[number + 1 :]
    }


def line_of_pairs(network: Mapping[str, Any], pairs: pd.DataFrame) -> Lines:
    """Build the line between every ordered pair of countries.

    Args:
        network: Section ``network`` of the configuration, for jitter, loss and the default
            bandwidth.
        pairs: Table of ``rtt_matrix``.

    Returns:
        Lines by ordered pair of country codes.
    """
    bandwidths = pairs["bandwidth_mbps"].fillna(network["bandwidth_mbps"] or 0.0)
    return {
        (asker, country): Line(float(rtt_ms), mbps, network["jitter_ms"], network["loss"])
        for asker, country, rtt_ms, mbps in zip(
            *(pairs[column] for column in ("asker", "country", "rtt_ms")), bandwidths, strict=True
        )
    }


def check_possible(way: str, source: object = "config") -> None:
    """Check that this machine and this user can emulate distance in a way.

    Args:
        way: Way of emulation: "none", "delay" or "tun".
        source: File that asks for it, for messages.

    Raises:
        InputError: They cannot.
    """
    if not uses_namespaces(way):
        return
    if shutil.which("ip") is None:
        raise InputError(source, KEY, f"delay, or the command ip for {way}", "no iproute2 here")
    try:
        with namespaces(1):
            pass
    except OSError as error:
        expected = f"delay, or CAP_SYS_ADMIN and CAP_NET_ADMIN for {way}"
        raise InputError(source, KEY, expected, f"no right to namespaces ({error})") from None
    if not Path(DEVICE).exists():
        raise InputError(source, KEY, f"delay, or {DEVICE} for {way}", "no such device here")


def emulation_support() -> dict[str, str]:
    """Find out which ways of emulation this machine supports.

    Returns:
        For each way, why it is not possible; empty where it is.
    """
    try:
        check_possible(TUN)
    except InputError as error:
        return {DELAY: "", TUN: error.found}
    return {DELAY: "", TUN: ""}
