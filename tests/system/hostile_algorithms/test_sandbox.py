"""Attacks on the sandbox: each succeeds without one wall, and fails with all of them."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from rehearsal.node.wes.sandbox import NAMESPACES, Sandbox, Walls

from .conftest import ATTACKS, LIMITS

pytestmark = pytest.mark.system

SECRET = "of another place"
NO_NETWORK_WALLS = {"namespaces": tuple(n for n in NAMESPACES if n != "net"), "filter": b""}


@contextlib.contextmanager
def told_by(server: socket.socket):
    """A server that tells everybody the secret."""

    def serve():
        with contextlib.suppress(OSError):
            while True:
                if server.type == socket.SOCK_DGRAM:
                    _, asker = server.recvfrom(100)
                    if asker is None:  # the end
                        return
                    server.sendto(SECRET.encode(), asker)
                else:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(SECRET.encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()


def listening_on(family, address, kind=socket.SOCK_STREAM):
    server = socket.socket(family, kind)
    server.bind(address)
    if kind == socket.SOCK_STREAM:
        server.listen()
    return server


def test_names_cannot_be_looked_up(play):
    server = listening_on(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM)
    port = server.getsockname()[1]
    with told_by(server):
        assert play("ask_dns", port, **NO_NETWORK_WALLS)[0] == SECRET
        assert play("ask_dns", port)[0] is None


@pytest.mark.parametrize("wall", ["namespaces", "filter"])
def test_either_wall_holds_the_network(play, wall):
    server = listening_on(socket.AF_INET, ("127.0.0.1", 0))
    port = server.getsockname()[1]
    with told_by(server):
        assert play("connect", "port", port, **NO_NETWORK_WALLS)[0] == SECRET
        assert play("connect", "port", port, **{wall: NO_NETWORK_WALLS[wall]})[0] is None


def test_abstract_names_of_the_machine_cannot_be_reached(play):
    name = f"rehearsal-{os.getpid()}"
    with told_by(listening_on(socket.AF_UNIX, f"\0{name}")):
        assert play("connect", "abstract", name, **NO_NETWORK_WALLS)[0] == SECRET
        assert play("connect", "abstract", name)[0] is None


def test_local_sockets_of_the_machine_cannot_be_reached(play, tmp_path):
    place = tmp_path / "service"
    place.mkdir()
    with told_by(listening_on(socket.AF_UNIX, str(place / "socket"))):
        (place / "socket").chmod(0o777)
        shown = {"/service": place}
        assert play("connect", "path", "/service/socket", read_only=shown)[0] == SECRET
        assert play("connect", "path", "/service/socket")[0] is None
        assert play("connect", "path", place / "socket")[0] is None


def test_no_family_of_sockets_is_left(play):
    assert play("open_sockets", filter=b"")[0] is not None
    assert play("open_sockets")[0] is None


def test_other_datasets_are_not_there(play, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "people.txt").write_text(SECRET)
    (other / "people.txt").chmod(0o644)
    assert play("read_file", "/other/people.txt", read_only={"/other": other})[0] == SECRET
    for path in ("/other/people.txt", other / "people.txt", f"/proc/1/root{other}/people.txt"):
        assert play("read_file", path)[0] is None


def test_the_environment_of_the_node_is_not_there(play, monkeypatch):
    monkeypatch.setenv("NODE_SECRET", SECRET)
    assert play("read_environment", environment={"NODE_SECRET": SECRET})[0] == SECRET
    assert play("read_environment")[0] is None


def test_processes_of_the_machine_are_not_seen(play):
    with subprocess.Popen(["sleep", "30"]) as other:
        shared = tuple(name for name in NAMESPACES if name != "pid")
        command = "sleep\x0030\x00"
        assert outside_of_pid_namespace(other.pid, shared) == command
        assert play("see_processes", other.pid)[0] is None
        other.kill()


def outside_of_pid_namespace(pid, namespaces):
    """What a process sees with all walls but that of processes."""
    names = [f"--unshare-{name}" for name in namespaces]
    command = ["bwrap", *names, "--ro-bind", "/", "/", "--proc", "/proc"]
    return subprocess.check_output([*command, "cat", f"/proc/{pid}/cmdline"], text=True)


@pytest.mark.parametrize("place", ["/algorithm", "/view", "/library/rehearsal", sys.prefix, "/usr"])
def test_nothing_is_left_for_the_next_run_in_folders(play, place, tmp_path):
    (tmp_path / "outputs").mkdir()
    bare = [sys.executable, ATTACKS / "write_file.py", tmp_path]
    subprocess.run(bare, cwd=tmp_path, check=True)
    assert (tmp_path / "outputs/loot").read_text() == "left behind"
    assert play("write_file", place)[0] is None


@pytest.mark.parametrize("place", ["/run", "/tmp", "/dev/shm"])
def test_what_is_left_in_its_own_folders_is_gone_with_the_run(play, place):
    assert play("write_file", place)[0] == "left behind"
    assert play("read_file", f"{place}/left_behind")[0] is None


def test_nothing_is_left_in_shared_memory(play):
    key = 0x52480000 + os.getpid() % 0xFFFF
    shared = {"namespaces": tuple(n for n in NAMESPACES if n != "ipc"), "filter": b""}
    try:
        play("leave_shared_memory", "leave", key, **shared)
        assert play("leave_shared_memory", "find", key, **shared)[0] == "left behind"
    finally:
        subprocess.run(["ipcrm", "-M", hex(key)], check=False)
    play("leave_shared_memory", "leave", key)
    assert play("leave_shared_memory", "find", key)[0] is None


def test_it_cannot_make_namespaces_of_its_own(play):
    assert "user" in play("make_namespace", filter=b"")[0]
    assert play("make_namespace")[0] is None


def test_a_fork_bomb_stops_at_the_limit_of_processes(play):
    many = replace(LIMITS, memory_mb=4000)  # memory that processes share counts for each
    assert play("fork_bomb", 150, limits=replace(many, processes=1000))[0] == "150"
    started, reason = play("fork_bomb", 150, limits=many)
    assert reason == "processes" or int(started) < LIMITS.processes


@pytest.mark.parametrize("how", ["one", "processes"])
def test_memory_is_limited_for_all_processes_together(play, how):
    more = replace(LIMITS, memory_mb=2000)
    assert play("use_memory", how, 400, limits=more)[0] == "400"
    assert play("use_memory", how, 400) == (None, "memory_mb")


@pytest.mark.parametrize("how", ["file", "shared"])
def test_no_memory_is_hidden_where_no_process_has_it(play, how):
    assert play("use_memory", how, 50, filter=b"")[0] == "50"
    assert play("use_memory", how, 50)[0] is None


def test_disk_is_limited(play):
    assert play("fill_disk", "bytes", 100, limits=replace(LIMITS, disk_mb=200))[0] == "100"
    assert play("fill_disk", "bytes", 100)[0] is None


def test_the_number_of_files_is_limited(play):
    few = replace(LIMITS, files=500)
    assert play("fill_disk", "files", 2000)[0] == "2000"
    assert play("fill_disk", "files", 2000, limits=few) == (None, "files")


def test_cpu_is_limited_for_all_processes_together(play):
    assert play("burn_cpu", 2)[0] is not None
    assert play("burn_cpu", 6, limits=replace(LIMITS, cpu_s=1)) == (None, "cpu_s")


@pytest.mark.parametrize("how", ["ignore", "do not wait"])
def test_cpu_of_children_that_nobody_waits_for_counts(play, how):
    limits = replace(LIMITS, cpu_s=1, processes=500)
    assert play("burn_in_children", how, 6, limits=limits, filter=b"") == ("burned", "ended")
    assert play("burn_in_children", how, 6, limits=limits) == (None, "cpu_s")


@pytest.mark.parametrize(
    ("shell", "first"), [("/bin/bash", "sleep 0.1 & sleep 0.1 & wait"), ("/bin/sh", "sleep 0.1 &")]
)
def test_programs_that_wait_for_children_go_on(shell, first):
    """They ask what SIGCHLD does, and set it in vain. Only ``wait`` of dash needs the signal."""
    command = f"{first}; (exit 3) || echo code $?; echo a | cat | cat".replace("&;", "&")
    asks = "import signal; print(signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)"
    both = [shell, "-c", f"{command}; {sys.executable} -c '{asks}'"]
    with Sandbox(Walls(LIMITS), ATTACKS, ATTACKS, {}, both) as sandbox:
        frames = {frame.name: frame.content.decode() for frame in sandbox.frames()}
    assert frames["log"].split() == ["code", "3", "a", "True"]


def test_overstaying_is_ended(play):
    assert play("overstay", 1.5)[0] == "still here"
    assert play("overstay", 6, limits=replace(LIMITS, wall_s=1)) == (None, "wall_s")


def test_no_process_is_left_behind(play, tmp_path):
    (tmp_path / "outputs").mkdir()
    alone = "31.7125"
    subprocess.run([sys.executable, ATTACKS / "leave_process.py", alone], cwd=tmp_path, check=True)
    left = processes_with(alone)
    assert len(left) == 1
    os.kill(left[0], signal.SIGKILL)
    assert play("leave_process", "31.8125")[0] == "left a process"
    assert processes_with("31.8125") == []


def test_runs_do_not_tell_each_other_by_locks(play):
    shared = "/usr/bin/env"  # which all sandboxes see
    with Path(shared).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as another run would hold it
        assert play("tell_by_file", "lock", "free", shared, filter=b"")[0] is None  # it is told
        assert play("tell_by_file", "lock", "free", shared)[0] == "free"  # and is not
    assert play("tell_by_file", "read lock", "free", shared)[0] == "free"


def test_runs_do_not_tell_each_other_by_what_they_open(play):
    assert play("tell_by_file", "watch", "told", "/usr/bin/env", filter=b"")[0] == "told"
    assert play("tell_by_file", "watch", "told", "/usr/bin/env")[0] is None


def test_a_pipe_in_place_of_the_log_holds_nothing_up(play):
    began = time.monotonic()
    assert play("hold_log", "33.3125") == ("left a process", "ended")
    assert time.monotonic() - began < LIMITS.wall_s
    assert processes_with("33.3125") == []


def test_a_pipe_in_the_inbox_holds_nothing_up(tmp_path):
    command = [sys.executable, "/algorithm/hold_inbox.py"]
    with Sandbox(Walls(replace(LIMITS, wall_s=2)), ATTACKS, tmp_path, {}, command) as sandbox:
        time.sleep(1)
        sandbox.place("round-0.npz", b"the state")
        (end,) = (json.loads(one.content) for one in sandbox.frames() if one.name == "end")
    assert end["reason"] == "wall_s"


@pytest.mark.parametrize("what", ["time", "priority", "rights"])
def test_the_watch_cannot_be_slowed_down(play, what):
    assert play("slow_watch", what, filter=b"")[0] == "done"
    assert play("slow_watch", what)[0] is None


def test_python_may_be_in_a_temporary_folder(tmp_path):
    (tmp_path / "people.txt").write_text("the data")
    tmp_path.chmod(0o755)  # the algorithm runs as another user
    walls = Walls(LIMITS, read_only={"/tmp/python": tmp_path})
    with Sandbox(walls, ATTACKS, ATTACKS, {}, ["/bin/cat", "/tmp/python/people.txt"]) as sandbox:
        assert "the data" in [one.content.decode() for one in sandbox.frames()]


def processes_with(argument):
    """Numbers of the processes of the machine that sleep for a time."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().endswith(f"sleep\0{argument}\0".encode()):
                found.append(int(path.parent.name))
    return found


