"""The audit log: lines are written completely or not at all, and tampering is detected."""

import json
import multiprocessing
import os

import pytest

from rehearsal.errors import InputError
from rehearsal.node.access import audit_log
from rehearsal.node.access.audit_log import AuditFailed, AuditLog, head_path, verify_log


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    for number in range(5):
        log.append({"subject": f"researcher-{number}", "rule": "no visa", "status": 200})
    log.close()
    return path


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_a_log_verifies_and_knows_its_length(path):
    verified = verify_log(path)
    assert verified.lines == 5
    assert verified.head == json.loads(lines(path)[-1])["hash"]


def test_the_log_and_its_head_are_for_their_owner_only(path):
    assert path.stat().st_mode & 0o077 == 0
    assert head_path(path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("removed", [lambda path: path, head_path])
def test_a_removed_log_accepts_no_lines(path, removed):
    log = AuditLog(path)
    removed(path).unlink()
    with pytest.raises(AuditFailed, match="removed"):
        log.append({"subject": "somebody"})


def test_a_log_continues_after_a_restart(path):
    log = AuditLog(path)
    log.append({"rule": "again"})
    log.close()
    assert verify_log(path).lines == 6


def changed(text):
    return text.replace(b"researcher-2", b"researcher-7")


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        (lambda rows: [*rows[:2], changed(rows[2]), *rows[3:]], "line 3"),
        (lambda rows: rows[:2] + rows[3:], "line 3"),
        (lambda rows: [rows[0], rows[2], rows[1], *rows[3:]], "line 2"),
        (lambda rows: rows[1:], "line 1"),
        (lambda rows: [rows[0], *rows], "line 2"),
        (
            lambda rows: rows[:-1],
            "line 5: expected 1 more lines, as counted in the head, found the end of the file",
        ),
        (lambda rows: [], "line 1: expected 5 more lines"),
        (lambda rows: [*rows[:-1], rows[-1][:-20]], "line 5"),
        (lambda rows: [*rows, b"{}\n"], "line 6"),
    ],
    ids=[
        *("changed", "missing", "swapped", "first gone", "twice"),
        *("last gone", "all gone", "torn", "one more"),
    ],
)
def test_tampering_is_found_and_the_line_named(path, tamper, line):
    path.write_bytes(b"".join(tamper(lines(path))))
    with pytest.raises(InputError, match=line):
        verify_log(path)


def test_a_forged_last_line_is_detected(path):
    rows = lines(path)
    forged = {key: value for key, value in json.loads(rows[4]).items() if key != "hash"}
    text, digest = audit_log._hashed_line(
        {**forged, "subject": "somebody else"}, json.loads(rows[3])["hash"]
    )
    path.write_bytes(b"".join([*rows[:4], text]))
    assert digest not in head_path(path).read_text()
    with pytest.raises(
        InputError, match="line 5: expected the hash of the log's head, found another hash"
    ):
        verify_log(path)


def test_a_new_chain_is_detected_by_a_noted_head(path, tmp_path):
    noted = verify_log(path).head
    other = tmp_path / "other.jsonl"
    log = AuditLog(other)
    for _ in range(5):
        log.append({"subject": "nobody"})
    assert verify_log(other).lines == 5
    with pytest.raises(InputError, match=noted):
        verify_log(other, expected_head=noted)
    assert verify_log(path, expected_head=noted).lines == 5


def test_a_line_cut_off_by_a_crash_is_removed(path):
    with path.open("ab") as log:
        log.write(b'{"n":6,"time":17')
    log = AuditLog(path)
    log.append({"rule": "after the crash"})
    assert verify_log(path).lines == 6


def test_the_head_is_repaired_after_a_crash(path):
    head = head_path(path).read_bytes()
    log = AuditLog(path)
    log.append({"rule": "the last before the crash"})
    log.close()
    head_path(path).write_bytes(head)
    AuditLog(path).close()
    assert verify_log(path).lines == 6


def test_decisions_written_together_get_one_line_each(path):
    AuditLog(path).append({"subject": "one"}, {"subject": "two"}, {"subject": "three"})
    assert verify_log(path).lines == 8
    assert [json.loads(line)["subject"] for line in lines(path)[5:]] == ["one", "two", "three"]


def test_the_head_is_repaired_after_a_crash_with_many_lines(path):
    head = head_path(path).read_bytes()
    log = AuditLog(path)
    log.append(
        *({"subject": f"caller {i}" * 50} for i in range(100))
    )  # more than one block of the log
    log.close()
    head_path(path).write_bytes(head)
    AuditLog(path).close()
    assert verify_log(path).lines == 105


def test_a_log_without_its_head_is_refused(path):
    head_path(path).unlink()
    with pytest.raises(InputError):
        AuditLog(path)


@pytest.mark.parametrize("cut", [1, 5])
def test_a_log_that_was_cut_is_refused(path, cut):
    path.write_bytes(b"".join(lines(path)[:-cut]))
    with pytest.raises(InputError):
        AuditLog(path)


def test_appending_fails_when_the_log_cannot_be_written(path, monkeypatch):
    log = AuditLog(path)
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(AuditFailed):
        log.append({"rule": "lost"})
    monkeypatch.undo()
    log.append({"rule": "kept"})
    assert verify_log(path).lines == 6


def test_an_incomplete_line_is_removed(path, monkeypatch):
    log = AuditLog(path)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, text: write(file, text[:10]))
    with pytest.raises(AuditFailed):
        log.append({"rule": "lost"})
    monkeypatch.undo()
    log.append({"rule": "kept"})
    assert verify_log(path).lines == 6


def unwritable(*_):
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        # the head cannot be written; it is written in part; the log cannot be truncated either:
        # then its line remains, and the next line follows it
        ({"pwrite": lambda write: unwritable}, 6),
        ({"pwrite": lambda write: lambda file, text, at: write(file, text[:30], at)}, 6),
        ({"pwrite": lambda write: unwritable, "ftruncate": lambda cut: unwritable}, 7),
    ],
    ids=["not written", "in part", "nor cut back"],
)
def test_the_chain_stays_valid_when_the_head_cannot_be_written(path, monkeypatch, broken, kept):
    log, other = AuditLog(path), AuditLog(path)
    for name, instead in broken.items():
        monkeypatch.setattr(os, name, instead(getattr(os, name)))
    with pytest.raises(AuditFailed):
        log.append({"rule": "lost"})
    monkeypatch.undo()
    log.append({"rule": "kept"})
    assert verify_log(path).lines == kept
    other.append({"rule": "of another process"})
    log.append({"rule": "after it"})
    assert verify_log(path).lines == kept + 2


def test_a_log_verifies_while_it_is_written(path):
    writer = multiprocessing.get_context("fork").Process(target=_append, args=(path, 0))
    writer.start()
    seen = [verify_log(path).lines for _ in range(20)]
    writer.join()
    assert seen == sorted(seen)
    assert verify_log(path).lines == 55


def _append(path, number):
    log = AuditLog(path)
    for i in range(50):
        log.append({"process": number, "i": i})


def test_several_processes_write_one_chain(path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_append, args=(path, i)) for i in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert verify_log(path).lines == 155
