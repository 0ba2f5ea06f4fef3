"""Writing whole files or none, and digests of file contents."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from errno import ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from rehearsal.errors import NO_ROOM, InputError, mismatch

if TYPE_CHECKING:
    from pandas import DataFrame

CHUNK = 1 << 20
DEFAULTS = Path(__file__).parent / "defaults"  # config/ and workflow/schemas/, in a wheel too
GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path``, and rename it to ``path`` at the end of the block.

    The temporary name keeps the suffixes, because many writers choose their format by them. On
    any exception the temporary file or folder is removed and ``path`` stays as it was. Folders
    above it that were made here are then removed too, if nothing else is in them.

    Args:
        path: The file or folder to make. Missing folders above it are made.
    """
    path = Path(path)
    made = [folder for folder in path.parents if not folder.exists()]  # the deepest first
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        aside.replace(path)
    except BaseException as error:
        full = _full_disk(error, path, aside)
        _remove(aside)
        with suppress(OSError):  # somebody else has written there meanwhile
            for folder in made:
                folder.rmdir()
        if full is not None:
            raise full from error
        raise


def _full_disk(error: BaseException, path: Path, aside: Path) -> OSError | None:
    """Find out whether a full or read-only disk ended the writing of a file.

    Writing to an open file raises errors without its name, and some libraries raise their own.
    """
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        named = error.filename not in (None, str(aside))
        return None if named else OSError(error.errno, os.strerror(error.errno), str(path))
    if not isinstance(error, Exception) or isinstance(error, InputError) or not aside.exists():
        return None
    disk = os.statvfs(aside)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < CHUNK:
        return OSError(ENOSPC, os.strerror(ENOSPC), str(path))
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # the error that ended the writing says more
            path.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write text in UTF-8, as a whole file or not at all.

    Args:
        path: The file.
        text: Its content.
    """
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")


def link_or_copy(source: Path | str, target: Path | str) -> None:
    """Make a file a second name of another one, or a copy where the file system cannot link.

    Args:
        source: The file that is there.
        target: The new name. A file of this name is replaced.
    """
    with atomic_path(target) as aside:
        try:
            os.link(source, aside)
        except OSError:
            shutil.copyfile(source, aside)


def write_durably(path: Path | str, content: bytes) -> None:
    """Write a file that only its owner may read, as a whole or not at all.

    When this returns, the file is on the disk and survives a power failure. Written by root, it
    belongs to the owner of its folder, like what the service there writes itself.

    Args:
        path: The file.
        content: Its content.
    """
    with atomic_path(path) as aside:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            _give_to_owner_of(aside.parent, descriptor)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    folder = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name is part of the folder
    finally:
        os.close(folder)


def create_private_file(path: Path | str) -> None:
    """Create an empty file that only its owner may read, unless there is a file.

    A file that is there is not opened: closing it would end all locks of this process on it, such
    as those of SQLite.

    Args:
        path: The file.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner may use, or take the rights of others to it away.

    Args:
        path: The folder.
    """
    if not path.exists():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _give_to_owner_of(path.parent, descriptor)
        finally:
            os.close(descriptor)
    make_private(path)


def make_private(path: Path) -> bool:
    """Take the rights of group and others to a file or folder away.

    Args:
        path: The file or folder.

    Returns:
        Whether they had any.
    """
    mode = path.stat().st_mode
    if not mode & 0o077:
        return False
    path.chmod(mode & 0o700)
    return True


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def write_json(
    path: Path | str, value: object, *, indented: bool = True, newline: bool = True
) -> None:
    """Write JSON in UTF-8, as a whole file or not at all.

    Args:
        path: The file.
        value: Plain data; numbers and arrays may be NumPy's.
        indented: Whether to indent by two spaces; without it, all is on one line.
        newline: Whether to end with a newline.

    Raises:
        ValueError: A number is NaN or infinite, which JSON cannot express.
        TypeError: Something is not plain data.
    """
    refuse_nan(value)
    option = orjson.OPT_SERIALIZE_NUMPY
    option |= orjson.OPT_INDENT_2 if indented else 0
    option |= orjson.OPT_APPEND_NEWLINE if newline else 0
    with atomic_path(path) as aside:
        aside.write_bytes(orjson.dumps(value, option=option))


def refuse_nan(value: object, place: str = "$") -> None:
    """Check that all numbers in plain data are finite.

    Args:
        value: Plain data.
        place: Where it stands, for the error: ``$`` for the top.

    Raises:
        ValueError: A number is NaN or infinite.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(mismatch(place, "a finite number, as JSON requires", str(value)))
    if isinstance(value, dict):
        for key, member in value.items():
            refuse_nan(member, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            refuse_nan(member, f"{place}[{index}]")


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Args:
        path: The file.

    Returns:
        Its content as plain data.

    Raises:
        OSError: The file cannot be read.
        ValueError: Its content is not JSON.
    """
    return orjson.loads(Path(path).read_bytes())


def write_parquet(path: Path | str, table: DataFrame) -> None:
    """Write a table as a whole Parquet file or not at all.

    Args:
        path: The file.
        table: The table.
    """
    with atomic_path(path) as aside:
        table.to_parquet(aside)


def content_digest(path: Path | str) -> str:
    """Compute the SHA-256 of a file's content, decompressed where it is gzip or BGZF.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits.
    """
    with Path(path).open("rb") as file:
        return stream_digest(file)


def stream_digest(file: BinaryIO) -> str:
    """Compute the SHA-256 of an open file's content, decompressed where it is gzip or BGZF.

    Args:
        file: The file, open for reading bytes, at its beginning.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    compressed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    with gzip.open(file) if compressed else nullcontext(file) as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
