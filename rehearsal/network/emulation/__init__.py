"""Distance between places, in one of two ways, always undone.

``delay``: nodes hold their answers back (:mod:`rehearsal.web.network_delay`); works everywhere.
``tun``: every place is a network namespace of its own; a process of ours delays the packets.

The namespaces have no names: a file descriptor of this process holds each. Whatever this process
dies of, they and all that is in them are gone with it and the processes that it started in them.
"""
