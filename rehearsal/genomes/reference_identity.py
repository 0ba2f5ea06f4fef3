"""What the sequences of a run's reference are: their digests, and the names that are true of them.

``contigs.json`` beside the FASTA says it, and so does the metadata of each tree sequence, from
which all files of genotypes are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from rehearsal.genomes.assembly import ASSEMBLY, REFGET, REFSEQ

if TYPE_CHECKING:  # nodes read this module and never tree sequences
    import tskit

SYNTHETIC_ASSEMBLY = f"synthetic-{ASSEMBLY}"  # bases that are not all real, at its coordinates
KEY = "reference"  # of the metadata of tree sequences


@dataclass(frozen=True, slots=True)
class ContigIdentity:
    """What a contig of the reference is, from ``contigs.json``."""

    length: int
    refget: str  # refget accession of the sequence as it is written
    md5: str
    bases: str  # GRCh38, given (a user's FASTA that is not GRCh38) or synthetic
    real: list[tuple[int, int]]  # stretches with bases of GRCh38, 0-based half-open, sorted
    name: str  # a RefSeq accession only for GRCh38


@dataclass(frozen=True, slots=True)
class ReferenceIdentity:
    """The sequences of a reference, without their bases."""

    file: str = ""  # name of the FASTA; empty: not known
    contigs: dict[str, ContigIdentity] = field(default_factory=dict)

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> ReferenceIdentity:
        """Read the identity from JSON values.

        Args:
            about: As :attr:`json` gives them.
        """
        contigs = {
            contig: ContigIdentity(**one | {"real": [tuple(pair) for pair in one["real"]]})
            for contig, one in about["contigs"].items()
        }
        return cls(about["file"], contigs)

    @classmethod
    def read(cls, description: Path | str, fasta: Path | str) -> ReferenceIdentity:
        """Read the identity of a run's reference.

        Args:
            description: The file ``contigs.json``.
            fasta: The FASTA, whose name files state.
        """
        content = orjson.loads(Path(description).read_bytes())
        return cls.of({"file": Path(fasta).name, "contigs": content["contigs"]})

    @classmethod
    def of_trees(cls, ts: tskit.TreeSequence) -> ReferenceIdentity:
        """Read the identity of the reference on which a tree sequence stands.

        Args:
            ts: The tree sequence. Without such metadata nothing is known.
        """
        about = ts.metadata.get(KEY) if isinstance(ts.metadata, dict) else None
        return cls() if about is None else cls.of(about)

    @property
    def json(self) -> dict[str, Any]:
        """The identity as JSON values."""
        return asdict(self)

    def assembly(self, contig: str) -> str:
        """Return the name of the assembly that a contig's bases are of.

        Args:
            contig: The contig.

        Returns:
            GRCh38 where all bases are its, else a name that says that they are synthetic.
        """
        identity = self.contigs.get(contig)
        is_real = identity is not None and identity.bases == ASSEMBLY
        return ASSEMBLY if is_real else SYNTHETIC_ASSEMBLY

    def md5(self, contig: str) -> str | None:
        """Return the MD5 of a contig's bases, None where it is not known.

        Args:
            contig: The contig.
        """
        identity = self.contigs.get(contig)
        return None if identity is None else identity.md5

    def accession(self, contig: str, start: int, end: int) -> str | None:
        """Return the refget accession that names the bases of a stretch.

        Args:
            contig: A contig.
            start: First base, 0-based.
            end: Exclusive.

        Returns:
            That of GRCh38 where all bases of the stretch are those of GRCh38, else that of the
            sequence as the run wrote it. None for a contig that the reference lacks.
        """
        identity = self.contigs.get(contig)
        if identity is None:
            return None
        return REFGET[contig] if self._is_real(contig, start, end) else identity.refget

    def sequence_id(self, contig: str, start: int, end: int) -> str:
        """Return the compact identifier of the sequence that a location is on.

        Args:
            contig: A contig.
            start: First base of the location, 0-based.
            end: Exclusive.

        Returns:
            RefSeq's accession where all bases of the stretch are those of GRCh38, or where nothing
            is known of the contig, else the refget accession of the run's sequence.
        """
        identity = self.contigs.get(contig)
        if identity is None or self._is_real(contig, start, end):
            return f"refseq:{REFSEQ[contig]}"
        return f"ga4gh:{identity.refget}"

    def _is_real(self, contig: str, start: int, end: int) -> bool:
        real = self.contigs[contig].real
        return any(first <= start and end <= last for first, last in real)
