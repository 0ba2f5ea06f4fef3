"""A real Slurm of one machine for tests: its own keys, ports and folders, ended by process id.

Needs root, and Debian's ``slurm-wlm`` and ``munge``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel")
WELL_KNOWN = Path("/etc/slurm/slurm.conf")  # where steps inside a job look, whatever they were told
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 15

CONFIGURATION = """\
ClusterName=rehearsal
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={control_port}
SlurmdPort={daemon_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,batch_sched_delay=0
MinJobAge=300
InactiveLimit=0
KillWait=5
Waittime=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Why no Slurm can be started here; None when one can."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"needs slurm-wlm and munge: {', '.join(lacking)} not found"
    if os.geteuid() != 0:
        return "needs root, to start slurmd"
    if WELL_KNOWN.exists() and not WELL_KNOWN.is_symlink():
        return f"this machine has a Slurm of its own: {WELL_KNOWN}"
    return None


@contextmanager
def one_node_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Run Slurm for as long as the block runs; yields the environment that its commands need.

    ``folder`` must be short (a socket is made in it) and is left behind with the logs.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    environment = {"SLURM_CONF": str(folder / "slurm.conf")}
    (folder / "slurm.conf").write_text(_configuration(folder))
    with contextlib.ExitStack() as running:
        running.enter_context(_well_known(folder / "slurm.conf"))
        running.callback(_end, folder / "munged.pid")
        _start_munge(folder)
        for daemon in ("slurmctld", "slurmd"):
            running.callback(_end, folder / f"{daemon}.pid")
            subprocess.run([daemon, "-f", folder / "slurm.conf"], check=True)
        running.callback(_cancel_everything, environment)
        _wait_until_idle(environment, folder)
        yield environment


def _configuration(folder: Path) -> str:
    total_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return CONFIGURATION.format(
        folder=folder,
        host=socket.gethostname().split(".")[0],
        cores=os.cpu_count(),
        memory_mb=total_kb // 1024 - 1024,
        control_port=_free_port(),
        daemon_port=_free_port(),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _well_known(configuration: Path) -> Iterator[None]:
    WELL_KNOWN.parent.mkdir(exist_ok=True)
    before = WELL_KNOWN.readlink() if WELL_KNOWN.is_symlink() else None
    WELL_KNOWN.unlink(missing_ok=True)
    WELL_KNOWN.symlink_to(configuration)
    try:
        yield
    finally:
        WELL_KNOWN.unlink(missing_ok=True)
        if before is not None and before.exists():
            WELL_KNOWN.symlink_to(before)


def _start_munge(folder: Path) -> None:
    keys = folder / "munge"
    keys.mkdir(mode=0o700)
    (keys / "munge.key").write_bytes(secrets.token_bytes(1024))
    (keys / "munge.key").chmod(0o400)
    files = {
        "key-file": keys / "munge.key",
        "socket": folder / "munge.socket",
        "pid-file": folder / "munged.pid",
        "log-file": keys / "munged.log",
        "seed-file": keys / "munged.seed",
    }
    options = [f"--{name}={path}" for name, path in files.items()]
    subprocess.run(["munged", "--force", *options], check=True, capture_output=True)


def _wait_until_idle(environment: dict[str, str], folder: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while True:
        state = subprocess.run(
            ["sinfo", "-h", "-o", "%t"],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if state.stdout.strip() == "idle":
            return
        if time.monotonic() > until:
            log = (folder / "slurmctld.log").read_text()[-2000:]
            raise TimeoutError(f"Slurm is not idle: {state.stdout}{state.stderr}\n{log}")
        time.sleep(0.5)


def _cancel_everything(environment: dict[str, str]) -> None:
    subprocess.run(["scancel", "--user=root"], env=os.environ | environment, check=False)


def _end(pid_file: Path) -> None:
    """End the process that a file names, and wait until it is gone."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    until = time.monotonic() + STOP_TIMEOUT_S
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.1)
