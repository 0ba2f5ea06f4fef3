"""Write BCF from carriers: a template record, with only the carriers' bytes changed.

BCF 2.2 as in the VCF 4.3 specification, section 6. A record starts as everybody's reference
genotype. Then only the bytes of people who carry an alternate allele are changed.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.formats.bcf_header import GT_KEY, Header, header_text
from rehearsal.formats.bgzf import BgzfWriter
from rehearsal.formats.csi import RecordOffsets, write_csi

MOST_ALTERNATES = 62  # the largest allele index that fits into a genotype of one byte

_BUFFER = 1 << 20  # bytes of records to fill before compression; small enough for the CPU cache
_INT8, _INT16, _INT32, _FLOAT, _CHAR = 1, 2, 3, 5, 7
_END_OF_VECTOR = 0x81
_MISSING_FLOAT = 0x7F800001


class Sites(NamedTuple):
    """The content of the records of consecutive sites, in arrays for compiled code.

    A row is an alternate allele of a site. Alleles are pieces of one string of bytes.
    """

    position: NDArray[np.int64]  # (n_sites,) 0-based, ascending
    row_offset: NDArray[np.int64]  # (n_sites + 1,) first row of each site in ``people``
    first_allele: NDArray[np.int64]  # (n_sites,) first allele of each site in ``text_offset``
    text: NDArray[np.uint8]  # ASCII letters of all alleles
    text_offset: NDArray[np.int32]  # (n_alleles + 1,) first letter of each allele
    haplotype: NDArray[np.int32]  # (n_entries,) carrying haplotypes, ascending within a site
    allele: NDArray[np.uint8]  # (n_entries,) index into the site's alleles, at least 1
    start: NDArray[np.int64]  # (n_sites,) first entry of each site that is in the file
    end: NDArray[np.int64]  # (n_sites,) one past the last such entry
    people: NDArray[np.int32]  # (n_rows, 2 sexes, 3) homozygous, heterozygous, hemizygous


class RecordTemplate(NamedTuple):
    """The genotypes of a file's people when nobody carries an alternate allele."""

    genotypes: NDArray[np.uint8]  # the genotype field, as many bytes per person as in the file
    slot: NDArray[np.int64]  # (n_haplotypes,) byte of each haplotype in ``genotypes``
    first_haplotype: int  # index of the file's first haplotype in the block
    individuals: int  # number of samples
    an: NDArray[np.int64]  # (2,) alleles called in women and in men
    contig: int  # index in the header


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


class BcfWriter:
    """Write the BCF of some people on one contig of the header. Use it as a context manager.

    Args:
        path: The file to write.
        header: What the header lists.
        template: The people are the header's samples, and the contig is one of the header's.
    """

    def __init__(self, path: Path, header: Header, template: RecordTemplate) -> None:
        self._template = template
        self._contigs = header.contigs
        self._places: list[NDArray[np.int64]] = []  # (3, records): start, end, offset
        longest = template.genotypes.size + (1 << 16)
        self._buffer = np.empty(max(_BUFFER, 2 * longest), np.uint8)
        self._file = BgzfWriter(path)
        text = header_text(header).encode() + b"\0"
        self._file.write(b"BCF\2\2" + struct.pack("<I", len(text)) + text)

    def __enter__(self) -> BcfWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def write(self, sites: Sites) -> None:
        """Write the sites at which at least one person of the file has an alternate allele.

        Args:
            sites: Consecutive sites that follow those written before.

        Raises:
            InputError: A site has more than 62 alternate alleles.
        """
        alternates = np.diff(sites.row_offset)
        if alternates.max(initial=0) > MOST_ALTERNATES:
            key = f"position {sites.position[np.argmax(alternates)] + 1}"
            expected = f"at most {MOST_ALTERNATES} alternate alleles"
            raise InputError("tree sequence", key, expected, shown(int(alternates.max())))
        offset = np.full(sites.position.size, -1, np.int64)
        site = 0
        while site < sites.position.size:
            base = self._file.length
            done, filled = fill_records(site, sites, self._template, base, self._buffer, offset)
            if done == site:  # the alleles are longer than the buffer: enlarge it
                self._buffer = np.empty(2 * self._buffer.size, np.uint8)
            self._file.write(self._buffer[:filled].data)
            site = done
        self._note_places(sites, offset)

    def _note_places(self, sites: Sites, offset: NDArray[np.int64]) -> None:
        written = np.flatnonzero(offset >= 0)
        start = sites.position[written]
        ref = sites.first_allele[written]
        length = sites.text_offset[ref + 1] - sites.text_offset[ref]
        self._places.append(np.stack((start, start + length, offset[written])))

    def write_index(self, path: Path) -> None:
        """Write the CSI index. Call it after the BCF is closed.

        Args:
            path: The index file.
        """
        start, end, offset = np.concatenate([np.empty((3, 0), np.int64), *self._places], axis=1)
        virtual = self._file.virtual_offsets(np.append(offset, self._file.length))
        write_csi(path, self._contigs, self._template.contig, RecordOffsets(start, end, virtual))


