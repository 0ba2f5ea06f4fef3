"""The header of a user's VCF: its samples, its contigs, and the assembly that it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS, LENGTHS_OF_GRCH37
from rehearsal.genomes.contig_names import find_contig, find_contig_of_grch37
from rehearsal.logs import note

_FIELD = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^,>]*)')
_UNKNOWN_LENGTH = 2**31 - 3  # plink2 writes it where it knows none
_FIXED = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
# names of assemblies in paths and in text, the assembly of a node first
_NAMES = {
    ASSEMBLY: "grch38|hg38|hs38|assembly38|b38|"
    "gca_000001405\\.(?:1[5-9]|2[0-9])|gcf_000001405\\.(?:2[6-9]|[34][0-9])",
    "GRCh37": "grch37|hg19|hs37|assembly19|b37|g1k_v37|ncbi37|"
    "gca_000001405\\.(?:[1-9]|1[0-4])|gcf_000001405\\.(?:1[3-9]|2[0-5])",
    "NCBI36": "ncbi36|grch36|hg18|b36",
    "T2T-CHM13": "chm13|t2t|hs1",
}
_NAMED = {
    name: re.compile(f"(?<![a-z0-9])(?:{words})(?![0-9])", re.IGNORECASE)
    for name, words in _NAMES.items()
}
_PLINK_CODES = {"23": "chrX", "24": "chrY", "25": "chrX", "26": "chrM"}  # 25: pseudo-autosomal
_OLDEST, _NEWEST = (4, 0), (4, 5)
_VERSION = re.compile(r"##fileformat=VCFv([0-9]{1,3})\.([0-9]{1,3})\s*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
LIFT_OVER = (
    "lift the file over to GRCh38 first, with bcftools +liftover, CrossMap or Picard LiftoverVcf"
)


@dataclass(frozen=True, slots=True)
class VcfHeader:
    """What a header says of samples and contigs."""

    samples: list[str]
    contigs: dict[str, int]  # of the primary assembly, by the name used inside; lengths in bases
    codes: dict[str, str]  # PLINK's numbers of X, Y and M, with the names used inside

    @classmethod
    def read(cls, path: Path, text: str) -> VcfHeader:
        """Read a header, and check that it is of GRCh38.

        Args:
            path: The file, for errors.
            text: The header, to the line ``#CHROM``.

        Returns:
            The samples and contigs.

        Raises:
            InputError: The version is older than 4.0. The file has no samples, names one twice or
                with control characters. Its contigs have the lengths of
                another assembly, or ``##reference``, ``##assembly`` or an ``assembly`` of a contig
                name another.
        """
        *lines, columns = text.split("\n")
        _check_version(path, lines[0])
        contigs = [_fields(line) for line in lines if line.startswith("##contig=")]
        lengths = dict(_lengths(path, contigs))
        named = _named_assembly(path, lines, contigs)
        if named and not lengths:
            lengths = dict(CONTIG_LENGTHS)
        codes = {contig["ID"]: code for contig in contigs if (code := _plink_code(contig))}
        return cls(_samples(path, columns), lengths, codes)

    def find_contig(self, name: str) -> str | None:
        """Find a contig by any of its names, also PLINK's number where its length fits.

        Args:
            name: The name in the file.

        Returns:
            The name used inside, or None.
        """
        return find_contig(name) or self.codes.get(name)


def _check_version(path: Path, line: str) -> None:
    """Refuse versions before 4.0, whose records are others, and note those that are not known."""
    found = _VERSION.fullmatch(line)
    version = tuple(map(int, found.groups())) if found else (0, 0)
    if version < _OLDEST:
        raise InputError(path, "header: ##fileformat", "VCFv4.0 to VCFv4.5", shown(line[13:]))
    if version > _NEWEST:
        note(f"{path}: {line[13:].strip()} is newer than VCFv4.5 and is read as such")


def _fields(line: str) -> dict[str, str]:
    """Read the fields of a line such as ``##contig=<ID=chr22,length=50818468>``."""
    return {key: value.strip('"') for key, value in _FIELD.findall(line.partition("<")[2])}


