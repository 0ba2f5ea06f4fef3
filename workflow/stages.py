"""Progress lines while the workflow runs: how many of a rule's jobs are done, and the time left.

The handler listens to the log events that Snakemake sends to its logger plugins. A stage is a rule
with more than one job; Snakemake itself reports rules with a single job.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter

from rehearsal.logs import in_words

EVERY_S = 30.0  # seconds between two lines of one stage


class Stages(logging.Handler):
    """A log handler that prints a line every ``EVERY_S`` seconds and at the end of each stage."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._jobs: dict[str, int] = {}  # number of jobs by rule
        self._rule: dict[int, str] = {}  # by job id
        self._begun: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._done: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Process an event; ignore other records. Errors here never stop a run.

        Args:
            record: The record of Snakemake's logger.
        """
        try:
            self._take_up(record)
        except Exception:
            self.handleError(record)

    def _take_up(self, record: logging.LogRecord) -> None:
        fields = vars(record)  # fields of an event are attributes of its record
        event = fields.get("event")
        if event == "run_info" and "stats" in fields:
            self._jobs = {rule: n for rule, n in fields["stats"].items() if rule != "total"}
        elif event == "job_info":
            rule = self._rule[fields["jobid"]] = fields["rule_name"]
            now = time.monotonic()
            self._said.setdefault(rule, now)
            self._begun.setdefault(rule, now)
        elif event == "job_finished" and fields["job_id"] in self._rule:
            self._finished(self._rule.pop(fields["job_id"]))

    def _finished(self, rule: str) -> None:
        self._done[rule] += 1
        done, jobs, now = self._done[rule], self._jobs.get(rule, 0), time.monotonic()
        if jobs < 2 or (done < jobs and now - self._said[rule] < EVERY_S):
            return
        self._said[rule] = now
        taken_s = now - self._begun[rule]
        if done < jobs:
            when = f"about {in_words(taken_s * (jobs - done) / done)} left"
        else:
            when = f"in {in_words(taken_s)}"
        print(f"Stage {rule}: {done} of {jobs} jobs, {when}", file=sys.stderr, flush=True)
