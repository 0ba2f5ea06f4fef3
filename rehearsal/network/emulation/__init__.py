"""Distance between places, in one of three ways, always undone.

``delay``: nodes hold their answers back (:mod:`rehearsal.web.latency`); works everywhere.
``netem``: every place is a network namespace of its own; the kernel delays packets.
``tun``: the same, where a process of ours delays the packets, for kernels without ``sch_netem``.

The namespaces have no names: a file descriptor of this process holds each. Whatever this process
dies of, they and all that is in them are gone with it and the processes that it started in them.
"""

from rehearsal.network.emulation.namespaces import HERE, Place
from rehearsal.network.emulation.topology import ASKER, Ground, check_possible, emulated

__all__ = ["ASKER", "HERE", "Ground", "Place", "check_possible", "emulated"]
