"""PLINK 2 files: genotypes (PGEN), variants (PVAR) and people (PSAM).

Formats: cog-genomics.org/plink/2.0/formats and the PGEN specification of pgenlib, which writes the
genotypes. All genotypes are phased. PLINK infers haploidy from contig and sex, so a man is stored
as homozygous on X. In the pseudo-autosomal regions, where men are diploid, variants have PLINK's
contigs PAR1 and PAR2, as after ``plink2 --split-par hg38``.

``{contig}.match.pvar`` names the same variants for pgscatalog-match, which takes five columns and
contigs without ``chr`` only (github.com/PGScatalog/pgsc_calc/pull/330).
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import pgenlib
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel
from rehearsal.export.genotypes import Genotypes, SiteRecords
from rehearsal.export.structural import structural_info
from rehearsal.files import atomic_path
from rehearsal.formats.bcf_header import BCSQ, STRUCTURAL, SYMBOLIC
from rehearsal.genomes.allele_notes import AlleleNotes
from rehearsal.genomes.assembly import pseudo_autosomal
from rehearsal.genomes.bcf_records import header_reference
from rehearsal.model import SYNTHETIC

SEX_CODES = {"male": "1", "female": "2"}
MISSING = "NA"
MOST_ALLELES = 255  # at one site, the limit of pgenlib


def write_pgen(
    genotypes: Genotypes,
    path: Path | str,
    phenotypes: pd.DataFrame | None = None,
    consequences: pd.DataFrame | None = None,
) -> None:
    """Write ``path`` (``.pgen``) and, beside it, ``.pvar``, ``.match.pvar`` and ``.psam``.

    Without any variant the PGEN is an empty file, because the format has no such case.

    Args:
        genotypes: The genotypes of one contig.
        path: The ``.pgen`` file.
        phenotypes: One row per person in the order of ``genotypes.people``, one column per
            phenotype. Booleans become 1 (no) and 2 (yes), PLINK's codes for controls and cases.
            None writes no phenotypes.
        consequences: The table of ``annotate_block`` of the contig's blocks, for ``INFO/BCSQ``.
    """
    path, notes = Path(path), AlleleNotes(consequences)
    with (
        atomic_path(path.with_suffix(".psam")) as psam,
        atomic_path(path.with_suffix(".pvar")) as pvar,
        atomic_path(path.with_suffix(".match.pvar")) as match,
        atomic_path(path) as pgen,
    ):
        _write_psam(psam, genotypes.people, phenotypes)
        # pgenlib needs the number of variants first; nearly always each site has a carrier
        expected, alleles = genotypes.upper_bounds()
        found = _write_records(genotypes, expected, alleles, notes, pvar, pgen)
        if found != expected:
            _write_records(genotypes, found, alleles, notes, pvar, pgen)
        _write_match(match, pvar, genotypes.contig)


def _write_records(
    genotypes: Genotypes,
    expected: int,
    most_alleles: int,
    notes: AlleleNotes,
    pvar: Path,
    pgen: Path,
) -> int:
    """Write both files and return the number of variants.

    If it is not ``expected``, the PGEN is not usable.
    """
    with pvar.open("w") as text:
        text.write(_pvar_header(genotypes))
        if expected == 0:
            pgen.touch()
            return 0
        writer = pgenlib.PgenWriter(
            str(pgen).encode(),
            len(genotypes.people),
            variant_ct=expected,
            nonref_flags=False,
            allele_ct_limit=min(most_alleles, MOST_ALLELES),
            hardcall_phase_present=True,
        )
        try:
            found = _append(genotypes, notes, writer, text)
            if found == expected:
                writer.close()
        finally:
            pgen.with_name(f"{pgen.name}.tmp").unlink(missing_ok=True)  # of an unclosed writer
    return found


def _write_match(path: Path, pvar: Path, contig: str) -> None:
    """Write the first five columns of a PVAR, with the contig's name in scoring files."""
    name = contig.removeprefix("chr").replace("M", "MT")
    with pvar.open() as lines, path.open("w") as file:
        for line in lines:
            if line.startswith("##"):
                continue
            chromosome, *cells = line.split("\t", 5)[:5]
            first = chromosome if chromosome.startswith("#") else name
            file.write("\t".join([first, *cells]) + "\n")


