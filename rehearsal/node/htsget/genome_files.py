"""A node's BCF files, one a block, plain or encrypted, and the header that they have in common."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import KARYOTYPE_ORDER
from rehearsal.model import Block
from rehearsal.node.htsget.bcf_header import BcfHeader, Contig
from rehearsal.node.htsget.bgzf_blocks import end_of_blocks
from rehearsal.node.htsget.csi_index import CsiIndex

SUFFIX = ".c4gh"  # of an encrypted file
SECRET_KEY = Path("keys", "c4gh.sec")  # in the node's folder
_READ_AHEAD = 1 << 17


@dataclass(frozen=True, slots=True)
class FileLayout:
    """What is remembered of a file, which is all but its header's long line of samples.

    ``contigs``: of the header, by name; ``header_digest``: of its other lines; ``first_record`` and
    ``end``: virtual offsets of the first record and behind the last one.
    """

    contigs: dict[str, Contig]
    header_digest: str
    first_record: int
    end: int


class GenomeFile:
    """One block's BCF and its index."""

    def __init__(self, path: Path, block: Block, secret_key: Path) -> None:
        self.path, self.block, self._secret_key = path, block, secret_key

    def open(self) -> BinaryIO:
        """The BCF, decrypted when it is encrypted. Raises InputError."""
        return self._open(self.path)

    def read_header(self) -> BcfHeader:
        """Raises InputError."""
        with self.open() as file:
            return BcfHeader.read(file, self.path)

    @cached_property
    def index(self) -> CsiIndex:
        """Raises InputError when it is missing or damaged."""
        name = self.path.name.removesuffix(SUFFIX) + ".csi"
        path = self.path.with_name(name)
        if self.path.suffix == SUFFIX:
            path = path.with_name(name + SUFFIX)
        with self._open(path) as file:
            return CsiIndex.read(file, path)

    @cached_property
    def layout(self) -> FileLayout:
        """Raises InputError for a damaged file, and one that does not list its block's contig."""
        with self.open() as file:
            header = BcfHeader.read(file, self.path)
            if self.block.contig not in header.contigs:
                raise InputError(self.path, "header", f"a line ##contig of {self.block.contig}")
            end = end_of_blocks(file) << 16
        return FileLayout(header.contigs, header.digest_without_contigs, header.first_record, end)

    @property
    def contig_number(self) -> int:
        """The number of the block's contig in this file's records."""
        return self.layout.contigs[self.block.contig].number

    def _open(self, path: Path) -> BinaryIO:
        if path.suffix == SUFFIX:
            # large: only nodes with encrypted genomes load it
            from rehearsal.formats.crypt4gh import open_decrypting

            return open_decrypting(path, self._secret_key)
        try:
            return path.open("rb", _READ_AHEAD)
        except OSError as error:
            raise InputError(path, "file", f"one that can be read ({error.strerror})") from None


class GenomeFiles:
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
        self.by_block = {one.block.id: one for one in files}
        self.contigs = tuple(dict.fromkeys(one.block.contig for one in files))

    def contig_lines(self, names: Sequence[str]) -> dict[str, str]:
        """The header's contigs for records on the named ones: name to line.

        A header lists what all files of these contigs list, in the files' order: a contig's place
        is its number in records. Files that list one contig each need other numbers when they are
        joined; files that all list the same contigs keep theirs.
        """
        lines: dict[str, str] = {}
        for file in self.by_block.values():
            if file.block.contig in names:
                contigs = file.layout.contigs
                for name in sorted(contigs, key=lambda name: contigs[name].number):
                    lines.setdefault(name, contigs[name].line)
        return lines

    def encode_header(self, names: Sequence[str], excluded: Set[str] = frozenset()) -> bytes:
        """A BCF's beginning, uncompressed, for records on the named contigs, without some people.

        Raises InputError when files differ in more than their contigs.
        """
        first, *others = [one for one in self.by_block.values() if one.block.contig in names]
        for other in others:
            if other.layout.header_digest != first.layout.header_digest:
                raise InputError(other.path, "header", f"the same as in {first.path.name}")
        return first.read_header().encode(self.contig_lines(names).values(), excluded)
