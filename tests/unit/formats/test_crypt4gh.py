"""Encrypted files: the standard tool reads them, any part can be read, nothing plain is left."""

import io
import os
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.formats.crypt4gh import (
    decrypt_file,
    encrypt_at_rest,
    encrypt_file,
    encrypt_folder,
    make_key_pair,
    open_decrypting,
    remove_plain,
)

SEGMENT = 65_536
SIZES = (0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 1000)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_key_pair(tmp_path_factory.mktemp("keys"))


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def encrypted(folder: Path, keys, size: int) -> Path:
    (folder / "plain").write_bytes(content(size))
    encrypt_file(folder / "plain", folder / "file.c4gh", keys.public)
    return folder / "file.c4gh"


@pytest.fixture(scope="module")
def large(tmp_path_factory, keys):
    return encrypted(tmp_path_factory.mktemp("large"), keys, SIZES[-1])


@pytest.mark.parametrize("size", SIZES)
def test_what_is_encrypted_comes_back(tmp_path, keys, size):
    path = encrypted(tmp_path, keys, size)
    decrypt_file(path, tmp_path / "back", keys.secret)
    assert (tmp_path / "back").read_bytes() == content(size)
    if size:
        assert content(size)[:1000] not in path.read_bytes() or size == 1


def standard_command(*arguments: str) -> list[str]:
    """The command that the crypt4gh package installs."""
    command = shutil.which("crypt4gh", path=Path(sys.executable).parent) or shutil.which("crypt4gh")
    if command is None:
        pytest.skip("the crypt4gh command is not installed")
    return [command, *arguments]


def test_the_standard_command_decrypts_what_we_encrypt(large, keys):
    command = standard_command("decrypt", "--sk", str(keys.secret))
    done = subprocess.run(
        command, input=large.read_bytes(), capture_output=True, check=True,
        env={**os.environ, "C4GH_PASSPHRASE": "none is needed"},
    )  # fmt: skip
    assert done.stdout == content(SIZES[-1])


def test_we_decrypt_what_the_standard_command_encrypts(tmp_path, keys):
    command = standard_command("encrypt", "--recipient_pk", str(keys.public))
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        command, input=content(100_000), capture_output=True, check=True, env=environment
    )
    (tmp_path / "theirs.c4gh").write_bytes(done.stdout)
    with open_decrypting(tmp_path / "theirs.c4gh", keys.secret) as plain:
        assert plain.read() == content(100_000)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, SIZES[-1] + 10), st.integers(0, 3 * SEGMENT)),
        min_size=1,
        max_size=5,
    )
)
def test_any_part_is_read_as_from_the_plain_file(large, keys, steps):
    plain = io.BytesIO(content(SIZES[-1]))
    with open_decrypting(large, keys.secret) as file:
        for offset, length in steps:
            file.seek(offset)
            plain.seek(offset)
            assert file.read(length) == plain.read(length)
        assert file.seek(-5, io.SEEK_END) == SIZES[-1] - 5
        assert file.read() == content(SIZES[-1])[-5:]


def test_only_the_segments_that_are_read_must_be_sound(tmp_path, keys):
    path = encrypted(tmp_path, keys, 3 * SEGMENT)
    damaged = bytearray(path.read_bytes())
    damaged[-SEGMENT - 1000] ^= 1  # in the second segment, or the border of the third
    path.write_bytes(damaged)
    with open_decrypting(path, keys.secret) as file:
        assert file.read(100) == content(3 * SEGMENT)[:100]
        file.seek(SEGMENT)
        with pytest.raises(
            InputError, match=r"segment 1: expected the segment that was .* changed"
        ):
            file.read(10)


def test_a_file_for_somebody_else_is_refused_in_one_line(tmp_path, keys, large):
    other = make_key_pair(tmp_path)
    with pytest.raises(InputError) as refused:
        open_decrypting(large, other.secret)
    assert str(large) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("damage", [b"", b"crypt4gh", b"not encrypted at all" * 10])
def test_what_is_not_crypt4gh_is_refused(tmp_path, keys, damage):
    (tmp_path / "bad.c4gh").write_bytes(damage)
    with pytest.raises(InputError, match=r"header: expected a Crypt4GH file for the key .*, found"):
        open_decrypting(tmp_path / "bad.c4gh", keys.secret)


