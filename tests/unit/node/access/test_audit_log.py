"""The audit log: lines are written completely or not at all, and tampering is detected."""

import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess

import pytest

from rehearsal.errors import InputError
from rehearsal.node.access.audit_check import verify_log
from rehearsal.node.access.audit_log import AuditFailed, AuditLog
from rehearsal.node.access.audit_segments import hashed_line, head_path

from .killing import kill_at


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
    text, digest = hashed_line({**forged, "subject": "somebody else"}, json.loads(rows[3])["hash"])
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


def test_a_new_chain_begins_and_rotates_after_the_log_was_moved_away(path):
    """With the pattern of the page on deployment, after a power failure cut the log."""
    AuditLog(path, 1).append({"rule": "in another segment"})
    path.write_bytes(b"".join(lines(path)[:-1]))
    aside = path.parent / "log-until-power-failure"
    aside.mkdir()
    for one in path.parent.glob("audit[.-]*jsonl*"):
        one.rename(aside / one.name)
    log = AuditLog(path, 1)
    for _ in range(2):
        log.append({"rule": "after it"})
    assert verify_log(path).lines == 3  # one of them begins the second segment
    assert len(verify_log(path).segments) == 2
    with pytest.raises(InputError, match="expected 1 more lines"):
        verify_log(aside / path.name)


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


# --- segments ---


