"""Write bgzipped VCF from carriers, by way of BCF records in memory."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from rehearsal.formats.bcf import RecordWriter
from rehearsal.formats.bcf_header import HeaderNames, bcf_header
from rehearsal.formats.bcf_reading_kernel import record_end
from rehearsal.formats.bgzf import BgzfWriter, Chunk, framed, pack_block
from rehearsal.formats.genotype_digits_kernel import MAX_TEXT
from rehearsal.formats.tbi import write_tbi
from rehearsal.formats.vcf_matches_kernel import Workspace, compress_text
from rehearsal.formats.vcf_text_kernel import FULL, Dictionary, to_text

_BUFFER = 1 << 22  # bytes of lines


class VcfPacker:
    """Compress blocks of VCF text, to less than zlib's level 6 and in less time."""

    def __init__(self) -> None:
        self._work = Workspace.make()
        self._out = np.empty(8 * MAX_TEXT, np.uint8)

    def pack(self, data: Chunk) -> bytes:
        """Compress text to one BGZF block.

        Args:
            data: At most ``BLOCK_SIZE`` bytes.

        Returns:
            The block.
        """
        size = compress_text(np.frombuffer(data, np.uint8), self._work, self._out)
        if size > len(data):
            return pack_block(data)
        return framed(self._out[:size].tobytes(), data)


def _line_by_htslib(header: bytes, record: NDArray[np.uint8]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.bcf"
        with BgzfWriter(path) as file:
            file.write(header + record.tobytes())
        with pysam.VariantFile(str(path)) as records:
            return str(next(records)).encode()


class VcfWriter(RecordWriter):
    """Write bgzipped VCF with a TBI index."""

    INDEX = ".tbi"

    def _open(self, path: Path, text: str) -> BgzfWriter:
        self._header = bcf_header(text)
        self._dictionary = Dictionary.of(HeaderNames.read(self._header))
        self._lines = np.empty(_BUFFER, np.uint8)
        file = BgzfWriter(path, VcfPacker().pack)
        file.write(re.sub(r",IDX=\d+>$", ">", text, flags=re.MULTILINE).encode())
        return file

    def _write_records(
        self, records: NDArray[np.uint8], begin: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        number, begins = begin.size, np.empty_like(begin)
        done = 0
        while records.size:
            ends = np.full(number - done, np.iinfo(np.int64).max)
            used, size, status = to_text(records, self._lines, self._dictionary, ends)
            if size:
                lines = int(np.searchsorted(ends, size)) + 1
                begins[done] = self._file.length
                begins[done + 1 : done + lines] = self._file.length + ends[: lines - 1]
                self._file.write(self._lines[:size].data)
                done, records = done + lines, records[used:]
            elif status == FULL:  # one line is longer than the buffer
                self._lines = np.empty(2 * self._lines.size, np.uint8)
            else:  # a number at the middle between two texts
                end = record_end(records, 0)
                begins[done] = self._file.length
                self._file.write(_line_by_htslib(self._header, records[:end]))
                done, records = done + 1, records[end:]
        return begins

    def write_index(self, path: Path) -> None:
        """Write the TBI index. Call it after the VCF is closed.

        Args:
            path: The index file.
        """
        write_tbi(path, list(self._contigs)[self._contig], self._record_offsets())
