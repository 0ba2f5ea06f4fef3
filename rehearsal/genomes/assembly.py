"""The assembly GRCh38: contigs and their lengths, ploidy by sex and place."""

from __future__ import annotations

from rehearsal.errors import mismatch, shown
from rehearsal.model import SEXES, Sex

ASSEMBLY = "GRCh38"

# Lengths of the primary assembly (GRCh38, GCA_000001405.15; chrM is NC_012920.1), in karyotype
# order.
CONTIG_LENGTHS: dict[str, int] = {
    "chr1": 248_956_422,
    "chr2": 242_193_529,
    "chr3": 198_295_559,
    "chr4": 190_214_555,
    "chr5": 181_538_259,
    "chr6": 170_805_979,
    "chr7": 159_345_973,
    "chr8": 145_138_636,
    "chr9": 138_394_717,
    "chr10": 133_797_422,
    "chr11": 135_086_622,
    "chr12": 133_275_309,
    "chr13": 114_364_328,
    "chr14": 107_043_718,
    "chr15": 101_991_189,
    "chr16": 90_338_345,
    "chr17": 83_257_441,
    "chr18": 80_373_285,
    "chr19": 58_617_616,
    "chr20": 64_444_167,
    "chr21": 46_709_983,
    "chr22": 50_818_468,
    "chrX": 156_040_895,
    "chrY": 57_227_415,
    "chrM": 16_569,
}
NO_RECOMBINATION = frozenset({"chrY", "chrM"})
# Lengths of the assembly before it (GRCh37, GCA_000001405.1), which files still have; its chrM is
# that of hg19, NC_001807, as others name GRCh38's.
LENGTHS_OF_GRCH37: dict[str, int] = {
    "chr1": 249_250_621,
    "chr2": 243_199_373,
    "chr3": 198_022_430,
    "chr4": 191_154_276,
    "chr5": 180_915_260,
    "chr6": 171_115_067,
    "chr7": 159_138_663,
    "chr8": 146_364_022,
    "chr9": 141_213_431,
    "chr10": 135_534_747,
    "chr11": 135_006_516,
    "chr12": 133_851_895,
    "chr13": 115_169_878,
    "chr14": 107_349_540,
    "chr15": 102_531_392,
    "chr16": 90_354_753,
    "chr17": 81_195_210,
    "chr18": 78_077_248,
    "chr19": 59_128_983,
    "chr20": 63_025_520,
    "chr21": 48_129_895,
    "chr22": 51_304_566,
    "chrX": 155_270_560,
    "chrY": 59_373_566,
    "chrM": 16_571,
}
# RefSeq accessions of GRCh38 (GCF_000001405), NCBI assembly report.
REFSEQ: dict[str, str] = {
    "chr1": "NC_000001.11",
    "chr2": "NC_000002.12",
    "chr3": "NC_000003.12",
    "chr4": "NC_000004.12",
    "chr5": "NC_000005.10",
    "chr6": "NC_000006.12",
    "chr7": "NC_000007.14",
    "chr8": "NC_000008.11",
    "chr9": "NC_000009.12",
    "chr10": "NC_000010.11",
    "chr11": "NC_000011.10",
    "chr12": "NC_000012.12",
    "chr13": "NC_000013.11",
    "chr14": "NC_000014.9",
    "chr15": "NC_000015.10",
    "chr16": "NC_000016.10",
    "chr17": "NC_000017.11",
    "chr18": "NC_000018.10",
    "chr19": "NC_000019.10",
    "chr20": "NC_000020.11",
    "chr21": "NC_000021.9",
    "chr22": "NC_000022.11",
    "chrX": "NC_000023.11",
    "chrY": "NC_000024.10",
    "chrM": "NC_012920.1",
}
# refget accessions of GRCh38, as published by seqrepo and the tests of the variation normaliser
# (read 2026-11-26; a test compares published identifiers of alleles on some of them)
REFGET: dict[str, str] = {
    "chr1": "SQ.Ya6Rs7DHhDeg7YaOSg1EoNi3U_nQ9SvO",
    "chr2": "SQ.pnAqCRBrTsUoBghSD1yp_jXWSmlbdh4g",
    "chr3": "SQ.Zu7h9AggXxhTaGVsy7h_EZSChSZGcmgX",
    "chr4": "SQ.HxuclGHh0XCDuF8x6yQrpHUBL7ZntAHc",
    "chr5": "SQ.aUiQCzCPZ2d0csHbMSbh2NzInhonSXwI",
    "chr6": "SQ.0iKlIQk2oZLoeOG9P1riRU6hvL5Ux8TV",
    "chr7": "SQ.F-LrLMe1SRpfUZHkQmvkVKFEGaoDeHul",
    "chr8": "SQ.209Z7zJ-mFypBEWLk4rNC6S_OxY5p7bs",
    "chr9": "SQ.KEO-4XBcm1cxeo_DIQ8_ofqGUkp4iZhI",
    "chr10": "SQ.ss8r_wB0-b9r44TQTMmVTI92884QvBiB",
    "chr11": "SQ.2NkFm8HK88MqeNkCgj78KidCAXgnsfV1",
    "chr12": "SQ.6wlJpONE3oNb4D69ULmEXhqyDZ4vwNfl",
    "chr13": "SQ._0wi-qoDrvram155UmcSC-zA5ZK4fpLT",
    "chr14": "SQ.eK4D2MosgK_ivBkgi6FVPg5UXs1bYESm",
    "chr15": "SQ.AsXvWL1-2i5U_buw6_niVIxD6zTbAuS6",
    "chr16": "SQ.yC_0RBj3fgBlvgyAuycbzdubtLxq-rE0",
    "chr17": "SQ.dLZ15tNO1Ur0IcGjwc3Sdi_0A6Yf4zm7",
    "chr18": "SQ.vWwFhJ5lQDMhh-czg06YtlWqu0lvFAZV",
    "chr19": "SQ.IIB53T8CNeJJdUqzn9V_JnRtQadwWCbl",
    "chr20": "SQ.-A1QmD_MatoqxvgVxBLZTONHz9-c7nQo",
    "chr21": "SQ.5ZUqxCmDDgN4xTRbaSjN8LwgZironmB8",
    "chr22": "SQ.7B7SHsmchAR0dFcDCuSFjJAo7tX87krQ",
    "chrX": "SQ.w0WZEvgJF0zf_P4yyTzjjv9oW1z61HHP",
    "chrY": "SQ.8_liLu1aycC0tPQPFmUaGXJLDs5SbPZ5",
    "chrM": "SQ.k3grVkjY-hoWcCUojHw6VU6GE3MZ8Sct",
}
KARYOTYPE_ORDER: dict[str, int] = {contig: rank for rank, contig in enumerate(CONTIG_LENGTHS)}
AUTOSOMES: frozenset[str] = frozenset(f"chr{number}" for number in range(1, 23))

