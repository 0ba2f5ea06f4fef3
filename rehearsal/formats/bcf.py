"""Write BCF from carriers: a template record, with only the carriers' bytes changed."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.formats.bcf_alleles_kernel import Sites
from rehearsal.formats.bcf_header import Header, bcf_header, header_text
from rehearsal.formats.bcf_kernel import Levels, RecordTemplate, fill_records
from rehearsal.formats.bgzf import BgzfWriter
from rehearsal.formats.csi import RecordOffsets, write_csi

MOST_ALTERNATES = 62  # the largest allele index that fits into a genotype of one byte

_BUFFER = 1 << 20  # bytes of records to fill before compression; small enough for the CPU cache
_END_OF_VECTOR = 0x81


def make_template(
    ploidy: NDArray[np.int8], male: NDArray[np.bool_], first_haplotype: int, contig: int
) -> RecordTemplate:
    """Build the reference genotypes of people: ``0|0``, ``0`` or ``.`` by ploidy.

    Args:
        ploidy: Copies of the contig of each person: 0, 1 or 2, shape (n_people,).
        male: Whether each person is a man, shape (n_people,).
        first_haplotype: Index of the file's first haplotype in the block.
        contig: Index of the contig in the header.

    Returns:
        The template.
    """
    width = max(1, int(ploidy.max(initial=1)))
    genotypes = np.full((ploidy.size, width), _END_OF_VECTOR, np.uint8)
    genotypes[:, 0] = np.where(ploidy > 0, 2, 0)  # (allele + 1) << 1, 0 = missing
    if width == 2:
        genotypes[ploidy == 2, 1] = 3  # the same, phased
    called = np.arange(width) < ploidy[:, None]
    an = np.array([ploidy[~male].sum(), ploidy[male].sum()], np.int64)
    slot = np.flatnonzero(called.ravel())
    return RecordTemplate(genotypes.ravel(), slot, first_haplotype, ploidy.size, an, contig)


NO_LEVELS = Levels(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
)


class RecordFiller:
    """Fill buffers with the records of sites.

    Args:
        samples: Number of samples of a record.
    """

    def __init__(self, samples: int) -> None:
        longest = 2 * samples + (1 << 16)
        self._buffer = np.empty(max(_BUFFER, 2 * longest), np.uint8)

    def records(
        self, sites: Sites, template: RecordTemplate, levels: Levels
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]]:
        """Fill the buffer as often as needed. Sites without an alternate allele have no record.

        Args:
            sites: Consecutive sites.
            template: The genotypes when nobody carries an alternate allele.
            levels: Levels of heteroplasmy, or none.

        Yields:
            The site of each of n records, shape (n,); its first byte, shape (n,); and the bytes,
            which the next step overwrites.

        Raises:
            InputError: A site has more than 62 alternate alleles.
        """
        _check_alternates(sites)
        done = 0
        while done < sites.position.size:
            offset = np.full(sites.position.size, -1, np.int64)
            first = done
            done, filled = fill_records(first, sites, template, levels, self._buffer, offset)
            if done == first:  # the alleles are longer than the buffer: enlarge it
                self._buffer = np.empty(2 * self._buffer.size, np.uint8)
            site = np.flatnonzero(offset >= 0)
            yield site, offset[site], self._buffer[:filled]


def _check_alternates(sites: Sites) -> None:
    alternates = np.diff(sites.row_offset)
    if alternates.max(initial=0) > MOST_ALTERNATES:
        key = f"position {sites.position[np.argmax(alternates)] + 1}"
        expected = f"at most {MOST_ALTERNATES} alternate alleles"
        raise InputError("tree sequence", key, expected, shown(int(alternates.max())))


class RecordWriter(ABC):
    """Write the records of some people on one contig of the header. Use it as a context manager.

    Args:
        path: The file to write.
        header: What the header lists.
        contig: Index of the contig in the header.
    """

    INDEX: ClassVar[str]  # what the name of the index adds to that of the file

    def __init__(self, path: Path, header: Header, contig: int) -> None:
        self._contigs, self._contig = header.contigs, contig
        self._file = self._open(path, header_text(header))
        self._places: list[NDArray[np.int64]] = []
        self._filler = RecordFiller(len(header.samples))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def write(self, sites: Sites, template: RecordTemplate, levels: Levels = NO_LEVELS) -> None:
        """Write the sites at which at least one person of the file has an alternate allele.

        Args:
            sites: Consecutive sites that follow those written before.
            template: The people are the header's samples. The ploidy is that of these sites.
            levels: Levels of heteroplasmy, if the header says that records have them.

        Raises:
            InputError: A site has more than 62 alternate alleles.
        """
        for site, begin, records in self._filler.records(sites, template, levels):
            start, end = sites.position[site], sites.affected_end[site]
            self._places.append(np.stack((start, end, self._write_records(records, begin))))

    @abstractmethod
    def _open(self, path: Path, text: str) -> BgzfWriter:
        """Open the file and write the header."""

    @abstractmethod
    def _write_records(
        self, records: NDArray[np.uint8], begin: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Write records that begin at bytes of a buffer; return where they begin in the file."""

    @abstractmethod
    def write_index(self, path: Path) -> None:
        """Write the index. Call it after the file is closed.

        Args:
            path: The index file.
        """

    def _record_offsets(self) -> RecordOffsets:
        """Put the places of all records of the closed file together."""
        start, end, offset = np.concatenate([np.empty((3, 0), np.int64), *self._places], axis=1)
        virtual = self._file.virtual_offsets(np.append(offset, self._file.length))
        return RecordOffsets(start, end, virtual)


class BcfWriter(RecordWriter):
    """Write BCF with a CSI index."""

    INDEX = ".csi"

    def _open(self, path: Path, text: str) -> BgzfWriter:
        file = BgzfWriter(path)
        file.write(bcf_header(text))
        return file

    def _write_records(
        self, records: NDArray[np.uint8], begin: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        base = self._file.length
        self._file.write(records.data)
        return base + begin

    def write_index(self, path: Path) -> None:
        """Write the CSI index. Call it after the BCF is closed.

        Args:
            path: The index file.
        """
        write_csi(path, self._contigs, self._contig, self._record_offsets())


class DigestingBcfWriter(BcfWriter):
    """Write BCF and digest its content meanwhile, so that nobody has to decompress it for that."""

    def _open(self, path: Path, text: str) -> BgzfWriter:
        self._sha256 = hashlib.sha256(bcf_header(text))
        return super()._open(path, text)

    def _write_records(
        self, records: NDArray[np.uint8], begin: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        self._sha256.update(records.data)
        return super()._write_records(records, begin)

    @property
    def content_digest(self) -> str:
        """The SHA-256 of what was written so far, as ``files.content_digest`` tells it."""
        return self._sha256.hexdigest()
