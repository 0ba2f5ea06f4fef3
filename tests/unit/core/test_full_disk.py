"""A full or read-only disk is said in one line that names the file and its disk."""

import errno
import os
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from rehearsal.errors import full_disk
from rehearsal.files import atomic_path
from rehearsal.logs import ERROR

JOB = """
    import sys
    from pathlib import Path
    from rehearsal.files import atomic_path
    from rehearsal.logs import log_to_file

    with log_to_file(sys.argv[1] + "/job.log"):
        with atomic_path(sys.argv[1] + "/table.tsv") as aside, aside.open("wb") as file:
            {write}
"""


def run_job(folder, write):
    code = textwrap.dedent(JOB).format(write=write)
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_job_that_finds_no_room_ends_with_one_line_in_its_log_and_on_the_terminal(
    tmp_path, number
):
    done = run_job(tmp_path, f"raise OSError({number}, 'full')")
    assert done.returncode == 1
    assert (tmp_path / "job.log").read_text() == f"{ERROR}{done.stderr}"
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"{tmp_path}/table.tsv: expected room for more data on the disk")
    assert os.strerror(number) in done.stderr
    assert not (tmp_path / "table.tsv").exists()


def test_other_errors_of_a_job_keep_their_traceback(tmp_path):
    done = run_job(tmp_path, "raise OSError(13, 'no rights')")
    assert "Traceback" in (tmp_path / "job.log").read_text()
    assert done.returncode == 1


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 2 MB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_job_on_a_full_disk_says_so_although_its_log_is_there(tiny_disk):
    done = run_job(tiny_disk, "file.write(bytes(1 << 23))")
    assert done.returncode == 1
    assert done.stderr == (
        f"{tiny_disk}/table.tsv: expected room for more data on the disk at {tiny_disk}, "
        "found none (No space left on device)\n"
    )


def test_the_error_of_a_library_without_a_number_is_one_of_a_full_disk(tiny_disk):
    def fill(path):
        try:
            path.write_bytes(bytes(1 << 23))
        except OSError:
            raise RuntimeError("failed to write") from None

    target = tiny_disk / "library.bin"
    with pytest.raises(OSError, match="No space left") as caught, atomic_path(target) as aside:
        fill(aside)
    assert caught.value.filename == str(target)


def test_full_databases_and_causes_behind_an_error_are_known():
    assert "No space left" in full_disk(sqlite3.OperationalError("database or disk is full"))
    outer = RuntimeError("a worker died")
    outer.__cause__ = OSError(errno.ENOSPC, "full", "/nowhere/a.bcf")
    assert full_disk(outer).startswith("/nowhere/a.bcf: expected room for more data on the disk at")
    assert full_disk(OSError(errno.ENOENT, "none")) is None
