"""One client, one workflow, two services of WES: the same things happen at both."""

import asyncio
import io
from functools import partial

import numpy as np
import pytest

from rehearsal.network.wes_client import WesClient, WesError, WorkflowRequest, output_addresses
from rehearsal.node.wes.sandbox import why_no_sandbox

from .wes_engines import ADD, SNAKEFILE, our_node, sapporo, sapporo_command

pytestmark = pytest.mark.system

FILES = {"Snakefile": SNAKEFILE.encode(), "add.py": ADD.encode()}
SLOW_MACHINE_S = 120.0


@pytest.fixture(scope="module", params=["ours", pytest.param("sapporo", marks=pytest.mark.package)])
def engine(request, root, tmp_path_factory):
    """The URL of a service, and how it is asked for the workflow."""
    folder = tmp_path_factory.mktemp("wes") / request.param
    if request.param == "ours":
        if reason := why_no_sandbox():
            pytest.skip(reason)
        with our_node(folder) as url:
            yield url, partial(WorkflowRequest, "add")
    else:
        with sapporo(sapporo_command(root / ".venv-sapporo"), folder) as url:
            asked = partial(WorkflowRequest, "Snakefile", attachments=FILES)
            yield url, partial(asked, version="1.0")


def talk(url, conversation):
    """Let a client of the service do something."""

    async def whole():
        async with WesClient(url) as client:
            return await conversation(client)

    return asyncio.run(whole())


def test_the_service_speaks_wes_and_runs_snakemake(engine):
    told = talk(engine[0], WesClient.service_info)
    assert told["supported_wes_versions"]  # sapporo names its own versions
    assert "SMK" in told["workflow_type_versions"]


def test_a_run_ends_with_its_result(engine):
    url, asked = engine

    async def conversation(client):
        run = await client.start(asked({"numbers": [20, 22]}, {"note": "mine"}))
        log = await client.wait(run, SLOW_MACHINE_S)
        assert log["state"] == "COMPLETE", log
        assert log["run_log"]["exit_code"] == 0
        assert log["request"]["tags"] == {"note": "mine"}
        addresses = output_addresses(log)
        name = next(one for one in addresses if one.endswith(("result", "result.npz")))
        with np.load(io.BytesIO(await client.output(addresses[name]))) as file:
            return file["total"].tolist()

    assert talk(url, conversation) == 42


def test_a_workflow_that_fails_ends_in_an_error(engine):
    url, asked = engine

    async def conversation(client):
        run = await client.start(asked({"numbers": []}))  # a sum of nothing is 0, and allowed
        fine = await client.wait(run, SLOW_MACHINE_S)
        run = await client.start(asked({"numbers": [1], "pause": "never"}))
        return fine["state"], (await client.wait(run, SLOW_MACHINE_S))

    fine, failed = talk(url, conversation)
    assert fine == "COMPLETE"
    assert failed["state"] == "EXECUTOR_ERROR"
    assert failed["run_log"]["exit_code"] != 0


def test_a_run_can_be_cancelled(engine):
    url, asked = engine

    async def conversation(client):
        run = await client.start(asked({"numbers": [1], "pause": 600}))
        states = ("RUNNING", "COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR")
        assert (await client.wait(run, SLOW_MACHINE_S, states))["state"] == "RUNNING"
        await client.cancel(run)
        return (await client.wait(run, SLOW_MACHINE_S))["state"]

    assert talk(url, conversation) == "CANCELED"


def test_runs_are_listed_over_pages(engine):
    url, asked = engine

    async def conversation(client):
        started = {await client.start(asked({"numbers": [i]})) for i in range(3)}
        for run in started:
            await client.wait(run, SLOW_MACHINE_S)
        listed = [one["run_id"] for one in await client.runs(page_size=2)]
        assert len(listed) == len(set(listed))
        return started <= set(listed)

    assert talk(url, conversation)


def test_refusals_are_one_line(engine):
    url, asked = engine

    async def conversation(client):
        with pytest.raises(WesError) as unknown:
            await client.state("no-such-run")
        with pytest.raises(WesError) as other:
            await client.start(asked({"numbers": [1]}, kind="FORTRAN"))
        return unknown.value, other.value

    for error in talk(url, conversation):
        assert 400 <= error.status < 500
        assert error.message and "\n" not in error.message


def test_a_service_that_is_not_there_is_one_line():
    with pytest.raises(WesError) as gone:
        talk("http://127.0.0.1:9/ga4gh/wes/v1", WesClient.service_info)
    assert gone.value.status == 0 and gone.value.message.startswith("no answer (")
