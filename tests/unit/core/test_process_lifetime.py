"""What a process has started ends with it, whatever it dies of."""

import os
import select
import signal
import subprocess
import sys

import pytest

from rehearsal.process_lifetime import LAUNCHED, RUN, Helper, ancestors, watched_process_groups

JOB = "from rehearsal.process_lifetime import end_with_run; end_with_run(); print(flush=True); "
JOB += "import time; time.sleep(60)"
# starts a job by a process in between, as Snakemake does, tells the job's number, and waits
RUNNER = """
import os, subprocess, sys, time
os.environ[{variable!r}] = str(os.getpid())
shell = "{python} -c '{job}' & echo $!; wait"
subprocess.Popen(["sh", "-c", shell])
time.sleep(60)
"""


def test_ancestors_are_who_started_whom():
    found = list(ancestors())
    assert found[0] == os.getppid()
    assert len(set(found)) == len(found)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux only")
def test_a_job_ends_when_the_run_that_started_it_is_killed():
    script = RUNNER.format(variable=RUN, python=sys.executable, job=JOB)
    runner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    job = int(runner.stdout.readline())
    assert runner.stdout.readline() == "\n"  # it watches
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    # the shell waits for the job and holds the pipe: it closes when both have ended
    assert runner.stdout.read() == ""
    runner.stdout.close()
    with pytest.raises(ProcessLookupError):
        os.kill(job, 0)


def test_a_process_that_is_no_ancestor_is_not_watched():
    other = subprocess.Popen(["sleep", "60"])
    script = "import threading; from rehearsal.process_lifetime import end_with_run; "
    script += "end_with_run(); print(threading.active_count())"
    told = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env=os.environ | {RUN: str(other.pid)},
        check=True,
    )
    other.kill()
    other.wait()
    assert told.stdout == b"1\n", "no thread watches"


@pytest.mark.parametrize("descriptors", [True, False])
def test_a_process_ends_with_its_launcher(descriptors):
    job = "import os, time; from rehearsal import process_lifetime as p; "
    if not descriptors:  # as on systems that have none
        job += "del os.pidfd_open; p.LOOK_S = 0.05; "
    job += "p.end_with_launcher(); print('here', flush=True); time.sleep(60)"
    script = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {job!r}]); "
    script += "time.sleep(60)"
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {LAUNCHED: "1"},
    )
    assert parent.stdout.readline() == "here\n"
    parent.kill()
    parent.wait()
    assert parent.stdout.read() == "", "the pipe, which the child holds, is closed: it has ended"
    parent.stdout.close()


def test_a_helper_reads_and_writes_lines_and_ends_with_the_block():
    program = "import sys; [print(line.strip().upper(), flush=True) for line in sys.stdin]"
    with Helper([sys.executable, "-c", program]) as helper:
        helper.write_line(b"one")
        assert helper.read_line() == b"ONE\n"
        assert helper.poll() is None
    assert helper.poll() == 0


def test_a_helper_that_has_ended_is_an_os_error():
    with Helper([sys.executable, "-c", ""]) as helper:
        assert helper.read_line() == b""
        os.waitid(os.P_PID, helper.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(OSError, match="Broken pipe"):
            helper.write_line(b"one")


# starts three groups, forgets one, tells their numbers; each ignores SIGTERM
STARTER = """
import subprocess, sys, time
from rehearsal.process_lifetime import watched_process_groups
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
stubborn += "print(flush=True); time.sleep(60)"
with watched_process_groups() as groups:
    for number in range(3):
        one = subprocess.Popen(
            [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True
        )
        one.stdout.readline()
        groups.add(one.pid)
        print(one.pid, flush=True)
    groups.forget(one.pid)
    print(flush=True)
    time.sleep(60)
"""


def test_process_groups_that_were_not_forgotten_end_with_whoever_is_killed():
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    *watched, forgotten = (int(starter.stdout.readline()) for _ in range(3))
    assert starter.stdout.readline() == "\n"
    ends = [os.pidfd_open(pid) for pid in watched]
    starter.kill()
    starter.wait()
    starter.stdout.close()
    for end in ends:
        assert select.select([end], [], [], 60)[0], "it is still running"
        os.close(end)
    os.kill(forgotten, signal.SIGKILL)  # it is there


def test_process_groups_are_left_alone_once_they_are_forgotten():
    one = subprocess.Popen(["sleep", "60"], start_new_session=True)
    with watched_process_groups() as groups:
        groups.add(one.pid)
        groups.forget_all()
    assert one.poll() is None
    one.kill()
    one.wait()
