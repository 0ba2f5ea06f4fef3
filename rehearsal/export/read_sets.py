"""Small sets of sequencing reads of chosen people and regions, drawn from their haplotypes.

dwgsim draws read pairs from each haplotype (Illumina-like errors, no further mutations), minimap2
aligns them, htslib (through pysam) sorts them and writes CRAM. The reference lies beside the reads.
It is the contig at its GRCh38 length with N outside of the regions. Its bases are those of the
run's reference.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
from numpy.typing import NDArray

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.haplotype_sequences import apply_changes, haplotype_changes
from rehearsal.files import atomic_path
from rehearsal.formats.bgzf import BgzfWriter
from rehearsal.genomes.assembly import ASSEMBLY, AUTOSOMES, ploidy
from rehearsal.genomes.blocks import cut_at_borders
from rehearsal.genomes.reference import read_reference
from rehearsal.model import SYNTHETIC, Block
from rehearsal.seeds import derive_seed

READ_LENGTH, INSERT, INSERT_SD = 150, 400, 40
ERROR_RATES = ("0.0002-0.0008", "0.0002-0.0012")  # reads 1 and 2, from first base to last
LINE = 60


def write_read_sets(
    genotypes: Sequence[Genotypes],
    regions: Sequence[Block],
    depth: float,
    folder: Path | str,
    seed: int,
    reference_fasta: Path | str,
) -> None:
    """Write reads of everyone in ``genotypes`` into a new folder.

    The folder has ``reference.fa.gz`` with its indexes and ``wgs_qc.tsv`` with figures computed
    from the alignments. For each person it has ``{id}_R1.fastq.gz``, ``{id}_R2.fastq.gz`` and
    ``{id}.cram`` with ``.crai``. Needs the programs dwgsim and minimap2.

    Args:
        genotypes: Genotypes of the same people in ``regions``, one item per contig.
        regions: Where reads are drawn, 0-based half-open.
        depth: Mean depth of two haplotypes. A person with one copy of a contig gets half.
        folder: Where to write. It appears only when it is complete.
        seed: Seed of the reads.
        reference_fasta: The run's reference, indexed.

    Raises:
        InputError: The FASTA does not fit the regions.
        CalledProcessError: dwgsim or minimap2 fails.
    """
    people = genotypes[0].people["id"].tolist()
    with atomic_path(folder) as aside, tempfile.TemporaryDirectory() as scratch:
        aside.mkdir()
        reference = aside / "reference.fa.gz"
        bases = [_reference(own, regions, reference_fasta) for own in genotypes]
        _write_fasta(reference, {o.contig: b for o, b in zip(genotypes, bases, strict=True)})
        tags = {
            own.contig: {
                "AS": own.identity.assembly(own.contig),
                "M5": hashlib.md5(letters.data, usedforsecurity=False).hexdigest(),
                "UR": reference.name,
            }
            for own, letters in zip(genotypes, bases, strict=True)
        }
        figures = []
        for number, person in enumerate(people):
            pairs = Path(scratch) / person
            pairs.mkdir()
            for own, letters in zip(genotypes, bases, strict=True):
                for copy, sequences in enumerate(_haplotypes(own, number, letters, regions, seed)):
                    job = derive_seed(seed, "reads", person, own.contig, copy)
                    prefix = f"{person}-{own.contig}-{copy + 1}"
                    _draw_reads(sequences, depth / 2, job, pairs / prefix)
            ends = [aside / f"{person}_R{end}.fastq.gz" for end in (1, 2)]
            for end, path in enumerate(ends, start=1):
                _join(sorted(pairs.glob(f"*.read{end}.fastq.gz")), path)
            cram = aside / f"{person}.cram"
            _align(reference, ends, person, cram, Path(scratch), tags)
            figures.append({"individual": person, **quality(cram, reference, regions)})
        table = pd.DataFrame(figures).assign(figures="computed", source=SYNTHETIC)
        table.to_csv(aside / "wgs_qc.tsv", sep="\t", index=False, lineterminator="\n")


def quality(cram: Path, reference: Path, regions: Sequence[Block]) -> dict[str, float | int]:
    """Compute the read-level figures of the GA4GH WGS-QC standard.

    The regions on autosomes take the place of the autosomes, or all regions where none is. Unknown
    bases of the reference (N) have no depth. Duplicates, secondary and supplementary alignments are
    not counted.

    Args:
        cram: A person's alignments.
        reference: The FASTA they are aligned to.
        regions: Where the depth is computed, 0-based half-open.

    Returns:
        Yield in bases, depth per base, percentages of bases and reads, by the standard's names.
    """
    q30, reads, mapped = 0, 0, 0
    with pysam.AlignmentFile(str(cram), reference_filename=str(reference)) as file:
        for read in file.fetch(until_eof=True):
            if read.is_secondary or read.is_supplementary:
                continue
            reads += 1
            mapped += not read.is_unmapped
            q30 += int((np.array(read.query_qualities) >= 30).sum())
        depth = _depth(file, reference, regions)
    return {
        "yield_bp_q30": q30,
        "mean_autosome_coverage": round(float(depth.mean()), 3),
        "pct_autosomes_15x": round(100 * float((depth >= 15).mean()), 2),
        "mad_autosome_coverage": float(np.median(np.abs(depth - np.median(depth)))),
        "pct_reads_mapped": round(100 * mapped / max(reads, 1), 3),
    }


def _depth(
    file: pysam.AlignmentFile, reference: Path, regions: Sequence[Block]
) -> NDArray[np.int64]:
    """Count the reads at each known base of the autosomal regions, or of all if there are none."""
    autosomal = [region for region in regions if region.contig in AUTOSOMES]
    depths = []
    with pysam.FastaFile(str(reference)) as fasta:
        for region in autosomal or regions:
            place = (region.contig, region.start, region.end)
            letters = np.frombuffer(fasta.fetch(*place).encode(), np.uint8)
            bases = file.count_coverage(*place, quality_threshold=0)
            depths.append(np.sum(bases, axis=0)[letters != ord("N")])
    return np.concatenate(depths)


def _reference(
    genotypes: Genotypes, regions: Sequence[Block], fasta: Path | str
) -> NDArray[np.uint8]:
    """Build the contig's bases as ASCII, N outside of the regions, shape (length,)."""
    bases = np.full(genotypes.length, ord("N"), np.uint8)
    for region in regions:
        if region.contig == genotypes.contig:
            letters = read_reference(fasta, region).encode()
            bases[region.start : region.end] = np.frombuffer(letters, np.uint8)
    return bases