# Pseudo-autosomal regions, 0-based half-open: X and Y have equal bases, and exchange them in men.
# Variants of both copies have coordinates on chrX. Coordinates: Genome Reference Consortium,
# www.ncbi.nlm.nih.gov/grc/human (X:10,001-2,781,479 and 155,701,383-156,030,895; Y:10,001-2,781,479
# and 56,887,903-57,217,415, 1-based), as in `plink2 --split-par hg38`.
PSEUDO_AUTOSOMAL: dict[str, dict[str, tuple[int, int]]] = {
    "chrX": {"PAR1": (10_000, 2_781_479), "PAR2": (155_701_382, 156_030_895)},
    "chrY": {"PAR1": (10_000, 2_781_479), "PAR2": (56_887_902, 57_217_415)},
}

_SEX_PLOIDY: dict[str, dict[Sex, int]] = {
    "chrX": {"female": 2, "male": 1},
    "chrY": {"female": 0, "male": 1},
    "chrM": {"female": 1, "male": 1},
}


def listed_contigs(contig: str, length: int) -> dict[str, int]:
    """List the contigs that the header of a file or store of one contig names.

    All files of a node list the same contigs. So their records can be joined without rewriting
    headers, and a contig without data is known to be empty.

    Args:
        contig: Name of the contig that has data.
        length: Its length in bases.

    Returns:
        Lengths in bases by contig: those of the assembly, and the contig's own.
    """
    return CONTIG_LENGTHS | {contig: length}


def pseudo_autosomal(contig: str, start: int) -> str | None:
    """Name the pseudo-autosomal region that holds a base.

    Args:
        contig: Name of a contig.
        start: 0-based position on the contig.

    Returns:
        ``PAR1`` or ``PAR2``. None outside of both, and on contigs without such regions.
    """
    for name, (first, end) in PSEUDO_AUTOSOMAL.get(contig, {}).items():
        if first <= start < end:
            return name
    return None


def is_autosomal(contig: str, start: int) -> bool:
    """Tell whether everybody has two copies of a base, whatever their sex.

    Args:
        contig: Name of a contig of GRCh38.
        start: 0-based position on the contig.
    """
    return contig in AUTOSOMES or (contig == "chrX" and bool(pseudo_autosomal(contig, start)))


def ploidy(contig: str, sex: Sex, start: int) -> int:
    """Count the copies of a base that a person of this sex has.

    In the pseudo-autosomal regions a man's copy on Y counts on chrX: he has two there, and none on
    chrY, where these regions are masked.

    Args:
        contig: Name of a contig of GRCh38.
        sex: ``female`` or ``male``.
        start: 0-based position on the contig. All bases of a block have the same ploidy.

    Returns:
        0, 1 or 2.

    Raises:
        ValueError: The contig or the sex is unknown.
    """
    if contig not in CONTIG_LENGTHS or sex not in SEXES:
        where, expected = "ploidy", f"a contig of {ASSEMBLY} and female or male"
        raise ValueError(mismatch(where, expected, f"{shown(contig)} and {shown(sex)}"))
    if pseudo_autosomal(contig, start):
        return 2 if contig == "chrX" else 0
    return 2 if contig in AUTOSOMES else _SEX_PLOIDY[contig][sex]