def test_a_link_gives_no_file_of_the_machine(play, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "outputs").mkdir()
    bare = [sys.executable, ATTACKS / "link_out.py", tmp_path / "secret"]
    subprocess.run(bare, cwd=tmp_path, check=True)
    assert (tmp_path / "outputs/loot").read_text() == SECRET  # what a reader of links would get
    assert play("link_out", tmp_path / "secret")[0] is None
    assert play("link_out", "/view/people.txt")[0] is None


def test_the_watch_cannot_be_ended_or_replaced(play):
    assert play("kill_watch", "kill", limits=replace(LIMITS, wall_s=1)) == (None, "wall_s")
    assert play("kill_watch", "speak")[0] is None


HOLDER = """
import sys, time
from pathlib import Path
from rehearsal.node.wes.sandbox import Sandbox, Walls
sandbox = Sandbox(Walls(), Path(sys.argv[1]), Path(sys.argv[1]), {}, ["/bin/sleep", sys.argv[2]])
print("started", flush=True)
time.sleep(60)
"""


def test_it_ends_with_its_node_even_if_that_is_killed(root):
    alone = "32.9125"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, ATTACKS, alone],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert holder.stdout.readline() == b"started\n"
    wait_for(lambda: processes_with(alone))
    holder.kill()
    holder.wait()
    holder.stdout.close()
    wait_for(lambda: not processes_with(alone))


