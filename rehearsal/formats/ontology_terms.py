"""Ontology terms that Beacon records, phenopackets and queries share."""

from __future__ import annotations

SEX_TERMS = {"female": "NCIT:C16576", "male": "NCIT:C20197"}

HETEROZYGOUS = {"id": "GENO:0000135", "label": "heterozygous"}
HOMOZYGOUS = {"id": "GENO:0000136", "label": "homozygous"}
HEMIZYGOUS = {"id": "GENO:0000134", "label": "hemizygous"}
# of mitochondria: all genomes of a person have the allele, or some
HOMOPLASMIC = {"id": "GENO:0000602", "label": "homoplasmic"}
HETEROPLASMIC = {"id": "GENO:0000603", "label": "heteroplasmic"}
UNSPECIFIED_ZYGOSITY = {"id": "GENO:0000137", "label": "unspecified zygosity"}
