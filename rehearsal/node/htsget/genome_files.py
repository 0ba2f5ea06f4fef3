"""The BCF files of a node, one per block, plain or encrypted, and their common header."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from rehearsal.errors import InputError, unreadable_file
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
    """What is kept in memory of a file: all but the long sample line of its header.

    Args:
        contigs: Contigs of the header, by name.
        header_digest: SHA-256 of the other lines of the header.
        first_record: Virtual offset of the first record.
        end: Virtual offset behind the last record.
    """

    contigs: dict[str, Contig]
    header_digest: str
    first_record: int
    end: int


class GenomeFile:
    """The BCF of one block and its index.

    Args:
        path: The BCF file, plain or encrypted.
        block: The block.
        secret_key: File of the node's Crypt4GH key, read only for an encrypted file.
    """

    def __init__(self, path: Path, block: Block, secret_key: Path) -> None:
        self.path, self.block, self._secret_key = path, block, secret_key

    def open(self) -> BinaryIO:
        """Open the BCF, decrypted if it is encrypted.

        Returns:
            A binary file, to be closed by the caller.

        Raises:
            InputError: The file cannot be read or decrypted.
        """
        return self._open(self.path)

    def read_header(self) -> BcfHeader:
        """Read the header of the BCF.

        Returns:
            The header.

        Raises:
            InputError: The file cannot be read or is not BCF 2.2.
        """
        with self.open() as file:
            return BcfHeader.read(file, self.path)

    @cached_property
    def index(self) -> CsiIndex:
        """The CSI index, read at the first access.

        Raises InputError when it is missing or damaged.
        """
        name = self.path.name.removesuffix(SUFFIX) + ".csi"
        path = self.path.with_name(name)
        if self.path.suffix == SUFFIX:
            path = path.with_name(name + SUFFIX)
        with self._open(path) as file:
            return CsiIndex.read(file, path)

    @cached_property
    def layout(self) -> FileLayout:
        """The layout of the file, read at the first access.

        Raises InputError when the file is damaged or its header lacks the contig of the block.
        """
        with self.open() as file:
            header = BcfHeader.read(file, self.path)
            if self.block.contig not in header.contigs:
                found = f"contigs {', '.join(header.contigs)}"
                raise InputError(self.path, "header", f"contig {self.block.contig}", found)
            end = end_of_blocks(file) << 16
        return FileLayout(header.contigs, header.digest_without_contigs, header.first_record, end)

    @property
    def contig_number(self) -> int:
        """The number of the block's contig in the records of this file."""
        return self.layout.contigs[self.block.contig].number

    def _open(self, path: Path) -> BinaryIO:
        if path.suffix == SUFFIX:
            # a large import, needed for encrypted genomes only
            from rehearsal.formats.crypt4gh import open_decrypting

            return open_decrypting(path, self._secret_key)
        try:
            return path.open("rb", _READ_AHEAD)
        except OSError as error:
            found = unreadable_file(error)
            raise InputError(path, "file", "a readable file", found) from None


class GenomeFiles:
    """All blocks of a node, in karyotype order.

    Args:
        node_folder: Folder of the node. A node without genomes has no blocks.
    """

    def __init__(self, node_folder: Path) -> None:
        folder, key = node_folder / "genomes", node_folder / SECRET_KEY
        files = []
        for path in [*folder.glob("*.bcf"), *folder.glob(f"*.bcf{SUFFIX}")]:
            try:
                block = Block.from_id(path.name.split(".")[0])
            except ValueError:
                continue  # not a block, or still being written
            files.append(GenomeFile(path, block, key))
        order = KARYOTYPE_ORDER
        files.sort(key=lambda one: (order.get(one.block.contig, len(order)), one.block))
        self.by_block = {one.block.id: one for one in files}
        self.contigs = tuple(dict.fromkeys(one.block.contig for one in files))

    def contig_lines(self, names: Sequence[str]) -> dict[str, str]:
        """Collect the contig lines of a header for records on some contigs.

        The header lists what the files of these contigs list, in the order of the files. The place
        of a contig is its number in records. Files that list one contig each get new numbers when
        they are joined; files that all list the same contigs keep their numbers.

        Args:
            names: Names of the contigs.

        Returns:
            Header lines by contig name, in order.
        """
        lines: dict[str, str] = {}
        for file in self.by_block.values():
            if file.block.contig in names:
                contigs = file.layout.contigs
                for name in sorted(contigs, key=lambda name: contigs[name].number):
                    lines.setdefault(name, contigs[name].line)
        return lines

    def encode_header(self, names: Sequence[str], excluded: Set[str] = frozenset()) -> bytes:
        """Encode the beginning of a BCF, uncompressed.

        Args:
            names: Names of the contigs whose records follow. At least one has a file.
            excluded: Names of samples to leave out.

        Returns:
            Magic number, length and text of the header.

        Raises:
            InputError: The headers of the files differ in more than their contigs.
        """
        first, *others = [one for one in self.by_block.values() if one.block.contig in names]
        for other in others:
            if other.layout.header_digest != first.layout.header_digest:
                expected = f"the header of {first.path.name}"
                raise InputError(other.path, "header", expected, "another header")
        return first.read_header().encode(self.contig_lines(names).values(), excluded)
