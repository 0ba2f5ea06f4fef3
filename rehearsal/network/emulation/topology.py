"""Where nodes and the asker are, and how far from each other."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehearsal.model import InputError
from rehearsal.network.emulation import netem, tun
from rehearsal.network.emulation.namespaces import HERE, Place, namespaces
from rehearsal.web.latency import Line

if TYPE_CHECKING:
    import pandas as pd

ASKER = "asker"  # the name of the place from which the network asks
KEY = "network.emulation"
FIRST_ADDRESS, MOST_PLACES = 1, 254
WAYS = {"netem": netem.connected, "tun": tun.connected}  # those that need namespaces


@dataclass(frozen=True)
class Ground:
    """``places``: of each country's node. ``lines``: what a node has to emulate by itself."""

    places: Mapping[str, Place]
    lines: Mapping[str, Line]
    asker: Place = HERE


@contextmanager
def emulated(
    network: Mapping[str, Any], pairs: pd.DataFrame, countries: Collection[str]
) -> Iterator[Ground]:
    """Distance between the nodes of countries and the asking one, as long as the block runs.

    ``network``: that part of the configuration. ``pairs``: ``rtt_matrix``. With namespaces the
    calling thread is in the asker's for as long as the block runs: who is started from it can ask
    the nodes, and nobody else can. Raises InputError when this machine cannot do it.
    """
    way, asker = network["emulation"], network["asker"]
    lines = line_of_pairs(network, pairs)
    if way not in WAYS:
        plain = Line()
        seen = {c: lines[asker, c] if way == "delay" else plain for c in countries}
        yield Ground(dict.fromkeys(countries, HERE), seen)
        return
    check_possible(way)
    names = [ASKER, *countries]
    if len(names) > MOST_PLACES:
        raise InputError("config", KEY, f"at most {MOST_PLACES - 1} countries with {way}")
    between = {}
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            ends = (asker if first == ASKER else first, second)
            between[first, second] = lines[ends]
    # bytes a second of each node's line; the asker's is not narrower than all of theirs
    rates = {c: (lines[asker, c].bandwidth_mbps or 0) * 1e6 / 8 for c in countries}
    with namespaces(len(names)) as made:
        places = {
            name: Place(f"10.203.0.{number}", namespace)
            for number, (name, namespace) in enumerate(
                zip(names, made, strict=True), start=FIRST_ADDRESS
            )
        }
        with WAYS[way](places, between, rates), places[ASKER].entered():
            nodes = {country: places[country] for country in countries}
            yield Ground(nodes, {}, replace(places[ASKER], namespace=None))


def line_of_pairs(network: Mapping[str, Any], pairs: pd.DataFrame) -> dict[tuple[str, str], Line]:
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
    if way not in WAYS:
        return
    for command in ("ip", "tc"):
        if shutil.which(command) is None:
            raise InputError(
                source, KEY, f"delay, or {command} (iproute2) for {way}; not found here"
            )
    try:
        with namespaces(1):
            pass
    except OSError as error:
        needed = "CAP_SYS_ADMIN and CAP_NET_ADMIN for network namespaces"
        raise InputError(source, KEY, f"delay, or {needed} for {way} ({error})") from None
    if way == "tun" and not Path(tun.DEVICE).exists():
        raise InputError(source, KEY, f"delay, or {tun.DEVICE} for tun; this machine has none")
    if way == "netem":
        try:
            netem.check_netem()
        except OSError as error:
            expected = f"tun or delay: this kernel has no sch_netem ({error})"
            raise InputError(source, KEY, expected) from None


def possible_ways() -> dict[str, str]:
    """Each way, and why this machine cannot do it; empty where it can."""
    reasons = {"delay": ""}
    for way in WAYS:
        try:
            check_possible(way)
            reasons[way] = ""
        except InputError as error:
            reasons[way] = error.expected
    return reasons
