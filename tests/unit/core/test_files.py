"""Files are whole or not there; digests are of what they hold."""

import gzip

import pytest

from rehearsal.files import content_digest, tree_digest, written_aside


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "table.tsv"
    target.write_text("old")
    with pytest.raises(RuntimeError), written_aside(target) as path:
        path.write_text("half of the n")
        raise RuntimeError("power cut")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_suffix_is_kept_because_writers_choose_formats_by_it(tmp_path):
    with written_aside(tmp_path / "a.vcf.gz") as path:
        assert path.name.endswith(".vcf.gz")
        path.touch()


def test_the_digest_of_a_compressed_file_is_that_of_its_content(tmp_path):
    plain, fast, best = tmp_path / "plain", tmp_path / "fast.gz", tmp_path / "best.gz"
    content = b"ACGT" * 10_000
    plain.write_bytes(content)
    fast.write_bytes(gzip.compress(content, 1, mtime=1))
    best.write_bytes(gzip.compress(content, 9, mtime=2))
    assert content_digest(plain) == content_digest(fast) == content_digest(best)


def test_a_tree_digest_changes_with_content_and_with_names(tmp_path):
    (tmp_path / "a.py").write_text("1")
    first = tree_digest([tmp_path])
    (tmp_path / "a.py").write_text("2")
    second = tree_digest([tmp_path])
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, tree_digest([tmp_path])}) == 3
