"""Genomes at rest, encrypted with Crypt4GH 1.0 (samtools.github.io/hts-specs/crypt4gh.pdf).

A file is a header, which holds the file's session key encrypted for its recipient, and segments of
65,536 bytes, each with its own nonce and authentication tag: any part can be read by decrypting
the segments it lies in. Nonces and session keys are random, so encrypting the same file twice
gives different bytes; only what is decrypted is the same for the same seed.
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

from rehearsal.errors import InputError
from rehearsal.files import atomic_path

SUFFIX = ".c4gh"
SECRET_KEY, PUBLIC_KEY = "c4gh.sec", "c4gh.pub"

logging.getLogger("crypt4gh").setLevel(logging.CRITICAL)  # it logs keys when asked for details

_X25519 = 0  # the only kind of key of Crypt4GH 1.0
_BUFFER = 16 * SEGMENT_SIZE


class KeyPair(NamedTuple):
    """Where the two halves of a key lie."""

    secret: Path
    public: Path


def make_key_pair(folder: Path | str) -> KeyPair:
    """A new key pair, ``c4gh.sec`` (mode 0600, no passphrase) and ``c4gh.pub``, in the folder.

    The standard tool reads both. Raises InputError when the folder holds a key already: what is
    encrypted for it could never be read again.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(folder / SECRET_KEY, folder / PUBLIC_KEY)
    if pair.secret.exists():
        raise InputError(pair.secret, "file", "a folder without a key")
    key = os.urandom(32)
    with atomic_path(pair.public) as aside:
        aside.write_text(_pem("PUBLIC", sodium.derive_pk(key)))
    # the library's own writer makes the file first and closes it to others afterwards
    no_passphrase = c4gh.encode_string(None) * 2
    content = c4gh.MAGIC_WORD + no_passphrase + c4gh.encode_string(key)
    with atomic_path(pair.secret) as aside:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_pem("PRIVATE", content))
    return pair


def encrypt_file(source: Path | str, target: Path | str, *public_keys: Path | str) -> None:
    """Encrypt a file for the owners of public keys; ``target`` is whole or not there.

    Raises InputError for a key that cannot be read.
    """
    recipients = [(_X25519, os.urandom(32), _recipient(key)) for key in public_keys]
    with (
        atomic_path(target) as aside,
        Path(source).open("rb") as plain,
        aside.open("wb") as encrypted,
    ):
        lib.encrypt(recipients, plain, encrypted)


def encrypt_folder(source: Path | str, target: Path | str, *public_keys: Path | str) -> None:
    """Encrypt every file of a folder; in ``target`` their names end in ``.c4gh``.

    Hidden files are left out. Raises InputError for a key that cannot be read.
    """
    source = Path(source)
    with atomic_path(target) as aside:
        aside.mkdir()
        for file in sorted(source.rglob("*")):
            if file.is_dir() or file.name.startswith("."):
                continue
            encrypt_file(file, aside / f"{file.relative_to(source)}{SUFFIX}", *public_keys)


def remove_plain(folder: Path | str, but_for: Collection[str] = ()) -> list[Path]:
    """Remove all that lies below a folder and is not encrypted, also what an earlier run left
    there, or one that was killed. Returns the encrypted files, in order.

    ``but_for``: files at its top that stay plain, finished or being written.
    """
    folder = Path(folder)
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
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
    """Decrypt a file; ``target`` is whole or not there, and readable by its owner only.

    Raises InputError for a key that cannot be read or does not fit, and for a damaged file.
    """
    with atomic_path(target) as aside, open_decrypting(source, secret_key) as plain:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        segments = memoryview(bytearray(_BUFFER))
        with os.fdopen(descriptor, "wb", 0) as file:
            while size := plain.raw.readinto(segments):  # past the buffer: one copy less
                file.write(segments[:size])


def open_decrypting(path: Path | str, secret_key: Path | str) -> io.BufferedReader:
    """An encrypted file as if it were plain: read, seek and tell; nothing plain touches the disk.

    Only the segments that are read are decrypted. Raises InputError for a key that cannot be read
    or does not fit and for what is not Crypt4GH; reading raises it for a segment that was changed.
    Files with an edit list are refused: the rehearsal writes none.
    """
    file = Path(path).open("rb", 0)  # noqa: SIM115 (closed with what is returned)
    try:
        return io.BufferedReader(_Decrypting(file, path, secret_key), SEGMENT_SIZE)
    except BaseException:
        file.close()
        raise


def secret_key_of(node_folder: Path | str) -> Path:
    """Where a node's secret key lies, whether or not it has one."""
    return Path(node_folder, "keys", SECRET_KEY)


def encrypt_at_rest(node_folder: Path | str) -> Path:
    """Encrypt a node's genomes and their indexes, and remove the plain files.

    The key pair is ``keys/c4gh.sec`` and ``.pub`` in the node's folder, made when missing. Files
    that are encrypted already stay as they are, so an interrupted run can be repeated. Returns
    the secret key's path.
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
    """The segments of an encrypted file, decrypted as they are asked for."""

    def __init__(self, file: BinaryIO, path: Path | str, secret_key: Path | str) -> None:
        self._file, self._path = file, path
        self._keys = _session_keys(file, path, secret_key)
        self._first = file.tell()  # where the segments begin
        self._position = 0
        self._segment = -1  # number of the one that is decrypted
        self._plain = bytearray(SEGMENT_SIZE)
        self._cipher = bytearray(CIPHER_SEGMENT_SIZE)
        body = os.fstat(file.fileno()).st_size - self._first
        whole, rest = divmod(body, CIPHER_SEGMENT_SIZE)
        if 0 < rest <= CIPHER_DIFF:
            raise InputError(path, "segments", "a whole last segment: the file was cut")
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
            raise ValueError(f"negative position {origin + offset}")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # of any Buffer
        """Fill the buffer with whole segments as far as it reaches."""
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
        raise InputError(self._path, f"segment {number}", "one that nobody has changed")


def _session_keys(file: BinaryIO, path: Path | str, secret_key: Path | str) -> list[bytes]:
    try:
        secret = get_private_key(secret_key, None)
    except Exception as error:
        expected = f"a Crypt4GH secret key without a passphrase ({type(error).__name__})"
        raise InputError(secret_key, "key", expected) from None
    try:
        keys, edits = header.deconstruct(file, [(_X25519, secret, None)])
    except Exception as error:
        expected = f"a Crypt4GH file for the key {secret_key} ({error})"
        raise InputError(path, "header", expected) from None
    if edits is not None:
        raise InputError(path, "header", "no edit list")
    return keys


def _recipient(public_key: Path | str) -> bytes:
    try:
        key = get_public_key(public_key)
    except Exception as error:
        raise InputError(public_key, "key", f"a Crypt4GH public key ({error})") from None
    if len(key) != 32:
        raise InputError(public_key, "key", "a Crypt4GH public key of 32 bytes")
    return key


def _pem(kind: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    return f"-----BEGIN CRYPT4GH {kind} KEY-----\n{text}\n-----END CRYPT4GH {kind} KEY-----\n"
