"""Nodes run as real processes, announce themselves, and always end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rehearsal.network import launcher
from rehearsal.network.forkserver import NETWORK_SERVER, NODE_SERVER, fork_server
from rehearsal.network.launcher import NodeStartError, running_network, running_nodes
from rehearsal.node.intake.people_table import read_individuals
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_node

from .network_stub import stub_command
from .starting import is_running, wait_until_ended

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

TESTS = Path(__file__).resolve().parents[1]


def test_28_nodes_start_at_once_and_all_end(tmp_path: Path):
    codes = [f"C{number:02}" for number in range(28)]
    folders = dict.fromkeys(codes, tmp_path / "healthy")
    with running_nodes(folders, tmp_path, 60, stub_command) as nodes:
        assert [node.country for node in nodes] == codes
        assert len({node.url for node in nodes}) == 28
        assert not any(node.url.endswith("/") for node in nodes)
        assert all(is_running(node.pid) for node in nodes)
    assert not any(is_running(node.pid) for node in nodes)


def test_a_node_is_ended_and_started_again_among_the_others(tmp_path: Path):
    folders = dict.fromkeys(("AT", "FI", "SE"), tmp_path / "healthy")
    with running_nodes(folders, tmp_path, 60, stub_command) as nodes:
        before = list(nodes)
        nodes.restart("FI")
        assert [node.country for node in nodes] == ["AT", "FI", "SE"]
        assert (nodes[0], nodes[2]) == (before[0], before[2])
        assert nodes[1].pid != before[1].pid
        assert not is_running(before[1].pid)
        assert all(is_running(node.pid) for node in nodes)
    assert not any(is_running(node.pid) for node in nodes)


def test_a_node_that_ends_early_is_named_with_the_end_of_its_log(tmp_path: Path):
    folders = {"AT": tmp_path / "healthy", "FI": tmp_path / "broken"}
    with (
        pytest.raises(
            NodeStartError, match="node FI: expected an answer, found an end with exit code 1"
        ) as caught,
        running_nodes(folders, tmp_path, 30, stub_command),
    ):
        pytest.fail("the block must not run")
    assert "variants.sqlite: not a database" in str(caught.value)


def test_a_command_of_the_user_that_ends_at_once_is_named(tmp_path: Path):
    with (
        pytest.raises(
            NodeStartError, match="an end with exit code 3 of the command sh -c 'exit 3';"
        ),
        running_nodes({"FI": tmp_path}, tmp_path, prefix="sh -c 'exit 3'"),
    ):
        pytest.fail("the block must not run")


def test_a_node_that_never_gets_ready_is_named_and_the_others_are_ended(tmp_path, monkeypatch):
    folders = {"AT": tmp_path / "with-child", "SE": tmp_path / "silent"}
    child, log = tmp_path / "child.pid", tmp_path / "SE.log"

    def clock() -> float:
        """Time out once everything that the test checks has happened."""
        is_there = child.exists() and child.read_text() and log.exists() and log.read_text()
        return 60.0 if is_there else 0.0

    monkeypatch.setattr(launcher, "time", SimpleNamespace(monotonic=clock, sleep=time.sleep))
    with (
        pytest.raises(
            NodeStartError, match=r"node SE: expected an answer within 1\.5 s, found none"
        ) as caught,
        running_nodes(folders, tmp_path, 1.5, stub_command),
    ):
        pytest.fail("the block must not run")
    assert "loading ..." in str(caught.value)
    wait_until_ended(int(child.read_text()))


def test_an_endpoint_file_of_an_earlier_run_is_not_taken_for_a_node(tmp_path: Path):
    (tmp_path / "SE.endpoint.json").write_text('{"country": "SE", "url": "http://x", "pid": 1}')
    with (
        pytest.raises(NodeStartError, match="SE"),
        running_nodes({"SE": tmp_path / "silent"}, tmp_path, 0.3, stub_command),
    ):
        pytest.fail("the block must not run")


def test_stubborn_and_stopped_nodes_and_their_children_are_killed(tmp_path: Path):
    folders = {"AT": tmp_path / "stubborn", "BE": tmp_path / "with-child", "CZ": tmp_path / "ok"}
    with running_nodes(folders, tmp_path, 30, stub_command) as nodes:
        os.kill(nodes[2].pid, signal.SIGSTOP)
        child = int((tmp_path / "child.pid").read_text())
        assert is_running(child)
    assert not any(is_running(node.pid) for node in nodes)
    wait_until_ended(child)


def test_an_exception_in_the_block_ends_the_nodes(tmp_path: Path):
    with (
        pytest.raises(KeyboardInterrupt),
        running_nodes({"AT": tmp_path / "ok"}, tmp_path, 30, stub_command) as nodes,
    ):
        raise KeyboardInterrupt
    assert not is_running(nodes[0].pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nodes_do_not_outlive_a_killed_launcher(tmp_path: Path, number: signal.Signals):
    script = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(TESTS)!r})
from rehearsal.network.launcher import running_nodes
from system.network_stub import stub_command
tmp = Path({str(tmp_path)!r})
with running_nodes({{"AT": tmp / "with-child"}}, tmp, 30, stub_command) as nodes:
    print(nodes[0].pid, flush=True)
    time.sleep(3600)
"""
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    node = int(starter.stdout.readline())
    child = int((tmp_path / "child.pid").read_text())
    assert is_running(node)
    assert is_running(child)
    starter.send_signal(number)
    starter.wait()
    starter.stdout.close()
    wait_until_ended(node)
    wait_until_ended(child)