def _append(
    genotypes: Genotypes, notes: AlleleNotes, writer: pgenlib.PgenWriter, text: TextIO
) -> int:
    found = 0
    for records in genotypes.records():
        codes = np.repeat(np.where(records.ploidy > 0, 0, -9).astype(np.int32), 2)
        slot = records.slot
        twice = (records.ploidy == 1)[slot // 2]  # the haplotype fills both slots
        lines = []
        start = int(records.position[0]) if records.position.size else 0
        chromosome = pseudo_autosomal(genotypes.contig, start) or genotypes.contig  # of the block
        bounds = records.indptr.tolist()
        for site, letters in enumerate(records.alleles):
            first, end = bounds[site], bounds[site + 1]
            carriers = records.haplotype[first:end]
            _fill(codes, slot, twice, carriers, records.allele[first:end])
            writer.append_alleles(codes, True, len(letters))
            _clear(codes, slot, twice, carriers)
            columns = _pvar_columns(genotypes.contig, records, site, notes)
            lines.append(f"{chromosome}\t{columns}\n")
        text.writelines(lines)
        found += len(lines)
    return found


def _pvar_columns(contig: str, records: SiteRecords, site: int, notes: AlleleNotes) -> str:
    """Return POS, ID, REF, ALT and INFO of a record."""
    letters, place = records.alleles[site], records.position[site] + 1
    ref, alts = letters[0], ",".join(letters[1:])
    name = f"{contig}-{place}-{ref}-{alts.replace(',', '/')}"
    svlen = int(records.svlen[site])
    found = structural_info(letters, int(records.end[site]), svlen) if svlen else None
    consequences = notes.of_record(int(records.position[site]), letters)
    info = [found.text] if found else []
    info += [f"BCSQ={consequences}"] if consequences else []
    return f"{place}\t{name}\t{ref}\t{alts}\t{';'.join(info) or '.'}"


def _pvar_header(genotypes: Genotypes) -> str:
    contigs = {genotypes.contig: genotypes.length}
    about = header_reference(genotypes.identity, contigs)
    fields = [
        f'##INFO=<ID={key},Number={number},Type={kind},Description="{meaning}">\n'
        for key, (number, kind, meaning) in [*STRUCTURAL.items(), ("BCSQ", (".", "String", BCSQ))]
    ]
    symbols = [f'##ALT=<ID={key},Description="{meaning}">\n' for key, meaning in SYMBOLIC.items()]
    return (
        f"##fileformat=VCFv4.3\n##source=rehearsal: {SYNTHETIC}\n"
        + "".join(f"{line}\n" for line in about.lines(contigs))
        + "".join(fields + symbols)
        + "#CHROM\tPOS\tID\tREF\tALT\tINFO\n"
    )


def _write_psam(path: Path, people: pd.DataFrame, phenotypes: pd.DataFrame | None) -> None:
    """Write the PSAM. A parent may be missing from the file, as PLINK allows; 0 means unknown."""
    table = pd.DataFrame({"#FID": _known(people, "family"), "IID": people["id"]})
    table["PAT"] = _known(people, "father")
    table["MAT"] = _known(people, "mother")
    table["SEX"] = people["sex"].map(SEX_CODES)
    if phenotypes is not None:
        columns = {name: _cells(phenotypes[name]) for name in phenotypes}
        table = pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
    with path.open("w") as file:
        file.write(f"##source=rehearsal: {SYNTHETIC}\n")
        table.to_csv(file, sep="\t", index=False, na_rep=MISSING, lineterminator="\n")


def _known(people: pd.DataFrame, column: str) -> pd.Series:
    if column not in people:
        return pd.Series("0", index=people.index)
    return people[column].astype(object).where(people[column].notna(), "0")


def _cells(column: pd.Series) -> list[object]:
    if column.dtype == bool:
        return np.where(column, "2", "1").tolist()
    return column.astype(object).where(column.notna(), MISSING).tolist()


@kernel()
def _fill(
    codes: NDArray[np.int32],
    slot: NDArray[np.int64],
    twice: NDArray[np.bool_],
    carriers: NDArray[np.int32],
    allele: NDArray[np.uint8],
) -> None:
    for i in range(carriers.size):
        place = slot[carriers[i]]
        codes[place] = allele[i]
        if twice[carriers[i]]:
            codes[place + 1] = allele[i]


@kernel()
def _clear(
    codes: NDArray[np.int32],
    slot: NDArray[np.int64],
    twice: NDArray[np.bool_],
    carriers: NDArray[np.int32],
) -> None:
    for h in carriers:
        codes[slot[h]] = 0
        if twice[h]:
            codes[slot[h] + 1] = 0
