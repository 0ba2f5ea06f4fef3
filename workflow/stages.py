"""A line a stage while the workflow runs: how many of a rule's jobs are done, and the time left.

Listens to Snakemake's own log events, the ones that its logger plugins get. A stage is a rule of
more than one job; the jobs of one that ends by itself are told by Snakemake.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter

from rehearsal.logs import in_words

EVERY_S = 30.0  # between two lines of one stage


class Stages(logging.Handler):
    """Counts jobs by rule; says so at the end of a stage, and every ``EVERY_S`` seconds before."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._jobs: dict[str, int] = {}  # of each rule in this run
        self._rule: dict[int, str] = {}  # by job
        self._begun: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._done: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Take up an event; other records pass. What goes wrong here never stops a run."""
        try:
            self._take_up(record)
        except Exception:
            self.handleError(record)

    def _take_up(self, record: logging.LogRecord) -> None:
        fields = vars(record)  # an event's own are not LogRecord's
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
