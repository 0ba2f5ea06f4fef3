"""Requests as they might have been sent, and steps of them."""

from rehearsal.loadtest.load.figures import Step
from rehearsal.loadtest.load.sender import Call, Sent

CALL = Call("http://x/g_variants", "POST", {}, b"", "q", "count", "researcher", "FI", True, 3)


def sent(state="answered", latency_s=0.1, nodes=(28, 0, 0, 0), equal=True, at_s=0.0):
    return Sent(0, at_s, 0.001, latency_s, state, 100, equal, nodes, "")


def step(requests, rate=8.0, planned=None):
    notes = {"planned": len(requests) if planned is None else planned}
    return Step(rate, 1.0, "warm", requests, [sent(latency_s=0.002)], 28, 0.5, {}, notes)
