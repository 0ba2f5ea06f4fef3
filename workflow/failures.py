"""Why a job failed, in one line, and what to do about it."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from stages import Job

from rehearsal.logs import ERROR, last_told, one_line

REFUSED = "the scheduler did not take the job"
INTERRUPTED = "ended by signal 2 "
AGAIN = "start the same command again; what is done stays done"
MEND = f"mend what the line names, then {AGAIN}"
ADVICE = [  # by the form of the cause; the first that fits
    (r"room for more data", f"make room on that disk, then {AGAIN}"),
    (REFUSED, f"mend the command of the profile that submits jobs, then {AGAIN}"),
    (r": expected .*, found ", MEND),
    (
        r"killed|terminated abruptly|MemoryError|OUT_OF_MEMORY",
        "run fewer jobs at once (--cores, or --resources mem_mb=N for all together) or take a "
        f"machine with more memory: {AGAIN}",
    ),
    (r"ended by ", AGAIN),
]
VERDICT = "check_verdict"  # the rule that fails where an answer or a check is wrong
OF_VERDICT = (
    "see the page; --forcerun run_queries run_stories run_membership_attack "
    "asks and attacks the nodes again"
)
ELSE = f"read the log, and {AGAIN}; report it with its log if it fails in the same way"


@dataclass(frozen=True)
class Failure:
    """A job that failed: which, why, its logs, and what to do."""

    job: str
    why: str
    logs: Sequence[str]
    advice: str

    def __str__(self) -> str:
        """The lines for the terminal."""
        lines = [f"Failed: {self.job}", f"  why: {self.why}"]
        lines += [f"  log: {log}" for log in self.logs]
        return "\n".join([*lines, f"  next: {self.advice}"])


def told_failure(job: Job, logs: Sequence[str]) -> Failure | None:
    """Read from a job's log why it failed.

    Args:
        job: The job.
        logs: Its logs, and those of a scheduler.

    Returns:
        The failure; None if the log does not say.
    """
    text, after = last_told(job.log, ERROR, job.begun) if job.log else ("", 0)
    if not text:
        return None
    more = f" (and {after} more {'line' if after == 1 else 'lines'} in the log)" if after else ""
    advice = OF_VERDICT if job.rule.endswith(VERDICT) else advice_for(text)
    return Failure(job.name, f"{text}{more}", logs, advice)


def untold_failure(
    jobs: Sequence[Job], logs: Sequence[str], ended: str = "", scheduler: str = ""
) -> Failure:
    """Describe the failure of a job, or a group of jobs, whose logs do not say why.

    Args:
        jobs: The job, or the jobs of the group.
        logs: Its logs, and those of a scheduler.
        ended: What Snakemake said of the end of its process, which names a signal or an exit
            status; empty if it ran elsewhere.
        scheduler: What a scheduler said of it, or empty.
    """
    why = end_in_words(ended, jobs[0].mb) or scheduler_in_words(scheduler)
    why = why or "it ended without a word about an error"
    begun = [] if why.startswith(REFUSED) else logs  # without a log of its own
    return Failure(", ".join(job.name for job in jobs), why, begun, advice_for(why))


def scheduler_in_words(said: str) -> str:
    """Say what a scheduler said, in one line.

    Args:
        said: The text of Snakemake about it; empty without a scheduler.

    Returns:
        One line; empty if nothing is known.
    """
    text = re.split(r"\s*For further error", said)[0].strip()
    refused = re.fullmatch(r"(?s)Error submitting jobscript \(exit code (\d+)\):\s*(.*)", text)
    if not refused:
        return one_line(text)
    words = f": {one_line(refused[2])}" if refused[2] else "; what it said stands above"
    return f"{REFUSED} (exit code {refused[1]}){words}"


def end_in_words(ended: str, mb: int) -> str:
    """Say how a process ended.

    Args:
        ended: Words with ``died with <Signals.SIGKILL: 9>`` or ``exit status 137``.
        mb: The memory that it asked for, in MB; 0 if none.

    Returns:
        One line; empty if nothing is known.
    """
    found = re.search(r"<Signals\.\w+: (\d+)>|exit status (\d+)", ended)
    if not found:
        return ""
    number = int(found[1] or max(int(found[2]) - 128, 0))  # shells add 128
    if not number:
        return f"it ended with status {found[2]} and without a word about an error"
    if number == signal.SIGKILL:
        asked = f"; it had asked for {mb:,} MB" if mb else ""
        return f"it was killed, most often for lack of memory{asked}"
    return f"it was ended by signal {number} ({signal.strsignal(number)})"


def advice_for(why: str) -> str:
    """Choose what to do by the form of a cause.

    Args:
        why: The cause.
    """
    return next((advice for form, advice in ADVICE if re.search(form, why)), ELSE)
