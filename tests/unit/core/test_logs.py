"""How a job says how far it is."""

import subprocess
import sys

import pytest

from rehearsal import logs
from rehearsal.logs import (
    ERROR,
    PROGRESS,
    Progress,
    in_progress,
    in_words,
    last_told,
    rate_in_words,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (99, "99 s"), (120, "2 min"), (5400, "90 min"), (9000, "2.5 h")],
)
def test_a_duration_is_told_in_the_unit_that_suits_it(seconds, words):
    assert in_words(seconds) == words


def test_a_long_job_says_now_and_then_how_much_is_done_and_left(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    progress = Progress(1000, "sites")
    for _ in range(5):
        now[0] += 4
        progress.step(50)
    assert capsys.readouterr().out == "Progress: 150 of 1,000 sites, 12 per s, about 68 s left\n"


def test_progress_can_be_told_elsewhere(monkeypatch, capsys):
    heard = []
    with logs.progress_told_to(heard.append):
        Progress(10, "sites", every_s=0).step(5)
        logs.tell_progress("halfway")
    logs.tell_progress("back")
    assert heard[0].startswith("5 of 10 sites, ") and heard[1:] == ["halfway"]
    assert capsys.readouterr().out == "Progress: back\n"


@pytest.mark.parametrize(
    ("per_s", "words"),
    [(1234.5, "1,234 per s"), (2.34, "2.3 per s"), (0.5, "30 per min"), (0.01, "36.0 per h")],
)
def test_a_rate_is_told_in_the_unit_that_suits_it(per_s, words):
    assert rate_in_words(per_s) == words


def test_the_items_of_a_long_loop_are_counted_when_they_are_done(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    for _ in in_progress([1, 2, 3], "blocks"):
        now[0] += 20
    assert capsys.readouterr().out.splitlines() == [
        "Progress: 1 of 3 blocks, 3.0 per min, about 40 s left",
        "Progress: 2 of 3 blocks, 3.0 per min, about 20 s left",
    ]


JOB = """
import sys
import numba
from rehearsal.errors import InputError, InputErrors, PlainError
from rehearsal.logs import log_to_file

@numba.njit
def kernel():
    return 1

ONE, OTHER = InputError("a", "b", "c", "d"), InputError("e", "f", "g", "h")
with log_to_file(sys.argv[1]):
    print("before")
    {block}
"""


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        ("raise ONE", ["before", "Error: a: b: expected c, found d"]),
        (
            "raise InputErrors([ONE, OTHER])",
            ["before", "Error: a: b: expected c, found d", "e: f: expected g, found h"],
        ),
        ("sys.exit('one\\ntwo')", ["before", "Error: one", "two"]),
        ("kernel(); raise ONE", ["Progress: compiling kernel", "Error: a: b: expected c, found d"]),
        ("raise ValueError('x\\ny')", ["y", "Error: ValueError: x"]),
        ("raise ValueError('x:\\ny\\nz')", ["z", "Error: ValueError: x: z"]),
        ("raise MemoryError", ["MemoryError", "Error: MemoryError"]),
        ("raise PlainError('x:\\ny\\nz')", ["before", "x:", "y", "z", "Error: x: z"]),
    ],
)
def test_what_ends_a_job_is_the_last_thing_in_its_log(tmp_path, block, lines):
    log = tmp_path / "a.log"
    command = [sys.executable, "-c", JOB.format(block=block), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    written = log.read_text().splitlines()
    assert written[-len(lines) :] == lines
    text, after = last_told(log, ERROR)
    assert f"Error: {text}" == next(line for line in lines if line.startswith("Error"))
    assert after == len(lines) - 1 - lines.index(f"Error: {text}")


SIGNALLED = """
import os, signal, sys
import numba
import llvmlite.binding.executionengine as llvm
from rehearsal.logs import log_to_file

def end_it(*_):
    os.kill(os.getpid(), signal.SIGTERM)
    return b""

def wrapped():  # as numba's compiler does on its way out
    try:
        end_it()
    finally:
        raise RuntimeError("no compiled object yet")

def lost():  # LLVM calls Python, and ignores its errors
    llvm.string_at = end_it
    for number in range(100):
        numba.njit(lambda: number)()

with log_to_file(sys.argv[1]):
    {block}()
"""


@pytest.mark.parametrize("block", ["end_it", "wrapped", "lost"])
def test_a_signal_ends_a_job_with_one_line_also_while_code_is_compiled(tmp_path, block):
    log = tmp_path / "a.log"
    command = [sys.executable, "-c", SIGNALLED.format(block=block), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (143, "")
    assert last_told(log, ERROR) == ("it was ended by signal 15 (Terminated)", 0)
    assert "Traceback" not in log.read_text()


def test_the_end_of_a_long_log_is_read_and_no_other_file(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("Progress: early\n" + "x" * 300_000 + "\n\xff\nProgress: late\n")
    assert last_told(log, PROGRESS) == ("late", 0)
    assert last_told(log, ERROR) == ("", 0)
    assert last_told(tmp_path / "none.log", PROGRESS) == ("", 0)
    assert last_told(tmp_path, PROGRESS) == ("", 0)
