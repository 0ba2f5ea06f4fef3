"""What a run shows on the terminal: a line a stage, and why a job failed."""

import logging
import os
import re
import sys
from types import SimpleNamespace

import pytest
import yaml

from rehearsal.logs import ERROR, PROGRESS

from .processes import ROOT, run_in

sys.path.append(str(ROOT / "workflow"))
import terminal

QUIET = {"quiet": (), "dryrun": False, "verbose": False, "printshellcmds": False}
SETTINGS = SimpleNamespace(**QUIET, debug_dag=False, show_failed_logs=False)


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Takes an event of a run, as Snakemake logs it, at a second of it."""
    monkeypatch.setattr(terminal, "LOOK_EVERY_S", 600)  # tests look themselves
    log = logging.Logger("a run")
    shown = terminal.show_run(log, SETTINGS)

    def tell(at_s, event=None, text="", **more):
        monkeypatch.setattr(terminal.time, "time", lambda: at_s)
        log.info(text, extra={"event": event, **more})

    tell(0, "run_info", stats={"shard": 4, "page": 1, "total": 5})
    tell.shown = shown
    yield tell
    shown.close()


def begin(told, at_s, number, rule="shard", block="", log=()):
    wildcards = {"block": block} if block else {}
    about = {"wildcards": wildcards, "log": list(map(str, log)), "resources": {"mem_mb": 1500}}
    told(at_s, "job_info", jobid=number, rule_name=rule, **about)


def fail(told, at_s, number, log=(), said=None):
    about = {"log": list(map(str, log)), "rule_msg": said, "indent": False}
    told(at_s, "job_error", jobid=number, **about)


def lines(capsys):
    return capsys.readouterr().err.splitlines()


# --- stages ---


def test_a_stage_says_how_many_of_its_jobs_are_done_the_rate_and_the_time_left(told, capsys):
    for job in range(4):
        begin(told, 10, job)
    told(15, "job_finished", job_id=0)
    told.shown.tell_progress()
    told(30, "job_finished", job_id=1)
    told.shown.tell_progress()
    told(50, "job_finished", job_id=2)
    told(60, "job_finished", job_id=3)
    assert lines(capsys) == [
        "[2/5] shard: 2 of 4 jobs, 6.0 per min, about 20 s left",
        "[4/5] shard: 4 of 4 jobs, in 50 s",
    ]


def test_pauses_of_a_stage_do_not_count(told, capsys):
    begin(told, 0, 0)
    told(10, "job_finished", job_id=0)
    begin(told, 1000, 1)
    told(1010)
    told.shown.tell_progress()
    assert lines(capsys) == ["[1/5] shard: 1 of 4 jobs, 3.0 per min, about 60 s left"]


def test_a_long_job_says_what_its_log_says(told, capsys, tmp_path):
    log = tmp_path / "page.log"
    log.write_text(f"something\n{PROGRESS}150 of 1,000 sites, 12 per s, about 68 s left\nelse\n")
    begin(told, 10, 9, "page", log=[log])
    told(21)
    told.shown.tell_progress()
    assert lines(capsys) == ["[0/5] page: 150 of 1,000 sites, 12 per s, about 68 s left"]


def test_running_jobs_count_by_the_part_that_is_done(told, capsys, tmp_path):
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    for number, log in enumerate(logs):
        log.write_text(f"{PROGRESS}{25 * (number + 1)} of 100 sites, 1.0 per s, about 70 s left\n")
        begin(told, 0, number, block=f"chr{number}", log=[log])
    told(30)
    told.shown.tell_progress()
    assert lines(capsys) == [
        "[0/5] shard: 0 of 4 jobs, 1.5 per min, about 2 min left; "
        "chr0: 25 of 100 sites, 1.0 per s, about 70 s left"
    ]


def test_the_log_of_an_earlier_job_says_nothing_about_this_one(told, capsys, tmp_path):
    log = tmp_path / "page.log"
    log.write_text(f"{PROGRESS}1 of 2 sites, 1.0 per s, about 1 s left\n{ERROR}an old one\n")
    os.utime(log, (5, 5))
    begin(told, 10, 9, "page", log=[log])
    told(25)
    told.shown.tell_progress()
    fail(told, 26, 9, [log])
    assert lines(capsys)[:3] == [
        "[0/5] page: at work for 15 s",
        "Failed: page",
        "  why: it ended without a word about an error",
    ]


def test_lines_of_a_long_stage_become_rarer(told, capsys):
    begin(told, 0, 9, "page")
    for at_s in range(0, 3600):
        told(at_s)
        told.shown.tell_progress()
    said = lines(capsys)
    assert said[0] == "[0/5] page: at work for 10 s"
    assert 60 < len(said) < 100


def test_other_records_pass(told, capsys):
    told(99, None)
    told(99, "run_info")
    told(99, "error", "something else")
    told.shown.tell_progress()
    assert not lines(capsys)


# --- failures ---

AGAIN = "start the same command again"
PROCESS = "RuleException:\nCalledProcessError in file x, line 2:\nCommand 'python'"


@pytest.mark.parametrize(
    ("log", "ended", "why", "advice"),
    [
        (
            f"{ERROR}genes.tsv: line 3: expected a gene, found 'x'\n",
            "returned non-zero exit status 1.",
            "genes.tsv: line 3: expected a gene, found 'x'",
            "mend what the line names",
        ),
        (
            f"Traceback\n  File 1\nKeyError: 'x'\n{ERROR}KeyError: 'x'\n",
            "returned non-zero exit status 1.",
            "KeyError: 'x'",
            "read the log",
        ),
        (
            f"{ERROR}one answer\nanother\nand another\n",
            "returned non-zero exit status 1.",
            "one answer (and 2 more lines in the log)",
            "read the log",
        ),
        (
            f"{ERROR}a.bcf: expected room for more data on the disk, found none\n",
            "returned non-zero exit status 1.",
            "a.bcf: expected room for more data on the disk, found none",
            "make room on that disk",
        ),
        (
            f"{PROGRESS}1 of 2\n",
            "died with <Signals.SIGKILL: 9>.",
            "it was killed, most often for lack of memory; it had asked for 1,500 MB",
            "run fewer jobs at once",
        ),
        (
            "",
            "returned non-zero exit status 137.",
            "it was killed, most often for lack of memory; it had asked for 1,500 MB",
            "run fewer jobs at once",
        ),
        (
            "",
            "died with <Signals.SIGTERM: 15>.",
            "it was ended by signal 15 (Terminated)",
            AGAIN,
        ),
        (
            "no error\n",
            "returned non-zero exit status 3.",
            "it ended with status 3 and without a word about an error",
            "read the log",
        ),
    ],
)
def test_a_failure_says_which_job_why_where_and_what_to_do(
    told, capsys, tmp_path, log, ended, why, advice
):
    file = tmp_path / "a.log"
    file.write_text(log)
    begin(told, 10, 2, block="chr22-0-1", log=[file])
    told(11, "error", f"{PROCESS} {ended}")
    fail(told, 11, 2, [file])
    said = lines(capsys)
    assert said[:3] == ["Failed: shard chr22-0-1", f"  why: {why}", f"  log: {file}"]
    assert said[3].startswith(f"  next: {advice}")
    assert AGAIN in said[3]


def test_wrong_answers_are_on_the_page_and_asked_for_again_by_force(told, capsys, tmp_path):
    log = tmp_path / "a.log"
    log.write_text(f"{ERROR}FI was late: after 10 s (3 queries)\n")
    begin(told, 10, 2, "check_verdict", log=[log])
    fail(told, 11, 2, [log])
    assert lines(capsys)[3].startswith("  next: see the page; --forcerun run_queries")
    assert told.shown.failed("check_verdict")


def test_a_scheduler_is_quoted(told, capsys):
    begin(told, 10, 2)
    fail(told, 11, 2, said="SLURM status is: 'OUT_OF_MEMORY'. For further error details see the")
    said = lines(capsys)
    assert said[1] == "  why: SLURM status is: 'OUT_OF_MEMORY'."
    assert said[2].startswith("  next: run fewer jobs at once")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("bsub: not found\n", ": bsub: not found"),
        ("", "; what it said stands above"),
    ],
)
def test_a_scheduler_that_takes_no_job_is_told_without_a_log(told, capsys, tmp_path, said, why):
    """A job that was not taken has no log; Snakemake's words about it end at a colon."""
    begin(told, 10, 2)
    text = f"Error submitting jobscript (exit code 127):\n{said}"
    log = tmp_path / "a.log"
    fail(told, 11, 2, [log], said=f"{text} For further error details see the cluster/cloud log")
    assert lines(capsys) == [
        "Failed: shard",
        f"  why: the scheduler did not take the job (exit code 127){why}",
        f"  next: mend the command of the profile that submits jobs, then {AGAIN}; "
        "what is done stays done",
    ]


