"""The line a stage that a run shows on the terminal."""

import logging
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "workflow"))
import stages


@pytest.fixture
def told(monkeypatch):
    """Takes an event of a run, as Snakemake logs it, at a second of it."""
    now = [0.0]
    monkeypatch.setattr(stages.time, "monotonic", lambda: now[0])
    log = logging.Logger("a run")
    log.addHandler(stages.Stages())

    def tell(at_s, event, **more):
        now[0] = at_s
        log.info("", extra={"event": event, **more})

    tell(0, "run_info", stats={"shard": 4, "page": 1, "total": 5})
    return tell


def test_a_stage_says_how_many_of_its_jobs_are_done_and_the_time_left(told, capsys):
    for job in range(4):
        told(10, "job_info", jobid=job, rule_name="shard")
    for job, at_s in enumerate((30, 50, 60, 70)):
        told(at_s, "job_finished", job_id=job)
    assert capsys.readouterr().err.splitlines() == [
        "Stage shard: 2 of 4 jobs, about 40 s left",
        "Stage shard: 4 of 4 jobs, in 60 s",
    ]


def test_a_single_job_is_no_stage_and_other_words_pass(told, capsys):
    told(1, "job_info", jobid=9, rule_name="page")
    told(99, "job_finished", job_id=9)
    told(99, None)
    told(99, "run_info")
    assert not capsys.readouterr().err
