"""Small VCF files as others make them, the stores that are built of them, and bcftools as judge."""

from __future__ import annotations

import shutil
import subprocess

import pandas as pd
import pytest

from rehearsal.node.vcf_import import IntakeOptions, build_from_vcf
from rehearsal.stores.variant_store import VariantStore

CONTIGS = "chr22=50818468 chrX=156040895 chrY=57227415 chrM=16569"
COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
SAMPLES = ["S1", "S2", "S3", "S4"]
PEOPLE = pd.DataFrame({"id": SAMPLES, "sex": ["female", "male", "male", "female"]})
DECLARED = (
    '##FILTER=<ID=LowQual,Description="Low quality">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="Length">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
)

needs_bcftools = pytest.mark.skipif(
    shutil.which("bcftools") is None, reason="bcftools is not installed"
)


def write_vcf(path, *records, contigs=CONTIGS, meta=(), samples=SAMPLES, version="4.2"):
    """Write a VCF.

    A record is CONTIG POS REF ALT and one genotype for each sample, with FILTER=, INFO= and FORMAT=
    after them where they are not PASS, . and GT. A contig is NAME=LENGTH, or NAME alone.
    """
    lines = [f"##fileformat=VCFv{version}", *meta, *DECLARED]
    for contig in contigs.split():
        name, _, length = contig.partition("=")
        lines.append(f"##contig=<ID={name}{',length=' if length else ''}{length}>")
    lines.append("\t".join([*COLUMNS, *samples] if samples else COLUMNS[:8]))
    lines += [_line(record) for record in records]
    path.write_text("\n".join(lines) + "\n")
    return path


def _line(record):
    contig, position, ref, alt, *rest = record.split()
    named = ("FILTER=", "INFO=", "FORMAT=")
    genotypes = [one for one in rest if not one.startswith(named)]
    values = dict(one.split("=", 1) for one in rest if one.startswith(named))
    fixed = [values.get(key, usual) for key, usual in (("FILTER", "PASS"), ("INFO", "."))]
    form = [values.get("FORMAT", "GT")] if genotypes else []
    return "\t".join([contig, position, ".", ref, alt, ".", *fixed, *form, *genotypes])


def build(path, people=PEOPLE, **options):
    """Build a store beside a file; return its rows and the report."""
    out = path.with_name(f"{path.name}.sqlite")
    report = build_from_vcf([path], people, out, IntakeOptions(**options))
    with VariantStore.open(out) as store:
        return list(store), report


def alleles_of(rows):
    """Contig, POS, REF and ALT of rows, as one text each."""
    return [f"{row.contig} {row.start + 1} {row.ref} {row.alt}" for row in rows]


def bcftools(*arguments, text=None):
    """Run bcftools, and return what it prints."""
    command = ["bcftools", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=text)
    return done.stdout


def counts_of(rows):
    """AN, AC, AC_Hom, AC_Het and AC_Hemi of rows by allele; AC_Hom counts alleles, as there."""
    return {
        (row.contig, row.start + 1, row.ref, row.alt): (
            *(row.total.an, row.total.ac, 2 * row.total.hom, row.total.het, row.total.hemi),
        )
        for row in rows
    }


def counts_by_fill_tags(vcf):
    """The same by ``bcftools +fill-tags``, of alleles that somebody carries."""
    split = bcftools("norm", "-m", "-any", vcf)
    tags = ("AN", "AC", "AC_Hom", "AC_Het", "AC_Hemi")
    tagged = bcftools("+fill-tags", "-", "--", "-t", ",".join(tags), text=split)
    form = "%CHROM %POS %REF %ALT " + " ".join(f"%INFO/{tag}" for tag in tags) + "\n"
    found = {}
    for line in bcftools("query", "-f", form, "-", text=tagged).splitlines():
        contig, position, ref, alt, *counts = line.split()
        if counts[1] not in ("0", "."):
            found[contig, int(position), ref, alt] = tuple(map(int, counts))
    return found