def test_a_file_cut_within_a_tag_is_refused(tmp_path, keys):
    path = encrypted(tmp_path, keys, SEGMENT + 1)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(InputError, match=r"segments: .* whole last segment, found .* cut off"):
        open_decrypting(path, keys.secret)


def test_a_failed_decryption_leaves_nothing_behind(tmp_path, keys):
    path = encrypted(tmp_path, keys, 2 * SEGMENT)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError):
        decrypt_file(path, tmp_path / "back", keys.secret)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file.c4gh", "plain"]


def test_secret_keys_are_for_their_owner_and_never_overwritten(tmp_path):
    before = os.umask(0)
    try:
        pair = make_key_pair(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(pair.secret.stat().st_mode) == 0o600
    first = pair.secret.read_bytes()
    with pytest.raises(InputError, match="expected a folder without a key, found a key"):
        make_key_pair(tmp_path)
    assert pair.secret.read_bytes() == first


def test_every_file_of_a_folder_is_encrypted_and_nothing_else_is_there(tmp_path, keys):
    plain = tmp_path / "tables"
    for name in ("people.tsv", "more/notes.tsv", ".hidden"):
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_text(f"{name} of Anna")
    encrypt_folder(plain, tmp_path / "tables.c4gh", keys.public)
    copies = {path for path in (tmp_path / "tables.c4gh").rglob("*") if path.is_file()}
    names = {str(path.relative_to(tmp_path / "tables.c4gh")): path for path in copies}
    assert set(names) == {"people.tsv.c4gh", "more/notes.tsv.c4gh"}
    with open_decrypting(names["more/notes.tsv.c4gh"], keys.secret) as stream:
        assert stream.read() == b"more/notes.tsv of Anna"
    assert not any(b"Anna" in path.read_bytes() for path in copies)


def test_a_folder_that_cannot_be_encrypted_is_not_there(tmp_path, keys):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/people.tsv").write_text("Anna")
    with pytest.raises(InputError, match="key: expected a Crypt4GH public key of 32 bytes"):
        encrypt_folder(tmp_path / "tables", tmp_path / "tables.c4gh", keys.secret)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_of_what_is_below_a_folder_only_encrypted_files_are_left(tmp_path, keys):
    (tmp_path / "FI/tables").mkdir(parents=True)
    dropped, killed = "FI/of_an_earlier_run.vcf.gz", "FI/.4711.genomes.bcf"
    plain = ("FI/genomes.bcf", "FI/tables/people.tsv", dropped, killed)
    for name in (*plain, "catalogue.ttl", ".12.catalogue.ttl"):
        (tmp_path / name).write_text("Anna")
    encrypt_file(tmp_path / "FI/genomes.bcf", tmp_path / "FI/genomes.bcf.c4gh", keys.public)
    encrypt_folder(tmp_path / "FI/tables", tmp_path / "FI/tables.c4gh", keys.public)
    encrypted = ["FI/genomes.bcf.c4gh", "FI/tables.c4gh/people.tsv.c4gh"]
    assert remove_plain(tmp_path, ["catalogue.ttl"]) == [tmp_path / name for name in encrypted]
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*encrypted, "catalogue.ttl", ".12.catalogue.ttl"}


def test_a_node_encrypted_at_rest_keeps_no_plain_genome(tmp_path):
    genomes = tmp_path / "genomes"
    genomes.mkdir()
    for name in ("chr1-0-100.bcf", "chr1-0-100.bcf.csi"):
        (genomes / name).write_bytes(name.encode() * 100)
    secret = encrypt_at_rest(tmp_path)
    encrypt_at_rest(tmp_path)  # a second time changes nothing
    assert sorted(file.name for file in genomes.iterdir()) == [
        "chr1-0-100.bcf.c4gh",
        "chr1-0-100.bcf.csi.c4gh",
    ]
    with open_decrypting(genomes / "chr1-0-100.bcf.c4gh", secret) as plain:
        assert plain.read() == b"chr1-0-100.bcf" * 100