@numba.njit(cache=True)
def _put(value: int, width: int, out: NDArray[np.uint8], w: int) -> int:
    """Write a little-endian number of ``width`` bytes and return the end."""
    for byte in range(width):
        out[w + byte] = (value >> (8 * byte)) & 255
    return w + width


@numba.njit(cache=True)
def _put_type(length: int, kind: int, out: NDArray[np.uint8], w: int) -> int:
    """Write the descriptor of a typed vector. Lengths from 15 on follow as a typed number."""
    if length < 15:
        return _put(length << 4 | kind, 1, out, w)
    w = _put(15 << 4 | kind, 1, out, w)
    if length <= 0x7F:
        w = _put(1 << 4 | _INT8, 1, out, w)
        return _put(length, 1, out, w)
    if length <= 0x7FFF:
        w = _put(1 << 4 | _INT16, 1, out, w)
        return _put(length, 2, out, w)
    w = _put(1 << 4 | _INT32, 1, out, w)
    return _put(length, 4, out, w)


@numba.njit(cache=True)
def _put_info(key: int, values: NDArray[np.int64], out: NDArray[np.uint8], w: int) -> int:
    """Write one INFO field of counts in the narrowest integers that hold them."""
    w = _put_type(1, _INT8, out, w)
    w = _put(key, 1, out, w)
    largest = values.max()
    if largest <= 0x7F:
        kind, width = _INT8, 1
    elif largest <= 0x7FFF:
        kind, width = _INT16, 2
    else:
        kind, width = _INT32, 4
    w = _put_type(values.size, kind, out, w)
    for value in values:
        w = _put(value, width, out, w)
    return w


@numba.njit(cache=True)
def _put_frequencies(
    key: int, counts: NDArray[np.int64], an: int, out: NDArray[np.uint8], w: int
) -> int:
    """Write the INFO field of counts over ``an``, missing where no alleles are called."""
    w = _put_type(1, _INT8, out, w)
    w = _put(key, 1, out, w)
    w = _put_type(counts.size, _FLOAT, out, w)
    bits = (counts / max(an, 1)).astype(np.float32).view(np.uint32)
    for value in bits:
        w = _put(value if an else _MISSING_FLOAT, 4, out, w)
    return w


@numba.njit(cache=True)
def _put_counts(
    rows: NDArray[np.int64], sites: Sites, an: NDArray[np.int64], out: NDArray[np.uint8], w: int
) -> int:
    """Write all INFO fields: of everybody, of women, of men."""
    key = 1
    hom, het, hemi = np.empty((3, rows.size), np.int64)
    for group in range(3):
        sexes = range(2) if group == 0 else range(group - 1, group)
        called = np.zeros(1, np.int64)
        hom[:] = 0
        het[:] = 0
        hemi[:] = 0
        for sex in sexes:
            called[0] += an[sex]
            for i in range(rows.size):
                hom[i] += 2 * sites.people[rows[i], sex, 0]
                het[i] += sites.people[rows[i], sex, 1]
                hemi[i] += sites.people[rows[i], sex, 2]
        w = _put_info(key, called, out, w)
        w = _put_info(key + 1, hom + het + hemi, out, w)
        w = _put_info(key + 2, hom, out, w)
        w = _put_info(key + 3, het, out, w)
        w = _put_info(key + 4, hemi, out, w)
        w = _put_frequencies(key + 5, hom + het + hemi, called[0], out, w)
        key += 6
    return w


@numba.njit(cache=True)
def _put_allele(index: int, sites: Sites, out: NDArray[np.uint8], w: int) -> int:
    t0, t1 = sites.text_offset[index], sites.text_offset[index + 1]
    w = _put_type(t1 - t0, _CHAR, out, w)
    out[w : w + t1 - t0] = sites.text[t0:t1]
    return w + t1 - t0