@pytest.fixture
def rotated(tmp_path):
    """A log of four segments: three are closed."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path, segment_size=500)
    while len(segments(path)) < 3:
        log.append({"subject": "somebody", "rule": "no visa"})
    log.close()
    return path


def segments(path):
    return sorted(path.parent.glob("audit-*.jsonl"))


def numbers(file):
    return [json.loads(line)["n"] for line in lines(file)]


def test_a_closed_segment_is_read_only_and_named_by_its_first_line(rotated):
    assert [file.name for file in segments(rotated)] == [
        f"audit-{numbers(file)[0]:012}.jsonl" for file in segments(rotated)
    ]
    assert {file.stat().st_mode & 0o777 for file in segments(rotated)} == {0o400}
    assert rotated.stat().st_mode & 0o777 == 0o600


def test_the_chain_is_verified_over_all_segments(rotated):
    every = [n for file in (*segments(rotated), rotated) for n in numbers(file)]
    assert every == list(range(1, len(every) + 1))
    verified = verify_log(rotated)
    assert (verified.lines, verified.first) == (len(every), 1)
    assert verified.segments == (*segments(rotated), rotated)
    for file in segments(rotated):
        noted = json.loads(lines(file)[-1])["hash"]
        assert verify_log(rotated, noted).lines == len(every)


def test_a_chain_by_hand_is_the_same(rotated):
    """The hashes as the documentation describes them, by hashlib and json alone."""
    last = "0" * 64
    for file in (*segments(rotated), rotated):
        for text in lines(file):
            body, _, digest = text.rstrip(b"\n").rpartition(b',"hash":"')
            last = hashlib.sha256(last.encode() + body + b"}").hexdigest()
            assert digest == last.encode() + b'"}'
    assert head_path(rotated).read_text().split()[1] == last


def test_a_log_of_segments_continues_after_a_restart(rotated):
    before = verify_log(rotated).lines
    log = AuditLog(rotated, segment_size=500)
    log.append({"rule": "again"})
    assert verify_log(rotated).lines == before + 1


@pytest.mark.parametrize("which", [1, 2])
def test_a_missing_segment_is_found(rotated, which):
    gone = segments(rotated)[which]
    first, last = numbers(gone)[0], numbers(gone)[-1]
    gone.unlink()
    complaint = f"line {last}: expected the segment that ends with this line, found none"
    with pytest.raises(InputError, match=complaint):
        verify_log(rotated)
    assert first > 1


def test_old_segments_may_be_archived_elsewhere(rotated, tmp_path):
    (tmp_path / "archive").mkdir()
    oldest, second, *_ = segments(rotated)
    whole = verify_log(rotated)
    oldest.rename(tmp_path / "archive" / oldest.name)
    verified = verify_log(rotated)
    assert (verified.lines, verified.head) == (whole.lines, whole.head)
    assert verified.first == numbers(second)[0]
    archived = verify_log(tmp_path / "archive" / oldest.name)
    assert archived.head == verified.before
    assert archived.lines == verified.first - 1
    log = AuditLog(rotated, segment_size=500)
    log.append({"rule": "goes on"})
    assert verify_log(rotated).lines == whole.lines + 1


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("at", [0, -1])
def test_a_changed_segment_is_found(rotated, which, at):
    file = segments(rotated)[which]
    rows = lines(file)
    rows[at] = rows[at].replace(b'"time":1', b'"time":2')
    file.chmod(0o600)
    file.write_bytes(b"".join(rows))
    with pytest.raises(InputError):
        verify_log(rotated)


def _append_to_segments(path, number):
    log = AuditLog(path, segment_size=700)
    for i in range(60):
        log.append({"process": number, "i": i})


def test_several_processes_append_during_rotations(path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_append_to_segments, args=(path, i)) for i in range(3)]
    for process in processes:
        process.start()
    seen = [verify_log(path).lines for _ in range(20)]
    for process in processes:
        process.join()
    assert seen == sorted(seen)
    files = [*segments(path), path]
    assert len(files) > 10
    rows = [json.loads(line) for file in files for line in lines(file)]
    written = [(row["process"], row["i"]) for row in rows if "process" in row]
    assert sorted(written) == [(number, i) for number in range(3) for i in range(60)]
    assert verify_log(path).lines == len(rows) == 5 + 180 + len(files) - 1


def _rotate_and_die(path, step):
    log = AuditLog(path, segment_size=100)
    kill_at(step, ("open", "link", "fchmod", "pwrite", "rename", "replace", "write"))
    log.append({"rule": "after the rotation"})


@pytest.mark.parametrize("step", range(9))
def test_a_process_killed_in_a_rotation_loses_no_line(path, step):
    process = multiprocessing.get_context("fork").Process(target=_rotate_and_die, args=(path, step))
    process.start()
    process.join()
    log = AuditLog(path, segment_size=100)
    log.append({"rule": "after the crash"})
    log.append({"rule": "and again"})
    verified = verify_log(path)
    rows = [json.loads(line) for file in (*segments(path), path) for line in lines(file)]
    assert [row["n"] for row in rows] == list(range(1, verified.lines + 1))
    assert [row["subject"] for row in rows if "subject" in row] == [
        f"researcher-{number}" for number in range(5)
    ]


def test_a_log_that_cannot_be_rotated_goes_on(path, monkeypatch):
    log = AuditLog(path, segment_size=100)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    log.append({"rule": "stays in the segment"})
    assert segments(path) == []
    assert verify_log(path).lines == 6
    monkeypatch.undo()
    log.append({"rule": "in a new one"})
    assert len(segments(path)) == 1
    assert verify_log(path).lines == 8


# --- programs that rotate logs ---


def logrotate(path, *how):
    """Let Debian's logrotate rotate a log."""
    program = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin")
    if program is None:
        pytest.skip("logrotate is not installed")
    settings = path.parent / "logrotate.conf"
    settings.write_text(f"{path} {{\n  rotate 5\n  missingok\n" + "\n".join(how) + "\n}\n")
    settings.chmod(0o600)
    state = path.parent / "logrotate.state"
    command = [program, "--force", "--state", str(state), str(settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("how", ["create 0600", "copytruncate", "dateext\ncreate 0600"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_log_that_logrotate_rotated_continues(path, how, restarted):
    log = AuditLog(path)
    for _ in range(1 if "dateext" in how else 2):
        logrotate(path, how)
        if restarted:
            log = AuditLog(path)
        log.append({"rule": "after it"})
    rotations = 1 if "dateext" in how else 2
    assert verify_log(path).lines == 5 + 2 * rotations
    assert numbers(path) == [4 + 2 * rotations, 5 + 2 * rotations]


def test_a_line_that_copytruncate_loses_stops_the_log(path):
    """A line written between the copy and the truncation is in neither file."""
    log = AuditLog(path)
    shutil.copy(path, path.with_name("audit.jsonl.1"))
    log.append({"rule": "lost"})
    os.truncate(path, 0)
    with pytest.raises(AuditFailed, match="expected 6 lines, as in its head, found fewer"):
        log.append({"rule": "must not be carried out"})


def test_a_log_that_is_moved_away_without_a_new_one_stops(path):
    log = AuditLog(path)
    path.rename(path.with_name("audit.jsonl.1"))
    with pytest.raises(AuditFailed, match="removed"):
        log.append({"rule": "must not be carried out"})
