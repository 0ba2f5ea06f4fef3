"""What the terminal shows of a run: a line a stage, and why a job failed.

A handler listens to the log events that Snakemake sends to its logger plugins. A filter keeps
Snakemake's messages about single jobs, which these lines replace, from the terminal. The log file
that Snakemake names at the end has them. Of a dry run, nothing is replaced.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from failures import AGAIN, INTERRUPTED, Failure, told_failure, untold_failure
from stages import Job, Stage

LOOK_EVERY_S = 1.0
OF_JOBS = {"job_info", "job_started", "job_finished", "group_info", "progress"}
OF_FAILURES = {"job_error", "group_error"}
STOPPED = "Terminating processes on user request"  # begins Snakemake's words
STREAM = "DefaultStreamHandler"  # Snakemake's name of its handler for the terminal


def show_run(logger: logging.Logger, settings: Any) -> Terminal:
    """Show a run on the terminal, by lines of this module in place of Snakemake's.

    Args:
        logger: Snakemake's.
        settings: What Snakemake was told to print (``OutputSettings``). With ``quiet`` only
            failures are shown, with ``verbose`` and its like also what the lines replace.

    Returns:
        The handler; the same for all modules of a workflow.
    """
    for handler in logger.handlers:
        if isinstance(handler, Terminal):
            return handler
    quiet = {choice.name for choice in settings.quiet or ()}
    terminal = Terminal(tells_stages=not quiet & {"ALL", "PROGRESS"})
    if not settings.dryrun and "ALL" not in quiet:
        logger.addHandler(terminal)
        _replace_messages(logger, settings)
    return terminal


def tells_plan(settings: Any) -> bool:
    """Tell whether this is a dry run that shows jobs.

    Args:
        settings: What Snakemake was told to print (``OutputSettings``).
    """
    quiet = {choice.name for choice in settings.quiet or ()}
    return bool(settings.dryrun) and not quiet & {"ALL", "PROGRESS", "RULES"}


def _replace_messages(logger: logging.Logger, settings: Any) -> None:
    if settings.verbose or settings.printshellcmds or settings.debug_dag:
        return
    for handler in logger.handlers:
        if handler.name == STREAM:
            handler.addFilter(Replaced(settings.show_failed_logs))


class Replaced(logging.Filter):
    """Keeps from the terminal what the lines of :class:`Terminal` say.

    Args:
        shows_logs: Whether messages about failed jobs pass, because the user wants the logs
            that they show.
    """

    def __init__(self, shows_logs: bool) -> None:
        super().__init__()
        self._events = OF_JOBS | (set() if shows_logs else OF_FAILURES)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record goes to the terminal.

        Args:
            record: The record.
        """
        fields = vars(record)
        event, quietness = fields.get("event"), fields.get("quietness")
        is_of_job = event in self._events or getattr(quietness, "name", "") == "RULES"
        is_end = event == "error" and is_of_process(record.msg)
        return not (is_of_job or is_end or record.msg == "Select jobs to execute...")


def is_of_process(text: str) -> bool:
    """Tell whether a text of Snakemake says that the process of a job ended with an error.

    Args:
        text: The text.
    """
    return "CalledProcessError in " in text


