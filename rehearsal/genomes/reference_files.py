"""The files of a run's reference: a bgzipped, indexed FASTA and a description of its contigs.

The FASTA has the whole length of each contig of the run. Its bases are there where the run needs
them, and N elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rehearsal.files import atomic_path
from rehearsal.formats.bgzf import BLOCK_SIZE, BgzfWriter, pack_tightly
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS, REFGET, REFSEQ
from rehearsal.genomes.drawn_reference import BaseSource, DrawnReference
from rehearsal.genomes.reference_model_kernel import TILE, wrap_lines
from rehearsal.model import SYNTHETIC, Block

LINE = 60
CHUNK = 64 * TILE  # bases in memory at a time
_UNKNOWN_LINES = (b"N" * LINE + b"\n") * ((1 << 20) // (LINE + 1))
_UNKNOWN = b"N" * (1 << 20)
_SHARED = 8 * len(_UNKNOWN)


def write_reference(
    path: Path | str, description: Path | str, stretches: Sequence[Block], source: BaseSource
) -> None:
    """Write the FASTA, its indexes (``.fai``, ``.gzi``) and the description of its contigs.

    Args:
        path: The bgzipped FASTA.
        description: The JSON file of the contigs: of each its length, refget digest, MD5, whether
            its bases are those of the assembly, and a name.
        stretches: The stretches that get bases, in karyotype order and disjoint. All other bases of
            their contigs are N.
        source: Where the bases come from.

    Raises:
        InputError: A user's FASTA lacks a stretch.
    """
    path, contigs, index = Path(path), {}, []
    with ExitStack() as stack:
        paths = [
            stack.enter_context(atomic_path(f"{path}{suffix}")) for suffix in ("", ".fai", ".gzi")
        ]
        with BgzfWriter(paths[0]) as file:
            for contig, own in groupby(stretches, key=lambda stretch: stretch.contig):
                file.write(f">{contig} {ASSEMBLY} coordinates; {_title(source)}\n".encode())
                length = CONTIG_LENGTHS[contig]
                index.append(f"{contig}\t{length}\t{file.length}\t{LINE}\t{LINE + 1}\n")
                digests = _write_contig(file, length, list(own), source)
                contigs[contig] = _describe(contig, digests, source)
        paths[1].write_text("".join(index))
        paths[2].write_bytes(_block_index(file))
    with atomic_path(description) as aside:
        content = {"assembly": ASSEMBLY, "contigs": contigs}
        aside.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


class _Digests:
    """The refget digest and the MD5 of a sequence, as it is written."""

    def __init__(self) -> None:
        self._refget, self._md5 = hashlib.sha512(), hashlib.md5(usedforsecurity=False)
        self._is_empty = True

    def update(self, bases: bytes | memoryview) -> None:
        self._refget.update(bases)
        self._md5.update(bases)
        self._is_empty = False

    def update_unknown(self, length: int) -> None:
        if self._is_empty:  # contigs that begin with N share the work
            self._refget, self._md5 = (one.copy() for one in _hashed_unknown(length // _SHARED))
            self._is_empty, length = False, length % _SHARED
        for start in range(0, length, len(_UNKNOWN)):
            self.update(memoryview(_UNKNOWN)[: length - start])

    @property
    def refget(self) -> str:
        """The accession by GA4GH refget 2.0: sha512t24u, with the prefix of sequences."""
        return f"SQ.{base64.urlsafe_b64encode(self._refget.digest()[:24]).decode()}"

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()


@cache
def _hashed_unknown(steps: int) -> tuple[Any, Any]:
    """Hash ``steps`` times ``_SHARED`` N; callers copy what they get."""
    if steps == 0:
        return hashlib.sha512(), hashlib.md5(usedforsecurity=False)
    refget, md5 = (one.copy() for one in _hashed_unknown(steps - 1))
    for _ in range(_SHARED // len(_UNKNOWN)):
        refget.update(_UNKNOWN)
        md5.update(_UNKNOWN)
    return refget, md5


def _title(source: BaseSource) -> str:
    if isinstance(source, DrawnReference):
        return f"bases drawn from seed {source.seed}; {SYNTHETIC}"
    return "bases of genome.reference_fasta"


def _write_contig(
    file: BgzfWriter, length: int, stretches: Sequence[Block], source: BaseSource
) -> _Digests:
    digests, place = _Digests(), 0
    for piece in _chunks(stretches):
        _write_unknown(file, digests, place, piece.start)
        bases = source.bases(piece)
        text = np.empty(_characters(piece.end) - _characters(piece.start), np.uint8)
        wrap_lines(bases, text, piece.start, LINE)
        file.write(text.data)
        digests.update(np.ascontiguousarray(bases).data)
        place = piece.end
    _write_unknown(file, digests, place, length)
    if length % LINE:
        file.write(b"\n")
    return digests


def _chunks(stretches: Sequence[Block]) -> Iterator[Block]:
    """Cut stretches where tiles end, so that no tile is drawn twice."""
    for stretch in stretches:
        start = stretch.start
        while start < stretch.end:
            end = min((start // CHUNK + 1) * CHUNK, stretch.end)
            yield Block(stretch.contig, start, end)
            start = end


def _characters(bases: int) -> int:
    """Count the characters of a contig's first bases: a newline follows each whole line."""
    return bases + bases // LINE


