"""A node's BCF files, one a block, plain or encrypted, and the header that they have in common."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from rehearsal.genomes.assembly import KARYOTYPE_ORDER
from rehearsal.model import Block, InputError
from rehearsal.node.htsget.blocks import Cursor, end_of_blocks
from rehearsal.node.htsget.index import Index

SUFFIX = ".c4gh"  # of an encrypted file
SECRET_KEY = Path("keys", "c4gh.sec")  # in the node's folder
_MAGIC = b"BCF\2\2"
_READ_AHEAD = 1 << 17


@dataclass(frozen=True, slots=True)
class Header:
    """A BCF's header: its text in three parts, and where the records begin."""

    before: tuple[str, ...]  # lines before the contigs
    contigs: dict[str, tuple[int, str]]  # name: its number in records, its line without IDX
    after: tuple[str, ...]
    first_record: int  # virtual offset

    @classmethod
    def read(cls, file: BinaryIO, path: Path) -> Header:
        """Raises InputError for what is not BCF 2.2."""
        cursor = Cursor(file)
        start = cursor.read(len(_MAGIC) + 4)
        if len(start) < len(_MAGIC) + 4 or not start.startswith(_MAGIC):
            raise InputError(path, "file", "BCF 2.2")
        text = cursor.read(struct.unpack_from("<I", start, len(_MAGIC))[0])
        lines = text.rstrip(b"\0\n").decode().split("\n")
        ours = [n for n, line in enumerate(lines) if line.startswith("##contig=")]
        if not ours:
            raise InputError(path, "header", "lines ##contig")
        contigs = {}
        for place, n in enumerate(ours):
            name = re.search(r"[<,]ID=([^,>]+)", lines[n])
            if not name:
                raise InputError(path, "header", "an ID in each line ##contig")
            number = re.search(r",IDX=(\d+)", lines[n])
            line = re.sub(r",IDX=\d+", "", lines[n])
            contigs[name[1]] = (int(number[1]) if number else place, line)
        others = [(n < ours[0], line) for n, line in enumerate(lines) if n not in set(ours)]
        before = tuple(line for first, line in others if first)
        after = tuple(line for first, line in others if not first)
        return cls(before, contigs, after, cursor.tell())

    @property
    def samples(self) -> list[str]:
        return self.after[-1].split("\t")[9:]

    @property
    def gt_key(self) -> int | None:
        """The number of GT in the dictionary."""
        lines = [one for one in (*self.before, *self.after) if one.startswith("##FORMAT=<ID=GT,")]
        number = re.search(r",IDX=(\d+)", lines[0]) if lines else None
        return int(number[1]) if number else None

    def without(self, excluded: Set[str]) -> tuple[str, ...]:
        """The lines after the contigs, without some samples."""
        columns = self.after[-1].split("\t")
        stay = [name for name in columns[9:] if name not in excluded]
        return (*self.after[:-1], "\t".join([*columns[:9], *stay]))

    @property
    def common(self) -> str:
        """Digest of everything but the contigs: files that are joined must have it in common."""
        return hashlib.sha256("\n".join((*self.before, "", *self.after)).encode()).hexdigest()


class GenomeFile:
    """One block's BCF and its index."""

    def __init__(self, path: Path, block: Block, secret_key: Path) -> None:
        self.path, self.block, self._secret_key = path, block, secret_key

    def open(self) -> BinaryIO:
        """The BCF, decrypted when it is encrypted. Raises InputError."""
        return self._open(self.path)

    @cached_property
    def index(self) -> Index:
        """Raises InputError when it is missing or damaged."""
        name = self.path.name.removesuffix(SUFFIX) + ".csi"
        path = self.path.with_name(name)
        if self.path.suffix == SUFFIX:
            path = path.with_name(name + SUFFIX)
        with self._open(path) as file:
            return Index.read(file, path)

    def header(self) -> Header:
        """Raises InputError."""
        with self.open() as file:
            return Header.read(file, self.path)

    @cached_property
    def _facts(self) -> tuple[dict[str, tuple[int, str]], int, str, int]:
        with self.open() as file:
            header = Header.read(file, self.path)
            if self.block.contig not in header.contigs:
                raise InputError(self.path, "header", f"a line ##contig of {self.block.contig}")
            end = end_of_blocks(file) << 16
        return header.contigs, header.first_record, header.common, end

    @property
    def contigs(self) -> dict[str, tuple[int, str]]:
        """Name: its number in this file's records, its line in the header."""
        return self._facts[0]

    @property
    def contig_number(self) -> int:
        return self.contigs[self.block.contig][0]

    @property
    def first_record(self) -> int:
        return self._facts[1]

    @property
    def common(self) -> str:
        return self._facts[2]

    @property
    def end(self) -> int:
        """The virtual offset behind the last record."""
        return self._facts[3]

    def _open(self, path: Path) -> BinaryIO:
        if path.suffix == SUFFIX:
            # large: only nodes with encrypted genomes load it
            from rehearsal.formats.crypt4gh import open_decrypting

            return open_decrypting(path, self._secret_key)
        try:
            return path.open("rb", _READ_AHEAD)
        except OSError as error:
            raise InputError(path, "file", f"one that can be read ({error.strerror})") from None


class Genomes:
    """All blocks of a node, in karyotype order."""

    def __init__(self, node_folder: Path) -> None:
        folder, key = node_folder / "genomes", node_folder / SECRET_KEY
        files = []
        for path in [*folder.glob("*.bcf"), *folder.glob(f"*.bcf{SUFFIX}")]:
            try:
                block = Block.from_id(path.name.split(".")[0])
            except ValueError:
                continue  # not ours, or one that is being written
            files.append(GenomeFile(path, block, key))
        order = KARYOTYPE_ORDER
        files.sort(key=lambda one: (order.get(one.block.contig, len(order)), one.block))
        self.files = {one.block.id: one for one in files}
        self.names = tuple(dict.fromkeys(one.block.contig for one in files))

    def contigs(self, names: Sequence[str]) -> dict[str, str]:
        """The header's contigs for records on the named ones: name to line.

        A header lists what all files of these contigs list, in the files' order: a contig's place
        is its number in records. Files that list one contig each need other numbers when they are
        joined; files that all list the same contigs keep theirs.
        """
        lines: dict[str, str] = {}
        for file in self.files.values():
            if file.block.contig in names:
                ordered = sorted(file.contigs.items(), key=lambda item: item[1][0])
                for name, (_, line) in ordered:
                    lines.setdefault(name, line)
        return lines

    def header(self, names: Sequence[str], excluded: Set[str] = frozenset()) -> bytes:
        """A BCF's beginning, uncompressed, for records on the named contigs, without some people.

        Raises InputError when files differ in more than their contigs.
        """
        ours = [one for one in self.files.values() if one.block.contig in names]
        for other in ours:
            if other.common != ours[0].common:
                raise InputError(other.path, "header", f"the same as in {ours[0].path.name}")
        header = ours[0].header()
        lines = [
            f"{line[:-1]},IDX={number}>" for number, line in enumerate(self.contigs(names).values())
        ]
        text = "\n".join((*header.before, *lines, *header.without(excluded))).encode() + b"\n\0"
        return _MAGIC + struct.pack("<I", len(text)) + text