def test_a_run_that_the_user_stops_says_how_far_it_was(told, capsys):
    for job in range(2):
        begin(told, 10, job, block=f"chr{job}")
    told(11, "job_finished", job_id=0)
    told(12, None, "Terminating processes on user request, this might take some time.")
    told(12, "error", f"{PROCESS} died with <Signals.SIGINT: 2>.")
    fail(told, 12, 1)
    told.shown.tell_failures()
    assert lines(capsys) == [
        "Stopped on request: 1 of 5 jobs are done",
        f"  next: {AGAIN}; what is done stays done",
    ]


def test_a_group_names_the_job_that_failed(told, capsys, tmp_path):
    good, bad = tmp_path / "good.log", tmp_path / "bad.log"
    good.write_text("done\n")
    bad.write_text(f"{ERROR}MemoryError\n")
    begin(told, 10, 1, block="chr1", log=[good])
    begin(told, 10, 2, block="chr2", log=[bad])
    jobs = [{"jobid": 1, "log": [str(good)]}, {"jobid": 2, "log": [str(bad)]}]
    told(11, "group_error", aux_logs=["lsf.log"], job_error_info=jobs)
    for job in jobs:
        told(11, "job_error", **job, rule_msg=None, indent=True)
    said = lines(capsys)
    assert said[:4] == [
        "Failed: shard chr2",
        "  why: MemoryError",
        f"  log: {bad}",
        "  log: lsf.log",
    ]
    assert len(said) == 5