def wait_for(condition, most_s=20.0):
    until = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


SNAKEFILE = """
import socket

def steal():
    try:
        with socket.create_connection(("127.0.0.1", {port}), 3) as server:
            return server.recv(100).decode()
    except OSError as error:
        return f"held: {{error}}"

rule all:
    input: "outputs/run", "outputs/shell"
rule run:
    output: "outputs/run"
    run:
        open(output[0], "w").write(steal())
rule shell:
    output: "outputs/shell"
    shell: "(exec 3<>/dev/tcp/127.0.0.1/{port} && head -c 16 <&3 || echo held) > {{output}}"
"""


def test_run_and_shell_of_a_workflow_are_held_too(tmp_path):
    server = listening_on(socket.AF_INET, ("127.0.0.1", 0))
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(port=server.getsockname()[1]))
    tmp_path.chmod(0o755)  # the algorithm runs as another user
    limits = replace(LIMITS, memory_mb=1000, wall_s=120)
    with told_by(server):
        for walls, held in ((Walls(limits, **NO_NETWORK_WALLS), False), (Walls(limits), True)):
            with Sandbox(walls, tmp_path, ATTACKS, {"parameters.json": "{}"}) as sandbox:
                frames = {frame.name: frame.content.decode() for frame in sandbox.frames()}
            for rule in ("run", "shell"):
                assert frames[f"outputs/{rule}"].startswith("held") == held


def test_snakemakes_plugins_for_clusters_and_storage_are_not_there():
    seen = "import pkgutil; print([m.name for m in pkgutil.iter_modules()])"
    command = [sys.executable, "-c", seen]
    with Sandbox(Walls(LIMITS), ATTACKS, ATTACKS, {}, command) as sandbox:
        log = next(frame.content.decode() for frame in sandbox.frames() if frame.name == "log")
    assert "'snakemake'" in log and "'snakemake_interface_executor_plugins'" in log
    assert "_plugin_" not in log
    assert find_spec("snakemake_executor_plugin_slurm")  # which the machine has