class Terminal(logging.Handler):
    """A log handler that prints lines about stages and failures to stderr.

    Args:
        tells_stages: Whether to print lines about stages.
    """

    def __init__(self, tells_stages: bool) -> None:
        super().__init__(logging.INFO)
        self._tells_stages = tells_stages
        self._jobs_of: dict[str, int] = {}  # by rule, and of the whole run as "total"
        self._stages: dict[str, Stage] = {}
        self._jobs: dict[int, Job] = {}  # that began, by Snakemake's number
        self._ended = 0
        self._ends: dict[int | None, str] = {}  # of a process, as last told in each thread
        self._failures: dict[str, Failure] = {}  # by the name of the job
        self._told_since = False  # whether lines came after the last failure
        self._is_stopped = False  # by the user
        self._is_over = threading.Event()
        self._guard = threading.RLock()  # of all these, between events and the watch
        self._take_up = {
            "run_info": self._plan,
            "job_info": self._begin,
            "job_finished": self._finish,
            "error": self._end_process,
            "job_error": self._fail,
            "group_error": self._fail_group,
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Process an event; ignore other records. Errors here never stop a run.

        Args:
            record: The record of Snakemake's logger.
        """
        try:
            self._is_stopped |= str(record.msg).startswith(STOPPED)
            fields = vars(record)  # fields of an event are attributes of its record
            take_up = self._take_up.get(fields.get("event", ""))
            if take_up is not None:
                with self._guard:
                    take_up(fields)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """End the lines."""
        self._is_over.set()
        super().close()

    def tell_failures(self) -> None:
        """Print the failures again, at the end of a run, if other lines came after them.

        Of a run that the user stopped, say how far it was.
        """
        if self._told_since:
            self._say(*map(str, self._failures.values()))
        if self._is_stopped:
            jobs = self._jobs_of.get("total", len(self._jobs))
            self._say(
                f"Stopped on request: {self._ended} of {jobs} jobs are done", f"  next: {AGAIN}"
            )

    def failed(self, rule: str) -> bool:
        """Tell whether a job of a rule failed for good.

        Args:
            rule: The name of the rule.
        """
        return any(name.split()[0] == rule for name in self._failures)

    def tell_progress(self) -> None:
        """Print a line about each stage of which it is time."""
        now = time.time()
        with self._guard:
            stages = [one for one in self._stages.values() if one.line_is_due(now)]
            due = [replace(one, running=dict(one.running)) for one in stages]
            for stage in stages:
                stage.said = now
        lines = [stage.line(now) for stage in due]  # reads logs, which may take long
        with self._guard:
            self._tell(*lines)

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_S):
            self.tell_progress()

    def _plan(self, fields: Mapping[str, Any]) -> None:
        self._jobs_of = dict(fields.get("stats", self._jobs_of))

    def _begin(self, fields: Mapping[str, Any]) -> None:
        if self._tells_stages and not self._jobs:
            threading.Thread(target=self._watch, daemon=True).start()
        rule, log, now = fields["rule_name"], fields["log"], time.time()
        wildcards = " ".join(map(str, (fields["wildcards"] or {}).values()))
        mb = fields["resources"].get("mem_mb", 0)
        job = Job(rule, wildcards, Path(log[0]) if log else None, mb, now)
        self._jobs[fields["jobid"]] = job
        stage = self._stages.setdefault(rule, Stage(rule, self._jobs_of.get(rule, 1)))
        stage.begin(fields["jobid"], job)

    def _finish(self, fields: Mapping[str, Any]) -> None:
        job = self._stop(fields["job_id"])
        self._failures.pop(job.name, None)  # of an earlier attempt
        self._ended += 1
        stage = self._stages[job.rule]
        stage.done += 1
        if stage.done >= stage.jobs:
            self._tell(stage.last_line(time.time()))

    def _end_process(self, fields: Mapping[str, Any]) -> None:
        if is_of_process(fields["msg"]):
            self._ends[fields["thread"]] = fields["msg"]

    def _fail(self, fields: Mapping[str, Any]) -> None:
        if fields["indent"]:
            return  # of a group, which has been told
        job, logs = self._stop(fields["jobid"]), fields["log"]
        ended = [self._ends.pop(fields["thread"], ""), fields["rule_msg"] or ""]
        self._tell_failure(told_failure(job, logs) or untold_failure([job], logs, *ended))

    def _fail_group(self, fields: Mapping[str, Any]) -> None:
        infos, of_scheduler = fields["job_error_info"], fields["aux_logs"]
        jobs = [self._stop(info["jobid"]) for info in infos]
        logs = [[*info["log"], *of_scheduler] for info in infos]
        told = [one for one in map(told_failure, jobs, logs) if one]
        for failure in told or [untold_failure(jobs, of_scheduler)]:
            self._tell_failure(failure)

    def _stop(self, number: int) -> Job:
        job = self._jobs[number]
        self._stages[job.rule].end(number, time.time())
        return job

    def _tell_failure(self, failure: Failure) -> None:
        if self._is_stopped and INTERRUPTED in failure.why:
            return
        self._failures[failure.job] = failure
        self._told_since = False
        self._say(str(failure))

    def _tell(self, *lines: str) -> None:
        """Print lines about stages, with how many jobs of the whole run have ended."""
        if self._tells_stages and lines:
            self._told_since = True
            of_run = f"[{self._ended}/{self._jobs_of.get('total', len(self._jobs))}]"
            self._say(*(f"{of_run} {line}" for line in lines))

    def _say(self, *lines: str) -> None:
        sys.stderr.write("".join(f"{line}\n" for line in lines))  # in one piece, between others'
        sys.stderr.flush()
