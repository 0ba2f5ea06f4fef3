"""Files are whole or not there; digests are of what they hold."""

import gzip
import math

import pytest

from rehearsal.files import atomic_path, content_digest, read_json, write_json


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "table.tsv"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as path:
        path.write_text("half of the n")
        raise RuntimeError("power cut")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_write_leaves_no_new_folder(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "new" / "er" / "table.tsv") as path:
        path.write_text("half of the n")
        raise RuntimeError("power cut")
    assert not list(tmp_path.iterdir())


def test_the_suffix_is_kept_because_writers_choose_formats_by_it(tmp_path):
    with atomic_path(tmp_path / "a.vcf.gz") as path:
        assert path.name.endswith(".vcf.gz")
        path.touch()


def test_the_digest_of_a_compressed_file_is_that_of_its_content(tmp_path):
    plain, fast, best = tmp_path / "plain", tmp_path / "fast.gz", tmp_path / "best.gz"
    content = b"ACGT" * 10_000
    plain.write_bytes(content)
    fast.write_bytes(gzip.compress(content, 1, mtime=1))
    best.write_bytes(gzip.compress(content, 9, mtime=2))
    assert content_digest(plain) == content_digest(fast) == content_digest(best)


@pytest.mark.parametrize("value", [{"a": [1.0, math.nan]}, [math.inf]])
def test_numbers_that_json_does_not_have_are_refused(tmp_path, value):
    with pytest.raises(ValueError, match=r"\$.*expected a finite number, as JSON requires, found"):
        write_json(tmp_path / "x.json", value)
    assert list(tmp_path.iterdir()) == []


def test_json_is_read_as_it_was_written(tmp_path):
    value = {"text": "é", "numbers": [1, 2.5, None]}
    write_json(tmp_path / "x.json", value)
    assert read_json(tmp_path / "x.json") == value
    assert (tmp_path / "x.json").read_bytes().endswith(b"\n}\n")
