"""The profiles of schedulers, with programs in their place that note what is asked of them."""

import json
import os
import re
import sys
import time

import pytest
import yaml

from .processes import ROOT, run_in

PROFILES = {"lsf", "pbs", "sge"}

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]

# two rules of a block and the stores, with fixed needs; the first store fails at its first attempt
SNAKEFILE = """
rule all:
    input: expand("{country}.store", country=["FI", "SE"])
rule simulate_block:
    output: "{block}.trees"
    resources: mem_mb=4000, runtime=20
    shell: "touch {output}"
rule shard_block:
    input: "{block}.trees"
    output: "{block}.parts"
    threads: 1
    resources: mem_mb=lambda wildcards, attempt: 5000 * attempt, runtime=30
    shell: "touch {output}"
rule build_variant_store:
    input: "one.parts", "two.parts"
    output: "{country}.store"
    resources: mem_mb=lambda wildcards, attempt: 700 * attempt, runtime=160
    shell: "test {resources.mem_mb} -gt 700 && touch {output}"
"""
SUBMIT = """#!{python}
import json, os, subprocess, sys
from pathlib import Path
folder = Path({folder!r})
number = len(list(folder.glob("*.asked"))) + 1
(folder / f"{{number}}.asked").write_text(json.dumps(sys.argv[1:]))
pbs = {{"PBS_JOBID": str(number), "PBS_O_WORKDIR": os.getcwd()}}
done = subprocess.run(
    ["/bin/sh", sys.argv[-1]], capture_output=True, text=True, env=os.environ | pbs
)
(folder / f"{{number}}.log").write_text(done.stdout + done.stderr)
(folder / f"{{number}}.status").write_text("0" if done.returncode == 0 else "1")
print({said!r}.format(number))
"""
# what each scheduler says about a job that has ended: well, or not; PBS keeps no history
PROGRAMS = {
    "lsf": {"bsub": "Job <{}> is submitted to default queue <normal>.", "bjobs": ("DONE", "EXIT")},
    "pbs": {"qsub": "{}", "qstat": None},
    "sge": {
        "qsub": "{}",
        "qstat": None,
        "qacct": (
            "failed       0    \\nexit_status  0",
            "failed       100 : assumedly after job\\nexit_status  137",
        ),
    },
}
STATUS = """#!/bin/sh
for last; do :; done
if [ "$(cat {folder}/$last.status)" = 0 ]; then printf '{good}\\n'; else printf '{bad}\\n'; fi
"""
NOT_KNOWN = """#!/bin/sh
echo "qstat: Unknown Job Id" >&2
exit 153
"""


def write_programs(folder, profile):
    """The commands of a scheduler. A job runs as it is submitted, and is known by its number."""
    folder.mkdir()
    for name, says in PROGRAMS[profile].items():
        if isinstance(says, str):
            text = SUBMIT.format(python=sys.executable, folder=str(folder), said=says)
        elif says is None:
            text = NOT_KNOWN
        else:
            text = STATUS.format(folder=folder, good=says[0], bad=says[1])
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def asked(folder):
    """The options of each submitted job, in order, as one text."""
    files = sorted(folder.glob("*.asked"), key=lambda path: int(path.stem))
    return [" ".join(json.loads(path.read_text())[:-1]) for path in files]


def minutes_mb_and_cores(options, profile):
    forms = {
        "lsf": r"-n (\d+) -W (\d+) -M (\d+)MB -R span\[hosts=1\] rusage\[mem=\3MB\]",
        "pbs": r"ncpus=(\d+):mem=(?P<mb>\d+)mb -l walltime=0:(?P<minutes>\d+):0",
        "sge": r"-pe smp (\d+) -l mem_free=(?P<mb>\d+)M,h_rt=0:(?P<minutes>\d+):0",
    }
    found = re.search(forms[profile], options)
    assert found, options
    if profile == "lsf":
        cores, minutes, mb = map(int, found.groups())
        return minutes, mb, cores
    return int(found["minutes"]), int(found["mb"]), int(found[1])


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_scheduler_is_asked_for_time_memory_and_one_core_of_each_group(profile, tmp_path):
    programs = tmp_path / "programs"
    write_programs(programs, profile)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", f"profiles/{profile}"]
    command += ["--seconds-between-status-checks", "1", "--latency-wait", "5"]
    path = f"{programs}:{os.environ['PATH']}"
    done = run_in(tmp_path, *command, timeout_s=500, PATH=path)
    logs = "\n".join(path.read_text() for path in programs.glob("*.log"))
    assert done.returncode == 0, done.stderr[-3000:] + logs[-3000:]
    # a block's rules one after another; then both stores in one job, and again with more memory
    got = [minutes_mb_and_cores(options, profile) for options in asked(programs)]
    assert got == [(50, 5000, 1), (50, 5000, 1), (320, 700, 1), (320, 1400, 1)]


