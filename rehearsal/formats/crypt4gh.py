"""Encrypt genomes at rest with Crypt4GH 1.0 (samtools.github.io/hts-specs/crypt4gh.pdf).

A file is a header, which holds the file's session key encrypted for its recipient, and segments of
65,536 bytes, each with its own nonce and authentication tag. So any part can be read by decrypting
the segments that it covers. Nonces and session keys are random: encrypting the same file twice
gives different bytes. Only the decrypted content is the same for the same seed.
"""

from __future__ import annotations

import base64
import io
import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, NamedTuple

from crypt4gh import CIPHER_DIFF, CIPHER_SEGMENT_SIZE, SEGMENT_SIZE, header, lib, sodium
from crypt4gh.keys import c4gh, get_private_key, get_public_key

from rehearsal.errors import InputError, cause, mismatch, shown, unreadable_file
from rehearsal.files import atomic_path

SUFFIX = ".c4gh"
SECRET_KEY, PUBLIC_KEY = "c4gh.sec", "c4gh.pub"

logging.getLogger("crypt4gh").setLevel(logging.CRITICAL)  # at level DEBUG it logs keys

_X25519 = 0  # the only kind of key of Crypt4GH 1.0
_BUFFER = 16 * SEGMENT_SIZE


class KeyPair(NamedTuple):
    """The files of a key pair."""

    secret: Path
    public: Path