def _lengths(path: Path, contigs: list[dict[str, str]]) -> Iterator[tuple[str, int]]:
    """Yield the contigs of the primary assembly whose line states a length, and check it."""
    for contig in contigs:
        name, text = contig.get("ID", ""), contig.get("length", "")
        found, where = find_contig(name), f"header: contig {name}"
        if code := _plink_code(contig):
            yield code, int(text)
        if _is_of_grch37(name):
            expected = f"an accession of {ASSEMBLY}"
            raise InputError(path, where, expected, f"one of another assembly: {LIFT_OVER}")
        if found is None or not text.isdigit() or int(text) >= _UNKNOWN_LENGTH:
            continue
        if int(text) != CONTIG_LENGTHS[found]:
            expected = f"{CONTIG_LENGTHS[found]} bases, the length in {ASSEMBLY}"
            raise InputError(path, where, expected, f"{text} bases{_advice(found, int(text))}")
        yield found, int(text)


def _plink_code(contig: dict[str, str]) -> str | None:
    """Find the contig that PLINK numbers so, if the length fits."""
    code = _PLINK_CODES.get(contig.get("ID", ""))
    return code if code and contig.get("length") == str(CONTIG_LENGTHS[code]) else None


def _is_of_grch37(name: str) -> bool:
    """Tell whether a name is an accession of another assembly."""
    is_accession = name.startswith(("NC_", "CM"))
    return is_accession and not find_contig(name) and bool(find_contig_of_grch37(name))


def _advice(contig: str, length: int) -> str:
    """Say what to do about a contig of another length."""
    if length == LENGTHS_OF_GRCH37.get(contig):
        return f", the length in GRCh37: {LIFT_OVER}"
    return f": if its positions are of {ASSEMBLY}, correct it with bcftools reheader --fai"


def _named_assembly(path: Path, lines: list[str], contigs: list[dict[str, str]]) -> bool:
    """Tell whether the header names GRCh38, and refuse other assemblies."""
    named = dict(_places_of_names(lines, contigs))
    found = {where: _assembly_in(text) for where, text in named.items()}
    for where, assembly in found.items():
        if assembly not in (None, ASSEMBLY):
            what = f"{shown(named[where])}, which is {assembly}: {LIFT_OVER}, or correct this line"
            raise InputError(path, f"header: {where}", f"a reference of {ASSEMBLY}", what)
    return ASSEMBLY in found.values()


def _places_of_names(lines: list[str], contigs: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield what may name the assembly: the place in the header, and the text."""
    for line in lines:
        if line.startswith(("##reference=", "##assembly=")):
            yield line.partition("=")[::2]
    for contig in contigs:
        if "assembly" in contig and find_contig(contig.get("ID", "")):
            yield f"contig {contig['ID']}: assembly", contig["assembly"]


def _assembly_in(text: str) -> str | None:
    """Find the assembly that a text names."""
    return next((name for name, words in _NAMED.items() if words.search(text)), None)


def _samples(path: Path, columns: str) -> list[str]:
    """Read the names of the samples from the line ``#CHROM``."""
    if not columns.startswith(_FIXED):
        expected = f"the columns {_FIXED[1:].replace(chr(9), ' ')}, separated by tabs"
        raise InputError(path, "header: the line #CHROM", expected, shown(columns))
    samples = columns.split("\t")[9:]
    if not samples:
        expected = "samples with genotypes"
        raise InputError(path, "header: the line #CHROM", expected, "sites without samples")
    name, times = Counter(samples).most_common(1)[0]
    if times > 1:
        raise InputError(path, "header", "each sample once", f"{shown(name)} {times} times")
    for name in samples:
        if not name or _CONTROL.search(name):
            expected = "names of samples without control characters"
            raise InputError(path, "header: the line #CHROM", expected, shown(name))
    return samples