# nodes on this machine are forks of one process that has imported the modules

CODES = ["AT", "BE", "FI"]
VCF = """\
##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA-1
chr22\t20000001\t.\tA\tG\t.\tPASS\t.\tGT\t0/1
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("nodes")
    (place / "one.vcf").write_text(VCF)
    (place / "people.tsv").write_text("id\tsex\tbirth_year\nA-1\tfemale\t1970\n")
    people = read_individuals(place / "people.tsv")
    for code in CODES:
        settings = NodeSettings.for_country(code, code)
        build_node([place / "one.vcf"], people, settings, place / code)
    return {code: place / code for code in CODES}


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_nodes_are_processes_of_their_own_with_one_parent_and_all_end(folders, tmp_path):
    with running_nodes(folders, tmp_path) as nodes:
        pids = [node.pid for node in nodes]
        (server,) = {parent(pid) for pid in pids}
        assert parent(server) == os.getpid()
        assert len(set(pids)) == 3
        assert all(os.getsid(pid) == pid for pid in pids)
        os.kill(pids[1], signal.SIGKILL)
        wait_until_ended(pids[1])
        assert is_running(pids[0])
        assert is_running(pids[2])
        nodes.restart("BE")
        assert is_running(nodes[1].pid)
        assert nodes[1].pid != pids[1]
        pids.append(nodes[1].pid)
        with running_network(nodes, 5, tmp_path, forks=nodes.forks) as service:
            assert parent(service.pid) == server
        assert not is_running(service.pid)
    assert not any(map(is_running, [*pids, server]))


def test_a_node_that_does_not_start_is_named_with_its_exit_code_and_log(folders, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with (
        pytest.raises(
            NodeStartError, match=r"(?s)node SE: .* found an end with exit code 2; .*node\.yaml"
        ),
        running_nodes({"AT": folders["AT"], "SE": empty}, tmp_path),
    ):
        pytest.fail("the block must not run")


def test_nodes_and_the_server_do_not_outlive_a_killed_launcher(folders, tmp_path):
    script = f"""
import os, sys, time
from pathlib import Path
from rehearsal.network.launcher import running_nodes
folders = {{code: Path(path) for code, path in {[(c, str(f)) for c, f in folders.items()]}}}
with running_nodes(folders, Path({str(tmp_path)!r})) as nodes:
    print(*[node.pid for node in nodes], flush=True)
    time.sleep(3600)
"""
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in starter.stdout.readline().split()]
    pids.append(parent(pids[0]))
    assert all(map(is_running, pids))
    starter.kill()
    starter.wait()
    starter.stdout.close()
    for pid in pids:
        wait_until_ended(pid)


def test_the_exit_code_and_the_words_of_a_fork_are_those_of_the_command(tmp_path):
    with fork_server() as server:
        good = server.start(NODE_SERVER, ["--help"], tmp_path / "good", "wb")
        bad = server.start(NETWORK_SERVER, ["--no-such-option"], tmp_path / "bad", "wb")
        assert (good.wait(), bad.wait()) == (0, 2)
        more = server.start(NODE_SERVER, ["--help"], tmp_path / "good", "ab")
        assert more.wait() == 0
    assert (tmp_path / "good").read_text().count("usage: rehearsal node serve") == 2
    assert "--nodes: expected a value, found nothing" in (tmp_path / "bad").read_text()


def test_a_server_that_was_killed_is_told_of_when_something_is_to_be_started(tmp_path):
    with fork_server() as server:
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ChildProcessError, match="has ended"):
            server.start(NODE_SERVER, ["--help"], tmp_path / "log", "wb")


def test_a_fork_whose_start_was_interrupted_does_not_outlive_the_server(
    folders, tmp_path, monkeypatch
):
    serve = [str(folders["FI"]), "--endpoint-file", str(tmp_path / "FI.json")]
    with fork_server() as server:
        assert server.start(NODE_SERVER, ["--help"], tmp_path / "log", "wb").wait() == 0

        def interrupted(_: bytes) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("rehearsal.network.forkserver.json.loads", interrupted)
            server.start(NODE_SERVER, serve, tmp_path / "log", "wb")
        (child,) = children(server.pid)
        assert server.request("ended", child, lost="not known any more") == "not known any more"
    wait_until_ended(child)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