def make_key_pair(folder: Path | str) -> KeyPair:
    """Create a key pair, ``c4gh.sec`` (mode 0600, no passphrase) and ``c4gh.pub``.

    The standard tool reads both files.

    Args:
        folder: The folder to write to, created if missing.

    Returns:
        The two files.

    Raises:
        InputError: The folder already holds a key. If it were replaced, files that are encrypted
            for it could never be read again.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(folder / SECRET_KEY, folder / PUBLIC_KEY)
    if pair.secret.exists():
        raise InputError(pair.secret, "file", "a folder without a key", "a key")
    key = os.urandom(32)
    with atomic_path(pair.public) as aside:
        aside.write_text(_pem("PUBLIC", sodium.derive_pk(key)))
    # the library's own writer creates the file first and restricts its mode afterwards
    no_passphrase = c4gh.encode_string(None) * 2
    content = c4gh.MAGIC_WORD + no_passphrase + c4gh.encode_string(key)
    with atomic_path(pair.secret) as aside:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_pem("PRIVATE", content))
    return pair


def encrypt_file(source: Path | str, target: Path | str, *public_keys: Path | str) -> None:
    """Encrypt a file for the owners of public keys.

    Args:
        source: The plain file.
        target: The encrypted file. It appears whole or not at all.
        *public_keys: Files of the recipients' public keys.

    Raises:
        InputError: A key cannot be read.
    """
    recipients = [(_X25519, os.urandom(32), _recipient(key)) for key in public_keys]
    with (
        atomic_path(target) as aside,
        Path(source).open("rb") as plain,
        aside.open("wb") as encrypted,
    ):
        lib.encrypt(recipients, plain, encrypted)


def encrypt_folder(source: Path | str, target: Path | str, *public_keys: Path | str) -> None:
    """Encrypt every file of a folder, without hidden files.

    Args:
        source: The folder of plain files.
        target: The folder to write. Names of its files end in ``.c4gh``.
        *public_keys: Files of the recipients' public keys.

    Raises:
        InputError: A key cannot be read.
    """
    source = Path(source)
    with atomic_path(target) as aside:
        aside.mkdir()
        for file in sorted(source.rglob("*")):
            if file.is_dir() or file.name.startswith("."):
                continue
            encrypt_file(file, aside / f"{file.relative_to(source)}{SUFFIX}", *public_keys)


def remove_plain(folder: Path | str, but_for: Collection[str] = ()) -> list[Path]:
    """Remove everything below a folder that is not encrypted.

    This includes what an earlier or killed run left there.

    Args:
        folder: The folder.
        but_for: Ends of names of files at the top of the folder that stay plain, finished or being
            written.

    Returns:
        The encrypted files, in order.
    """
    folder = Path(folder)
    for path in sorted(folder.rglob("*"), reverse=True):  # the content of a folder before it
        place = path.relative_to(folder)
        if any(part.endswith(SUFFIX) for part in place.parts):
            continue
        if len(place.parts) == 1 and path.name.endswith(tuple(but_for)):
            continue
        if not path.is_dir():
            path.unlink(missing_ok=True)
        elif not any(path.iterdir()):
            path.rmdir()
    return sorted(path for path in folder.rglob(f"*{SUFFIX}") if path.is_file())


def decrypt_file(source: Path | str, target: Path | str, secret_key: Path | str) -> None:
    """Decrypt a file.

    Args:
        source: The encrypted file.
        target: The plain file. It appears whole or not at all, readable by its owner only.
        secret_key: File of the secret key.

    Raises:
        InputError: The key cannot be read or does not fit, or the file is damaged.
    """
    with atomic_path(target) as aside, open_decrypting(source, secret_key) as plain:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        segments = memoryview(bytearray(_BUFFER))
        with os.fdopen(descriptor, "wb", 0) as file:
            while size := plain.raw.readinto(segments):  # bypasses the buffer: one copy less
                file.write(segments[:size])


def open_decrypting(path: Path | str, secret_key: Path | str) -> io.BufferedReader:
    """Open an encrypted file for reading as if it were plain. Nothing plain is written to disk.

    Only the segments that are read are decrypted. Files with an edit list are refused, as the
    rehearsal writes none.

    Args:
        path: The encrypted file.
        secret_key: File of the secret key.

    Returns:
        A file with read, seek and tell. Reading raises InputError for a segment that was changed.

    Raises:
        InputError: The key cannot be read or does not fit, or the file is not of Crypt4GH.
    """
    file = Path(path).open("rb", 0)  # noqa: SIM115 (closed with the returned file)
    try:
        return io.BufferedReader(_Decrypting(file, path, secret_key), SEGMENT_SIZE)
    except BaseException:
        file.close()
        raise


def secret_key_of(node_folder: Path | str) -> Path:
    """Return the path of a node's secret key, whether or not the file exists.

    Args:
        node_folder: The node's folder.

    Returns:
        The path.
    """
    return Path(node_folder, "keys", SECRET_KEY)


def encrypt_at_rest(node_folder: Path | str) -> Path:
    """Encrypt a node's genomes and their indexes, and remove the plain files.

    The key pair is ``keys/c4gh.sec`` and ``.pub`` in the node's folder, created if missing. Files
    that are already encrypted stay as they are, so an interrupted run can be repeated.

    Args:
        node_folder: The node's folder.

    Returns:
        The path of the secret key.
    """
    secret = secret_key_of(node_folder)
    if not secret.exists():
        make_key_pair(secret.parent)
    genomes = Path(node_folder, "genomes")
    for plain in sorted([*genomes.glob("*.bcf"), *genomes.glob("*.bcf.csi")]):
        encrypt_file(plain, plain.with_name(plain.name + SUFFIX), secret.with_name(PUBLIC_KEY))
        plain.unlink()
    return secret


class _Decrypting(io.RawIOBase):
    """The segments of an encrypted file, decrypted on demand."""

    def __init__(self, file: BinaryIO, path: Path | str, secret_key: Path | str) -> None:
        self._file, self._path = file, path
        self._keys = _session_keys(file, path, secret_key)
        self._first = file.tell()  # first byte of the segments
        self._position = 0
        self._segment = -1  # number of the segment that is decrypted
        self._plain = bytearray(SEGMENT_SIZE)
        self._cipher = bytearray(CIPHER_SEGMENT_SIZE)
        body = os.fstat(file.fileno()).st_size - self._first
        whole, rest = divmod(body, CIPHER_SEGMENT_SIZE)
        if 0 < rest <= CIPHER_DIFF:
            raise InputError(path, "segments", "a whole last segment", "a file that is cut off")
        self.length = whole * SEGMENT_SIZE + max(0, rest - CIPHER_DIFF)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.length}[whence]
        if origin + offset < 0:
            expected = "a position of at least 0"
            raise ValueError(mismatch("seek", expected, shown(origin + offset)))
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # of any Buffer
        """Fill the buffer as far as the file reaches."""
        out = memoryview(buffer).cast("B")
        done = 0
        while done < len(out) and self._position < self.length:
            number, within = divmod(self._position, SEGMENT_SIZE)
            if number != self._segment:
                self._decrypt(number)
            last = min(SEGMENT_SIZE, self.length - number * SEGMENT_SIZE)
            n = min(last - within, len(out) - done)
            out[done : done + n] = memoryview(self._plain)[within : within + n]
            done += n
            self._position += n
        return done

    def close(self) -> None:
        self._file.close()
        super().close()

    def _decrypt(self, number: int) -> None:
        self._segment = -1
        self._file.seek(self._first + number * CIPHER_SEGMENT_SIZE)
        size = self._file.readinto(self._cipher)  # type: ignore[attr-defined]  # no BinaryIO's
        cipher = self._cipher if size == CIPHER_SEGMENT_SIZE else self._cipher[:size]
        for key in self._keys:
            try:
                sodium.chacha20poly1305_decrypt(self._plain, cipher, key)
            except Exception:
                continue
            self._segment = number
            return
        expected = "the segment that was encrypted"
        raise InputError(self._path, f"segment {number}", expected, "a changed one")


def _session_keys(file: BinaryIO, path: Path | str, secret_key: Path | str) -> list[bytes]:
    try:
        secret = get_private_key(secret_key, None)
    except Exception as error:
        expected = "a Crypt4GH secret key without a passphrase"
        reason = cause(error) if isinstance(error, OSError) else "another format"
        found = f"an unreadable file ({reason})"
        raise InputError(secret_key, "key", expected, found) from None
    try:
        keys, edits = header.deconstruct(file, [(_X25519, secret, None)])
    except Exception as error:
        expected = f"a Crypt4GH file for the key {secret_key}"
        raise InputError(path, "header", expected, f"another file ({cause(error)})") from None
    if edits is not None:
        raise InputError(path, "header", "no edit list", "one")
    return keys


def _recipient(public_key: Path | str) -> bytes:
    try:
        key = get_public_key(public_key)
    except Exception as error:
        found = unreadable_file(error)
        raise InputError(public_key, "key", "a Crypt4GH public key", found) from None
    if len(key) != 32:
        raise InputError(
            public_key, "key", "a Crypt4GH public key of 32 bytes", f"{len(key)} bytes"
        )
    return key


def _pem(kind: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    return f"-----BEGIN CRYPT4GH {kind} KEY-----\n{text}\n-----END CRYPT4GH {kind} KEY-----\n"
