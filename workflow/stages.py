"""The stages of a run as lines for people: how much of each is done, how fast, and the time left.

A stage is all jobs of one rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rehearsal.logs import PROGRESS, in_words, last_told, rate_in_words

LEAST_S, MOST_S = 10.0, 60.0  # between two lines of one stage: more, the longer it takes
PART_OF_TIME = 0.05
MOST_LOGS = 50  # of running jobs that are read for one line


@dataclass(frozen=True)
class Job:
    """A job that began. Its log is None for rules without one."""

    rule: str
    wildcards: str
    log: Path | None
    mb: int  # that it asked for; 0: nothing
    begun: float  # seconds since 1970, as files are dated

    @property
    def name(self) -> str:
        """The rule, and which of its jobs this is."""
        return f"{self.rule} {self.wildcards}".strip()

    def progress(self) -> tuple[str, float]:
        """Read from its log how far it is.

        Returns:
            What it told last, and which part of its work is done, if that is told.
        """
        text, _ = last_told(self.log, PROGRESS, self.begun) if self.log else ("", 0)
        counts = re.match(r"([\d,]+) of ([\d,]+) ", text)
        done, total = (int(n.replace(",", "")) for n in counts.groups()) if counts else (0, 1)
        return text, done / max(total, 1)


@dataclass
class Stage:
    """The jobs of one rule: how many there are, and what became of them. Times in seconds."""

    rule: str
    jobs: int
    done: int = 0
    running: dict[int, Job] = field(default_factory=dict)  # by Snakemake's number
    _worked_s: float = 0.0  # before the present jobs, without pauses between jobs
    _since: float = 0.0  # the first of the present jobs began
    said: float = 0.0  # when the last line was written

    def begin(self, number: int, job: Job) -> None:
        """Take up a job that begins.

        Args:
            number: Snakemake's number of it.
            job: The job.
        """
        if not self.running:
            self._since = self.said = job.begun
        self.running[number] = job

    def end(self, number: int, now: float) -> None:
        """Take away a job that ended, well or not.

        Args:
            number: Snakemake's number of it.
            now: The time.
        """
        if self.running.pop(number, None) and not self.running:
            self._worked_s += now - self._since

    def worked_s(self, now: float) -> float:
        """How long any of its jobs has run.

        Args:
            now: The time.
        """
        return self._worked_s + (now - self._since if self.running else 0)

    def line_is_due(self, now: float) -> bool:
        """Tell whether it is time for a line about the running jobs.

        Args:
            now: The time.
        """
        wait_s = min(max(PART_OF_TIME * self.worked_s(now), LEAST_S), MOST_S)
        return bool(self.running) and now - self.said >= wait_s

    def line(self, now: float) -> str:
        """Write how far the stage is; read the logs of its jobs.

        Args:
            now: The time.

        Returns:
            The counts of jobs, their rate and the time left, and the progress of the job that
            began first. That alone if there is one job.
        """
        told = [(job, *job.progress()) for job in islice(self.running.values(), MOST_LOGS)]
        first = next(((job, text) for job, text, _ in told if text), None)
        taken_s = self.worked_s(now)
        if self.jobs < 2:
            return f"{self.rule}: {first[1] if first else f'at work for {in_words(taken_s)}'}"
        parts = [f"{self.done} of {self.jobs} jobs"]
        if done := self.done + sum(part for _, _, part in told):
            left = in_words(taken_s * (self.jobs - done) / done)
            parts += [rate_in_words(done / taken_s), f"about {left} left"]
        else:
            parts += [f"at work for {in_words(taken_s)}"]
        more = f"; {first[0].wildcards}: {first[1]}" if first else ""
        return f"{self.rule}: {', '.join(parts)}{more}"

    def last_line(self, now: float) -> str:
        """Write how long the stage took.

        Args:
            now: The time.
        """
        jobs = f"{self.done} of {self.jobs} jobs, " if self.jobs > 1 else ""
        return f"{self.rule}: {jobs}in {in_words(self.worked_s(now))}"