@numba.njit(cache=True)
def _put_site(
    site: int,
    rows: NDArray[np.int64],
    sites: Sites,
    template: RecordTemplate,
    out: NDArray[np.uint8],
    w: int,
) -> int:
    """Write the shared part of a record, without its two lengths."""
    ref = sites.first_allele[site]
    w = _put(template.contig, 4, out, w)
    w = _put(sites.position[site], 4, out, w)
    w = _put(sites.text_offset[ref + 1] - sites.text_offset[ref], 4, out, w)
    w = _put(_MISSING_FLOAT, 4, out, w)
    w = _put((rows.size + 1) << 16 | GT_KEY - 1, 4, out, w)
    w = _put(1 << 24 | template.individuals, 4, out, w)
    w = _put_type(0, _CHAR, out, w)  # no id
    w = _put_allele(ref, sites, out, w)
    for row in rows:
        w = _put_allele(ref + 1 + row - sites.row_offset[site], sites, out, w)
    w = _put_type(1, _INT8, out, w)  # FILTER: PASS
    w = _put(0, 1, out, w)
    return _put_counts(rows, sites, template.an, out, w)


@numba.njit(cache=True)
def _put_genotypes(
    site: int,
    rows: NDArray[np.int64],
    sites: Sites,
    template: RecordTemplate,
    out: NDArray[np.uint8],
    w: int,
) -> int:
    """Write the genotype field: the template with the carriers changed."""
    width = template.genotypes.size // template.individuals
    w = _put_type(1, _INT8, out, w)
    w = _put(GT_KEY, 1, out, w)
    w = _put_type(width, _INT8, out, w)
    field = out[w : w + template.genotypes.size]
    # The loop compiles to one memory copy. Assigning the slice is 10 times slower.
    for i in range(field.size):
        field[i] = template.genotypes[i]
    # alleles that nobody in the file has are left out, so the others get lower numbers
    number = np.zeros(256, np.uint8)
    for i in range(rows.size):
        number[rows[i] - sites.row_offset[site] + 1] = i + 1
    for q in range(sites.start[site], sites.end[site]):
        slot = w + template.slot[sites.haplotype[q] - template.first_haplotype]
        out[slot] = (number[sites.allele[q]] + 1) << 1 | out[slot] & 1
    return w + template.genotypes.size


@numba.njit(cache=True)
def _present(site: int, sites: Sites) -> NDArray[np.int64]:
    """List the rows of the site's alternate alleles that at least one person of the file has."""
    r0, r1 = sites.row_offset[site], sites.row_offset[site + 1]
    rows = np.empty(r1 - r0, np.int64)
    n = 0
    for row in range(r0, r1):
        if sites.people[row].sum() > 0:
            rows[n] = row
            n += 1
    return rows[:n]


@numba.njit(cache=True)
def fill_records(
    site: int,
    sites: Sites,
    template: RecordTemplate,
    base: int,
    out: NDArray[np.uint8],
    offset: NDArray[np.int64],
) -> tuple[int, int]:
    """Fill a buffer with records.

    Args:
        site: First site to write, an index into ``sites``.
        sites: Consecutive sites.
        template: The reference genotypes.
        base: Number of bytes that the file has before the buffer, uncompressed.
        out: The buffer, filled from its start.
        offset: Filled with the place in the file where each site's record begins, uncompressed.
            Shape (n_sites,). Sites without carriers are left as they are.

    Returns:
        The first site that was not done, and the number of bytes filled.
    """
    w = 0
    while site < sites.position.size:
        rows = _present(site, sites)
        if rows.size == 0:
            site += 1
            continue
        first = sites.first_allele[site]
        last = first + sites.row_offset[site + 1] - sites.row_offset[site] + 1
        letters = sites.text_offset[last] - sites.text_offset[first]
        # 18 INFO fields of at most 8 + 4 bytes per allele, 7 bytes before each allele
        if w + 64 + letters + 240 * (rows.size + 1) + template.genotypes.size > out.size:
            break
        offset[site] = base + w
        shared = _put_site(site, rows, sites, template, out, w + 8)
        end = _put_genotypes(site, rows, sites, template, out, shared)
        _put(shared - w - 8, 4, out, w)
        _put(end - shared, 4, out, w + 4)
        w = end
        site += 1
    return site, w