def test_the_profiles_of_all_schedulers_group_the_same_rules():
    profiles = [
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
        for name in ("slurm", *sorted(PROFILES))
    ]
    for key in ("groups", "set-resources", "set-resource-scopes", "resources", "group-components"):
        assert all(profile[key] == profiles[0][key] for profile in profiles), key


# what each scheduler prints for a job that runs, that it does not know, and when it is away
NO_HISTORY = "qstat: PBS is not configured to maintain job history"
ANSWERS = {
    "lsf": {
        "runs": {"bjobs": 'case "$1" in -noheader) echo RUN ;; *) exit 255 ;; esac'},
        "unknown": {"bjobs": "echo 'Job <7> is not found' >&2; exit 255"},
        "away": {"bjobs": "echo 'LSF is down. Please wait ...' >&2; exit 255"},
    },
    "pbs": {
        "runs": {
            "qstat": f"""case "$1" in
                -x) echo '{NO_HISTORY}' >&2; exit 1 ;;
                *) printf 'Job Id: 7\\n    job_state = R\\n' ;;
            esac"""
        },
        "unknown": {
            "qstat": f"""case "$1" in
                -x) echo '{NO_HISTORY}' >&2; exit 1 ;;
                *) echo 'qstat: Unknown Job Id 7' >&2; exit 153 ;;
            esac"""
        },
        "away": {"qstat": "echo 'qstat: cannot connect to server (errno=111)' >&2; exit 1"},
    },
    "sge": {
        "runs": {"qstat": "echo 'job_number: 7'", "qacct": "exit 1"},
        "unknown": {
            "qstat": "printf 'Following jobs do not exist:\\n7\\n' >&2; exit 1",
            "qacct": "echo 'error: job id 7 not found' >&2; exit 1",
        },
        "away": {
            "qstat": "echo 'error: unable to send message to qmaster' >&2; exit 1",
            "qacct": "exit 1",
        },
    },
}


def status(folder, profile, programs):
    """What a profile's script says about job 7, with a scheduler's programs as given."""
    (folder / "bin").mkdir(exist_ok=True)
    for name, body in programs.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / "bin" / name).chmod(0o755)
    script = ROOT / "profiles" / profile / "status.sh"
    done = run_in(folder, script, "7", PATH=f"{folder / 'bin'}:{os.environ['PATH']}")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def make_older(folder, profile, minutes):
    file = folder / "logs" / profile / "7.unknown"
    os.utime(file, (time.time() - 60 * minutes,) * 2)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_job_that_runs_is_running(profile, tmp_path):
    assert status(tmp_path, profile, ANSWERS[profile]["runs"]) == "running"


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_job_that_the_scheduler_does_not_know_has_failed_after_ten_minutes(profile, tmp_path):
    unknown = ANSWERS[profile]["unknown"]
    assert status(tmp_path, profile, unknown) == "running"
    make_older(tmp_path, profile, 9)
    assert status(tmp_path, profile, unknown) == "running"
    make_older(tmp_path, profile, 11)
    assert status(tmp_path, profile, unknown) == "failed"


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_an_outage_of_the_scheduler_fails_no_job_however_long_it_is(profile, tmp_path):
    assert status(tmp_path, profile, ANSWERS[profile]["unknown"]) == "running"
    make_older(tmp_path, profile, 11)
    assert status(tmp_path, profile, ANSWERS[profile]["away"]) == "running"
    assert status(tmp_path, profile, ANSWERS[profile]["unknown"]) == "running"


@pytest.mark.parametrize(("noted", "said"), [("0", "success"), ("1", "failed"), ("143", "failed")])
def test_without_history_pbs_jobs_end_as_they_have_noted(noted, said, tmp_path):
    (tmp_path / "logs/pbs").mkdir(parents=True)
    (tmp_path / "logs/pbs/7.ended").write_text(f"{noted}\n")
    assert status(tmp_path, "pbs", ANSWERS["pbs"]["unknown"]) == said


@pytest.mark.parametrize(("code", "said"), [(0, "success"), (271, "failed")])
def test_with_history_pbs_says_how_a_job_ended(code, said, tmp_path):
    qstat = f"""case "$1" in
        -x) printf 'Job Id: 7\\n    job_state = F\\n    Exit_status = {code}\\n' ;;
        *) echo 'qstat: 7 Job has finished, use -x or -H' >&2; exit 35 ;;
    esac"""
    assert status(tmp_path, "pbs", {"qstat": qstat}) == said
