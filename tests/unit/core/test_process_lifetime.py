"""A job ends with its run, and only with a run that started it."""

import os
import signal
import subprocess
import sys

import pytest

from rehearsal.process_lifetime import RUN, ancestors

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
    job = subprocess.Popen(
        [sys.executable, "-c", JOB],
        stdout=subprocess.PIPE,
        env=os.environ | {RUN: str(other.pid)},
    )
    job.stdout.readline()
    other.kill()
    other.wait()
    with pytest.raises(subprocess.TimeoutExpired):
        job.wait(0.5)
    job.kill()
    job.wait()
    job.stdout.close()
