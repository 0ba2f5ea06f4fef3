"""The file of withdrawals is complete at any time, and no withdrawal is lost."""

import json
import multiprocessing
import os

import pytest

from rehearsal.errors import InputError
from rehearsal.node.access.withdrawals import FILE_NAME, add_withdrawals, read_withdrawals

from .killing import kill_at


def test_a_withdrawal_is_recorded_once_and_kept(tmp_path):
    assert add_withdrawals(tmp_path, ["FI-1", "FI-2", "FI-1"]) == ["FI-1", "FI-2"]
    before = (tmp_path / FILE_NAME).read_bytes()
    assert add_withdrawals(tmp_path, ["FI-2"]) == []
    assert (tmp_path / FILE_NAME).read_bytes() == before
    assert add_withdrawals(tmp_path, ["FI-2", "FI-3"]) == ["FI-3"]
    assert read_withdrawals(tmp_path / FILE_NAME) == {"FI-1", "FI-2", "FI-3"}
    rows = [json.loads(line) for line in (tmp_path / FILE_NAME).open()]
    assert all(set(row) == {"person", "time"} for row in rows)


def test_only_the_owner_reads_who_withdrew(tmp_path):
    add_withdrawals(tmp_path, ["FI-1"])
    path = tmp_path / FILE_NAME
    path.chmod(0o644)
    add_withdrawals(tmp_path, ["FI-2"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_withdrawals_reach_the_disk_before_their_name(tmp_path, monkeypatch):
    steps = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: steps.append("sync") or sync(file))
    monkeypatch.setattr("pathlib.os.replace", lambda *a: steps.append("name") or replace(*a))
    add_withdrawals(tmp_path, ["FI-1"])
    assert steps == ["sync", "name", "sync"]


def _add(folder, number):
    for i in range(10):
        add_withdrawals(folder, [f"FI-{number}-{i}"])


def test_several_commands_at_a_time_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    commands = [context.Process(target=_add, args=(tmp_path, i)) for i in range(4)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    assert len(read_withdrawals(tmp_path / FILE_NAME)) == 40


def _killed_at(folder, step):
    """Kill this process at one of the calls that bring a file to the disk."""
    kill_at(step, ("fsync", "fchmod", "open"))
    add_withdrawals(folder, ["FI-2", "FI-3"])


@pytest.mark.parametrize("step", range(7))
def test_a_killed_command_records_all_or_none(tmp_path, step):
    add_withdrawals(tmp_path, ["FI-1"])
    command = multiprocessing.get_context("fork").Process(target=_killed_at, args=(tmp_path, step))
    command.start()
    command.join()
    assert read_withdrawals(tmp_path / FILE_NAME) in ({"FI-1"}, {"FI-1", "FI-2", "FI-3"})
    assert add_withdrawals(tmp_path, ["FI-4"]) == ["FI-4"]


@pytest.mark.parametrize("line", ["nonsense", "{}", '{"person": 3, "time": "x"}', "[]"])
def test_a_damaged_file_is_refused_with_its_line(tmp_path, line):
    add_withdrawals(tmp_path, ["FI-1"])
    path = tmp_path / FILE_NAME
    with path.open("a") as file:
        file.write(line + "\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match="line 2: expected a withdrawal, as "):
        add_withdrawals(tmp_path, ["FI-2"])
    assert path.read_bytes() == before
