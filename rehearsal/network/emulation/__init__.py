"""Emulate distance between places, in one of two ways, and always undo it.

``delay``: nodes delay their answers (:mod:`rehearsal.web.network_delay`). It works everywhere.
``tun``: each place is a network namespace, and a process of ours delays the packets between them.

The namespaces have no names. A file descriptor of this process holds each, so they vanish with this
process, however it ends, and with the processes that it started in them.
"""