def test_failures_are_said_again_at_the_end_unless_they_stand_last_or_passed_later(told, capsys):
    for job in range(4):
        begin(told, 10, job, block=f"chr{job}")
    fail(told, 11, 0)
    told.shown.tell_failures()
    fail(told, 11, 1)
    assert len(lines(capsys)) == 6
    begin(told, 12, 0, block="chr0")
    for at_s, job in ((13, 0), (14, 2), (15, 3)):
        told(at_s, "job_finished", job_id=job)
    told(23)
    begin(told, 23, 9, "page")
    told(34, "job_finished", job_id=9)
    lines(capsys)
    told.shown.tell_failures()
    assert lines(capsys)[0] == "Failed: shard chr1"
    assert told.shown.failed("shard")
    assert not told.shown.failed("page")


# --- real runs ---

SNAKEFILE = """
configfile: "config/config.yaml"
include: "workflow/rules/common.smk"
HOW = ["good", "mended", "crashed", "killed", "silent"]
rule all:
    input: expand("{how}.txt", how=HOW)
rule job:
    output: "{how}.txt"
    log: "logs/{how}.log"
    script: "job.py"
onerror:
    TERMINAL.tell_failures()
"""
JOB = """
import os, signal, sys, time
from pathlib import Path
from rehearsal.errors import InputError
from rehearsal.logs import log_to_file, tell_progress
how = snakemake.wildcards.how
with log_to_file(snakemake.log[0]):
    if how == "mended":
        raise InputError("genes.tsv", "line 3", "a gene", "nothing")
    if how == "crashed":
        {}["x"]
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "silent":
        sys.exit(3)
    tell_progress("5 of 10 things, 1.0 per s, about 5 s left")
    time.sleep(12)
    Path(snakemake.output[0]).touch()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    for name in ("rehearsal", "workflow", "config"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "job.py").write_text(JOB)
    return folder


def run_jobs(folder, *options):
    """Run the small workflow with the profile of ``make run``."""
    profile = ["--workflow-profile", str(ROOT / "profiles/default")]
    command = [sys.executable, "-m", "snakemake", *profile, "--cores", "1", *options]
    return run_in(folder, *command)


@pytest.mark.workflow
def test_a_run_shows_stages_and_failures_and_nothing_of_single_jobs(place):
    ended = run_jobs(place, "--keep-going")
    assert ended.returncode == 1
    for words in ("rule job:", "Finished jobid", "CalledProcessError", "Traceback", "Select jobs"):
        assert words not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if line[:1] in "[F "]
    assert re.search(
        r"^\[\d/6\] job: \d of 5 jobs, .* left; good: 5 of 10 things, 1.0 per s, about 5 s left$",
        "\n".join(said),
        re.MULTILINE,
    )
    why = dict(
        re.findall(r"^Failed: job (\w+)\n  why: (.*)\n  log: logs/\1.log$", "\n".join(said), re.M)
    )
    assert why == {
        "mended": "genes.tsv: line 3: expected a gene, found nothing",
        "crashed": "KeyError: 'x'",
        "killed": "it was killed, most often for lack of memory",
        "silent": "it ended with status 3 and without a word about an error",
    }
    (log,) = (place / ".snakemake/log").glob("*.log")
    assert "CalledProcessError" in log.read_text()  # all that Snakemake says


@pytest.mark.workflow
@pytest.mark.parametrize("option", ["--dry-run", "--printshellcmds"])
def test_other_ways_to_run_keep_what_snakemake_says(place, option):
    ended = run_jobs(place, option, "crashed.txt")
    assert "rule job:" in ended.stdout + ended.stderr


@pytest.mark.workflow
def test_the_logs_of_failed_jobs_are_shown_on_demand(place):
    ended = run_jobs(place, "--show-failed-logs", "crashed.txt")
    assert "Traceback" in ended.stderr


def test_no_profile_shows_logs_by_itself():
    for path in (ROOT / "profiles").rglob("config.yaml"):
        assert "show-failed-logs" not in yaml.safe_load(path.read_text()), path