def _haplotypes(
    genotypes: Genotypes,
    person: int,
    bases: NDArray[np.uint8],
    regions: Sequence[Block],
    seed: int,
) -> Iterator[dict[str, str]]:
    """Yield the sequence of every region by its id, for each of a person's copies."""
    sex = genotypes.people["sex"].iloc[person]
    parts = cut_at_borders(region for region in regions if region.contig == genotypes.contig)
    for copy in range(2):
        own = [part for part in parts if ploidy(part.contig, sex, part.start) > copy]
        if own:
            changes = list(haplotype_changes(genotypes, person, copy))
            yield {part.id: apply_changes(bases, part, changes, seed) for part in own}


def _write_fasta(path: Path, contigs: dict[str, NDArray[np.uint8]]) -> None:
    with BgzfWriter(path) as file:
        for name, bases in contigs.items():
            file.write(f">{name} {ASSEMBLY} coordinates; {SYNTHETIC}\n".encode())
            whole = bases.size // LINE * LINE
            lines = np.full((whole // LINE, LINE + 1), ord("\n"), np.uint8)
            lines[:, :LINE] = bases[:whole].reshape(-1, LINE)
            file.write(lines.tobytes())
            if whole < bases.size:
                file.write(bases[whole:].tobytes() + b"\n")
    pysam.faidx(str(path))


def _draw_reads(sequences: dict[str, str], depth: float, seed: int, prefix: Path) -> None:
    """Draw read pairs of one haplotype: ``{prefix}.bwa.read1.fastq.gz`` and ``read2``."""
    fasta = prefix.with_name(f"{prefix.name}.fa")
    fasta.write_text("".join(f">{name}\n{letters}\n" for name, letters in sequences.items()))
    pysam.faidx(str(fasta))
    first, second = ERROR_RATES
    options = ["-e", first, "-E", second, "-d", INSERT, "-s", INSERT_SD, "-C", depth, "-z", seed]
    options += ["-1", READ_LENGTH, "-2", READ_LENGTH, "-r", 0, "-y", 0, "-H", "-o", 1]
    options += ["-P", f"SYNTHETIC-{prefix.name}"]
    _run(["dwgsim", *options, fasta, prefix])


def _join(parts: Sequence[Path], path: Path) -> None:
    with BgzfWriter(path) as file:
        for part in parts:
            with gzip.open(part) as stream:
                while piece := stream.read(1 << 20):
                    file.write(piece)


def _align(
    reference: Path,
    ends: Sequence[Path],
    person: str,
    cram: Path,
    scratch: Path,
    tags: Mapping[str, Mapping[str, str]],
) -> None:
    """Write sorted alignments as indexed CRAM 3.0; the header names no path of this machine.

    ``tags`` are those of the header's lines @SQ, by contig.
    """
    sam, bam = scratch / "aligned.sam", scratch / "aligned.bam"
    # one library and one run per person: ID, PU and LB must differ between people
    own = {"ID": person, "SM": person, "LB": f"{person}-library", "PU": f"SYNTHETIC.{person}"}
    group = "\\t".join(f"{key}:{value}" for key, value in (*own.items(), ("PL", "ILLUMINA")))
    group = f"@RG\\t{group}\\tDS:{SYNTHETIC}"
    _run(["minimap2", "-t", 1, "-ax", "sr", "-R", group, "-o", sam, reference, *ends])
    with pysam.AlignmentFile(str(sam)) as aligned:
        header = aligned.header.to_dict()
        header["PG"] = [_program(header["PG"][0], reference, ends)]
        header["CO"] = [SYNTHETIC]
        for contig in header["SQ"]:
            contig.update(tags[contig["SN"]])
        with pysam.AlignmentFile(str(bam), "wb", header=header) as out:
            for read in aligned:
                out.write(pysam.AlignedSegment.from_dict(read.to_dict(), out.header))
    ordered = scratch / "sorted.bam"
    pysam.sort("--no-PG", "-o", str(ordered), str(bam))
    with pysam.AlignmentFile(str(ordered)) as aligned:
        header = aligned.header.to_dict()
        options = ["version=3.0", "store_md=0", "no_ref=1"]
        with pysam.AlignmentFile(str(cram), "wc", header=header, format_options=options) as out:
            for read in aligned:
                out.write(read)
    with cram.open("r+b") as file:  # htslib writes the path into the CRAM file id
        file.seek(6)
        file.write(person.encode()[:20].ljust(20, b"\0"))
    pysam.index(str(cram))


def _program(made: Mapping[str, str], reference: Path, ends: Sequence[Path]) -> dict[str, str]:
    """Describe the aligner, of which ``made`` is its own line @PG, without folders and names."""
    command = f"minimap2 -ax sr {reference.name} {' '.join(path.name for path in ends)}"
    return {"ID": "minimap2", "PN": "minimap2", "VN": made["VN"], "CL": command}


def _run(command: Sequence[object]) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        print(re.sub(r"\s+", " ", done.stderr[-2000:]))
        raise subprocess.CalledProcessError(done.returncode, str(command[0]), stderr=done.stderr)