def _write_unknown(file: BgzfWriter, digests: _Digests, start: int, end: int) -> None:
    """Write N from base ``start`` to base ``end``. Whole BGZF blocks of N are compressed once."""
    digests.update_unknown(end - start)
    at, last = _characters(start), _characters(end)
    while at < last:
        room = file.room
        if room == BLOCK_SIZE and last - at >= BLOCK_SIZE:
            file.write_packed(_unknown_block(at % (LINE + 1)))
            at += BLOCK_SIZE
        else:
            step = min(room, last - at)
            file.write(_unknown_text(at % (LINE + 1), step))
            at += step


def _unknown_text(phase: int, length: int) -> bytes:
    return _UNKNOWN_LINES[phase : phase + length]


@lru_cache(maxsize=LINE + 1)
def _unknown_block(phase: int) -> bytes:
    return pack_tightly(_unknown_text(phase, BLOCK_SIZE))


def _block_index(file: BgzfWriter) -> bytes:
    """Build the ``.gzi`` index of htslib: where each block but the first begins, in both texts."""
    starts = np.array(file.block_starts[1:-1], np.uint64)
    plain = np.arange(1, len(starts) + 1, dtype=np.uint64) * np.uint64(BLOCK_SIZE)
    table: NDArray[np.uint64] = np.column_stack([starts, plain])
    return struct.pack("<Q", len(starts)) + table.astype("<u8").tobytes()


def _describe(contig: str, digests: _Digests, source: BaseSource) -> dict[str, Any]:
    """Describe a contig; real accessions only where its bases are those of the assembly."""
    length = CONTIG_LENGTHS[contig]
    if isinstance(source, DrawnReference):
        real = [[one.start, one.end] for one in source.real if one.contig == contig]
        name = f"SYNTHETIC-{source.seed}-{contig}"
        found = {"refget": digests.refget, "md5": digests.md5}
        return {"length": length, **found, "bases": "synthetic", "real": sorted(real), "name": name}
    whole = _Digests()
    for piece in _chunks([Block(contig, 0, length)]):
        whole.update(np.ascontiguousarray(source.bases(piece)).data)
    is_real = whole.refget == REFGET[contig]
    return {
        "length": length,
        "refget": whole.refget,
        "md5": whole.md5,
        "bases": ASSEMBLY if is_real else "given",
        "real": [[0, length]] if is_real else [],
        "name": REFSEQ[contig] if is_real else f"GIVEN-{contig}",
    }
