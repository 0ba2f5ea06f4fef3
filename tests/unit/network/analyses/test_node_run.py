"""A node's run over HTTP: what the log tells when the node does not answer at the end."""

import asyncio

import pytest

from rehearsal.network.analyses.node_run import Analysis, NodeRun, _outcome
from rehearsal.network.wes_client import WorkflowRequest


class Silent:
    """A node that starts a run and then answers nothing."""

    async def start(self, request):
        return "r1"

    async def cancel(self, run):
        await asyncio.sleep(60)


@pytest.mark.parametrize("deadline_s", [0.05, 60.0])
def test_a_run_that_may_go_on_is_told(caplog, deadline_s):
    """Within the deadline of a call, or when the network does not wait so long."""

    async def play():
        run = NodeRun("FI", Silent(), Analysis("a", WorkflowRequest("x"), deadline_s))
        await run.start()
        await asyncio.wait_for(run.end(), 0.5)

    if deadline_s < 1:
        asyncio.run(play())
    else:
        with pytest.raises(TimeoutError):
            asyncio.run(play())
    assert caplog.messages == ["FI did not answer: its run may go on r1"]


@pytest.mark.parametrize(("status", "told"), [(423, "held"), (409, "refused"), (410, "failed")])
def test_only_what_the_airlock_holds_is_held(status, told):
    assert _outcome(status) == told
