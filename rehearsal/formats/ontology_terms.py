"""Ontology terms that Beacon records, phenopackets and queries share."""

from __future__ import annotations

SEX_TERMS = {"female": "NCIT:C16576", "male": "NCIT:C20197"}

HETEROZYGOUS = {"id": "GENO:0000135", "label": "heterozygous"}
HOMOZYGOUS = {"id": "GENO:0000136", "label": "homozygous"}
HEMIZYGOUS = {"id": "GENO:0000134", "label": "hemizygous"}
